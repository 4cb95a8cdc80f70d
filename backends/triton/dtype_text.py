"""Element types and numbers as the generated text writes them."""

import math
from dataclasses import dataclass

import numpy as np

from tilelang.backends.triton.functions import Functions
from tilelang.backends.triton.names import safe
from tilelang.dtypes import DType

TRITON = {
    DType.FLOAT16: "tl.float16",
    DType.BFLOAT16: "tl.bfloat16",
    DType.FLOAT32: "tl.float32",
    DType.INT8: "tl.int8",
    DType.UINT8: "tl.uint8",
    DType.INT32: "tl.int32",
    DType.BOOL: "tl.int1",
}
"""Triton's names."""

SIGNATURE = {
    DType.FLOAT16: "fp16",
    DType.BFLOAT16: "bf16",
    DType.FLOAT32: "fp32",
    DType.INT8: "i8",
    DType.UINT8: "u8",
    DType.INT32: "i32",
}
"""What the signature of a compiled kernel calls them."""


@dataclass(frozen=True, slots=True)
class Types:
    """How blocks are typed in registers.

    Triton's interpreter computes with the bits of a bfloat16 as if they were an integer, converts
    small ones wrongly, and says nothing. For it, `widens` keeps bfloat16 in float32, rounded after
    every operation: the same numbers, for what a bfloat16 operation rounds is the float32 result.
    """

    functions: Functions
    widens: bool = False

    def name(self, dtype: DType) -> str:
        """Return Triton's name of the type that a block of `dtype` has."""
        return TRITON[DType.FLOAT32 if self.rounds(dtype) else dtype]

    def loaded(self, text: str, dtype: DType) -> str:
        """Return what was loaded as a block."""
        return f"{self.functions.use('widen_bfloat16')}({text})" if self.rounds(dtype) else text

    def stored(self, text: str, dtype: DType) -> str:
        """Return a block as what is stored."""
        return f"{self.functions.use('narrow_bfloat16')}({text})" if self.rounds(dtype) else text

    def rounds(self, dtype: DType) -> bool:
        """Return whether results of `dtype` are rounded by hand."""
        return self.widens and dtype is DType.BFLOAT16


def number(value: float, dtype: DType) -> str:
    """Return `value`, rounded to `dtype`, as a literal."""
    if dtype is DType.BOOL:
        return str(bool(value))
    if not dtype.is_float:
        return str(int(value))
    with np.errstate(over="ignore"):
        rounded = float(np.asarray(value, np.float64).astype(dtype.numpy))
    return repr(rounded) if math.isfinite(rounded) else f'float("{rounded}")'


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape as a tuple."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def variable(name: str) -> str:
    """Return the name of a tile or a tensor in the text."""
    return safe(name)
