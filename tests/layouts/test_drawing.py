"""Drawings: as files to look at, and checked against formulas written by hand."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.golden import Golden
from tilelang.diagnostics import TileError
from tilelang.dtypes import ELEMENT_TYPES, DType
from tilelang.layouts import Layout, LayoutKind, layout_for
from tilelang.layouts.drawing import draw, draw_svg

F16 = DType.FLOAT16
EXAMPLES = {
    "nz": (LayoutKind.NZ, (32, 48), F16),
    "nz_ragged": (LayoutKind.NZ, (17, 33), DType.INT8),
    "zz_large": (LayoutKind.ZZ, (100, 300), F16),
    "zn": (LayoutKind.ZN, (20, 40), F16),
    "nn": (LayoutKind.NN, (32, 48), DType.FLOAT32),
    "nd": (LayoutKind.ND, (5, 7), DType.FLOAT32),
    "nc1hwc0": (LayoutKind.NC1HWC0, (2, 20, 3, 5), F16),
    "fractal_z": (LayoutKind.FRACTAL_Z, (20, 17, 3, 3), F16),
    "empty": (LayoutKind.NZ, (0, 48), F16),
}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_drawing(name: str, golden: Golden):
    kind, shape, dtype = EXAMPLES[name]
    golden.check(f"layouts/{name}.txt", draw(layout_for(kind, dtype), shape, dtype))


def numbers_and_bytes(drawing: str) -> list[tuple[list[int], list[int]]]:
    """Return, per row of blocks, the numbers and the byte offsets that are drawn."""
    numbers = re.findall(r"^ +│(.*[0-9].*)│\n +│(.*byte.*)│$", drawing, re.MULTILINE)
    return [
        (
            [int(text) for text in re.findall(r"\d+", first)],
            [int(text.replace(",", "")) for text in re.findall(r"byte ([\d,]+)", second)],
        )
        for first, second in numbers
    ]


def test_nz_blocks_are_numbered_down_the_columns():
    drawing = draw(layout_for(LayoutKind.NZ, F16), (32, 48), F16)
    assert numbers_and_bytes(drawing) == [
        ([0, 2, 4], [0, 1024, 2048]),
        ([1, 3, 5], [512, 1536, 2560]),
    ]


def test_zz_and_zn_blocks_are_numbered_along_the_rows():
    for kind in (LayoutKind.ZZ, LayoutKind.ZN):
        drawing = draw(layout_for(kind, F16), (32, 48), F16)
        assert numbers_and_bytes(drawing) == [
            ([0, 1, 2], [0, 512, 1024]),
            ([3, 4, 5], [1536, 2048, 2560]),
        ]


def test_an_accumulator_is_drawn_with_blocks_of_1024_bytes():
    drawing = draw(Layout(LayoutKind.NZ, 16), (32, 16), DType.FLOAT32)
    assert numbers_and_bytes(drawing) == [([0], [0]), ([1], [1024])]


def test_of_many_blocks_the_first_and_the_last_are_drawn():
    drawing = draw(layout_for(LayoutKind.ZZ, F16), (160, 160), F16)
    rows = numbers_and_bytes(drawing)
    assert [numbers for numbers, _ in rows] == [[0, 1, 2, 9], [10, 11, 12, 19], [90, 91, 92, 99]]


def test_shade_covers_the_share_that_is_padding():
    drawing = draw(layout_for(LayoutKind.NZ, F16), (16, 24), F16)
    first = next(line for line in drawing.splitlines() if "░" in line)
    assert first.endswith("│" + " " * 16 + "│" + " " * 8 + "░" * 8 + "│")


def test_nothing_is_shaded_without_padding():
    assert "░" not in draw(layout_for(LayoutKind.NZ, F16), (32, 48), F16)


def test_the_order_inside_a_block_shows_the_offsets_of_the_formula():
    along = draw(layout_for(LayoutKind.NZ, F16), (16, 16), F16)
    assert re.search(r"^ +1 +32 → +34 → +36 → ", along, re.MULTILINE)
    down = draw(layout_for(LayoutKind.ZN, F16), (16, 16), F16)
    assert re.search(r"^ +1 +2 +34 +66 ", down, re.MULTILINE)


kinds_and_shapes = st.one_of(
    st.tuples(st.just(LayoutKind.ND), st.lists(st.integers(0, 5000), max_size=4)),
    *(
        st.tuples(st.just(kind), st.lists(st.integers(0, 400), min_size=rank, max_size=4))
        for kind, rank in {
            **dict.fromkeys([LayoutKind.NZ, LayoutKind.ZZ, LayoutKind.ZN, LayoutKind.NN], 2),
            LayoutKind.NC1HWC0: 3,
            LayoutKind.FRACTAL_Z: 4,
        }.items()
    ),
)


@settings(max_examples=60, deadline=None)
@given(kinds_and_shapes, st.sampled_from(ELEMENT_TYPES))
def test_anything_is_drawn_in_100_columns_and_as_well_formed_svg(
    kind_and_shape: tuple[LayoutKind, list[int]], dtype: DType
):
    kind, shape = kind_and_shape
    layout = layout_for(kind, dtype)
    drawing = draw(layout, tuple(shape), dtype)
    assert max(map(len, drawing.splitlines())) <= 100
    assert all(line == line.rstrip() for line in drawing.splitlines())
    root = ElementTree.fromstring(draw_svg(layout, tuple(shape), dtype))
    assert root.tag == f"{SVG}svg"


def test_the_svg_needs_nothing_from_elsewhere():
    text = draw_svg(layout_for(LayoutKind.NZ, F16), (32, 48), F16)
    assert re.findall(r'(?:href|src)="|url\((?!#)|@import', text) == []


def test_the_path_of_the_svg_visits_the_blocks_in_the_order_of_memory():
    root = ElementTree.fromstring(draw_svg(layout_for(LayoutKind.NZ, F16), (32, 48), F16))
    ends = [
        [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
        for line in root.iter(f"{SVG}polyline")
        if line.attrib["class"] == "path"
    ]
    visited = [ends[0][0], *(end for _, end in ends)]
    columns, rows = sorted({x for x, _ in visited}), sorted({y for _, y in visited})
    places = [(rows.index(y), columns.index(x)) for x, y in visited]
    assert places == [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2)]


def test_padding_is_hatched_in_the_svg_and_only_padding():
    ragged = draw_svg(layout_for(LayoutKind.NZ, F16), (17, 33), F16)
    full = draw_svg(layout_for(LayoutKind.NZ, F16), (32, 48), F16)
    assert 'fill="url(#padding)"' in ragged
    assert "padding, written as zero" in ragged
    assert 'fill="url(#padding)"' not in full


def test_a_shape_of_too_few_dimensions_cannot_be_drawn():
    with pytest.raises(TileError, match="reorders 2 dimensions"):
        draw(layout_for(LayoutKind.NZ, F16), (32,), F16)
