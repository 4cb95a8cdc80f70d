"""Vector instructions: masked repeats of eight blocks in UB."""

from dataclasses import dataclass, field
from typing import TypeAlias

from tilelang.backends.tik.instructions.scalar import Expr, Operand
from tilelang.backends.tik.instructions.vector_ops import (
    CompareOp,
    ReduceOp,
    VectorOp,
    WholeReduceOp,
)
from tilelang.diagnostics import UNKNOWN, Location


@dataclass(frozen=True, slots=True)
class BitMask:
    """The lanes that take part, one bit each: lanes 64 .. 127 in `high`, 0 .. 63 in `low`."""

    high: Expr
    low: Expr


Mask: TypeAlias = Expr | BitMask
"""How many lanes of every repeat take part, from the first; or which. Others keep `dst`."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """Where the lanes of an operand lie: start-to-start strides of blocks and repeats, in blocks.

    A source with stride 0 reads one block, or one repeat, again and again.
    """

    operand: Operand
    block_stride: Expr = 1
    repeat_stride: Expr = 8


@dataclass(frozen=True, slots=True)
class Elementwise:
    """`dst = op(*srcs, scalar)` lane by lane; each operation rounds to `dst`'s dtype.

    Rules: as many sources as `op` takes; `scalar` exactly for the operations that take one.
    """

    op: VectorOp
    mask: Mask
    dst: Lanes
    srcs: tuple[Lanes, ...]
    repeat: Expr
    scalar: Expr | None = None
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class HighPrecision:
    """A function computed accurately with the help of `work`: `vec_rec_high_preci` and the like."""

    op: VectorOp
    mask: Mask
    dst: Lanes
    src: Lanes
    work: Operand
    repeat: Expr
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Convert:
    """Convert between dtypes; lanes are those of the wider one.

    `round_mode` is TIK's word: "none" "round" "floor" "ceil" "away-zero" "to-zero" "odd".
    int32 to float16 multiplies by `deqscale`.
    """

    mask: Mask
    round_mode: str
    dst: Lanes
    src: Lanes
    repeat: Expr
    deqscale: Expr | None = None
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """Write one bit a lane, contiguously, least significant first; all lanes take part.

    `b` is a number for the form that compares with a scalar.
    """

    op: CompareOp
    dst: Operand
    a: Lanes
    b: Lanes | Expr
    repeat: Expr
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CompareToMask:
    """Compare one repeat into the register CMPMASK; strides of `a` and `b` are block strides."""

    op: CompareOp
    mask: Mask
    a: Lanes
    b: Lanes
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class LoadCompareMask:
    """Set CMPMASK from 16 bytes of UB."""

    src: Operand
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class StoreCompareMask:
    """Store CMPMASK to 16 bytes of UB."""

    dst: Operand
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Select:
    """`dst = a` where a bit of `selection` is set, else `b`.

    Mode 0 uses the same bits in every repeat, `selection` None meaning CMPMASK; mode 1 has a number
    for `b`, mode 2 a tensor, and both consume bits continuously.
    """

    mask: Mask
    mode: int
    dst: Lanes
    selection: Operand | None
    a: Lanes
    b: Lanes | Expr
    repeat: Expr
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Reduce:
    """Reduce each repeat, block or pair of lanes (see `ReduceOp`) to consecutive results.

    `dst_stride` is in results of one repeat: an element for VCADD, a (value, index) pair for VCMAX
    and VCMIN, eight values for the block forms, half a repeat for pairs. `index_low` stores the
    index before the value.
    """

    op: ReduceOp
    mask: Mask
    dst: Operand
    dst_stride: Expr
    src: Lanes
    repeat: Expr
    index_low: bool = False
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class WholeReduce:
    """Reduce all repeats to `dst[0]`; with `with_index` the raw index goes to `dst[1]`."""

    op: WholeReduceOp
    mask: Mask
    dst: Operand
    src: Lanes
    work: Operand
    repeat: Expr
    with_index: bool = False
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Compact:
    """`vreduce`: store the lanes that a pattern chooses one after another.

    `pattern` is 1 .. 6 (even, odd, and each of four lanes) or a tensor of bits; `count` is a
    scalar that receives how many were stored.
    """

    mask: Mask
    dst: Operand
    src: Lanes
    pattern: Expr | Operand
    repeat: Expr
    pattern_stride: Expr = 0
    count: str | None = None
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Transpose:
    """Transpose 16 x 16 elements of 16 bits, 512 bytes a repeat; strides in units of 512 bytes."""

    dst: Operand
    src: Operand
    repeat: Expr = 1
    dst_stride: Expr = 0
    src_stride: Expr = 0
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TransposeBlocks:
    """`vnchwconv`: transpose between 16 source blocks and 16 destination blocks.

    Strides in blocks. With one repeat every start moves on by the stride (vendor's rule), so they
    are 0 then. The half flags matter to 8-bit elements only.
    """

    dst_high_half: bool
    src_high_half: bool
    dsts: tuple[Operand, ...]
    srcs: tuple[Operand, ...]
    repeat: Expr
    dst_stride: Expr
    src_stride: Expr
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)
