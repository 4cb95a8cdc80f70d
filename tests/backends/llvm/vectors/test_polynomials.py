"""The functions: every float16, and a dense sample of float32, within the bound they promise."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.backends.llvm.elementwise import load, map_program, tile
from tests.backends.llvm.running import results_of
from tilelang.backends.llvm.runtime.host import find_host
from tilelang.dtypes import DType
from tilelang.ir.expression import Unary, UnaryOp

Array = NDArray[Any]
FUNCTIONS: dict[UnaryOp, tuple[Callable[[Array], Array], float]] = {
    UnaryOp.EXP: (np.exp, 1.5),
    UnaryOp.LN: (np.log, 1.5),
    UnaryOp.TANH: (np.tanh, 4.5 if find_host().fma else 6),
    UnaryOp.SIGMOID: (lambda x: 1 / (1 + np.exp(-x)), 2.5),
    UnaryOp.RSQRT: (lambda x: 1 / np.sqrt(x), 1.5),
}
"""What each is, and its bound in units of the last place of float32."""


def errors(found: Array, exact: Array) -> Array:
    """Return how far `found` is from `exact`, in units of its last place.

    Infinite where one is NaN, infinite or not, and the other is otherwise.
    """
    limits = np.finfo(found.dtype)
    rounded = exact.astype(found.dtype)
    _, exponent = np.frexp(np.where(np.isfinite(rounded), exact, 1.0))
    place = np.ldexp(1.0, np.maximum(exponent - 1, limits.minexp) - limits.nmant)
    distance = np.abs(found.astype(np.float64) - exact) / place
    same = (found == rounded) | (np.isnan(found) & np.isnan(rounded))
    wrong = np.where(np.isfinite(rounded) & np.isfinite(found), distance, np.inf)
    return np.where(same, np.minimum(np.nan_to_num(distance, nan=0), 0.5), wrong)


def applied(op: UnaryOp, values: Array, dtype: DType) -> Array:
    x = tile("x", dtype, values.shape)
    return results_of(map_program(values.shape, [x], Unary(op, load(x))), [values])[0]


@pytest.mark.parametrize("op", FUNCTIONS, ids=str)
@np.errstate(all="ignore")
def test_every_float16(op: UnaryOp):
    values = np.arange(1 << 16, dtype=np.uint16).view(np.float16).reshape(64, 1024)
    exact = FUNCTIONS[op][0](values.astype(np.float64))
    assert errors(applied(op, values, DType.FLOAT16), exact).max() < 0.501


@pytest.mark.parametrize("op", FUNCTIONS, ids=str)
@np.errstate(all="ignore")
def test_a_million_float32(op: UnaryOp):
    function, bound = FUNCTIONS[op]
    bits = np.linspace(0, 2**32 - 1, 1 << 20).astype(np.uint32)
    near = np.linspace(-20, 20, 1 << 18, dtype=np.float32)
    values = np.concatenate([bits.view(np.float32), near]).reshape(-1, 1024)
    found, exact = applied(op, values, DType.FLOAT32), function(values.astype(np.float64))
    assert errors(found, exact).max() <= bound
