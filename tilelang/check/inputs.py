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
        TileError: E0705 if `@kernel.inputs` takes or returns other arrays than the inputs.
    """
    for family in families(program, seed):
        yield replace(family, inputs=meant(kernel, program, family.inputs))


def random_inputs(program: Program, seed: int, kernel: Kernel | None = None) -> list[Array]:
    """Return physical arrays of the first family, such as `kernel`, if it is known, is meant for.

    Raises:
        TileError: E0705 if `@kernel.inputs` takes or returns other arrays than the inputs.
    """
    inputs = next(families(program, seed)).inputs
    if kernel is not None:
        inputs = meant(kernel, program, inputs)
    together = zip(program.inputs, inputs, strict=True)
    return [buffer.layout.pack(array) for buffer, array in together]


def meant(kernel: Kernel, program: Program, inputs: Sequence[Array]) -> tuple[Array, ...]:
    """Return logical inputs as `@kernel.inputs` makes them; as they are without it.

    Raises:
        TileError: E0705 if it returns other arrays than it was given.
    """
    function = kernel.input_function
    if function is None:
        return tuple(inputs)
    signature = inspect.signature(function)
    attributes = {name: one for name, one in program.attributes if name in signature.parameters}
    try:
        signature.bind(*inputs, **attributes)
    except TypeError:
        raise TileError(_takes_others(kernel, signature)) from None
    with np.errstate(all="ignore"):
        found = [np.asarray(one) for one in as_tuple(function(*inputs, **attributes))]
    if [_kind(one) for one in found] != [_kind(one) for one in inputs]:
        raise TileError(_other_inputs(kernel, found, inputs))
    return tuple(np.ascontiguousarray(one) for one in found)


def _kind(array: Array) -> str:
    return f"{array.dtype}{list(array.shape)}"


def _takes_others(kernel: Kernel, signature: inspect.Signature) -> Diagnostic:
    return Diagnostic(
        "E0705",
        f"the function `@{kernel.name}.inputs` takes {signature}",
        kernel.location,
        f"let it take the inputs ({', '.join(kernel.input_names)}), and attributes by name",
    )


def _other_inputs(kernel: Kernel, found: Sequence[Array], wanted: Sequence[Array]) -> Diagnostic:
    returned, given = (", ".join(map(_kind, arrays)) for arrays in (found, wanted))
    return Diagnostic(
        "E0705",
        f"the inputs of `{kernel.name}` are made to {returned}, wanted {given}",
        kernel.location,
        "return one array for each input, in that order, of the same dtype and shape",
    )
