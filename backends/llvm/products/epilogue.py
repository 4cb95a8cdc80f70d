"""What is done to the sums of a product on their way out, while they are in registers."""

from dataclasses import dataclass

from tilelang.backends.llvm.frame import Frame
from tilelang.backends.llvm.products.panels import LANES
from tilelang.backends.llvm.vectors.boxes import Box, clipped, open_space
from tilelang.backends.llvm.vectors.elements import region_access
from tilelang.backends.llvm.vectors.formula import Formula, Sources
from tilelang.backends.llvm.vectors.point import Access, Point
from tilelang.backends.llvm.vectors.values import Lanes, Value
from tilelang.backends.llvm.vectors.vector_axis import lane_strides, takes_masks
from tilelang.ir import index as ix
from tilelang.ir.expression import Expr, Unary, UnaryOp, walk_expr
from tilelang.ir.index import Index
from tilelang.ir.nodes import Map
from tilelang.ir.region import Region

_MOST = 48
"""Instructions, roughly: an epilogue is written once for every vector of a tile of sums, and more
would make the code of a tile longer than its compilation is worth."""
_FUNCTION = 20
"""Instructions of exp and the like."""
_FUNCTIONS = (UnaryOp.EXP, UnaryOp.LN, UnaryOp.TANH, UnaryOp.SIGMOID)


@dataclass(frozen=True, slots=True)
class Epilogue:
    """A map of all sums of an accumulator, element by element."""

    formula: Formula
    box: Box
    """The elements that the destination has."""
    dst: Access
    sums: tuple[Access, ...]
    """What stands for the sums among the sources."""
    sources: Sources

    def store(self, place: tuple[Index, Index], n_columns: int, total: str) -> None:
        """Set what becomes of a vector of sums from (row, column) `place` on, `n_columns` of it."""
        point = self._point(place, None if n_columns == LANES else str(n_columns))
        for access in self.sums:
            point.give(access, Value(access.dtype, total))
        point.store(self.dst, self.formula.value(point, self.sources))

    def address(self, place: tuple[Index, Index]) -> str:
        """Return where what becomes of the sums from `place` on is stored."""
        frame, point = self.formula.frame, self._point(place, None)
        offset = ix.substitute(point.at(self.dst.offset), {point.lane: ix.ZERO})
        return frame.address(
            self.dst.place.pointer, self.dst.form.storage.llvm, frame.value(offset)
        )

    def _point(self, place: tuple[Index, Index], n_active: str | None) -> Point:
        frame, (row, column) = self.formula.frame, self.formula.space.names
        lane = frame.fresh()
        frame.ranges[lane] = (0, LANES - 1)
        places = {row: place[0], column: ix.add(place[1], ix.variable(lane))}
        lanes = Lanes(frame.code, frame.host, LANES)
        return Point(frame, lanes, places, lane, n_active)


def find_epilogue(frame: Frame, sums: Region, stmt: Map) -> Epilogue | None:
    """Return `stmt` as the epilogue of the product that sets `sums`.

    None if it had better be a nest of its own: it is long, some of what it reads may not exist, or
    a vector that hangs over would take conditions.
    """
    space = open_space(frame, stmt.dst.shape)
    formula, box = Formula(frame, space, stmt.expr), clipped(frame, stmt.dst)
    if formula.interior(box) != box or _length(stmt.expr) > _MOST:
        return None
    dst, sources = region_access(frame, stmt.dst, space), formula.sources(box)
    accesses = (dst, *sources.values())
    name = sums.buffer.name
    own = tuple(access for load, access in sources.items() if load.region.buffer.name == name)
    exists = all(frame.holds_always(access.exists) for access in accesses)
    strides = lane_strides(frame, space, accesses, 1, LANES)
    is_whole = ix.known_divisor(box.high[1]) % LANES == 0
    takes = is_whole or takes_masks(frame, space, _others(accesses, own), 1, LANES)
    if not exists or not takes or any(stride not in (0, 1) for stride in strides):
        return None
    return Epilogue(formula, box, dst, own, sources)


def _others(accesses: tuple[Access, ...], own: tuple[Access, ...]) -> list[Access]:
    return [access for access in accesses if access not in own]


def _length(expr: Expr) -> int:
    """Return how many instructions an expression takes, roughly; what occurs twice counts once."""
    return sum(_instructions(part) for part in {*walk_expr(expr)})


def _instructions(part: Expr) -> int:
    match part:
        case Unary(op):
            return _FUNCTION if op in _FUNCTIONS else 1
        case _:
            return 1
