"""The tables of `bench.cpu_kernels`: a row as text, and how its times are taken."""

import time

from bench.cpu_kernels.row import HEAD, Row
from bench.cpu_kernels.turns import medians


def test_a_row_shows_the_peers_time_over_ours():
    row = Row("softmax", 2e-6, "torch", 3e-6, 1.0, "float32")
    assert row.line() == "| softmax | 2 | torch | 3 | 1.50 | 1.00 | float32 |"


def test_a_row_that_misses_its_goal_says_so():
    row = Row("softmax", 4e-6, "torch", 3e-6, 0.9, "two passes")
    assert row.line().endswith("| 0.75 | 0.90 | missed. two passes |")


def test_a_row_without_a_peer_is_complete_and_misses_nothing():
    row = Row("softmax", 4e-6, goal=0.9)
    assert row.line().count("|") == HEAD[0].count("|")
    assert not row.is_short


def test_everyone_is_measured():
    assert set(medians({"a": int, "b": str}, 3)) == {"a", "b"}


def test_waiting_takes_no_time_of_the_processor():
    times = medians({"waits": lambda: time.sleep(1e-3), "adds": lambda: sum(range(50_000))}, 1)
    assert times["waits"] < times["adds"]
