"""Runs generated source on a GPU, through torch."""

import linecache
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from itertools import count
from types import ModuleType
from typing import Any

import numpy as np

from tilelang.backends.triton.processes import is_installed
from tilelang.ir.nodes import Program

_numbers = count()

ALIGNMENT_BYTES = 16
"""Of the start of a tensor that a descriptor is made of; Triton counts on it elsewhere too."""


@cache
def torch() -> Any:
    """Return the module torch, whose types we do not know: it is no dependency."""
    return import_module("torch")


@cache
def missing() -> str | None:
    """Return what keeps kernels from running on this computer, as a sentence; None if nothing."""
    if not is_installed():
        return "the package `triton` is not installed (pip install 'tilelang-tik[triton]')"
    if find_spec("torch") is None:
        return "running on a GPU takes torch, which is not installed"
    if not torch().cuda.is_available():
        return "torch sees no GPU"
    return None


def load(source: str, name: str) -> Any:
    """Return `launch` of generated source, which messages then quote."""
    file = f"<triton {name} {next(_numbers)}>"
    # Triton reads the source of a kernel back, and finds it where Python keeps what it has read.
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    module = ModuleType(f"tilelang_triton_{name}")
    exec(compile(source, file, "exec"), module.__dict__)
    return module.__dict__["launch"]


def run(launch: Any, program: Program, arrays: Sequence[Any]) -> None:
    """Launch on CUDA tensors; arrays elsewhere are copied there, and results back."""
    tensors = [_on_gpu(array) for array in arrays]
    launch(*tensors)
    n_inputs = len(program.inputs)
    for array, tensor in zip(arrays[n_inputs:], tensors[n_inputs:], strict=True):
        _copy_back(array, tensor)


def _on_gpu(array: Any) -> Any:
    """Return a contiguous, aligned CUDA tensor of what `array` holds: itself if it is one."""
    if type(array) is np.ndarray:
        narrow: bool = array.dtype.name == "bfloat16"
        plain: Any = np.ascontiguousarray(array)
        copied: Any = torch().from_numpy(plain.view(np.int16) if narrow else plain)
        return (copied.view(torch().bfloat16) if narrow else copied).cuda()
    tensor: Any = array if isinstance(array, torch().Tensor) else torch().from_dlpack(array)
    found: Any = tensor.cuda().contiguous()
    return found if found.data_ptr() % ALIGNMENT_BYTES == 0 else found.clone()


def _copy_back(array: Any, tensor: Any) -> None:
    """Copy a result into the array that was given for it, unless it is the tensor itself."""
    if type(array) is np.ndarray:
        host: Any = tensor.cpu()
        narrow: bool = array.dtype.name == "bfloat16"
        array[...] = host.view(torch().int16).numpy().view(array.dtype) if narrow else host.numpy()
        return
    target: Any = array if isinstance(array, torch().Tensor) else torch().from_dlpack(array)
    if target.data_ptr() != tensor.data_ptr():
        target.copy_(tensor)
