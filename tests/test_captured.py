"""What a kernel reads from outside may change between calls, as it does in a notebook."""

import sys
from collections import OrderedDict, deque
from collections.abc import Callable
from functools import partial, wraps
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tilelang as tl
from tilelang.captured import Outside

SCALE = 2
TABLE = {"factor": [1, 2]}
ONE = 1


def change(t: tl.Tensor) -> None:
    t += ONE


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


def test_a_global_of_a_function_that_the_kernel_calls_is_read_anew(
    monkeypatch: pytest.MonkeyPatch,
):
    np.testing.assert_array_equal(scaled(X), 2 * X + 1)
    monkeypatch.setitem(globals(), "ONE", 5)
    np.testing.assert_array_equal(scaled(X), 2 * X + 5)


class Epilogue:
    """Adds a number that it holds."""

    step = 1

    def __init__(self, bias: int) -> None:
        self.bias = bias

    def apply(self, t: tl.Tensor) -> None:
        t += self.bias * self.step

    def __call__(self, t: tl.Tensor) -> None:
        self.apply(t)


def identity(function: Callable[..., None]) -> Callable[..., None]:
    @wraps(function)
    def wrapped(*args: Any) -> None:
        function(*args)

    return wrapped


@identity
def wrapped_change(t: tl.Tensor) -> None:
    change(t)


EPILOGUE = Epilogue(3)
CONFIG = SimpleNamespace(inner=SimpleNamespace(bias=4))
MODULE = ModuleType("settings")
setattr(MODULE, "BIAS", 5)  # noqa: B010 - pyright knows no attribute of a module made here
STEPS = [change]


def through_a_method(t: tl.Tensor) -> None:
    EPILOGUE.apply(t)


def through_an_object(t: tl.Tensor) -> None:
    EPILOGUE(t)


def through_a_new_object(t: tl.Tensor) -> None:
    Epilogue(2)(t)


def through_attributes(t: tl.Tensor) -> None:
    t += CONFIG.inner.bias


def through_a_module(t: tl.Tensor) -> None:
    t += MODULE.BIAS


def through_a_list(t: tl.Tensor) -> None:
    for step in STEPS:
        step(t)


def through_a_partial(t: tl.Tensor) -> None:
    partial(change, t)()


@pytest.mark.parametrize(
    ("add", "target", "name", "before", "after"),
    [
        (through_a_method, EPILOGUE, "bias", 3, 8),
        (through_a_method, Epilogue, "step", 3, 24),
        (through_an_object, EPILOGUE, "bias", 3, 8),
        (through_a_new_object, Epilogue, "step", 2, 16),
        (through_attributes, CONFIG.inner, "bias", 4, 8),
        (through_a_module, MODULE, "BIAS", 5, 8),
        (through_a_list, sys.modules[__name__], "ONE", 1, 8),
        (through_a_partial, sys.modules[__name__], "ONE", 1, 8),
        (wrapped_change, sys.modules[__name__], "ONE", 1, 8),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_a_kernel_reaches_by_names_is_read_anew(
    add: Callable[[tl.Tensor], None],
    target: object,
    name: str,
    before: int,
    after: int,
    monkeypatch: pytest.MonkeyPatch,
):
    @tl.kernel("x[N]: T -> y[N]: T")
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        t = tl.alloc_ub((8,), x.dtype)
        tl.data_move(t, x)
        add(t)
        tl.data_move(y, t)

    np.testing.assert_array_equal(kernel(X), X + before)
    monkeypatch.setattr(target, name, 8)
    np.testing.assert_array_equal(kernel(X), X + after)


class Slotted:
    """A number that stands in no dict."""

    __slots__ = ("bias",)

    def __init__(self, bias: int) -> None:
        self.bias = bias


def reloaded() -> int:
    return 2


def as_reloaded() -> int:
    return 8


def reload() -> None:
    """Do what IPython's autoreload does to a function of a file that was edited."""
    reloaded.__code__ = as_reloaded.__code__


NUMBERS = np.array([2.0, 1.0])
NOTHING = np.full(2, np.nan)
ORDERED = OrderedDict({"bias": 2})
LATEST = deque([2], maxlen=1)
CHOSEN = {2}
BYTES = bytearray([2])
SLOTTED = Slotted(2)
SHADOWED = Epilogue(2)


@pytest.mark.parametrize(
    ("read", "change"),
    [
        (lambda: float(NUMBERS[0]), lambda: NUMBERS.__setitem__(0, 8)),
        (lambda: ORDERED["bias"], lambda: ORDERED.update(bias=8)),
        (lambda: LATEST[0], lambda: LATEST.append(8)),
        (lambda: max(CHOSEN), lambda: CHOSEN.add(8)),
        (lambda: BYTES[0], lambda: BYTES.__setitem__(0, 8)),
        (lambda: SLOTTED.bias, lambda: setattr(SLOTTED, "bias", 8)),
        (lambda: SHADOWED.step + 1, lambda: setattr(SHADOWED, "step", 7)),
        (lambda: reloaded(), reload),
    ],
    ids=["array", "dict", "deque", "set", "bytes", "slots", "attribute of its own", "code"],
)
def test_what_changes_in_place_is_read_anew(read: Callable[[], int], change: Callable[[], None]):
    @tl.kernel("x[N]: T -> y[N]: T")
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        t = tl.alloc_ub((8,), x.dtype)
        tl.data_move(t, x)
        t += read()
        tl.data_move(y, t)

    np.testing.assert_array_equal(kernel(X), X + 2)
    change()
    np.testing.assert_array_equal(kernel(X), X + 8)


def test_an_array_of_nothing_does_not_change():
    calls: list[int] = []

    @tl.kernel("x[N]: T -> y[N]: T")
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        t = tl.alloc_ub((8,), x.dtype)
        tl.data_move(t, x)
        tl.data_move(y, t)
        calls.append(NOTHING.size)

    kernel(X)
    kernel(X)
    assert calls == [2]


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


def counted() -> int:
    TABLE["factor"].append(3)
    return SCALE + ONE


def test_outside_says_which_numbers_changed_and_nothing_of_what_came_new(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setitem(globals(), "TABLE", {"factor": [1, 2], "shift": 4})
    outside = Outside(counted)
    before = outside.read()
    counted()
    assert list(outside.changes(before)) == []
    monkeypatch.setitem(globals(), "SCALE", 3)
    monkeypatch.setitem(TABLE, "shift", 5)
    assert sorted(outside.changes(before)) == [("SCALE", 2, 3), ("TABLE['shift']", 4, 5)]


def test_a_list_that_only_grows_while_a_loop_is_traced_is_no_mistake():
    seen: list[int] = []

    @tl.kernel("x[N]: T -> y[N]: T")
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        t = tl.alloc_ub((8,), x.dtype)
        for _ in tl.for_range(3):
            tl.data_move(t, x)
            seen.append(len(seen))
        tl.data_move(y, t)

    np.testing.assert_array_equal(kernel(X), X)
    assert seen == [0]
