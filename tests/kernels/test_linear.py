"""`linear` with its activations, against numpy and the error function of the standard library."""

from math import erf, sqrt

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.correctness import checked
from tests.kernels.arrays import FLOATS, draw
from tilelang.diagnostics import TileError
from tilelang.kernels.linear import Activation, linear, linear_reference

SIZES = [(1, 1, 1), (15, 17, 16), (17, 16, 129), (129, 127, 15), (5, 3, 0)]


def gelu_of(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([v / 2 * (1 + erf(v / sqrt(2))) for v in x.flat]).reshape(x.shape)


@pytest.mark.parametrize("activation", Activation)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("m", "n", "k"), SIZES)
def test_it_is_within_the_bound_of_its_sums(
    activation: Activation, dtype: str, m: int, n: int, k: int
):
    x, w, b = draw((m, k), dtype), draw((n, k), dtype, seed=1), draw((n,), dtype, seed=2)
    checked(linear, x, w, b, activation=activation)


def test_gelu_is_as_near_the_one_with_erf_as_it_says():
    x = np.linspace(-8, 8, 4001)[:, None]
    ours = linear_reference(x, np.ones((1, 1)), np.zeros(1), Activation.GELU)
    assert 4e-4 < np.max(np.abs(ours - gelu_of(x))) < 5e-4


def test_an_unknown_activation_is_refused():
    with pytest.raises(TileError, match=r"E0142.*`activation` is 3, wanted one of 0 \(NONE\)"):
        linear.program(M=1, N=1, K=1, dtype="float16", activation=3)


def test_an_activation_that_is_no_number_is_refused():
    with pytest.raises(TileError, match=r"E0814.*`activation`"):
        linear.program(M=1, N=1, K=1, dtype="float16", activation="relu")
