"""What is said of Python that a traced body cannot have: counters, returns, products of indices."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilelang.diagnostics import Diagnostic, Location, Note, TileError, callsite
from tilelang.diagnostics.flow import Change
from tilelang.language import trace as tracing


def here() -> Location:
    """Return where the user's code is now, inside a kernel or not."""
    trace = tracing.active()
    return trace.here() if trace else callsite.location(None)


def error(
    code: str, message: str, hint: str, *notes: Note, location: Location | None = None
) -> TileError:
    """Return a mistake of the front end at `location`, by default where the user's code is now.

    What the trace had reported before comes first.
    """
    diagnostic = Diagnostic(code, message, location or here(), hint, notes)
    trace = tracing.active()
    return trace.fail(diagnostic) if trace else TileError(diagnostic)


def report(
    code: str, message: str, hint: str, *notes: Note, location: Location | None = None
) -> None:
    """Keep a mistake after which the trace can go on, so that others are found in the same run."""
    trace = tracing.active()
    if trace is None:
        raise error(code, message, hint, *notes, location=location)
    trace.report(Diagnostic(code, message, location or here(), hint, notes))


def key(what: str) -> TileError:
    """Refuse a traced value as the key of a dict or a set, or as an argument that is cached."""
    return error(
        "E0104" if what == "an index" else "E0140",
        f"{what} has no value while the kernel is traced, so it cannot be a key",
        "index a tile with it, or compute the value from it: `scale + 2 * i`",
    )


def unpacked_index(index: object) -> TileError:
    """Refuse to take an index apart."""
    return error(
        "E0104",
        f"the index `{index}` is one number, and cannot be unpacked or looped over",
        "write an extent for every name: `for i, j in tl.cores(m, n):`; loop with `tl.for_range`",
    )


def product_of_indices(left: object, right: object) -> TileError:
    """Refuse a product of two indices."""
    return error(
        "E0102",
        f"`{left}` times `{right}` is not affine: one factor must be a plain number",
        "give the loop a step instead: index `i * m_tile` where `m_tile` is a Python int",
    )


def divisor(value: object, operator: str) -> TileError:
    """Refuse a divisor that is not a plain positive number."""
    return error(
        "E0103",
        f"the right side of `{operator}` is {value!r}, wanted a plain positive int",
        f"write `i {operator} 2`, or compute the number in Python before the loop",
    )


def no_operation(left: object, operator: str, right: object) -> TileError:
    """Refuse an operator that an index or a condition does not have, or not with `right`."""
    operands = f"`{left!r}`" if right is None else f"`{left!r}` and {right!r}"
    if operator in ("==", "!=", "<", "<=", ">", ">="):
        hint = (
            "compare an index with an int or an index, `k == 0`, and turn a condition around "
            "with `~`"
        )
    elif operator in _INSTEAD:
        hint = f"write {_INSTEAD[operator]}"
    elif isinstance(right, float) and right.is_integer():
        hint = f"write {int(right)} for {right}: an index is a whole number"
    else:
        hint = (
            "compute with ints and indices; as a number beside a tile write "
            '`tl.cast(k, "float32")`, and `tl.where(condition, x, 0)`'
        )
    return error(
        "E0137", f"`{operator}` of {operands} is no operation on indices and conditions", hint
    )


_INSTEAD = {
    "**": "a product with a plain int, `4 * k`",
    "<<": "`k * 16` for `k << 4`",
    ">>": "`k // 16` for `k >> 4`",
    "divmod": "`k // 16` and `k % 16`",
    "&": "`(k == 0) & (i > 1)`, with the parentheses, or `k % 2` for the last bit of an index",
    "|": "`(k == 0) | (i > 1)`, with the parentheses",
    "^": "`(a & ~b) | (~a & b)` for conditions `a` and `b`",
}


def branch_without_with(keyword: str, location: Location) -> TileError:
    """Refuse a branch that Python asks for a truth value."""
    diagnostic = tracing.branch_without_with(keyword, location)
    trace = tracing.active()
    return trace.fail(diagnostic) if trace else TileError(diagnostic)


