"""Steps of a block program as lines of a Triton kernel, with the user's lines as comments."""

import linecache
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import assert_never

from tilelang.backends.triton.blocks import (
    Assign,
    Body,
    Branch,
    Define,
    Dot,
    Fetch,
    Fold,
    For,
    Operand,
    Put,
    Slot,
    Step,
)
from tilelang.backends.triton.dtype_text import TRITON, shape_text, variable
from tilelang.backends.triton.expression_text import ExpressionText, operand_text
from tilelang.backends.triton.functions import Functions
from tilelang.backends.triton.memory_text import MemoryText
from tilelang.backends.triton.names import safe
from tilelang.backends.triton.pipelining import Pipelining
from tilelang.backends.triton.simplify import Limits
from tilelang.diagnostics import Location
from tilelang.dtypes import DType
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.nodes import ReduceOp

INDENT = "    "
MAX_LINES = 4
"""Of one statement that are shown."""


@dataclass(slots=True)
class Comments:
    """The user's lines, each shown once before what it became."""

    last: tuple[str, int] | None = None

    def before(self, loc: Location) -> Iterator[str]:
        """Yield the line at `loc` as a comment, unless it was the last one shown."""
        place = (loc.file, loc.line)
        if place == self.last:
            return
        self.last = place
        numbers = range(loc.line, min(loc.end_line or loc.line, loc.line + MAX_LINES - 1) + 1)
        text = " ".join(linecache.getline(loc.file, number).strip() for number in numbers).strip()
        if text:
            yield f"# {text}"


