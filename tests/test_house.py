"""The rules of the house that no linter knows: sizes, error codes, loose ends."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.repository import FOLDERS, PACKAGES, ROOT, Source, sources
from tilelang.diagnostics.explain import explanations

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60
CODE = re.compile(r"E\d{4}")

EVERY_FILE = tuple(sources(*FOLDERS))

TOLERANCE = re.compile(r"\b(?:[ar]tol|\w*allclose|isclose|approx|\w*almost\w*|\w*max_ulp)\b")
HAND_PICKED = {
    "tests/kernels/onnx_vectors.py": "the standard's results come with its own tolerances",
    "tests/backends/tik/cycles/": "cycles and seconds of a model, not what a kernel computes",
    "tests/sweep/": "statistics of times",
    "tests/bench/test_paper_figures.py": "a model beside a published figure",
    "tests/check/test_oracle.py": "the bound itself beside the formula that it comes from",
    "tests/test_house.py": "this list",
}
"""Where a tolerance is written down, and why; results go through `tests/correctness.py`."""


def test_no_file_is_too_long_to_read_in_one_sitting():
    lengths = {source.path: len(source.text.splitlines()) for source in EVERY_FILE}
    long = {path: n_lines for path, n_lines in lengths.items() if n_lines > MAX_FILE_LINES}
    assert not long, f"files over {MAX_FILE_LINES} lines: {long}"


def test_no_function_is_too_long():
    long = [
        f"{source.path}:{function.lineno} {function.name} has {_n_lines(function)} lines"
        for source in EVERY_FILE
        for function in _functions(source)
        if _n_lines(function) > MAX_FUNCTION_LINES
    ]
    assert not long, f"functions over {MAX_FUNCTION_LINES} lines:\n" + "\n".join(long)


def _functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(source.parse()):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _n_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_no_module_has_a_name_that_says_nothing():
    empty_words = {"utils", "util", "helpers", "common", "misc", "manager", "tools"}
    found = [s.path for s in EVERY_FILE if empty_words & set(s.module.split("."))]
    assert not found


def test_every_code_that_is_raised_is_explained_and_the_reverse():
    raised = {code for source in sources(*PACKAGES) for code in _codes(source)}
    explained = set(explanations())
    assert sorted(raised - explained) == [], "raised, but not in explain/*.toml"
    assert sorted(explained - raised) == [], "in explain/*.toml, but never raised"


def _codes(source: Source) -> Iterator[str]:
    """Yield the error codes that stand in the code (not in prose) of `source`."""
    for node in ast.walk(source.parse()):
        match node:
            case ast.Constant(value=str(text)) if CODE.fullmatch(text):
                yield text
            case _:
                pass


def test_every_code_occurs_in_a_test():
    files = [path for path in (ROOT / "tests").rglob("*") if path.suffix in (".py", ".txt")]
    tested = {code for path in files for code in CODE.findall(path.read_text(encoding="utf-8"))}
    assert sorted(set(explanations()) - tested) == []


def test_no_result_is_compared_within_a_tolerance_picked_by_hand():
    found = [
        f"{source.path}:{number}"
        for source in EVERY_FILE
        if not source.path.startswith(tuple(HAND_PICKED))
        for number, line in enumerate(source.text.splitlines(), 1)
        if TOLERANCE.search(line)
    ]
    assert not found, f"use tests/correctness.py, or inputs on which nothing rounds: {found}"


@pytest.mark.parametrize("word", ["TODO", "FIXME", "XXX"])
def test_a_loose_end_names_its_issue(word: str):
    loose = [
        f"{source.path}:{number}"
        for source in EVERY_FILE
        for number, line in enumerate(source.text.splitlines(), 1)
        if re.search(rf"#.*\b{word}\b(?!.*#\d)", line)
    ]
    assert not loose, f"{word} without an issue (write #12): {loose}"
