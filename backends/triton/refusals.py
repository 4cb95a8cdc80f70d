"""What Triton cannot hold, said before anything is compiled, with what to write instead."""

from collections.abc import Iterator
from math import prod

from tilelang.backends.triton.blocks import Body, Dot, Tile
from tilelang.backends.triton.walk import operands, tiles_set, walk
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.dtypes import DType
from tilelang.ir.nodes import Program

MAX_ELEMENTS = 1 << 20
"""Elements of a block (triton.language.core, TRITON_MAX_TENSOR_NUMEL)."""
LEAST_K = {DType.INT8: 32, DType.UINT8: 32}
"""The least inner size of a product; 16 for other types (triton: min_dot_size)."""


def check_blocks(program: Program, bodies: list[Body]) -> None:
    """Check that Triton can hold every block of `bodies`.

    Raises:
        TileError: E1301 for a side that is no power of two, E1302 for too many elements, E1305 for
            a product that is too short.
    """
    faults: dict[tuple[str, str], Diagnostic] = {}
    for body in bodies:
        for step in walk(body):
            shapes = [(tile, tile.shape) for tile in tiles_set(step)]
            shapes += [(operand.slot.tile, operand.shape) for operand in operands(step)]
            for tile, shape in shapes:
                for fault in _shape_faults(tile, shape, program):
                    faults.setdefault((fault.code, tile.name), fault)
            if isinstance(step, Dot):
                for fault in _dot_faults(step):
                    faults.setdefault((fault.code, step.acc.tile.name), fault)
    if faults:
        raise TileError(*faults.values())


def _shape_faults(tile: Tile, shape: tuple[int, ...], program: Program) -> Iterator[Diagnostic]:
    odd = [size for size in shape if size & (size - 1) or size < 1]
    if odd:
        yield Diagnostic(
            "E1301",
            f"`{tile.name}` is {tile.dtype}{list(shape)}; the sides of a Triton block are powers "
            f"of two, and {odd[0]} is not",
            tile.loc,
            _instead(odd[0], program),
        )
    elif prod(shape) > MAX_ELEMENTS:
        yield Diagnostic(
            "E1302",
            f"`{tile.name}` is {tile.dtype}{list(shape)}, {prod(shape):,} elements; a Triton block "
            f"has at most {MAX_ELEMENTS:,}",
            tile.loc,
            "use a smaller tile, and a loop over the rest",
        )


def _instead(size: int, program: Program) -> str:
    low = 1 << (size.bit_length() - 1) if size > 0 else 1
    named = [name for name, value in program.tiles if value == size]
    if named:
        return f"write {named[0]}={low} or {named[0]}={2 * low}"
    return f"make that side {low} or {2 * low}; what hangs over a tensor is filled and dropped"


def _dot_faults(step: Dot) -> Iterator[Diagnostic]:
    inner = step.a.shape[1]
    least = LEAST_K.get(step.a.dtype, 16)
    if inner < least:
        yield Diagnostic(
            "E1305",
            f"a product of {step.a.dtype}{list(step.a.shape)} and {step.b.dtype}"
            f"{list(step.b.shape)}: Triton multiplies no fewer than {least} columns at a time",
            step.loc,
            f"make the tiles {least} or more along k: k_tile={least}",
        )
