"""Rules of a region: well-formed, inside its tile, and starting where hardware can start.

Regions of GM may hang over their tensor; what lies outside is filled or dropped. On chip nothing
may, and in a fractal layout a region is made of whole blocks.
"""

from collections.abc import Iterator
from math import prod

from tilelang.diagnostics import Diagnostic, Location
from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.region import AsMatrix, Buffer, Memory, Permute, Region, identity, view_shape
from tilelang.layouts import LayoutKind
from tilelang.verify.buffers import FRACTAL_KINDS
from tilelang.verify.overlap import span_of
from tilelang.verify.ranges import Counterexample
from tilelang.verify.scope import Scope
from tilelang.verify.wording import (
    axis_word,
    declared,
    index_text,
    is_transposed,
    region_text,
    values_text,
)


def form_faults(region: Region, loc: Location) -> Iterator[Diagnostic]:
    """Yield what makes no sense as a region of its buffer; other rules need it well-formed."""
    fault = _view_fault(region) or _axes_fault(region)
    if fault:
        buffer = region.buffer
        yield Diagnostic(
            "E0320", f"`{buffer.name}` is {buffer}: {fault[0]}", loc, fault[1], declared(buffer)
        )


def _view_fault(region: Region) -> tuple[str, str] | None:
    """Return what is wrong with the view, and what to write."""
    buffer, view = region.buffer, region.view
    match view:
        case AsMatrix():
            if buffer.layout.kind is not LayoutKind.FRACTAL_Z or buffer.rank != 4:
                found = f"`tl.as_matrix` takes FRACTAL_Z weights [O, C, R, S], not {buffer.layout}"
                return found, f"declare `{buffer.name}[O, C, R, S] @ FRACTAL_Z`"
        case Permute(groups):
            axes = sorted(axis for group in groups for axis in group)
            runs = all(group == tuple(range(group[0], group[0] + len(group))) for group in groups)
            if axes != list(range(buffer.rank)) or not runs:
                found = f"a view by {groups} must use each dimension once, and merge neighbours"
                return found, f"write each of 0 to {buffer.rank - 1} once, as in {_example(buffer)}"
            fixed = buffer.memory is not Memory.GM and buffer.layout.kind is not LayoutKind.ND
            swapped = view == identity(buffer.rank) or is_transposed(view, buffer.rank)
            if fixed and not swapped:
                found = f"a view by {groups} would change the order of its layout {buffer.layout}"
                return found, "view the GM tensor instead, or use `.T` on a matrix"
    return None


def _example(buffer: Buffer) -> str:
    """Return a legal view of `buffer`, its last two dimensions merged."""
    axes = list(range(buffer.rank))
    groups = [*((axis,) for axis in axes[:-2]), tuple(axes[-2:])]
    return f"`{buffer.name}.view({', '.join(map(str, groups))})`"


def _axes_fault(region: Region) -> tuple[str, str] | None:
    """Return what is wrong with starts, steps and extents, and what to write."""
    rank = len(view_shape(region.buffer, region.view))
    given = {len(region.start), len(region.step), len(region.extent)}
    if given != {rank}:
        return f"it has {rank} dimensions, and {max(given)} are indexed", f"write {rank} indices"
    if min(region.step, default=1) < 1:
        return f"it is taken in steps of {min(region.step)}", "write a step of 1 or more"
    if any(extent is not None and extent < 0 for extent in region.extent):
        return f"the extents {region.extent} are negative", "write extents of 0 or more"
    return None


def region_faults(region: Region, loc: Location, scope: Scope) -> Iterator[Diagnostic]:
    """Yield what is wrong with where a well-formed `region` lies, for all values of variables."""
    if region.buffer.memory is Memory.GM or region.is_whole or not scope.ranges.reachable:
        return
    shape = view_shape(region.buffer, region.view)
    for axis in range(len(shape)):
        yield from _bound_faults(region, axis, shape[axis], loc, scope)
    yield from _block_faults(region, loc, scope)
    yield from _byte_faults(region, loc, scope)


