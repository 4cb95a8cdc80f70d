"""Give every on-chip buffer whose layout the user did not write the one that its use calls for.

| memory | layout |
|---|---|
| L1 | NZ; NC1HWC0 if `load3d` reads it; feature maps and weights keep the layout of their tensor |
| L0A, L0B, L0C | ZZ, ZN, NZ with blocks of 16 by 16 |
| UB | by group of buffers that expressions join: NZ if one meets L0C, else ND; vectors are ND |
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from tilelang.diagnostics import UNKNOWN, Diagnostic, Location, Note, TileError
from tilelang.ir.nodes import Alloc, Body, Img2col, Map, Move, Program, Reduce, Stmt
from tilelang.ir.region import AsMatrix, Buffer, Memory, Region, identity
from tilelang.ir.walk import map_regions, reads, rewrite_program, walk_program, written
from tilelang.layouts import FRACTAL_ROWS, ND, Layout, LayoutKind, layout_for
from tilelang.verify.vector import is_vector
from tilelang.verify.wording import layout_lines

_FROM_THE_CUBE = Layout(LayoutKind.NZ, FRACTAL_ROWS)


def infer_layouts(program: Program, automatic: frozenset[str]) -> Program:
    """Return `program` with layouts for the buffers named in `automatic`, which come as ND.

    Raises:
        TileError: E0361 if an expression joins buffers that must have different layouts.
    """
    statements = tuple(walk_program(program))
    uses = _layouts_by_use(statements)
    groups = _ub_layouts(statements, automatic)
    layouts: dict[str, Layout] = {}
    for stmt in statements:
        if isinstance(stmt, Alloc) and stmt.buffer.name in automatic:
            layouts[stmt.buffer.name] = _layout(stmt.buffer, uses, groups)
    return _with_layouts(program, layouts)


def _layout(buffer: Buffer, uses: Mapping[str, Layout], groups: Mapping[str, Layout]) -> Layout:
    match buffer.memory:
        case Memory.GM:
            return ND
        case Memory.L1:
            usual = layout_for(LayoutKind.NZ, buffer.dtype) if buffer.rank > 1 else ND
            return uses.get(buffer.name, usual)
        case Memory.L0A:
            return layout_for(LayoutKind.ZZ, buffer.dtype)
        case Memory.L0B:
            return layout_for(LayoutKind.ZN, buffer.dtype)
        case Memory.L0C:
            return _FROM_THE_CUBE
        case Memory.UB:
            return groups.get(buffer.name, ND)
        case _:
            assert_never(buffer.memory)


def _layouts_by_use(statements: Iterable[Stmt]) -> dict[str, Layout]:
    """Return the layouts of buffers that their source or their reader decides, by name."""
    filled: dict[str, Layout] = {}
    read: dict[str, Layout] = {}
    for stmt in statements:
        if isinstance(stmt, Move) and (kind := _kept_kind(stmt)):
            filled[stmt.dst.buffer.name] = layout_for(kind, stmt.dst.buffer.dtype)
        for region in reads(stmt):
            buffer = region.buffer
            if isinstance(stmt, Img2col):
                read[buffer.name] = layout_for(LayoutKind.NC1HWC0, buffer.dtype)
            elif isinstance(region.view, AsMatrix):
                read[buffer.name] = layout_for(LayoutKind.FRACTAL_Z, buffer.dtype)
    return filled | read


def _kept_kind(move: Move) -> LayoutKind | None:
    """Return the kind that `move` should keep, or None if NZ does as well.

    Moves do not turn 32-byte rows round. Those of NZ run along the last dimension, so a source
    whose rows run along another one gives its own kind, or ZN if it is a matrix.
    """
    src, dst = move.src, move.dst
    if dst.view != identity(dst.buffer.rank):
        return None
    if isinstance(src.view, AsMatrix):
        return LayoutKind.ZN
    layout = src.buffer.layout
    own_axes = range(src.buffer.rank - layout.logical_rank, src.buffer.rank)
    if src.view != identity(src.buffer.rank) or not set(own_axes) <= set(src.spanned):
        return None
    match layout.kind:
        case LayoutKind.NC1HWC0 | LayoutKind.FRACTAL_Z:
            return layout.kind
        case LayoutKind.ZN | LayoutKind.NN:
            return LayoutKind.ZN
        case LayoutKind.ND | LayoutKind.NZ | LayoutKind.ZZ:
            return None
        case _:
            assert_never(layout.kind)


@dataclass(frozen=True, slots=True)
class _Forced:
    """A layout that `buffer` must have: it is written at `loc`, or a move there meets L0C."""

    buffer: Buffer
    layout: Layout
    is_written: bool
    loc: Location

    @property
    def note(self) -> Note:
        """Why the layout is forced, and where."""
        reason = "is written" if self.is_written else "meets L0C here, so it is"
        return Note(f"`{self.buffer.name}` {reason} {self.layout}: {self.buffer}", self.loc)


@dataclass(slots=True)
class _Group:
    """Buffers of UB that expressions join."""

    names: list[str]
    forced: _Forced | None


def _ub_layouts(statements: Iterable[Stmt], automatic: frozenset[str]) -> dict[str, Layout]:
    """Return the layout of each buffer of UB whose group must have one, by name."""
    statements = tuple(statements)
    forced = _forced(statements, automatic)
    groups: dict[str, _Group] = {}
    faults: list[Diagnostic] = []
    for stmt in statements:
        for left, right in _joined(stmt):
            one, other = (
                groups.setdefault(name, _Group([name], forced.get(name))) for name in (left, right)
            )
            if one is not other:
                faults += _conflict(one.forced, other.forced, stmt)
                _merge(one, other, groups)
    if faults:
        raise TileError(*faults)
    alone = {name: found.layout for name, found in forced.items()}
    return alone | {name: g.forced.layout for name, g in groups.items() if g.forced}


def _forced(statements: Iterable[Stmt], automatic: frozenset[str]) -> dict[str, _Forced]:
    """Return the buffers of UB whose layout is written, or settled by a move from or to L0C."""
    forced: dict[str, _Forced] = {}
    for stmt in statements:
        if isinstance(stmt, Alloc):
            buffer = stmt.buffer
            if buffer.memory is Memory.UB and buffer.name not in automatic:
                forced[buffer.name] = _Forced(
                    buffer, buffer.layout, is_written=True, loc=buffer.loc
                )
        elif isinstance(stmt, Move):
            memories = {stmt.dst.buffer.memory, stmt.src.buffer.memory}
            if memories == {Memory.UB, Memory.L0C}:
                tile = stmt.dst if stmt.dst.buffer.memory is Memory.UB else stmt.src
                found = _Forced(tile.buffer, _FROM_THE_CUBE, is_written=False, loc=stmt.loc)
                forced.setdefault(tile.buffer.name, found)
    return forced


def _joined(stmt: Stmt) -> Iterator[tuple[str, str]]:
    """Yield the pairs of buffers that `stmt` works on at once; vectors join nothing."""
    target = written(stmt)
    if not isinstance(stmt, Map | Reduce) or target is None or _is_apart(target):
        return
    for region in reads(stmt):
        if not _is_apart(region):
            yield target.buffer.name, region.buffer.name


def _is_apart(region: Region) -> bool:
    return region.buffer.memory is not Memory.UB or is_vector(region.buffer)


def _merge(one: _Group, other: _Group, groups: dict[str, _Group]) -> None:
    """Put the names of `other` into `one`, whose layout wins."""
    one.names += other.names
    one.forced = one.forced or other.forced
    groups.update(dict.fromkeys(other.names, one))


def _conflict(one: _Forced | None, other: _Forced | None, stmt: Stmt) -> Iterator[Diagnostic]:
    if one is None or other is None or one.layout == other.layout:
        return
    user = one if one.is_written else other
    yield Diagnostic(
        "E0361",
        f"this joins `{one.buffer.name}`, which must be {one.layout}, and "
        f"`{other.buffer.name}`, which must be {other.layout}; one operation works on one layout",
        stmt.loc,
        f"leave the layout of `{user.buffer.name}` out, and it is made equal; a move between GM "
        "and UB converts",
        tuple(forced.note for forced in (one, other) if forced.loc != UNKNOWN),
        layout_lines(*((found.buffer.name, found.layout, found.buffer) for found in (one, other))),
    )


def _with_layouts(program: Program, layouts: Mapping[str, Layout]) -> Program:
    """Return `program` with the named buffers in these layouts, where they stand and are used."""

    def with_layout(buffer: Buffer) -> Buffer:
        layout = layouts.get(buffer.name, buffer.layout)
        return buffer if layout == buffer.layout else replace(buffer, layout=layout)

    def change_region(region: Region) -> Region:
        buffer = with_layout(region.buffer)
        return region if buffer is region.buffer else replace(region, buffer=buffer)

    def change(stmt: Stmt) -> Body:
        if isinstance(stmt, Alloc):
            return (replace(stmt, buffer=with_layout(stmt.buffer)),)
        return (map_regions(stmt, change_region),)

    return rewrite_program(program, change)
