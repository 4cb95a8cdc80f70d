"""Collects instructions into nested bodies, and hands out names that the script can use."""

import keyword
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tilelang.backends.tik.emulate.capacity import tensor_size
from tilelang.backends.tik.instructions import (
    Block,
    Body,
    Branch,
    Expr,
    ForRange,
    If,
    Instruction,
    Name,
    Scalar,
    ScalarFunction,
    ScalarOp,
    Scope,
    Tensor,
    TikType,
)
from tilelang.backends.tik.lower.scalars import Functions, condition_expr, index_expr
from tilelang.diagnostics import UNKNOWN, Location
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index

# Names of the text itself; "entry" is the variable of its comprehensions.
_RESERVED = frozenset(
    ("tik", "tik_instance", "tbe_platform", "cmpmask", "kernel_name", "entry", "range", "float")
)
_UNROLLED = 2
"""Iterations that are written out; more become a loop."""


@dataclass(slots=True)
class Writer:
    """The program being written: open bodies, taken names, and how far each variable goes.

    `loc` is the kernel's line that is being lowered: every instruction gets it.
    """

    taken: set[str] = field(default_factory=lambda: set(_RESERVED))
    ranges: dict[str, tuple[int, int]] = field(default_factory=lambda: {})
    """The least and greatest value of each variable."""
    renamed: dict[str, str] = field(default_factory=lambda: {})
    """What variables and buffers of the kernel are called in the script, where that differs."""
    loc: Location = UNKNOWN
    ub_bytes: int = 0
    """What UB holds, as far as the lowering may use it for steps between."""
    _bodies: list[list[Instruction]] = field(default_factory=lambda: [[]])
    _copies: list[int] = field(default_factory=lambda: [1])
    """Of each open body: how many threads of the loops around it run it."""

    @property
    def body(self) -> Body:
        """What has been written at the top level."""
        return tuple(self._bodies[0])

    def fresh(self, name: str) -> str:
        """Return `name`, numbered if it is taken."""
        found, number = name, 1
        while found in self.taken or keyword.iskeyword(found):
            number += 1
            found = f"{name}_{number}"
        self.taken.add(found)
        return found

    def adopt(self, names: Iterable[str]) -> None:
        """Settle what the kernel's `names` are called in the script, before any other name."""
        self.renamed.update({name: self.fresh(name) for name in dict.fromkeys(names)})

    def write(self, *instructions: Instruction) -> None:
        """Append `instructions` to the innermost open body."""
        self._bodies[-1] += instructions

    @contextmanager
    def collected(self, thread_num: int = 1) -> Generator[list[Instruction], None, None]:
        """Collect what is written inside, for `thread_num` threads, into the yielded list."""
        body: list[Instruction] = []
        self._bodies.append(body)
        self._copies.append(self._copies[-1] * thread_num)
        yield body
        self._bodies.pop()
        self._copies.pop()

    def ub_room(self) -> int:
        """Return the bytes that tensors of UB may have which are declared here, in one copy."""
        used = sum(
            copies * tensor_size(item)
            for body, copies in zip(self._bodies, self._copies, strict=True)
            for item in body
            if isinstance(item, Tensor) and item.scope is Scope.UB
        )
        return max(self.ub_bytes - used, 0) // self._copies[-1]

    @contextmanager
    def scope(self) -> Generator[None, None, None]:
        """Put what is written inside into a `new_stmt_scope`, which ends its tensors."""
        loc = self.loc
        with self.collected() as body:
            yield
        self.write(Block(tuple(body), loc=loc))

    @contextmanager
    def own_scope(self) -> Generator[None, None, None]:
        """Put what is written inside into a `new_stmt_scope` if it declares tensors."""
        loc = self.loc
        with self.collected() as body:
            yield
        if any(isinstance(instruction, Tensor) for instruction in body):
            self.write(Block(tuple(body), loc=loc))
        else:
            self.write(*body)

    @contextmanager
    def loop(
        self, name: str, end: Index, *, thread_num: int = 1, block_num: int = 1
    ) -> Generator[Index, None, None]:
        """Put what is written inside into a for_range; yields its variable.

        `name` must be fresh; `end` is one more than the variable's greatest value.
        """
        limit, loc = self.expr(end), self.loc
        self.ranges[name] = (0, max(ix.bounds(end, self.ranges)[1] - 1, 0))
        with self.collected(thread_num) as body:
            yield ix.variable(name)
        loop = ForRange(
            name, 0, limit, tuple(body), thread_num=thread_num, block_num=block_num, loc=loc
        )
        self.write(loop)

    def repeated(self, name: str, count: int) -> Iterator[Index]:
        """Yield what counts 0 .. count - 1: written out if that is short, else a loop's variable.

        The caller's body runs once for each value yielded.
        """
        if count <= _UNROLLED:
            yield from map(ix.constant, range(count))
            return
        with self.loop(self.fresh(name), ix.constant(count)) as variable:
            yield variable

    def branch(self, cases: Iterable[tuple[Condition, Body]], otherwise: Body | None) -> None:
        """Write an if_scope with its elif_scopes and else_scope."""
        branches = tuple(
            Branch(self.condition(condition), body, self.loc) for condition, body in cases
        )
        self.write(If(branches, otherwise or None, self.loc))

    def expr(self, index: Index) -> Expr:
        """Return `index` as an expression; scalars that it needs are written before."""
        return index_expr(index, self.ranges, self._functions())

    def condition(self, condition: Condition) -> Expr:
        """Return `condition` as an expression; scalars that it needs are written before."""
        return condition_expr(self.settled_condition(condition), self.ranges, self._functions())

    def settled_condition(self, condition: Condition) -> Condition:
        """Return `condition` with variables that have only one value replaced by it."""
        names = {name for index in cond.indices(condition) for name in ix.free_variables(index)}
        single = {
            name: ix.constant(self.ranges[name][0])
            for name in names
            if self.ranges[name][0] == self.ranges[name][1]
        }
        return cond.substitute(condition, single) if single else condition

    def _functions(self) -> Functions:
        return Functions(self.renamed, self._extreme)

    def _extreme(self, args: tuple[Expr, ...], is_min: bool) -> Expr:
        """Write the scalars that hold the least or greatest of `args`, and return the last.

        TIK reference, scalar_min: operands are int64.
        """
        op, word = (ScalarOp.MIN, "least") if is_min else (ScalarOp.MAX, "most")
        result = self._int64(word, args[0])
        for arg in args[1:]:
            other = self._int64("other", arg)
            self.write(ScalarFunction(op, result, (result, other), loc=self.loc))
        return result

    def _int64(self, name: str, value: Expr) -> Name:
        variable = self.fresh(name)
        self.write(Scalar(variable, TikType.INT64, value, self.loc))
        return Name(variable)

    def scalar(self, name: str, dtype: TikType, value: Expr | None = None) -> Name:
        """Declare a scalar variable and return it."""
        variable = self.fresh(name)
        self.write(Scalar(variable, dtype, value, self.loc))
        return Name(variable)

    def tensor(self, name: str, dtype: TikType, shape: tuple[int, ...], scope: Scope) -> str:
        """Declare a tensor of the lowering's own and return its name."""
        found = self.fresh(name)
        self.write(Tensor(found, dtype, shape, scope, loc=self.loc))
        return found

    def gm_constant(self, name: str, dtype: TikType, values: tuple[int | float, ...]) -> str:
        """Declare a constant in GM, outside all loops, and return its name."""
        found = self.fresh(name)
        self._bodies[0].insert(0, Tensor(found, dtype, (len(values),), Scope.GM, init_value=values))
        return found

    def bounds(self, index: Index) -> tuple[int, int]:
        """Return the least and greatest value that `index` may take."""
        return ix.bounds(index, self.ranges)

    def settled(self, index: Index) -> Index:
        """Return `index` without what has only one value."""
        return ix.settle(index, self.ranges)

    def variables(self, index: Index) -> Mapping[str, tuple[int, int]]:
        """Return the ranges of the variables in `index`."""
        return {name: self.ranges[name] for name in ix.free_variables(index)}
