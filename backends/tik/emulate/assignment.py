"""Assignments: of scalar variables, of single tensor elements, and the scalar unit's functions."""

import math
from collections.abc import Callable

from tilelang.backends.tik.emulate.scalars import (
    Number,
    Thunk,
    check_item,
    compile_expr,
    fit,
    read_element,
    write_element,
)
from tilelang.backends.tik.emulate.state import State, number
from tilelang.backends.tik.instructions import (
    Expr,
    Item,
    Load,
    Name,
    ScalarFunction,
    ScalarOp,
    StoreElement,
    TikType,
)
from tilelang.diagnostics import Location

Step = Callable[[], None]


def compile_assignment(target: Name | Item, value: Expr, state: State, loc: Location) -> Step:
    """Return a closure that sets a variable."""
    name = target.name if isinstance(target, Name) else target.array
    thunk = _assigned(value, state.types[name], state, loc)
    return _store(target, thunk, state, loc)


def _assigned(value: Expr, dtype: TikType, state: State, loc: Location) -> Thunk:
    """Return a closure for what an assignment stores: bits of a tensor, or a converted value."""
    if isinstance(value, Load) and value.operand.dtype is not dtype:
        operand = value.operand
        offset = compile_expr(operand.offset, state, loc)
        return lambda: read_element(state, operand, number(offset()), loc, dtype)
    return compile_expr(value, state, loc)


def _store(target: Name | Item, value: Thunk, state: State, loc: Location) -> Step:
    if isinstance(target, Name):
        name, dtype, variables = target.name, state.types[target.name], state.variables

        def set_name() -> None:
            variables[name] = fit(value(), dtype)

        return set_name
    array, item_type = target.array, state.types[target.array]
    index = compile_expr(target.index, state, loc)

    def set_item() -> None:
        position, values = number(index()), state.arrays[array]
        check_item(array, position, len(values), loc)
        values[position] = fit(value(), item_type)

    return set_item


def compile_function(call: ScalarFunction, state: State) -> Step:
    """Return a closure that sets a variable to a function of others."""
    args = [compile_expr(arg, state, call.loc) for arg in call.args]
    return _store(
        call.target,
        lambda: _SCALAR_FUNCTIONS[call.op]([arg() for arg in args], call.round_mode),
        state,
        call.loc,
    )


def _square_root(args: list[Number], _: str) -> Number:
    (value,) = args
    return math.isqrt(max(value, 0)) if isinstance(value, int) else math.sqrt(max(value, 0.0))


def _rounded(args: list[Number], mode: str) -> Number:
    (value,) = args
    if not isinstance(value, float) or not math.isfinite(value) or mode in ("", "none"):
        return value
    return {
        "round": lambda: round(value),
        "floor": lambda: math.floor(value),
        "ceil": lambda: math.ceil(value),
        "ceiling": lambda: math.ceil(value),
        "away-zero": lambda: int(math.copysign(math.floor(abs(value) + 0.5), value)),
        "to-zero": lambda: int(value),
        "odd": lambda: value,
    }[mode]()


_SCALAR_FUNCTIONS: dict[ScalarOp, Callable[[list[Number], str], Number]] = {
    ScalarOp.MAX: lambda args, _: max(args),
    ScalarOp.MIN: lambda args, _: min(args),
    ScalarOp.ABS: lambda args, _: abs(args[0]),
    ScalarOp.SQRT: _square_root,
    ScalarOp.COUNT_BIT0: lambda args, _: 64 - int(args[0]).bit_count(),
    ScalarOp.COUNT_BIT1: lambda args, _: int(args[0]).bit_count(),
    ScalarOp.COUNT_LEADING0: lambda args, _: 64 - int(args[0]).bit_length(),
    ScalarOp.CONVERT: _rounded,
}


def compile_store(store: StoreElement, state: State) -> Step:
    """Return a closure that sets an element of a tensor."""
    offset = compile_expr(store.dst.offset, state, store.loc)
    value = _assigned(store.value, store.dst.dtype, state, store.loc)

    def run() -> None:
        write_element(state, store.dst, number(offset()), value(), store.loc)

    return run
