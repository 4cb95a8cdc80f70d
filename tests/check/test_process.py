"""A process that calls functions: what they return comes back, and how they end does."""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterator

import pytest

from tilelang.check.process import Ended, Process


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    with Process(seconds=30) as started:
        yield started


def test_a_result_comes_back(process: Process):
    assert process.call(divmod, 17, 5) == (3, 2)
    assert process.call(sorted, [3, 1, 2], reverse=True) == [3, 2, 1]


def test_what_a_call_prints_is_no_result(process: Process):
    assert process.call(print, "not this") is None


def test_calls_run_one_after_the_other_in_one_process(process: Process):
    pid = process.call(os.getpid)
    assert pid != os.getpid()
    assert process.call(os.getpid) == pid


def test_a_crash_is_told_with_its_signal_and_the_next_call_runs(process: Process):
    found = process.call(ctypes.string_at, 0)
    assert found == Ended("crashed (signal 11, SIGSEGV)")
    assert process.call(divmod, 7, 2) == (3, 1)


def test_a_process_that_leaves_says_its_status(process: Process):
    assert process.call(os._exit, 3) == Ended("crashed (status 3)")


def test_a_process_that_is_killed_from_outside_says_so(process: Process):
    pid = process.call(os.getpid)
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGKILL)
    assert str(process.call(os.getpid)) == "crashed (signal 9, SIGKILL)"


def test_an_exception_is_told_with_its_traceback(process: Process):
    found = process.call(int, "seven")
    assert isinstance(found, Ended)
    assert found.said[0].startswith("Traceback")
    assert str(found).startswith("crashed (status 1): ValueError: invalid literal")


def test_words_of_an_earlier_call_are_forgotten(process: Process):
    process.call(sys.exit, "earlier words")
    assert process.call(os._exit, 3) == Ended("crashed (status 3)")


def test_a_call_that_hangs_is_ended_and_the_next_one_runs():
    with Process(seconds=1) as process:
        assert process.call(time.sleep, 1000) == Ended("gave no result within 1 s", is_late=True)
        assert process.call(divmod, 7, 2) == (3, 1)


def test_the_process_ends_with_the_context():
    with Process(seconds=30) as process:
        pid = process.call(os.getpid)
    assert isinstance(pid, int)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_one_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Process(seconds=30) as process, pytest.raises(RuntimeError, match="did not start"):
        process.call(os.getpid)
