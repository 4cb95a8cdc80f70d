"""What becomes of each on-chip buffer of a stage: variables, nothing at all, or scratch memory.

| form | when | becomes |
|---|---|---|
| `Kept` | every access is whole, or one of an array of tiles | a variable a tile |
| `Forwarded` | filled once, whole, from global memory | nothing: readers load from there |
| `Spilled` | else, for Triton cannot slice a block | scratch in global memory, one a core |
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from tilelang.backends.triton.blocks import Tile
from tilelang.ir import index as ix
from tilelang.ir.nodes import Alloc, Body, If, Img2col, Loop, Move, Stage, Stmt
from tilelang.ir.region import AsMatrix, Buffer, Memory, Permute, Region, identity, view_shape
from tilelang.ir.walk import reads, walk, written
from tilelang.layouts import ND

MAX_TILES = 16
"""The most variables that an array of tiles becomes: choosing one takes a `where` for each."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Variables: `tiles` for the leading `n_lead` dimensions of the buffer, in row-major order."""

    tiles: tuple[Tile, ...]
    n_lead: int


@dataclass(frozen=True, slots=True)
class Forwarded:
    """Nothing: `source` is the one statement that fills the buffer, from global memory.

    It fills all of it at once, or one of an array of tiles in each step of a loop over `var`.
    """

    source: Move | Img2col
    var: str | None = None


@dataclass(frozen=True, slots=True)
class Spilled:
    """A tensor in global memory whose first dimension counts the cores."""

    scratch: Buffer


Form: TypeAlias = Kept | Forwarded | Spilled


@dataclass(frozen=True, slots=True)
class Access:
    """A region that `stmt` touches; `number` is its order, `bodies` those around it, outside in."""

    stmt: Stmt
    region: Region
    is_write: bool
    number: int
    bodies: tuple[int, ...]


def choose_forms(stage: Stage, n_cores: int) -> dict[str, Form]:
    """Return the form of every on-chip buffer of `stage`, by its name."""
    accesses: dict[str, list[Access]] = {}
    for access in _accesses(stage.body, ()):
        accesses.setdefault(access.region.buffer.name, []).append(access)
    shared = shared_tensors(stage)
    forms: dict[str, Form] = {}
    created = [stmt.buffer for stmt in walk(stage.body) if isinstance(stmt, Alloc)]
    loops = {id(loop.body): loop for loop in walk(stage.body) if isinstance(loop, Loop)}
    taken = frozenset(accesses) | {buffer.name for buffer in created}
    for buffer in created:
        found = accesses.get(buffer.name, [])
        source = _source(found, forms, shared, loops)
        kept = _kept(buffer, found, taken)
        if kept is not None and not (source and _is_passed_on(buffer, found)):
            forms[buffer.name] = kept
        elif source is not None:
            forms[buffer.name] = source
        else:
            forms[buffer.name] = Spilled(_scratch(buffer, n_cores))
    return forms


def shared_tensors(stage: Stage) -> frozenset[str]:
    """Return the names of the tensors in global memory that `stage` both reads and writes."""
    statements = list(walk(stage.body))
    written_names = {region.buffer.name for s in statements if (region := written(s))}
    read_names = {region.buffer.name for s in statements for region in reads(s)}
    in_gm = {b.name for s in statements for b in _buffers(s) if b.memory is Memory.GM}
    return frozenset(written_names & read_names & in_gm)


def n_lead_of(region: Region) -> int:
    """Return how many leading dimensions of the buffer `region` picks a single element of."""
    count = 0
    if region.view == identity(region.buffer.rank):
        while count < len(region.extent) and region.extent[count] is None:
            count += 1
    return count


def is_plain(region: Region, n_lead: int, *, is_write: bool) -> bool:
    """Return whether `region` is all of a tile, `n_lead` indices aside; a read may permute it."""
    if not isinstance(region.view, Permute) or n_lead_of(region) < n_lead:
        return False
    if (is_write or n_lead) and region.view != identity(region.buffer.rank):
        return False
    sizes = view_shape(region.buffer, region.view)
    together = zip(region.start, region.step, region.extent, sizes, strict=True)
    return all(
        (extent == size and step == 1 and start == ix.ZERO) or (extent is None and size == 1)
        for start, step, extent, size in list(together)[n_lead:]
    )


def _buffers(stmt: Stmt) -> Iterator[Buffer]:
    yield from (region.buffer for region in reads(stmt))
    target = written(stmt)
    if target is not None:
        yield target.buffer


def _accesses(body: Body, bodies: tuple[int, ...]) -> Iterator[Access]:
    """Yield the accesses in program order, numbered from where this body starts."""
    found: list[Access] = []

    def visit(body: Body, bodies: tuple[int, ...]) -> None:
        inside = (*bodies, id(body))
        for stmt in body:
            match stmt:
                case Loop():
                    visit(stmt.body, inside)
                case If():
                    visit(stmt.then, inside)
                    visit(stmt.otherwise, inside)
                case _:
                    for region in reads(stmt):
                        found.append(Access(stmt, region, False, len(found), inside))
                    if (target := written(stmt)) is not None:
                        found.append(Access(stmt, target, True, len(found), inside))

    visit(body, bodies)
    yield from found


