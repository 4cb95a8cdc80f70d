"""Emits packets: works with numbers become charges at places in memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from tilelang.backends.tik.cycles.charges import Charge, Extent, Scene, extent
from tilelang.backends.tik.cycles.costs import charge
from tilelang.backends.tik.cycles.course import Course, Interner, Packet
from tilelang.backends.tik.cycles.pipes import Pipe
from tilelang.backends.tik.cycles.places import Regions
from tilelang.backends.tik.cycles.resolve import Numbers, compile_resolver
from tilelang.backends.tik.cycles.scalar_values import (
    Thunk,
    Unknown,
    Values,
    compile_value,
    expressions,
    loads,
    n_operations,
)
from tilelang.backends.tik.instructions import Expr, Work, method_name
from tilelang.diagnostics import UNKNOWN, Diagnostic, Location, TileError

Step: TypeAlias = Callable[[], None]


@dataclass(slots=True)
class Output:
    """Where packets go while a program is unrolled for one core."""

    scene: Scene
    regions: Regions
    interner: Interner
    values: Values
    turns: dict[str, int] = field(default_factory=lambda: {})
    """Which copy of its tensors each loop with threads uses, by variable."""
    waits: bool = True
    """Whether packets are ordered by what they touch: not under `disable_sync`."""
    _parts: list[int | Course] = field(default_factory=lambda: [])
    _idle: int = 0
    """Cycles of the scalar unit that the next packet has to wait for."""

    def spend(self, cycles: float) -> None:
        """Keep the scalar unit busy."""
        self._idle += int(cycles)

    def emit(self, cost: Charge, setup: int, loc: Location) -> int:
        """Emit one packet, handed out `setup` cycles after the last; return its number."""
        reads, writes = self._find(cost.reads), self._find(cost.writes)
        total = setup + cost.setup + self._idle
        packet = Packet(cost, total, reads, writes, self.waits, loc)
        self._idle = 0
        number = self.interner.packet(packet)
        self._parts.append(number)
        return number

    def emit_again(self, numbers: Sequence[int]) -> None:
        """Emit packets that were emitted before in the same `state`."""
        if numbers:
            self._idle = 0
            self._parts.extend(numbers)

    @property
    def state(self) -> tuple[object, ...]:
        """All that decides which packet a charge becomes."""
        return (self.waits, self._idle, *self.turns.values())

    def _find(self, extents: tuple[Extent, ...]) -> tuple[int, ...]:
        found = (self.regions.find(touched, self.turns) for touched in extents)
        return tuple(number for number in found if number is not None)

    def append(self, course: Course) -> None:
        """Emit a node."""
        self._flush()
        self._parts.append(course)

    def _flush(self) -> None:
        if self._idle:
            self.emit(Charge(Pipe.S, 0, (), (), "scalar work"), 0, UNKNOWN)

    def collect(self, step: Step) -> Course:
        """Return what `step` emits as a node, and do not emit it."""
        outer, outer_idle = self._parts, self._idle
        self._parts, self._idle = [], 0
        try:
            step()
        finally:
            self._flush()
            course = self.interner.join(self._parts)
            self._parts, self._idle = outer, outer_idle
        return course


def scalar_cost(output: Output, expr_owner: object) -> tuple[int, tuple[Extent, ...]]:
    """Return the cycles in which the scalar unit evaluates all expressions of a node.

    And the tensor elements that it reads, for which it waits.
    """
    rates = output.scene.rates
    found = list(expressions(expr_owner))
    read = [operand for expr in found for operand in loads(expr)]
    cycles = sum(map(n_operations, found)) * rates["scalar.operation"]
    cycles += len(read) * rates["scalar.memory"]
    return int(cycles), tuple(extent(operand, operand.dtype.n_bytes) for operand in read)


def compile_scalar(output: Output, expr_owner: object, loc: Location, label: str) -> Step:
    """Return a closure that emits the scalar unit's work on the expressions of a node."""
    cycles, reads = scalar_cost(output, expr_owner)
    if reads:
        cost = Charge(Pipe.S, cycles, reads, (), label)
        return partial(_emit_one, output, cost, loc)
    return lambda: output.spend(cycles)


def _emit_one(output: Output, cost: Charge, loc: Location) -> None:
    output.emit(cost, 0, loc)


def compile_work(work: Work, plain: Work, output: Output) -> Step:
    """Return a closure that emits `work`; `plain` is its essential form."""
    numbers, rebuild = compile_resolver(plain, output.values)
    cycles, reads = scalar_cost(output, work)
    dispatch = int(output.scene.rates["scalar.dispatch"])
    loaded = Charge(Pipe.S, cycles, reads, (), "scalar load") if reads else None
    setup = dispatch if reads else dispatch + cycles
    charges: dict[Numbers, tuple[Charge, ...]] = {}
    emitted: dict[tuple[object, ...], tuple[int, ...]] = {}

    def emit(key: Numbers) -> tuple[int, ...]:
        costs = charges.get(key)
        if costs is None:
            costs = charges[key] = charge(rebuild(key), output.scene)
        first = () if loaded is None else (output.emit(loaded, 0, work.loc),)
        return (*first, *(output.emit(cost, setup, work.loc) for cost in costs))

    def run() -> None:
        try:
            key = numbers()
        except Unknown as error:
            raise TileError(unknown_count(work, error)) from None
        state = (key, output.state)
        known = emitted.get(state)
        if known is None:
            emitted[state] = emit(key)
        else:
            output.emit_again(known)

    return run


def unknown_count(work: Work, error: Unknown) -> Diagnostic:
    """Return E1251 for a count or stride that nobody knows."""
    return Diagnostic(
        "E1251",
        f"{method_name(work)}: how much it moves or computes depends on {error}",
        work.loc,
        "give the value with scalars={...}; data in tensors has no value here",
    )


def known_value(expr: Expr, output: Output, what: str, loc: Location) -> Thunk:
    """Return a closure that evaluates `expr`; it raises E1251 where the value is not known."""
    thunk = compile_value(expr, output.values)

    def evaluate() -> int | float:
        try:
            return thunk()
        except Unknown as error:
            message = f"{what} depends on {error}"
            hint = "give the value with scalars={...}; data in tensors has no value here"
            raise TileError(Diagnostic("E1251", message, loc, hint)) from None

    return evaluate


def nothing() -> None:
    """Do nothing: a declaration costs nothing."""
