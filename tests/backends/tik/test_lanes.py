from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tests.backends.tik.scripts import floats, run_in_ub

COMPARE = {
    "lt": np.less,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
    "le": np.less_equal,
}


@pytest.mark.parametrize("op", COMPARE)
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_comparisons_write_contiguous_bits(op: str, dtype: type[np.floating[Any]]):
    lanes = 256 // np.dtype(dtype).itemsize
    a = np.random.default_rng(0).integers(-2, 3, 4 * lanes).astype(dtype)
    b = np.random.default_rng(1).integers(-2, 3, 4 * lanes).astype(dtype)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        getattr(t, f"vec_cmpv_{op}")(ub["bits"], ub["a"], ub["b"], 4, 8, 8)

    got = run_in_ub(body, {"a": a, "b": b}, {"bits": np.zeros(64, np.uint8)})["bits"]
    wanted = np.packbits(COMPARE[op](a, b), bitorder="little")
    np.testing.assert_array_equal(got[: wanted.size], wanted)


def test_select_by_the_compare_mask_uses_the_same_bits_in_every_repeat():
    a, b = floats(256, seed=1), floats(256, seed=2)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        mask = t.vcmp_lt(128, ub["a"], ub["b"], 1, 1)
        t.vsel(128, 0, ub["x"], mask, ub["a"], ub["b"], 2, 1, 1, 1, 8, 8, 8)

    got = run_in_ub(body, {"a": a, "b": b}, {"x": np.zeros_like(a)})["x"]
    chosen = np.tile((a < b)[:128], 2)
    np.testing.assert_array_equal(got, np.where(chosen, a, b))


def test_the_compare_mask_goes_through_memory():
    bits = np.random.default_rng(3).integers(0, 256, 32).astype(np.uint8)
    a, b = floats(64, np.float32, 4), floats(64, np.float32, 5)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        mask = t.mov_tensor_to_cmpmask(ub["bits"])
        t.vsel(64, 0, ub["x"], mask, ub["a"], ub["b"], 1, 1, 1, 1, 8, 8, 8)
        t.mov_cmpmask_to_tensor(ub["out"], mask)

    out = np.zeros(32, np.uint8)
    inputs = {"a": a, "b": b, "bits": bits}
    got = run_in_ub(body, inputs, {"x": np.zeros_like(a), "out": out})
    chosen = np.unpackbits(bits, bitorder="little").astype(bool)[:64]
    np.testing.assert_array_equal(got["x"], np.where(chosen, a, b))
    np.testing.assert_array_equal(got["out"][:16], bits[:16])


def test_select_modes_with_tensors_consume_bits_continuously():
    a, b = floats(256, seed=6), floats(256, seed=7)
    bits = np.random.default_rng(8).integers(0, 256, 32).astype(np.uint8)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vec_sel(128, 2, ub["x"], ub["bits"], ub["a"], ub["b"], 2, 8, 8, 8)
        t.vec_sel(128, 1, ub["y"], ub["bits"], ub["a"], -1.0, 2, 8, 8)

    zeros = np.zeros_like(a)
    inputs = {"a": a, "b": b, "bits": bits}
    got = run_in_ub(body, inputs, {"x": zeros, "y": zeros}, soc="Ascend310P3")
    chosen = np.unpackbits(bits, bitorder="little").astype(bool)
    np.testing.assert_array_equal(got["x"], np.where(chosen, a, b))
    np.testing.assert_array_equal(got["y"], np.where(chosen, a, np.float16(-1)))


def tree(values: Any) -> Any:
    """Return the sum of neighbours, each step rounded to the dtype."""
    while values.shape[-1] > 1:
        values = values[..., 0::2] + values[..., 1::2]
    return values[..., 0]


@pytest.mark.parametrize("count", [1, 17, 128])
def test_sums_of_repeats_ignore_masked_lanes(count: int):
    a = floats((3, 128), seed=9)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vcadd(count, ub["x"], ub["a"], 3, 1, 1, 8)

    got = run_in_ub(body, {"a": a}, {"x": np.zeros(16, np.float16)})["x"]
    kept = np.where(np.arange(128) < count, a, np.float16(0))
    np.testing.assert_array_equal(got[:3], tree(kept))


def test_maxima_come_with_their_index_as_bits():
    a = floats((2, 128), seed=10)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vcmax(128, ub["x"], ub["a"], 2, 1, 1, 8)
        t.vcmin(128, ub["y"], ub["a"], 2, 1, 1, 8, index_low=True)

    zeros = np.zeros(16, np.float16)
    got = run_in_ub(body, {"a": a}, {"x": zeros, "y": zeros})
    high, low = got["x"][:4].reshape(2, 2), got["y"][:4].reshape(2, 2)
    np.testing.assert_array_equal(high[:, 0], a.max(axis=1))
    np.testing.assert_array_equal(high[:, 1].view(np.uint16), a.argmax(axis=1))
    np.testing.assert_array_equal(low[:, 1], a.min(axis=1))
    np.testing.assert_array_equal(low[:, 0].copy().view(np.uint16), a.argmin(axis=1))


