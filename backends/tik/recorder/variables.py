"""Scalars and scalar arrays of a script: what can be read in expressions and set."""

from typing import NoReturn

from tilelang.backends.tik.instructions import Expr, Item, Name, SetScalar, TikType
from tilelang.backends.tik.recorder.places import caller
from tilelang.backends.tik.recorder.values import Like, Operators, Sink, expression
from tilelang.diagnostics import Diagnostic, TileError


class ScalarValue(Operators):
    """A Scalar, an InputScalar or an element of a ScalarArray."""

    __slots__ = ("_sink", "_target", "dtype", "is_input", "name")

    def __init__(self, sink: Sink, target: Name | Item, dtype: TikType, is_input: bool) -> None:
        """Stand for the variable `target`."""
        self._target = target
        self._sink = sink
        self.dtype = dtype.value
        self.is_input = is_input
        self.name = target.name if isinstance(target, Name) else target.array

    def as_expr(self) -> Expr:
        """Return the variable; an error after the end of its scope."""
        return self.target()

    def target(self) -> Name | Item:
        """Return the variable as the target of an assignment."""
        self._sink.require_open(self.name)
        return self._target

    def set_as(self, value: Like) -> None:
        """Record an assignment of `value`."""
        if self.is_input:
            _refuse_assignment(self.name)
        self._sink.record(SetScalar(self.target(), expression(value), loc=caller()))


class ArrayValue:
    """A ScalarArray; `array[i]` is a variable."""

    def __init__(self, sink: Sink, name: str, dtype: TikType, length: int) -> None:
        """Stand for the `length` variables called `name`."""
        self._sink = sink
        self.name = name
        self.dtype = dtype.value
        self.length = length
        self._dtype = dtype

    def __getitem__(self, index: Like) -> ScalarValue:
        """Return element `index`, a Python or a recorded integer."""
        return ScalarValue(self._sink, Item(self.name, expression(index)), self._dtype, False)

    def __setitem__(self, index: Like, value: Like) -> None:
        """Record an assignment to element `index`."""
        self[index].set_as(value)

    def __len__(self) -> int:
        """Return the number of elements."""
        return self.length


def _refuse_assignment(name: str) -> NoReturn:
    raise TileError(
        Diagnostic(
            "E1215",
            f"`{name}` is an InputScalar, which a kernel cannot set",
            caller(),
            hint="copy it to a Scalar first",
        )
    )
