"""Extrapolated loops: exactly what simulating them gives."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backends.tik import gemm_scripts
from tests.backends.tik.cycles.scripts import program, use
from tilelang.backends.tik.cycles import Cycles, Pipe, count_cycles
from tilelang.backends.tik.instructions import InstructionProgram
from tilelang.backends.tik.recorder import record


def assert_exact(found: InstructionProgram) -> Cycles:
    """Compare everything that is reported; return the extrapolated report."""
    quick, slow = count_cycles(found), count_cycles(found, extrapolate=False)
    assert replace(quick, n_simulated=0) == replace(slow, n_simulated=0)
    assert slow.n_simulated == slow.n_instructions
    return quick


@pytest.mark.parametrize(
    ("sizes", "tile"),
    [
        ((256, 256, 2048), (128, 128, 64)),
        ((64, 512, 4096), (16, 256, 16)),
        ((96, 96, 720), (48,) * 3),
    ],
)
def test_products_are_extrapolated_exactly(sizes: tuple[int, int, int], tile: tuple[int, int, int]):
    quick = assert_exact(record(gemm_scripts.gemm, *sizes, tile))
    assert quick.n_simulated < quick.n_instructions


@dataclass(frozen=True)
class Work:
    """One instruction of a random loop body: which, on which buffer, and how much."""

    kind: str
    buffer: int
    amount: int


WORKS = st.builds(
    Work,
    st.sampled_from(("load", "add", "add", "exp", "store", "first", "late", "every third")),
    st.integers(0, 1),
    st.integers(1, 40),
)


def loop(works: list[Work], threads: int, counts: tuple[int, int]) -> InstructionProgram:
    """Return a loop in a loop over random work on two buffers, one of them inside it."""

    def body(t: Any, tik: Any) -> None:
        outer = t.Tensor("float16", (16384,), name="outer", scope=tik.scope_ubuf)
        with t.for_range(0, counts[0]) as i, t.for_range(0, counts[1], thread_num=threads) as j:
            inner = t.Tensor("float16", (16384,), name="inner", scope=tik.scope_ubuf)
            for work in works:
                emit(t, work, (outer, inner)[work.buffer], (i, j))

    return program(body)


def emit(t: Any, work: Work, buffer: Any, index: tuple[Any, Any]) -> None:
    i, j = index
    match work.kind:
        case "load":
            t.data_move(buffer, t.x[j * 512 + i], 0, work.amount, 8, 1, 0)
        case "store":
            t.data_move(t.y[j * 512], buffer, 0, 1, work.amount, 0, 0)
        case "add":
            t.vadds(128, buffer, buffer, 1.0, work.amount, 1, 1, 8, 8)
        case "exp":
            t.vexp(128, buffer[128 * work.amount], buffer, 2, 1, 1, 8, 8)
        case "first":
            with t.if_scope(j == 0):
                t.vadds(128, buffer, buffer, 1.0, work.amount, 1, 1, 8, 8)
        case "late":
            with t.if_scope(j == 61):
                t.vadds(128, buffer, buffer, 1.0, work.amount, 1, 1, 8, 8)
        case _:
            with t.if_scope((i + j) % 3 == 1):
                t.vadds(128, buffer, buffer, 1.0, work.amount, 1, 1, 8, 8)


@given(
    st.lists(WORKS, min_size=1, max_size=6),
    st.integers(1, 2),
    st.tuples(st.sampled_from((1, 2, 7, 40)), st.sampled_from((1, 3, 16, 97))),
)
@settings(max_examples=60, deadline=None)
def test_any_loop_is_extrapolated_exactly(works: list[Work], threads: int, counts: tuple[int, int]):
    assert_exact(loop(works, threads, counts))


def test_an_iteration_that_differs_is_not_skipped():
    works = [Work("load", 1, 40), Work("late", 0, 40), Work("store", 1, 40)]
    quick = assert_exact(loop(works, 2, (2, 97)))
    assert use(quick, Pipe.V).n_instructions == 2


def test_a_slow_pipe_that_falls_behind_is_followed_until_its_queue_is_full():
    works = [Work("load", 0, 1), Work("exp", 1, 1), Work("exp", 1, 2)]
    quick = assert_exact(loop(works, 1, (1, 400)))
    assert quick.n_simulated < 700


def test_a_long_loop_is_hardly_simulated():
    works = [Work("load", 1, 40), Work("add", 1, 40), Work("store", 1, 40)]
    quick = assert_exact(loop(works, 2, (40, 97)))
    assert use(quick, Pipe.V).n_instructions == 40 * 97
    assert quick.n_simulated < 1000


def test_a_large_product_takes_milliseconds_whatever_its_size():
    found = record(gemm_scripts.gemm, 4096, 4096, 4096, (128, 128, 128))
    cycles = count_cycles(found)
    assert cycles.flop == 2 * 4096**3
    assert cycles.n_simulated < 2000
