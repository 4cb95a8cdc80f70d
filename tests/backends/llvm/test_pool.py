"""The threads: where they may run, and computers with fewer processors than threads."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from tilelang.backends.llvm.host import find_host
from tilelang.backends.llvm.pool import find_pool
from tilelang.kernels.gemm import gemm

CPUS = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

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
    with pool.lock:
        try:
            for cpu in (CPUS[0], CPUS[1], CPUS[0]):
                os.sched_setaffinity(0, {cpu})
                pool.keep_off_caller()
                (worker,) = pool.worker_ids
                assert os.sched_getaffinity(worker) == set(CPUS) - {cpu}
        finally:
            os.sched_setaffinity(0, CPUS)


@pytest.mark.skipif(not CPUS, reason="this system has no affinities")
def test_more_threads_than_processors_may_run_on_all_of_them():
    pool = find_pool(len(CPUS) + 1, find_host())
    pool.keep_off_caller()
    assert all(os.sched_getaffinity(worker) == set(CPUS) for worker in pool.worker_ids)


@pytest.mark.skipif(not CPUS, reason="this system has no affinities")
def test_a_process_with_one_processor_finishes():
    subprocess.run([sys.executable, "-c", ON_ONE], check=True, timeout=120)


def test_threads_that_slept_come_back():
    a = np.ones((64, 64), np.float32)
    for _ in range(3):
        found = gemm(a, a, backend="llvm", m_tile=16, n_threads=2)
        assert (found == 64).all()
        time.sleep(0.01)  # thirty times as long as they spin
