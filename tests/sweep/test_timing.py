"""Timing, with executables whose clock is ours."""

from collections.abc import Sequence
from typing import Any

import pytest

from tilelang.sweep.spread import noise_of
from tilelang.sweep.timing import sample, start


class Device:
    """An executable that times itself and writes down when it ran."""

    source = ""

    def __init__(self, name: str, seconds: float, diary: list[str]) -> None:
        self.name, self.each, self.diary = name, seconds, diary

    def __call__(self, *arrays: Any) -> None:
        raise AssertionError("a clock of its own is to be used")

    def seconds(self, arrays: Sequence[Any], n_calls: int) -> float:
        self.diary.append(self.name)
        return self.each * n_calls


def test_rounds_are_interleaved_and_rotate():
    diary: list[str] = []
    runs = [start(Device(name, 1.0, diary), [], 3) for name in "abc"]
    diary.clear()
    sample(runs)
    assert "".join(diary) == "abcbcacab"
    assert [run.samples for run in runs] == [[1.0] * 3] * 3


def test_a_quick_program_is_called_until_the_clock_can_tell():
    run = start(Device("quick", 1e-6, []), [], 5)
    sample([run])
    assert run.n_calls == 200
    assert run.samples == pytest.approx([1e-6] * 5)


def test_a_slow_program_is_sampled_less_often_but_three_times():
    slow, slower = (start(Device("slow", seconds, []), [], 21) for seconds in (0.5, 9.0))
    sample([slow, slower])
    assert (len(slow.samples), len(slower.samples)) == (6, 3)


def test_a_program_whose_samples_spread_is_sampled_again():
    class Unsteady(Device):
        def seconds(self, arrays: Sequence[Any], n_calls: int) -> float:
            self.each = self.each % 0.03 + 0.01  # 0.01, 0.02 and 0.03 in turn
            return super().seconds(arrays, n_calls)

    steady, unsteady = Device("steady", 0.01, []), Unsteady("unsteady", 0.01, [])
    runs = [start(device, [], 5) for device in (steady, unsteady)]
    sample(runs)
    assert [len(run.samples) for run in runs] == [5, 20]


def test_a_program_without_a_clock_is_timed_by_ours():
    calls: list[tuple[Any, ...]] = []

    class Plain:
        source = ""

        def __call__(self, *arrays: Any) -> None:
            calls.append(arrays)

    run = start(Plain(), ["x", "y"], 2)
    sample([run])
    assert set(calls) == {("x", "y")}
    assert all(0 < seconds < 0.1 for seconds in run.samples)


def test_noise_forgives_one_disturbed_sample():
    assert noise_of([1.0, 1.0, 1.0, 1.0, 50.0]) == 0
    assert noise_of([0.9, 1.0, 1.1]) == pytest.approx(0.14826)
    assert noise_of([1.0, 2.0]) is None
