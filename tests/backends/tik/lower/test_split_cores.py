"""Which core does a stage, and how many of them there are."""

import pytest

import tilelang as tl
from tests.backends.tik.lower.products import CHIP, product
from tests.backends.tik.lower.running import assert_agrees
from tilelang.backends.tik.instructions import ForRange, walk
from tilelang.backends.tik.lower import lower_program
from tilelang.backends.tik.lower.split_cores import Side, side_of
from tilelang.kernel import Kernel
from tilelang.kernels.batch_norm import batch_norm
from tilelang.kernels.conv2d import conv2d_nc1hwc0
from tilelang.kernels.gemm import gemm
from tilelang.kernels.layer_norm import layer_norm
from tilelang.kernels.softmax import softmax
from tilelang.machines import find_machine

MACHINE = find_machine(CHIP)


def n_blocks(kernel: Kernel, **sizes: int) -> int:
    lowered = lower_program(kernel.program(machine=CHIP, dtype="float16", **sizes), MACHINE)
    return max(
        item.block_num
        for item in walk(lowered.body)
        if isinstance(item, ForRange) and isinstance(item.block_num, int)
    )


def test_products_run_on_cube_cores_and_vector_work_on_vector_cores() -> None:
    made = product().program(machine=CHIP, dtype="float16", M=16, N=16, K=16)
    assert side_of(made, MACHINE) is Side.CUBE
    assert side_of(softmax.program(machine=CHIP, dtype="float16", M=4, N=4), MACHINE) is Side.VECTOR


def test_there_are_twice_as_many_vector_cores() -> None:
    assert (Side.CUBE.n_cores(MACHINE), Side.VECTOR.n_cores(MACHINE)) == (24, 48)
    assert n_blocks(gemm, M=2048, N=2048, K=16) == 24
    assert n_blocks(softmax, M=4096, N=64, m_tile=16) == 48


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("kernel", [softmax, layer_norm], ids=lambda kernel: kernel.name)
@pytest.mark.parametrize(("m", "n"), [(33, 100), (3, 2500), (5, 17)])
def test_normalisations_agree(kernel: Kernel, dtype: str, m: int, n: int) -> None:
    assert_agrees(kernel, CHIP, dtype=dtype, M=m, N=n)


def test_feature_maps_are_normalised() -> None:
    dtypes = {"T": "float16", "P": "float32"}
    assert_agrees(batch_norm, CHIP, dtype=dtypes, N=2, C=20, H=8, W=8)


def test_windows_of_convolutions_are_refused() -> None:
    sizes = {"N": 1, "C": 16, "H": 8, "W": 8, "O": 16, "R": 3, "S": 3}
    made = conv2d_nc1hwc0.program(machine=CHIP, dtype={"T": "float16", "Y": "float16"}, **sizes)
    with pytest.raises(tl.TileError, match=r"E1248.*load3dv2"):
        lower_program(made, MACHINE)


def test_a_stage_for_both_kinds_of_core_is_refused() -> None:
    @tl.kernel("a[M, K]: float16, x[M, K]: float16 -> c[M, K]: float32, y[M, K]: float16")
    def both(a: tl.Tensor, x: tl.Tensor, c: tl.Tensor, y: tl.Tensor) -> None:
        for _ in tl.cores(1):
            acc, out = tl.alloc_l0c((16, 16), "float32"), tl.alloc_ub((16, 16), "float32")
            a1, u = tl.alloc_l1((16, 16), "float16"), tl.alloc_ub((16, 16), "float16")
            tl.data_move(a1, a)
            tl.matmul(acc, a1, a1, init=True)
            tl.data_move(out, acc)
            tl.data_move(c, out)
            tl.data_move(u, x)
            tl.data_move(y, u)

    made = both.program(machine=CHIP, M=16, K=16)
    with pytest.raises(tl.TileError, match="memories of different cores") as caught:
        lower_program(made, MACHINE)
    assert {diagnostic.code for diagnostic in caught.value.diagnostics} == {"E1248"}
