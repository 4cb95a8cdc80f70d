from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tests.backends.tik.scripts import run_in_ub, tik_module
from tilelang.backends.tik.emulate import emulate
from tilelang.backends.tik.recorder import record
from tilelang.diagnostics import TileError


def run_scalar(body: Any, *, soc: str = "Ascend910A") -> list[int]:
    """Run `body(t, tik, out)`, which sets elements of an int32 tensor; return its 8 elements."""

    def entry() -> None:
        tik = tik_module()
        t = tik.Tik()
        y = t.Tensor("int32", (8,), name="y", scope=tik.scope_gm)
        out = t.Tensor("int32", (8,), tik.scope_ubuf, "out")
        t.vec_dup(8, out, -1, 1, 8)
        body(t, tik, out)
        t.data_move(y, out, 0, 1, 1, 0, 0)
        t.BuildCCE("scalar", [], [y])

    return emulate(record(entry, soc=soc), {}).outputs["y"].tolist()


def test_branches_run_the_first_condition_that_holds():
    def body(t: Any, tik: Any, out: Any) -> None:
        with t.for_range(0, 6) as i:
            with t.if_scope(i < 2):
                out[i].set_as(10)
            with t.elif_scope(tik.all(i >= 2, i < 4)):
                out[i].set_as(20)
            with t.else_scope():
                out[i].set_as(i * i)

    assert run_scalar(body) == [10, 10, 20, 20, 16, 25, -1, -1]


def test_break_and_continue_leave_the_innermost_loop():
    def body(t: Any, tik: Any, out: Any) -> None:
        with t.for_range(0, 2) as i, t.for_range(0, 4) as j:
            with t.if_scope(j == 1):
                t.tik_continue()
            with t.if_scope(j == 3):
                t.tik_break()
            out[i * 4 + j].set_as(j)

    assert run_scalar(body) == [0, -1, 2, -1, 0, -1, 2, -1]


def test_scalars_convert_values_and_tensor_elements_copy_bits():
    def body(t: Any, tik: Any, out: Any) -> None:
        real = t.Scalar("float32", "real", 2.75)
        whole = t.Scalar("int32", "whole")
        whole.set_as(real)
        out[0].set_as(whole)
        whole.set_as(real * -2)
        out[1] = whole
        out[2].set_as(0x3F800000)
        bits = t.Scalar("float32", "bits")
        bits.set_as(out[2])
        with t.if_scope(bits == 1.0):
            out[3].set_as(7)
        narrow = t.Scalar("int8", "narrow", 300)
        out[4].set_as(narrow)

    assert run_scalar(body) == [2, -5, 0x3F800000, 7, 44, -1, -1, -1]


