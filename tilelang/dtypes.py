"""The element types of tiles, and their numpy counterparts.

`K0` in the vendor's documents is the number of elements in 32 bytes: 16 for two-byte types, 32 for
one byte, 8 for four bytes (TIK reference, "C0").
"""

from enum import Enum
from typing import Any, TypeAlias

import ml_dtypes
import numpy as np

from tilelang.diagnostics import Diagnostic, TileError, callsite

BLOCK_BYTES = 32
"""Bytes of one block of on-chip memory, and of one fractal row (TIK reference, "block")."""


class DType(Enum):
    """An element type: float16, bfloat16, float32, int8, uint8 or int32; bool only in expressions.

    Where one is wanted its name is taken too, `"float16"`, and numpy's type, `np.float16`; both
    are equal to it.

    Example:
        if x.dtype == "float16" or x.dtype.is_integer:
            t[:] = tl.relu(t)
    """

    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"
    FLOAT32 = "float32"
    INT8 = "int8"
    UINT8 = "uint8"
    INT32 = "int32"
    BOOL = "bool"
    """The type of a comparison inside an expression; no buffer holds it."""

    @property
    def numpy(self) -> np.dtype[np.generic]:
        """The numpy type that stores an element (`ml_dtypes.bfloat16` for bfloat16)."""
        return _NUMPY[self]

    @property
    def n_bytes(self) -> int:
        """Bytes of an element."""
        return self.numpy.itemsize

    @property
    def k0(self) -> int:
        """Elements in a 32-byte block."""
        return BLOCK_BYTES // self.n_bytes

    @property
    def is_float(self) -> bool:
        """Whether values are floating point."""
        return self in (DType.FLOAT16, DType.BFLOAT16, DType.FLOAT32)

    @property
    def is_integer(self) -> bool:
        """Whether values are integers."""
        return self in (DType.INT8, DType.UINT8, DType.INT32)

    def __eq__(self, other: object) -> bool:
        """Return whether `other` is this type, its name, or numpy's type of these elements.

        Raises:
            TileError: E0116 for a type of elements that there is not, which would never be equal.
        """
        like: Any = other
        if isinstance(other, DType):
            return self is other
        if not isinstance(other, str | type | np.dtype):
            return NotImplemented
        found = DType.BOOL if like == DType.BOOL.value else find_dtype(like)
        if found is None and _elsewhere(like) is not None:
            message = f"{like!r} is not an element type, so {self} is never equal to it"
            place = callsite.location(None)
            raise TileError(Diagnostic("E0116", message, place, dtype_hint(like)))
        return found is self

    def __hash__(self) -> int:
        """Return the hash of the name, which is equal to this."""
        return hash(self._value_)

    def __str__(self) -> str:
        """Return the name, as users write it."""
        return self.value


_NUMPY = {
    DType.FLOAT16: np.dtype(np.float16),
    DType.BFLOAT16: np.dtype(ml_dtypes.bfloat16),
    DType.FLOAT32: np.dtype(np.float32),
    DType.INT8: np.dtype(np.int8),
    DType.UINT8: np.dtype(np.uint8),
    DType.INT32: np.dtype(np.int32),
    DType.BOOL: np.dtype(np.bool_),
}
_BY_NUMPY = {numpy: dtype for dtype, numpy in _NUMPY.items()}

ELEMENT_TYPES = tuple(dtype for dtype in DType if dtype is not DType.BOOL)
"""What a buffer may hold."""

DTypeLike: TypeAlias = DType | str | np.dtype[np.generic] | type[np.generic]


ELSEWHERE = {
    "half": DType.FLOAT16,
    "fp16": DType.FLOAT16,
    "f16": DType.FLOAT16,
    "bf16": DType.BFLOAT16,
    "float": DType.FLOAT32,
    "fp32": DType.FLOAT32,
    "f32": DType.FLOAT32,
    "single": DType.FLOAT32,
    "float64": DType.FLOAT32,
    "fp64": DType.FLOAT32,
    "f64": DType.FLOAT32,
    "double": DType.FLOAT32,
    "int": DType.INT32,
    "i32": DType.INT32,
    "int64": DType.INT32,
    "long": DType.INT32,
    "i8": DType.INT8,
    "s8": DType.INT8,
    "u8": DType.UINT8,
}
"""What others call the element types; of those that no chip here has, what is nearest."""


def _elsewhere(like: object) -> DType | None:
    """Return what `like`, a name or a type, is called here; None if it is nothing of this kind."""
    name = like if isinstance(like, str) else getattr(like, "__name__", getattr(like, "name", ""))
    return ELSEWHERE.get(str(name).rpartition(".")[2].lower())


def dtype_hint(like: object) -> str:
    """Return what to write instead of `like`, which is no element type."""
    meant = _elsewhere(like)
    names = ", ".join(dtype.value for dtype in ELEMENT_TYPES)
    if getattr(like, "__name__", "") == "acc":
        return "write `tl.acc(a.dtype)`: what the cube sums a dtype in depends on the dtype"
    return f'write "{meant}"' if meant else f"use one of {names}"


def find_dtype(like: DTypeLike) -> DType | None:
    """Return the element type that a name, a numpy type or a `DType` stands for, else None."""
    if isinstance(like, DType):
        return like
    if isinstance(like, str):
        return next((dtype for dtype in ELEMENT_TYPES if dtype.value == like), None)
    try:
        dtype = _BY_NUMPY.get(np.dtype(like))
    except TypeError:  # numpy knows no such type either
        return None
    return None if dtype is DType.BOOL else dtype


def accumulator(dtype: DType) -> DType:
    """Return the type that sums of `dtype` are taken in: float32, or int32 for integers."""
    return DType.FLOAT32 if dtype.is_float else DType.INT32
