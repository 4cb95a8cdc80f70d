"""What the bound is on small programs, reckoned by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tilelang as tl
from tilelang.check.oracle import Enclosure, enclose
from tilelang.kernels.gemm import gemm
from tilelang.kernels.lstm import lstm
from tilelang.numerics import IEEE, Numerics

Array = NDArray[Any]


@tl.kernel("x[N]: float32, z[N]: float32 -> y[N]: float32")
def formula(x: tl.Tensor, z: tl.Tensor, y: tl.Tensor, *, which: int = 1) -> None:
    """Apply one of several formulas."""
    n = x.shape
    a, b = tl.alloc_ub(n, x.dtype), tl.alloc_ub(n, x.dtype)
    out = tl.alloc_ub(n, y.dtype)
    tl.data_move(a, x)
    tl.data_move(b, z)
    formulas = {
        1: lambda: a + b,
        2: lambda: a / b,
        3: lambda: tl.exp(a),
        4: lambda: tl.where(tl.exp(a) < tl.exp(b), a, b),
        5: lambda: tl.ln(a) - tl.ln(b),
        6: lambda: a / b * 0,
    }
    out[:] = formulas[which]()
    tl.data_move(y, out)


@tl.kernel("x[N]: float32 -> y[N]: int32")
def whole(x: tl.Tensor, y: tl.Tensor) -> None:
    """Round exp(0) * x to whole numbers."""
    t, out = tl.alloc_ub(x.shape, x.dtype), tl.alloc_ub(x.shape, y.dtype)
    tl.data_move(t, x)
    out[:] = tl.cast(tl.exp(t * 0) * t, y.dtype)
    tl.data_move(y, out)


def bounded(
    which: int, x: Sequence[float], z: Sequence[float], numerics: Numerics | None = IEEE
) -> Enclosure:
    """Return the enclosure of a formula for these numbers."""
    program = formula.program(N=len(x), which=which)
    inputs = [np.array(one, np.float32) for one in (x, z)]
    (found,) = enclose(program, inputs, numerics)
    return found


def test_one_operation_on_known_numbers_has_one_correct_result():
    x, z = [0.1, 1.0, 3.0], [0.2, 2.0**-30, -3.0]
    found = bounded(1, x, z)
    expected = np.array(x, np.float32) + np.array(z, np.float32)
    np.testing.assert_array_equal(found.low, expected)
    np.testing.assert_array_equal(found.high, expected)
    exact = np.array(x, np.float32).astype(np.float64) + np.array(z, np.float32)
    np.testing.assert_array_equal(found.value, exact)


def test_a_division_near_a_pole_is_unbounded():
    found = bounded(2, [1.0, 1.0], [0.0, 0.5])
    np.testing.assert_array_equal(found.is_unbounded, [True, False])


def test_nothing_times_what_may_be_anything_may_be_anything():
    found = bounded(6, [1.0, 1.0], [0.0, 0.5])
    np.testing.assert_array_equal(found.is_unbounded, [True, False])


def test_a_function_has_room_for_its_units():
    found = bounded(3, [1.0, 0.0, -200.0], [0.0] * 3)
    spacing, nearest = 2.0**-22, float(np.float32(np.e))  # of float32 between 2 and 4
    assert found.low[0] <= nearest - spacing < nearest + spacing <= found.high[0]
    assert found.high[0] - found.low[0] <= 3 * spacing
    assert found.low[2] == 0


def test_a_choice_that_depends_on_rounding_takes_both_sides():
    found = bounded(4, [1.0, 1.0], [1.0, 2.0])
    assert (found.low[0], found.high[0]) == (1.0, 1.0)
    near = bounded(4, [1.0, 1.0], [float(np.nextafter(np.float32(1), np.float32(2))), 2.0])
    assert near.low[0] == 1.0
    assert near.high[0] > 1.0
    assert near.low[1] == near.high[1] == 1.0


def test_what_is_no_number_is_none_on_every_backend():
    found = bounded(5, [-1.0, 0.0], [1.0, 1.0])
    assert np.isnan([found.low[0], found.high[0]]).all()
    assert found.low[1] == found.high[1] == -np.inf


@pytest.mark.parametrize(("value", "low", "high"), [(0.3, 0, 0), (0.5, 0, 1), (1.2, 1, 1)])
def test_a_rounding_cast_near_a_tie_takes_both_numbers(value: float, low: int, high: int):
    (found,) = enclose(whole.program(N=1), [np.array([value], np.float32)], IEEE)
    assert (found.low[0], found.high[0]) == (low, high)


def test_the_sum_of_small_integers_has_no_room_at_all():
    generator = np.random.default_rng(0)
    a = generator.integers(-8, 9, (5, 4096)).astype(np.float16)
    b = generator.integers(-8, 9, (4096, 3)).astype(np.float16)
    program = gemm.program(M=5, K=4096, N=3, dtype="float16")
    (found,) = enclose(program, [a, b / np.float16(8)], IEEE)
    np.testing.assert_array_equal(found.low, found.high)
    np.testing.assert_array_equal(found.low, a.astype(np.float64) @ b.astype(np.float64) / 8)


def test_the_room_of_a_sum_is_that_of_the_law():
    k = 1000
    a, b = np.full((1, k), 0.1, np.float16), np.full((k, 1), 0.7, np.float16)
    program = gemm.program(M=1, K=k, N=1, dtype="float16")
    size = (a.astype(np.float64) @ b.astype(np.float64)).item()
    unit = 2.0**-24 * size
    for numerics, is_random, n_units in (
        (IEEE, False, k - 1),
        (IEEE, True, 6 * np.sqrt(k - 1)),
        (Numerics(truncates_sums=True), True, 2 * (k - 1)),
    ):
        (found,) = enclose(program, [a, b], numerics, is_random=is_random)
        room = float(found.high[0, 0] - found.low[0, 0]) / 2
        assert room == pytest.approx(n_units * unit, rel=1e-2)


def test_a_recurrence_is_judged_by_the_backends_own_states():
    """Without that the room of 30 steps of an LSTM would be larger than its numbers."""
    generator = np.random.default_rng(0)
    sizes = [(30, 2, 5), (2, 7), (2, 7), (5, 28), (7, 28), (28,)]
    types = ["float16", "float16", "float32", "float16", "float16", "float32"]
    inputs = [
        generator.uniform(-2, 2, size).astype(dtype)
        for size, dtype in zip(sizes, types, strict=True)
    ]
    x, h, c, w, u, b = inputs
    program = lstm.program(x=x, h=h, c=c, w=w, u=u, b=b)
    found = [np.asarray(one) for one in lstm(*inputs)]
    free = enclose(program, inputs, IEEE)[1]
    bound = enclose(program, inputs, IEEE, found=found)[1]
    assert np.max(bound.high - bound.low) < 2e-5
    assert np.max(free.high - free.low) > 100 * np.max(bound.high - bound.low)
    assert ((bound.low <= found[1]) & (found[1] <= bound.high)).all()


def test_integers_wrap_and_stay_exact():
    a, b = np.full((1, 3), 127, np.int8), np.full((3, 1), -128, np.int8)
    (found,) = enclose(gemm.program(M=1, K=3, N=1, dtype="int8"), [a, b], IEEE)
    assert found.low.dtype == np.int64
    assert found.low[0, 0] == found.high[0, 0] == -3 * 127 * 128


@tl.kernel("x[M, N]: float32 -> y[M, 1]: float32")
def powers(x: tl.Tensor, y: tl.Tensor) -> None:
    """Sum the exponentials of each row."""
    t, out = tl.alloc_ub(x.shape, x.dtype), tl.alloc_ub(y.shape, y.dtype)
    tl.data_move(t, x)
    t[:] = tl.exp(t)
    out[:] = tl.reduce_sum(t, axis=1)
    tl.data_move(y, out)


def test_a_row_that_is_no_number_takes_no_room_from_another():
    x = np.array([[np.nan, 1, 2], [0.1, 0.2, 0.3]], np.float32)
    (found,) = enclose(powers.program(M=2, N=3), [x], IEEE)
    assert np.isnan(found.low[0, 0])
    assert found.high[1, 0] - found.low[1, 0] > 6 * 2.0**-24
