"""When instructions start: queues, waits, copies, flags."""

import itertools
from functools import partial
from typing import Any

import pytest

from tests.backends.tik.cycles.scripts import count, spans, use
from tilelang.backends.tik.cycles import Pipe

BLOCKS = 1024
"""Of one move: 32 KiB, which has no start-up."""


def stream(threads: int, n_adds: int = 4) -> Any:
    """Return a script that loads, adds in place, and stores, 20 times."""

    def body(t: Any, tik: Any) -> None:
        with t.for_range(0, 20, thread_num=threads) as i:
            ub = t.Tensor("float16", (BLOCKS * 16,), name="ub", scope=tik.scope_ubuf)
            t.data_move(ub, t.x[i * BLOCKS], 0, 1, BLOCKS, 0, 0)
            for _ in range(n_adds):
                t.vadds(128, ub, ub, 1.0, BLOCKS // 8, 1, 1, 8, 8)
            t.data_move(t.y[i * BLOCKS], ub, 0, 1, BLOCKS, 0, 0)

    return body


def test_one_copy_of_a_buffer_makes_everything_wait():
    cycles = count(stream(1))
    total = sum(use(cycles, pipe).busy for pipe in (Pipe.MTE2, Pipe.V, Pipe.MTE3))
    assert total <= cycles.core <= total * 1.02


def test_two_copies_leave_the_longest_pipe_busy():
    alone, together = count(stream(1)), count(stream(2))
    longest = max(use(together, pipe).busy for pipe in (Pipe.MTE2, Pipe.V, Pipe.MTE3))
    # The load of one copy and the store of the other share its turn.
    assert longest < together.core < 0.75 * alone.core


def test_a_pipe_executes_in_order_and_one_at_a_time():
    cycles = count(stream(2), timeline=True, extrapolate=False)
    for pipe in (Pipe.MTE2, Pipe.V, Pipe.MTE3):
        found = spans(cycles, pipe)
        assert found == sorted(found)
        assert all(end <= begin for (_, end), (begin, _) in itertools.pairwise(found))
        assert sum(end - begin for begin, end in found) == use(cycles, pipe).busy


def test_a_reader_waits_for_the_bytes_it_reads_and_for_no_others():
    def body(t: Any, tik: Any) -> None:
        ub = t.Tensor("float16", (2, 16384), name="ub", scope=tik.scope_ubuf)
        t.data_move(ub[0, 0], t.x, 0, 1, 512, 0, 0)
        t.data_move(ub[1, 0], t.x, 0, 1, 1024, 0, 0)
        t.vadds(128, ub[0, 0], ub[0, 0], 1.0, 8, 1, 1, 8, 8)
        t.vadds(128, ub[1, 0], ub[1, 0], 1.0, 8, 1, 1, 8, 8)

    cycles = count(body, timeline=True)
    loads, adds = spans(cycles, Pipe.MTE2), spans(cycles, Pipe.V)
    assert [begin for begin, _ in adds] == [end for _, end in loads]


def test_tensors_of_closed_scopes_give_their_bytes_to_later_ones():
    def body(t: Any, tik: Any) -> None:
        for name in ("a", "b"):
            with t.new_stmt_scope():
                ub = t.Tensor("float16", (8192,), name=name, scope=tik.scope_ubuf)
                t.data_move(ub, t.x, 0, 1, 512, 0, 0)
                t.vadds(128, ub, ub, 1.0, 64, 1, 1, 8, 8)

    cycles = count(body, timeline=True)
    (_, second), (first_add, _) = spans(cycles, Pipe.MTE2), spans(cycles, Pipe.V)
    assert second[0] == first_add[1], "b is where a was, and must wait until a was read"


def test_without_synchronisation_nothing_waits_but_for_flags():
    def body(t: Any, tik: Any, *, flags: bool) -> None:
        ub = t.Tensor("float16", (8192,), name="ub", scope=tik.scope_ubuf)
        with t.new_stmt_scope(disable_sync=True):
            t.data_move(ub, t.x, 0, 1, 512, 0, 0)
            if flags:
                t.set_flag("PIPE_MTE2", "PIPE_V", 0)
                t.wait_flag("PIPE_MTE2", "PIPE_V", 0)
            t.vadds(128, ub, ub, 1.0, 8, 1, 1, 8, 8)

    free = count(partial(body, flags=False), timeline=True)
    ordered = count(partial(body, flags=True), timeline=True)
    assert spans(free, Pipe.V)[0][0] < spans(free, Pipe.MTE2)[0][1]
    assert spans(ordered, Pipe.V)[0][0] == spans(ordered, Pipe.MTE2)[0][1]


def test_a_barrier_lets_all_pipes_end_first():
    def body(t: Any, tik: Any) -> None:
        ub = t.Tensor("float16", (2, 8192), name="ub", scope=tik.scope_ubuf)
        t.data_move(ub, t.x, 0, 1, 512, 0, 0)
        t.pipe_barrier("PIPE_ALL")
        t.vadds(128, ub[1, 0], ub[1, 0], 1.0, 8, 1, 1, 8, 8)

    cycles = count(body, timeline=True)
    assert spans(cycles, Pipe.V)[0][0] > spans(cycles, Pipe.MTE2)[0][1]


def test_the_scalar_unit_stops_at_a_full_queue():
    def body(t: Any, tik: Any) -> None:
        ub = t.Tensor("float16", (8192,), name="ub", scope=tik.scope_ubuf)
        with t.for_range(0, 100):
            t.vadds(128, ub, ub, 1.0, 64, 1, 1, 8, 8)
        other = t.Tensor("float16", (8192,), name="other", scope=tik.scope_ubuf)
        t.data_move(other, t.x, 0, 1, 512, 0, 0)

    cycles = count(body, timeline=True, extrapolate=False)
    adds, (load,) = spans(cycles, Pipe.V), spans(cycles, Pipe.MTE2)
    # 32 additions wait in the queue when the load is handed out: the 68th has just begun.
    assert adds[67][0] <= load[0] <= adds[67][1]


@pytest.mark.parametrize(("n_blocks", "n_turns"), [(1, 1), (32, 1), (33, 2), (64, 2), (65, 3)])
def test_blocks_are_dealt_to_cores_in_turn(n_blocks: int, n_turns: int):
    def body(t: Any, tik: Any) -> None:
        with t.for_range(0, n_blocks, block_num=n_blocks):
            ub = t.Tensor("float16", (8192,), name="ub", scope=tik.scope_ubuf)
            for _ in range(7):
                t.vadds(128, ub, ub, 1.0, 64, 1, 1, 8, 8)

    def block(t: Any, tik: Any) -> None:
        ub = t.Tensor("float16", (8192,), name="ub", scope=tik.scope_ubuf)
        for _ in range(7):
            t.vadds(128, ub, ub, 1.0, 64, 1, 1, 8, 8)

    if n_blocks == 1:
        assert count(block).core == 7 * 84 + 1
        return
    cycles = count(body)
    assert cycles.core == n_turns * count(block).core
    assert cycles.n_cores == min(n_blocks, 32)


def test_the_busiest_core_counts():
    def body(t: Any, tik: Any) -> None:
        with t.for_range(0, 4, block_num=4) as core:
            ub = t.Tensor("float16", (8192,), name="ub", scope=tik.scope_ubuf)
            with t.for_range(0, core * 10 + 1):
                t.vadds(128, ub, ub, 1.0, 64, 1, 1, 8, 8)

    assert use(count(body), Pipe.V).n_instructions == 31
    assert count(body).core >= 31 * 84


def test_leaving_a_loop_early_costs_what_ran():
    def body(t: Any, tik: Any) -> None:
        ub = t.Tensor("float16", (8192,), name="ub", scope=tik.scope_ubuf)
        with t.for_range(0, 100) as i:
            with t.if_scope(i == 5):
                t.tik_break()
            with t.if_scope(i == 2):
                t.tik_continue()
            t.vadds(128, ub, ub, 1.0, 64, 1, 1, 8, 8)

    assert use(count(body), Pipe.V).n_instructions == 4
