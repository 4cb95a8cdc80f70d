"""Cycles of single instructions, counted by hand from the machines' numbers."""

from typing import Any

import pytest

from tests.backends.tik.cycles.scripts import Body, count, use
from tilelang.backends.tik.cycles import Pipe


def busy(body: Body, pipe: Pipe, soc: str = "Ascend910A") -> int:
    return use(count(body, soc=soc), pipe).busy


def load(n_burst: int, burst: int, gap: int = 0) -> Body:
    def body(t: Any, tik: Any) -> None:
        ub = t.Tensor("float16", (1 << 16,), name="ub", scope=tik.scope_ubuf)
        t.data_move(ub, t.x, 0, n_burst, burst, gap, 0)

    return body


@pytest.mark.parametrize(
    ("n_burst", "burst", "n_packages", "startup"),
    [
        (1, 1, 1, 100),
        (1, 8, 1, 100),
        (1, 9, 2, 100),
        (1, 15, 3, 100),  # 480 bytes: 256, 128, 96
        (10, 1, 10, 100),
        (1, 511, 65, 100),  # 63 of 256 bytes, and 224: 128, 96
        (1, 512, 64, 0),  # 16 KiB are moved without a start-up
        (64, 8, 64, 0),
    ],
)
def test_bursts_are_cut_into_packages_that_cost_as_much_as_a_full_one(
    n_burst: int, burst: int, n_packages: int, startup: int
):
    alone = 256 / 94  # one core has L2's link for itself: 94 bytes a cycle
    wanted = startup + n_packages * alone
    assert wanted <= busy(load(n_burst, burst, gap=3), Pipe.MTE2) < wanted + 1


def test_cores_that_work_together_share_the_memory():
    def body(t: Any, tik: Any) -> None:
        with t.for_range(0, 32, block_num=32) as core:
            ub = t.Tensor("float16", (1 << 14,), name="ub", scope=tik.scope_ubuf)
            t.data_move(ub, t.x[core * (1 << 14)], 0, 1, 1024, 0, 0)

    wanted = 32 * 1024 / (1.16e12 / 1e9 / 32)
    assert wanted <= busy(body, Pipe.MTE2) < wanted + 1


def test_cores_that_read_the_same_bytes_read_them_from_l2():
    def body(t: Any, tik: Any) -> None:
        with t.for_range(0, 32, block_num=32):
            ub = t.Tensor("float16", (1 << 14,), name="ub", scope=tik.scope_ubuf)
            t.data_move(ub, t.x, 0, 1, 1024, 0, 0)

    wanted = 32 * 1024 / (3.0e12 / 1e9 / 32)
    assert wanted <= busy(body, Pipe.MTE2) < wanted + 1


