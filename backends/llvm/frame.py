"""What the generator knows inside one function: loop variables, their ranges, and the buffers.

Also the translation of indices and conditions, which every statement needs.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import assert_never

from tilelang.backends.llvm.code import Code
from tilelang.backends.llvm.convolution.windows import NO_WINDOWS, Windows
from tilelang.backends.llvm.form import Form
from tilelang.backends.llvm.runtime.host import Host
from tilelang.backends.llvm.simplify import simplify, simplify_condition
from tilelang.ir import index as ix
from tilelang.ir.condition import And, Compare, Condition, Not, Or, Relation, Truth
from tilelang.ir.index import Atom, FloorDiv, Index, Max, Min, Mod, Var

RELATIONS = {Relation.LESS: "slt", Relation.EQUAL: "eq", Relation.NOT_EQUAL: "ne"}
"""The relations as LLVM compares signed integers."""


@dataclass(frozen=True, slots=True)
class Place:
    """A buffer in the generated code: its address and its form."""

    pointer: str
    form: Form


@dataclass
class Carried:
    """Values of LLVM type `kind` that loops carry from one turn to the next; bodies change them."""

    kind: str
    values: list[str]


@dataclass(frozen=True, slots=True)
class Ahead:
    """Rows in memory that will be read soon; sizes are in bytes."""

    pointer: str
    start: Index
    stride: int
    n_rows: int
    n_bytes: int
    """Of a row."""


@dataclass
class Frame:
    """The state of generating one function."""

    code: Code
    host: Host
    places: dict[str, Place]
    windows: Windows = NO_WINDOWS
    ahead: tuple[Ahead, ...] = ()
    """What the next step of the innermost loop loads."""
    names: dict[str, str] = field(default_factory=dict[str, str])
    ranges: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])

    def bind(self, var: str, value: str, low: int, high: int) -> None:
        """Give a loop variable its value and its range (ends included)."""
        self.names[var] = value
        self.ranges[var] = (low, max(low, high))

    @contextmanager
    def loop(
        self, var: str, start: Index, stop: Index, *, step: int = 1, carried: Carried | None = None
    ) -> Generator[None]:
        """Write the loop `for var in range(start, stop, step)`; its body changes `carried`."""
        start, stop = self.simplified(start), self.simplified(stop)
        low, high = ix.bounds(start, self.ranges)[0], ix.bounds(stop, self.ranges)[1] - 1
        if start.is_constant and stop.is_constant and 0 < stop.constant - start.constant <= step:
            self.bind(var, str(low), low, low)
            yield
            return
        values, kind = (carried.values, carried.kind) if carried else ([], "")
        firsts = [(kind, value) for value in values]
        with self.code.loop(self.number(start), self.number(stop), step, firsts) as loop:
            self.bind(var, loop.index, low, high)
            values[:] = loop.carried
            yield
            loop.update(*values)
        values[:] = loop.results

    def fresh(self) -> str:
        """Return a name for a variable of the generator's own, which no program can have."""
        return self.code.fresh("$")

    def simplified(self, index: Index) -> Index:
        """Return `index`, simplified by the ranges of the variables."""
        return simplify(index, self.ranges)

    def holds_always(self, condition: Condition) -> bool:
        """Return whether the ranges alone prove `condition`."""
        return simplify_condition(condition, self.ranges) == Truth(True)

    def number(self, index: Index) -> str | int:
        """Return the value of `index`: an int where it is constant."""
        index = self.simplified(index)
        return index.constant if index.is_constant else self.value(index)

    def value(self, index: Index) -> str:
        """Return the value of `index` as an i64 operand.

        Terms are added from the outermost loop inward, so that sums leave the loops.
        """
        index = self.simplified(index)
        terms = [(self._atom(atom), factor) for atom, factor in index.terms]
        scaled = [
            operand if factor == 1 else self.pure("mul nsw i64", operand, str(factor))
            for operand, factor in terms
        ]
        scaled.sort(key=self.code.depth)
        if index.constant or not scaled:
            scaled.insert(0, str(index.constant))
        return self._fold("add nsw i64", scaled)

    def condition(self, condition: Condition) -> str:
        """Return the value of `condition` as an i1 operand."""
        condition = simplify_condition(condition, self.ranges)
        match condition:
            case Truth(value):
                return "true" if value else "false"
            case Compare(relation, index):
                return self.pure(f"icmp {RELATIONS[relation]} i64", self.value(index), "0")
            case And(args):
                return self._fold("and i1", [self.condition(arg) for arg in args])
            case Or(args):
                return self._fold("or i1", [self.condition(arg) for arg in args])
            case Not(arg):
                return self.pure("xor i1", self.condition(arg), "true")
            case _:
                assert_never(condition)

    def address(self, pointer: str, kind: str, offset: str) -> str:
        """Return the address `offset` elements of type `kind` after `pointer`."""
        return self.code.pure(
            f"getelementptr inbounds {kind}, ptr {pointer}, i64 {offset}", pointer, offset
        )

    def pure(self, operation: str, *operands: str) -> str:
        """Return the result of a pure operation whose operands have one type."""
        return self.code.pure(f"{operation} {', '.join(operands)}", *operands)

    def _fold(self, operation: str, operands: Sequence[str]) -> str:
        total = operands[0]
        for operand in operands[1:]:
            total = self.pure(operation, total, operand)
        return total

    def _atom(self, atom: Atom) -> str:
        match atom:
            case Var(name):
                return self.names[name]
            case FloorDiv(inner, divisor):
                return self._quotient(inner, divisor)
            case Mod(inner, divisor):
                return self._remainder(inner, divisor)
            case Min(args):
                return self._extreme("slt", args)
            case Max(args):
                return self._extreme("sgt", args)
            case _:
                assert_never(atom)

    def _quotient(self, inner: Index, divisor: int) -> str:
        value = self.value(inner)
        if divisor & (divisor - 1) == 0:
            return self.pure("ashr i64", value, str(divisor.bit_length() - 1))
        if ix.bounds(inner, self.ranges)[0] >= 0:
            return self.pure("udiv i64", value, str(divisor))
        quotient = self.pure("sdiv i64", value, str(divisor))
        rest = self.pure("srem i64", value, str(divisor))
        negative = self.pure("icmp slt i64", rest, "0")
        return self.pure(
            "sub i64", quotient, self.code.pure(f"zext i1 {negative} to i64", negative)
        )

    def _remainder(self, inner: Index, divisor: int) -> str:
        value = self.value(inner)
        if divisor & (divisor - 1) == 0:
            return self.pure("and i64", value, str(divisor - 1))
        product = self.pure("mul i64", self._quotient(inner, divisor), str(divisor))
        return self.pure("sub i64", value, product)

    def _extreme(self, relation: str, args: Sequence[Index]) -> str:
        def choose(left: str, right: str) -> str:
            first = self.pure(f"icmp {relation} i64", left, right)
            text = f"select i1 {first}, i64 {left}, i64 {right}"
            return self.code.pure(text, first, left, right)

        values: list[str] = [self.value(arg) for arg in args]
        return _reduce(choose, values)


def _reduce(combine: Callable[[str, str], str], values: Sequence[str]) -> str:
    total = values[0]
    for value in values[1:]:
        total = combine(total, value)
    return total
