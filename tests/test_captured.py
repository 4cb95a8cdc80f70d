"""What a kernel reads from outside may change between calls, as it does in a notebook."""

from typing import Any

import numpy as np
import pytest

import tilelang as tl

SCALE = 2
TABLE = {"factor": [1, 2]}


def change(t: tl.Tensor) -> None:
    t += 1


@tl.kernel("x[N]: T -> y[N]: T")
def scaled(x: tl.Tensor, y: tl.Tensor) -> None:
    t = tl.alloc_ub((8,), x.dtype)
    tl.data_move(t, x)
    t *= SCALE * TABLE["factor"][0]
    change(t)
    tl.data_move(y, t)


X = np.arange(8, dtype=np.float32)


def test_a_global_that_changes_is_read_anew(monkeypatch: pytest.MonkeyPatch):
    np.testing.assert_array_equal(scaled(X), 2 * X + 1)
    monkeypatch.setitem(globals(), "SCALE", 3)
    np.testing.assert_array_equal(scaled(X), 3 * X + 1)
    assert "3.0" in str(scaled.program(x=X))


def test_a_list_that_changes_in_place_is_read_anew(monkeypatch: pytest.MonkeyPatch):
    np.testing.assert_array_equal(scaled(X), 2 * X + 1)
    monkeypatch.setitem(TABLE, "factor", [5])
    np.testing.assert_array_equal(scaled(X), 10 * X + 1)


def test_a_function_that_is_defined_anew_is_called_anew(monkeypatch: pytest.MonkeyPatch):
    def other(t: tl.Tensor) -> None:
        t += 7

    np.testing.assert_array_equal(scaled(X), 2 * X + 1)
    monkeypatch.setitem(globals(), "change", other)
    np.testing.assert_array_equal(scaled(X), 2 * X + 7)


def test_a_variable_of_the_function_around_is_read_anew():
    factor: Any = 2

    @tl.kernel("x[N]: T -> y[N]: T")
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        t = tl.alloc_ub((8,), x.dtype)
        tl.data_move(t, x)
        t *= factor
        tl.data_move(y, t)

    np.testing.assert_array_equal(kernel(X), 2 * X)
    factor = 4
    np.testing.assert_array_equal(kernel(X), 4 * X)


def test_what_does_not_change_is_not_traced_again():
    calls: list[int] = []

    @tl.kernel("x[N]: T -> y[N]: T")
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        t = tl.alloc_ub((8,), x.dtype)
        tl.data_move(t, x)
        tl.data_move(y, t)
        calls.append(SCALE)

    kernel(X)
    kernel(X)
    assert calls == [2]
