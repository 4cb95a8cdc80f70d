"""Feature maps that the cube reads in place, so that no matrix of windows is ever made.

`load3d` fills an operand of the cube with pixels of a map in L1. Where products are all that reads
the operand, it need not exist: the map is then stored as a slab (`slabs.py`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

from tilelang.backends.llvm.convolution.slabs import Columns, Slab, n_columns
from tilelang.backends.llvm.existence import ranges_of
from tilelang.backends.llvm.products.panels import Method, find_method
from tilelang.backends.llvm.runtime.host import Host
from tilelang.backends.llvm.storage import Storage
from tilelang.dtypes import DType
from tilelang.ir import index as ix
from tilelang.ir.nodes import Alloc, Body, If, Img2col, Loop, Mmad, Move, Program, Stmt
from tilelang.ir.region import Buffer, Memory, Region, identity
from tilelang.ir.walk import reads, walk, walk_program, written

Ranges = Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Windows:
    """What is read in place in a program: operands in L0A, and maps in L1, by their names."""

    operands: Mapping[str, Columns]
    slabs: Mapping[str, Slab]
    sums: frozenset[str]
    """The accumulators that hold nothing but sums of float16 products."""


NO_WINDOWS = Windows({}, {}, frozenset())


def find_windows(program: Program, host: Host) -> Windows:
    """Return the operands of the cube that are windows of maps which serve nothing else."""
    found = {
        load.stmt.dst.buffer.name: load
        for stage in program.stages
        for load in _loads(stage.body, ranges_of(stage.grid))
    }
    methods = _methods(program, found, host)
    slabs = dict(_slabs(program, found, methods))
    operands = {
        name: Columns(load.stmt, slabs[load.stmt.src.buffer.name])
        for name, load in found.items()
        if load.stmt.src.buffer.name in slabs
    }
    return Windows(operands, slabs, frozenset(_sums(program)))


def _sums(program: Program) -> set[str]:
    """Return the buffers that only products of float16 write."""
    changed: dict[bool, set[str]] = {True: set(), False: set()}
    for stmt in walk_program(program):
        if (dst := written(stmt)) is not None:
            is_sum = isinstance(stmt, Mmad) and _dtypes(stmt) == {DType.FLOAT16}
            changed[is_sum].add(dst.buffer.name)
    return changed[True] - changed[False]


def _dtypes(stmt: Mmad) -> set[DType]:
    return {stmt.a.buffer.dtype, stmt.b.buffer.dtype}


@dataclass(frozen=True, slots=True)
class _Load:
    stmt: Img2col
    hangs_over: bool
    """Whether there may be rows past the last output position."""


def _loads(body: Body, ranges: Ranges) -> Iterator[_Load]:
    """Yield what fills an operand of its own body, from a map that does not change afterwards."""
    own = {stmt.buffer.name for stmt in body if isinstance(stmt, Alloc)}
    for place, stmt in enumerate(body):
        match stmt:
            case Loop():
                last = ix.bounds(stmt.extent, ranges)[1] - 1
                yield from _loads(stmt.body, {**ranges, stmt.var: (0, max(last, 0))})
            case If():
                yield from _loads(stmt.then, ranges)
                yield from _loads(stmt.otherwise, ranges)
            case Img2col():
                is_own = stmt.dst.buffer.name in own and _is_plain(stmt)
                if is_own and not _changes(body[place + 1 :], stmt.src.buffer.name):
                    last = ix.bounds(stmt.column, ranges)[1] + stmt.dst.shape[1]
                    if last <= n_columns(stmt):
                        yield _Load(stmt, _hangs_over(stmt, ranges))
            case _:
                pass


def _hangs_over(stmt: Img2col, ranges: Ranges) -> bool:
    n_positions = prod(stmt.window.output(*stmt.src.shape[1:]))
    return ix.bounds(stmt.row, ranges)[1] + stmt.dst.shape[0] > n_positions


def _is_plain(stmt: Img2col) -> bool:
    """Return whether a whole operand comes from whole maps, of at least one window."""
    src, rank = stmt.src, stmt.src.buffer.rank
    return (
        stmt.dst.is_whole
        and stmt.dst.buffer.memory is Memory.L0A
        and src.buffer.memory is Memory.L1
        and src.view == identity(rank)
        and src.spanned == tuple(range(rank - 3, rank))
        and src.extent[-3:] == src.buffer.shape[-3:]
        and all(start == ix.ZERO for start in src.start[-3:])
        and all(step == 1 for step in src.step)
        and min(*stmt.window.output(*src.shape[1:]), *src.shape) > 0
    )


def _changes(body: Body, name: str) -> bool:
    return any((dst := written(stmt)) and dst.buffer.name == name for stmt in walk(body))


def _methods(program: Program, found: Mapping[str, _Load], host: Host) -> dict[str, Method]:
    """Return how each operand is multiplied, if products alone read it, all in one way."""
    methods: dict[str, set[Method | None]] = {}
    n_writers: dict[str, int] = {}
    for stmt in walk_program(program):
        dst = written(stmt)
        if dst is not None:
            n_writers[dst.buffer.name] = n_writers.get(dst.buffer.name, 0) + 1
        for region in reads(stmt):
            if region.buffer.name in found:
                methods.setdefault(region.buffer.name, set()).add(_method(stmt, region, host))
    return {
        name: method
        for name, (method, *others) in methods.items()
        if method is not None and not others and n_writers[name] == 1
    }


def _method(stmt: Stmt, region: Region, host: Host) -> Method | None:
    """Return the method of a product whose left operand alone is `region`, a plain matrix."""
    match stmt:
        case Mmad(_, a, b) if a == region and b.buffer != a.buffer:
            is_plain = a.view == identity(2) and len(a.spanned) == 2 and a.step == (1, 1)
            return find_method(a.buffer.dtype, b.buffer.dtype, host) if is_plain else None
        case _:
            return None


def _slabs(
    program: Program, found: Mapping[str, _Load], methods: Mapping[str, Method]
) -> Iterator[tuple[str, Slab]]:
    """Yield the maps, by name, that serve nothing but operands which are read in place."""
    readers: dict[str, list[str | None]] = {}
    for stmt in walk_program(program):
        for region in reads(stmt):
            is_load = isinstance(stmt, Img2col) and stmt.dst.buffer.name in methods
            target = stmt.dst.buffer.name if isinstance(stmt, Img2col) and is_load else None
            readers.setdefault(region.buffer.name, []).append(target)
    maps = {found[name].stmt.src.buffer.name for name in methods}
    for name in maps:
        loads = [found[reader] for reader in readers[name] if reader is not None]
        storages = {methods[load.stmt.dst.buffer.name].a for load in loads}
        if None not in readers[name] and len(storages) == 1:
            yield name, _slab(program, loads, storages.pop())


def _slab(program: Program, loads: list[_Load], storage: Storage) -> Slab:
    """Return the slab that has room for what any of the windows reads."""
    buffer = loads[0].stmt.src.buffer
    windows = [load.stmt.window for load in loads]
    top, bottom, left, right = (max(w.padding[side] for w in windows) for side in range(4))
    spans = [
        (load.stmt.window.kernel[0] - 1) * load.stmt.window.dilation[0] + 1
        for load in loads
        if load.hangs_over
    ]
    below = max(bottom, *spans, 0)
    return Slab(
        buffer.shape,
        buffer.dtype.k0,
        storage,
        top=top,
        left=left,
        gap=max(left, right),
        below=below,
        takes_blocks=_takes_blocks(program, buffer),
    )


def _takes_blocks(program: Program, buffer: Buffer) -> bool:
    """Return whether all that writes a buffer are moves of all its channels."""
    channels, n_channels = buffer.rank - 3, buffer.shape[-3]
    writers = [(stmt, dst) for stmt in walk_program(program) if (dst := written(stmt))]
    return all(
        isinstance(stmt, Move)
        and dst.view == identity(buffer.rank)
        and dst.extent[channels] == n_channels
        and (dst.start[channels], dst.step[channels]) == (ix.ZERO, 1)
        for stmt, dst in writers
        if dst.buffer == buffer
    )