@pytest.mark.parametrize(
    ("n_bytes", "cycles"),
    [
        (1024, 1024 / 5.9),
        (65536, 65536 / 105),
        (262144, 262144 / 156),
        (393216, 393216 / 156),
        (98304, (65536 / 105 + 131072 / 139) / 2),
    ],
)
def test_measured_curves_of_the_910b_are_met_at_their_points(n_bytes: int, cycles: float):
    def body(t: Any, tik: Any) -> None:
        l1 = t.Tensor("float16", (1 << 18,), name="l1", scope=tik.scope_cbuf)
        t.data_move(l1, t.x, 0, 1, n_bytes // 32, 0, 0)

    assert busy(body, Pipe.MTE2, "Ascend910B1") == pytest.approx(cycles, abs=1)


@pytest.mark.parametrize(
    ("scope", "cycles"), [("scope_ca", 10 + 7), ("scope_cb", 10 + 14)], ids=["L0A", "L0B"]
)
def test_load2d_is_twice_as_wide_into_l0a(scope: str, cycles: int):
    def body(t: Any, tik: Any) -> None:
        l1 = t.Tensor("float16", (8, 256), name="l1", scope=tik.scope_cbuf)
        l0 = t.Tensor("float16", (8, 256), name="l0", scope=getattr(tik, scope))
        t.load2dv1(l0, l1, 0, 7, 1, 0, False)

    assert busy(body, Pipe.MTE1) == cycles


@pytest.mark.parametrize(
    ("soc", "sizes", "cycles"),
    [
        ("Ascend910A", (64, 32, 48), 4 * 2 * 3 + 15),
        ("Ascend910A", (1, 16, 17), 1 * 1 * 2 + 15),
        ("Ascend310", (64, 64, 48), 4 * 4 * 3 + 15 + 2),  # an odd number of columns
        ("Ascend310", (64, 64, 32), 4 * 4 * 2 + 15),
        ("Ascend910B1", (16, 16, 16), 1 + 23),
    ],
)
def test_the_cube_does_a_fractal_a_cycle(soc: str, sizes: tuple[int, int, int], cycles: int):
    def body(t: Any, tik: Any) -> None:
        a = t.Tensor("float16", (4, 4, 16, 16), name="a", scope=tik.scope_ca)
        b = t.Tensor("float16", (4, 4, 16, 16), name="b", scope=tik.scope_cb)
        c = t.Tensor("float32", (4, 64, 16), name="c", scope=tik.scope_cc)
        t.mmad(c, a, b, *sizes, 0)

    assert busy(body, Pipe.M, soc) == cycles


def test_products_behind_one_another_hide_their_head_on_the_910b():
    def body(t: Any, tik: Any) -> None:
        a = t.Tensor("float16", (4, 4, 16, 16), name="a", scope=tik.scope_ca)
        b = t.Tensor("float16", (4, 4, 16, 16), name="b", scope=tik.scope_cb)
        c = t.Tensor("float32", (4, 64, 16), name="c", scope=tik.scope_cc)
        for step in range(3):
            t.mmad(c, a, b, 64, 64, 64, step)

    assert busy(body, Pipe.M, "Ascend910B1") == 3 * 64 + 23 + 2 * 2


@pytest.mark.parametrize(
    ("method", "operands", "rest", "cycles"),
    [
        ("vadd", "hhh", (5, 1, 1, 1, 8, 8, 8), 20 + 5),
        ("vexp", "hh", (5, 1, 1, 8, 8), 20 + 5 * 4),
        ("vexp", "ww", (5, 1, 1, 8, 8), 20 + 5 * 2),
        ("vcadd", "hh", (3, 1, 1, 8), 20 + 3 * 7),
        ("vec_conv", "wh", (4, 8, 4), 20 + 4),
        ("vector_dup", "h", (0.0, 255, 1, 8), 20 + 255),
    ],
)
def test_vector_work_is_a_start_up_and_repeats(
    method: str, operands: str, rest: tuple[Any, ...], cycles: int
):
    def body(t: Any, tik: Any) -> None:
        tensors = {
            "h": t.Tensor("float16", (1 << 15,), name="half", scope=tik.scope_ubuf),
            "w": t.Tensor("float32", (1 << 10,), name="wide", scope=tik.scope_ubuf),
        }
        mask = 64 if "w" in operands else 128
        words = ("none",) if method == "vec_conv" else ()
        getattr(t, method)(mask, *words, *(tensors[one] for one in operands), *rest)

    assert busy(body, Pipe.V) == cycles


@pytest.mark.parametrize(
    ("starts", "cycles"),
    [
        ((0, 128, 65536), 22 + 64),  # 86 measured: b lies 256 bytes behind a, dst in another bank
        ((0, 16384, 65536), 22 + 2 * 64),  # 150 measured: a and b in one group
        ((0, 128, 16384), 22 + 64 * 1.77),  # 135 measured: dst in the banks of a
        ((0, 128, 0), 22 + 64),  # in place of a
        ((0, 16384, 32768), 22 + 2 * 64),  # both at once: 2.1 a repeat measured elsewhere
    ],
)
def test_banks_of_the_910b_conflict_as_measured(starts: tuple[int, int, int], cycles: float):
    def body(t: Any, tik: Any) -> None:
        ub = t.Tensor("float16", (90000,), name="ub", scope=tik.scope_ubuf)
        a, b, dst = (ub[start] for start in starts)
        t.vadd(128, dst, a, b, 64, 1, 1, 1, 8, 8, 8)

    assert cycles <= busy(body, Pipe.V, "Ascend910B1") < cycles + 1


def test_results_leave_the_cube_through_the_vector_pipe():
    def body(t: Any, tik: Any) -> None:
        c = t.Tensor("float32", (2, 32, 16), name="c", scope=tik.scope_cc)
        ub = t.Tensor("float32", (2, 32, 16), name="ub", scope=tik.scope_ubuf)
        t.data_move(ub, c, 0, 1, 4, 0, 0)

    assert busy(body, Pipe.V) == 20 + 4 * 1024 // 256


def test_load3d_is_set_up_by_the_scalar_unit_and_keeps_its_distance():
    def body(t: Any, tik: Any) -> None:
        l1 = t.Tensor("float16", (1, 16, 16, 16), name="l1", scope=tik.scope_cbuf)
        a = t.Tensor("float16", (4, 16, 16), name="a", scope=tik.scope_ca)
        for i in range(2):
            t.load3dv1(a[i * 256], l1, [0] * 4, 16, 16, 0, 0, 0, 0, i, 1, 1, 1, 1, 1, 1, 1, 0, 1)

    cycles = count(body, timeline=True)
    assert use(cycles, Pipe.MTE1).busy == 2 * 25
    assert cycles.core == 2 * (43 + 1) + 25


def test_a_matmul_that_fits_half_of_l0b_is_one_piece_and_a_larger_one_more():
    def matmul(n: int, k: int) -> Body:
        def body(t: Any, tik: Any) -> None:
            a = t.Tensor("float16", (k // 16, 16, 16), name="a", scope=tik.scope_cbuf)
            b = t.Tensor("float16", (k // 16, n, 16), name="b", scope=tik.scope_cbuf)
            c = t.Tensor("float32", (n // 16, 16, 16), name="c", scope=tik.scope_cbuf_out)
            t.matmul(c, a, b, 16, k, n)

        return body

    for n, k, n_pieces in ((256, 64, 1), (256, 128, 2), (512, 64, 2), (1024, 64, 4), (128, 64, 1)):
        cube = use(count(matmul(n, k)), Pipe.M)
        assert (cube.n_instructions, cube.busy) == (n_pieces, n * k // 256 + 15 * n_pieces)
