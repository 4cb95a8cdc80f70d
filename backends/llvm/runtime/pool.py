"""The threads that run the cores of a stage, fed by machine code.

Workers are Python threads that enter `worker` of `pool.ll` once and stay there, without the
interpreter's lock, until the process ends. Handing them a stage takes a fraction of a microsecond
while they still spin, some tens once they sleep.

A worker may run on every processor but the caller's. Left to itself Linux wakes it there, or leaves
both there for milliseconds, so that two threads are as fast as one; tied to a processor of its own
it meets the caller as soon as that has been moved. Where other programs hold up a worker until the
caller has nothing else to do, it may use that processor too: two threads are then no slower than
one (measured beside one busy program on two processors: 1.18 of one thread, and 0.97 without).
"""

import atexit
import ctypes
import os
import platform
import sys
import threading
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

from tilelang.backends.llvm.runtime.compiler import Library, compile_text
from tilelang.backends.llvm.runtime.forking import make_lock
from tilelang.backends.llvm.runtime.host import Host

THREADS_VARIABLE = "TILELANG_NUM_THREADS"
_TEXT = Path(__file__).with_name("pool.ll")
_N_SPINS = 20_000
"""Pauses before a worker sleeps: some hundred microseconds."""
_N_SLOTS = 64
"""Of the pool's structure, as `pool.ll` has it."""
_WORKERS_SLOT, _SPINS_SLOT, _LOOSENED_SLOT = 48, 49, 53
_IDS_SLOT, _CPUS_SLOT, _CPU_BYTES_SLOT = 50, 51, 52
_SYSTEM_CALLS = {"x86_64": (202, 203), "aarch64": (98, 122)}
"""Linux's numbers of `futex`, which sleeps until a word of memory changes, and of
`sched_setaffinity`, which says on which processors a thread may run."""

_Worker = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
_Stop = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class Pool:
    """Worker threads beside the caller; one caller at a time."""

    def __init__(self, n_threads: int, library: Library) -> None:
        """Start `n_threads - 1` workers."""
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._library = library
        self._slots = (ctypes.c_int64 * (_N_SLOTS + 8))()
        start = ctypes.addressof(self._slots)
        self.address = start + -start % 64
        self._cpus = frozenset(_usable_cpus())
        self._caller_cpu: int | None = None
        # Asked for here: the threads would take a lock of llvmlite's, perhaps while somebody forks.
        self._work = _Worker(library.address("worker"))
        self._is_crowded = n_threads > len(self._cpus)
        self._set(0, library.address("share"))
        self._set(_WORKERS_SLOT, n_threads - 1)
        # A worker that spins where another thread has to run only keeps that from its work.
        self._set(_SPINS_SLOT, 0 if self._is_crowded else _N_SPINS)
        self._threads = [
            threading.Thread(target=self._run, args=(number,), daemon=True)
            for number in range(1, n_threads)
        ]
        for thread in self._threads:
            thread.start()
        self._tell_ids()

    def run(self, function: Callable[..., None], arrays: int, scratch: int, stride: int) -> None:
        """Call a `RunFunction`, whose stages the caller and the workers run together."""
        with self._lock:
            self.keep_off_caller()
            function(arrays, scratch, self.address, stride)

    @property
    def worker_ids(self) -> list[int]:
        """The numbers that the system gave the workers."""
        return [thread.native_id for thread in self._threads if thread.native_id is not None]

    def keep_off_caller(self) -> None:
        """Send the workers off the processor that the calling thread is on, if there is another."""
        cpu = _current_cpu()
        if self._is_crowded or (cpu == self._caller_cpu and not self._loosened.value):
            return
        self._caller_cpu = cpu
        self._loosened.value = 0
        for worker in self.worker_ids:
            os.sched_setaffinity(worker, self._cpus - {cpu})

    def close(self) -> None:
        """End the workers; the machine code that they run must not go first."""
        if self._process == os.getpid():
            _Stop(self._library.address("stop"))(self.address)
            for thread in self._threads:
                thread.join()

    def _tell_ids(self) -> None:
        """Tell `loosen` of `pool.ll` who the workers are, and which processors there are."""
        self._loosened = self._slot(_LOOSENED_SLOT)
        self._ids = (ctypes.c_int64 * len(self._threads))(*self.worker_ids)
        n_bytes = 8 * (max(self._cpus) // 64 + 1)
        mask = sum(1 << cpu for cpu in self._cpus).to_bytes(n_bytes, sys.byteorder)
        self._mask = (ctypes.c_char * n_bytes).from_buffer_copy(mask)
        self._set(_IDS_SLOT, ctypes.addressof(self._ids))
        self._set(_CPUS_SLOT, ctypes.addressof(self._mask))
        self._set(_CPU_BYTES_SLOT, n_bytes)

    def _slot(self, number: int) -> ctypes.c_int64:
        return ctypes.c_int64.from_address(self.address + 8 * number)

    def _set(self, number: int, value: int) -> None:
        self._slot(number).value = value

    def _run(self, number: int) -> None:
        self._work(self.address, number, 0)


_pools: dict[tuple[int, Host], Pool] = {}
_making = make_lock()


def find_pool(n_threads: int, host: Host) -> Pool:
    """Return the pool of so many threads; made at first use, and again in a forked process."""
    return _pools.get((n_threads, host)) or _make_pool(n_threads, host)


def _make_pool(n_threads: int, host: Host) -> Pool:
    key = (n_threads, host)
    with _making:
        if key not in _pools:
            pool = _pools[key] = Pool(n_threads, _pool_library(host))
            atexit.register(pool.close)
            if hasattr(os, "register_at_fork"):  # a forked process has none of the threads
                os.register_at_fork(after_in_child=partial(_pools.pop, key, None))
        return _pools[key]


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
    calls = _SYSTEM_CALLS.get(platform.machine()) if sys.platform == "linux" else None
    words = {"PAUSE": "call void @llvm.x86.sse2.pause()" if host.is_x86 else ""}
    words |= _NAPS if calls is None else _futexes(*calls)
    text = _TEXT.read_text()
    if host.is_x86:
        text += "declare void @llvm.x86.sse2.pause()\n"
    for word, instruction in words.items():
        text = text.replace(f" {word}\n", f" {instruction}\n")
    return text


_NAPS = {"SLEEP": "call i32 @usleep(i32 50)", "WAKE": "", "LOOSEN": ""}


def _futexes(futex: int, set_affinity: int) -> dict[str, str]:
    """Return the calls of Linux by their words in `pool.ll`: wait is 128, wake 129, private."""
    call = "call i64 (i64, ...) @syscall(i64"
    return {
        "SLEEP": f"{call} {futex}, ptr %generation, i64 128, i64 %seen, ptr null, ptr null, i64 0)",
        "WAKE": f"{call} {futex}, ptr %generation, i64 129, i64 2147483647, ptr null, ptr null, "
        "i64 0)",
        "LOOSEN": f"{call} {set_affinity}, i64 %id, i64 %bytes, ptr %cpus)",
    }
