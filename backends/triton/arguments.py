"""The arrays of a call: checked, and taken to and from numpy."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilelang.backends.triton import gpu
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.dtypes import DType
from tilelang.ir.nodes import Program
from tilelang.ir.region import Buffer


def check_arrays(program: Program, arrays: Sequence[Any]) -> None:
    """Check number, shapes and dtypes.

    Raises:
        TileError: E1306 with everything that is wrong.
    """
    buffers = (*program.inputs, *program.results)
    faults = [*_count_faults(buffers, arrays)] or [
        fault
        for buffer, array in zip(buffers, arrays, strict=True)
        for fault in _faults(buffer, array)
    ]
    if faults:
        raise TileError(*faults)


def _count_faults(buffers: Sequence[Buffer], arrays: Sequence[Any]) -> Iterator[Diagnostic]:
    if len(arrays) != len(buffers):
        names = ", ".join(f"`{buffer.name}`" for buffer in buffers)
        yield Diagnostic(
            "E1306",
            f"the program takes {len(buffers)} arrays, {names}; got {len(arrays)}",
            hint="give the inputs, then one array for each result to fill",
        )


def _faults(buffer: Buffer, array: Any) -> Iterator[Diagnostic]:
    wanted = buffer.layout.physical_shape(buffer.shape)
    shape = tuple(getattr(array, "shape", ()))
    dtype = str(getattr(array, "dtype", type(array).__name__)).rpartition(".")[2]
    if (shape, dtype) != (wanted, buffer.dtype.value):
        yield Diagnostic(
            "E1306",
            f"`{buffer.name}` is {dtype}{list(shape)}, wanted {buffer.dtype}{list(wanted)}",
            buffer.loc,
            f"give the array of {buffer} in layout {buffer.layout}, padding included",
        )


def as_numpy(array: Any) -> NDArray[Any]:
    """Return `array` in main memory; bfloat16 as `ml_dtypes` has it."""
    if type(array) is np.ndarray:
        return array
    torch = gpu.torch()
    tensor: Any = torch.from_dlpack(array).cpu()
    if tensor.dtype is torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(DType.BFLOAT16.numpy)
    return tensor.numpy()


def fill(array: Any, values: NDArray[Any]) -> None:
    """Copy `values` into an array of any library that `as_numpy` takes."""
    if type(array) is np.ndarray:
        array[...] = values
        return
    torch = gpu.torch()
    narrow = values.dtype == DType.BFLOAT16.numpy
    plain: Any = torch.from_numpy(values.view(np.int16) if narrow else values)
    torch.from_dlpack(array).copy_(plain.view(torch.bfloat16) if narrow else plain)
