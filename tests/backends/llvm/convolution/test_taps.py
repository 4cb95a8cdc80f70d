"""Zeros that are left out of convolutions: no bit changes, and none is left out beside infinity."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tilelang as tl
from tests.backends.llvm.maps import WINDOWS, columns_of, program_of
from tests.backends.llvm.running import assert_same, expected_of, results_of, small_integers
from tilelang.backends.llvm.convolution.pixels import Pixels
from tilelang.backends.llvm.convolution.slabs import Columns
from tilelang.backends.llvm.convolution.taps import Planes, Taps
from tilelang.backends.llvm.products import cube
from tilelang.backends.llvm.runtime.cache import CACHE_VARIABLE
from tilelang.backends.llvm.runtime.executable import LlvmBackend
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.nodes import Program, Window
from tilelang.ir.source_index import source_index
from tilelang.kernels.conv2d import conv2d
from tilelang.machines import find_machine

Array = NDArray[Any]
SAME = {"R": 3, "S": 3, "pad_top": 1, "pad_bottom": 1, "pad_left": 1, "pad_right": 1}
CASES: Mapping[str, Mapping[str, int]] = {
    "whole": {"N": 2, "C": 32, "H": 7, "W": 7, "O": 48, **SAME},
    "two parts": {"N": 1, "C": 16, "H": 14, "W": 14, "O": 32, **SAME},
    "uneven parts": {"N": 1, "C": 16, "H": 5, "W": 17, "O": 20, **SAME},
    "few channels": {"N": 2, "C": 3, "H": 12, "W": 24, "O": 64, **SAME, "stride_w": 2},
    "a short block": {"N": 1, "C": 21, "H": 9, "W": 9, "O": 16, "R": 2, "S": 2},
    "strides": {"N": 1, "C": 16, "H": 11, "W": 13, "O": 16, **SAME, "stride_h": 2, "stride_w": 3},
    "dilation": {"N": 1, "C": 16, "H": 9, "W": 8, "O": 16, **SAME, "dilation_h": 2},
    "wide padding": {"N": 1, "C": 5, "H": 2, "W": 6, "O": 16, **SAME, "pad_top": 5, "pad_left": 4},
    "tiles of a map": {"N": 1, "C": 4, "H": 64, "W": 32, "O": 16, **SAME},
}


def taps_of(columns: Columns) -> Taps:
    height, _ = columns.output
    pixels = Pixels(columns, "%map", ix.ZERO, ix.ZERO, "@taps")
    return Taps(pixels, ix.ZERO, height, (Planes(ix.ZERO, 1, 16),))


def taps_on_map(columns: Columns) -> Counter[tuple[int, ...]]:
    """Return (row, column, row of the window, its column) of every tap that `load3d` reads."""
    (height, width), kernel = columns.output, columns.load.window.kernel
    found: Counter[tuple[int, ...]] = Counter()
    for oh, ow, kh, kw in itertools.product(*map(range, (height, width, *kernel))):
        place = oh * width + ow, (kh * kernel[1] + kw) * 16
        _, exists = source_index(columns.load, tuple(map(ix.constant, place)))
        found[oh, ow, kh, kw] += cond.holds(exists, {})
    return +found


def multiplied(taps: Taps, most: int) -> Iterator[tuple[int, ...]]:
    for oh, part in itertools.product(range(taps.n_rows), taps.parts(most)):
        low, high = (limit.constant for limit in taps.kernel_rows(ix.constant(oh)))
        for number, run in itertools.product(range(part.count), part.runs):
            first = part.first + number * part.size
            taken = itertools.product(
                [oh],
                [first + pixel for pixel in run.pixels],
                range(low, high),
                range(run.first, run.first + run.count),
            )
            yield from taken


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize(("height", "width"), [(6, 7), (5, 17), (3, 3), (4, 33)])
@pytest.mark.parametrize("most", [4, 8])
def test_the_taps_on_the_map_are_multiplied_once_each(
    window: Window, height: int, width: int, most: int
):
    columns = columns_of(program_of(16, height, width, window))
    assert Counter(multiplied(taps_of(columns), most)) == taps_on_map(columns)


def bits(results: list[Array]) -> list[Array]:
    return [array.view(f"u{array.itemsize}") for array in results]


def convolution(case: str, **tiles: int) -> Program:
    types = {"T": "float16", "Y": "float32"}
    return conv2d.program(**CASES[case], biased=0, dtype=types, machine="host", **tiles)


@pytest.mark.parametrize("scale", [0, 1])
@pytest.mark.parametrize("case", CASES)
def test_no_bit_depends_on_what_is_left_out(case: str, scale: int):
    """With tiles of 48 positions rows are cut anywhere, so that all taps are multiplied."""
    program, all_taps = convolution(case), convolution(case, m_tile=48)
    rng = np.random.default_rng(0)
    inputs: list[Array] = [
        (factor * rng.standard_normal(buffer.shape)).astype(buffer.dtype.numpy)
        for factor, buffer in zip((scale, 1, 1), program.inputs, strict=True)
    ]
    np.testing.assert_array_equal(
        bits(results_of(program, inputs)), bits(results_of(all_taps, inputs))
    )


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_a_weight_that_is_not_finite_meets_the_padding(case: str, value: float):
    program = convolution(case)
    x, w, bias = small_integers(program.inputs, 1)
    w[::5, -1, 0, 0] = value
    w[::7, 0, -1, -1] = -value
    assert_same(results_of(program, [x, w, bias])[0], expected_of(program, [x, w, bias])[0])


def test_zero_times_infinity_is_nan_along_the_edges():
    program = convolution("whole")
    x, w, bias = (np.ones_like(array) for array in small_integers(program.inputs, 1))
    w[3, 2, 0, 0] = np.inf
    found = results_of(program, [x, w, bias])[0][:, 3]
    assert np.isnan(found[:, 0]).all()
    assert np.isnan(found[:, :, 0]).all()
    assert np.isposinf(found[:, 1:, 1:]).all()


def test_weights_of_channels_that_do_not_exist_may_be_infinite():
    program = program_of(3, 4, 16, Window((1, 1)))
    x, b = small_integers(program.inputs, 1)
    b.reshape(-1)[5::16] = np.inf  # one channel in 16 of the 13 behind the map's, for all outputs
    found = results_of(program, [x, b])[0]
    assert np.isnan(found).all()
    assert_same(found, expected_of(program, [x, b])[0])


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> LlvmBackend:
    """Return a backend that has compiled nothing; what it keeps does not show what is patched."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    return LlvmBackend()


