"""Inputs that a kernel is meant for: drawn numbers, through what `@kernel.inputs` says of them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tilelang.arguments import as_tuple
from tilelang.check.families import Family, families
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.ir.nodes import Program

if TYPE_CHECKING:
    from tilelang.kernel import Kernel

Array = NDArray[Any]


def families_for(kernel: Kernel, program: Program, seed: int) -> Iterator[Family]:
    """Yield every family of inputs that `kernel` is meant for, the same ones for the same seed.

    Raises:
        TileError: E0705 if `@kernel.inputs` returns other arrays than it was given.
    """
    for family in families(program, seed):
        yield replace(family, inputs=meant(kernel, program, family.inputs))


def meant(kernel: Kernel, program: Program, inputs: Sequence[Array]) -> tuple[Array, ...]:
    """Return logical inputs as `@kernel.inputs` makes them; as they are without it.

    Raises:
        TileError: E0705 if it returns other arrays than it was given.
    """
    function = kernel.input_function
    if function is None:
        return tuple(inputs)
    taken = inspect.signature(function).parameters
    attributes = {name: value for name, value in program.attributes if name in taken}
    with np.errstate(all="ignore"):
        found = [np.asarray(one) for one in as_tuple(function(*inputs, **attributes))]
    if [_kind(one) for one in found] != [_kind(one) for one in inputs]:
        raise TileError(_other_inputs(kernel, found, inputs))
    return tuple(np.ascontiguousarray(one) for one in found)


def _kind(array: Array) -> str:
    return f"{array.dtype}{list(array.shape)}"


def _other_inputs(kernel: Kernel, found: Sequence[Array], wanted: Sequence[Array]) -> Diagnostic:
    returned, given = (", ".join(map(_kind, arrays)) for arrays in (found, wanted))
    return Diagnostic(
        "E0705",
        f"the inputs of `{kernel.name}` are made to {returned}, wanted {given}",
        kernel.location,
        "return one array for each input, in that order, of the same dtype and shape",
    )
