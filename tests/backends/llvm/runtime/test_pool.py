"""The threads: where they may run, and computers with fewer processors than threads."""

import ctypes
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from tilelang.backends.llvm.runtime.compiler import compile_text
from tilelang.backends.llvm.runtime.host import find_host, foreign_host
from tilelang.backends.llvm.runtime.pool import find_pool, pool_text
from tilelang.kernels.gemm import gemm

CPUS = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

_Stage = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)
_Share = ctypes.CFUNCTYPE(
    None,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_int64,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_int64,
)

ON_ONE = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import numpy as np
from tilelang.kernels.gemm import gemm
a = np.ones((64, 64), np.float32)
for _ in range(100):
    assert (gemm(a, a, backend="llvm", m_tile=16, n_threads=3) == 64).all()
"""


@pytest.mark.skipif(len(CPUS) < 2, reason="there is no processor beside the caller's")
def test_workers_keep_off_the_processor_of_the_caller_wherever_it_goes():
    pool = find_pool(2, find_host())
    (worker,) = pool.worker_ids
    try:
        for cpu in (CPUS[0], CPUS[1], CPUS[0]):
            os.sched_setaffinity(0, {cpu})
            pool.keep_off_caller()
            assert os.sched_getaffinity(worker) == set(CPUS) - {cpu}
    finally:
        os.sched_setaffinity(0, CPUS)


@pytest.mark.skipif(len(CPUS) < 2, reason="there is no processor beside the caller's")
def test_a_worker_that_is_held_up_may_use_the_processor_of_the_caller_until_the_next_call():
    pool = find_pool(2, find_host())
    (worker,) = pool.worker_ids
    has_begun = threading.Event()

    def dawdle(arrays: int, first: int, last: int, scratch: int) -> None:
        if threading.get_native_id() == worker:
            has_begun.set()
            for _ in range(5000):
                if os.sched_getaffinity(worker) == set(CPUS):
                    break
                time.sleep(0.001)
        else:
            has_begun.wait()

    stage = _Stage(dawdle)
    share = _Share(ctypes.c_int64.from_address(pool.address).value)

    def run(arrays: int, scratch: int, address: int, stride: int) -> None:
        share(address, ctypes.cast(stage, ctypes.c_void_p), 2, arrays, scratch, stride)

    os.sched_setaffinity(0, CPUS[:1])
    try:
        pool.run(run, 0, 0, 0)
        assert os.sched_getaffinity(worker) == set(CPUS)
        pool.keep_off_caller()
        assert os.sched_getaffinity(worker) == set(CPUS[1:])
    finally:
        os.sched_setaffinity(0, CPUS)


@pytest.mark.skipif(not CPUS, reason="this system has no affinities")
def test_more_threads_than_processors_may_run_on_all_of_them():
    pool = find_pool(len(CPUS) + 1, find_host())
    pool.keep_off_caller()
    assert all(os.sched_getaffinity(worker) == set(CPUS) for worker in pool.worker_ids)


@pytest.mark.parametrize(
    ("system", "machine", "word"),
    [("linux", "aarch64", "i64 98"), ("darwin", "arm64", "@usleep(i32 50)")],
)
def test_the_pool_is_made_for_other_systems(
    system: str, machine: str, word: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    host = foreign_host("aarch64-unknown-linux-gnu", "cortex-a76")
    assert word in pool_text(host)
    assert compile_text(pool_text(host), host)


@pytest.mark.skipif(not CPUS, reason="this system has no affinities")
def test_a_process_with_one_processor_finishes():
    subprocess.run([sys.executable, "-c", ON_ONE], check=True, timeout=120)


def test_threads_that_slept_come_back():
    a = np.ones((64, 64), np.float32)
    for _ in range(3):
        found = gemm(a, a, backend="llvm", m_tile=16, n_threads=2)
        assert (found == 64).all()
        time.sleep(0.01)  # thirty times as long as they spin
