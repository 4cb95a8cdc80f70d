"""The block program: what a stage is once on-chip memories are gone and Triton's blocks are left.

A block is a value with a shape; a `Tile` is the variable that holds one. Memory is global only.
Indices are those of the tile program, over loop variables and *lanes*: `lane(a)` is the position
along axis `a` of the block that a statement moves or computes.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from tilelang.diagnostics import UNKNOWN, Location
from tilelang.dtypes import DType
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.expression import Expr
from tilelang.ir.index import Index
from tilelang.ir.nodes import ReduceOp
from tilelang.ir.region import Buffer, Region


def lane_name(axis: int) -> str:
    """Return the name of the variable that counts along `axis` of a block; no user has it."""
    return f"@{axis}"


def lane(axis: int) -> Index:
    """Return the position along `axis` of the block at hand."""
    return ix.variable(lane_name(axis))


def lanes(rank: int) -> tuple[Index, ...]:
    """Return the positions along all axes of a block with `rank` dimensions."""
    return tuple(map(lane, range(rank)))


@dataclass(frozen=True, slots=True)
class Tile:
    """A variable that holds a block, known by its name; `loc` is where the user allocated it."""

    name: str
    dtype: DType
    shape: tuple[int, ...]
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Slot:
    """One of an array of tiles of one type: number `which`; most arrays hold one."""

    tiles: tuple[Tile, ...]
    which: Index = ix.ZERO

    @property
    def tile(self) -> Tile:
        """A tile of the array; all are alike but for their names."""
        return self.tiles[0]

    @property
    def known(self) -> Tile | None:
        """The tile that is meant, if that is known before the kernel runs."""
        return self.tiles[self.which.constant] if self.which.is_constant else None


@dataclass(frozen=True, slots=True)
class Operand:
    """A block that is read: the tile in `slot`, its axes in `order`, then seen as `shape`."""

    slot: Slot
    order: tuple[int, ...]
    shape: tuple[int, ...]

    @property
    def dtype(self) -> DType:
        """The type of its elements."""
        return self.slot.tile.dtype


@dataclass(frozen=True, slots=True)
class Place:
    """Where a block of `shape` lies in a tensor in global memory, lane by lane.

    `element` is the logical index of each lane's element; where `valid` is false there is none.
    """

    tensor: Buffer
    shape: tuple[int, ...]
    element: tuple[Index, ...]
    valid: Condition


@dataclass(frozen=True, slots=True)
class Define:
    """Set a tile to zeros: an accumulator before its sum, or a value before the loop it crosses."""

    dst: Tile
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Fetch:
    """Load a block of global memory into a tile of its shape; what is not valid becomes `pad`."""

    dst: Slot
    place: Place
    pad: int | float
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Put:
    """Store a block to global memory; what is not valid is dropped.

    `is_shared` says that this stage reads the tensor too, so threads must wait for each other.
    """

    place: Place
    value: Operand
    is_shared: bool = False
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Assign:
    """Set a tile to `expr`, a block of `shape` with the tile's elements in the tile's order.

    `operands[region]` is what a `Load(region)` in `expr` reads; `Position`s are lanes.
    """

    dst: Slot
    shape: tuple[int, ...]
    expr: Expr
    operands: tuple[tuple[Region, Operand], ...]
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Fold:
    """Set a tile to the sum, maximum or minimum of a block along `axis`, which keeps size 1."""

    dst: Slot
    op: ReduceOp
    src: Operand
    axis: int
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Dot:
    """`acc = a @ b` where `first` holds, else `acc += a @ b`."""

    acc: Slot
    a: Operand
    b: Operand
    first: Condition
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class For:
    """Run `body` for `var` = 0 .. `extent` - 1; `stages` is what the user wrote."""

    var: str
    extent: Index
    stages: int
    body: "Body"
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Branch:
    """Run `then` where `condition` holds, else `otherwise`; every lane goes the same way."""

    condition: Condition
    then: "Body"
    otherwise: "Body"
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


Step: TypeAlias = Define | Fetch | Put | Assign | Fold | Dot | For | Branch
Body: TypeAlias = tuple[Step, ...]