def _bound_faults(
    region: Region, axis: int, size: int, loc: Location, scope: Scope
) -> Iterator[Diagnostic]:
    """Yield where `region` leaves its buffer along `axis`, which has `size` elements."""
    start, span = region.start[axis], span_of(region, axis)
    found = scope.ranges.outside(start, 0, size - span) if span else None
    if found is None:
        return
    buffer, word = region.buffer, axis_word(region, axis)
    if found.index is None:
        what = f"cannot be proved to stay inside: {word} `{index_text(start)}` has many values"
    elif found.index < 0:
        what = f"starts at {word} {found.index}{values_text(found.values)}"
    else:
        what = f"reaches {word} {found.index + span - 1}{values_text(found.values)}"
    yield Diagnostic(
        "E0321",
        f"`{region_text(region)}` {what}, and `{buffer.name}` is {buffer}: {word}s 0 to {size - 1}",
        loc,
        _bound_hint(region, axis, size, found, scope.ranges.bounds(start)[1]),
        declared(buffer),
    )


def _bound_hint(region: Region, axis: int, size: int, found: Counterexample, most: int) -> str:
    """Return what keeps `region` inside; `most` is the greatest start that is possible."""
    start, span = region.start[axis], span_of(region, axis)
    name, word = region.buffer.name, axis_word(region, axis)
    only = "only regions of GM may hang over"
    if span > size:
        return f"give `{name}` at least {span} {word}s, or take no more than {size}; {only}"
    if start.is_constant:
        return f"start at {word} {f'0 to {size - span}' if size > span else '0'}; {only}"
    text = index_text(start)
    if found.index is None:
        return f"keep `{text}` in 0 to {size - span}, with `tl.if_scope` or `tl.minimum`; {only}"
    if found.index < 0:
        return f"run this only under `with tl.if_scope({text} >= 0):`; {only}"
    return (
        f"give `{name}` at least {most + span} {word}s, or run this only under "
        f"`with tl.if_scope({text} <= {size - span}):`; {only}"
    )


def _block_faults(region: Region, loc: Location, scope: Scope) -> Iterator[Diagnostic]:
    """Yield the axes along which `region` cuts through the blocks of its layout."""
    for axis, block in axis_blocks(region).items():
        start, word = region.start[axis], axis_word(region, axis)
        found = scope.ranges.no_multiple(start, block)
        layout = f"{region.buffer.layout} blocks of `{region.buffer.name}`"
        if found:
            yield Diagnostic(
                "E0322",
                f"`{region_text(region)}` starts at {word} {_start_text(start, found)}, and "
                f"{layout} start at multiples of {block} {word}s",
                loc,
                _block_hint(start, block),
                declared(region.buffer),
            )
        elif not _takes_whole_blocks(region, axis, block):
            yield Diagnostic(
                "E0323",
                f"`{region_text(region)}` takes {_taken(region, axis)}, and {layout} are {block} "
                f"{word}s, which stay together",
                loc,
                f"take a multiple of {block} {word}s",
                declared(region.buffer),
            )


def _start_text(start: Index, found: Counterexample) -> str:
    """Return the start and, if it has variables, a value that breaks the rule."""
    if start.is_constant:
        return str(start.constant)
    at = "" if found.index is None else f", which is {found.index}{values_text(found.values)}"
    return f"`{index_text(start)}`{at}"


def _takes_whole_blocks(region: Region, axis: int, block: int) -> bool:
    """Return whether extent and step keep blocks whole; the buffer's last block may be short."""
    start, extent = region.start[axis], region.extent[axis]
    if extent is None or region.step[axis] != 1:
        return False
    size = view_shape(region.buffer, region.view)[axis]
    reaches_end = start.is_constant and start.constant + extent == size
    return extent % block == 0 or reaches_end


