"""The matrix products that a user could pick here, and our own, behind one interface.

A peer turns (sizes, dtype) into a function that multiplies once, or into None where it does not
apply. Operands are made here, outside of what is timed; a peer that wants another form of them
(packed weights, a copy of OpenBLAS with other kernels) prepares it before.
"""

import ctypes
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from tilelang.backends.llvm import BACKEND
from tilelang.kernels.gemm import gemm
from tilelang.machines import find_machine

Array = NDArray[Any]
Run = Callable[[], object]

CORE_TYPES = ("", "SkylakeX", "Haswell", "Zen")
"""Kernels of OpenBLAS to try; "" is what it picks itself."""


@dataclass(frozen=True, slots=True)
class Case:
    """One product: [m, k] times [k, n] of a dtype."""

    m: int
    n: int
    k: int
    dtype: str

    @property
    def n_operations(self) -> int:
        """Multiplications and additions."""
        return 2 * self.m * self.n * self.k

    def operands(self) -> tuple[Array, Array]:
        """Return random operands, row-major."""
        rng = np.random.default_rng(0)
        shapes = (self.m, self.k), (self.k, self.n)
        if self.dtype == "int8":
            return tuple(rng.integers(-128, 128, shape).astype(np.int8) for shape in shapes)  # pyright: ignore[reportReturnType]
        kind = ml_dtypes.bfloat16 if self.dtype == "bfloat16" else np.dtype(self.dtype)
        return tuple(rng.standard_normal(shape).astype(kind) for shape in shapes)  # pyright: ignore[reportReturnType]


def ours(case: Case, n_threads: int) -> Run:
    """Return our product, with the tiles that a user gets without asking."""
    a, b = case.operands()
    program = gemm.program(dtype=case.dtype, M=case.m, N=case.n, K=case.k)
    run = BACKEND.compile(program, find_machine("host"), n_threads=n_threads)
    out = np.empty((case.m, case.n), np.int32 if case.dtype == "int8" else np.float32)
    return lambda: run(a, b, out)


class OpenBlas:
    """A copy of numpy's OpenBLAS of its own, so that each can have other kernels."""

    def __init__(self, core_type: str, n_threads: int) -> None:
        """Load the library that numpy ships with.

        Raises:
            FileNotFoundError: where numpy came without one.
        """
        folder = Path(np.__file__).parents[1] / "numpy.libs"
        found = [*folder.glob("libscipy_openblas*.so")]
        if not found:
            raise FileNotFoundError("numpy ships no OpenBLAS here")
        self._folder = tempfile.TemporaryDirectory()
        copied = Path(self._folder.name) / f"openblas-{core_type or 'own'}.so"
        shutil.copy(found[0], copied)
        os.environ.pop("OPENBLAS_CORETYPE", None)
        if core_type:
            os.environ["OPENBLAS_CORETYPE"] = core_type
        for needed in folder.glob("lib*quadmath*"), folder.glob("libgfortran*"):
            for library in needed:
                ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
        self._library = ctypes.CDLL(str(copied))
        self._library.scipy_openblas_set_num_threads64_(n_threads)

    def multiply(self, a: Array, b: Array, out: Array) -> None:
        """Set `out = a @ b`, all float32 and row-major."""
        (m, k), n = a.shape, b.shape[1]
        sizes = (ctypes.c_int64(m), ctypes.c_int64(n), ctypes.c_int64(k))
        one, zero = ctypes.c_float(1), ctypes.c_float(0)
        left = ctypes.c_void_p(a.ctypes.data), ctypes.c_int64(k)
        right = ctypes.c_void_p(b.ctypes.data), ctypes.c_int64(n)
        target = ctypes.c_void_p(out.ctypes.data), ctypes.c_int64(n)
        row_major, plain = 101, 111
        product = self._library.scipy_cblas_sgemm64_
        product(row_major, plain, plain, *sizes, one, *left, *right, zero, *target)


def openblas(library: OpenBlas, case: Case) -> Run | None:
    """Return OpenBLAS on float32, after a cast where the operands are float16."""
    if case.dtype not in ("float32", "float16"):
        return None
    a, b = case.operands()
    out = np.empty((case.m, case.n), np.float32)
    if case.dtype == "float32":
        return lambda: library.multiply(a, b, out)
    return lambda: library.multiply(a.astype(np.float32), b.astype(np.float32), out)


def torch_peers(case: Case, n_threads: int) -> Iterator[tuple[str, Run]]:
    """Yield what torch has: its own product, and oneDNN with packed weights."""
    torch: Any = import_module("torch")
    torch.set_num_threads(n_threads)
    a, b = (_tensor(torch, array) for array in case.operands())
    if case.dtype == "int8":
        yield "torch int8", lambda: torch._int_mm(a, b)
        return
    if case.dtype == "float16":
        return  # two orders of magnitude slower than a cast (2 GF/s on Zen 5)
    yield "torch", lambda: torch.mm(a, b)
    packed = torch.ops.mkldnn._reorder_linear_weight(b.t().contiguous(), case.m)
    linear = torch.ops.mkldnn._linear_pointwise
    yield "oneDNN packed", lambda: linear(a, packed, None, "none", [], "")


def _tensor(torch: Any, array: Array) -> Any:
    if array.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(array.view(np.uint16).copy()).view(torch.bfloat16)
    return torch.from_numpy(array)


def find_peers(case: Case, n_threads: int, only: str = "") -> dict[str, Run]:
    """Return everyone who takes part, by name; `only` one kind where a process is for one."""
    found: dict[str, Run] = {}
    if only in ("", "ours"):
        found["ours"] = ours(case, n_threads)
    if only in ("", "openblas"):
        for core_type in CORE_TYPES:
            run = openblas(_library(core_type, n_threads), case)
            if run is not None:
                found[f"OpenBLAS {core_type or 'as shipped'}"] = run
    if only in ("", "torch"):
        try:
            found.update(torch_peers(case, n_threads))
        except ModuleNotFoundError:
            found.pop("torch", None)
    return found


_libraries: dict[tuple[str, int], OpenBlas] = {}


def _library(core_type: str, n_threads: int) -> OpenBlas:
    key = core_type, n_threads
    if key not in _libraries:
        _libraries[key] = OpenBlas(*key)
    return _libraries[key]
