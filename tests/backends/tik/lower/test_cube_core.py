"""Loads without UB: zeros from GM, rows that end inside a block, operands in either order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tilelang as tl
from tests.backends.tik.lower.products import CHIP, product
from tests.backends.tik.lower.running import assert_agrees
from tilelang.backends.tik.instructions import Mmad, Scope, Tensor, walk
from tilelang.backends.tik.lower import lower_program
from tilelang.kernels.gemm import gemm
from tilelang.machines import find_machine

SIZES = st.integers(1, 70)
BLOCKS = st.integers(1, 5).map(lambda n: 16 * n)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(("float16", "bfloat16", "float32", "int8")), SIZES, BLOCKS, SIZES)
def test_products_with_k_innermost_agree(dtype: str, m: int, n: int, k: int) -> None:
    assert_agrees(product(), CHIP, dtype=dtype, M=m, N=n, K=k)


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(("float16", "bfloat16")), SIZES, BLOCKS, SIZES)
def test_gemm_agrees_with_any_rows_and_any_depth(dtype: str, m: int, n: int, k: int) -> None:
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


def message(kernel: tl.Kernel, dtype: str, **sizes: int) -> str:
    program = kernel.program(machine=CHIP, dtype=dtype, **sizes)
    with pytest.raises(tl.TileError) as caught:
        lower_program(program, find_machine(CHIP))
    assert {diagnostic.code for diagnostic in caught.value.diagnostics} == {"E1248"}
    return "\n".join(f"{d.message}\nhint: {d.hint}\n" for d in caught.value.diagnostics)


def test_rows_that_end_inside_a_block_and_run_across_k() -> None:
    text = message(gemm, "float16", M=16, N=100, K=16)
    assert "pad this dimension of `b` from 100 to 112" in text


def test_a_left_operand_by_columns_that_end_inside_a_block() -> None:
    text = message(product(a="a[K, M]: T"), "float16", M=20, N=16, K=16)
    assert "pad this dimension of `a` from 20 to 32" in text


def test_an_operand_that_must_be_transposed() -> None:
    assert "write `.T`" in message(gemm, "float32", M=16, N=16, K=16)
