"""Values of a tile parameter as text."""

import pytest

from tilelang.diagnostics import TileError
from tilelang.sweep.values import read_settings, read_values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("16:1024:x2", (16, 32, 64, 128, 256, 512, 1024)),
        ("16:100:x2", (16, 32, 64)),
        ("16:128:+16", (16, 32, 48, 64, 80, 96, 112, 128)),
        ("1:17:+15", (1, 16)),
        ("16,32,64", (16, 32, 64)),
        ("17", (17,)),
        (" 3:81:x3 ", (3, 9, 27, 81)),
        ("16:16:x2", (16,)),
        ("32:16:x2", ()),
    ],
)
def test_a_range_holds_both_ends_and_a_list_its_numbers(text: str, values: tuple[int, ...]):
    assert read_values("n_tile", text) == values


@pytest.mark.parametrize(
    "text", ["16:1024", "16:1024:2", "16:1024:y2", "16, 32", "", "a", "1e3", "-16", "16:64:-16"]
)
def test_another_form_is_refused_with_what_to_write(text: str):
    with pytest.raises(TileError, match=r"E0901\].*`n_tile`") as said:
        read_values("n_tile", text)
    assert "16:1024:x2" in str(said.value)


@pytest.mark.parametrize("text", ["16:64:x1", "16:64:x0", "0:64:x2", "16:64:+0", "1:99999:+1"])
def test_a_range_without_an_end_is_refused(text: str):
    with pytest.raises(TileError, match=r"E0901\].*no end"):
        read_values("n_tile", text)


def test_settings_are_names_and_values():
    given = ["n_tile=16:64:x2", "k_tile=16"]
    assert read_settings("--tile", given) == {"n_tile": (16, 32, 64), "k_tile": (16,)}
    with pytest.raises(TileError, match=r"E0901\]: --tile takes a tile parameter"):
        read_settings("--tile", ["16:64:x2"])


def test_two_parameters_in_one_setting_are_told_apart():
    with pytest.raises(TileError, match="an option of its own"):
        read_settings("--tile", ["n_tile=16,32,k_tile=64"])


def test_a_parameter_is_given_once():
    with pytest.raises(TileError, match=r"E0901\]: --tile gives `n_tile` twice"):
        read_settings("--tile", ["n_tile=16", "n_tile=32"])
