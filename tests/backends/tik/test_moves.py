from typing import Any

import numpy as np
import pytest

from tests.backends.tik.scripts import floats, tik_module
from tilelang.backends.tik.emulate import emulate
from tilelang.backends.tik.recorder import record
from tilelang.diagnostics import TileError


def copy_with_gaps(n_burst: int, burst: int, src_gap: int, dst_gap: int) -> None:
    """Y takes n_burst bursts of x through UB, which is filled with gaps and read without."""
    tik = tik_module()
    t = tik.Tik()
    x = t.Tensor("float16", (n_burst * (burst + src_gap) * 16,), name="x", scope=tik.scope_gm)
    y = t.Tensor("float16", (n_burst * burst * 16,), name="y", scope=tik.scope_gm)
    ub = t.Tensor("float16", (n_burst * (burst + dst_gap) * 16,), tik.scope_ubuf, "ub")
    t.data_move(ub, x, 0, n_burst, burst, src_gap, dst_gap)
    t.data_move(y, ub, 0, n_burst, burst, dst_gap, 0)
    t.BuildCCE("copy", [x], [y])


@pytest.mark.parametrize("sizes", [(1, 1, 0, 0), (3, 2, 1, 4), (17, 5, 0, 3), (2, 31, 7, 0)])
def test_gaps_run_from_the_end_of_a_burst(sizes: tuple[int, int, int, int]):
    n_burst, burst, src_gap, _ = sizes
    program = record(copy_with_gaps, *sizes)
    x = floats(n_burst * (burst + src_gap) * 16)
    got = emulate(program, {"x": x}).outputs["y"]
    wanted = x.reshape(n_burst, (burst + src_gap) * 16)[:, : burst * 16].reshape(-1)
    np.testing.assert_array_equal(got, wanted)


