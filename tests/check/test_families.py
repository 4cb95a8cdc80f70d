"""Families of inputs: reproducible, and exact where they say so."""

import numpy as np
import pytest

from tilelang.check.families import FAMILY_NAMES, families
from tilelang.check.oracle import enclose
from tilelang.kernels.conv2d import conv2d
from tilelang.kernels.gemm import gemm
from tilelang.kernels.lstm_cell import lstm_cell
from tilelang.numerics import IEEE

DTYPES = ["float16", "bfloat16", "float32", "int8"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("k", [1, 17, 4096])
def test_no_sum_rounds_on_the_exact_families(dtype: str, k: int):
    program = gemm.program(M=17, K=k, N=33, dtype=dtype)
    for family in families(program, 3):
        (found,) = enclose(program, family.inputs, IEEE, is_random=family.is_random)
        if family.name in ("exact", "one-hot", "tiles"):
            np.testing.assert_array_equal(found.low, found.high)
            assert found.value.any()


def test_the_same_seed_draws_the_same():
    program = gemm.program(M=3, K=5, N=7, dtype="float16")
    one, same, other = (list(families(program, seed)) for seed in (1, 1, 2))
    assert [family.name for family in one] == list(FAMILY_NAMES)
    for drawn, again in zip(one, same, strict=True):
        for array, copy in zip(drawn.inputs, again.inputs, strict=True):
            np.testing.assert_array_equal(array, copy)
    assert not np.array_equal(one[0].inputs[0], other[0].inputs[0])


def test_gates_stay_where_a_sigmoid_shows_differences():
    program = lstm_cell.program(B=3, I=2000, H=40, dtype="float16")
    for family in families(program, 0):
        x, h, _, w, u, _ = (array.astype(np.float64) for array in family.inputs)
        gates = np.abs(x @ w + h @ u)
        assert np.median(gates) < 8, family.name


def test_float16_results_do_not_overflow():
    program = conv2d.program(N=1, C=456, H=5, W=7, O=3, R=3, S=3, dtype="float16")
    for family in families(program, 0):
        (found,) = enclose(program, family.inputs, IEEE, is_random=family.is_random)
        assert np.isfinite(found.low).all(), family.name
