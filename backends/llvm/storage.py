"""How an element is kept in the backend's memory, which need not be its dtype.

The cube's operands are visible to the cube only, so float16 may be widened to float32 on the way
in, and int8 stored with a bias that makes it the unsigned factor of `vpdpbusd`.
"""

from enum import Enum

from tilelang.dtypes import DType


class Storage(Enum):
    """A stored form of an element; the value is LLVM's integer or float type of it."""

    F32 = "float"
    F16 = "half"
    BF16 = "bf16"
    I8 = "i8"
    U8 = "u8"
    I32 = "i32"
    I8_BIASED = "i8+128"
    """int8 plus 128, as an unsigned byte."""

    @property
    def llvm(self) -> str:
        """The LLVM type of one element in memory: integers for all but float32."""
        return _LLVM[self]

    @property
    def n_bytes(self) -> int:
        """Bytes of an element."""
        return _BYTES[self]


_LLVM = {
    Storage.F32: "float",
    Storage.F16: "i16",
    Storage.BF16: "i16",
    Storage.I8: "i8",
    Storage.U8: "i8",
    Storage.I32: "i32",
    Storage.I8_BIASED: "i8",
}
_BYTES = {
    storage: {"float": 4, "i16": 2, "i8": 1, "i32": 4}[name] for storage, name in _LLVM.items()
}
_OF_DTYPE = {
    DType.FLOAT32: Storage.F32,
    DType.FLOAT16: Storage.F16,
    DType.BFLOAT16: Storage.BF16,
    DType.INT8: Storage.I8,
    DType.UINT8: Storage.U8,
    DType.INT32: Storage.I32,
}


def plain(dtype: DType) -> Storage:
    """Return the storage that is the dtype itself, as numpy keeps it."""
    return _OF_DTYPE[dtype]