def _kept(buffer: Buffer, accesses: Sequence[Access], taken: frozenset[str]) -> Kept | None:
    """Return variables for `buffer`, or None if it is read or written in parts.

    Those of an array have names that are not `taken` by buffers or tensors.
    """
    n_lead = min((n_lead_of(access.region) for access in accesses), default=0)
    lead, shape = buffer.shape[:n_lead], buffer.shape[n_lead:]
    plain = all(
        is_plain(a.region, n_lead, is_write=a.is_write)
        and (a.is_write or not isinstance(a.stmt, Img2col))  # which reads element by element
        for a in accesses
    )
    if not plain or prod(lead) > MAX_TILES:
        return None
    names, stem = [buffer.name], buffer.name
    if prod(lead) > 1:
        while not taken.isdisjoint(names := [f"{stem}_{n}" for n in range(prod(lead))]):
            stem += "_"
    return Kept(tuple(Tile(name, buffer.dtype, shape, buffer.loc) for name in names), n_lead)


def _source(
    accesses: Sequence[Access],
    forms: Mapping[str, Form],
    shared: frozenset[str],
    loops: Mapping[int, Loop],
) -> Forwarded | None:
    """Return what readers of a buffer may read instead, if there is such a statement."""
    writes = [access for access in accesses if access.is_write]
    if len(writes) != 1:
        return None
    write, stmt = writes[0], writes[0].stmt
    if not isinstance(stmt, Move | Img2col) or not _comes_from_gm(stmt, forms, shared):
        return None
    loop = None if _is_filled(write.region, 0) else loops.get(write.bodies[-1])
    if loop is not None and not _fills_array(write.region, loop):
        return None
    if loop is None and not _is_filled(write.region, 0):
        return None
    bodies = write.bodies if loop is None else write.bodies[:-1]
    pad = stmt.pad if isinstance(stmt, Move) else 0
    for read in accesses:
        is_behind = read.number > write.number and read.bodies[: len(bodies)] == bodies
        if not read.is_write and not (is_behind and _keeps_pad(read, pad)):
            return None
    return Forwarded(stmt, loop.var if loop else None)


def _is_filled(region: Region, n_lead: int) -> bool:
    """Return whether `region` is all of its buffer, but for `n_lead` leading indices."""
    if region.view != identity(region.buffer.rank):
        return False
    together = zip(region.start, region.step, region.extent, region.buffer.shape, strict=True)
    return all(
        start == ix.ZERO and step == 1 and (extent == size or (extent is None and size == 1))
        for start, step, extent, size in list(together)[n_lead:]
    )


def _fills_array(region: Region, loop: Loop) -> bool:
    """Return whether the steps of `loop` fill the buffer of `region`, one leading index each."""
    n_tiles = ix.constant(region.buffer.shape[0])
    is_slot = region.extent[0] is None and region.start[0] == ix.variable(loop.var)
    return is_slot and loop.extent == n_tiles and _is_filled(region, 1)


def _comes_from_gm(stmt: Move | Img2col, forms: Mapping[str, Form], shared: frozenset[str]) -> bool:
    buffer = stmt.src.buffer
    if buffer.memory is Memory.GM:
        return buffer.name not in shared
    return isinstance(forms.get(buffer.name), Forwarded)


def _keeps_pad(read: Access, pad: float) -> bool:
    """Return whether what `read` fills up beside the buffer's own elements is `pad` as well."""
    match read.stmt:
        case Img2col():
            return pad == 0
        case Move(_, src, fill) if isinstance(src.view, AsMatrix):
            return fill == pad
        case _:
            return not isinstance(read.region.view, AsMatrix) or pad == 0


def _is_passed_on(buffer: Buffer, accesses: Sequence[Access]) -> bool:
    """Return whether `buffer` is an L1 tile that is only moved on, once for each time it is filled.

    Then its reader is what loads; else the tile stays, so that it is loaded once.
    """
    readers = [access for access in accesses if not access.is_write]
    write = next(access for access in accesses if access.is_write)
    moved = [access for access in readers if isinstance(access.stmt, Move | Img2col)]
    is_once = len(readers) == 1 and readers[0].bodies == write.bodies
    return buffer.memory is Memory.L1 and len(moved) == len(readers) and is_once


def _scratch(buffer: Buffer, n_cores: int) -> Buffer:
    name, shape = f"{buffer.name}_scratch", (n_cores, *buffer.shape)
    return Buffer(name, Memory.GM, buffer.dtype, shape, ND, buffer.loc)
