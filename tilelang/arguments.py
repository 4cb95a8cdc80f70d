"""The arrays of a call: what they are, what results are allocated, and what may not be passed."""

from collections.abc import Iterator, Sequence
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


def as_results(out: Any, names: Sequence[str]) -> tuple[Any, ...]:
    """Return the arrays of `out=`, one for each result of `names`.

    Raises:
        TileError: E0803 for another number of arrays.
    """
    arrays = as_tuple(out)
    if len(arrays) != len(names):
        raise TileError(
            Diagnostic(
                "E0803",
                f"out= holds {len(arrays)} arrays, wanted {len(names)}: {', '.join(names)}",
                callsite.location(None),
                f"pass out=({', '.join(names)}), in that order"
                if len(names) > 1
                else f"pass out={names[0]}",
            )
        )
    return arrays


def as_tuple(results: Any) -> tuple[Any, ...]:
    """Return several results as they are, and one as a tuple of one."""
    return tuple(results) if type(results) in (tuple, list) else (results,)


def check_results(names: Sequence[str], arrays: Sequence[Any], kinds: Sequence[Kind]) -> None:
    """Check that each array of `out=` can hold its result without harm to another array.

    Args:
        names: of the inputs, then of the results.
        arrays: likewise.
        kinds: what the arrays of the results are to be.

    Raises:
        TileError: E0801 and E0802 as `describe`, E0804 for shape or dtype, E0805 read-only, E0806
            for memory shared with another.
    """
    faults: list[Diagnostic] = []
    for number, kind in enumerate(kinds, len(arrays) - len(kinds)):
        faults += _result_faults(number, kind, names, arrays)
    if faults:
        raise TileError(*faults)


def _result_faults(
    number: int, kind: Kind, names: Sequence[str], arrays: Sequence[Any]
) -> list[Diagnostic]:
    """Return what is wrong with one; the place of the call is looked for at a mistake only."""
    name, array = names[number], arrays[number]
    shape, dtype, numpy = kind
    faults: list[Diagnostic] = []
    if type(array) is not np.ndarray or array.dtype != numpy or array.shape != shape:
        faults += _misfits(name, array, Argument(shape, dtype))
        if not _is_numpy(array):
            return faults
    flags = array.flags
    if not flags.writeable:
        faults.append(_read_only(name))
    if not flags.c_contiguous and _meets_itself(array):
        faults.append(
            Diagnostic(
                "E0806",
                f"several elements of the array for result `{name}` share memory",
                callsite.location(None),
                "pass an array that is no broadcast or overlapping view, or no out= at all",
            )
        )
    for other, memory in enumerate(arrays):
        if other != number and _is_numpy(memory) and np.shares_memory(array, memory):
            faults.append(_shared(name, names[other]))
    return faults


def _read_only(name: str) -> Diagnostic:
    return Diagnostic(
        "E0805",
        f"the array for result `{name}` is read-only",
        callsite.location(None),
        "pass an array that may be written, or no out= at all",
    )


def _shared(name: str, other: str) -> Diagnostic:
    return Diagnostic(
        "E0806",
        f"the array for result `{name}` shares memory with `{other}`",
        callsite.location(None),
        f"pass a copy of one of them: `{other}.copy()`",
    )


def _misfits(name: str, array: Any, wanted: Argument) -> Iterator[Diagnostic]:
    found = describe(name, array, callsite.location(None))
    if found != wanted:
        yield Diagnostic(
            "E0804",
            f"the array for result `{name}` is {found.dtype}{list(found.shape)}, "
            f"wanted {wanted.dtype}{list(wanted.shape)}",
            callsite.location(None),
            f"pass `np.empty({wanted.shape}, ...)` of dtype {wanted.dtype}, or no out= at all",
        )


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