def _taken(region: Region, axis: int) -> str:
    extent, step, word = region.extent[axis], region.step[axis], axis_word(region, axis)
    if extent is None:
        return f"a single {word}"
    return f"{extent} {word}s" + (f" in steps of {step}" if step != 1 else "")


def _block_hint(start: Index, block: int) -> str:
    if start.is_constant:
        below = start.constant // block * block
        return f"start at {below} or {below + block}"
    factor = ix.known_divisor(ix.subtract(start, ix.constant(start.constant)))
    if factor % block == 0:
        return f"start at `{index_text(ix.subtract(start, ix.constant(start.constant % block)))}`"
    return f"make the steps of the start a multiple of {block}, as in `{block}*i`"


def axis_blocks(region: Region) -> dict[int, int]:
    """Return what start and extent along an axis of `region`'s view must be a multiple of.

    In UB a row of blocks can be cut anywhere (a row of a block is 32 bytes), columns cannot.
    """
    buffer, kind = region.buffer, region.buffer.layout.kind
    rank = buffer.rank
    if rank < buffer.layout.logical_rank:
        return {}  # said of the buffer itself
    first, second = buffer.layout.block
    if kind in FRACTAL_KINDS:
        blocks = {rank - 2: first, rank - 1: second}
        if buffer.memory is Memory.UB:
            del blocks[rank - 2 if kind in (LayoutKind.NZ, LayoutKind.ZZ) else rank - 1]
    elif kind is LayoutKind.FRACTAL_Z:
        blocks = {rank - 4: first, rank - 3: second}
    elif kind is LayoutKind.NC1HWC0:
        blocks = {rank - 3: first}
    else:
        return {}
    if isinstance(region.view, AsMatrix):
        return {0: second, 1: first}
    if is_transposed(region.view, rank):
        swapped = {rank - 2: rank - 1, rank - 1: rank - 2}
        return {swapped.get(axis, axis): block for axis, block in blocks.items()}
    return blocks


def _byte_faults(region: Region, loc: Location, scope: Scope) -> Iterator[Diagnostic]:
    """Yield a start in row-major memory that is not aligned to the machine's bytes.

    Blocked layouts start at blocks, which are aligned.
    """
    buffer, machine = region.buffer, scope.machine
    alignment = machine.alignment.get(buffer.memory, 1)
    if buffer.layout.kind is not LayoutKind.ND or alignment == 1:
        return
    offset = ix.scale(_offset(region), buffer.dtype.n_bytes)
    found = scope.ranges.no_multiple(offset, alignment)
    if found:
        at = "" if found.index is None else f" ({found.index:,}{values_text(found.values)})"
        yield Diagnostic(
            "E0324",
            f"`{region_text(region)}` starts at byte `{index_text(offset)}`{at} of "
            f"`{buffer.name}`, and a region of {buffer.memory} starts at a multiple of "
            f"{alignment} bytes on {machine.name}",
            loc,
            _byte_hint(region, alignment // buffer.dtype.n_bytes),
            declared(buffer),
        )


def _byte_hint(region: Region, n_elements: int) -> str:
    buffer = region.buffer
    if buffer.rank > 1 and buffer.shape[-1] > 1 and buffer.shape[-1] % n_elements:
        rows = -(-buffer.shape[-1] // n_elements) * n_elements
        return f"make the rows of `{buffer.name}` a multiple of {n_elements} elements, as {rows}"
    return f"start at a multiple of {n_elements} elements"


def _offset(region: Region) -> Index:
    """Return the element of a row-major buffer that `region` starts at."""
    assert isinstance(region.view, Permute), "AsMatrix is a view of FRACTAL_Z"
    shape = region.buffer.shape
    strides = (prod(shape[group[-1] + 1 :]) for group in region.view.groups)
    return ix.add(*(ix.scale(start, n) for start, n in zip(region.start, strides, strict=True)))
