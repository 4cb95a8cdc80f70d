"""Layouts against formulas written by hand from the vendor's documents."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tilelang.diagnostics import TileError
from tilelang.dtypes import ELEMENT_TYPES, DType
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.region import AsMatrix, Buffer, Memory, Region
from tilelang.ir.source_index import region_element
from tilelang.layouts import ND, Layout, LayoutKind, layout_for
from tilelang.layouts.layout import RULES

MATRICES = (LayoutKind.NZ, LayoutKind.ZZ, LayoutKind.ZN, LayoutKind.NN)
RANK = {kind: 2 for kind in MATRICES} | {
    LayoutKind.ND: 0,
    LayoutKind.NC1HWC0: 3,
    LayoutKind.FRACTAL_Z: 4,
}


def place_by_hand(
    layout: Layout, shape: tuple[int, ...], element: tuple[int, ...]
) -> tuple[int, ...]:
    """Return the physical index, by the formulas of the TIK reference and the format documents."""
    c0, rank = layout.c0, RANK[layout.kind]
    lead, own = element[: len(element) - rank], element[len(element) - rank :]
    match layout.kind, own:
        case LayoutKind.NZ, (m, k):
            return (*lead, k // c0, m // 16, m % 16, k % c0)
        case LayoutKind.ZZ, (m, k):
            return (*lead, m // 16, k // c0, m % 16, k % c0)
        case LayoutKind.ZN, (k, n):
            return (*lead, k // c0, n // 16, n % 16, k % c0)
        case LayoutKind.NN, (k, n):
            return (*lead, n // 16, k // c0, n % 16, k % c0)
        case LayoutKind.NC1HWC0, (c, h, w):
            return (*lead, c // c0, h, w, c % c0)
        case LayoutKind.FRACTAL_Z, (o, c, r, s):
            tap = (c // c0 * shape[-2] + r) * shape[-1] + s
            return (*lead, tap, o // 16, o % 16, c % c0)
        case _:
            return element


def random_array(shape: tuple[int, ...], dtype: DType, seed: int = 0) -> NDArray[np.generic]:
    """Return random bits: every value, NaNs and denormals included."""
    n_bytes = int(np.prod(shape)) * dtype.n_bytes
    bits = np.random.default_rng(seed).integers(0, 256, n_bytes, np.uint8)
    return bits.view(dtype.numpy).reshape(shape)


sizes = st.sampled_from([0, 1, 15, 16, 17, 33])


@st.composite
def cases(draw: st.DrawFn) -> tuple[Layout, tuple[int, ...], DType]:
    """Draw a layout, a shape it can hold, at most one dimension of it large, and a dtype."""
    kind, dtype = draw(st.sampled_from(LayoutKind)), draw(st.sampled_from(ELEMENT_TYPES))
    lead = tuple(draw(st.lists(st.integers(1, 2), max_size=2)))
    own = [draw(sizes) for _ in range(min(RANK[kind], 2))]
    own += [draw(st.integers(1, 3)) for _ in range(RANK[kind] - len(own))]
    if kind is LayoutKind.ND:
        return ND, (*lead, draw(sizes)), dtype
    c0 = 16 if kind is LayoutKind.NZ and draw(st.booleans()) else dtype.k0
    return Layout(kind, c0), (*lead, *own), dtype


@settings(max_examples=60, deadline=None)
@given(cases())
def test_unpack_undoes_pack_bit_by_bit(case: tuple[Layout, tuple[int, ...], DType]):
    layout, shape, dtype = case
    array = random_array(shape, dtype)
    packed = layout.pack(array)
    assert packed.shape == layout.physical_shape(shape)
    assert packed.dtype == dtype.numpy
    assert packed.flags.c_contiguous
    assert layout.unpack(packed, shape).tobytes() == array.tobytes()


@settings(max_examples=60, deadline=None)
@given(cases())
def test_pack_puts_every_element_where_the_vendor_says_and_zeros_elsewhere(
    case: tuple[Layout, tuple[int, ...], DType],
):
    layout, shape, dtype = case
    array = random_array(shape, dtype)
    packed = layout.pack(array)
    expected = np.zeros_like(packed)
    for element in np.ndindex(*shape):
        expected[place_by_hand(layout, shape, element)] = array[element]
    assert packed.tobytes() == expected.tobytes()


@settings(max_examples=60, deadline=None)
@given(cases())
def test_the_rule_agrees_with_the_formulas_for_numbers_and_for_variables(
    case: tuple[Layout, tuple[int, ...], DType],
):
    layout, shape, _ = case
    names = [f"i{axis}" for axis in range(len(shape))]
    symbolic = layout.physical_index(shape, [ix.variable(name) for name in names])
    physical_shape = layout.physical_shape(shape)
    for element in list(np.ndindex(*shape))[::7]:
        expected = place_by_hand(layout, shape, element)
        values = dict(zip(names, element, strict=True))
        assert tuple(ix.evaluate(index, values) for index in symbolic) == expected
        offset = int(np.ravel_multi_index(expected, physical_shape)) if expected else 0
        assert layout.offset(shape, element) == offset
        assert layout.element_at(shape, offset) == element


@settings(max_examples=60, deadline=None)
@given(cases())
def test_the_inverse_tells_every_element_from_padding(
    case: tuple[Layout, tuple[int, ...], DType],
):
    layout, shape, _ = case
    physical_shape = layout.physical_shape(shape)
    names = [f"p{axis}" for axis in range(len(physical_shape))]
    element, exists = layout.logical_index(shape, [ix.variable(name) for name in names])
    found: list[tuple[int, ...]] = []
    for position in np.ndindex(*physical_shape):
        values = dict(zip(names, position, strict=True))
        logical = tuple(int(ix.evaluate(index, values)) for index in element)
        if cond.holds(exists, values):
            assert place_by_hand(layout, shape, logical) == position
            found.append(logical)
        else:
            assert any(i >= size for i, size in zip(logical, shape, strict=True))
    assert sorted(found) == list(np.ndindex(*shape))


def test_where_no_block_is_ragged_nothing_is_padding():
    layout = layout_for(LayoutKind.NZ, DType.FLOAT16)
    physical = [ix.variable(name) for name in "abcd"]
    assert layout.logical_index((32, 48), physical)[1] == cond.TRUE


def test_aligned_starts_keep_their_coefficients():
    layout = layout_for(LayoutKind.NZ, DType.FLOAT16)
    row, column = ix.scale(ix.variable("i"), 32), ix.scale(ix.variable("k"), 16)
    k1, m1, m0, k0 = layout.physical_index((64, 64), [row, column])
    assert (m0, k0) == (ix.ZERO, ix.ZERO)
    assert (k1, m1) == (ix.variable("k"), ix.scale(ix.variable("i"), 2))


# TIK reference, matmul: how a, b and the result are read back with numpy.
@pytest.mark.parametrize(("m", "k", "n"), [(1, 1, 1), (15, 17, 16), (30, 70, 40)])
def test_matmul_operands_read_back_as_the_tik_reference_does(m: int, k: int, n: int):
    a, b = random_array((m, k), DType.INT8), random_array((k, n), DType.INT8)
    n_rows, n_columns, n_k, k0 = -(-m // 16) * 16, -(-n // 16) * 16, -(-k // 32), 32
    in_l1 = layout_for(LayoutKind.NZ, DType.INT8).pack(a).reshape(n_k, n_rows, k0)
    assert (in_l1.transpose(1, 0, 2).reshape(n_rows, n_k * k0)[:m, :k] == a).all()
    k1nk0 = layout_for(LayoutKind.ZN, DType.INT8).pack(b).reshape(n_k, n_columns, k0)
    assert (k1nk0.transpose(0, 2, 1).reshape(n_k * k0, n_columns)[:k, :n] == b).all()


def test_feature_maps_pack_as_the_format_documents_say():
    array = random_array((2, 48, 5, 3), DType.FLOAT16)
    by_formula = array.reshape(2, 3, 16, 5, 3).transpose(0, 1, 3, 4, 2)
    packed = layout_for(LayoutKind.NC1HWC0, DType.FLOAT16).pack(array)
    assert packed.tobytes() == by_formula.tobytes()


def test_zn_of_a_matrix_is_nz_of_its_transpose():
    array = random_array((20, 33), DType.FLOAT16)
    zn = layout_for(LayoutKind.ZN, DType.FLOAT16).pack(array)
    nz = layout_for(LayoutKind.NZ, DType.FLOAT16).pack(array.T)
    assert zn.tobytes() == nz.tobytes()


def test_weights_lie_in_the_order_of_the_columns_of_img2col():
    layout, shape = layout_for(LayoutKind.FRACTAL_Z, DType.FLOAT16), (17, 20, 3, 2)
    weights = Buffer("w", Memory.GM, DType.FLOAT16, shape, layout)
    for row, out in product(range(0, 2 * 3 * 2 * 16, 5), (0, 16)):
        start = (ix.constant(row), ix.constant(out))
        region = Region(weights, AsMatrix(), start, (1, 1), (None, None))
        element, _ = region_element(region, ())
        tap, o1, o0, c0 = (index.constant for index in layout.physical_index(shape, element))
        assert (tap * 16 + c0, o1 * 16 + o0) == (row, out)


@pytest.mark.parametrize("kind", LayoutKind)
def test_arrays_of_any_strides_pack_alike(kind: LayoutKind):
    layout = layout_for(kind, DType.FLOAT16)
    wide = random_array((2, 34, 6, 5), DType.FLOAT16)
    sliced = wide[:, ::2, 1:4]
    expected = layout.pack(np.ascontiguousarray(sliced)).tobytes()
    assert layout.pack(sliced).tobytes() == expected
    assert layout.pack(np.asfortranarray(sliced)).tobytes() == expected


@pytest.mark.parametrize("kind", MATRICES)
@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0), (0, 3, 4)])
def test_an_array_without_elements_packs_to_one_without_elements(
    kind: LayoutKind, shape: tuple[int, ...]
):
    layout = layout_for(kind, DType.FLOAT32)
    packed = layout.pack(np.zeros(shape, np.float32))
    assert packed.size == 0
    assert layout.unpack(packed, shape).shape == shape


@pytest.mark.parametrize(
    ("kind", "dtype", "shape", "physical"),
    [
        (LayoutKind.NZ, DType.FLOAT16, (32, 48), (3, 2, 16, 16)),
        (LayoutKind.NZ, DType.INT8, (17, 33), (2, 2, 16, 32)),
        (LayoutKind.ZZ, DType.FLOAT32, (17, 17), (2, 3, 16, 8)),
        (LayoutKind.ZN, DType.INT8, (33, 17), (2, 2, 16, 32)),
        (LayoutKind.NN, DType.BFLOAT16, (17, 1), (1, 2, 16, 16)),
        (LayoutKind.NC1HWC0, DType.UINT8, (4, 33, 5, 6), (4, 2, 5, 6, 32)),
        (LayoutKind.FRACTAL_Z, DType.FLOAT16, (17, 20, 3, 3), (18, 2, 16, 16)),
        (LayoutKind.ND, DType.FLOAT16, (17, 33), (17, 33)),
    ],
)
def test_physical_shapes(
    kind: LayoutKind, dtype: DType, shape: tuple[int, ...], physical: tuple[int, ...]
):
    assert layout_for(kind, dtype).physical_shape(shape) == physical


def test_an_accumulator_has_blocks_of_16_columns_whatever_its_dtype():
    assert Layout(LayoutKind.NZ, 16).physical_shape((17, 17)) == (2, 2, 16, 16)


@pytest.mark.parametrize("kind", LayoutKind)
def test_blocks_and_ranks(kind: LayoutKind):
    layout = layout_for(kind, DType.INT8)
    assert layout.logical_rank == RANK[kind]
    blocks = {LayoutKind.ND: (1, 1), LayoutKind.NC1HWC0: (32, 1)}
    blocks |= {LayoutKind.ZN: (32, 16), LayoutKind.NN: (32, 16)}
    assert layout.block == blocks.get(kind, (16, 32))
    assert str(layout) == kind.value


def test_every_kind_has_a_rule():
    assert set(RULES) == set(LayoutKind)


def test_a_shape_of_too_few_dimensions_is_refused():
    with pytest.raises(TileError) as caught:
        layout_for(LayoutKind.FRACTAL_Z, DType.FLOAT16).physical_shape((16, 16))
    assert str(caught.value) == (
        "error[E0615]: layout FRACTAL_Z reorders 4 dimensions [O, C, R, S], "
        "but the shape [16, 16] has 2\n"
        "    hint: give a shape that ends in [O, C, R, S], or use layout ND"
    )


def test_an_array_of_another_physical_shape_is_refused():
    array = np.zeros((2, 1, 16, 16), np.float16)
    with pytest.raises(TileError) as caught:
        layout_for(LayoutKind.NZ, DType.FLOAT16).unpack(array, (17, 16))
    assert str(caught.value) == (
        "error[E0615]: the array has shape [2, 1, 16, 16], but [17, 16] in layout NZ is an array "
        "of shape [1, 2, 16, 16]\n"
        "    hint: give the physical array, with its padding; `pack` makes one"
    )
