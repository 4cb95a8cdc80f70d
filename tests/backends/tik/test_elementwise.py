from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from tests.backends.tik.scripts import floats, run_in_ub
from tilelang.diagnostics import TileError

Function = Callable[[Any], Any]

BINARY = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "max": np.maximum,
    "min": np.minimum,
}


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_binary_operations_agree_with_numpy_in_both_name_forms(name: str, dtype: type):
    lanes = 256 // np.dtype(dtype).itemsize
    a, b = floats(3 * lanes, dtype, 1), floats(3 * lanes, dtype, 2)
    zeros = np.zeros_like(a)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        getattr(t, f"v{name}")(lanes, ub["x"], ub["a"], ub["b"], 3, 1, 1, 1, 8, 8, 8)
        getattr(t, f"vec_{name}")(lanes, ub["y"], ub["a"], ub["b"], 3, 8, 8, 8)

    got = run_in_ub(body, {"a": a, "b": b}, {"x": zeros, "y": zeros})
    np.testing.assert_array_equal(got["x"], BINARY[name](a, b))
    np.testing.assert_array_equal(got["y"], BINARY[name](a, b))


@pytest.mark.parametrize("count", [1, 15, 16, 17, 63, 64, 127])
def test_lanes_past_the_mask_keep_their_value(count: int):
    a, old = floats(256, seed=3), floats(256, seed=4)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vec_muls(count, ub["x"], ub["a"], 3.0, 2, 8, 8)

    got = run_in_ub(body, {"a": a}, {"x": old})["x"].reshape(2, 128)
    wanted = old.reshape(2, 128).copy()
    wanted[:, :count] = (a * np.float16(3)).reshape(2, 128)[:, :count]
    np.testing.assert_array_equal(got, wanted)


def test_a_bit_mask_chooses_single_lanes():
    a, old = floats(128, seed=5), floats(128, seed=6)
    high, low = 0x8000_0000_0000_0001, 0x5

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vadds([high, low], ub["x"], ub["a"], 1.0, 1, 1, 1, 8, 8)

    got = run_in_ub(body, {"a": a}, {"x": old})["x"]
    wanted = old.copy()
    wanted[[0, 2, 64, 127]] = a[[0, 2, 64, 127]] + np.float16(1)
    np.testing.assert_array_equal(got, wanted)


def test_strided_blocks_with_a_partial_last_block():
    a = floats(128 * 2, seed=7)
    old = np.zeros(128 * 2, np.float16)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vadds(41, ub["x"], ub["a"], 0.0, 1, 2, 1, 8, 8)

    got = run_in_ub(body, {"a": a}, {"x": old})["x"].reshape(16, 16)
    wanted = np.zeros((16, 16), np.float16)
    wanted[0], wanted[2], wanted[4, :9] = a[:16], a[16:32], a[32:41]
    np.testing.assert_array_equal(got, wanted)


def test_stride_zero_sources_broadcast_a_block_and_a_repeat():
    a, row = floats((16, 64), np.float32, 8), floats(8, np.float32, 9)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vadd(64, ub["x"], ub["a"], ub["row"], 16, 1, 1, 0, 8, 8, 0)

    got = run_in_ub(body, {"a": a, "row": row}, {"x": np.zeros_like(a)})["x"]
    np.testing.assert_array_equal(got, a + np.tile(row, 8))


def test_repeat_stride_zero_on_destination_and_source_accumulates():
    a = floats((5, 64), np.float32, 10)
    total = np.zeros(64, np.float32)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vadd(64, ub["sum"], ub["sum"], ub["a"], 5, 1, 1, 1, 0, 0, 8)

    got = run_in_ub(body, {"a": a}, {"sum": total})["sum"]
    wanted = total
    for line in a:
        wanted = wanted + line
    np.testing.assert_array_equal(got, wanted)