def test_division_truncates_towards_zero_as_in_c():
    def body(t: Any, tik: Any, out: Any) -> None:
        a = t.Scalar("int32", "a", -7)
        out[0].set_as(a // 2)
        out[1].set_as(a % 2)
        out[2].set_as(a / 2)
        out[3].set_as(7 // a)

    assert run_scalar(body)[:4] == [-3, -1, -3, -1]


def test_scalar_functions_and_arrays():
    def body(t: Any, tik: Any, out: Any) -> None:
        array = t.ScalarArray("int32", 4, "array", 3)
        array[1].set_as(array[0] + 2)
        total = t.Scalar("int64", "total", 0)
        with t.for_range(0, 4) as i:
            total.set_as(total + array[i])
        t.scalar_max(array[2], total, 5)
        t.scalar_sqrt(array[3], array[2])
        for i in range(4):
            out[i].set_as(array[i])
        t.scalar_conv("round", array[0], t.Scalar("float32", "half", 3.5))
        out[4].set_as(array[0])

    assert run_scalar(body)[:5] == [3, 5, 14, 3, 4]


def test_loops_over_several_ranges_are_nested():
    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        with t.multi_for_range((0, 1), (3, 4)) as (i, j):
            ub["x"][4 * i + j].set_as(10 * i + j)

    got = run_in_ub(body, {}, {"x": np.zeros(16, np.int32)})["x"]
    wanted = np.zeros(16, np.int32)
    for i in range(3):
        wanted[4 * i + 1 : 4 * i + 4] = 10 * i + np.arange(1, 4)
    np.testing.assert_array_equal(got, wanted)


def test_the_loop_variable_keeps_its_last_value():
    def body(t: Any, tik: Any, out: Any) -> None:
        with t.for_range(0, 5) as i:
            out[0].set_as(i)
        out[1].set_as(i)

    assert run_scalar(body)[:2] == [4, 4]


def cores_forget() -> None:
    """Each core adds to a counter and a buffer from before the loop; both come back after it."""
    tik = tik_module()
    t = tik.Tik()
    y = t.Tensor("int32", (5, 8), name="y", scope=tik.scope_gm)
    ub = t.Tensor("int32", (8,), tik.scope_ubuf, "ub")
    t.vec_dup(8, ub, 100, 1, 8)
    counter = t.Scalar("int32", "counter", 0)
    with t.for_range(0, 4, block_num=4) as core:
        counter.set_as(counter + 1)
        ub[0].set_as(ub[0] + core)
        ub[1].set_as(counter)
        t.data_move(y[core * 8], ub, 0, 1, 1, 0, 0)
    ub[1].set_as(counter)
    t.data_move(y[32], ub, 0, 1, 1, 0, 0)
    t.BuildCCE("cores", [], [y])


def test_cores_start_from_the_state_before_the_loop_and_are_forgotten():
    got = emulate(record(cores_forget), {}).outputs["y"]
    np.testing.assert_array_equal(got[:, 0], [100, 101, 102, 103, 100])
    np.testing.assert_array_equal(got[:, 1], [1, 1, 1, 1, 0])


def neighbours(nested: bool) -> None:
    """Each core stores its number, waits for the others, and adds the next core's number."""
    tik = tik_module()
    t = tik.Tik()
    work = t.Tensor("int32", (4, 8), name="work", scope=tik.scope_gm, is_workspace=True)
    sync = t.Tensor("int64", (16,), name="sync", scope=tik.scope_gm, is_workspace=True)
    y = t.Tensor("int32", (4, 8), name="y", scope=tik.scope_gm)
    with t.for_range(0, 4, block_num=4) as core:
        mine = t.Tensor("int32", (8,), tik.scope_ubuf, "mine")
        other = t.Tensor("int32", (8,), tik.scope_ubuf, "other")
        t.vec_dup(8, mine, core, 1, 8)
        t.data_move(work[core, 0], mine, 0, 1, 1, 0, 0)
        if nested:
            with t.new_stmt_scope():
                t.block_barrier(sync)
        else:
            t.block_barrier(sync)
        t.data_move(other, work[(core + 1) % 4 * 8], 0, 1, 1, 0, 0)
        t.vec_add(8, mine, mine, other, 1, 8, 8, 8)
        t.data_move(y[core * 8], mine, 0, 1, 1, 0, 0)
    t.BuildCCE("neighbours", [], [y])


def test_cores_meet_at_a_barrier():
    got = emulate(record(neighbours, False), {}).outputs["y"]
    np.testing.assert_array_equal(got[:, 0], [1, 3, 5, 3])
    with pytest.raises(TileError, match=r"E1214.*block_barrier"):
        emulate(record(neighbours, True), {})


def test_elements_of_tensors_are_compared_and_computed_with():
    def body(t: Any, tik: Any, out: Any) -> None:
        out.__setitem__(0, 5)
        with t.if_scope(tik.any(out[0] == 4, out[0] > 4)):
            out[1].set_as(out[0] * 2 - 1)
        with t.if_scope(tik.negate(out[1] == 9)):
            out[2].set_as(1)
        out[3:][1].set_as(out[-8])

    assert run_scalar(body) == [5, 9, -1, -1, 5, -1, -1, -1]


@pytest.mark.parametrize("n", [0, 3])
def test_input_scalars_are_fed_by_name(n: int):
    def entry() -> None:
        tik = tik_module()
        t = tik.Tik()
        count = t.InputScalar("int32", "count")
        y = t.Tensor("int32", (8,), name="y", scope=tik.scope_gm)
        out = t.Tensor("int32", (8,), tik.scope_ubuf, "out")
        t.vec_dup(8, out, 0, 1, 8)
        with t.for_range(0, count) as i:
            out[i].set_as(i + 1)
        t.data_move(y, out, 0, 1, 1, 0, 0)
        t.BuildCCE("counted", [count], [y])

    got = emulate(record(entry), {"count": n}).outputs["y"]
    assert got.tolist() == [*range(1, n + 1), *[0] * (8 - n)]


def test_double_buffered_tensors_are_undefined_in_every_iteration():
    def entry() -> None:
        tik = tik_module()
        t = tik.Tik()
        y = t.Tensor("int32", (8,), name="y", scope=tik.scope_gm)
        with t.for_range(0, 2, thread_num=2) as i:
            ub = t.Tensor("int32", (8,), tik.scope_ubuf, "ub")
            with t.if_scope(i == 0):
                t.vec_dup(8, ub, 1, 1, 8)
            t.vec_adds(8, ub, ub, 1, 1, 8, 8)
            t.data_move(y, ub, 0, 1, 1, 0, 0)
        t.BuildCCE("stale", [], [y])

    with pytest.raises(TileError, match=r"vadds: src reads undefined bytes of `ub`"):
        emulate(record(entry, soc="Ascend310P3"), {})
