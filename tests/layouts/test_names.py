"""The spellings of layouts in other documents."""

import pytest

from tilelang.diagnostics import TileError
from tilelang.layouts import LayoutKind, find_layout, names
from tilelang.layouts.names import SPELLINGS


@pytest.mark.parametrize("kind", LayoutKind)
def test_our_own_name_comes_first_and_is_found(kind: LayoutKind):
    assert SPELLINGS[kind][0] == kind.value
    assert find_layout(kind.value) is kind


@pytest.mark.parametrize(
    ("spelling", "kind"),
    [
        ("Nz", LayoutKind.NZ),  # Huawei: blocks first
        ("zN", LayoutKind.NZ),  # catlass: inside first
        ("FRACTAL_NZ", LayoutKind.NZ),
        ("fractal_nz", LayoutKind.NZ),
        ("ACL_FORMAT_FRACTAL_NZ", LayoutKind.NZ),
        ("FORMAT_FRACTAL_NZ", LayoutKind.NZ),
        ("K1MK0", LayoutKind.NZ),
        ("N1MN0", LayoutKind.NZ),
        ("Zn", LayoutKind.ZN),
        ("nZ", LayoutKind.ZN),
        ("K1NK0", LayoutKind.ZN),
        ("zZ", LayoutKind.ZZ),
        ("zz", LayoutKind.ZZ),
        ("nN", LayoutKind.NN),
        ("5HD", LayoutKind.NC1HWC0),
        ("5hd", LayoutKind.NC1HWC0),
        ("nc1hwc0", LayoutKind.NC1HWC0),
        ("Fz", LayoutKind.FRACTAL_Z),
        ("fracz", LayoutKind.FRACTAL_Z),
        ("FRACTAL_Z", LayoutKind.FRACTAL_Z),
        ("RowMajor", LayoutKind.ND),
        ("nd", LayoutKind.ND),
    ],
)
def test_a_vendor_spelling_means_one_of_ours(spelling: str, kind: LayoutKind):
    assert find_layout(spelling) is kind


def test_no_spelling_means_two_layouts():
    spellings = [spelling for group in SPELLINGS.values() for spelling in group]
    assert len(spellings) == len(set(spellings))


def test_the_documented_table_names_every_spelling():
    table = [line for line in (names.__doc__ or "").splitlines() if line.startswith("|")]
    for kind, spellings in SPELLINGS.items():
        (row,) = (line for line in table if line.startswith(f"| {kind.value} |"))
        missing = [spelling for spelling in spellings if spelling not in row]
        assert not missing, f"{kind.value}: {missing}"


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("nz", "layout 'nz' is ambiguous", "two letters alone"),
        ("zn", "layout 'zn' is ambiguous", "two letters alone"),
        ("NHWC", "layout 'NHWC' names dimensions, not a layout", "declare the dimensions"),
        ("nchw", "layout 'nchw' names dimensions, not a layout", "[N, C, H, W]"),
        ("ColumnMajor", "layout 'ColumnMajor' is no layout of ours", "the other way round"),
        ("FRACTAL_NX", "there is no layout 'FRACTAL_NX'", "write 'FRACTAL_"),
        ("NC1HW", "there is no layout 'NC1HW'", "write 'NC1HWC0'; the layouts are: ND, NZ, ZZ"),
        ("banana", "there is no layout 'banana'", "the layouts are: ND, NZ, ZZ, ZN, NN, NC1HWC0"),
    ],
)
def test_other_names_are_refused_with_what_to_write(name: str, message: str, hint: str):
    with pytest.raises(TileError) as caught:
        find_layout(name)
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.message) == ("E0614", message)
    assert diagnostic.hint is not None
    assert hint in diagnostic.hint
