"""What a signature says: its tensors, their sizes, dtypes and layouts, and the attributes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from tilelang.diagnostics import UNKNOWN, Location
from tilelang.dtypes import DType
from tilelang.layouts import LayoutKind
from tilelang.text.dimension import Dim, dim_text


@dataclass(frozen=True, slots=True)
class DTypeVariable:
    """The dtype called `name`, which the arguments or `dtype=` give."""

    name: str


@dataclass(frozen=True, slots=True)
class AccumulatorOf:
    """`acc(dtype)`: float32, or int32 where `dtype` is an integer."""

    dtype: "DTypeExpr"


DTypeExpr: TypeAlias = DType | DTypeVariable | AccumulatorOf

DEFAULT_DTYPE = DTypeVariable("T")
"""The dtype of a tensor that states none."""


def dtype_text(dtype: DTypeExpr) -> str:
    """Return `dtype` as a signature writes it."""
    match dtype:
        case DType():
            return dtype.value
        case DTypeVariable(name):
            return name
        case AccumulatorOf(inner):
            return f"acc({dtype_text(inner)})"
        case _:
            assert_never(dtype)


def dtype_variable(dtype: DTypeExpr) -> str | None:
    """Return the name of the variable in `dtype`, if there is one."""
    match dtype:
        case DType():
            return None
        case DTypeVariable(name):
            return name
        case AccumulatorOf(inner):
            return dtype_variable(inner)
        case _:
            assert_never(dtype)


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or result: `name[dims]: dtype @ layout`, with the logical dimensions."""

    name: str
    dims: tuple[Dim, ...]
    dtype: DTypeExpr = DEFAULT_DTYPE
    layout: LayoutKind = LayoutKind.ND
    location: Location = field(default=UNKNOWN, compare=False, repr=False)

    def __str__(self) -> str:
        """Return the text that parses to this."""
        dims = ", ".join(dim_text(dim) for dim in self.dims)
        layout = "" if self.layout is LayoutKind.ND else f" @ {self.layout.value}"
        return f"{self.name}[{dims}]: {dtype_text(self.dtype)}{layout}"


@dataclass(frozen=True, slots=True)
class Signature:
    """The tensors and attributes of a kernel; `text` is what the user wrote."""

    inputs: tuple[TensorSpec, ...]
    attributes: tuple[str, ...]
    results: tuple[TensorSpec, ...]
    text: str = field(default="", compare=False, repr=False)
    location: Location = field(default=UNKNOWN, compare=False, repr=False)

    @property
    def tensors(self) -> tuple[TensorSpec, ...]:
        """The inputs, then the results."""
        return (*self.inputs, *self.results)

    @property
    def dtype_variables(self) -> tuple[str, ...]:
        """The names of the dtype variables, in order of appearance."""
        return tuple(dict.fromkeys(self._variables()))

    def __str__(self) -> str:
        """Return the canonical text, which parses to an equal signature."""
        inputs = ", ".join(map(str, self.inputs))
        attributes = f"; {', '.join(self.attributes)}" if self.attributes else ""
        return f"{inputs}{attributes} -> {', '.join(map(str, self.results))}"

    def _variables(self) -> Iterator[str]:
        for tensor in self.tensors:
            name = dtype_variable(tensor.dtype)
            if name is not None:
                yield name