def test_nd_to_nz_by_vor_moves_bits():
    rows, blocks = 16, 3
    a = np.random.default_rng(11).integers(-(2**15), 2**15, (rows, blocks * 16)).astype(np.int16)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        for c in range(blocks):
            source = ub["a"][16 * c]
            strides = (1, blocks, blocks, 8, 8 * blocks, 8 * blocks)
            t.vor(128, ub["x"][c * rows * 16], source, source, rows // 8, *strides)

    got = run_in_ub(body, {"a": a}, {"x": np.zeros_like(a)})["x"].reshape(blocks, rows, 16)
    np.testing.assert_array_equal(got, a.reshape(rows, blocks, 16).transpose(1, 0, 2))


FUNCTIONS: dict[str, Function] = {
    "vexp": np.exp,
    "vln": np.log,
    "vsqrt": np.sqrt,
    "vrec": np.reciprocal,
    "vrsqrt": lambda x: 1 / np.sqrt(x),
    "vabs": np.abs,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_the_exact_value_rounded_once(name: str):
    a = np.abs(floats(128, np.float32, 12)) + np.float32(0.1)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        getattr(t, name)(64, ub["x"], ub["a"], 2, 1, 1, 8, 8)

    got = run_in_ub(body, {"a": a}, {"x": np.zeros_like(a)})["x"]
    np.testing.assert_array_equal(got, FUNCTIONS[name](a.astype(np.float64)).astype(np.float32))


def test_multiply_add_rounds_the_product_and_the_sum():
    a, b, c = (floats(128, seed=seed) for seed in (13, 14, 15))

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vmla(128, ub["x"], ub["a"], ub["b"], 1, 1, 1, 1, 8, 8, 8)
        t.vmadd(128, ub["y"], ub["a"], ub["b"], 1, 1, 1, 1, 8, 8, 8)
        t.vec_axpy(128, ub["z"], ub["a"], 0.3, 1, 8, 8)

    got = run_in_ub(body, {"a": a, "b": b}, {"x": c, "y": c, "z": c})
    np.testing.assert_array_equal(got["x"], a * b + c)
    np.testing.assert_array_equal(got["y"], a * c + b)
    np.testing.assert_array_equal(got["z"], a * np.float16(0.3) + c)


def test_multiply_add_of_half_operands_into_float32():
    a, b, c = floats(64, seed=16), floats(64, seed=17), floats(64, np.float32, 18)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vmla(64, ub["x"], ub["a"], ub["b"], 1, 1, 1, 1, 8, 4, 4)

    got = run_in_ub(body, {"a": a, "b": b}, {"x": c})["x"]
    wanted = a.astype(np.float32) * b.astype(np.float32) + c
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize(("soc", "wanted"), [("Ascend910A", 65504.0), ("Ascend910B1", np.inf)])
def test_float16_overflow_saturates_on_the_first_generation_only(soc: str, wanted: float):
    a = np.full(128, 60000, np.float16)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vec_add(128, ub["x"], ub["a"], ub["a"], 1, 8, 8, 8)

    assert run_in_ub(body, {"a": a}, {"x": a}, soc=soc)["x"][0] == wanted


def test_integers_wrap():
    a = np.full(64, 2**31 - 1, np.int32)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vec_add(64, ub["x"], ub["a"], ub["a"], 1, 8, 8, 8)

    assert run_in_ub(body, {"a": a}, {"x": a})["x"][0] == -2


def test_dup_and_a_computed_repeat_of_zero():
    old = floats(128, seed=19)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        none = t.Scalar("int32", "none", 0)
        t.vec_dup(128, ub["x"][512], 1.0, none, 8)
        t.vector_dup([0, 0xFF], ub["x"], 2.5, 1, 1, 8)

    got = run_in_ub(body, {}, {"x": old})["x"]
    np.testing.assert_array_equal(got, np.concatenate([np.full(8, 2.5), old[8:]]))


MODES: dict[str, Function] = {
    "": np.rint,
    "round": np.rint,
    "floor": np.floor,
    "ceil": np.ceil,
    "to-zero": np.trunc,
    "away-zero": lambda x: np.copysign(np.floor(np.abs(x) + 0.5), x),
}


@pytest.mark.parametrize("mode", MODES)
def test_floats_become_integers_by_the_rounding_mode(mode: str):
    a = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 1e10, -1e10] * 8, np.float32)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vec_conv(64, mode, ub["x"], ub["a"], 1, 8, 8)

    got = run_in_ub(body, {"a": a}, {"x": np.zeros(64, np.int32)})["x"]
    wanted = np.clip(MODES[mode](a.astype(np.float64)), -(2**31), 2**31 - 1)
    np.testing.assert_array_equal(got, wanted.astype(np.int32))


def test_narrowing_and_widening_use_half_the_blocks_on_the_narrow_side():
    a = floats(192, np.float32, 20)
    half = np.zeros(192, np.float16)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vconv(64, "", ub["h"], ub["a"], 3, 1, 1, 4, 8)
        t.vec_conv(64, "none", ub["w"], ub["h"], 3, 8, 4)

    got = run_in_ub(body, {"a": a}, {"h": half, "w": np.zeros_like(a)})
    np.testing.assert_array_equal(got["h"], a.astype(np.float16))
    np.testing.assert_array_equal(got["w"], a.astype(np.float16).astype(np.float32))


def test_half_to_bytes_and_back_keeps_128_lanes():
    a = np.arange(-64, 64).astype(np.float16)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vec_conv(128, "", ub["b"], ub["a"], 1, 4, 8)
        t.vec_conv(128, "", ub["x"], ub["b"], 1, 8, 4)

    got = run_in_ub(body, {"a": a}, {"b": np.zeros(128, np.int8), "x": np.zeros_like(a)})
    np.testing.assert_array_equal(got["b"], a.astype(np.int8))
    np.testing.assert_array_equal(got["x"], a)


def test_int32_to_half_multiplies_by_the_scale():
    a = np.arange(64, dtype=np.int32) * 1000

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vconv(64, "", ub["x"], ub["a"], 1, 1, 1, 4, 8, deqscale=0.25)

    got = run_in_ub(body, {"a": a}, {"x": np.zeros(64, np.float16)})["x"]
    np.testing.assert_array_equal(got, (a * 0.25).astype(np.float16))


def test_directed_narrowing_never_crosses_the_value():
    a = floats(64, np.float32, 21)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vec_conv(64, "odd", ub["x"], ub["a"], 1, 4, 8)

    got = run_in_ub(body, {"a": a}, {"x": np.zeros(64, np.float16)})["x"]
    inexact = got.astype(np.float32) != a
    assert (got.view(np.uint16)[inexact] & 1).all()
    assert (np.abs(got.astype(np.float32) - a) < 2.0**-9 * np.abs(a)).all()


def test_high_precision_functions_need_their_work_tensor():
    a = floats(64, np.float32, 22)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vec_rec_high_preci(64, ub["x"], ub["a"], ub["work"], 1, 8, 8)

    zeros = np.zeros(64, np.float32)
    with pytest.raises(TileError, match=r"work_tensor covers bytes 0 to 512 of `work_ub`"):
        run_in_ub(body, {"a": a, "work": zeros}, {"x": zeros})
    got = run_in_ub(body, {"a": a, "work": np.zeros(128, np.float32)}, {"x": zeros})["x"]
    np.testing.assert_array_equal(got, (1 / a.astype(np.float64)).astype(np.float32))