def report_loop_variable(change: Change, loop: Location) -> None:
    """Report a Python variable that one iteration of a traced loop would leave for the next.

    One that a branch or a loop inside it sets has been reported where that ended.
    """
    trace = tracing.active()
    if trace and any(_is_about(one, change) for one in trace.diagnostics):
        return
    before, after = change.before, change.after
    hint = (
        f"compute `{change.name}` from the loop's index; choose one of several tiles by indexing "
        "one buffer, `tiles[k % 2]`; give a value that only Python needs another name inside"
    )
    bools = isinstance(before, bool) or isinstance(after, bool)
    if isinstance(before, int) and isinstance(after, int) and not bools:
        hint = f"compute it from the loop's index, as in `{_counted(before, after - before)}`"
    report(
        "E0138",
        f"`{change.name}` is {shown(before)} when the loop's body begins and {shown(after)} at its "
        f"end, but the body is traced once: in every iteration it would begin as {shown(before)}",
        hint,
        Note("the loop", loop),
        location=change.location,
    )


def _is_about(diagnostic: Diagnostic, change: Change) -> bool:
    """Return whether `diagnostic` is about what the statement or the variable of `change` does."""
    same_name = diagnostic.message.startswith(f"`{change.name}` is ")
    return diagnostic.location == change.location or (diagnostic.code == "E0138" and same_name)


def _counted(first: int, step: int) -> str:
    """Return what counts from `first` by `step` as Python of a loop over `k`."""
    steps = "k" if step == 1 else f"{step} * k"
    return steps if first == 0 else f"{first} + {steps}"


def report_branch_variable(change: Change, branch: Location) -> None:
    """Report a Python variable that a traced branch would leave for the statements below."""
    report(
        "E0138",
        f"`{change.name}` is set to {shown(change.after)} in a branch and used below it, but every "
        "branch is traced: the value would be that one whatever the condition",
        "write what depends on it into the branches; choose numbers with `tl.where`, `tl.minimum` "
        "or `tl.maximum`; set what does not depend on the condition before the branch",
        Note("the branch", branch),
        location=change.location,
    )


def report_returned(kernel: str, value: object, location: Location) -> None:
    """Report that a kernel's body returns something, as if that were its result."""
    report(
        "E0146",
        f"`{kernel}` returns {shown(value)}, and what a kernel's body returns is lost",
        "leave the `return` out, and write the results, which are the last parameters: "
        "`tl.data_move(y, out)`",
        location=location,
    )


def shown(value: object) -> str:
    """Return `value` as a message says it: its `repr`, cut where that is long."""
    if type(value) is np.ndarray:
        array: NDArray[Any] = value
        return f"a numpy array of {array.dtype}{list(array.shape)}"
    text = repr(value)
    if (hasattr(value, "recipe") or hasattr(value, "node")) and "`" not in text:
        text = f"`{text}`"
    return text if len(text) <= 60 and "\n" not in text else f"{text.splitlines()[0][:50]}..."


def whole_number(values: Iterable[object], otherwise: str) -> str:
    """Return the hint where sizes or bounds are wanted: `/` makes floats, and `//` ints."""
    if any(isinstance(value, float) for value in values):
        return "write `//` for `/`, or `tl.ceildiv(a, b)` to round up: this wants whole numbers"
    return otherwise


def true_division() -> TileError:
    """Refuse `/` on an index."""
    return error(
        "E0103",
        "`/` on an index would not give an integer",
        "write `//`, which rounds down, or `tl.ceildiv(a, b)`, which rounds up",
    )


def check_not_swapped(name: str) -> None:
    """Check that `t[0], t[1] = t[1], t[0]` does not read the `name` that it has just written.

    Raises:
        TileError: E0109.
    """
    trace, location = tracing.current("an assignment"), here()
    written = trace.writes.get(name)
    if written and written[1].short == location.short and _assigns_several(location):
        raise error(
            "E0109",
            f"this assignment reads `{name}` after it has written it: a tile on the right is no "
            "copy",
            "write one part into another tile first, and assign one by one",
            location=location,
        )


def _assigns_several(location: Location) -> bool:
    """Return whether the line at `location` is an assignment of several things at once."""
    line = linecache.getline(location.file, location.line).strip()
    try:
        statements = ast.parse(line).body
    except SyntaxError:
        return False
    targets = [it for one in statements if isinstance(one, ast.Assign) for it in one.targets]
    return any(isinstance(target, ast.Tuple | ast.List) for target in targets)
