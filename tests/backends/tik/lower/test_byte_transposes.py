"""8-bit operands of the cube whose rows run the wrong way, which the backend turns round in UB."""

import numpy as np
import pytest

import tilelang as tl
from tests.backends.tik.lower.running import assert_agrees
from tilelang.backends.tik.emit import emit
from tilelang.backends.tik.emulate import emulate
from tilelang.backends.tik.lower import lower_program
from tilelang.backends.tik.recorder import record_source
from tilelang.kernels.gemm import gemm
from tilelang.machines import find_machine

CHIPS = ["ascend310", "ascend310p", "ascend910"]


@tl.kernel("a[K, M]: T, b[K, N]: int8 -> c[M, N]: int32")
def turned_product(
    a: tl.Tensor,
    b: tl.Tensor,
    c: tl.Tensor,
    *,
    m_tile: int = 32,
    n_tile: int = 32,
    k_tile: int = 64,
) -> None:
    """Multiply a.T by b, of which neither has k innermost."""
    (K, M), N = a.shape, b.shape[1]
    for i, j in tl.cores(tl.ceildiv(M, m_tile), tl.ceildiv(N, n_tile)):
        acc = tl.alloc_l0c((m_tile, n_tile), c.dtype)
        for k in tl.for_range(tl.ceildiv(K, k_tile), stages=2):
            a1 = tl.alloc_l1((k_tile, m_tile), a.dtype)
            b1 = tl.alloc_l1((k_tile, n_tile), b.dtype)
            tl.data_move(a1, a[k * k_tile, i * m_tile])
            tl.data_move(b1, b[k * k_tile, j * n_tile])
            tl.matmul(acc, a1.T, b1, init=k == 0)
        out = tl.alloc_ub((m_tile, n_tile), c.dtype)
        tl.data_move(out, acc)
        tl.data_move(c[i * m_tile, j * n_tile], out)


@pytest.mark.parametrize("machine", CHIPS)
@pytest.mark.parametrize(
    ("m", "n", "k", "n_tile"),
    [
        (16, 32, 64, 32),
        (128, 128, 128, 128),
        (40, 48, 50, 64),
        (17, 64, 33, 32),
        (1, 15, 31, 32),
        (113, 127, 65, 64),
    ],
)
def test_row_major_products_of_bytes(machine: str, m: int, n: int, k: int, n_tile: int) -> None:
    program = gemm.program(machine=machine, dtype="int8", M=m, N=n, K=k, n_tile=n_tile)
    lowered = lower_program(program, find_machine(machine))
    assert record_source(emit(lowered), "gemm", soc=lowered.soc) == lowered
    random = np.random.default_rng(0)
    a, b = (random.integers(-128, 128, shape).astype(np.int8) for shape in ((m, k), (k, n)))
    found = emulate(lowered, {"a": a, "b": b}).outputs["c"]
    np.testing.assert_array_equal(found, a.astype(np.int32) @ b.astype(np.int32))


@pytest.mark.parametrize("machine", CHIPS)
@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize(("m", "n", "k"), [(64, 96, 128), (50, 77, 99), (1, 15, 17), (33, 16, 31)])
def test_either_operand_is_turned(machine: str, dtype: str, m: int, n: int, k: int) -> None:
    assert_agrees(turned_product, machine, dtype=dtype, M=m, N=n, K=k)


def test_half_a_row_of_k_is_refused() -> None:
    sizes = {"M": 16, "N": 32, "K": 16, "k_tile": 16}
    with pytest.raises(tl.TileError, match="must be a multiple of 32"):
        gemm.program(machine="host", dtype="int8", **sizes)
