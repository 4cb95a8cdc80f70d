"""What the lowering cannot do: one exception at the kernel's line, with what to write instead."""

from tilelang.diagnostics import UNKNOWN, Diagnostic, Location, Note, TileError
from tilelang.ir.region import Buffer


class RaggedRow(TileError):
    """A row of `tensor`, as it is stored, ends inside a block that holds elements of others."""

    def __init__(self, tensor: str, refused: TileError) -> None:
        """Hold what `refused` says."""
        super().__init__(*refused.diagnostics)
        self.tensor = tensor


class ManyEdges(TileError):
    """Tiles of `tensor` hang over its end in too many ways."""

    def __init__(self, tensor: str, refused: TileError) -> None:
        """Hold what `refused` says."""
        super().__init__(*refused.diagnostics)
        self.tensor = tensor


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
