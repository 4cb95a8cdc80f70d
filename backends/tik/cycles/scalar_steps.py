"""The scalar unit's own work: assignments take time, and those that matter are carried out."""

from typing import TypeAlias, assert_never

from tilelang.backends.tik.cycles.charges import Charge, extent
from tilelang.backends.tik.cycles.essentials import target_name
from tilelang.backends.tik.cycles.packing import Output, Step, compile_scalar, nothing
from tilelang.backends.tik.cycles.pipes import Pipe
from tilelang.backends.tik.cycles.scalar_functions import compile_function
from tilelang.backends.tik.cycles.scalar_values import Thunk, compile_value
from tilelang.backends.tik.instructions import (
    Item,
    Name,
    Scalar,
    ScalarArray,
    ScalarFunction,
    SetScalar,
    StoreElement,
)

Assignment: TypeAlias = Scalar | ScalarArray | SetScalar | ScalarFunction


def compile_assignment(item: Assignment, output: Output, essential: frozenset[str]) -> Step:
    """Return a closure that spends the time of `item`, and sets the scalar if it is `essential`."""
    spend = compile_scalar(output, item, item.loc, "scalar load")
    assign = _assign(item, output, essential)

    def run() -> None:
        spend()
        assign()

    return run


def _assign(item: Assignment, output: Output, essential: frozenset[str]) -> Step:
    values = output.values
    match item:
        case Scalar(name, init=init):
            return _keep(Name(name), compile_value(init or 0, values), output, essential)
        case ScalarArray():
            return _fill(item, output)
        case SetScalar(target, value):
            return _keep(target, compile_value(value, values), output, essential)
        case ScalarFunction(target=target):
            return _keep(target, compile_function(item, values), output, essential)
        case _:
            assert_never(item)


def _fill(array: ScalarArray, output: Output) -> Step:
    values = output.values
    initial = compile_value(array.init or 0, values)

    def fill() -> None:
        values.arrays[array.name] = {}
        for index in range(array.length):
            values.set(Item(array.name, index), initial, lambda index=index: index)

    return fill


def _keep(target: Name | Item, thunk: Thunk, output: Output, essential: frozenset[str]) -> Step:
    if target_name(target) not in essential:
        return nothing
    values = output.values
    index = compile_value(target.index, values) if isinstance(target, Item) else None
    return lambda: values.set(target, thunk, index)


def compile_store(store: StoreElement, output: Output) -> Step:
    """Return a closure that emits the store of one element by the scalar unit."""
    compute = compile_scalar(output, store, store.loc, "scalar load")
    cycles = output.scene.rates.whole("scalar.memory")
    written = (extent(store.dst, store.dst.dtype.n_bytes),)
    cost = Charge(Pipe.S, cycles, (), written, "scalar store")

    def run() -> None:
        compute()
        output.emit(cost, 0, store.loc)

    return run
