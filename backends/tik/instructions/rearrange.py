"""Vector instructions that move elements in UB: by offset, by record, by channel, by window.

A *proposal* is a record of eight elements: a box (fields 0 .. 3), its score (4), a label (5), and
two that nothing defines.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from tilelang.backends.tik.instructions.scalar import Expr, Operand
from tilelang.backends.tik.instructions.vector import Lanes, Mask
from tilelang.diagnostics import UNKNOWN, Location


@dataclass(frozen=True, slots=True)
class Gather:
    """`vgather`: lane `i` of `dst` is the element `base + offsets[i]` bytes after `src`.

    `offsets` are int32, one a lane, repeats one after another.
    """

    mask: Mask
    dst: Lanes
    src: Operand
    offsets: Operand
    repeat: Expr
    base: Expr = 0
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Scatter:
    """`vscatter`: lane `i` of `src` goes to the element `base + offsets[i]` bytes after `dst`."""

    mask: Mask
    dst: Operand
    src: Lanes
    offsets: Operand
    repeat: Expr
    base: Expr = 0
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


class FieldOp(Enum):
    """A direction between vectors and a field of proposals; the value is its name."""

    INSERT = "vconcat"
    EXTRACT = "vextract"


@dataclass(frozen=True, slots=True)
class MoveField:
    """Move 16 elements a repeat between a vector and field `index` of as many proposals."""

    op: FieldOp
    dst: Operand
    src: Operand
    repeat: Expr
    index: Expr
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SortProposals:
    """`vrpsort16`: sort every 16 proposals by descending score; one repeat is 16 proposals."""

    dst: Operand
    src: Operand
    repeat: Expr
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class MergeProposals:
    """`vmrgsort4`: merge the first of four sorted lists of proposals, by descending score.

    `valid` has a bit for every list that takes part: 3, 7 or 15. `lengths` are in proposals. More
    than one repeat merges four lists of one length each, and goes on behind them.
    """

    dst: Operand
    srcs: tuple[Operand, ...]
    lengths: tuple[Expr, ...]
    valid: Expr
    repeat: Expr
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TransposeChannels:
    """`v4dtrans`: from [channels, length] to [length, channels], or back.

    `to_last` puts the channels last. Rules: `length` elements are whole blocks.
    """

    to_last: bool
    dst: Operand
    src: Operand
    length: Expr
    channels: Expr
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Col2Img:
    """`col2img`: add windows of 16 channels to the map [height, width, 16] that they came from.

    Each repeat adds the next 16 windows, one kernel position of each; the arguments are those of
    `Load3d`, of which it is the reverse.
    """

    dst: Operand
    src: Operand
    pad: tuple[Expr, Expr, Expr, Expr]
    height: Expr
    width: Expr
    fetch: tuple[Expr, Expr]
    left_top: tuple[Expr, Expr]
    stride: tuple[Expr, Expr]
    kernel: tuple[Expr, Expr]
    dilation: tuple[Expr, Expr]
    repeat: Expr
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


Rearrangement: TypeAlias = (
    Gather | Scatter | MoveField | SortProposals | MergeProposals | TransposeChannels | Col2Img
)
