"""Random inputs of kernels, by shape and element type."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilelang.dtypes import DType

FLOATS = ("float16", "bfloat16", "float32")
AWKWARD = (1, 15, 16, 17, 31, 127, 129)


def draw(shape: tuple[int, ...], dtype: str, seed: int = 0, scale: float = 1.0) -> NDArray[Any]:
    """Return values around 0 (floats), or of the whole range of the type (integers)."""
    generator = np.random.default_rng((seed, *shape))
    numpy = DType(dtype).numpy
    if DType(dtype).is_float:
        return (scale * generator.normal(size=shape)).astype(numpy)
    limits = np.iinfo(dtype)
    return generator.integers(limits.min, limits.max, shape, numpy.type, endpoint=True)


def wide(*arrays: NDArray[Any]) -> list[NDArray[Any]]:
    """Return float arrays in float64, and integer ones in int64."""
    return [
        array.astype(np.int64 if np.issubdtype(array.dtype, np.integer) else np.float64)
        for array in arrays
    ]
