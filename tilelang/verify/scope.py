"""What holds where a statement stands, and going through a program with it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import assert_never

from tilelang.ir import condition as cond
from tilelang.ir.nodes import Alloc, Body, If, Loop, Program, Stage, Stmt
from tilelang.ir.region import Buffer
from tilelang.machines import Machine
from tilelang.verify.ranges import Ranges


@dataclass(frozen=True, slots=True)
class Scope:
    """The surroundings of a statement.

    `alive` are the buffers that may be used, by name; `seen` are the names allocated so far, dead
    or alive. Both grow while a body is walked, so a scope is read at once and not kept.
    """

    machine: Machine
    ranges: Ranges
    alive: dict[str, Buffer]
    seen: set[str]
    in_stage: bool = False

    def nested(self, ranges: Ranges) -> "Scope":
        """Return the scope of a body inside this one, in which buffers of its own may appear."""
        return replace(self, ranges=ranges, alive=dict(self.alive), in_stage=True)


def walk_in_scope(program: Program, machine: Machine) -> Iterator[tuple[Stmt, Scope]]:
    """Yield every statement in order, each with its surroundings, a loop before what it holds."""
    tensors = {buffer.name: buffer for buffer in (*program.inputs, *program.results)}
    outermost = Scope(machine, Ranges({}), tensors, set(tensors))
    for part in program.body:
        match part:
            case Alloc():
                yield part, outermost
                _add(part.buffer, outermost)
            case Stage():
                yield from _walk(part.body, outermost.nested(grid_ranges(part)))
            case _:
                assert_never(part)


def grid_ranges(stage: Stage) -> Ranges:
    """Return the ranges of the variables of `stage`'s grid."""
    limits = {core.var: (0, core.extent - 1) for core in stage.grid}
    return Ranges(limits, reachable=all(core.extent > 0 for core in stage.grid))


def _walk(body: Body, scope: Scope) -> Iterator[tuple[Stmt, Scope]]:
    for stmt in body:
        yield stmt, scope
        match stmt:
            case Alloc():
                _add(stmt.buffer, scope)
            case Loop():
                inside = scope.ranges.with_loop(stmt.var, stmt.extent)
                yield from _walk(stmt.body, scope.nested(inside))
            case If(condition, then, otherwise):
                yield from _walk(then, scope.nested(scope.ranges.assuming(condition)))
                unless = scope.ranges.assuming(cond.negate(condition))
                yield from _walk(otherwise, scope.nested(unless))
            case _:
                pass


def _add(buffer: Buffer, scope: Scope) -> None:
    scope.alive[buffer.name] = buffer
    scope.seen.add(buffer.name)
