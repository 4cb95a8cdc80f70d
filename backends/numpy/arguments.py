"""Checks of what programs are compiled with and called with."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from tilelang.diagnostics import Diagnostic, TileError, callsite
from tilelang.ir.region import Buffer


def read_options(options: Mapping[str, object]) -> bool:
    """Return whether to be strict.

    Raises:
        TileError: E0410 for an option that is not known, or not a bool.
    """
    faults = [
        Diagnostic(
            "E0410",
            f"the backend `numpy` has no option `{name}={value!r}`; it has `strict`, True or False",
            callsite.location(None),
            "write `strict=False` to leave the checks at run time out",
        )
        for name, value in options.items()
        if name != "strict" or not isinstance(value, bool)
    ]
    if faults:
        raise TileError(*faults)
    return options.get("strict", True) is True


def check_arrays(
    inputs: Sequence[Buffer], results: Sequence[Buffer], arrays: Sequence[NDArray[Any]]
) -> None:
    """Check the arrays of a call.

    Raises:
        TileError: E0401 for a wrong number of arrays, shape or dtype, or a read-only result.
    """
    faults = [*_count_faults(inputs, results, arrays)] or [
        fault
        for buffer, array in zip((*inputs, *results), arrays, strict=True)
        for fault in _array_faults(buffer, array, is_result=buffer in results)
    ]
    if faults:
        raise TileError(*faults)


def _count_faults(
    inputs: Sequence[Buffer], results: Sequence[Buffer], arrays: Sequence[NDArray[Any]]
) -> Iterator[Diagnostic]:
    if len(arrays) != len(inputs) + len(results):
        yield Diagnostic(
            "E0401",
            f"got {len(arrays)} arrays, wanted {len(inputs) + len(results)}: {_names(inputs)} to "
            f"read, then {_names(results)} to fill",
            hint="give one physical array for each, in this order",
        )


def _names(buffers: Sequence[Buffer]) -> str:
    return ", ".join(f"`{buffer.name}`" for buffer in buffers) or "none"


def _array_faults(buffer: Buffer, array: NDArray[Any], *, is_result: bool) -> Iterator[Diagnostic]:
    shape = buffer.layout.physical_shape(buffer.shape)
    found = f"{array.dtype}{list(array.shape)}"
    if (array.shape, array.dtype) != (shape, buffer.dtype.numpy):
        yield Diagnostic(
            "E0401",
            f"`{buffer.name}` is {found}, wanted {buffer.dtype}{list(shape)}",
            buffer.loc,
            f"give the physical array of {buffer} in layout {buffer.layout}",
        )
    if is_result and not array.flags.writeable:
        yield Diagnostic(
            "E0401",
            f"`{buffer.name}` is a result, and the array given for it is read-only",
            buffer.loc,
            "give an array that can be written, such as one of `np.empty`",
        )
