"""What is said to a user whose Python asks a traced value for something it does not have."""

from __future__ import annotations

import ast
import linecache

from tilelang.diagnostics import Diagnostic, Location, Note, TileError, callsite
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


def truth_value(what: str) -> TileError:
    """Refuse `bool()` of a traced value: find out what the user wrote, and say what to write."""
    location = here()
    text = _text(location)
    expression = _expression(text)
    if isinstance(expression, ast.Compare) and len(expression.ops) > 1:
        return error(
            "E0106",
            f"`{text}` compares twice, which Python decides while the kernel is traced",
            f"write `{_unchained(expression)}`",
            location=location,
        )
    if isinstance(expression, ast.BoolOp | ast.UnaryOp):
        return error(
            "E0105",
            f"{what} has no truth value while the kernel is traced",
            f"write `{_with_operators(expression)}`",
            location=location,
        )
    wish = f"`with tl.if_scope({text}):`" if expression else "`with tl.if_scope(condition):`"
    return error(
        "E0105",
        f"{what} has no truth value while the kernel is traced",
        f"for a branch write {wish}; combine conditions with `&`, `|` and `~`; "
        "for min and max write `tl.minimum`, `tl.maximum`",
        location=location,
    )


def number_of_index(index: object) -> TileError:
    """Refuse `int()` of an index, `range` over it and a Python list indexed by it."""
    return error(
        "E0104",
        f"the index `{index}` has no value while the kernel is traced",
        "loop with `tl.for_range(...)` instead of `range`; index a tile, not a Python list",
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


def true_division() -> TileError:
    """Refuse `/` on an index."""
    return error(
        "E0103",
        "`/` on an index would not give an integer",
        "write `//`, which rounds down, or `tl.ceildiv(a, b)`, which rounds up",
    )


def _text(location: Location) -> str:
    """Return what stands at `location`, if it is on one line and its columns are known."""
    if location.column is None or location.end_line not in (None, location.line):
        return ""
    line = linecache.getline(location.file, location.line)
    return line.encode()[location.column : location.end_column].decode(errors="ignore").strip()


def _expression(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body if text else None
    except SyntaxError:
        return None


def _unchained(chain: ast.Compare) -> str:
    """Return `(a < b) & (b < c)` for `a < b < c`."""
    operands = [chain.left, *chain.comparators]
    pairs = zip(operands, chain.ops, operands[1:], strict=False)
    return " & ".join(f"({ast.unparse(ast.Compare(a, [op], [b]))})" for a, op, b in pairs)


def _with_operators(expression: ast.BoolOp | ast.UnaryOp) -> str:
    """Return `(a) & (b)` for `a and b`, `~(a)` for `not a`."""
    if isinstance(expression, ast.UnaryOp):
        return f"~({ast.unparse(expression.operand)})"
    operator = " & " if isinstance(expression.op, ast.And) else " | "
    return operator.join(f"({ast.unparse(value)})" for value in expression.values)
