"""Moves through UB, at every kind of edge."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tilelang as tl
from tests.backends.tik.lower.running import assert_agrees, inputs_of, program_of, run


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def copy(x: tl.Tensor, y: tl.Tensor, *, m_tile: int = 32, n_tile: int = 64) -> None:
    M, N = x.shape
    for i, j in tl.cores(tl.ceildiv(M, m_tile), tl.ceildiv(N, n_tile)):
        tile = tl.alloc_ub((m_tile, n_tile), x.dtype)
        tl.data_move(tile, x[i * m_tile, j * n_tile])
        tl.data_move(y[i * m_tile, j * n_tile], tile)


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def shifted(x: tl.Tensor, y: tl.Tensor, *, n_tile: int = 64) -> None:
    """Rows one above, the first is the pad; through a tile that overhangs at the front."""
    for _ in tl.cores(1):
        tile = tl.alloc_ub((x.shape[0], n_tile), x.dtype)
        tl.data_move(tile, x[-1, 0], pad=7)
        tl.data_move(y, tile[:, : x.shape[1]])


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def through_workspace(x: tl.Tensor, y: tl.Tensor, *, m_tile: int = 16) -> None:
    M, N = x.shape
    space = tl.alloc_gm((M, N), x.dtype)
    for i in tl.cores(tl.ceildiv(M, m_tile)):
        tile = tl.alloc_ub((m_tile, N), x.dtype)
        tl.data_move(tile, x[i * m_tile, 0])
        tl.data_move(space[i * m_tile, 0], tile)
    for i in tl.cores(tl.ceildiv(M, m_tile)):
        other = tl.alloc_ub((m_tile, N), x.dtype)
        tl.data_move(other, space[M - (i + 1) * m_tile, 0])
        tl.data_move(y[M - (i + 1) * m_tile, 0], other)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 70), st.integers(1, 150), st.sampled_from((16, 32, 48)),
    st.sampled_from(("float16", "float32", "int32")),
)  # fmt: skip
def test_a_copy_of_any_size_is_exact(m: int, n: int, m_tile: int, dtype: str) -> None:
    if n > 64 and 0 < n % 64 < 16:
        n += 16  # a row that ends in another tile's block is refused: see test_refusals
    assert_agrees(copy, dtype=dtype, M=m, N=n, m_tile=m_tile)


def test_what_hangs_over_the_front_is_the_pad() -> None:
    program = program_of(shifted, dtype="float16", M=20, N=48, n_tile=48)
    inputs = inputs_of(program)
    (found,), (wanted,) = run(program, "ascend910", inputs)
    np.testing.assert_array_equal(found, wanted)
    assert (found[0] == 7).all()
    np.testing.assert_array_equal(found[1:], inputs[0][:-1])


@pytest.mark.parametrize("n", [5, 16, 21])
def test_stages_meet_in_workspace(n: int) -> None:
    assert_agrees(through_workspace, dtype="float32", M=48, N=n)
    assert_agrees(through_workspace, "ascend310", dtype="float32", M=48, N=n)


@tl.kernel("x[N, C, H, W]: float16 @ NC1HWC0; taken -> y[H*W, 16]: float16")
def some_channels(x: tl.Tensor, y: tl.Tensor, *, taken: int) -> None:
    """Positions by 16 channels: `taken` of the first image, and zeros."""
    for _ in tl.cores(1):
        tile = tl.alloc_l1((taken, *x.shape[2:]), x.dtype, layout="NC1HWC0")
        columns = tl.alloc_ub(y.shape, x.dtype)
        tl.data_move(tile, x[0, 0:taken, :, :])
        tl.load3d(columns, tile, kernel=(1, 1))
        tl.data_move(y, columns)


@pytest.mark.parametrize("taken", [5, 15, 16])
def test_channels_that_end_inside_a_block_leave_others_out(taken: int) -> None:
    assert_agrees(some_channels, N=1, C=32, H=4, W=4, taken=taken)
