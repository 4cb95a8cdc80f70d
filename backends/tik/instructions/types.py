"""Element types and memory scopes as TIK names them."""

from enum import Enum

import ml_dtypes
import numpy as np

BLOCK_BYTES = 32
"""Bytes of a block: the unit of strides and of most bursts (TIK reference, "block")."""

BLOCKS_PER_REPEAT = 8
"""Blocks that one vector repeat covers: 256 bytes (TIK reference, "repeat")."""

FRACTAL_BYTES = 512
"""Bytes of one fractal of L0A and L0B: 16 rows of one block (TIK reference, load2dv1)."""


class TikType(Enum):
    """The type of a scalar or a tensor element; the value is TIK's name."""

    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"
    FLOAT32 = "float32"
    INT8 = "int8"
    UINT8 = "uint8"
    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    BOOL = "bool"

    @property
    def numpy(self) -> np.dtype[np.generic]:
        """The numpy type that stores an element."""
        return _NUMPY[self]

    @property
    def n_bytes(self) -> int:
        """Bytes of an element."""
        return _NUMPY[self].itemsize

    @property
    def is_float(self) -> bool:
        """Whether values are floating point."""
        return self in (TikType.FLOAT16, TikType.BFLOAT16, TikType.FLOAT32)

    @property
    def per_block(self) -> int:
        """Elements in a block: C0, K0."""
        return BLOCK_BYTES // self.n_bytes

    def __str__(self) -> str:
        """Return TIK's name."""
        return self.value


_NUMPY: dict[TikType, np.dtype[np.generic]] = {
    dtype: np.dtype(ml_dtypes.bfloat16 if dtype is TikType.BFLOAT16 else dtype.value)
    for dtype in TikType
}


class Scope(Enum):
    """A memory; the value is its attribute of the module `tik`."""

    GM = "scope_gm"
    L1 = "scope_cbuf"
    L1OUT = "scope_cbuf_out"
    """Where `matmul` and `conv2d` leave results: it is L0C under another name."""
    L0A = "scope_ca"
    L0B = "scope_cb"
    L0C = "scope_cc"
    UB = "scope_ubuf"

    @property
    def is_accumulator(self) -> bool:
        """Whether it is the cube's accumulator."""
        return self in (Scope.L0C, Scope.L1OUT)

    def __str__(self) -> str:
        """Return the memory's usual name, as in messages."""
        return "L0C" if self is Scope.L1OUT else self.name