def copy_tail(n: int) -> None:
    """Y takes n elements of x in whole blocks."""
    tik = tik_module()
    t = tik.Tik()
    x = t.Tensor("float16", (n,), name="x", scope=tik.scope_gm)
    y = t.Tensor("float16", (n,), name="y", scope=tik.scope_gm)
    ub = t.Tensor("float16", (-(-n // 16) * 16,), tik.scope_ubuf, "ub")
    t.data_move(ub, x, 0, 1, -(-n // 16), 0, 0)
    t.data_move(y, ub, 0, 1, -(-n // 16), 0, 0)
    t.BuildCCE("copy", [x], [y])


@pytest.mark.parametrize("n", [1, 15, 16, 17, 1009])
def test_tails_behind_gm_tensors_are_warnings(n: int):
    x = floats(n)
    run = emulate(record(copy_tail, n), {"x": x})
    np.testing.assert_array_equal(run.outputs["y"], x)
    assert [item.code for item in run.warnings] == ([] if n % 16 == 0 else ["E1220", "E1221"])


def back_shifted(n: int) -> None:
    """Y = 2 x for n > 128 in pieces of 128, the last of which starts at n - 128; two cores."""
    tik = tik_module()
    t = tik.Tik()
    x = t.Tensor("float16", (n,), name="x", scope=tik.scope_gm)
    y = t.Tensor("float16", (n,), name="y", scope=tik.scope_gm)
    pieces = -(-n // 128)
    with t.for_range(0, 2, block_num=2) as core, t.for_range(0, -(-pieces // 2)) as j:
        piece = core + 2 * j
        with t.if_scope(piece < pieces):
            start = t.Scalar("int64", "start", piece * 128)
            t.scalar_min(start, start, n - 128)
            ub = t.Tensor("float16", (128,), tik.scope_ubuf, "ub")
            t.data_move(ub, x[start], 0, 1, 8, 0, 0)
            t.vec_muls(128, ub, ub, 2.0, 1, 8, 8)
            t.data_move(y[start], ub, 0, 1, 8, 0, 0)
    t.BuildCCE("back_shifted", [x], [y])


@pytest.mark.parametrize("n", [129, 255, 257, 1009])
def test_a_back_shifted_tail_writes_equal_values_from_two_cores(n: int):
    x = floats(n)
    run = emulate(record(back_shifted, n), {"x": x})
    np.testing.assert_array_equal(run.outputs["y"], x * np.float16(2))
    assert run.warnings == ()


def racing(dtype: str, atomic: bool) -> None:
    """Four cores store their number to, or add it atomically to, one block."""
    tik = tik_module()
    t = tik.Tik()
    y = t.Tensor(dtype, (8,), name="y", scope=tik.scope_gm, is_atomic_add=atomic)
    with t.for_range(0, 4, block_num=4) as core:
        ub = t.Tensor(dtype, (8,), tik.scope_ubuf, "ub")
        t.vec_dup(8, ub, core, 1, 8)
        if atomic:
            t.set_atomic_add(1)
        t.data_move(y, ub, 0, 1, 1, 0, 0)
        if atomic:
            t.set_atomic_add(0)
    t.BuildCCE("racing", [], [y])


def test_atomic_additions_of_all_cores_add_up():
    got = emulate(record(racing, "float32", True), {}).outputs["y"]
    np.testing.assert_array_equal(got, np.full(8, 6))


def test_cores_that_store_different_values_are_named():
    with pytest.raises(TileError, match=r"E1212.*cores 0 and 1 store different values at byte 0"):
        emulate(record(racing, "float32", False), {})


def test_atomic_addition_needs_a_chip_that_has_it():
    with pytest.raises(TileError, match=r"E1213.*Ascend310 adds no dtype atomically"):
        emulate(record(racing, "float32", True, soc="Ascend310"), {})


def padded_rows(rows: int, n: int) -> None:
    """Rows of n elements into UB with a margin of ones left and right, and out again."""
    tik = tik_module()
    t = tik.Tik()
    x = t.Tensor("float32", (rows, n), name="x", scope=tik.scope_gm)
    y = t.Tensor("float32", (rows, n + 3), name="y", scope=tik.scope_gm)
    pitch = -(-(n + 3) // 8) * 8
    ub = t.Tensor("float32", (rows, pitch), tik.scope_ubuf, "ub")
    t.data_move_pad(ub, x, rows, 4 * n, 0, 0, 1, 2, 1.0)
    t.data_move_pad(y, ub, rows, 4 * (n + 3), 0, 0)
    t.BuildCCE("padded_rows", [x], [y])


@pytest.mark.parametrize("n", [1, 5, 13])
def test_padded_moves_count_bytes_and_fill_margins(n: int):
    x = floats((7, n), np.float32)
    got = emulate(record(padded_rows, 7, n, soc="Ascend910B1"), {"x": x}).outputs["y"]
    np.testing.assert_array_equal(got, np.pad(x, ((0, 0), (2, 1)), constant_values=1))


def accumulator_round_trip(mode: int, dtype: str) -> None:
    """X goes from UB into L0C and back with a conversion."""
    tik = tik_module()
    t = tik.Tik()
    x = t.Tensor("float32", (2, 16, 16), name="x", scope=tik.scope_gm)
    y = t.Tensor(dtype, (2, 16, 16), name="y", scope=tik.scope_gm)
    ub = t.Tensor("float32", (2, 16, 16), tik.scope_ubuf, "ub")
    l0c = t.Tensor("float32", (2, 16, 16), tik.scope_cc, "l0c")
    out = t.Tensor(dtype, (2, 16, 16), tik.scope_ubuf, "out")
    t.data_move(ub, x, 0, 1, 64, 0, 0)
    t.data_move(l0c, ub, 0, 1, 2, 0, 0)
    t.data_move(out, l0c, 0, 1, 2, 0, 0, mode)
    t.data_move(y, out, 0, 1, 64 if dtype == "float32" else 32, 0, 0)
    t.BuildCCE("accumulator", [x], [y])


@pytest.mark.parametrize(
    ("mode", "dtype", "relu"),
    [(0, "float32", False), (1, "float16", False), (2, "float16", True), (5, "float32", True)],
)
def test_modes_between_l0c_and_ub(mode: int, dtype: str, relu: bool):
    x = floats((2, 16, 16), np.float32)
    got = emulate(record(accumulator_round_trip, mode, dtype), {"x": x}).outputs["y"]
    wanted = (np.maximum(x, 0) if relu else x).astype(dtype)
    np.testing.assert_array_equal(got, wanted)


def dynamic_scale() -> None:
    """Y = factor * x for a length and a factor from a tiling tensor; GM lengths are open."""
    tik = tik_module()
    t = tik.Tik()
    x = t.Tensor("float32", (2**31 - 1,), name="x", scope=tik.scope_gm)
    y = t.Tensor("float32", (2**31 - 1,), name="y", scope=tik.scope_gm)
    tiling = t.Tensor("int64", (4,), name="tiling", scope=tik.scope_gm)
    tiling_ub = t.Tensor("int64", (4,), tik.scope_ubuf, "tiling_ub")
    t.data_move(tiling_ub, tiling, 0, 1, 1, 0, 0)
    blocks = t.Scalar("int64", "blocks")
    blocks.set_as(tiling_ub[0])
    factor = t.Scalar("float32", "factor", init_value=tiling_ub.reinterpret_cast_to("float32")[2])
    ub = t.Tensor("float32", (64,), tik.scope_ubuf, "ub")
    with t.for_range(0, blocks) as i:
        t.data_move(ub, x[i * 64], 0, 1, 8, 0, 0)
        t.vec_muls(64, ub, ub, factor, 1, 8, 8)
        t.data_move(y[i * 64], ub, 0, 1, 8, 0, 0)
    t.BuildCCE("dynamic", [x], [y], flowtable=[tiling])


@pytest.mark.parametrize("blocks", [0, 1, 7])
def test_a_tiling_tensor_decides_length_and_factor(blocks: int):
    x = floats(blocks * 64 + 64, np.float32)
    tiling: Any = np.array([blocks, 0, 0, 0], np.int64)
    tiling.view(np.float32)[2] = 1.5
    run = emulate(record(dynamic_scale), {"x": x, "y": np.zeros_like(x), "tiling": tiling})
    wanted = np.concatenate([x[: blocks * 64] * np.float32(1.5), np.zeros(64)])
    np.testing.assert_array_equal(run.outputs["y"], wanted)
