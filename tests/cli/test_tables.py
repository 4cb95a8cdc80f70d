"""Rows printed as a table and as JSON."""

import json

import pytest

from tilelang.cli.tables import Row, show

ROWS: list[Row] = [
    {"name": "gemm", "n": 1, "share": 0.12345, "tiles": {"m": 16, "n": 32}, "ok": True},
    {"name": "a longer name", "n": 1000, "share": None, "tiles": {}, "ok": False},
]
COLUMNS = {"name": "kernel", "n": "count", "share": "share", "tiles": "tiles", "ok": "good"}


def test_a_table_has_titles_and_one_line_a_row(capsys: pytest.CaptureFixture[str]):
    show(ROWS, COLUMNS, as_json=False)
    title, first, second = (line.rstrip() for line in capsys.readouterr().out.splitlines())
    assert title.split() == ["kernel", "count", "share", "tiles", "good"]
    assert first.split() == ["gemm", "1", "0.123", "m=16", "n=32", "yes"]
    assert second.split() == ["a", "longer", "name", "1000", "no"]


def test_numbers_end_below_each_other_though_some_are_missing(capsys: pytest.CaptureFixture[str]):
    rows: list[Row] = [{"n": 0.5}, {"n": None}, {"n": 12.5}, {"n": 7.18e16}]
    show(rows, {"n": "number"}, as_json=False)
    assert capsys.readouterr().out.split("\n") == [
        "  number",
        "     0.5",
        "",
        "    12.5",
        "7.18e+16",
        "",
    ]


def test_a_long_cell_is_not_folded_without_a_terminal(capsys: pytest.CaptureFixture[str]):
    show([{"name": "x" * 130}], {"name": "kernel"}, as_json=False)
    assert "x" * 130 in capsys.readouterr().out


def test_json_has_every_key_and_the_exact_values(capsys: pytest.CaptureFixture[str]):
    show(ROWS, {"name": "kernel"}, as_json=True)
    assert json.loads(capsys.readouterr().out) == ROWS


def test_markup_in_a_cell_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]):
    show([{"name": "a[M, K]: T [bold]x"}], {"name": "kernel"}, as_json=False)
    assert "a[M, K]: T [bold]x" in capsys.readouterr().out


def test_no_rows_give_the_titles_alone_and_an_empty_list(capsys: pytest.CaptureFixture[str]):
    show([], {"name": "kernel"}, as_json=False)
    show([], {"name": "kernel"}, as_json=True)
    assert capsys.readouterr().out.split() == ["kernel", "[]"]
