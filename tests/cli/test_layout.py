"""`tilelang layout`: the drawing, the list, the files."""

from pathlib import Path

from tests.cli.command import Command
from tests.golden import Golden


def test_it_draws_a_layout(tilelang: Command, golden: Golden):
    drawn = tilelang("layout", "NZ", "--shape", "32x48").out
    assert "float16[32, 48]" in drawn
    golden.check("cli/layout_nz_32x48.txt", drawn)


def test_another_vendors_spelling_draws_the_same(tilelang: Command):
    ours = tilelang("layout", "NZ", "--shape", "32x48").out
    assert tilelang("layout", "FRACTAL_NZ", "--shape", "32,48").out == ours


def test_without_a_shape_it_draws_one_that_the_layout_can_hold(tilelang: Command):
    for name in ("ND", "NZ", "ZZ", "ZN", "NN", "NC1HWC0", "FRACTAL_Z"):
        assert name in tilelang("layout", name).out


def test_json_has_the_physical_shape(tilelang: Command):
    data = tilelang("layout", "NZ", "--shape", "20x40", "--dtype", "int8", "--json").data
    assert data["physical_shape"] == [2, 2, 16, 32]


def test_an_svg_file_is_written(tilelang: Command, tmp_path: Path):
    tilelang("layout", "NZ", "--shape", "32x48", "--svg", str(tmp_path / "nz.svg"))
    assert (tmp_path / "nz.svg").read_text().startswith("<svg")


def test_an_svg_file_that_cannot_be_written_is_an_error(tilelang: Command, tmp_path: Path):
    ended = tilelang("layout", "NZ", "--svg", str(tmp_path / "no/nz.svg"), status=1)
    assert "error[E0613]: cannot write" in ended.err


def test_the_list_has_every_layout_with_its_other_names(tilelang: Command, golden: Golden):
    rows = tilelang("layout", "--list", "--json").data
    assert [row["name"] for row in rows][:3] == ["ND", "NZ", "ZZ"]
    assert "FRACTAL_NZ" in rows[1]["names"]
    golden.check("cli/layout_list.txt", tilelang("layout", "--list").out)
    assert tilelang("layout").out == tilelang("layout", "--list").out


def test_an_unknown_layout_is_an_error(tilelang: Command):
    assert "error[E0614]" in tilelang("layout", "NQ", status=1).err
    assert "two letters alone mean one layout" in tilelang("layout", "nz", status=1).err


def test_a_shape_with_too_few_dimensions_is_an_error(tilelang: Command):
    assert "error[E0615]" in tilelang("layout", "NC1HWC0", "--shape", "3", status=1).err


def test_an_unknown_dtype_is_an_error(tilelang: Command):
    assert "error[E0611]" in tilelang("layout", "NZ", "--dtype", "fp16", status=1).err
