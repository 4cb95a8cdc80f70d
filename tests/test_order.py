"""Several mistakes come in the order in which they are mended."""

from tilelang.diagnostics import Diagnostic, Location
from tilelang.diagnostics.order import order


def at(line: int, code: str = "E0310", called_from: Location | None = None) -> Diagnostic:
    return Diagnostic(code, "", Location("k.py", line, called_from=called_from))


def test_mistakes_come_by_lines_of_the_kernel_whatever_file_their_helpers_are_in():
    helper = at(99, called_from=Location("k.py", 5))
    assert sorted([at(7), helper, at(3)], key=order) == [at(3), helper, at(7)]


def test_a_result_that_nobody_writes_comes_last():
    missing = at(1, "E0370")
    assert sorted([missing, at(9), Diagnostic("E0901", "")], key=order)[-1] is missing
