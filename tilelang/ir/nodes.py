"""The program: statements over tiles, as a closed union of frozen nodes.

Walk it with `match` and `assert_never`. A statement's `loc` is the user's line; it takes no part in
equality.
"""

import math
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from tilelang.diagnostics import UNKNOWN, Location
from tilelang.ir.condition import Condition
from tilelang.ir.expression import Expr
from tilelang.ir.index import Index
from tilelang.ir.region import Buffer, Region


class _NaN(float):
    """A NaN that equals every NaN."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and math.isnan(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return 0


NAN = _NaN("nan")
"""Not a number, as a pad."""


class LoopKind(Enum):
    """How the iterations of a loop relate; the value is its name in the text form."""

    SERIAL = "for"
    """In order."""
    CHUNKS = "chunks"
    """Independent row blocks of one tile; a backend may run them at once or as one."""


class ReduceOp(Enum):
    """How the elements along an axis become one."""

    SUM = "sum"
    MAX = "max"
    MIN = "min"


@dataclass(frozen=True, slots=True)
class Alloc:
    """Create `buffer`, undefined, until the end of the enclosing body.

    Rules: its name is unique in the program; in GM it stands between stages, else inside one.
    """

    buffer: Buffer
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Loop:
    """Run `body` for `var` = 0 .. extent - 1; `extent` may be 0 or less, which runs nothing.

    `stages=2` is TIK's `thread_num=2`: buffers of the body exist twice, so that moves of the next
    iteration may start early. It never changes the result.
    """

    var: str
    extent: Index
    kind: LoopKind
    stages: int
    body: "Body"
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class If:
    """Run `then` where `condition` holds, else `otherwise`."""

    condition: Condition
    then: "Body"
    otherwise: "Body"
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Move:
    """Copy `src` to `dst`, element by element, between two memories.

    Rules: one shape; the machine has a path from `src`'s memory to `dst`'s with this change of
    layout and dtype. What `src` hangs over its tensor becomes `pad`; what `dst` hangs over is
    dropped. On chip nothing may hang over.
    """

    dst: Region
    src: Region
    pad: int | float = 0
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Make NaN the one that equals itself, so that equal moves are equal."""
        if self.pad != self.pad:
            object.__setattr__(self, "pad", NAN)


@dataclass(frozen=True, slots=True)
class Window:
    """A convolution's window: (height, width) of kernel, stride and dilation; zero padding.

    `padding` is (top, bottom, left, right), in elements.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)

    def output(self, height: int, width: int) -> tuple[int, int]:
        """Return the (height, width) of the output map, each 0 or more."""
        top, bottom, left, right = self.padding
        spans = [
            (size - 1) * dilation + 1
            for size, dilation in zip(self.kernel, self.dilation, strict=True)
        ]
        rows = (height + top + bottom - spans[0]) // self.stride[0] + 1
        columns = (width + left + right - spans[1]) // self.stride[1] + 1
        return max(rows, 0), max(columns, 0)


@dataclass(frozen=True, slots=True)
class Img2col:
    """Fill `dst[m, k]` from a feature map, as TIK's `load3d` does.

    Row `m` is output position `row + m`, counted `oh * Wo + ow`; column `k` is `column + k` in the
    order (c1, kh, kw, c0), with C0 the dtype's `k0`. Outside the map, past the last output position
    and past the last channel the value is zero.

    Rules: `src` has shape [C, H, W] in L1, laid out NC1HWC0; `dst` is in L0A (UB where the machine
    says so), of the same dtype; `row` and `column` are not negative.
    """

    dst: Region
    src: Region
    window: Window
    row: Index
    column: Index
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Matmul:
    """`dst = a @ b` where `init` holds, else `dst += a @ b`, with `a` and `b` in L1.

    `expand_matmul` turns it into loads of L0A and L0B and `Mmad`s, so backends never see it.
    """

    dst: Region
    a: Region
    b: Region
    init: Condition
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Mmad:
    """`dst = a @ b` where `init` holds, else `dst += a @ b`, on the cube.

    `dst` is [m, n] in L0C, `a` is [m, k] in L0A and `b` [k, n] in L0B. Products are exact; sums are
    taken in float32 or int32 (which wraps), in any order.
    """

    dst: Region
    a: Region
    b: Region
    init: Condition
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Map:
    """Set every element of `dst` to `expr`, whose loads broadcast to `dst`'s shape as numpy does.

    Rules: everything in UB; the expression's dtype is `dst`'s; each load covers the same elements
    as `dst`, in the same order, or none of them.
    """

    dst: Region
    expr: Expr
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Reduce:
    """Set `dst` to the sum, maximum or minimum of `src` along `axis`, which keeps size 1.

    Rules: both in UB, not overlapping. Sums: float16 and bfloat16 into float32, int8 and uint8 into
    int32, others in their own dtype. Maxima and minima keep the dtype; NaN wins.
    """

    dst: Region
    op: ReduceOp
    src: Region
    axis: int
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


Stmt: TypeAlias = Alloc | Loop | If | Move | Img2col | Matmul | Mmad | Map | Reduce
Body: TypeAlias = tuple[Stmt, ...]


@dataclass(frozen=True, slots=True)
class Core:
    """One loop of a stage's grid: `var` = 0 .. extent - 1, in any order or at once."""

    var: str
    extent: int


@dataclass(frozen=True, slots=True)
class Stage:
    """Run `body` on every point of the grid, independently; then all its writes are visible.

    An empty grid is one core.
    """

    grid: tuple[Core, ...]
    body: Body
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)

    @property
    def limits(self) -> dict[str, tuple[int, int]]:
        """The least and the greatest value of each variable of the grid; 0 where there is none."""
        return {core.var: (0, max(core.extent - 1, 0)) for core in self.grid}


@dataclass(frozen=True, slots=True)
class Program:
    """A kernel, specialised to shapes, dtypes, attributes and tile parameters.

    `inputs` and `results` are tensors in GM, in the order of the signature. `body` holds stages, in
    order, and between them the `Alloc`s of workspace in GM. Attributes are ints, floats, and bools
    as 0 and 1.
    """

    name: str
    inputs: tuple[Buffer, ...]
    results: tuple[Buffer, ...]
    attributes: tuple[tuple[str, float], ...]
    tiles: tuple[tuple[str, int], ...]
    body: tuple[Alloc | Stage, ...]
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages alone."""
        return tuple(part for part in self.body if isinstance(part, Stage))

    @property
    def workspaces(self) -> tuple[Buffer, ...]:
        """The buffers in GM that live between stages."""
        return tuple(part.buffer for part in self.body if isinstance(part, Alloc))

    def __str__(self) -> str:
        """Return the text form, which `tilelang.text.parser` reads."""
        from tilelang.text.printer import print_program

        return print_program(self)
