"""Writing programs for tests of the verifier, as a user would have: every node has its line."""

import linecache
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.golden import Golden
from tilelang.diagnostics import UNKNOWN, Location, TileError
from tilelang.dtypes import DType
from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.nodes import Alloc, Body, Core, Loop, LoopKind, Program, Stage, Stmt
from tilelang.ir.region import Buffer, Memory, Permute, Region, View, identity, view_shape
from tilelang.layouts import ND, Layout, LayoutKind, layout_for
from tilelang.machines import Machine, find_machine
from tilelang.verify import verify

F16, F32, I8, I32 = DType.FLOAT16, DType.FLOAT32, DType.INT8, DType.INT32
NZ16 = Layout(LayoutKind.NZ, 16)
_USUAL_LAYOUT = {
    Memory.L1: LayoutKind.NZ,
    Memory.L0A: LayoutKind.ZZ,
    Memory.L0B: LayoutKind.ZN,
}


class Source:
    """A user's file that only `linecache` knows; every line written has a location."""

    def __init__(self) -> None:
        """Start an empty file."""
        self.file = "kernel.py"
        self._lines: list[str] = []

    def line(self, text: str) -> Location:
        """Add a line and return where it is, without its indentation."""
        self._lines.append(f"{text}\n")
        linecache.cache[self.file] = (len("".join(self._lines)), None, self._lines, self.file)
        start = len(text) - len(text.lstrip())
        return Location(self.file, len(self._lines), start, len(text), len(self._lines))


def spot(loc: Location, part: str) -> Location:
    """Return where `part` stands on the line of `loc`."""
    text = linecache.getline(loc.file, loc.line)
    start = text.index(part)
    return Location(loc.file, loc.line, start, start + len(part), loc.line)


def tensor(
    name: str,
    shape: Sequence[int],
    dtype: DType = F16,
    layout: Layout = ND,
    loc: Location = UNKNOWN,
) -> Buffer:
    """Return a tensor in GM."""
    return Buffer(name, Memory.GM, dtype, tuple(shape), layout, loc)


def tile(
    name: str,
    memory: Memory,
    shape: Sequence[int],
    dtype: DType = F16,
    *,
    layout: Layout | None = None,
    loc: Location = UNKNOWN,
) -> Buffer:
    """Return a tile in the layout that is usual in its memory."""
    if layout is None and memory is Memory.L0C:
        layout = NZ16
    elif layout is None:
        layout = layout_for(_USUAL_LAYOUT.get(memory, LayoutKind.ND), dtype)
    return Buffer(name, memory, dtype, tuple(shape), layout, loc)


def part(
    buffer: Buffer,
    *start: Index | int,
    extent: Sequence[int | None],
    view: View | None = None,
    step: Sequence[int] | None = None,
    loc: Location = UNKNOWN,
) -> Region:
    """Return a region of `buffer`, seen through `view` if one is given."""
    indices = tuple(ix.constant(s) if isinstance(s, int) else s for s in start)
    steps = tuple(step) if step else (1,) * len(indices)
    view = view or identity(buffer.rank)
    return Region(buffer, view, indices, steps, tuple(extent), loc)


def transposed(buffer: Buffer, loc: Location = UNKNOWN) -> Region:
    """Return all of a matrix, with its axes exchanged."""
    view = Permute(((1,), (0,)))
    return part(buffer, 0, 0, extent=view_shape(buffer, view), view=view, loc=loc)


def times(factor: int, name: str) -> Index:
    """Return `factor * name`."""
    return ix.scale(ix.variable(name), factor)


def alloc(*buffers: Buffer) -> Body:
    """Return the allocations of `buffers`, where they were declared."""
    return tuple(Alloc(buffer, buffer.loc) for buffer in buffers)


def serial(
    var: str, extent: Index | int, *body: Stmt, stages: int = 1, loc: Location = UNKNOWN
) -> Loop:
    """Return a loop whose iterations run in order."""
    extent = ix.constant(extent) if isinstance(extent, int) else extent
    return Loop(var, extent, LoopKind.SERIAL, stages, body, loc)


def chunks(var: str, extent: int, *body: Stmt, loc: Location = UNKNOWN) -> Loop:
    """Return a loop over row blocks."""
    return Loop(var, ix.constant(extent), LoopKind.CHUNKS, 1, body, loc)


def program(
    *body: Stmt,
    inputs: Sequence[Buffer] = (),
    results: Sequence[Buffer] = (),
    grid: Sequence[Core] = (),
    tiles: dict[str, int] | None = None,
    loc: Location = UNKNOWN,
) -> Program:
    """Return a program of one stage called `sample`."""
    stages = (Stage(tuple(grid), body),)
    named = tuple((tiles or {}).items())
    return Program("sample", tuple(inputs), tuple(results), (), named, stages, loc)


def without_byte_transposes() -> Machine:
    """Return the 910B as if its loads transposed no 8-bit types, as those of TIK do not."""
    chip = find_machine("ascend910b")
    paths = tuple(
        replace(path, transposes=tuple(t for t in path.transposes if t.n_bytes > 1))
        for path in chip.paths
    )
    return replace(chip, paths=paths)


def _machine(machine: str | Machine) -> Machine:
    return find_machine(machine) if isinstance(machine, str) else machine


def message(wrong: Program, machine: str | Machine = "ascend910") -> str:
    """Return everything that the verifier says of `wrong`."""
    with pytest.raises(TileError) as caught:
        verify(wrong, _machine(machine))
    return f"{caught.value}\n"


def codes(wrong: Program, machine: str | Machine = "ascend910") -> list[str]:
    """Return the codes of what the verifier says of `wrong`; empty if it is fine."""
    try:
        verify(wrong, _machine(machine))
    except TileError as error:
        return [diagnostic.code for diagnostic in error.diagnostics]
    return []


def check_message(
    golden: Golden, name: str, wrong: Program, machine: str | Machine = "ascend910"
) -> None:
    """Compare the message with `golden/verify/<name>.txt`; `name` starts with its only code."""
    assert set(codes(wrong, machine)) == {name[:5]}
    golden.check(f"verify/{name}.txt", message(wrong, machine))
