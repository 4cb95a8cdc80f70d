"""A few functions that build programs by hand, and run them."""

import linecache
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilelang.backends.numpy import NumpyExecutable
from tilelang.backends.numpy.arithmetic import ROUNDED
from tilelang.diagnostics import UNKNOWN, Location
from tilelang.dtypes import DType
from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.nodes import Alloc, Body, Core, Loop, LoopKind, Program, Stage
from tilelang.ir.region import Buffer, Memory, Permute, Region, View, identity
from tilelang.layouts import Layout, LayoutKind, layout_for
from tilelang.machines import find_machine
from tilelang.passes.expand_matmul import expand_matmul

Array = NDArray[Any]
Start = int | str | Index

LAYOUTS = {
    Memory.GM: LayoutKind.ND,
    Memory.UB: LayoutKind.ND,
    Memory.L1: LayoutKind.NZ,
    Memory.L0A: LayoutKind.ZZ,
    Memory.L0B: LayoutKind.ZN,
}


def buffer(
    memory: str,
    name: str,
    shape: Sequence[int],
    dtype: str = "float32",
    layout: Layout | None = None,
    *,
    loc: Location = UNKNOWN,
) -> Buffer:
    """Return a buffer in `memory`, by default in the layout that is usual there."""
    where, kept = Memory(memory), DType(dtype)
    if layout is None:
        usual = Layout(LayoutKind.NZ, 16) if where is Memory.L0C else None
        layout = usual or layout_for(LAYOUTS[where], kept)
    return Buffer(name, where, kept, tuple(shape), layout, loc)


def index(value: Start) -> Index:
    """Return a number, or the variable of a name, as an index."""
    if isinstance(value, Index):
        return value
    return ix.variable(value) if isinstance(value, str) else ix.constant(value)


def times(factor: int, name: str, plus: int = 0) -> Index:
    """Return `factor * name + plus`."""
    return ix.add(ix.scale(ix.variable(name), factor), ix.constant(plus))


def box(
    of: Buffer,
    start: Sequence[Start],
    extent: Sequence[int | None],
    step: Sequence[int] | None = None,
    *,
    view: View | None = None,
    loc: Location = UNKNOWN,
) -> Region:
    """Return a region of a buffer."""
    steps = tuple(step) if step is not None else (1,) * len(start)
    kept = view if view is not None else identity(of.rank)
    return Region(of, kept, tuple(map(index, start)), steps, tuple(extent), loc)


def permuted(*groups: tuple[int, ...]) -> Permute:
    """Return a view."""
    return Permute(groups)


def loop(var: str, extent: Start, *body: Any, kind: LoopKind = LoopKind.SERIAL) -> Loop:
    """Return a loop."""
    return Loop(var, index(extent), kind, 1, body)


def stage(grid: dict[str, int], *body: Any) -> Stage:
    """Return a stage."""
    return Stage(tuple(Core(var, extent) for var, extent in grid.items()), body)


def program(
    inputs: Sequence[Buffer], results: Sequence[Buffer], *parts: Any, loc: Location = UNKNOWN
) -> Program:
    """Return a program of stages and allocations; statements alone are one stage on one core."""
    stages = all(isinstance(part, Stage | Alloc) for part in parts)
    stages = stages and any(isinstance(part, Stage) for part in parts)
    body = parts if stages else (Stage((), parts),)
    return Program("test", tuple(inputs), tuple(results), (), (), body, loc)


def allocate(*buffers: Buffer) -> Body:
    """Return an allocation of each buffer, at the place it was made."""
    return tuple(Alloc(one, one.loc) for one in buffers)


def executable(of: Program, *, strict: bool = True) -> NumpyExecutable:
    """Compile a program without verifying it, so that what is wrong shows when it runs."""
    lowered = expand_matmul(of, find_machine("host"))
    return NumpyExecutable(of, lowered, ROUNDED, strict=strict)


def run(of: Program, *inputs: Array, strict: bool = True) -> Any:
    """Run a program on physical arrays; return its result, or the tuple of its results."""
    results = [
        np.zeros(one.layout.physical_shape(one.shape), one.dtype.numpy) for one in of.results
    ]
    executable(of, strict=strict)(*inputs, *results)
    return results[0] if len(results) == 1 else tuple(results)


def source(file: str, text: str) -> list[str]:
    """Make `text` the lines of `file`, so that messages can quote them."""
    lines = text.splitlines(keepends=True)
    linecache.cache[file] = (len(text), None, lines, file)
    return lines


def at(file: str, line: int, part: str) -> Location:
    """Return the place of `part` in a line of a file made by `source`."""
    column = linecache.getline(file, line).index(part)
    return Location(file, line, column, column + len(part))
