"""Feature maps that the cube reads in place, so that no matrix of windows is ever made.

`load3d` fills an operand of the cube with pixels of a map in L1. Where products are all that reads
the operand, it need not exist: with NC1HWC0 the channels of a pixel lie side by side, so an element
of the operand is a pixel of the map, moved by a tap of the window, and a channel. The map is then
stored as a *slab*: as the cube multiplies it, with zeros around it where windows hang over.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

from tilelang.backends.llvm.existence import ranges_of
from tilelang.backends.llvm.form import Digit, Form
from tilelang.backends.llvm.host import Host
from tilelang.backends.llvm.panels import Method, find_method
from tilelang.backends.llvm.storage import Storage
from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.nodes import Alloc, Body, If, Img2col, Loop, Mmad, Program, Stmt
from tilelang.ir.region import Memory, Region, identity
from tilelang.ir.source_index import unravel
from tilelang.ir.walk import reads, walk, walk_program, written

Ranges = Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Slab:
    """How a map of shape [..., C, H, W] is stored: planes of `k0` channels, rows of pixels.

    Before its first pixel a plane has `top` rows and `left` pixels of zeros, behind every row `gap`
    pixels, which are also what lies left of the next row, and behind its last row `below` rows.
    """

    shape: tuple[int, ...]
    k0: int
    storage: Storage
    top: int
    left: int
    gap: int
    below: int

    @property
    def pitch(self) -> int:
        """Pixels from row to row."""
        return self.shape[-1] + self.gap

    @property
    def plane(self) -> int:
        """Pixels of a plane."""
        return self.left + (self.top + self.shape[-2] + self.below) * self.pitch

    @property
    def origin(self) -> int:
        """Pixels before the first one of the map."""
        return self.left + self.top * self.pitch

    @property
    def n_planes(self) -> int:
        """Planes of all maps in the buffer."""
        *lead, channels, _, _ = self.shape
        return prod(lead) * -(-channels // self.k0)

    @property
    def form(self) -> Form:
        """The form of the buffer, in elements."""
        *lead, channels, _, _ = self.shape
        rank, k0, stride = len(self.shape), self.k0, self.plane * self.k0
        strides = [stride * -(-channels // k0) * prod(lead[axis + 1 :]) for axis in range(rank - 3)]
        digits = (
            *(Digit(axis, 1, 0, far) for axis, far in enumerate(strides)),
            Digit(rank - 3, k0, 0, stride),
            Digit(rank - 2, 1, 0, self.pitch * k0),
            Digit(rank - 1, 1, 0, k0),
            Digit(rank - 3, 1, k0, 1),
        )
        return Form(self.storage, digits, self.n_planes * stride, True, self.origin * k0)

    def zeros(self) -> Iterator["Run"]:
        """Yield the pixels of a plane that no move sets, or all where channels are missing."""
        *_, channels, height, width = self.shape
        if channels % self.k0:
            yield Run(0, self.plane)
            return
        yield Run(0, self.origin)
        yield Run(self.origin + width, self.gap, height, self.pitch)
        end = self.origin + height * self.pitch
        yield Run(end, self.plane - end)


@dataclass(frozen=True, slots=True)
class Run:
    """So many pixels side by side, `count` times, `step` pixels apart."""

    first: int
    size: int
    count: int = 1
    step: int = 0


@dataclass(frozen=True, slots=True)
class Columns:
    """An operand of the cube that is read from its map: the `load3d` that would fill it."""

    load: Img2col
    slab: Slab

    @property
    def n_columns(self) -> int:
        """Columns of all windows of the map."""
        return _n_columns(self.load)

    def offset(self, row: Index, column: Index) -> Index:
        """Return the offset of an element of the operand in the slab."""
        return ix.add(self.pixel(row), self.tap(ix.add(self.load.column, column)))

    def pixel(self, row: Index) -> Index:
        """Return the offset of the first tap and channel of the operand's row, in elements.

        A row past the last output position reads the zeros below the map.
        """
        window, (_, height, width) = self.load.window, self.load.src.shape
        n_rows, n_columns = window.output(height, width)
        last = ix.constant(n_rows * n_columns)
        position = ix.minimum(ix.add(self.load.row, row), last)
        oh, ow = unravel(position, (n_rows, n_columns))
        down, right = window.stride
        top, _, left, _ = window.padding
        y = ix.add(
            ix.scale(oh, down),
            ix.constant(-top),
            ix.scale(ix.floor_div(oh, n_rows), height + top - n_rows * down),
        )
        x = ix.add(ix.scale(ow, right), ix.constant(-left))
        pixel = ix.add(ix.scale(y, self.slab.pitch), x)
        return ix.add(self._start(), ix.scale(pixel, self.slab.k0))

    def tap(self, column: Index) -> Index:
        """Return how far a column of the windows lies behind a row's first tap, in elements."""
        window, k0 = self.load.window, self.slab.k0
        n_planes = -(-self.load.src.shape[0] // k0)
        c1, kh, kw, c0 = unravel(column, (n_planes, *window.kernel, k0))
        down, right = window.dilation
        pixel = ix.add(
            ix.scale(c1, self.slab.plane),
            ix.scale(kh, down * self.slab.pitch),
            ix.scale(kw, right),
        )
        return ix.add(ix.scale(pixel, k0), c0)

    def _start(self) -> Index:
        """Return the offset of the map's first element."""
        return self.slab.form.offset(self.load.src.start)


@dataclass(frozen=True, slots=True)
class Windows:
    """What is read in place in a program: operands in L0A, and maps in L1, by their names."""

    operands: Mapping[str, Columns]
    slabs: Mapping[str, Slab]


NO_WINDOWS = Windows({}, {})


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
    return Windows(operands, slabs)


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
                    if last <= _n_columns(stmt):
                        yield _Load(stmt, _hangs_over(stmt, ranges))
            case _:
                pass


def _n_columns(stmt: Img2col) -> int:
    channels, k0 = stmt.src.shape[0], stmt.src.buffer.dtype.k0
    return -(-channels // k0) * k0 * prod(stmt.window.kernel)


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
            yield name, _slab(loads, storages.pop())


def _slab(loads: list[_Load], storage: Storage) -> Slab:
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
    return Slab(buffer.shape, buffer.dtype.k0, storage, top, left, max(left, right), below)
