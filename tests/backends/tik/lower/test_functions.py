"""Functions that chips lack are as accurate as the table in `functions` says."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

import tilelang as tl
from tilelang.backends.tik import BACKEND
from tilelang.kernel import Kernel
from tilelang.machines import find_machine

N = 4000
Work: TypeAlias = Callable[[Any], Any]
Exact: TypeAlias = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def function(work: Work) -> Kernel:
    @tl.kernel("x[N]: T -> y[N]: T")
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        for _ in tl.cores(1):
            tile, out = tl.alloc_ub(x.shape, x.dtype), tl.alloc_ub(x.shape, x.dtype)
            tl.data_move(tile, x)
            out[:] = work(tile)
            tl.data_move(y, out)

    return kernel


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-x))


FUNCTIONS: dict[str, tuple[Work, Exact, tuple[float, float]]] = {
    "exp": (tl.exp, np.exp, (-87, 87)),
    "sqrt": (tl.sqrt, np.sqrt, (0, 1e6)),
    "rsqrt": (tl.rsqrt, lambda x: 1 / np.sqrt(x), (1e-6, 1e6)),
    "sigmoid": (tl.sigmoid, sigmoid, (-80, 80)),
    "tanh": (tl.tanh, np.tanh, (-12, 12)),
    "reciprocal": (lambda x: 1 / x, lambda x: 1 / x, (0.01, 100)),
}
# In units in the last place of float32, on the 310 and on the others.
ULPS = {"exp": (3, 1), "sqrt": (4, 1), "rsqrt": (4, 2), "sigmoid": (6, 4), "tanh": (6, 6),
        "reciprocal": (2, 1)}  # fmt: skip


def run(kernel: Kernel, machine: str, x: NDArray[Any]) -> NDArray[Any]:
    program = kernel.program(x=x, machine=machine)
    out = np.empty_like(x)
    BACKEND.compile(program, find_machine(machine))(x, out)
    return out


@pytest.mark.parametrize("machine", ["ascend310", "ascend910"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32_functions_keep_their_promise(name: str, machine: str) -> None:
    work, exact, (low, high) = FUNCTIONS[name]
    x = np.linspace(low, high, N).astype(np.float32)
    if name == "tanh":  # near 0 too, where an exponential would lose every digit
        x[: N // 4] = np.geomspace(1e-8, 1, N // 4)
    found, wanted = run(function(work), machine, x), exact(x.astype(np.float64))
    ulp = np.spacing(np.abs(wanted).astype(np.float32)).astype(np.float64)
    assert np.max(np.abs(found - wanted) / ulp) <= ULPS[name][machine == "ascend910"]


@pytest.mark.parametrize("machine", ["ascend310", "ascend910"])
@pytest.mark.parametrize("name", ["exp", "sqrt", "rsqrt", "sigmoid", "tanh"])
def test_float16_functions_are_rounded_once(name: str, machine: str) -> None:
    work, exact, (low, high) = FUNCTIONS[name]
    x = np.linspace(max(low, -10), min(high, 10), N).astype(np.float16)
    if name == "rsqrt":
        x = np.maximum(x, np.float16(0.01))
    found, wanted = run(function(work), machine, x), exact(x.astype(np.float64))
    ulp = np.spacing(np.abs(wanted).astype(np.float16)).astype(np.float64)
    assert np.max(np.abs(found - wanted) / ulp) <= 0.51


@pytest.mark.parametrize("machine", ["ascend310", "ascend910"])
def test_far_arguments_give_limits_and_no_nan(machine: str) -> None:
    x = np.array([-1e30, -200, -90, 0, 90, 200, 1e30] + [0] * 9, np.float32)
    assert np.isfinite(run(function(tl.sigmoid), machine, x)).all()
    np.testing.assert_array_equal(run(function(tl.tanh), machine, x)[:7], [-1, -1, -1, 0, 1, 1, 1])
