"""The reference of a kernel: what it means, in float64, by code that no backend shares."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tilelang.arguments import as_tuple
from tilelang.check.oracle import wide
from tilelang.diagnostics import Diagnostic, Location, TileError
from tilelang.ir.nodes import Program

if TYPE_CHECKING:
    from tilelang.kernel import Kernel

Array = NDArray[Any]


def run_reference(kernel: Kernel, program: Program, inputs: Sequence[Array]) -> list[Array]:
    """Return the reference's results on logical inputs, in float64 or int64.

    Raises:
        TileError: E0701 without a reference, E0702 if its results have other shapes, E0706 if it
            does not take the inputs.
    """
    function = require_reference(kernel)
    taken = inspect.signature(function).parameters
    attributes = {name: value for name, value in program.attributes if name in taken}
    _check_takes(kernel, function, len(inputs), attributes)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # means of nothing
        found: Any = function(*map(wide, inputs), **attributes)
    results = list(as_tuple(found))
    _check_shapes(kernel, program, results)
    return [wide(np.asarray(result)) for result in results]


def require_reference(kernel: Kernel) -> Callable[..., Any]:
    """Return the reference of `kernel`.

    Raises:
        TileError: E0701 if it has none.
    """
    function = kernel.reference_function
    if function is None:
        raise TileError(
            Diagnostic(
                "E0701",
                f"`{kernel.name}` has no reference to be checked against",
                kernel.location,
                f"write `@{kernel.name}.reference` above a numpy function of the same inputs",
            )
        )
    return function


def _check_takes(
    kernel: Kernel, function: Callable[..., Any], n_inputs: int, attributes: dict[str, float]
) -> None:
    try:
        inspect.signature(function).bind(*range(n_inputs), **attributes)
    except TypeError:
        inputs = ", ".join(kernel.input_names)
        message = f"the reference of `{kernel.name}` takes {inspect.signature(function)}"
        hint = f"let it take the inputs ({inputs}), and the attributes that it needs, by name"
        raise TileError(Diagnostic("E0706", message, _place(kernel), hint)) from None


def _check_shapes(kernel: Kernel, program: Program, results: Sequence[Any]) -> None:
    wanted = [buffer.shape for buffer in program.results]
    found = [np.shape(result) for result in results]
    if found != wanted:
        what = f"{_said(found, results)}, wanted shapes {wanted}"
        raise TileError(
            Diagnostic(
                "E0702",
                f"the reference of `{kernel.name}` returns {what}",
                _place(kernel),
                "return one array for each result of the signature, in that order",
            )
        )


def _said(shapes: Sequence[tuple[int, ...]], results: Sequence[Any]) -> str:
    """Return what a reference returns, in words."""
    if len(results) == 1 and results[0] is None:
        return "nothing"
    text = f"shapes {list(shapes)}"
    return text if len(text) <= _LONG else f"{len(shapes)} things of shapes {list(shapes[:3])} ..."


_LONG = 120
"""Characters of a list of shapes."""


def _place(kernel: Kernel) -> Location:
    """Return where the reference stands; the kernel's place if it is no function of Python."""
    code = getattr(inspect.unwrap(require_reference(kernel)), "__code__", None)
    return Location(code.co_filename, code.co_firstlineno) if code else kernel.location
