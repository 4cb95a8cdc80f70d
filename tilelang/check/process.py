"""A process that calls functions, so that one that crashes or hangs ends nothing else.

It is started once and kept; after a crash, or once the time of a call is over, the next call starts
another one. It needs nothing of the caller but functions of modules and what they are given:
programs and arrays go there, kernels stay here.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any, ParamSpec, TypeVar

_LAST_SECONDS = 10.0
"""What a process may take to end after it has failed."""

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a call that took its process with it, or was too late.

    `manner` follows the name of who was called: "crashed (SIGSEGV)". `said` are the lines that the
    process left on its standard error, without empty ones.
    """

    manner: str
    said: tuple[str, ...] = ()
    is_late: bool = False

    def __str__(self) -> str:
        """Return the manner and the last line: of an exception, what it says."""
        return ": ".join((self.manner, *self.said[-1:]))


class Process:
    """Calls functions in a process of its own, one at a time; a context manager that ends it."""

    def __init__(self, seconds: float) -> None:
        """Start nothing yet; a call that takes more than `seconds` hangs."""
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._is_ready = False
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `__exit__`

    def __enter__(self) -> Process:
        """Begin to start it: it gets ready while the caller prepares the first call."""
        self._child = self._start()
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

    def call(
        self,
        function: Callable[Parameters, Result],
        *args: Parameters.args,
        **keywords: Parameters.kwargs,
    ) -> Result | Ended:
        """Return what `function` returns there, or how its process ended without.

        An exception that it raises ends the process too.
        """
        child = self._child = self._child or self._start()
        self._await(child)
        self._forget_words()
        is_late = threading.Event()

        def stop() -> None:
            is_late.set()
            _kill(child)

        timer = threading.Timer(min(self._seconds, threading.TIMEOUT_MAX), stop)
        timer.start()
        try:
            return _ask(child, (function, args, keywords))
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            return self._ended(child, is_late)
        finally:
            timer.cancel()

    def _ended(self, child: subprocess.Popen[bytes], is_late: threading.Event) -> Ended:
        """Return how `child` ended, once it has."""
        with suppress(subprocess.TimeoutExpired):
            child.wait(_LAST_SECONDS)  # it has closed its output, and is about to end
        self._end(child)
        if is_late.is_set():
            return Ended(f"gave no result within {self._seconds:.0f} s", is_late=True)
        return Ended(f"crashed ({_manner(child.returncode)})", self._last_words())

    def _start(self) -> subprocess.Popen[bytes]:
        self._is_ready = False
        self._forget_words()
        return subprocess.Popen(
            [sys.executable, "-m", "tilelang.check.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            start_new_session=True,  # an interrupt from the keyboard is for the caller alone
        )

    def _await(self, child: subprocess.Popen[bytes]) -> None:
        """Return once `child` is ready."""
        if self._is_ready:
            return
        assert child.stdout is not None
        try:
            self._is_ready = pickle.load(child.stdout)
        except EOFError:
            self._end(child)
            message = "\n".join(
                ("the process that runs programs did not start", *self._last_words())
            )
            raise RuntimeError(message) from None

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        _kill(child)
        child.communicate()  # closes what leads there, and waits
        self._child = None

    def _forget_words(self) -> None:
        self._said.seek(0)
        self._said.truncate()

    def _last_words(self) -> tuple[str, ...]:
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").splitlines()
        return tuple(line.rstrip() for line in lines if line.strip())


def _ask(child: subprocess.Popen[bytes], call: object) -> Any:
    """Return what `child` answers to `call`.

    Raises:
        EOFError, BrokenPipeError, pickle.UnpicklingError: if it ends before.
    """
    assert child.stdin is not None
    assert child.stdout is not None
    pickle.dump(call, child.stdin)
    child.stdin.flush()
    return pickle.load(child.stdout)


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End a process and what it started, unless it has ended."""
    if child.poll() is not None:
        return
    if hasattr(os, "killpg"):
        os.killpg(child.pid, signal.SIGKILL)
    else:
        child.kill()


def _manner(status: int) -> str:
    """Return how a process with this exit status ended, with the name of a signal."""
    if status >= 0:
        return f"status {status}"
    known = {one.value: one.name for one in signal.Signals}
    return f"signal {-status}, {known[-status]}" if -status in known else f"signal {-status}"
