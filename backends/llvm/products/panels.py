"""How the operands of the cube lie in memory, and what multiplies them on a host.

The unit of k is 32 bits: one float32, two bfloat16, four bytes. `a` lies in blocks of 8 rows by 16
units (8 where a tile starts inside 16), one after the other along k, so a micro-kernel reads it
from front to back. `b` lies in panels of 16 columns, one vector of 16 units for each unit of k. The
accumulator lies as NZ does: panels of 16 columns, one vector a row.
"""

from dataclasses import dataclass
from enum import Enum

from tilelang.backends.llvm.form import Form, packed
from tilelang.backends.llvm.runtime.host import Host
from tilelang.backends.llvm.storage import Storage, plain
from tilelang.dtypes import DType
from tilelang.ir.region import Permute, Region

ROWS = 8
"""Rows of a block of `a`: half a fractal, as many as the largest micro-kernel takes."""
LANES = 16
"""Columns of a panel of `b`, elements of a vector of sums."""


class Multiply(Enum):
    """The instruction that multiplies and adds a vector of units."""

    FMA = "fma"
    """float32; narrow floats are widened first."""
    DOT_BF16 = "dpbf16ps"
    DOT_INT8 = "vpdpbusd"
    INTEGER = "mul"
    """int32; bytes are widened first."""


@dataclass(frozen=True, slots=True)
class Method:
    """How two dtypes are multiplied on a host, and how their elements are stored for it."""

    multiply: Multiply
    a: Storage
    b: Storage

    @property
    def unit(self) -> int:
        """Elements of k in a unit."""
        return {Multiply.DOT_BF16: 2, Multiply.DOT_INT8: 4}.get(self.multiply, 1)

    @property
    def sum_type(self) -> str:
        """The LLVM type of an element of the accumulator."""
        return "float" if self.multiply in (Multiply.FMA, Multiply.DOT_BF16) else "i32"


@dataclass(frozen=True, slots=True)
class Side:
    """An operand's part in a product: which axes of its buffer are k and the other one."""

    is_a: bool
    outer: int
    k: int
    method: Method
    k_block: int
    """Elements of k in a block of `a`."""


def find_method(a: DType, b: DType, host: Host) -> Method:
    """Return how `a` and `b` are multiplied on `host`."""
    if a is DType.BFLOAT16 and host.dot_bf16:
        return Method(Multiply.DOT_BF16, Storage.BF16, Storage.BF16)
    if a.is_float:
        narrow = a is DType.FLOAT16 and host.avx512
        return Method(Multiply.FMA, Storage.F32, plain(b) if narrow else Storage.F32)
    if host.dot_int8 and b is DType.INT8:
        biased = Storage.I8_BIASED if a is DType.INT8 else Storage.U8
        return Method(Multiply.DOT_INT8, biased, Storage.I8)
    return Method(Multiply.INTEGER, Storage.I32, Storage.I32)


def reads_in_place(region: Region, method: Method, *, is_a: bool) -> bool:
    """Return whether the cube can read `region`, of a plain array, without packing it.

    The axis that a load runs along, k of `a` and the columns of `b`, must be the last one, and the
    elements stored as they are. To join four rows of bytes anew for every few rows of `a` takes
    longer than to pack them: 30 us against 19 at 16x1024x256.
    """
    axes, storage = matrix_axes(region), method.a if is_a else method.b
    if axes is None or storage is not plain(region.buffer.dtype):
        return False
    return axes[1] == region.buffer.rank - 1 and (is_a or method.unit < 4)


def matrix_axes(region: Region) -> tuple[int, int] | None:
    """Return the axes of the buffer that the rows and columns of `region` run over.

    None if an axis is merged from several, or is not taken element by element.
    """
    if not isinstance(region.view, Permute) or len(region.spanned) != 2:
        return None
    groups = [region.view.groups[axis] for axis in region.spanned]
    if any(len(group) != 1 for group in groups) or any(region.step[a] != 1 for a in region.spanned):
        return None
    return groups[0][0], groups[1][0]


def tile_of(host: Host) -> tuple[int, int]:
    """Return the (rows, panels) of a micro-kernel: as many sums as the registers hold.

    8 by 3 vectors of 512 bits are 24 of 32 registers; without AVX-512 a vector is two or four.
    """
    if host.avx512:
        return 8, 3
    if host.is_x86:
        return (4, 1) if host.fma else (2, 1)
    return 4, 1


def operand_form(shape: tuple[int, ...], side: Side) -> Form:
    """Return the form of an operand's buffer; other axes than its two are an array of tiles."""
    method = side.method
    lead = [(axis, 1, 0) for axis in range(len(shape)) if axis not in (side.outer, side.k)]
    if side.is_a:
        block = side.k_block
        inside = [(side.outer, 1, ROWS), (side.k, 1, block)]
        return packed(shape, [*lead, (side.outer, ROWS, 0), (side.k, block, 0), *inside], method.a)
    inside = [(side.outer, 1, LANES), (side.k, 1, method.unit)]
    gap = (len(lead), LANES * method.unit)  # panels of 2**n bytes would share lines of the cache
    order = [*lead, (side.outer, LANES, 0), (side.k, method.unit, 0), *inside]
    return packed(shape, order, method.b, gap=gap)


def accumulator_form(shape: tuple[int, ...], dtype: DType) -> Form:
    """Return the form of a buffer in L0C."""
    row, column = len(shape) - 2, len(shape) - 1
    lead = [(axis, 1, 0) for axis in range(row)]
    return packed(shape, [*lead, (column, LANES, 0), (row, 1, 0), (column, 1, LANES)], plain(dtype))
