"""Functions that chips lack are as accurate as the backend promises to `check`."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

import tilelang as tl
from tilelang.backends.tik import BACKEND
from tilelang.backends.tik.accuracy import BUILDER, division_ulps, function_ulps
from tilelang.backends.tik.lower.functions import FUNCTIONS as LOWERED
from tilelang.ir.expression import UnaryOp
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


CHIPS = ["ascend310", "ascend310p", "ascend910"]
FUNCTIONS: dict[UnaryOp, tuple[Work, Exact, tuple[float, float]]] = {
    UnaryOp.EXP: (tl.exp, np.exp, (-87, 87)),
    UnaryOp.LN: (tl.ln, np.log, (1e-30, 1e30)),
    UnaryOp.SQRT: (tl.sqrt, np.sqrt, (1e-6, 1e6)),
    UnaryOp.RSQRT: (tl.rsqrt, lambda x: 1 / np.sqrt(x), (1e-6, 1e6)),
    UnaryOp.SIGMOID: (tl.sigmoid, sigmoid, (-80, 80)),
    UnaryOp.TANH: (tl.tanh, np.tanh, (-12, 12)),
}


def run(kernel: Kernel, machine: str, x: NDArray[Any]) -> NDArray[Any]:
    program = kernel.program(x=x, machine=machine)
    out = np.empty_like(x)
    BACKEND.compile(program, find_machine(machine))(x, out)
    return out


def arguments(low: float, high: float) -> NDArray[np.float32]:
    """Return numbers of every size between the limits, and close to 0 if that lies between."""
    sizes = np.geomspace(max(low, 1e-8), high, N // 2)
    if low < 0:
        sizes[::2] *= -1
    return np.concatenate([np.linspace(low, high, N // 2), sizes]).astype(np.float32)


def worst(found: NDArray[Any], wanted: NDArray[np.float64]) -> float:
    """Return the greatest error in units in the last place."""
    ulp = np.spacing(np.abs(wanted).astype(found.dtype)).astype(np.float64)
    return float(np.max(np.abs(found - wanted) / ulp))


@pytest.mark.parametrize("machine", CHIPS)
@pytest.mark.parametrize("op", FUNCTIONS)
def test_float32_functions_keep_their_promise(op: UnaryOp, machine: str) -> None:
    if (op, machine) == (UnaryOp.LN, BUILDER):
        pytest.skip("the 310 has ln in float16 only")
    work, exact, limits = FUNCTIONS[op]
    x = arguments(*limits)
    error = worst(run(function(work), machine, x), exact(x.astype(np.float64)))
    promised = function_ulps(machine)[op]
    assert error <= promised
    assert 2.5 * error >= promised, "the promise may be closer"


def every_size(*, is_signed: bool) -> NDArray[np.float32]:
    """Return finite numbers of random bits, so of every size, and some around where exp ends."""
    bits = np.random.default_rng(0).integers(0, 1 << 32, N // 2, np.uint64).astype(np.uint32)
    around = np.linspace(-110, 110, N // 2, dtype=np.float32)
    found = np.concatenate([bits.view(np.float32), around])
    found = found[np.isfinite(found)]
    return found if is_signed else np.abs(found[np.abs(found) >= LEAST])


LEAST = np.finfo(np.float32).tiny
"""The smallest number below which results, and what leads to them, may be zero."""


@pytest.mark.parametrize("machine", CHIPS)
@pytest.mark.parametrize("op", FUNCTIONS)
def test_float32_functions_keep_their_promise_at_every_size(op: UnaryOp, machine: str) -> None:
    if (op, machine) == (UnaryOp.LN, BUILDER):
        pytest.skip("the 310 has ln in float16 only")
    work, exact, (low, _) = FUNCTIONS[op]
    x = every_size(is_signed=low < 0)
    with np.errstate(over="ignore"):
        wanted = exact(x.astype(np.float64))
        found, rounded = run(function(work), machine, x), wanted.astype(np.float32)
    ends = np.isinf(rounded)
    np.testing.assert_array_equal(found[ends], rounded[ends])
    off = np.abs(found[~ends] - wanted[~ends])
    spacing = np.spacing(np.abs(rounded[~ends])).astype(np.float64)
    assert (off <= np.maximum(function_ulps(machine)[op] * spacing, LEAST)).all()


@pytest.mark.parametrize("machine", CHIPS)
def test_tanh_of_a_small_normal_number_is_that_number(machine: str) -> None:
    x = np.geomspace(LEAST, 1e-30, N).astype(np.float32)
    assert worst(run(function(tl.tanh), machine, x), x.astype(np.float64)) <= 2


@pytest.mark.parametrize("machine", CHIPS)
def test_quotients_keep_their_promise(machine: str) -> None:
    @tl.kernel("x[N]: T, y[N]: T -> z[N]: T")
    def divide(x: tl.Tensor, y: tl.Tensor, z: tl.Tensor) -> None:
        for _ in tl.cores(1):
            left, right = (tl.alloc_ub(x.shape, x.dtype) for _ in range(2))
            tl.data_move(left, x)
            tl.data_move(right, y)
            left[:] = left / right
            tl.data_move(z, left)

    x, y = arguments(1e-15, 1e15), arguments(1e-15, 1e15)[::-1].copy()
    found = np.empty_like(x)
    program = divide.program(x=x, y=y, machine=machine)
    BACKEND.compile(program, find_machine(machine))(x, y, found)
    error = worst(found, x.astype(np.float64) / y)
    assert error <= division_ulps(machine)
    assert 2.5 * error >= division_ulps(machine), "the promise may be closer"


def test_every_function_has_a_promise() -> None:
    assert set(function_ulps(BUILDER)) == set(FUNCTIONS) == set(LOWERED)
    assert BACKEND.numerics.ulps == function_ulps(BUILDER)


@pytest.mark.parametrize("machine", ["ascend310", "ascend910"])
@pytest.mark.parametrize("op", FUNCTIONS)
def test_float16_functions_are_rounded_once(op: UnaryOp, machine: str) -> None:
    work, exact, (low, high) = FUNCTIONS[op]
    x = np.linspace(max(low, -10), min(high, 10), N).astype(np.float16)
    if low > 0:
        x = np.maximum(x, np.float16(0.01))
    found, wanted = run(function(work), machine, x), exact(x.astype(np.float64))
    assert worst(found, wanted) <= 0.51


@pytest.mark.parametrize("machine", CHIPS)
def test_far_arguments_give_limits_and_no_nan(machine: str) -> None:
    x = np.array([-1e30, -200, -90, 0, 90, 200, 1e30] + [0] * 9, np.float32)
    found = run(function(tl.sigmoid), machine, x)
    assert np.isfinite(found).all()
    assert (found[:3] <= 1e-39).all()
    np.testing.assert_array_equal(found[3:7], [0.5, 1, 1, 1])
    np.testing.assert_array_equal(run(function(tl.tanh), machine, x)[:7], [-1, -1, -1, 0, 1, 1, 1])
