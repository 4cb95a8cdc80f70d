"""The sections of `bench/RESULTS.md`, each written by a bench of its own."""

from bench.results import with_section


def test_a_section_is_replaced_where_it_stands():
    text = "# A\n\nold\n\n## part\n\nold\n\n# B\n\nkept\n"
    assert with_section(text, "A", ["new"]) == "# A\n\nnew\n\n# B\n\nkept\n"


def test_a_new_section_comes_last_and_writing_it_twice_changes_nothing():
    once = with_section("# A\n\nkept\n", "B", ["new"])
    assert once == "# A\n\nkept\n\n# B\n\nnew\n"
    assert with_section(once, "B", ["new"]) == once


def test_a_hash_in_a_block_of_code_begins_no_section():
    text = "# A\n\n```\n# B\n```\n"
    assert with_section(text, "B", ["new"]).startswith(text.rstrip("\n"))
