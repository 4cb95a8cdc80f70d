"""Which mistake would give the wrong result: the program with one put in, run in the oracle."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from tilelang.check.diagnosis.case import Case, as_matrix
from tilelang.check.diagnosis.orders import apply, orders
from tilelang.check.oracle import enclose
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.nodes import Body, If, Loop, Matmul, Mmad, Program, Stmt
from tilelang.ir.walk import rewrite_program, walk, walk_program

_BUDGET_SECONDS = 5.0
"""What running suspects again may take."""


def suspect(case: Case) -> Iterator[str]:
    """Yield a sentence for the first mistake that gives what was found."""
    yield from _from_results(case)
    if case.trial is None:
        return
    deadline = time.perf_counter() + _BUDGET_SECONDS
    for sentence, program, inputs in _mistakes(case):
        if time.perf_counter() > deadline:
            return
        numerics = case.trial.numerics
        found = enclose(program, inputs, numerics, is_random=case.family.is_random)
        if case.is_explained_by(found[case.number].low, found[case.number].high):
            yield sentence
            return


def _from_results(case: Case) -> Iterator[str]:
    """Yield what can be told from the result alone: doubled, or with another tile's sums."""
    low, high = case.comparison.enclosure.low, case.comparison.enclosure.high
    wrong = case.comparison.wrong
    if case.is_explained_by(np.where(wrong, 2 * low, low), np.where(wrong, 2 * high, high)):
        yield "every wrong element is twice what it should be: an accumulator is added twice"
        return
    yield from _neighbours(case)


def _neighbours(case: Case) -> Iterator[str]:
    low, high, wrong = (
        as_matrix(one)
        for one in (
            case.comparison.enclosure.low.astype(np.float64),
            case.comparison.enclosure.high.astype(np.float64),
            case.comparison.wrong,
        )
    )
    found = as_matrix(case.comparison.found)
    for axis, size in enumerate(case.tile[-2:] if len(case.tile) > 1 else ()):
        if not size or size >= found.shape[axis]:
            continue
        before, after = (_shifted(end, size, axis) for end in (low, high))
        for sentence, ends in (
            ("a stale tile: what was written there belongs to the tile before", (before, after)),
            (
                "a stale accumulator: the sums of the tile before are added to it",
                (low + before, high + after),
            ),
        ):
            if bool(((ends[0] <= found) & (found <= ends[1]))[wrong].all()):
                yield f"{sentence}, along {('rows', 'columns')[axis]}"
                return


def _shifted(array: np.ndarray, size: int, axis: int) -> np.ndarray:
    """Return for each element the one a tile before it; NaN in the first tile."""
    shifted = np.full_like(array, np.nan)
    target, source = [slice(None)] * 2, [slice(None)] * 2
    target[axis], source[axis] = slice(size, None), slice(None, -size)
    shifted[tuple(target)] = array[tuple(source)]
    return shifted


# Mistakes in the program --------------------------------------------------------------------------


def _mistakes(case: Case) -> Iterator[tuple[str, Program, tuple[np.ndarray, ...]]]:
    program, inputs = case.program, case.family.inputs
    for loop in product_loops(program):
        for step in _steps(loop):
            place = f"`{loop.var}` = {step} (line {loop.loc.line})"
            yield f"as if the step {place} were missing", without_step(program, loop, step), inputs
            yield f"as if the step {place} were taken twice", twice(program, loop, step), inputs
    for number, buffer in enumerate(program.inputs):
        for sentence, order in orders(buffer.shape, buffer.dtype):
            if "laid out" in sentence:
                continue
            changed = np.nan_to_num(apply(order, inputs[number]))
            others = (*inputs[:number], changed, *inputs[number + 1 :])
            yield f"as if of `{buffer.name}` {sentence.removeprefix('it is ')}", program, others


_MOST_STEPS = 64


def _steps(loop: Loop) -> list[int]:
    """Return the steps of a loop, the last and the first before the others."""
    extent = min(loop.extent.constant, _MOST_STEPS) if loop.extent.is_constant else 0
    return list(dict.fromkeys([loop.extent.constant - 1, *range(extent)])) if extent else []


def product_loops(program: Program) -> list[Loop]:
    """Return the loops whose steps are those of a sum of products, innermost first."""
    loops = [stmt for stmt in walk_program(program) if isinstance(stmt, Loop)]
    return [loop for loop in reversed(loops) if loop.var in _step_names(loop)]


def _step_names(loop: Loop) -> set[str]:
    """Return the variables that say when the sums inside `loop` start."""
    starts = [stmt.init for stmt in walk(loop.body) if isinstance(stmt, Matmul | Mmad)]
    indices = [index for start in starts for index in cond.indices(start)]
    return {name for index in indices for name in ix.free_variables(index)}


def without_step(program: Program, loop: Loop, step: int) -> Program:
    """Return `program` without the products of one step of `loop`."""

    def change(stmt: Matmul | Mmad) -> Body:
        at = cond.equal(ix.variable(loop.var), ix.constant(step))
        following = cond.equal(ix.variable(loop.var), ix.constant(step + 1))
        starts = cond.conjunction(following, _first_at(stmt, loop.var, step))
        later = replace(stmt, init=cond.disjunction(stmt.init, starts))
        return (If(at, (), (later,)),)

    return _changed(program, loop, change)


def _first_at(stmt: Matmul | Mmad, var: str, step: int) -> cond.Condition:
    """Return whether the sum starts at this step, for then the next one starts it."""
    return cond.substitute(stmt.init, {var: ix.constant(step)})


def twice(program: Program, loop: Loop, step: int) -> Program:
    """Return `program` with the products of one step of `loop` added twice."""

    def change(stmt: Matmul | Mmad) -> Body:
        at = cond.equal(ix.variable(loop.var), ix.constant(step))
        return (stmt, If(at, (replace(stmt, init=cond.FALSE),), ()))

    return _changed(program, loop, change)


def _changed(program: Program, loop: Loop, change: Callable[[Matmul | Mmad], Body]) -> Program:
    inside = {id(stmt) for stmt in walk(loop.body) if isinstance(stmt, Matmul | Mmad)}

    def visit(stmt: Stmt) -> Body:
        if isinstance(stmt, Matmul | Mmad) and id(stmt) in inside:
            return change(stmt)
        return (stmt,)

    return rewrite_program(program, visit)
