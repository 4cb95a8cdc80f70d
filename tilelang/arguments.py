"""The arrays of a call: what they are, what results are allocated, and what may not be passed."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from tilelang.binding import Argument
from tilelang.diagnostics import Diagnostic, Location, TileError, callsite
from tilelang.dtypes import ELEMENT_TYPES, DType, find_dtype
from tilelang.ir.region import Buffer
from tilelang.language.tensors import Tensor, Tile


def describe(name: str, array: Any, location: Location) -> Argument:
    """Return shape and dtype of an argument: a numpy array, or a tensor that says both.

    Raises:
        TileError: E0801 for something else, E0802 for a dtype that no tile has.
    """
    if isinstance(array, Tensor | Tile):
        found = f"{array!r}, a tile of the kernel that is being traced"
        hint = "call plain functions from a kernel: those that a kernel decorates are `k.function`"
    elif isinstance(array, np.ma.MaskedArray):
        found, hint = "a masked array", f"choose what masked elements are: `{name}.filled(0)`"
    elif not (_is_numpy(array) or hasattr(array, "new_empty")):
        found = f"a {type(array).__name__}"
        hint = f"pass a numpy array: `np.asarray({name}, np.float32)`"
    else:
        return Argument(tuple(array.shape), array_dtype(name, array, location))
    message = f"argument `{name}` is {found}, wanted an array"
    raise TileError(Diagnostic("E0801", message, location, hint))


def array_dtype(name: str, array: Any, location: Location) -> DType:
    """Return the element type of an array or tensor.

    Raises:
        TileError: E0802 if no tile has it.
    """
    native: Any = array.dtype
    is_numpy = _is_numpy(array)
    dtype = find_dtype(native) if is_numpy else find_dtype(str(native).rpartition(".")[2])
    if dtype is None:
        names = ", ".join(str(dtype) for dtype in ELEMENT_TYPES)
        raise TileError(
            Diagnostic(
                "E0802",
                f"argument `{name}` holds {native}, wanted one of {names}",
                location,
                f"convert it first: `{name}.astype(np.float32)`"
                if is_numpy
                else f"convert it first: `{name}.float()`",
            )
        )
    return dtype


Kind: TypeAlias = tuple[tuple[int, ...], DType, np.dtype[np.generic]]
"""Physical shape, element type and numpy type of an array."""


def physical_kinds(buffers: Sequence[Buffer]) -> tuple[Kind, ...]:
    """Return what the arrays that hold `buffers` are, for `allocate`."""
    return tuple(
        (buffer.layout.physical_shape(buffer.shape), buffer.dtype, buffer.dtype.numpy)
        for buffer in buffers
    )


def allocate(kinds: Sequence[Kind], like: Any) -> tuple[Any, ...]:
    """Return new arrays of `kinds`, of the library and on the device of `like`.

    Raises:
        TileError: E0818 if a numpy array is too large for this computer.
    """
    if like is None or isinstance(like, np.ndarray):
        try:
            return tuple([np.empty(shape, numpy) for shape, _, numpy in kinds])
        except (MemoryError, ValueError) as error:
            raise TileError(_too_large(kinds, error)) from None
    return tuple(
        like.new_empty(shape, dtype=_foreign_dtype(like, dtype)) for shape, dtype, _ in kinds
    )


def _too_large(kinds: Sequence[Kind], error: Exception) -> Diagnostic:
    shapes = " and ".join(f"{dtype}{list(shape)}" for shape, dtype, _ in kinds)
    return Diagnostic(
        "E0818",
        f"there is no memory for results {shapes}: {error}",
        callsite.location(None),
        "pass smaller sizes, or arrays of your own with out=",
    )


def as_results(out: Any, results: Sequence[Buffer], location: Location) -> tuple[Any, ...]:
    """Return the arrays of `out=`, one for each result.

    Raises:
        TileError: E0803 for another number of arrays.
    """
    arrays = as_tuple(out)
    if len(arrays) != len(results):
        names = ", ".join(buffer.name for buffer in results)
        raise TileError(
            Diagnostic(
                "E0803",
                f"out= holds {len(arrays)} arrays, wanted {len(results)}: {names}",
                location,
                f"pass out=({names}), in that order" if len(results) > 1 else f"pass out={names}",
            )
        )
    return arrays


def as_tuple(results: Any) -> tuple[Any, ...]:
    """Return several results as they are, and one as a tuple of one."""
    return tuple(results) if type(results) in (tuple, list) else (results,)


def check_results(
    results: Mapping[str, Any],
    buffers: Sequence[Buffer],
    inputs: Mapping[str, Any],
    location: Location,
) -> None:
    """Check that each array of `out=` can hold its result without harm to an input.

    Raises:
        TileError: E0804 for shape or dtype, E0805 read-only, E0806 for memory shared with another.
    """
    faults = [
        fault
        for buffer in buffers
        for fault in _result_faults(buffer, results, inputs, location)
        if fault
    ]
    if faults:
        raise TileError(*faults)


def _result_faults(
    buffer: Buffer, results: Mapping[str, Any], inputs: Mapping[str, Any], location: Location
) -> list[Diagnostic]:
    name, array = buffer.name, results[buffer.name]
    found = describe(name, array, location)
    shape = buffer.layout.physical_shape(buffer.shape)
    faults: list[Diagnostic] = []
    if found != Argument(shape, buffer.dtype):
        faults.append(
            Diagnostic(
                "E0804",
                f"the array for result `{name}` is {found.dtype}{list(found.shape)}, "
                f"wanted {buffer.dtype}{list(shape)}",
                location,
                f"pass `np.empty({shape}, ...)` of dtype {buffer.dtype}, or no out= at all",
            )
        )
    if not _is_numpy(array):
        return faults
    if not array.flags.writeable:
        faults.append(
            Diagnostic(
                "E0805",
                f"the array for result `{name}` is read-only",
                location,
                "pass an array that may be written, or no out= at all",
            )
        )
    if _meets_itself(array):
        faults.append(
            Diagnostic(
                "E0806",
                f"several elements of the array for result `{name}` share memory",
                location,
                "pass an array that is no broadcast or overlapping view, or no out= at all",
            )
        )
    others = {**inputs, **{other: results[other] for other in results if other != name}}
    for other, memory in others.items():
        if _is_numpy(memory) and np.shares_memory(array, memory):
            faults.append(
                Diagnostic(
                    "E0806",
                    f"the array for result `{name}` shares memory with `{other}`",
                    location,
                    f"pass a copy of one of them: `{other}.copy()`",
                )
            )
    return faults


def _meets_itself(array: np.ndarray[Any, Any]) -> bool:
    """Return whether strides bring two elements to one place (or might, in contrived views)."""
    axes = [axis for axis in zip(array.strides, array.shape, strict=True) if axis[1] > 1]
    reach = array.itemsize
    for stride, size in sorted((abs(stride), size) for stride, size in axes):
        if stride < reach:
            return True
        reach += stride * (size - 1)
    return False


def _is_numpy(array: object) -> bool:
    return isinstance(array, np.ndarray)


def _foreign_dtype(like: Any, dtype: DType) -> Any:
    """Return the dtype called `dtype` of the library that `like`'s dtype belongs to."""
    library = __import__(type(like.dtype).__module__)
    return getattr(library, dtype.value)
