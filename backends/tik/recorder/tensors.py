"""Tensor handles: views of a declared tensor, of which instructions use the start address."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias

from tilelang.backends.tik.instructions import (
    BinaryOp,
    Expr,
    Load,
    Operand,
    Scope,
    StoreElement,
    TikType,
    add,
    binary,
    multiply,
)
from tilelang.backends.tik.recorder.places import caller
from tilelang.backends.tik.recorder.values import Like, Operators, Sink, Value, expression
from tilelang.diagnostics import Diagnostic, TileError

Key: TypeAlias = Like | slice | tuple[Like | slice, ...]


@dataclass(frozen=True, slots=True)
class Declared:
    """What all views of one tensor share."""

    sink: Sink
    name: str
    scope: Scope


class TensorValue(Operators):
    """A view of a tensor: start offset and extents in elements of its dtype, row-major."""

    __slots__ = ("_declared", "_dtype", "_offset", "_shape", "_strides")

    def __init__(
        self,
        declared: Declared,
        dtype: TikType,
        shape: Sequence[Expr],
        offset: Expr = 0,
        strides: Sequence[Expr] | None = None,
    ) -> None:
        """Stand for the view; without `strides` it is contiguous."""
        self._declared = declared
        self._dtype = dtype
        self._shape = tuple(shape)
        self._offset = offset
        self._strides = tuple(strides) if strides is not None else _row_major(self._shape)

    @property
    def name(self) -> str:
        """The tensor's name in the program."""
        return self._declared.name

    @property
    def dtype(self) -> str:
        """TIK's name of the element type."""
        return self._dtype.value

    @property
    def scope(self) -> Scope:
        """The memory."""
        return self._declared.scope

    @property
    def shape(self) -> list[object]:
        """The extents: ints where they are known, else recorded values."""
        return [_shown(extent) for extent in self._shape]

    @property
    def size(self) -> object:
        """The number of elements."""
        return _shown(reduce(multiply, self._shape, 1))

    @property
    def offset(self) -> object:
        """The start, in elements of the view's dtype."""
        return _shown(self._offset)

    @property
    def element_type(self) -> TikType:
        """The element type."""
        return self._dtype

    def operand(self) -> Operand:
        """Return the start address; E1209 if the tensor's scope has ended."""
        self._declared.sink.require_open(self.name)
        return Operand(self.name, self._dtype, self._offset)

    def as_expr(self) -> Expr:
        """Return the expression that loads the element at the start."""
        return Load(self.operand())

    def __getitem__(self, key: Key) -> "TensorValue":
        """Return the view from `key`: one index for the flattened tensor, else one a dimension."""
        keys = key if isinstance(key, tuple) else (key,)
        if len(keys) != len(self._shape):
            if len(keys) != 1:
                raise TileError(self._wrong_rank(len(keys)))
            flat = TensorValue(
                self._declared, self._dtype, [reduce(multiply, self._shape, 1)], self._offset
            )
            return flat[keys[0]]
        return self._view(keys)

    def __call__(self, *keys: Like | slice) -> "TensorValue":
        """Do as `self[keys]`: TIK accepts both."""
        return self[keys]

    def __setitem__(self, key: Key, value: Like) -> None:
        """Record the assignment of `value` to one element."""
        self[key].set_as(value)

    def set_as(self, value: Like) -> None:
        """Record the assignment of `value` to the element at the start."""
        self._declared.sink.record(StoreElement(self.operand(), expression(value), loc=caller()))

    def reshape(self, new_shape: Sequence[Like]) -> "TensorValue":
        """Return the same elements with other extents."""
        shape = [expression(extent) for extent in new_shape]
        return TensorValue(self._declared, self._dtype, shape, self._offset)

    def flatten(self) -> "TensorValue":
        """Return the same elements as a vector."""
        return self.reshape([Value(reduce(multiply, self._shape, 1))])

    def reinterpret_cast_to(self, dtype: str) -> "TensorValue":
        """Return the same bytes as elements of `dtype`.

        A wider dtype divides the last extent, a narrower one appends an extent.
        """
        target = TikType(dtype)
        old, new = self._dtype.n_bytes, target.n_bytes
        if new >= old:
            ratio = new // old
            shape = (*self._shape[:-1], binary(BinaryOp.DIV, self._shape[-1], ratio))
            offset = binary(BinaryOp.DIV, self._offset, ratio)
        else:
            shape = (*self._shape, old // new)
            offset = multiply(self._offset, old // new)
        return TensorValue(self._declared, target, shape, offset)

    def _view(self, keys: Sequence[Like | slice]) -> "TensorValue":
        offset, shape, strides = self._offset, list[Expr](), list[Expr]()
        for key, extent, stride in zip(keys, self._shape, self._strides, strict=True):
            start, length, step = _span(key, extent)
            offset = add(offset, multiply(start, stride))
            if length is not None:
                shape.append(length)
                strides.append(multiply(stride, step))
        return TensorValue(self._declared, self._dtype, shape or [1], offset, strides or [1])

    def _wrong_rank(self, n_keys: int) -> Diagnostic:
        n_dimensions = len(self._shape)
        return Diagnostic(
            "E1201",
            f"`{self.name}` has {n_dimensions} dimensions and is indexed with {n_keys}",
            caller(),
            hint=f"write one index for the flattened tensor, or {n_dimensions}",
        )


def _span(key: Like | slice, extent: Expr) -> tuple[Expr, Expr | None, int]:
    """Return (start, length or None for one element, step) of one index."""
    if not isinstance(key, slice):
        return _from_end(expression(key), extent), None, 1
    start = _from_end(expression(key.start if key.start is not None else 0), extent)
    stop = _from_end(expression(key.stop), extent) if key.stop is not None else extent
    step = key.step if key.step is not None else 1
    length = binary(BinaryOp.SUB, stop, start)
    return start, length if step == 1 else binary(BinaryOp.DIV, add(length, step - 1), step), step


def _from_end(index: Expr, extent: Expr) -> Expr:
    return add(extent, index) if isinstance(index, int) and index < 0 else index


def _row_major(shape: Sequence[Expr]) -> tuple[Expr, ...]:
    strides: list[Expr] = [1]
    for extent in reversed(shape[1:]):
        strides.insert(0, multiply(strides[0], extent))
    return tuple(strides)


def _shown(expr: Expr) -> object:
    return expr if isinstance(expr, int | float) else Value(expr)
