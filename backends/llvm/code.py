"""The text of one LLVM function, built so that no optimiser has to clean it up.

Pure instructions are written where their operands become known (hoisted out of every loop that
does not matter) and once only: a loop invariant written naively in an inner loop costs nothing.
That is why the backend can leave out LLVM's own passes, which take ten times as long.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256


@dataclass
class _Scope:
    """A loop body or a branch: what was computed in it, and where its parent may still add."""

    before: list[str]
    memo: dict[str, str] = field(default_factory=dict[str, str])


@dataclass
class Loop:
    """An open loop: its index, and the values carried from one iteration to the next."""

    index: str
    carried: tuple[str, ...]
    results: tuple[str, ...] = ()

    def update(self, *values: str) -> None:
        """Say what the carried values are in the next iteration."""
        self.carried = values


@dataclass(frozen=True, slots=True)
class Choice:
    """Values that are `then()`, which writes code, or else `otherwise`."""

    then: Callable[[], Sequence[str]]
    otherwise: Sequence[str]


class Code:
    """The body of one function. Values are LLVM operands as text: `%v7`, `12`."""

    def __init__(self) -> None:
        """Start with an empty function."""
        self._items: list[str | list[str]] = []
        self._scopes = [_Scope([])]
        self._depths: dict[str, int] = {}
        self._n_names = 0
        self._block = "entry"
        self.declared: dict[str, None] = {}

    def lines(self) -> Iterator[str]:
        """Yield the lines of the function's body."""
        yield "entry:"
        for item in self._items:
            if isinstance(item, str):
                yield item
            else:
                yield from item

    def declare(self, result: str, name: str, *kinds: str) -> None:
        """Say that a function outside the module is called, an intrinsic perhaps."""
        self.declared[f"declare {result} @{name}({', '.join(kinds)})"] = None

    def table(self, values: Sequence[int]) -> str:
        """Return the address of a constant array of i64, one for all functions that want it."""
        entries = ", ".join(f"i64 {value}" for value in values)
        name = f"@table.{sha256(entries.encode()).hexdigest()[:16]}"
        kind = f"[{len(values)} x i64]"
        self.declared[f"{name} = private unnamed_addr constant {kind} [{entries}]"] = None
        return name

    def fresh(self, prefix: str = "v") -> str:
        """Return a name that occurs nowhere else in the function."""
        self._n_names += 1
        return f"{prefix}{self._n_names}"

    def do(self, text: str) -> None:
        """Write an instruction without a result."""
        self._items.append(f"  {text}")

    def let(self, text: str) -> str:
        """Write an instruction here and return its result."""
        name = "%" + self.fresh()
        self._items.append(f"  {name} = {text}")
        self._depths[name] = len(self._scopes) - 1
        return name

    def depth(self, operand: str) -> int:
        """Return how many loops and branches surround the place where `operand` is known."""
        return self._depths.get(operand, 0)

    def pure(self, text: str, *operands: str) -> str:
        """Return the result of a pure instruction, hoisted as far as `operands` allow."""
        depth = max((self._depths.get(operand, 0) for operand in operands), default=0)
        memo = self._scopes[depth].memo
        if text not in memo:
            memo[text] = self._hoisted(text, depth)
        return memo[text]

    def _hoisted(self, text: str, depth: int) -> str:
        if depth == len(self._scopes) - 1:
            return self.let(text)
        name = "%" + self.fresh()
        self._scopes[depth + 1].before.append(f"  {name} = {text}")
        self._depths[name] = depth
        return name

    @contextmanager
    def loop(
        self,
        start: str | int,
        stop: str | int,
        step: int = 1,
        carried: Sequence[tuple[str, str]] = (),
    ) -> Generator[Loop]:
        """Write a loop; its body is what is written inside the `with`.

        `carried` holds (type, first value) of what `Loop.update` replaces; `Loop.results` are the
        last values once the loop is closed.
        """
        name = self.fresh("loop")
        runs = isinstance(start, int) and isinstance(stop, int) and start < stop
        self._open()
        before = self._block
        index, values = f"%{name}.i", tuple(f"%{name}.c{n}" for n in range(len(carried)))
        self._enter_loop(name, (start, stop), runs=runs)
        latch: list[str] = []
        self._items.append(latch)
        for value in (index, *values):
            self._depths[value] = len(self._scopes) - 1
        loop = Loop(index, values)
        yield loop
        self._close_loop(name, stop, step)
        types = [kind for kind, _ in carried]
        latch.append(f"  {index} = phi i64 [{start}, %{before}], [{index}.next, %{self._block}]")
        for (kind, first), value, last in zip(carried, values, loop.carried, strict=True):
            latch.append(f"  {value} = phi {kind} [{first}, %{before}], [{last}, %{self._block}]")
        last_block, self._block = self._block, f"{name}.exit"
        self._items.append(f"{self._block}:")
        loop.results = tuple(
            self._joined(kind, (first, before if not runs else None), (last, last_block))
            for kind, (_, first), last in zip(types, carried, loop.carried, strict=True)
        )

    def _enter_loop(self, name: str, span: tuple[str | int, str | int], *, runs: bool) -> None:
        start, stop = span
        if runs:
            self.do(f"br label %{name}")
        else:
            guard = f"%{name}.runs"
            self.do(f"{guard} = icmp slt i64 {start}, {stop}")
            self.do(f"br i1 {guard}, label %{name}, label %{name}.exit")
        self._block = name
        self._items.append(f"{name}:")

    def _close_loop(self, name: str, stop: str | int, step: int) -> None:
        self._scopes.pop()
        index = f"%{name}.i"
        self.do(f"{index}.next = add nsw i64 {index}, {step}")
        self.do(f"{index}.more = icmp slt i64 {index}.next, {stop}")
        self.do(f"br i1 {index}.more, label %{name}, label %{name}.exit")

    def _joined(self, kind: str, first: tuple[str, str | None], last: tuple[str, str]) -> str:
        arms = [f"[{last[0]}, %{last[1]}]"]
        if first[1] is not None:
            arms.append(f"[{first[0]}, %{first[1]}]")
        return self.let(f"phi {kind} {', '.join(arms)}")

    @contextmanager
    def when(self, condition: str) -> Generator[None]:
        """Write what runs only where `condition`, an i1, holds."""
        name = self.fresh("if")
        self._open()
        self.do(f"br i1 {condition}, label %{name}, label %{name}.end")
        self._label(name)
        yield
        self._scopes.pop()
        self.do(f"br label %{name}.end")
        self._label(f"{name}.end")

    def choose(self, condition: str, kind: str, values: Choice) -> tuple[str, ...]:
        """Return `values.then()` where `condition` holds, else `values.otherwise`, of one type."""
        name, before = self.fresh("pick"), self._block
        self._open()
        self.do(f"br i1 {condition}, label %{name}, label %{name}.end")
        self._label(name)
        then = values.then()
        block = self._block
        self._scopes.pop()
        self.do(f"br label %{name}.end")
        self._label(f"{name}.end")
        return tuple(
            self.let(f"phi {kind} [{new}, %{block}], [{old}, %{before}]")
            for new, old in zip(then, values.otherwise, strict=True)
        )

    def _open(self) -> None:
        before: list[str] = []
        self._items.append(before)
        self._scopes.append(_Scope(before))

    def _label(self, name: str) -> None:
        self._block = name
        self._items.append(f"{name}:")
