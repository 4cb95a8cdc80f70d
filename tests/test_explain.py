"""`tilelang explain`: the loader, the message for an unknown code, and the texts as data."""

import tomllib
from pathlib import Path

import pytest

from tests.repository import ROOT
from tilelang.diagnostics import TileError
from tilelang.diagnostics.explain import AREAS as AREAS_BY_CODE
from tilelang.diagnostics.explain import explain, explanations

AREA_DIGITS = {
    "front_end": "01",
    "arguments": "02",
    "verify": "03",
    "execute": "04",
    "text": "05",
    "environment": "06",
    "check": "07",
    "call": "08",
    "sweep": "09",
    "llvm": "11",
    "tik": "12",
    "triton": "13",
}
AREAS = sorted((ROOT / "tilelang/diagnostics/explain").glob("*.toml"))
MAX_COLUMNS = 100


def test_a_code_is_explained_with_its_title_first_in_any_case():
    assert explain("E0606").startswith("E0606: unknown error code\n\nEvery error carries a code")
    assert explain("e0606") == explain("E0606")


def test_an_unknown_code_suggests_one_that_exists():
    with pytest.raises(TileError, match=r"error\[E0606\]: there is no error code 'E0660'") as said:
        explain("E0660")
    assert "did you mean" in str(said.value)
    assert "E0606" in str(said.value)


def test_a_code_that_is_far_from_all_is_answered_with_the_areas():
    with pytest.raises(TileError, match="E01xx front end, E02xx arguments") as said:
        explain("E9999")
    assert "did you mean" not in str(said.value)


def test_zeros_may_be_left_out_but_that_is_said():
    with pytest.raises(TileError, match=r"did you mean E0370\?"):
        explain("370")


def test_every_code_belongs_to_an_area():
    assert {code[:3] for code in explanations()} == set(AREAS_BY_CODE)


def test_a_word_that_is_no_code_says_what_a_code_looks_like():
    with pytest.raises(TileError, match="write a code such as E0312"):
        explain("banana")


def test_explanations_are_in_order_and_none_is_lost():
    in_files = [code for area in AREAS for code in tomllib.loads(area.read_text())]
    assert sorted(in_files) == list(explanations())


@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.stem)
def test_an_area_holds_only_its_own_codes_with_title_and_text(area: Path):
    digits = AREA_DIGITS[area.stem]
    for code, entry in tomllib.loads(area.read_text()).items():
        assert code[:3] == f"E{digits}", f"{code} does not belong into {area.name}"
        assert code[3:].isdigit()
        assert len(code) == 5
        assert set(entry) == {"title", "text"}
        assert entry["title"] == entry["title"].strip().rstrip(".")
        assert "\n" not in entry["title"]
        assert len(entry["text"]) > 20
        assert max(map(len, entry["text"].splitlines())) <= MAX_COLUMNS
