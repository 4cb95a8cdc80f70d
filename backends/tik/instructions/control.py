"""Structure of an instruction program: declarations, scalar work, loops, conditions, ordering."""

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from tilelang.backends.tik.instructions.scalar import Expr, Item, Name, Operand
from tilelang.backends.tik.instructions.types import Scope, TikType
from tilelang.diagnostics import UNKNOWN, Location

if TYPE_CHECKING:
    from tilelang.backends.tik.instructions import Body


@dataclass(frozen=True, slots=True)
class Tensor:
    """Create a tensor, undefined, until the end of the enclosing body.

    Rules: `name` is unique among all names of the program; in GM it stands at the top level.
    `shape` is in elements; with an extent that is not a number, `max_mem_size` (bytes) is what is
    allocated. `init_value` holds the elements of a GM constant.
    """

    name: str
    dtype: TikType
    shape: tuple[Expr, ...]
    scope: Scope
    is_workspace: bool = False
    is_atomic_add: bool = False
    max_mem_size: int | None = None
    init_value: tuple[int | float, ...] | None = None
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Scalar:
    """Declare a scalar variable; without `init` its value is 0, as far as anybody should know."""

    name: str
    dtype: TikType
    init: Expr | None = None
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class InputScalar:
    """Declare a scalar argument of the kernel; read-only."""

    name: str
    dtype: TikType
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ScalarArray:
    """Declare `length` scalar variables under one name, all set to `init`."""

    name: str
    dtype: TikType
    length: int
    init: Expr | None = None
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SetScalar:
    """Set a scalar variable.

    A `Load` of another dtype copies bits (low bits first); everything else converts the value.
    """

    target: Name | Item
    value: Expr
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


class ScalarOp(Enum):
    """A function of the scalar unit; the value is its method of `Tik`."""

    MAX = "scalar_max"
    MIN = "scalar_min"
    ABS = "scalar_abs"
    SQRT = "scalar_sqrt"
    COUNT_BIT0 = "scalar_countbit0"
    COUNT_BIT1 = "scalar_countbit1"
    COUNT_LEADING0 = "scalar_countleading0"
    CONVERT = "scalar_conv"


@dataclass(frozen=True, slots=True)
class ScalarFunction:
    """`target = op(*args)`; `round_mode` is CONVERT's."""

    op: ScalarOp
    target: Name | Item
    args: tuple[Expr, ...]
    round_mode: str = ""
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class StoreElement:
    """Set the one tensor element that `dst` starts at, from the scalar unit."""

    dst: Operand
    value: Expr
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ForRange:
    """Run `body` for `var` = begin .. end - 1.

    `thread_num=2` keeps two copies of the body's buffers and never changes the result. With
    `block_num` other than 1 every iteration is a core: begin is 0, end is `block_num`, on-chip
    memory and scalars of each core start as they were before the loop and are forgotten after it.
    """

    var: str
    begin: Expr
    end: Expr
    body: "Body"
    thread_num: int = 1
    block_num: Expr = 1
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)

    @property
    def is_block_loop(self) -> bool:
        """Whether the iterations are cores."""
        return self.block_num != 1


@dataclass(frozen=True, slots=True)
class Branch:
    """One `if_scope` or `elif_scope`: `body` runs if `condition` is the first that holds."""

    condition: Expr
    body: "Body"
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class If:
    """Run the first branch whose condition holds, else `otherwise`; None: no `else_scope`."""

    branches: tuple[Branch, ...]
    otherwise: "Body | None" = None
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Block:
    """`new_stmt_scope`: its tensors end with it. `disable_sync` leaves ordering to the text."""

    body: "Body"
    disable_sync: bool = False
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


class ExitKind(Enum):
    """What is left early; the value is the method of `Tik`."""

    BREAK = "tik_break"
    CONTINUE = "tik_continue"
    RETURN = "tik_return"


@dataclass(frozen=True, slots=True)
class Exit:
    """Leave the iteration, the loop or the kernel."""

    kind: ExitKind
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


class SyncKind(Enum):
    """An ordering point; the value is the method of `Tik`."""

    PIPE_BARRIER = "pipe_barrier"
    SET_FLAG = "set_flag"
    WAIT_FLAG = "wait_flag"
    BLOCK_BARRIER = "block_barrier"


@dataclass(frozen=True, slots=True)
class Sync:
    """Order pipes (names and an event id in `args`), or cores through the workspace `operand`.

    On one core executed in order it does nothing.
    """

    kind: SyncKind
    args: tuple[str | int, ...] = ()
    operand: Operand | None = None
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AtomicAdd:
    """From here on stores to GM of this dtype add to what is there; None: they overwrite."""

    dtype: TikType | None
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)
