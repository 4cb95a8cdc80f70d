"""What is said to a user whose Python asks a traced value for something it does not have."""

from __future__ import annotations

import ast
import linecache

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
    instead = _instead(expression, location)
    if not instead and what == "a tile":
        instead = f"choose by its elements: `tl.where({text or 'mask'}, a, b)`"
    if instead:
        message = f"{what} has no truth value while the kernel is traced"
        return error("E0105", message, instead, location=location)
    wish = f"`with tl.if_scope({text}):`" if expression else "`with tl.if_scope(condition):`"
    return error(
        "E0105",
        f"{what} has no truth value while the kernel is traced",
        f"for a branch write {wish}; combine conditions with `&`, `|` and `~`; "
        "for min and max write `tl.minimum`, `tl.maximum`",
        location=location,
    )


def _instead(expression: ast.expr | None, location: Location) -> str | None:
    """Return what to write where Python wants a truth value in its own way, and no branch is."""
    match expression:
        case ast.Call(func=ast.Name(id="max" | "min" as name)):
            ours = {"max": "maximum", "min": "minimum"}[name]
            arguments = ", ".join(map(ast.unparse, expression.args))
            return f"write `tl.{ours}({arguments})`"
        case ast.Compare(ops=[ast.In() | ast.NotIn()]):
            return "compare with each of them: `(i == 0) | (i == 3)`"
        case _:
            pass
    line = linecache.getline(location.file, location.line).strip()
    if line.startswith("assert "):
        return "leave the assertion out, or assert what is known while tracing: shapes and tiles"
    if line.startswith("while "):
        return "loop over a number of steps with `tl.for_range(n)`, and branch with `tl.if_scope`"
    if " if " in line and " else " in line:
        return (
            'choose numbers by `tl.where(condition, tl.cast(1, "float32"), 2)`, and tiles by '
            "`with tl.if_scope(condition):`"
        )
    return None


def key(what: str) -> TileError:
    """Refuse a traced value as the key of a dict or a set, or as an argument that is cached."""
    return error(
        "E0104" if what == "an index" else "E0140",
        f"{what} has no value while the kernel is traced, so it cannot be a key",
        "index a tile with it, or compute the value from it: `scale + 2 * i`",
    )


def number_of_index(index: object) -> TileError:
    """Refuse `int()` of an index, `range` over it and a Python list indexed by it."""
    return error(
        "E0104",
        f"the index `{index}` has no value while the kernel is traced",
        "loop with `tl.for_range(...)` instead of `range`; index a tile, not a Python list",
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


def no_values(wanted: str, hint: str) -> TileError:
    """Refuse to give Python the elements of a tile."""
    return error(
        "E0140",
        f"a tile has no values while the kernel is traced, and {wanted} wants them",
        hint,
    )


def numpy_function(name: str) -> TileError:
    """Refuse a function of numpy on a tile."""
    hint = _NUMPY.get(name, "write operators and functions of `tl.`")
    return error("E0140", f"numpy's `{name}` is given a tile, which has no values yet", hint)


_NUMPY = {
    **{
        name: f"write `tl.{name}(...)`"
        for name in ("exp", "sqrt", "tanh", "maximum", "minimum", "where", "abs")
    },
    "log": "write `tl.ln(...)`",
    "absolute": "write `tl.abs(...)`",
    "sum": "write `t[:] = tl.reduce_sum(x, axis=1)`",
    "max": "write `t[:] = tl.reduce_max(x, axis=1)`",
    "min": "write `t[:] = tl.reduce_min(x, axis=1)`",
    "amax": "write `t[:] = tl.reduce_max(x, axis=1)`",
    "amin": "write `t[:] = tl.reduce_min(x, axis=1)`",
    "mean": "write `t[:] = tl.reduce_sum(x, axis=1)`, and `t /= n`",
    "dot": "write `tl.matmul(acc, a1, b1)` with operands in L1",
    "matmul": "write `tl.matmul(acc, a1, b1)` with operands in L1",
    "transpose": "write `x.T`",
    "clip": "write `tl.minimum(tl.maximum(x, low), high)`",
    "zeros_like": "write `t = tl.alloc_ub(x.shape, x.dtype)`, then `t[:] = 0`",
    "copy": "allocate a tile, and write `t[:] = x`",
    "square": "write `x * x`",
    "power": "write `x * x`, or `tl.exp(n * tl.ln(x))`",
}
"""What numpy's functions are called here."""


def branch_without_with(keyword: str, location: Location) -> TileError:
    """Refuse a branch that Python asks for a truth value."""
    diagnostic = tracing.branch_without_with(keyword, location)
    trace = tracing.active()
    return trace.fail(diagnostic) if trace else TileError(diagnostic)


def report_loop_variable(change: Change, loop: Location) -> None:
    """Report a Python variable that one iteration of a traced loop would leave for the next.

    One that a branch of the loop sets has been reported where the branch ended.
    """
    trace = tracing.active()
    if trace and any(one.location == change.location for one in trace.diagnostics):
        return
    before, after = change.before, change.after
    hint = (
        f"compute `{change.name}` from the loop's index; choose one of several tiles by indexing "
        "one buffer, `tiles[k % 2]`; give a value that only Python needs another name inside"
    )
    bools = isinstance(before, bool) or isinstance(after, bool)
    if isinstance(before, int) and isinstance(after, int) and not bools:
        hint = f"compute it from the loop's index, as in `{before} + {after - before} * k`"
    report(
        "E0138",
        f"`{change.name}` is {shown(before)} when the loop's body begins and {shown(after)} at its "
        f"end, but the body is traced once: in every iteration it would begin as {shown(before)}",
        hint,
        Note("the loop", loop),
        location=change.location,
    )


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
    text = repr(value)
    if (hasattr(value, "recipe") or hasattr(value, "node")) and "`" not in text:
        text = f"`{text}`"
    return text if len(text) <= 60 and "\n" not in text else f"{text.splitlines()[0][:50]}..."


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
