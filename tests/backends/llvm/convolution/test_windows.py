"""Maps that the cube reads in place: every pixel where the rule of `load3d` says, zeros around."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

import tilelang as tl
from tests.backends.llvm.maps import WINDOWS, columns_of, program_of
from tests.backends.llvm.running import compiled, expected_of, results_of, small_integers
from tilelang.backends.llvm.convolution.slabs import Slab
from tilelang.backends.llvm.convolution.windows import find_windows
from tilelang.backends.llvm.passes import optimise
from tilelang.backends.llvm.runtime.host import find_host
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.nodes import Window
from tilelang.ir.source_index import source_index
from tilelang.kernels.conv2d import conv2d, conv2d_nc1hwc0
from tilelang.machines import find_machine
from tilelang.passes import lower

HOST = find_host()


def zeroed(slab: Slab) -> set[int]:
    """Return the elements of all planes that are written as zeros."""
    pixels = {
        plane * slab.plane + run.first + number * run.step + pixel
        for plane in range(slab.n_planes)
        for run in slab.zeros()
        for number in range(run.count)
        for pixel in range(run.size)
    }
    zeros = {pixel * slab.k0 + channel for pixel in pixels for channel in range(slab.k0)}
    return zeros | (filled_up(slab) if slab.takes_blocks else set())


def filled_up(slab: Slab) -> set[int]:
    """Return the elements of channels past the last that moves of whole blocks set to zero."""
    *lead, n_channels, height, width = slab.shape
    whole = -(-n_channels // slab.k0) * slab.k0
    places = itertools.product(*map(range, (*lead, whole, height, width)))
    return {
        slab.form.offset(tuple(map(ix.constant, place))).constant
        for place in places
        if place[-3] >= n_channels
    }


def elements(shape: tuple[int, ...]) -> Iterator[tuple[ix.Index, ...]]:
    for element in itertools.product(*map(range, shape)):
        yield tuple(map(ix.constant, element))


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("c", [16, 20, 32])
def test_an_operand_is_the_pixel_that_load3d_copies_or_a_zero(c: int, window: Window):
    columns = columns_of(program_of(c, 6, 7, window))
    zeros = zeroed(columns.slab)
    for place in itertools.islice(elements(columns.load.dst.shape), 0, None, 23):
        element, exists = source_index(columns.load, place)
        found = columns.offset(*place)
        assert found.is_constant
        if cond.holds(exists, {}):
            assert found == columns.slab.form.offset(element)
        else:
            assert found.constant in zeros


@pytest.mark.parametrize("shape", [(16, 3, 4), (2, 20, 3, 1), (3, 2, 32, 1, 5)])
def test_pixels_have_places_of_their_own_outside_the_margins(shape: tuple[int, ...]):
    columns = columns_of(program_of(16, 6, 7, Window((3, 3), padding=(1, 2, 3, 1))))
    slab = Slab(shape, 16, columns.slab.storage, 1, 3, 3, 2)
    places = [slab.form.offset(element).constant for element in elements(shape)]
    assert len(set(places)) == len(places)
    assert max(places) < slab.form.n_elements
    if shape[-3] % 16 == 0:
        assert not set(places) & zeroed(slab)


def test_a_convolution_makes_no_matrix_of_windows():
    program = conv2d.program(N=1, C=32, H=9, W=9, O=16, R=3, S=3, dtype="float16")
    windows = find_windows(optimise(lower(program, find_machine("host")), HOST), HOST)
    assert set(windows.operands) == {"a0"}
    assert set(windows.slabs) == {"features"}


def test_a_map_that_something_else_reads_stays_as_it_is():
    @tl.kernel(
        "x[C, H, W]: float16, b[K, 16]: float16 @ ZN -> y[16, 16]: float32, z[C, H, W]: float16"
    )
    def twice(x: tl.Tensor, b: tl.Tensor, y: tl.Tensor, z: tl.Tensor) -> None:
        features = tl.alloc_l1(tuple(x.shape), x.dtype)
        same = tl.alloc_ub(tuple(x.shape), x.dtype)
        a0 = tl.alloc_l0a((16, b.shape[0]), x.dtype)
        b0 = tl.alloc_l0b((b.shape[0], 16), b.dtype)
        acc = tl.alloc_l0c((16, 16), "float32")
        out = tl.alloc_ub((16, 16), "float32")
        tl.data_move(features, x)
        tl.data_move(same, features)
        tl.data_move(z, same)
        tl.data_move(b0, b)
        tl.load3d(a0, features, kernel=(1, 1))
        tl.mmad(acc, a0, b0, init=True)
        tl.data_move(out, acc)
        tl.data_move(y, out)

    program = twice.program(C=16, H=4, W=4, K=16)
    assert find_windows(lower(program, find_machine("host")), HOST).operands == {}


def test_taps_come_from_one_table_for_all_tiles():
    program = conv2d.program(N=1, C=32, H=9, W=9, O=64, R=3, S=3, dtype="float16")
    source = compiled(program).source
    assert source.count("private unnamed_addr constant") == 1


def test_what_lies_in_the_padding_of_blocks_does_not_matter():
    """Beside an infinite weight all channels of a block are multiplied, those that are none too."""
    sizes = {"N": 1, "C": 3, "H": 8, "W": 16, "O": 16, "R": 3, "S": 3, "biased": 0}
    program = conv2d_nc1hwc0.program(**sizes, dtype="float16", machine="host")
    x, w, bias = small_integers(program.inputs, seed=5)
    layout = program.inputs[1].layout
    weights = layout.unpack(w, (16, 3, 3, 3))
    weights[5] = np.inf
    w = layout.pack(weights)
    (expected,) = expected_of(program, [x, w, bias])
    x[..., 3:] = np.inf
    (found,) = results_of(program, [x, w, bias])
    np.testing.assert_array_equal(found, expected)


@tl.kernel("x[C, H, W]: float16, b[K, 16]: float16 @ ZN -> y[16, 16]: float32")
def in_two_moves(x: tl.Tensor, b: tl.Tensor, y: tl.Tensor) -> None:
    """Y = the pixels of x, times b; the channels from 16 on come by a move of their own."""
    features = tl.alloc_l1(tuple(x.shape), x.dtype)
    a0, b0 = tl.alloc_l0a((16, b.shape[0]), x.dtype), tl.alloc_l0b((b.shape[0], 16), b.dtype)
    acc, out = tl.alloc_l0c((16, 16), "float32"), tl.alloc_ub((16, 16), "float32")
    tl.data_move(features[0:16, :, :], x[0:16, :, :])
    tl.data_move(features[16:, :, :], x[16:, :, :])
    tl.data_move(b0, b)
    tl.load3d(a0, features, kernel=(1, 1))
    tl.mmad(acc, a0, b0, init=True)
    tl.data_move(out, acc)
    tl.data_move(y, out)


def test_a_map_that_is_moved_in_parts_has_zeros_behind_its_channels():
    program = in_two_moves.program(C=20, H=4, W=4, K=32)
    slabs = find_windows(lower(program, find_machine("host")), HOST).slabs
    assert not slabs["features"].takes_blocks
    inputs = small_integers(program.inputs, seed=6)
    (found,), (expected,) = results_of(program, inputs), expected_of(program, inputs)
    np.testing.assert_array_equal(found, expected)
