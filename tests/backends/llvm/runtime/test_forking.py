"""A process that forks while another of its threads compiles: the new process compiles too."""

import os
import subprocess
import sys

import pytest

WHILE_COMPILING = """
import os, signal, threading, time
import numpy as np
from tilelang.backends.llvm.runtime import executable
from tilelang.kernels.gemm import gemm

begun, load = threading.Event(), executable._load

def load_slowly(*given):
    begun.set()
    time.sleep(0.5)
    return load(*given)

def run(size):
    a = np.ones((size, size), np.float32)
    assert (gemm(a, a, backend="llvm", m_tile=16, n_threads=2) == size).all()

executable._load = load_slowly
other = threading.Thread(target=run, args=(40,))
other.start()
begun.wait()
child = os.fork()
if child == 0:
    signal.alarm(60)
    run(48)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
run(56)
other.join()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_while_another_thread_compiles_leaves_no_lock_behind():
    subprocess.run([sys.executable, "-c", WHILE_COMPILING], check=True, timeout=200)
