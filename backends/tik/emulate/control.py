"""Compiles bodies into closures: loops, branches, declarations, scalar work."""

import math
from collections.abc import Callable
from typing import TypeAlias, assert_never

from tilelang.backends.tik.emulate.assignment import (
    compile_assignment,
    compile_function,
    compile_store,
)
from tilelang.backends.tik.emulate.cores import Snapshot
from tilelang.backends.tik.emulate.scalars import (
    Thunk,
    compile_expr,
    fit,
)
from tilelang.backends.tik.emulate.state import State, number
from tilelang.backends.tik.emulate.work import compile_work
from tilelang.backends.tik.instructions import (
    AtomicAdd,
    Block,
    Body,
    Control,
    Declaration,
    Exit,
    ExitKind,
    ForRange,
    If,
    InputScalar,
    Instruction,
    Name,
    Scalar,
    ScalarArray,
    ScalarFunction,
    Scope,
    SetScalar,
    StoreElement,
    Sync,
    SyncKind,
    Tensor,
    TikType,
    bodies,
    walk,
)
from tilelang.diagnostics import Diagnostic, Location, TileError

Step: TypeAlias = Callable[[], None]


class Break(Exception):
    """`tik_break` was reached."""


class Continue(Exception):
    """`tik_continue` was reached."""


class Return(Exception):
    """`tik_return` was reached."""


_SIGNALS = {ExitKind.BREAK: Break, ExitKind.CONTINUE: Continue, ExitKind.RETURN: Return}


def compile_body(body: Body, state: State) -> Step:
    """Return a closure that executes `body` in `state`."""
    steps = [compile_step(instruction, state) for instruction in body]

    def run() -> None:
        for step in steps:
            step()

    return run


def compile_step(instruction: Instruction, state: State) -> Step:
    """Return a closure that executes one instruction."""
    match instruction:
        case Tensor() | Scalar() | InputScalar() | ScalarArray():
            return _declare(instruction, state)
        case ForRange() | If() | Block() | Exit():
            return _structure(instruction, state)
        case SetScalar(target, value, loc):
            return compile_assignment(target, value, state, loc)
        case ScalarFunction():
            return compile_function(instruction, state)
        case StoreElement():
            return compile_store(instruction, state)
        case Sync():
            return _nothing
        case AtomicAdd():
            return _atomic_add(instruction, state)
        case _:
            return compile_work(instruction, state)


def _declare(declared: Declaration, state: State) -> Step:
    match declared:
        case Tensor():
            return _declare_tensor(declared, state)
        case Scalar(name, dtype, init, loc):
            state.types[name] = dtype
            return compile_assignment(Name(name), 0 if init is None else init, state, loc)
        case InputScalar():
            return _nothing
        case ScalarArray():
            return _declare_array(declared, state)
        case _:
            assert_never(declared)


def _structure(instruction: Control, state: State) -> Step:
    match instruction:
        case ForRange():
            compiled = _block_loop if instruction.is_block_loop else _loop
            return compiled(instruction, state)
        case If():
            return _branches(instruction, state)
        case Block(body=body):
            return compile_body(body, state)
        case Exit(kind):
            return _leave(kind)
        case _:
            assert_never(instruction)


def _nothing() -> None:
    """Do nothing: the instruction only orders others, or declares what is there."""


def _declare_tensor(tensor: Tensor, state: State) -> Step:
    if tensor.scope is Scope.GM:
        return lambda: None
    n_bytes = tensor_bytes(tensor, state)

    def run() -> None:
        state.add_buffer(tensor, number(n_bytes()))

    if all(isinstance(extent, int) for extent in tensor.shape) or tensor.max_mem_size is not None:
        state.add_buffer(tensor, number(n_bytes()))
    return run


def tensor_bytes(tensor: Tensor, state: State) -> Thunk:
    """Return a closure that gives the bytes to allocate for `tensor`."""
    if tensor.max_mem_size is not None:
        return lambda: tensor.max_mem_size or 0
    extents = [compile_expr(extent, state, tensor.loc) for extent in tensor.shape]
    return lambda: tensor.dtype.n_bytes * math.prod(number(extent()) for extent in extents)


def _declare_array(array: ScalarArray, state: State) -> Step:
    state.types[array.name] = array.dtype
    initial = compile_expr(0 if array.init is None else array.init, state, array.loc)

    def run() -> None:
        state.arrays[array.name] = [fit(initial(), array.dtype)] * array.length

    return run