@dataclass(frozen=True, slots=True)
class StepText:
    """How the steps of one kernel are written."""

    memory: MemoryText
    functions: Functions
    pipelining: Pipelining
    limits: Limits
    allow_tf32: bool
    comments: Comments = field(default_factory=Comments)

    def body(self, body: Body) -> Iterator[str]:
        """Yield the lines of `body`; `pass` if there are none."""
        lines = [line for step in body for line in self._lines(step)]
        yield from lines
        if not any(line.strip() and not line.strip().startswith("#") for line in lines):
            yield "pass"

    def _lines(self, step: Step) -> Iterator[str]:
        if not isinstance(step, Define):
            yield from self.comments.before(step.loc)
        match step:
            case Define(tile):
                kind = self.memory.types.name(tile.dtype)
                yield f"{variable(tile.name)} = tl.zeros({shape_text(tile.shape)}, {kind})"
            case Fetch():
                yield from self._fetch(step)
            case Put():
                yield from self.memory.put(step, self.limits)
            case Assign():
                indices = self.memory.index_text(self.limits, step.shape)
                types = self.memory.types
                writer = ExpressionText(
                    dict(step.operands), step.shape, indices, self.functions, types
                )
                yield from self._set(step.dst, writer.block(step.expr), step.shape)
            case Fold():
                yield from self._fold(step)
            case Dot():
                yield from self._dot(step)
            case For():
                yield from self._loop(step)
            case Branch():
                yield from self._branch(step)
            case _:
                assert_never(step)

    def _set(self, slot: Slot, value: str, shape: tuple[int, ...]) -> Iterator[str]:
        """Yield the assignment of a block of `shape` to one tile, or to the one that is meant."""
        if shape != slot.tile.shape:
            value = f"tl.reshape({value}, {shape_text(slot.tile.shape)})"
        if slot.known is not None:
            if value != variable(slot.known.name):
                yield f"{variable(slot.known.name)} = {value}"
            return
        name = self.memory.names.fresh(f"new_{slot.tile.name}")
        which = self.memory.index_text(self.limits, ()).index(slot.which)
        yield f"{name} = {value}"
        for number, tile in enumerate(slot.tiles):
            own = variable(tile.name)
            yield f"{own} = tl.where({which} == {number}, {name}, {own})"

    def _fetch(self, step: Fetch) -> Iterator[str]:
        if step.dst.known is not None:
            yield from self.memory.fetch(step, variable(step.dst.known.name), self.limits)
            return
        name = self.memory.names.fresh(f"new_{step.dst.tile.name}")
        yield from self.memory.fetch(step, name, self.limits)
        yield from self._set(step.dst, name, step.dst.tile.shape)

    def _fold(self, step: Fold) -> Iterator[str]:
        value = operand_text(step.src, self.memory.index_text(self.limits, ()))
        dtype = step.src.dtype
        match step.op:
            case ReduceOp.SUM:
                wide = DType.FLOAT32 if dtype.is_float else DType.INT32
                wider = value if dtype is wide else f"{value}.to({TRITON[wide]})"
                text = f"tl.sum({wider}, axis={step.axis}, keep_dims=True)"
            case ReduceOp.MAX | ReduceOp.MIN if dtype.is_float:
                function = "maximum_along" if step.op is ReduceOp.MAX else "minimum_along"
                text = f"{self.functions.use(function)}({value}, {step.axis})"
            case ReduceOp.MAX | ReduceOp.MIN:
                call = f"tl.{step.op.value}({value}, axis={step.axis}, keep_dims=True)"
                text = f"{call}.to({TRITON[dtype]})"
            case _:
                assert_never(step.op)
        shape = step.src.shape
        folded = (*shape[: step.axis], 1, *shape[step.axis + 1 :])
        yield from self._set(step.dst, text, folded)

    def _dot(self, step: Dot) -> Iterator[str]:
        indices = self.memory.index_text(self.limits, ())
        a, b = operand_text(step.a, indices), operand_text(step.b, indices)
        acc = operand_text(_as_operand(step), indices)
        match step.first:
            case cond.Truth(True):
                start = ""
            case cond.Truth(False):
                start = f", {acc}"
            case condition:
                start = f", tl.where({indices.condition(condition)}, 0, {acc})"
        yield from self._set(step.acc, self._product(step, a, b, start), step.acc.tile.shape)

    def _product(self, step: Dot, a: str, b: str, start: str) -> str:
        dtype = step.a.dtype
        if dtype is DType.UINT8 and step.b.dtype is DType.INT8:  # two products of 7 bits and 1
            low = f"tl.dot(({a} & 127).to(tl.int8), {b}{start}, out_dtype=tl.int32)"
            return f"{low} + tl.dot(({a} >> 7).to(tl.int8), {b}, out_dtype=tl.int32) * 128"
        if dtype is DType.INT8:
            return f"tl.dot({a}, {b}{start}, out_dtype=tl.int32)"
        precision = "tf32" if self.allow_tf32 else "ieee"
        how = f', input_precision="{precision}"' if dtype is DType.FLOAT32 else ""
        return f"tl.dot({a}, {b}{start}{how})"

    def _loop(self, step: For) -> Iterator[str]:
        most = ix.bounds(step.extent, self.limits)[1]
        inside = replace(self, limits={**self.limits, step.var: (0, max(most - 1, 0))})
        extent = self.memory.index_text(self.limits, ()).index(step.extent)
        n_stages = self.pipelining.n_stages(step)
        stages = f"tl.range(0, {extent}, num_stages={n_stages})" if n_stages else ""
        yield f"for {safe(step.var)} in {stages or f'range(0, {extent})'}:"
        yield from (f"{INDENT}{line}" for line in inside.body(step.body))

    def _branch(self, step: Branch) -> Iterator[str]:
        condition = self.memory.index_text(self.limits, ()).condition(step.condition)
        yield f"if {condition}:"
        yield from (f"{INDENT}{line}" for line in self.body(step.then))
        if step.otherwise:
            yield "else:"
            yield from (f"{INDENT}{line}" for line in self.body(step.otherwise))


def _as_operand(step: Dot) -> Operand:
    shape = step.acc.tile.shape
    return Operand(step.acc, tuple(range(len(shape))), shape)
