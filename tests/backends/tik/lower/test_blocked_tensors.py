"""Maps and weights in NCHW and OIHW: put into blocks of channels first, and back at the end."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tilelang as tl
from tests.backends.tik.lower.kernels import first_channels
from tests.backends.tik.lower.running import assert_agrees, inputs_of
from tilelang.backends.numpy import BACKEND as NUMPY
from tilelang.backends.tik.lower.blocked_tensors import block_tensors
from tilelang.ir.nodes import Program
from tilelang.kernel import Kernel
from tilelang.kernels.conv2d import conv2d, conv2d_nc1hwc0
from tilelang.kernels.gemm import gemm
from tilelang.layouts import LayoutKind
from tilelang.machines import find_machine
from tilelang.passes import lower
from tilelang.verify import verify

F16 = "float16"
HALVES = {"T": F16, "Y": F16}
WIDE = {"T": F16, "Y": "float32"}
BYTES = {"T": "int8", "Y": "int32"}
THREE: dict[str, Any] = {"R": 3, "S": 3}
AROUND: dict[str, Any] = {"pad_top": 1, "pad_bottom": 1, "pad_left": 1, "pad_right": 1}
MACHINE = find_machine("ascend910")


def blocked(kernel: Kernel, **keywords: Any) -> tuple[Program, Program]:
    """Return the lowered program of `kernel`, and what the pass makes of it."""
    program = lower(kernel.program(machine=MACHINE.name, **keywords), MACHINE)
    return program, verify(block_tensors(program, MACHINE.n_cores), MACHINE)


def test_operands_come_first_and_results_last() -> None:
    before, after = blocked(conv2d, dtype=HALVES, N=2, C=20, H=15, W=17, O=33, **THREE)
    kinds = {buffer.name: buffer.layout.kind for buffer in after.workspaces}
    assert kinds == {
        "x_blocked": LayoutKind.NC1HWC0,
        "w_blocked": LayoutKind.FRACTAL_Z,
        "y_blocked": LayoutKind.NC1HWC0,
    }
    assert len(after.stages) == len(before.stages) + 3
    assert [core.extent for core in after.stages[0].grid] == [2, 2, 1]


@pytest.mark.parametrize(
    ("kernel", "keywords"),
    [
        (conv2d_nc1hwc0, {"dtype": HALVES, "N": 1, "C": 16, "H": 8, "W": 8, "O": 16, **THREE}),
        (gemm, {"dtype": F16, "M": 20, "N": 33, "K": 17}),
    ],
    ids=["blocked already", "no maps"],
)
def test_other_programs_stay(kernel: Kernel, keywords: dict[str, Any]) -> None:
    before, after = blocked(kernel, **keywords)
    assert after is before


def test_weights_of_one_position_are_loaded_as_they_are() -> None:
    _, after = blocked(conv2d, dtype=HALVES, N=1, C=16, H=8, W=8, O=16, R=1, S=1)
    assert [buffer.name for buffer in after.workspaces] == ["x_blocked", "y_blocked"]


@pytest.mark.parametrize(
    ("sizes", "shapes"),
    [
        ({"C": 8, "O": 32}, {"x": (6, 8, 8, 8), "w": (32, 8, 3, 3), "y": (3, 32, 6, 6)}),
        ({"C": 16, "O": 6}, {"x": (3, 32, 8, 8), "w": (32, 16, 3, 3), "y": (6, 3, 6, 6)}),
        ({"C": 1, "O": 2}, {"x": (6, 1, 8, 8), "w": (32, 1, 3, 3), "y": (6, 1, 6, 6)}),
        ({"C": 20, "O": 80}, {"x": (6, 20, 8, 8), "w": (96, 20, 3, 3), "y": (6, 40, 6, 6)}),
    ],
    ids=["features", "outputs", "depthwise", "several tiles"],
)
def test_groups_that_start_inside_a_block_of_channels_get_blocks_of_their_own(
    sizes: dict[str, int], shapes: dict[str, tuple[int, ...]]
) -> None:
    keywords = {"N": 3, "H": 8, "W": 8, "groups": 2, "o_tile": 16, **sizes, **THREE}
    _, after = blocked(conv2d, dtype=HALVES, **keywords)
    found = {buffer.name: buffer.shape for buffer in after.workspaces}
    assert {name: found[f"{name}_blocked"] for name in shapes} == shapes
    assert ("y_rows" in found) == (sizes["O"] // 2 % 16 != 0)


def test_results_of_fewer_bytes_than_a_block_go_back_by_rows() -> None:
    keywords: dict[str, Any] = {"N": 3, "C": 3, "O": 2, "H": 4, "W": 3, **THREE}
    _, after = blocked(conv2d, dtype=HALVES, **keywords)
    assert "y_rows" in {buffer.name for buffer in after.workspaces}
    assert_agrees(conv2d, dtype=HALVES, **keywords)


def test_channels_that_end_inside_a_block_before_others_stay() -> None:
    before, after = blocked(first_channels, N=1, C=20, H=4, W=4)
    assert after is before


def test_a_tensor_used_in_two_ways_stays() -> None:
    @tl.kernel("x[C, H, W, S]: float16 -> y[C, H, W, S]: float16")
    def both(x: tl.Tensor, y: tl.Tensor) -> None:
        for n in tl.cores(x.shape[0]):
            in_l1 = tl.alloc_l1(x.shape[1:], x.dtype, layout="NC1HWC0")
            in_ub = tl.alloc_ub(x.shape[1:], x.dtype)
            tl.data_move(in_l1, x[n, :, :, :])
            tl.data_move(in_ub, x[n, :, :, :])
            tl.data_move(y[n, :, :, :], in_ub)

    before, after = blocked(both, C=1, H=16, W=4, S=4)
    assert after is before


def test_images_that_share_a_block_of_32_bytes_are_stored_by_one_core() -> None:
    _, shared = blocked(conv2d, dtype=HALVES, N=2, C=16, H=7, W=7, O=33, **THREE)
    _, apart = blocked(conv2d, dtype=HALVES, N=2, C=16, H=7, W=7, O=32, **THREE)
    assert shared.stages[-1].grid == ()
    assert [core.extent for core in apart.stages[-1].grid] == [2, 2]


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.fixed_dictionaries(
        {name: st.sampled_from([1, 2, 15, 16, 17, 33]) for name in ("C", "O", "H", "W")}
    ),
    n_images=st.integers(1, 3),
    groups=st.sampled_from([1, 1, 2, 3, 17]),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    types=st.sampled_from([HALVES, WIDE, BYTES]),
)
def test_the_pass_keeps_the_meaning(
    sizes: dict[str, int],
    n_images: int,
    groups: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    types: dict[str, str],
) -> None:
    sizes["O"] *= groups
    program, after = blocked(
        conv2d, dtype=types, N=n_images, R=kernel[0], S=kernel[1], stride_h=stride[0],
        stride_w=stride[1], groups=groups, **sizes, pad_top=1, pad_bottom=1, pad_left=1,
        pad_right=2, o_tile=32,
    )  # fmt: skip
    inputs, kind = inputs_of(program), program.results[0]
    wanted, found = (np.zeros(kind.shape, kind.dtype.numpy) for _ in range(2))
    NUMPY.compile(program, MACHINE)(*inputs, wanted)
    NUMPY.compile(after, MACHINE)(*inputs, found)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    ("channels", "outputs"), [(1, 1), (15, 16), (16, 15), (17, 33), (33, 17), (20, 33)]
)
@pytest.mark.parametrize("types", [HALVES, WIDE, BYTES], ids=["halves", "wide", "bytes"])
def test_any_channels_and_outputs(channels: int, outputs: int, types: dict[str, str]) -> None:
    assert_agrees(
        conv2d, dtype=types, N=2, C=channels, H=9, W=7, O=outputs, biased=1, **THREE, **AROUND
    )


@pytest.mark.parametrize(
    ("groups", "channels", "outputs"),
    [
        (2, 1, 1), (3, 1, 1), (16, 1, 1), (17, 1, 1), (32, 1, 1), (33, 1, 2),
        (2, 3, 3), (2, 17, 1), (2, 16, 3), (4, 8, 16), (3, 20, 40), (5, 33, 17),
    ],
)  # fmt: skip
@pytest.mark.parametrize("types", [HALVES, WIDE, BYTES], ids=["halves", "wide", "bytes"])
@pytest.mark.parametrize("kernel", [conv2d, conv2d_nc1hwc0], ids=lambda kernel: kernel.name)
def test_any_groups(
    kernel: Kernel, groups: int, channels: int, outputs: int, types: dict[str, str]
) -> None:
    outputs *= groups
    sizes = {"N": 2, "C": channels, "H": 7, "W": 9, "O": outputs, "groups": groups}
    assert_agrees(kernel, dtype=types, o_tile=32, biased=1, **sizes, **THREE, **AROUND)


def test_maps_in_blocks_become_rows_where_groups_begin_inside() -> None:
    keywords = {"N": 3, "C": 8, "O": 12, "H": 8, "W": 8, "groups": 2, **THREE}
    _, after = blocked(conv2d_nc1hwc0, dtype=HALVES, **keywords)
    assert {buffer.name: buffer.shape for buffer in after.workspaces} == {
        "x_rows": (48, 64),
        "x_blocked": (6, 8, 8, 8),
        "y_rows": (36, 48),
        "y_blocked": (6, 6, 6, 6),
    }


@pytest.mark.parametrize("machine", ["ascend310", "ascend310p", "ascend910"])
@pytest.mark.parametrize(
    "window",
    [
        {"R": 1, "S": 1},
        {"R": 3, "S": 3, "stride_h": 2, "stride_w": 2, **AROUND},
        {"R": 3, "S": 2, "dilation_h": 2, "dilation_w": 3, "pad_left": 2},
        {"R": 5, "S": 5, "pad_top": 2, "relu": 1, "biased": 0},
        {"R": 9, "S": 9},
    ],
    ids=["pointwise", "strided", "dilated", "five-by-five", "one result"],
)
@pytest.mark.parametrize(
    ("kernel", "groups", "channels"), [(conv2d, 19, 1), (conv2d, 2, 9), (conv2d_nc1hwc0, 19, 1)]
)
def test_any_window_of_groups(
    machine: str, window: dict[str, Any], kernel: Kernel, groups: int, channels: int
) -> None:
    sizes = {"N": 2, "C": channels, "H": 9, "W": 9, "O": groups * channels, "groups": groups}
    assert_agrees(kernel, machine, dtype=HALVES, **sizes, **window)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("groups", "channels"), [(18, 1), (3, 3), (2, 17)])
def test_groups_do_not_meet(bad: float, groups: int, channels: int) -> None:
    """Zeros beside a group multiply zeros, so that nothing of a neighbour becomes NaN."""
    random = np.random.default_rng(0)
    n_channels = groups * channels
    x = random.integers(-3, 4, (2, n_channels, 5, 6)).astype(np.float16)
    w = random.integers(-3, 4, (n_channels, channels, 3, 3)).astype(np.float16)
    bias = np.arange(n_channels, dtype=np.float32)
    wanted = conv2d(x, w, bias, groups=groups, backend="numpy")
    x[:, 1, 2, 3] = w[-1, 0, 1, 1] = bias[channels] = bad
    found = conv2d(x, w, bias, groups=groups, backend="tik")
    strict = conv2d(x, w, bias, groups=groups, backend="numpy")
    np.testing.assert_array_equal(found, strict)
    touched = {1, n_channels - 1, channels} | set(range(channels))
    others = [channel for channel in range(n_channels) if channel not in touched]
    np.testing.assert_array_equal(found[:, others], wanted[:, others])


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 3), (4, 4), (1, 33), (33, 40)])
@pytest.mark.parametrize("types", [HALVES, WIDE], ids=["halves", "wide"])
def test_any_map(height: int, width: int, types: dict[str, str]) -> None:
    assert_agrees(conv2d, dtype=types, N=2, C=17, H=height, W=width, O=17, **THREE, **AROUND)


@pytest.mark.parametrize("side", [8, 9])
def test_weights_of_many_positions_are_blocked_by_position(side: int) -> None:
    sizes = {"N": 1, "C": 33, "H": 10, "W": 10, "O": 17, "R": side, "S": side}
    before, after = blocked(conv2d, dtype=BYTES, **sizes)
    n_outputs = {8: 1, 9: 17}[side]  # of a block of 32, or each for itself
    assert [core.extent for core in after.stages[1].grid][:2] == [n_outputs, 2]
    assert len(after.stages) == len(before.stages) + 3
    assert_agrees(conv2d, "ascend310", dtype=BYTES, **sizes)


@pytest.mark.parametrize("machine", ["ascend310", "ascend310p", "ascend910"])
@pytest.mark.parametrize(
    "keywords",
    [
        {"N": 2, "C": 20, "H": 15, "W": 16, "O": 33, "R": 2, "S": 3, "stride_h": 2, "stride_w": 3,
         "pad_left": 2, "relu": 1},
        {"N": 1, "C": 16, "H": 9, "W": 9, "O": 32, "R": 3, "S": 3, "groups": 2},
        {"N": 1, "C": 40, "H": 12, "W": 11, "O": 20, "R": 1, "S": 1, "dilation_h": 2},
        {"N": 1, "C": 3, "H": 30, "W": 31, "O": 16, "R": 7, "S": 7, "dilation_w": 2},
    ],
    ids=["strided", "grouped", "pointwise", "seven-by-seven"],
)  # fmt: skip
def test_any_window(machine: str, keywords: dict[str, Any]) -> None:
    assert_agrees(conv2d, machine, dtype=HALVES, **keywords)
