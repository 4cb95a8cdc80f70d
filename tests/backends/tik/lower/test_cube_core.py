"""Loads without UB: zeros from GM, rows that end inside a block, operands in either order."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tilelang as tl
from tests.backends.tik.lower.products import CHIP, product
from tests.backends.tik.lower.running import assert_agrees
from tilelang.backends.tik.instructions import Mmad, Scope, Tensor, walk
from tilelang.backends.tik.lower import lower_program
from tilelang.kernel import Kernel
from tilelang.kernels.gemm import gemm
from tilelang.machines import find_machine

SIZES = st.integers(1, 70)
COLUMNS = SIZES.map(lambda n: n + 8 if n > 32 and 0 < n % 32 < 8 else n)
"""At least a block of 32 bytes is left to the last tile, of 32 columns."""
DTYPES = st.sampled_from(("float16", "bfloat16", "float32", "int8"))


@settings(max_examples=25, deadline=None)
@given(DTYPES, SIZES, COLUMNS, SIZES)
def test_products_with_k_innermost_agree(dtype: str, m: int, n: int, k: int) -> None:
    assert_agrees(product(), CHIP, dtype=dtype, M=m, N=n, K=k)


@settings(max_examples=25, deadline=None)
@given(DTYPES, SIZES, COLUMNS, SIZES)
def test_gemm_of_any_size_agrees(dtype: str, m: int, n: int, k: int) -> None:
    assert_agrees(gemm, CHIP, dtype=dtype, M=m, N=n, K=k, m_tile=32, n_tile=32, k_tile=32)


@pytest.mark.parametrize(("m", "k"), [(16, 16), (48, 33), (64, 1)])
def test_a_left_operand_may_be_stored_by_columns(m: int, k: int) -> None:
    assert_agrees(product(a="a[K, M]: T"), CHIP, dtype="float16", M=m, N=32, K=k)


@pytest.mark.parametrize(("m", "n", "k"), [(512, 384, 256), (130, 80, 200), (1, 16, 1)])
def test_tiles_of_the_usual_size_agree(m: int, n: int, k: int) -> None:
    assert_agrees(gemm, CHIP, dtype="float16", M=m, N=n, K=k)


def test_the_last_product_is_told_how_much_of_k_is_real() -> None:
    program = gemm.program(machine=CHIP, dtype="float16", M=16, N=16, K=40, k_tile=32)
    lowered = lower_program(program, find_machine(CHIP))
    lengths = [item.k for item in walk(lowered.body) if isinstance(item, Mmad)]
    assert set(lengths) == {32, 8}


def test_nothing_is_in_ub() -> None:
    program = gemm.program(machine=CHIP, dtype="float16", M=100, N=96, K=97)
    lowered = lower_program(program, find_machine(CHIP))
    scopes = {item.scope for item in walk(lowered.body) if isinstance(item, Tensor)}
    assert Scope.UB not in scopes


def stacked(dtype: str) -> Kernel:
    """Return a product whose right operand is a part of a tensor, which is not turned round."""

    @tl.kernel(f"a[M, K]: {dtype}, b[S, K, N]: {dtype} -> c[M, N]: acc({dtype})")
    def kernel(a: tl.Tensor, b: tl.Tensor, c: tl.Tensor) -> None:
        for _ in tl.cores(1):
            acc = tl.alloc_l0c((32, 32), tl.acc(dtype))
            a1, b1 = tl.alloc_l1((32, 32), dtype), tl.alloc_l1((32, 32), dtype)
            tl.data_move(a1, a[0, 0])
            tl.data_move(b1, b[1, 0:, 0:])
            tl.matmul(acc, a1, b1, init=True)
            out = tl.alloc_ub((32, 32), tl.acc(dtype))
            tl.data_move(out, acc)
            tl.data_move(c[0, 0], out)

    return kernel


def message(dtype: str, **sizes: Any) -> str:
    program = stacked(dtype).program(machine=CHIP, S=2, **sizes)
    with pytest.raises(tl.TileError) as caught:
        lower_program(program, find_machine(CHIP))
    assert {diagnostic.code for diagnostic in caught.value.diagnostics} == {"E1248"}
    return str(caught.value)


def test_a_part_of_a_tensor_is_loaded_where_its_rows_are_whole_blocks() -> None:
    assert_agrees(stacked("float16"), CHIP, M=20, N=32, K=17, S=2)


def test_rows_that_end_inside_a_block_and_run_across_k() -> None:
    text = message("float16", M=16, N=20, K=16)
    assert "pad this dimension of `b` from 20 to 32" in text


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_an_operand_that_must_be_transposed(dtype: str) -> None:
    assert "write `.T`" in message(dtype, M=16, N=32, K=32)