def test_block_and_pair_reductions():
    a = floats((2, 8, 16), seed=11)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vcgadd(128, ub["s"], ub["a"], 2, 1, 1, 8)
        t.vcgmax(128, ub["m"], ub["a"], 2, 1, 1, 8)
        t.vcpadd(128, ub["p"], ub["a"], 2, 1, 1, 8)

    outputs = {"s": np.zeros(16, np.float16), "m": np.zeros(16, np.float16)}
    got = run_in_ub(body, {"a": a}, {**outputs, "p": np.zeros(128, np.float16)})
    np.testing.assert_array_equal(got["s"], tree(a).reshape(-1))
    np.testing.assert_array_equal(got["m"], a.max(axis=2).reshape(-1))
    np.testing.assert_array_equal(got["p"], (a[..., 0::2] + a[..., 1::2]).reshape(-1))


def test_reductions_of_all_repeats():
    a = np.rint(floats((3, 64), np.float32, 12) * 64)  # whole: the sum is exact in any order

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vec_reduce_add(64, ub["s"], ub["a"], ub["work"], 3, 8)
        t.vec_reduce_max(64, ub["m"], ub["a"], ub["work"], 3, 8, cal_index=True)

    zeros = np.zeros(8, np.float32)
    work = np.zeros(64, np.float32)
    got = run_in_ub(body, {"a": a, "work": work}, {"s": zeros, "m": zeros})
    assert got["s"][0] == a.sum(dtype=np.float64)
    assert got["m"][0] == a.max()
    assert got["m"][1:2].view(np.uint32)[0] == a.argmax()


def test_compaction_by_number_and_by_bits_counts_what_it_stores():
    a = floats((2, 64), np.float32, 13)
    bits = np.random.default_rng(14).integers(0, 256, 32).astype(np.uint8)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        count = t.Scalar("uint32", "count")
        t.vreduce(64, ub["x"], ub["a"], 2, 2, 1, 8, 0)
        t.vreduce(64, ub["y"], ub["a"], ub["bits"], 2, 1, 8, 0, rsvd_scalar=count)
        ub["n"][0].set_as(count)

    outputs = {"x": np.zeros(64, np.float32), "y": np.zeros(128, np.float32)}
    inputs = {"a": a, "bits": bits.view(np.uint32)}
    got = run_in_ub(body, inputs, {**outputs, "n": np.zeros(8, np.int32)}, soc="Ascend310P3")
    chosen = np.unpackbits(bits[:8], bitorder="little").astype(bool)
    kept = a[:, chosen].reshape(-1)
    np.testing.assert_array_equal(got["x"], a.reshape(-1)[1::2])
    np.testing.assert_array_equal(got["y"][: kept.size], kept)
    assert got["n"][0] == kept.size


def test_square_transposes_may_be_in_place():
    a = np.arange(512, dtype=np.int16).reshape(2, 16, 16)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vec_trans(ub["x"], ub["a"], 2, 1, 1)
        t.vtranspose(ub["y"], ub["y"])

    got = run_in_ub(body, {"a": a}, {"x": np.zeros_like(a), "y": a[0]})
    np.testing.assert_array_equal(got["x"], a.swapaxes(1, 2))
    np.testing.assert_array_equal(got["y"], a[0].T)


def test_vnchwconv_transposes_a_matrix_of_halves():
    rows, columns = 16, 48
    a = floats((rows, columns), seed=15)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        sources = [ub["a"][columns * i] for i in range(16)]
        targets = [ub["x"][16 * i] for i in range(16)]
        t.vnchwconv(True, True, targets, sources, columns // 16, 16, 1)

    got = run_in_ub(body, {"a": a}, {"x": np.zeros((columns, rows), np.float16)})["x"]
    np.testing.assert_array_equal(got, a.T)


def test_vnchwconv_of_words_makes_two_blocks_of_a_column():
    a = floats((16, 8), np.float32, 16)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        sources = [ub["a"][8 * i] for i in range(16)]
        targets = [ub["x"][8 * i] for i in range(16)]
        t.vec_trans_scatter(False, False, targets, sources, 1, 0, 0)

    got = run_in_ub(body, {"a": a}, {"x": np.zeros((8, 16), np.float32)})["x"]
    np.testing.assert_array_equal(got, a.T)


def test_vnchwconv_of_bytes_takes_the_halves_that_the_flags_say():
    a = np.random.default_rng(17).integers(0, 256, (16, 32)).astype(np.uint8)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        sources = [ub["a"][32 * i] for i in range(16)]
        targets = [ub["x"][32 * i] for i in range(16)]
        t.vnchwconv(True, False, targets, sources, 1, 0, 0)

    got = run_in_ub(body, {"a": a}, {"x": np.zeros_like(a)})["x"]
    np.testing.assert_array_equal(got[:, 16:], a[:, :16].T)
    assert not got[:, :16].any()


def test_one_repeat_moves_the_starts_on_by_the_stride():
    a = floats((16, 32), seed=18)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        sources = [ub["a"][32 * i] for i in range(16)]
        targets = [ub["x"][16 * i] for i in range(16)]
        t.vnchwconv(True, True, targets, sources, 1, 0, 1)

    got = run_in_ub(body, {"a": a}, {"x": np.zeros((16, 16), np.float16)})["x"]
    np.testing.assert_array_equal(got, a[:, 16:].T)
