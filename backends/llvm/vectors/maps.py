"""Maps: the whole expression in one nest of loops, over vectors of the destination's elements."""

from collections.abc import Iterator
from math import prod

from tilelang.backends.llvm.form import row_major_digits
from tilelang.backends.llvm.frame import Frame
from tilelang.backends.llvm.vectors.boxes import Box, clipped, open_space
from tilelang.backends.llvm.vectors.elements import outside, region_access
from tilelang.backends.llvm.vectors.formula import Formula, flat_access
from tilelang.backends.llvm.vectors.point import Access, Point
from tilelang.backends.llvm.vectors.squares import emit_elements
from tilelang.backends.llvm.vectors.values import Value
from tilelang.ir.expression import Position, loads, walk_expr
from tilelang.ir.nodes import Map


def emit_map(frame: Frame, stmt: Map) -> None:
    """Write a map: where all that it reads exists in one nest, and the rest with conditions."""
    if _is_flat(frame, stmt):
        _emit_flat(frame, stmt)
        return
    space = open_space(frame, stmt.dst.shape)
    dst, formula = region_access(frame, stmt.dst, space), Formula(frame, space, stmt.expr)
    for box in _parts(frame, clipped(frame, stmt.dst), formula):
        _emit_part(formula, dst, box)


def _emit_flat(frame: Frame, stmt: Map) -> None:
    """Write a map over plain arrays of one size as one loop."""
    space = open_space(frame, (prod(stmt.dst.shape),))
    formula = Formula(frame, space, stmt.expr, is_flat=True)
    _emit_part(formula, flat_access(frame, stmt.dst, space), space.box)


def _emit_part(formula: Formula, dst: Access, box: Box) -> None:
    sources = formula.sources(box)

    def value(point: Point) -> Value:
        return formula.value(point, sources)

    emit_elements(formula.frame, formula.space, box, (dst, value), list(sources.values()))


def _parts(frame: Frame, target: Box, formula: Formula) -> Iterator[Box]:
    """Yield the box in which everything exists that the formula reads, and the boxes around it."""
    interior = formula.interior(target)
    yield interior
    if interior != target:
        yield from outside(frame, target, interior)


def _is_flat(frame: Frame, stmt: Map) -> bool:
    """Return whether a map is over whole plain arrays of one shape, so that one loop does."""
    regions = (stmt.dst, *loads(stmt.expr))
    shape = stmt.dst.buffer.shape
    has_position = any(isinstance(part, Position) for part in walk_expr(stmt.expr))
    return not has_position and all(
        region.is_whole
        and region.buffer.shape == shape
        and frame.places[region.buffer.name].form.digits == row_major_digits(shape)
        for region in regions
    )
