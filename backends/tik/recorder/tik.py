"""`tik.Tik`: TIK's container object, which records what a script calls."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy.typing as npt

from tilelang.backends.tik.instructions import (
    Block,
    Branch,
    CompareToMask,
    Exit,
    ExitKind,
    ForRange,
    If,
    InputScalar,
    InstructionProgram,
    LoadCompareMask,
    Name,
    Scalar,
    ScalarArray,
    Scope,
    Tensor,
)
from tilelang.backends.tik.recorder.arguments import Arguments, bind
from tilelang.backends.tik.recorder.conditions import every, some
from tilelang.backends.tik.recorder.debug import Debugger
from tilelang.backends.tik.recorder.declarations import (
    argument_names,
    check_loop,
    dtype_of,
    flat_numbers,
    shape_of,
    whole_bound,
)
from tilelang.backends.tik.recorder.lane_calls import LANE_METHODS
from tilelang.backends.tik.recorder.move_calls import MOVE_METHODS, UNRECORDED
from tilelang.backends.tik.recorder.places import caller
from tilelang.backends.tik.recorder.rearrange_calls import REARRANGE_METHODS
from tilelang.backends.tik.recorder.scopes import Recording
from tilelang.backends.tik.recorder.session import current_soc, note_built
from tilelang.backends.tik.recorder.tensors import Declared, TensorValue
from tilelang.backends.tik.recorder.values import Like, Value, expression
from tilelang.backends.tik.recorder.variables import ArrayValue, ScalarValue
from tilelang.backends.tik.recorder.vector_calls import VECTOR_METHODS
from tilelang.diagnostics import Diagnostic, TileError

METHODS = {**VECTOR_METHODS, **LANE_METHODS, **REARRANGE_METHODS, **MOVE_METHODS}
"""Every method that records one instruction."""


class CompareMask:
    """What `vcmp_*` and `mov_tensor_to_cmpmask` return: the register CMPMASK."""


class Tik:
    """Records a kernel; construct one, call its methods, then `BuildCCE`.

    Instruction methods (`vadd`, `data_move`, ...) come from the table `METHODS`.
    """

    def __init__(
        self,
        profile: object = None,
        disable_debug: bool = True,
        err_msg_level: int = 0,
        block_size: int = 32,
    ) -> None:
        """Start a kernel for the current chip; TIK's parameters are accepted and ignored."""
        self._recording = Recording(current_soc())
        self._program: InstructionProgram | None = None
        self._fed_names: dict[str, str] = {}
        self.tikdb = Debugger(self)

    @property
    def program(self) -> InstructionProgram:
        """What `BuildCCE` finished.

        Raises:
            TileError: E1216 if it was not called.
        """
        if self._program is None:
            raise TileError(Diagnostic("E1216", "BuildCCE was not called on this Tik", caller()))
        return self._program

    @property
    def fed_names(self) -> Mapping[str, str]:
        """The program's names of tensors and InputScalars, by the names that the script gave."""
        return self._fed_names

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the instruction method `name`; E1214 for one that TIK has and this has not."""
        method = METHODS.get(name)
        if method is None:
            if name in UNRECORDED:
                message = f"the instruction `{name}` is not recorded or emulated here"
                raise TileError(Diagnostic("E1214", message, caller()))
            raise AttributeError(f"TIK has no method {name!r}")

        def call(*args: object, **kwargs: object) -> CompareMask | None:
            instruction = method.build(bind(name, method.signature, args, kwargs, caller()))
            self._recording.record(instruction)
            is_mask = isinstance(instruction, CompareToMask | LoadCompareMask)
            return CompareMask() if is_mask else None

        return call

    def Tensor(self, *args: object, **kwargs: object) -> TensorValue:
        """Declare a tensor: dtype, shape, scope, name, and TIK's options."""
        if len(args) > 2 and not isinstance(args[2], Scope):
            kwargs.setdefault("name", args[2])
            args = (*args[:2], *args[3:])
        call = bind("Tensor", _TENSOR, args, kwargs, caller())
        scope = call.values["scope"]
        if not isinstance(scope, Scope):
            raise call.error("scope", "one of tik.scope_gm, tik.scope_ubuf, ...")
        if scope is Scope.GM and not self._recording.is_top_level:
            message = f"the GM tensor `{call.word('name')}` is declared inside a loop or scope"
            hint = "declare it before the first scope"
            raise TileError(Diagnostic("E1210", message, call.loc, hint=hint))
        return self._tensor(call, scope)

    def _tensor(self, call: Arguments, scope: Scope) -> TensorValue:
        shape = shape_of(call)
        dtype = dtype_of(call)
        name = self._declare(call.word("name"))
        initial = call.values["init_value"]
        node = Tensor(
            name,
            dtype,
            shape,
            scope,
            call.flag("is_workspace"),
            call.flag("is_atomic_add"),
            call.integer("max_mem_size") if call.given("max_mem_size") else None,
            flat_numbers(initial) if initial is not None else None,
            loc=call.loc,
        )
        self._recording.record(node)
        return TensorValue(Declared(self._recording, name, scope), dtype, shape)

    def Scalar(self, *args: object, **kwargs: object) -> ScalarValue:
        """Declare a scalar: dtype="int64", name, init_value."""
        call = bind("Scalar", "dtype=? name=? init_value=? *", args, kwargs, caller())
        dtype = dtype_of(call, "int64")
        name = self._declare(call.word("name") if call.given("name") else "reg_buf")
        init = call.expr("init_value") if call.given("init_value") else None
        self._recording.record(Scalar(name, dtype, init, loc=call.loc))
        return ScalarValue(self._recording, Name(name), dtype, False)

    def InputScalar(self, *args: object, **kwargs: object) -> ScalarValue:
        """Declare a scalar argument of the kernel: dtype="int64", name."""
        call = bind("InputScalar", "dtype=? name=? *", args, kwargs, caller())
        dtype = dtype_of(call, "int64")
        name = self._declare(call.word("name") if call.given("name") else "input_scalar")
        self._recording.record(InputScalar(name, dtype, loc=call.loc))
        return ScalarValue(self._recording, Name(name), dtype, True)

    def ScalarArray(self, *args: object, **kwargs: object) -> ArrayValue:
        """Declare `length` scalars: dtype="int64", length=1, name, init_value."""
        call = bind("ScalarArray", "dtype=? length=? name=? init_value=? *", args, kwargs, caller())
        dtype = dtype_of(call, "int64")
        length = call.integer("length") if call.given("length") else 1
        name = self._declare(call.word("name") if call.given("name") else "scalar_array")
        init = call.expr("init_value") if call.given("init_value") else None
        self._recording.record(ScalarArray(name, dtype, length, init, loc=call.loc))
        return ArrayValue(self._recording, name, dtype, length)

    @contextmanager
    def for_range(self, *args: object, **kwargs: object) -> Generator[Value, None, None]:
        """Record a loop; the body is the `with` block, run once with a symbolic index."""
        call = bind("for_range", _FOR_RANGE, args, kwargs, caller())
        begin, end = whole_bound(call.expr("begint")), whole_bound(call.expr("endt"))
        threads = call.integer("thread_num") if call.given("thread_num") else 1
        blocks = call.expr("block_num") if call.given("block_num") else 1
        check_loop(call, begin, end, threads, blocks)
        if blocks != 1:
            self._enter_block_loop(call)
        name = self._declare(call.word("name") if call.given("name") else "i")
        with self._recording.open() as body:
            yield Value(Name(name))
        self._recording.block_loops -= blocks != 1
        node = ForRange(name, begin, end, tuple(body), max(threads, 1), blocks, loc=call.loc)
        self._recording.record(node)

    @contextmanager
    def multi_for_range(
        self, begins: Sequence[Like], ends: Sequence[Like], *args: object, **kwargs: object
    ) -> Generator[tuple[Value, ...], None, None]:
        """Record nested loops, the first one outermost; further arguments are every loop's."""
        with ExitStack() as loops:
            pairs = zip(begins, ends, strict=True)
            yield tuple(
                loops.enter_context(self.for_range(*pair, *args, **kwargs)) for pair in pairs
            )

    @contextmanager
    def if_scope(self, cond: Like) -> Generator[None, None, None]:
        """Record a branch that runs where `cond` holds."""
        loc = caller()
        condition = expression(cond)
        with self._recording.open() as body:
            yield
        self._recording.record(If((Branch(condition, tuple(body), loc=loc),), loc=loc))

    @contextmanager
    def elif_scope(self, cond: Like) -> Generator[None, None, None]:
        """Record a branch that runs where `cond` holds and no branch before it."""
        loc = caller()
        condition = expression(cond)
        before = self._recording.last_if("elif_scope", loc)
        with self._recording.open() as body:
            yield
        branch = Branch(condition, tuple(body), loc=loc)
        self._recording.record(If((*before.branches, branch), loc=before.loc))

    @contextmanager
    def else_scope(self) -> Generator[None, None, None]:
        """Record what runs where no branch before it does."""
        before = self._recording.last_if("else_scope", caller())
        with self._recording.open() as body:
            yield
        self._recording.record(If(before.branches, tuple(body), loc=before.loc))

    @contextmanager
    def new_stmt_scope(self, disable_sync: bool = False) -> Generator[None, None, None]:
        """Record a scope: what is declared inside ends with it."""
        loc = caller()
        with self._recording.open() as body:
            yield
        self._recording.record(Block(tuple(body), disable_sync, loc=loc))

    def tik_break(self) -> None:
        """Leave the innermost loop."""
        self._recording.record(Exit(ExitKind.BREAK, loc=caller()))

    def tik_continue(self) -> None:
        """Leave the iteration."""
        self._recording.record(Exit(ExitKind.CONTINUE, loc=caller()))

    def tik_return(self) -> None:
        """Leave the kernel."""
        self._recording.record(Exit(ExitKind.RETURN, loc=caller()))

    def all(self, *conditions: Like) -> Value:
        """Return that all conditions hold, as `tik.all` does."""
        return every(*conditions)

    def any(self, *conditions: Like) -> Value:
        """Return that one condition holds, as `tik.any` does."""
        return some(*conditions)

    def BuildCCE(self, *args: object, **kwargs: object) -> InstructionProgram:
        """Finish the program: kernel_name, inputs, outputs, ..., flowtable; others are ignored.

        TIK returns None; the program is returned for those who want it.
        """
        call = bind("BuildCCE", _BUILD, args, kwargs, caller())
        inputs, outputs = argument_names(call, "inputs"), argument_names(call, "outputs")
        flowtable = argument_names(call, "flowtable")
        name = call.word("kernel_name")
        if not name.isidentifier():
            raise call.error("kernel_name", "an identifier")
        recorded = self._recording
        self._program = InstructionProgram(
            name, recorded.soc.name, recorded.body, inputs, outputs, flowtable, loc=call.loc
        )
        note_built(self)
        return self._program

    def StartProfiling(
        self, feed_dict: Mapping[str, npt.ArrayLike], *args: object, **kwargs: object
    ) -> list[npt.NDArray[Any]]:
        """Return the outputs, as the cycle simulator does; `tilelang cycles` counts cycles."""
        return self.tikdb.start_debug(feed_dict)

    def get_available_buffer_size(self, buffer_scope: Scope) -> int:
        """Return the bytes of an on-chip memory (TIK counts what is left; this, what there is)."""
        return self._recording.soc.capacity(buffer_scope)

    def _declare(self, name: str) -> str:
        unique = self._recording.declare(name)
        self._fed_names.setdefault(name, unique)
        return unique

    def _enter_block_loop(self, call: Arguments) -> None:
        if self._recording.block_loops:
            message = "a for_range with block_num stands inside another one"
            hint = "put the iterations of both into one block loop"
            raise TileError(Diagnostic("E1210", message, call.loc, hint=hint))
        self._recording.block_loops += 1


_TENSOR = (
    "dtype shape scope=? name=? enable_buffer_reuse=0 no_reuse_list=? reuse_list=? is_workspace=0 "
    "is_atomic_add=0 max_mem_size=? init_value=? is_global_tensor=0 start_addr=! *"
)
_FOR_RANGE = (
    "begint endt name=? thread_num=? thread_type=? block_num=? dtype=? for_type=? subblock_num=! "
    "sub_dtype=? enable_subblk=!"
)
_BUILD = (
    "kernel_name inputs outputs output_files_path=? enable_l2=0 config=? flowtable=? evaluates=! "
    "extend_params=? *"
)
