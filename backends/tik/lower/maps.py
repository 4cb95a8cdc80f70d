"""Element-wise expressions: one vector instruction an operation, block of rows by block of rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tilelang.backends.tik.instructions import TikType
from tilelang.backends.tik.lower.arithmetic import apply_binary, apply_unary
from tilelang.backends.tik.lower.boxes import Box, box_of
from tilelang.backends.tik.lower.casts import cast
from tilelang.backends.tik.lower.copies import copy
from tilelang.backends.tik.lower.forms import Axis, Form
from tilelang.backends.tik.lower.positions import position_tile
from tilelang.backends.tik.lower.refusals import refusal
from tilelang.backends.tik.lower.selects import choose, logic, truth
from tilelang.backends.tik.lower.values import Number, Tile, Value, Workbench
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir import index as ix
from tilelang.ir.expression import (
    Binary,
    Cast,
    Comparison,
    Expr,
    IndexValue,
    Literal,
    Load,
    Logic,
    LogicNot,
    Position,
    Unary,
    Where,
    loads,
    walk_expr,
)
from tilelang.ir.index import Index
from tilelang.ir.nodes import Map
from tilelang.ir.region import Region

_SCRATCH_ELEMENTS = 2048
"""Elements that are computed at once where something lies between: 8 KiB of float32."""


@dataclass(frozen=True, slots=True)
class _Part:
    """The part of the destination that is computed: where it starts, and how large it is."""

    starts: tuple[Index, ...]
    counts: tuple[int, ...]


def compute(writer: Writer, stmt: Map, forms: Mapping[str, Form], machine: str) -> None:
    """Write `stmt`; what lies between is in tiles of UB that end with it."""
    dst = ub_box(writer, stmt.dst, forms[stmt.dst.buffer.name], len(stmt.dst.shape))
    for part in _parts(writer, stmt, dst):
        with writer.own_scope():
            _compute_part(writer, stmt, forms, machine, dst, part)


def ub_box(writer: Writer, region: Region, form: Form, rank: int) -> Box:
    """Return the box of a region of UB for vector work, with `rank` axes.

    Raises:
        TileError: E1242 if its last dimension is a part of rows, or of length 1 but not a column.
    """
    box = box_of(region, form, writer)
    is_column = bool(box.counts) and box.counts[-1] == 1
    spread = form.is_spread and bool(box.counts) and region.extent[-1] is not None
    if not box.counts or is_column != spread or (not spread and box.axes[-1].inner != 1):
        buffer = region.buffer
        raise refusal(
            "E1242",
            f"vector work on a part of `{buffer.name}` ({buffer}) whose elements do not lie along "
            "the lanes: a column of a wider tile, a column as a row, or a transposed tile",
            writer.loc,
            "keep columns in tiles [size, 1] of their own, and rows along the last dimension",
            buffer,
        )
    missing = rank - len(box.counts)
    return Box(form, box.base, (*[Axis(1, 0)] * missing, *box.axes), (*[1] * missing, *box.counts))


def _parts(writer: Writer, stmt: Map, dst: Box) -> Iterator[_Part]:
    """Yield the parts that are computed in turn: one unless scratch tiles would be large."""
    counts = dst.counts
    *lead, last = counts
    rows = 1
    for count in lead:
        rows *= count
    if rows * last <= _SCRATCH_ELEMENTS or not _needs_scratch(stmt.expr):
        yield _Part((ix.ZERO,) * len(counts), counts)
        return
    if last > _SCRATCH_ELEMENTS:
        axis, size = len(counts) - 1, _SCRATCH_ELEMENTS
    else:
        axis = _row_axis(counts)
        n_parts = -(-counts[axis] // max(_SCRATCH_ELEMENTS // last, 1))
        size = -(-counts[axis] // n_parts)
    yield from _blocks(writer, counts, axis, size)


def _row_axis(counts: Sequence[int]) -> int:
    return max(range(len(counts) - 1), key=lambda axis: counts[axis])


def _blocks(writer: Writer, counts: tuple[int, ...], axis: int, size: int) -> Iterator[_Part]:
    whole, rest = divmod(counts[axis], size)
    for step in writer.repeated("block", whole) if whole else ():
        yield _part(counts, axis, ix.scale(step, size), size)
    if rest:
        yield _part(counts, axis, ix.constant(whole * size), rest)


def _part(counts: tuple[int, ...], axis: int, start: Index, size: int) -> _Part:
    starts = tuple(start if i == axis else ix.ZERO for i in range(len(counts)))
    return _Part(starts, tuple(size if i == axis else n for i, n in enumerate(counts)))


def _needs_scratch(expr: Expr) -> bool:
    parts = [part for part in walk_expr(expr) if not isinstance(part, Load | Literal)]
    return len(parts) > 1


def _compute_part(
    writer: Writer,
    stmt: Map,
    forms: Mapping[str, Form],
    machine: str,
    dst: Box,
    part: _Part,
) -> None:
    buffer = stmt.dst.buffer
    is_fractal = bool(dst.axes[-1].block)
    bench = Workbench(writer, machine, buffer, len(part.counts), is_fractal)
    target = Tile(_cut(dst, part))
    result = _Evaluation(bench, forms, part).value(stmt.expr, target)
    if result is target:
        return
    if target.dtype.n_bytes == 1:
        _copy_bytes(writer, target, result)
    else:
        bench.copy(target, bench.tile(result, len(part.counts)))


def _copy_bytes(writer: Writer, target: Tile, result: Value) -> None:
    """Copy 8-bit elements, which no vector instruction does."""
    if isinstance(result, Number) or result.shape != target.shape:
        raise refusal(
            "E1242",
            f"8-bit `{target.box.form.buffer.name}` is set to a number or to a vector; vector "
            "instructions have no 8-bit form",
            writer.loc,
            "compute in float16 or int32, and cast the whole tile",
            target.box.form.buffer,
        )
    copy(writer, target.box, result.box)


def _cut(box: Box, part: _Part) -> Box:
    """Return the part of `box`; axes of size 1 broadcast, and stay whole."""
    starts = [
        ix.ZERO if count == 1 else start
        for count, start in zip(box.counts, part.starts, strict=True)
    ]
    counts = [min(count, size) for count, size in zip(box.counts, part.counts, strict=True)]
    return box.part(starts, counts)


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """The lowering of one expression over one part of the destination."""

    bench: Workbench
    forms: Mapping[str, Form]
    part: _Part

    def value(self, expr: Expr, into: Tile | None = None) -> Value:
        """Return the value of `expr`; it is `into` if that could be computed in place."""
        match expr:
            case Load(region):
                return self._load(region)
            case Literal(value, dtype):
                return Number(value, TikType(dtype.value))
            case IndexValue(index):
                return Number(self.bench.writer.expr(index), TikType.INT32)
            case Position(axis):
                return position_tile(self.bench, self.part.counts, axis, self.part.starts[axis])
            case Unary(op, x):
                return apply_unary(self.bench, op, self.value(x, into), into)
            case Binary(op, left, right):
                return apply_binary(self.bench, op, self._sides(left, right, into), into)
            case Cast(x, dtype, rounding):
                return cast(self.bench, self.value(x), TikType(dtype.value), rounding, into)
            case Where():
                return self._where(expr, into)
            case Comparison() | Logic() | LogicNot():
                return self._truth(expr)
            case _:
                raise AssertionError(expr)

    def _sides(self, left: Expr, right: Expr, into: Tile | None) -> tuple[Value, Value]:
        """Return both values; one may be in `into` if the other does not read the destination."""
        if self._spares_destination(right):
            return self.value(left, into), self.value(right)
        if self._spares_destination(left):
            return self.value(left), self.value(right, into)
        return self.value(left), self.value(right)

    def _spares_destination(self, expr: Expr) -> bool:
        return all(region.buffer != self.bench.buffer for region in loads(expr))

    def _load(self, region: Region) -> Tile:
        form = self.forms[region.buffer.name]
        box = ub_box(self.bench.writer, region, form, len(self.part.counts))
        return Tile(_cut(box, self.part))

    def _where(self, expr: Where, into: Tile | None) -> Value:
        condition = expr.condition
        then, otherwise = self.value(expr.then), self.value(expr.otherwise)
        if isinstance(condition, Comparison):
            sides = (self.value(condition.left), self.value(condition.right))
            return choose(self.bench, condition.op, sides, (then, otherwise), into)
        return truth(self.bench, self._truth(condition), (then, otherwise), into)

    def _truth(self, expr: Expr) -> Value:
        """Return a condition as float32 tiles of 1 and 0."""
        match expr:
            case Comparison(op, left, right):
                one, zero = Number(1.0, TikType.FLOAT32), Number(0.0, TikType.FLOAT32)
                sides = (self.value(left), self.value(right))
                return choose(self.bench, op, sides, (one, zero), None)
            case Logic(op, left, right):
                return logic(self.bench, op, self._truth(left), self._truth(right))
            case LogicNot(x):
                return logic(self.bench, None, self._truth(x), None)
            case Literal(value):
                return Number(float(value), TikType.FLOAT32)
            case Where(condition, then, otherwise):
                chosen = (self._truth(then), self._truth(otherwise))
                return truth(self.bench, self._truth(condition), chosen, None)
            case _:
                raise AssertionError(expr)
