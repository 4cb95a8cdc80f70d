"""`tilelang language`: the page, a name, a chapter."""

import tilelang as tl
from tests.cli.command import Command
from tilelang.guide import CHAPTERS


def test_the_page_has_every_name_in_lines_that_a_terminal_shows(tilelang: Command):
    printed = tilelang("language").out
    for name in tl.language.__all__:
        assert f"    tl.{name}" in printed
    for chapter in CHAPTERS:
        assert f"{chapter.title}  [{chapter.topic}]" in printed
    assert max(map(len, printed.splitlines())) <= 100


def test_a_name_is_shown_with_its_call_its_docstring_and_the_names_of_its_example(
    tilelang: Command,
):
    printed = tilelang("language", "data_move").out
    assert printed.startswith("tl.data_move(dst, src, pad=0)\n\n    Copy `src` to `dst`")
    assert "    Example:\n        for i in tl.for_range(4):" in printed
    assert "E0312" in printed
    assert printed.rstrip().endswith("m_tile.")


def test_a_chapter_is_shown_whole(tilelang: Command):
    printed = tilelang("language", "reductions").out
    assert [line for line in printed.splitlines() if line.startswith("tl.")] == [
        "tl.reduce_sum(x, axis)",
        "tl.reduce_max(x, axis)",
        "tl.reduce_min(x, axis)",
    ]


def test_a_name_of_another_language_is_answered_with_ours(tilelang: Command):
    said = tilelang("language", "program_id", status=1).err
    assert "error[E0145]" in said
    assert "for i, j in tl.cores(m, n)" in said
    assert "File" not in said


def test_json_has_the_whole_docstrings(tilelang: Command):
    rows = {row["name"]: row for row in tilelang("language", "--json").data}
    assert rows["exp"]["chapter"] == "elements"
    assert rows["exp"]["call"] == "tl.exp(x)"
    assert "Example:" in rows["exp"]["text"]
    assert [row["name"] for row in tilelang("language", "moves", "--json").data] == ["data_move"]
