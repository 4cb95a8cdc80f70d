"""Whether a Python number has a value in an element type."""

import math

from tilelang.dtypes import DType

_INTEGERS = {
    DType.INT8: (-(2**7), 2**7 - 1),
    DType.UINT8: (0, 2**8 - 1),
    DType.INT32: (-(2**31), 2**31 - 1),
}
_LARGEST = {
    DType.FLOAT16: (2 - 2**-10) * 2.0**15,
    DType.BFLOAT16: (2 - 2**-7) * 2.0**127,
    DType.FLOAT32: (2 - 2**-23) * 2.0**127,
}
_BECOMES_INFINITE = {
    DType.FLOAT16: (2 - 2**-11) * 2.0**15,
    DType.BFLOAT16: (2 - 2**-8) * 2.0**127,
    DType.FLOAT32: (2 - 2**-24) * 2.0**127,
}
"""The least number that rounding to nearest makes infinite: half a step past the largest."""


def number_fault(value: int | float | bool, dtype: DType) -> tuple[str, str] | None:
    """Return why `value` has none in `dtype` and what to write instead, or None if it has.

    Floats are rounded, so only a finite number that would become infinite has none.
    """
    if dtype.is_integer:
        return _integer_fault(value, dtype)
    if dtype.is_float and _BECOMES_INFINITE[dtype] <= abs(value) != math.inf:
        most = f"{_LARGEST[dtype]:g}"
        return f"the largest {dtype} is {most}", f"{'-' if value < 0 else ''}{most} or an infinity"
    return None


def _integer_fault(value: float, dtype: DType) -> tuple[str, str] | None:
    low, high = _INTEGERS[dtype]
    nearest = str(low if value < low else high)
    if isinstance(value, float) and math.isnan(value):
        return f"{dtype} has no nan", "a whole number"
    if abs(value) == math.inf:
        return f"{dtype} has no infinity", nearest
    if not low <= value <= high:
        return f"{dtype} goes from {low} to {high}", nearest
    if value != int(value):
        return f"{dtype} has no fractions", str(round(value))
    return None
