"""The backend as others see it: protocol, options, arrays, threads."""

import os
import threading

import numpy as np
import pytest

from tests.backends.llvm.elementwise import load, map_program, tile
from tests.backends.llvm.running import compiled
from tilelang.backend import Backend, Executable
from tilelang.backends.llvm import BACKEND
from tilelang.diagnostics import TileError
from tilelang.dtypes import DType
from tilelang.ir.expression import Binary, BinaryOp
from tilelang.ir.nodes import Program
from tilelang.kernels.gemm import gemm


def doubling(dtype: DType = DType.FLOAT32) -> Program:
    x = tile("x", dtype, (4, 16))
    return map_program((4, 16), [x], Binary(BinaryOp.ADD, load(x), load(x)))


def test_it_is_a_backend():
    backend: Backend = BACKEND
    executable: Executable = compiled(doubling())
    assert backend.runs_here is None
    assert "define void @stage_0" in executable.source


def test_the_assembly_is_of_the_host():
    assert "stage_0:" in compiled(doubling()).assembly


@pytest.mark.parametrize("options", [{"threads": 2}, {"n_threads": 0}, {"n_threads": True}])
def test_unknown_options_are_refused(options: dict[str, object]):
    with pytest.raises(TileError, match="E1102"):
        compiled(doubling(), **options)


def test_wrong_arrays_are_refused():
    run = compiled(doubling())
    good = np.zeros((4, 16), np.float32)
    frozen = good.copy()
    frozen.flags.writeable = False
    for arrays in ((good,), (good, good[:3]), (good, good.astype(np.float64)), (good, frozen)):
        with pytest.raises(TileError, match="E1103"):
            run(*arrays)


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.BFLOAT16])
def test_an_input_may_be_read_only_and_all_may_have_strides(dtype: DType):
    x = np.arange(64, dtype=dtype.numpy).reshape(4, 16)
    x.flags.writeable = False
    run = compiled(doubling(dtype))
    for y in (np.zeros((4, 16), dtype.numpy), np.zeros((8, 32), dtype.numpy)[::-2, ::2]):
        run(x, y)
        np.testing.assert_array_equal(y.astype(np.float32), 2 * x.astype(np.float32))
        y[...] = 0
        run(x[:, ::-1], y)
        np.testing.assert_array_equal(y.astype(np.float32), 2 * x.astype(np.float32)[:, ::-1])


def test_a_read_only_result_is_refused_beside_an_input_of_other_strides():
    x, y = np.ones((4, 32), np.float32)[:, ::2], np.zeros((4, 16), np.float32)
    y.flags.writeable = False
    with pytest.raises(TileError, match="read-only"):
        compiled(doubling())(x, y)


def test_the_environment_says_how_many_threads(monkeypatch: pytest.MonkeyPatch):
    a = np.ones((128, 64), np.float32)
    for asked in ("3", "1", "nonsense"):
        monkeypatch.setenv("TILELANG_NUM_THREADS", asked)
        found = gemm(a, a.T.copy(), backend="llvm", m_tile=16, n_tile=16)
        assert (found == 64).all()


def test_calls_from_several_threads_do_not_disturb_each_other():
    rng = np.random.default_rng(0)
    operands = [rng.integers(-4, 5, (2, 96, 96)).astype(np.float32) for _ in range(4)]
    wrong: list[int] = []

    def multiply(number: int) -> None:
        a, b = operands[number]
        for _ in range(10):
            if not np.array_equal(gemm(a, b, backend="llvm", m_tile=32, n_threads=2), a @ b):
                wrong.append(number)

    threads = [threading.Thread(target=multiply, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own():
    a = np.ones((64, 64), np.float32)
    gemm(a, a, backend="llvm", m_tile=16, n_threads=2)
    child = os.fork()
    if child == 0:
        found = gemm(a, a, backend="llvm", m_tile=16, n_threads=2)
        os._exit(0 if (found == 64).all() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
