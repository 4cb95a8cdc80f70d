"""A process that runs programs, so that one that crashes or hangs ends no search.

It is started once and kept; after a crash, or once the time of a run is over, the next run starts
another one. It needs nothing of the caller but programs and arrays: kernels stay here.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from types import TracebackType
from typing import IO

from tilelang.check.fuzz.execution import Job, Mistake, Outcome

RUN_SECONDS = 60.0
"""What one run may take: the slowest that `fuzz` draws takes a few seconds on a busy computer."""
_LAST_SECONDS = 10.0
"""What a process may take to end after it has failed."""


class Process:
    """Runs jobs in a process of its own, one at a time; a context manager that ends it."""

    def __init__(self, seconds: float = RUN_SECONDS) -> None:
        """Start nothing yet; a run that takes more than `seconds` hangs."""
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `__exit__`

    def __enter__(self) -> Process:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process, whatever it does."""
        if self._child is not None:
            self._end(self._child)
        self._said.close()

    def run(self, job: Job) -> Outcome:
        """Return what comes of `job`; a crash, and no outcome in time, are mistakes."""
        child = self._child or self._start()
        self._said.seek(0)
        self._said.truncate()
        is_late = threading.Event()

        def stop() -> None:
            is_late.set()
            _kill(child)

        timer = threading.Timer(self._seconds, stop)
        timer.start()
        try:
            outcome = self._ask(child, job)
        finally:
            timer.cancel()
        if outcome is not None and not is_late.is_set():
            return outcome
        with suppress(subprocess.TimeoutExpired):
            child.wait(_LAST_SECONDS)  # it has closed its output, and is about to end
        self._end(child)
        if is_late.is_set():
            return Mistake(f"gave no result within {self._seconds:.0f} s")
        return Mistake(f"crashed ({_manner(child.returncode)}){self._last_words()}")

    @staticmethod
    def _ask(child: subprocess.Popen[bytes], job: Job) -> Outcome | None:
        """Return the outcome of `job`, None if the process ended before."""
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            pickle.dump(job, child.stdin)
            child.stdin.flush()
            return pickle.load(child.stdout)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            return None

    def _start(self) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            [sys.executable, "-m", "tilelang.check.fuzz.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            start_new_session=True,  # an interrupt from the keyboard is for the search alone
        )
        assert child.stdout is not None
        try:
            pickle.load(child.stdout)
        except EOFError:
            self._end(child)
            message = f"the process that runs programs did not start{self._last_words()}"
            raise RuntimeError(message) from None
        self._child = child
        return child

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        _kill(child)
        child.communicate()  # closes what leads there, and waits
        self._child = None

    def _last_words(self) -> str:
        """Return the last line that the process left: of an exception, what it says."""
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").splitlines()
        return next((f": {line.strip()}" for line in reversed(lines) if line.strip()), "")


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End a process and what it started, unless it has ended."""
    if child.poll() is not None:
        return
    if hasattr(os, "killpg"):
        os.killpg(child.pid, signal.SIGKILL)
    else:
        child.kill()


def _manner(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"