def _loop(loop: ForRange, state: State) -> Step:
    begin, end = (compile_expr(bound, state, loop.loc) for bound in (loop.begin, loop.end))
    name, variables = loop.var, state.variables
    body = compile_body(loop.body, state)
    can_leave = _can_leave(loop.body)

    def run() -> None:
        for value in range(number(begin()), number(end())):
            variables[name] = value
            body()

    def run_until_left() -> None:
        for value in range(number(begin()), number(end())):
            variables[name] = value
            try:
                body()
            except Continue:
                continue
            except Break:
                break

    return run_until_left if can_leave else run


def _can_leave(body: Body) -> bool:
    return any(isinstance(instruction, Exit) for instruction in walk(body))


def _block_loop(loop: ForRange, state: State) -> Step:
    """Run every iteration as a core: from the on-chip state before the loop, which comes back.

    All cores reach a `block_barrier` before one goes on: the body runs in phases.
    """
    end = compile_expr(loop.end, state, loop.loc)
    phases = [compile_body(phase, state) for phase in _phases(loop)]
    declared_inside = _tensors_of(loop.body)

    def run() -> None:
        n_cores = number(end())
        if not 0 <= n_cores <= 65535:
            message = f"for_range: block_num is {n_cores}; it must be in 1 .. 65535"
            raise TileError(Diagnostic("E1202", message, loop.loc))
        before = Snapshot(state, declared_inside)
        kept = [before] * n_cores
        for phase in phases:
            _forget_owners(state)
            for core in range(n_cores):
                state.core = core
                kept[core].restore()
                state.variables[loop.var] = core
                phase()
                if phase is not phases[-1]:
                    kept[core] = Snapshot(state, frozenset())
        before.restore()
        state.core = None
        state.variables[loop.var] = n_cores - 1

    return run


def _phases(loop: ForRange) -> list[Body]:
    """Return the parts of the body between barriers of all cores.

    Raises:
        TileError: E1214 for a barrier inside a scope of the body.
    """
    phases: list[Body] = [()]
    for instruction in loop.body:
        if _is_barrier(instruction):
            phases.append(())
        else:
            phases[-1] += (instruction,)
        for inner in bodies(instruction):
            nested = next((item for item in walk(inner) if _is_barrier(item)), None)
            if nested is not None:
                raise TileError(_nested_barrier(nested.loc))
    return phases


def _is_barrier(instruction: Instruction) -> bool:
    return isinstance(instruction, Sync) and instruction.kind is SyncKind.BLOCK_BARRIER


def _nested_barrier(loc: Location) -> Diagnostic:
    message = "block_barrier: one inside a loop or branch of a core's body is not emulated"
    hint = "put it directly into the for_range with block_num"
    return Diagnostic("E1214", message, loc, hint=hint)


def _tensors_of(body: Body) -> frozenset[str]:
    return frozenset(item.name for item in walk(body) if isinstance(item, Tensor))


def _forget_owners(state: State) -> None:
    for buffer in state.buffers.values():
        buffer.owner = None


def _branches(choice: If, state: State) -> Step:
    compiled = [
        (compile_expr(branch.condition, state, branch.loc), compile_body(branch.body, state))
        for branch in choice.branches
    ]
    otherwise = compile_body(choice.otherwise or (), state)

    def run() -> None:
        for condition, body in compiled:
            if condition():
                body()
                return
        otherwise()

    return run


def _leave(kind: ExitKind) -> Step:
    def run() -> None:
        raise _SIGNALS[kind]

    return run


_ATOMIC_TYPES = {
    "ascend310": (),
    "ascend910": (TikType.FLOAT32,),
    "ascend310p": (TikType.FLOAT32, TikType.FLOAT16, TikType.INT16),
    "ascend910b": (TikType.FLOAT32, TikType.FLOAT16, TikType.INT16, TikType.INT32, TikType.INT8,
                   TikType.BFLOAT16),
}  # fmt: skip


def _atomic_add(mode: AtomicAdd, state: State) -> Step:
    legal = _ATOMIC_TYPES[state.soc.machine.name]
    if mode.dtype is not None and mode.dtype not in legal:
        wanted = ", ".join(map(str, legal)) or "no dtype"
        message = f"set_atomic_add: {state.soc.name} adds {wanted} atomically, not {mode.dtype}"
        raise TileError(Diagnostic("E1213", message, mode.loc))

    def run() -> None:
        state.atomic = mode.dtype

    return run
