"""What is not lowered is refused at the kernel's line, with what to write instead."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tilelang as tl
from tests.backends.tik.lower.kernels import first_channels
from tilelang.backends.tik import BACKEND
from tilelang.backends.tik.lower import lower_program
from tilelang.kernel import Kernel
from tilelang.kernels.conv2d import conv2d, conv2d_nc1hwc0
from tilelang.kernels.gemm import gemm
from tilelang.kernels.layer_norm import layer_norm
from tilelang.machines import find_machine

F16 = "float16"
MAPS = {"T": F16, "Y": F16}


def refused(code: str, kernel: Kernel, machine: str = "ascend910", **keywords: Any) -> str:
    """Return the message with which `kernel` is refused; its line is one of the kernel."""
    program = kernel.program(machine=machine, **keywords)
    with pytest.raises(tl.TileError) as caught:
        lower_program(program, find_machine(machine))
    assert {diagnostic.code for diagnostic in caught.value.diagnostics} == {code}
    assert all(d.location is not None and d.hint for d in caught.value.diagnostics)
    return str(caught.value)


def kernel(signature: str) -> Callable[[Callable[..., None]], Kernel]:
    return tl.kernel(signature)


def test_empty_tensors() -> None:
    assert "no elements" in refused("E1219", gemm, dtype=F16, M=16, N=16, K=0)
    sizes = {"N": 1, "C": 1, "H": 1, "W": 6, "O": 1, "R": 1, "S": 7}
    assert "`y` is float16[1, 1, 1, 0]" in refused(
        "E1219", conv2d, "ascend910", dtype=MAPS, **sizes
    )


def test_channels_that_start_inside_a_block() -> None:
    @kernel("x[N, C, H, W]: float16 @ NC1HWC0 -> y[N, C, H, W]: float16 @ NC1HWC0")
    def later(x: tl.Tensor, y: tl.Tensor) -> None:
        for n in tl.cores(x.shape[0]):
            tile = tl.alloc_ub((16, *x.shape[2:]), x.dtype, layout="NC1HWC0")
            tl.data_move(tile, x[n, 8:, :, :])
            tl.data_move(y[n, 0:16, :, :], tile)

    assert "start at multiples of 16" in refused("E1230", later, N=1, C=16, H=8, W=8)


def test_moves_that_would_transpose() -> None:
    assert "NC1HWC0" in refused("E1231", first_channels, N=1, C=20, H=4, W=4)


def test_edges_that_differ_in_many_ways() -> None:
    @kernel("x[N]: float32 -> y[N]: float32")
    def slides(x: tl.Tensor, y: tl.Tensor) -> None:
        for i in tl.cores(8):
            tile, out = tl.alloc_ub((64,), "float32"), tl.alloc_ub((8,), "float32")
            for j in tl.for_range(32):
                tl.data_move(tile, x[i * 8 + j], pad=1)
                out[:] = tile[0:8]
            tl.data_move(y[i * 8], out)

    assert "different ways" in refused("E1232", slides, N=64)


def test_rows_that_start_between_blocks() -> None:
    @kernel("x[N]: float32 -> y[N]: float32")
    def part(x: tl.Tensor, y: tl.Tensor) -> None:
        for _ in tl.cores(1):
            tile = tl.alloc_ub((64,), "float32")
            tl.data_move(tile, x)
            tl.data_move(tile[0:20], x[0])
            tl.data_move(y, tile)

    assert "multiple of 8" in refused("E1233", part, N=64)


def test_a_tile_that_starts_a_little_before_its_tensor() -> None:
    @kernel("x[N]: float32 -> y[N]: float32")
    def before(x: tl.Tensor, y: tl.Tensor) -> None:
        for _ in tl.cores(1):
            tile = tl.alloc_ub((64,), "float32")
            tl.data_move(tile, x[-3])
            tl.data_move(y, tile)

    assert "starts 3 elements before" in refused("E1235", before, N=64)


def test_columns_of_bytes() -> None:
    @kernel("x[N]: int8 -> y[N]: int8")
    def column(x: tl.Tensor, y: tl.Tensor) -> None:
        for _ in tl.cores(1):
            tile = tl.alloc_ub((64, 1), "int8")
            tl.data_move(tile[:, 0], x)
            tl.data_move(y, tile[:, 0])

    assert "last dimension of 1" in refused("E1236", column, N=64)


@kernel("x[N]: float32 -> y[N]: float32")
def narrow(x: tl.Tensor, y: tl.Tensor) -> None:
    for i in tl.cores(tl.ceildiv(x.shape[0], 4)):
        tile = tl.alloc_ub((4,), "float32")
        tl.data_move(tile, x[i * 4])
        tl.data_move(y[i * 4], tile)


def test_tiles_that_are_narrower_than_a_block() -> None:
    message = refused("E1237", narrow, N=30)
    assert (
        "a row of 4 elements of `y` ends inside a block of 32 bytes (8 elements of float32), and "
        "its neighbours in that block belong to others" in message
    )
    assert (
        "store 8 or more columns of `y` at once, or pad its last dimension from 30 to 32" in message
    )
    assert "or pad" not in refused("E1237", narrow, N=32)


@pytest.mark.parametrize("taken", [5, 17])
def test_a_part_of_a_block_beside_other_channels(taken: int) -> None:
    @kernel("x[H, W, C]: float16 -> y[C, H, W]: float16 @ NC1HWC0")
    def some(x: tl.Tensor, y: tl.Tensor) -> None:
        (H, W, C), channels = x.shape, y.view((1, 2), (0,))
        for _ in tl.cores(1):
            tile = tl.alloc_ub((H * W, C), x.dtype)
            tl.data_move(tile, x.view((0, 1), (2,)))
            tl.data_move(channels, tile)
            tl.data_move(channels[:, 0:taken], tile[:, 0:taken])

    message = refused("E1237", some, C=20, H=4, W=4)
    assert f"{taken} elements of `y` end inside a block of 16, and NC1HWC0 keeps 16" in message


def test_a_narrow_tile_of_a_result_that_the_kernel_reads() -> None:
    @kernel("x[M, N]: float32 -> y[M, N]: float32, z[M, N]: float32")
    def again(x: tl.Tensor, y: tl.Tensor, z: tl.Tensor) -> None:
        for source, target in ((x, y), (y, z)):
            for i in tl.cores(3):
                tile = tl.alloc_ub((4, 16), "float32")
                tl.data_move(tile, source[0, i * 16])
                tl.data_move(target[0, i * 16], tile)

    assert "a row of 1 elements of `y`" in refused("E1237", again, M=4, N=33)


def test_part_of_an_accumulator_that_is_not_packed() -> None:
    message = refused("E1238", gemm, dtype=F16, M=2048, N=16, K=64, m_tile=2048, n_tile=16)
    assert "m_tile" in message


def test_several_tiles_of_an_accumulator_at_once() -> None:
    @kernel("a[M, K]: float16, b[K, N]: float16 -> c[M, N]: float32")
    def twice(a: tl.Tensor, b: tl.Tensor, c: tl.Tensor) -> None:
        for _ in tl.cores(1):
            acc = tl.alloc_l0c((2, 16, 16), "float32")
            a1, b1 = tl.alloc_l1((16, 16), F16), tl.alloc_l1((16, 16), F16)
            tl.data_move(a1, a)
            tl.data_move(b1, b)
            for t in tl.for_range(2):
                tl.matmul(acc[t, :, :], a1, b1, init=True)
            out = tl.alloc_ub((2, 16, 16), "float32")
            tl.data_move(out, acc)
            tl.data_move(c, out[0, :, :])

    assert "one matrix at a time" in refused("E1239", twice, M=16, K=16, N=16)


ASCEND = find_machine("ascend910")


def test_operands_that_do_not_come_from_l1() -> None:
    @kernel("a[M, K]: float16 @ ZZ, b[K, N]: float16 @ ZN -> c[M, N]: float32")
    def straight(a: tl.Tensor, b: tl.Tensor, c: tl.Tensor) -> None:
        for _ in tl.cores(1):
            acc = tl.alloc_l0c((16, 16), "float32")
            a0, b0 = tl.alloc_l0a((16, 16), F16), tl.alloc_l0b((16, 16), F16)
            tl.data_move(a0, a)
            tl.data_move(b0, b)
            tl.mmad(acc, a0, b0, init=True)
            out = tl.alloc_ub((16, 16), "float32")
            tl.data_move(out, acc)
            tl.data_move(c, out)

    assert "from L1" in refused("E1240", straight, M=16, K=16, N=16)


def test_scratch_that_no_longer_fits() -> None:
    @kernel("x[N]: float32 -> y[N]: float32")
    def full(x: tl.Tensor, y: tl.Tensor) -> None:
        for _ in tl.cores(1):
            tile = tl.alloc_ub((64000,), "float32")
            tl.data_move(tile, x)
            tile[:] = tl.tanh(tile)
            tl.data_move(y, tile)

    assert "work" in refused("E1241", full, N=64000)


def test_vector_work_across_lanes() -> None:
    @kernel("x[M, N]: float32 -> y[M, N]: float32")
    def across(x: tl.Tensor, y: tl.Tensor) -> None:
        for _ in tl.cores(1):
            tile = tl.alloc_ub((16, 16), "float32")
            tl.data_move(tile, x)
            tile[:] = tile + tile.view((1,), (0,))
            tl.data_move(y, tile)

    with pytest.raises(tl.TileError) as caught:
        lower_program(across.program(machine="ascend910", M=16, N=16), ASCEND)
    assert caught.value.diagnostics[0].code in ("E1242", "E0345")

    @kernel("x[N]: int8 -> y[N]: int8")
    def byte_sum(x: tl.Tensor, y: tl.Tensor) -> None:
        for _ in tl.cores(1):
            tile = tl.alloc_ub((64,), "int8")
            tl.data_move(tile, x)
            tile[:] = tile + tile
            tl.data_move(y, tile)

    assert "8-bit" in refused("E1242", byte_sum, N=64)


def test_what_the_310_lacks() -> None:
    assert "310" in refused("E1243", layer_norm, "ascend310", dtype=F16, M=16, N=16)


def test_windows_beyond_the_fields_of_load3d() -> None:
    message = refused(
        "E1244", conv2d_nc1hwc0, dtype=MAPS, N=1, C=16, H=64, W=140, O=16, R=1, S=1, stride_h=1,
        stride_w=64,
    )  # fmt: skip
    assert "stride is 64, at most 63" in message


def test_reductions_of_three_dimensions() -> None:
    @kernel("x[L, M, N]: float32 -> y[L, M, 1]: float32")
    def deep(x: tl.Tensor, y: tl.Tensor) -> None:
        for _ in tl.cores(1):
            tile = tl.alloc_ub(x.shape, "float32")
            out = tl.alloc_ub(y.shape, "float32")
            tl.data_move(tile, x)
            out[:] = tl.reduce_sum(tile, axis=2)
            tl.data_move(y, out)

    assert "two dimensions" in refused("E1245", deep, L=2, M=8, N=16)


def test_options_are_none() -> None:
    a = np.zeros((16, 16), np.float16)
    program = gemm.program(a=a, b=a, machine="ascend910")
    with pytest.raises(tl.TileError, match="E1246"):
        BACKEND.compile(program, ASCEND, strict=False)


def test_windows_into_a_row_major_tile_of_several_fractals() -> None:
    @kernel("x[C, H, W]: float16 @ NC1HWC0 -> y[H*W, C]: float16")
    def columns(x: tl.Tensor, y: tl.Tensor) -> None:
        for _ in tl.cores(1):
            tile = tl.alloc_l1(x.shape, x.dtype, layout="NC1HWC0")
            out = tl.alloc_ub(y.shape, x.dtype)
            tl.data_move(tile, x)
            tl.load3d(out, tile, kernel=(1, 1))
            tl.data_move(y, out)

    assert "`out` is not in fractals of 16 columns" in refused("E1244", columns, C=32, H=4, W=4)
