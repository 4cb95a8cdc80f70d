"""8-bit operands that are turned round in UB, on a machine that says it may."""

from dataclasses import replace

import numpy as np
import pytest

import tilelang as tl
from tilelang.backends.tik.emit import emit
from tilelang.backends.tik.emulate import emulate
from tilelang.backends.tik.lower import lower_program
from tilelang.backends.tik.recorder import record_source
from tilelang.kernels.gemm import gemm
from tilelang.machines import Machine, Path, find_machine


def turning(name: str) -> Machine:
    """Return a machine whose paths to L0A and L0B transpose int8 too."""
    machine = find_machine(name)
    return replace(machine, paths=tuple(map(_with_bytes, machine.paths)))


def _with_bytes(path: Path) -> Path:
    return replace(path, transposes=(*path.transposes, tl.DType.INT8)) if path.transposes else path


@pytest.mark.parametrize("machine", ["ascend310", "ascend310p", "ascend910"])
@pytest.mark.parametrize(
    ("m", "n", "k", "n_tile"),
    [(16, 32, 64, 32), (128, 128, 128, 128), (40, 48, 50, 64), (17, 64, 33, 32)],
)
def test_row_major_products_of_bytes(machine: str, m: int, n: int, k: int, n_tile: int) -> None:
    program = gemm.program(machine="host", dtype="int8", M=m, N=n, K=k, n_tile=n_tile)
    lowered = lower_program(program, turning(machine))
    assert record_source(emit(lowered), "gemm", soc=lowered.soc) == lowered
    random = np.random.default_rng(0)
    a, b = (random.integers(-128, 128, shape).astype(np.int8) for shape in ((m, k), (k, n)))
    found = emulate(lowered, {"a": a, "b": b}).outputs["c"]
    np.testing.assert_array_equal(found, a.astype(np.int32) @ b.astype(np.int32))


def test_half_a_row_of_k_is_refused() -> None:
    sizes = {"M": 16, "N": 32, "K": 16, "k_tile": 16}
    with pytest.raises(tl.TileError, match="must be a multiple of 32"):
        gemm.program(machine="host", dtype="int8", **sizes)
