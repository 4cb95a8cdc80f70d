"""A call while it is bound, and what comes of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tilelang.diagnostics import UNKNOWN, Diagnostic, Location, Note
from tilelang.dtypes import DType
from tilelang.ir.region import Buffer
from tilelang.text.tensors import Signature, TensorSpec


@dataclass(frozen=True, slots=True)
class Argument:
    """What an array passed for an input is like; for `@ NZ` and so on, the *physical* array."""

    shape: tuple[int, ...]
    dtype: DType


@dataclass(frozen=True, slots=True)
class Binding:
    """A signature with every name bound; the buffers have logical shapes and lie in GM."""

    dims: Mapping[str, int]
    dtypes: Mapping[str, DType]
    inputs: tuple[Buffer, ...]
    results: tuple[Buffer, ...]
    attributes: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Known:
    """A size, and who gave it: "`a[1]`", or a keyword, "`K=64`"."""

    value: int
    source: str


@dataclass(slots=True)
class Call:
    """What is known of a call so far, and what is wrong with it.

    `disputed` names the inputs whose argument does not fit and the sizes that are in doubt; nothing
    more is said about them.
    """

    signature: Signature
    arguments: Mapping[str, Argument]
    location: Location
    sizes: dict[str, Known] = field(default_factory=dict[str, Known])
    disputed: set[str] = field(default_factory=set[str])
    faults: list[Diagnostic] = field(default_factory=list[Diagnostic])

    def fault(self, code: str, message: str, hint: str, *specs: TensorSpec) -> None:
        """Add a mistake; `specs` are the tensors of the signature that it is about."""
        notes = tuple(
            Note(f"the signature says `{spec}`", spec.location)
            for spec in specs
            if spec.location != UNKNOWN
        )
        self.faults.append(Diagnostic(code, message, self.location, hint, notes))

    def given(self) -> Iterator[tuple[TensorSpec, Argument]]:
        """Yield the inputs that have an argument."""
        for spec in self.signature.inputs:
            if spec.name in self.arguments:
                yield spec, self.arguments[spec.name]
