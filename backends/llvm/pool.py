"""The threads that run the cores of a stage, fed by machine code.

Workers are Python threads that enter `worker` of `pool.ll` once and stay there, without the
interpreter's lock, until the process ends. Handing them a stage takes a fraction of a microsecond
while they still spin, some tens once they sleep.

A worker may run on every processor but the caller's. Left to itself Linux wakes it there, or leaves
both there for milliseconds, so that two threads are as fast as one; tied to a processor of its own
it meets the caller as soon as that has been moved.
"""

import atexit
import ctypes
import os
import platform
import sys
import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from tilelang.backends.llvm.compiler import Library, compile_text
from tilelang.backends.llvm.host import Host

THREADS_VARIABLE = "TILELANG_NUM_THREADS"
_TEXT = Path(__file__).with_name("pool.ll")
_N_SPINS = 20_000
"""Pauses before a worker sleeps: some hundred microseconds."""
_N_SLOTS = 64
"""Of the pool's structure, as `pool.ll` has it."""
_WORKERS_SLOT, _SPINS_SLOT = 48, 49
_FUTEX_CALLS = {"x86_64": 202, "aarch64": 98}
"""The number of the Linux system call that sleeps until a word of memory changes."""

_Worker = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
_Stop = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class Pool:
    """Worker threads beside the caller; one caller at a time, which holds `lock`."""

    def __init__(self, n_threads: int, library: Library) -> None:
        """Start `n_threads - 1` workers."""
        self.lock = threading.Lock()
        self.process = os.getpid()
        self._library = library
        self._slots = (ctypes.c_int64 * (_N_SLOTS + 8))()
        start = ctypes.addressof(self._slots)
        self.address = start + -start % 64
        self._set(0, library.address("share"))
        self._set(_WORKERS_SLOT, n_threads - 1)
        self._cpus = frozenset(_usable_cpus())
        self._caller_cpu: int | None = None
        self._is_crowded = n_threads > len(self._cpus)
        # A worker that spins where another thread has to run only keeps that from its work.
        self._set(_SPINS_SLOT, 0 if self._is_crowded else _N_SPINS)
        self._threads = [
            threading.Thread(target=self._run, args=(number,), daemon=True)
            for number in range(1, n_threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def worker_ids(self) -> list[int]:
        """The numbers that the system gave the workers."""
        return [thread.native_id for thread in self._threads if thread.native_id is not None]

    def keep_off_caller(self) -> None:
        """Send the workers off the processor that the calling thread is on, if there is another."""
        cpu = _current_cpu()
        if cpu == self._caller_cpu or self._is_crowded:
            return
        self._caller_cpu = cpu
        for worker in self.worker_ids:
            os.sched_setaffinity(worker, self._cpus - {cpu})

    def close(self) -> None:
        """End the workers; the machine code that they run must not go first."""
        if self.process == os.getpid():
            _Stop(self._library.address("stop"))(self.address)
            for thread in self._threads:
                thread.join()

    def _set(self, slot: int, value: int) -> None:
        ctypes.c_int64.from_address(self.address + 8 * slot).value = value

    def _run(self, number: int) -> None:
        _Worker(self._library.address("worker"))(self.address, number, 0)


_pools: dict[tuple[int, Host], Pool] = {}
_making = threading.Lock()


def find_pool(n_threads: int, host: Host) -> Pool:
    """Return the pool of so many threads; made at first use, and again in a forked process."""
    pool = _pools.get((n_threads, host))
    if pool is not None and pool.process == os.getpid():
        return pool
    with _making:
        pool = _pools.get((n_threads, host))
        if pool is None or pool.process != os.getpid():
            pool = _pools[n_threads, host] = Pool(n_threads, _pool_library(host))
            atexit.register(pool.close)
    return pool


def default_threads() -> int:
    """Return how many threads run a program unless it is said: what the environment says, or all.

    The variable is read at each compilation; what is no positive number counts as not set.
    """
    asked = os.environ.get(THREADS_VARIABLE, "")
    return int(asked) if asked.isdigit() and int(asked) else len(_usable_cpus())


def _usable_cpus() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _find_current_cpu() -> Callable[[], int | None]:
    """Return the C library's `sched_getcpu`, which takes a tenth of a microsecond; else nothing."""
    if not hasattr(os, "sched_setaffinity"):
        return lambda: None
    return ctypes.PYFUNCTYPE(ctypes.c_int)(("sched_getcpu", ctypes.CDLL(None)))


_current_cpu = _find_current_cpu()


@lru_cache
def _pool_library(host: Host) -> Library:
    return Library(compile_text(pool_text(host), host), host)


def pool_text(host: Host) -> str:
    """Return the module of the pool for `host`: with futexes on Linux, short naps elsewhere."""
    number = _FUTEX_CALLS.get(platform.machine()) if sys.platform == "linux" else None
    call = f"call i64 (i64, ...) @syscall(i64 {number}, ptr %generation, i64 "
    sleep = call + "128, i64 %seen, ptr null, ptr null, i64 0)"
    wake = call + "129, i64 2147483647, ptr null, ptr null, i64 0)"
    if number is None:
        sleep, wake = "call i32 @usleep(i32 50)", ""
    text = _TEXT.read_text()
    if number is None:
        text = text.replace("declare i64 @syscall(i64, ...)", "declare i32 @usleep(i32)")
    pause = "call void @llvm.x86.sse2.pause()" if host.is_x86 else ""
    if host.is_x86:
        text += "declare void @llvm.x86.sse2.pause()\n"
    words = {"PAUSE": pause, "SLEEP": sleep, "WAKE": wake}
    for word, instruction in words.items():
        text = text.replace(f" {word}\n", f" {instruction}\n")
    return text
