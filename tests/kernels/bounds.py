"""How far a correct kernel may be from its float64 reference, derived and not tuned.

`u` is the unit roundoff. A sum of n terms, in any order, is off by at most `n u / (1 - n u)` times
the sum of their absolute values (Higham, "Accuracy and Stability of Numerical Algorithms", 3.1).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilelang.dtypes import DType, find_dtype

Array = NDArray[Any]

U = {DType.FLOAT16: 2.0**-11, DType.BFLOAT16: 2.0**-8, DType.FLOAT32: 2.0**-24}
U32 = U[DType.FLOAT32]
HALF_OF_SMALLEST = {
    DType.FLOAT16: 2.0**-25,
    DType.BFLOAT16: 2.0**-134,
    DType.FLOAT32: 2.0**-150,
}


def sum_error(scale: Array, n_terms: int) -> Array:
    """Return the error of a float32 sum of `n_terms` whose absolute values sum up to `scale`."""
    return n_terms * U32 / (1 - n_terms * U32) * scale


def rounded(exact: Array, error: Array, dtype: DType) -> Array:
    """Return `error` after one more rounding to `dtype`."""
    return error + U[dtype] * (np.abs(exact) + error) + HALF_OF_SMALLEST[dtype]


def assert_within(found: Array, exact: Array, error: Array) -> None:
    """Check that `found` is `exact`, but for `error` in float32 and a rounding to its dtype."""
    dtype = find_dtype(found.dtype)
    assert dtype is not None
    assert found.shape == exact.shape
    bound = rounded(exact, np.asarray(error, np.float64), dtype)
    difference = np.abs(found.astype(np.float64) - exact)
    share = np.max(difference / bound, initial=0)
    assert share <= 1, f"{share:.3g} times the bound"