def run(backend: LlvmBackend, program: Program, inputs: list[Array]) -> Array:
    result = np.full(program.results[0].shape, 5, np.float32)
    backend.compile(program, find_machine("host"), n_threads=1)(*inputs, result)
    return result


def _nothing(*_: object) -> None:
    """Write no code."""


def _refuse(*_: object) -> None:
    pytest.fail("zeros are left out")


@pytest.mark.parametrize("value", [65504, -65504, 6e-8, -0.0])
def test_finite_weights_leave_zeros_out(
    backend: LlvmBackend, monkeypatch: pytest.MonkeyPatch, value: float
):
    program = convolution("whole")
    x, w, bias = small_integers(program.inputs, 1)
    w[:] = value
    expected = results_of(program, [x, w, bias])[0]
    monkeypatch.setattr(cube, "_emit_blocks", _nothing)
    np.testing.assert_array_equal(run(backend, program, [x, w, bias]), expected)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("place", [(0, 0, 0, 0), (47, 31, 2, 2), (16, 15, 1, 2), (31, 16, 2, 0)])
def test_one_weight_that_is_not_finite_leaves_all_zeros_in(
    backend: LlvmBackend, monkeypatch: pytest.MonkeyPatch, place: tuple[int, ...], value: float
):
    program = convolution("whole", o_tile=48)
    x, w, bias = small_integers(program.inputs, 1)
    w[place] = value
    expected = results_of(program, [x, w, bias])[0]
    monkeypatch.setattr(cube, "emit_tap_rows", _nothing)
    assert_same(run(backend, program, [x, w, bias]), expected)


def test_other_floats_keep_their_zeros(monkeypatch: pytest.MonkeyPatch, backend: LlvmBackend):
    """Their products may vanish, so that a sum is -0, to which +0 adds up to +0."""
    monkeypatch.setattr(cube, "emit_tap_rows", _refuse)
    for dtype in ("float32", "bfloat16"):
        program = conv2d.program(**CASES["whole"], biased=0, dtype=dtype, machine="host")
        backend.compile(program, find_machine("host"))


@tl.kernel(
    "x[C, H, W]: float16, b[K, 16]: float16 @ ZN, start[M, 16]: float32 -> y[M, 16]: float32"
)
def add_windows(x: tl.Tensor, b: tl.Tensor, start: tl.Tensor, y: tl.Tensor) -> None:
    """Y = start + the windows of 3 by 3 around every pixel of x, times b."""
    features = tl.alloc_l1(tuple(x.shape), x.dtype)
    a0, b0 = tl.alloc_l0a((y.shape[0], b.shape[0]), x.dtype), tl.alloc_l0b(tuple(b.shape), b.dtype)
    acc, out = tl.alloc_l0c(tuple(y.shape), "float32"), tl.alloc_ub(tuple(y.shape), "float32")
    tl.data_move(out, start)
    tl.data_move(acc, out)
    tl.data_move(features, x)
    tl.data_move(b0, b)
    tl.load3d(a0, features, kernel=(3, 3), padding=(1, 1, 1, 1))
    tl.mmad(acc, a0, b0, init=False)
    tl.data_move(out, acc)
    tl.data_move(y, out)


def test_a_sum_that_starts_from_minus_zero_meets_the_padding():
    """-0 times 1 leaves it as it is, 0 times 1 on the padding makes it +0."""
    program = add_windows.program(C=16, H=4, W=8, K=144, M=32)
    x: Array = np.full((16, 4, 8), -0.0, np.float16)
    start: Array = np.full((32, 16), -0.0, np.float32)
    b = np.ones(program.inputs[1].layout.physical_shape((144, 16)), np.float16)
    found = results_of(program, [x, b, start])[0].reshape(4, 8, 16)
    is_inside = np.zeros((4, 8, 1), bool)
    is_inside[1:-1, 1:-1] = True
    np.testing.assert_array_equal(np.signbit(found), np.broadcast_to(is_inside, found.shape))
