"""What the lowering cannot do: one exception at the kernel's line, with what to write instead."""

from tilelang.diagnostics import UNKNOWN, Diagnostic, Location, Note, TileError
from tilelang.ir.region import Buffer


def refusal(
    code: str,
    message: str,
    loc: Location,
    hint: str,
    *buffers: Buffer,
    details: tuple[str, ...] = (),
) -> TileError:
    """Return the error `code` at `loc`; notes say where `buffers` are declared."""
    notes = tuple(
        Note(f"`{buffer.name}` is {buffer} in {buffer.layout}, declared here", buffer.loc)
        for buffer in dict.fromkeys(buffers)
        if buffer.loc != UNKNOWN
    )
    return TileError(Diagnostic(code, message, loc, hint, notes, details))
