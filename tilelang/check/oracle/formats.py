"""The floating-point types of the language, and rounding to them."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tilelang.dtypes import DType

Array: TypeAlias = NDArray[Any]
Ends: TypeAlias = tuple[Array, Array]
"""The lowest and the highest that a number may be."""


@dataclass(frozen=True, slots=True)
class Format:
    """A floating-point type: `n_bits` of significand, the leading one among them."""

    n_bits: int
    lowest_exponent: int
    """Of the least normal number, 2**lowest_exponent."""
    largest: float

    @property
    def unit_roundoff(self) -> float:
        """Half the distance from 1 to the next number."""
        return 2.0**-self.n_bits

    @property
    def least_normal(self) -> float:
        """The least positive number with all its bits."""
        return 2.0**self.lowest_exponent

    @property
    def least(self) -> float:
        """The least positive number."""
        return 2.0 ** (self.lowest_exponent - self.n_bits + 1)

    def spacing(self, x: Array) -> Array:
        """Return the distance between neighbours around `x`; of infinity, as at the largest."""
        size = np.minimum(np.nan_to_num(np.abs(x), nan=0.0), self.largest)
        _, exponent = np.frexp(size)
        exponent = np.maximum(exponent - 1, self.lowest_exponent)
        return np.ldexp(1.0, exponent - self.n_bits + 1)


FORMATS = {
    DType.FLOAT16: Format(11, -14, 65504.0),
    DType.BFLOAT16: Format(8, -126, float.fromhex("0x1.fep127")),
    DType.FLOAT32: Format(24, -126, float.fromhex("0x1.fffffep127")),
}
DOUBLE = Format(53, -1022, float.fromhex("0x1.fffffffffffffp1023"))


def nearest(x: Array, dtype: DType) -> Array:
    """Return float64 numbers rounded to `dtype`, to nearest, ties to even."""
    if dtype in (DType.FLOAT16, DType.FLOAT32):
        return x.astype(dtype.numpy).astype(np.float64)
    return to_bits(x, FORMATS[dtype])


def to_bits(x: Array, form: Format) -> Array:
    """Return float64 numbers rounded to `form`, to nearest, ties to even."""
    spacing = form.spacing(x)
    rounded = np.rint(x / spacing) * spacing
    return np.where(np.abs(rounded) > form.largest, np.copysign(np.inf, x), rounded)
