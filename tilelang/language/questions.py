"""What is said where Python asks a traced value for a truth or a number that it does not have.

The hint comes from what the user wrote there: `0 < i < 3`, `math.exp(x)`, `sum(t)`.
"""

from __future__ import annotations

import ast
import linecache

from tilelang.diagnostics import Location, TileError
from tilelang.language import mistakes


def truth_value(what: str) -> TileError:
    """Refuse `bool()` of a traced value: find out what the user wrote, and say what to write."""
    location = mistakes.here()
    text = _text(location)
    expression = _expression(text)
    if isinstance(expression, ast.Compare) and len(expression.ops) > 1:
        return mistakes.error(
            "E0106",
            f"`{text}` compares twice, which Python decides while the kernel is traced",
            f"write `{_unchained(expression)}`",
            location=location,
        )
    if isinstance(expression, ast.BoolOp | ast.UnaryOp):
        return mistakes.error(
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
        return mistakes.error("E0105", message, instead, location=location)
    wish = f"`with tl.if_scope({text}):`" if expression else "`with tl.if_scope(condition):`"
    return mistakes.error(
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
        case ast.Call(func=ast.Attribute(attr="require")):
            return (
                "require what is known while the kernel is traced: shapes, tile parameters, "
                "attributes"
            )
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


def number_of_index(index: object) -> TileError:
    """Refuse `int()` of an index, `range` over it and a Python list indexed by it."""
    location = mistakes.here()
    match _expression(_text(location)):
        case ast.Call(func=ast.Attribute(value=ast.Name(id="math"), attr=name)):
            operand = f'tl.cast({index}, "float32")'
            hint = f"beside a tile write {_of_math(name, operand)}"
        case ast.Call(func=ast.Name(id="float")):
            hint = f'as a number beside a tile write `tl.cast({index}, "float32")`'
        case ast.Call(func=ast.Name(id="int" | "round")):
            hint = f"leave it out: `{index}` is a whole number already"
        case ast.Call(func=ast.Name(id="range"), args=arguments):
            hint = f"write `tl.for_range({', '.join(map(ast.unparse, arguments))})`"
        case ast.Subscript():
            hint = f"index one tile of three dimensions with it, not a list: `t[{index}, :, :]`"
        case _:
            hint = "loop with `tl.for_range(...)` instead of `range`; index a tile, not a list"
    message = f"the index `{index}` has no value while the kernel is traced"
    return mistakes.error("E0104", message, hint, location=location)


def number_of_tile() -> TileError:
    """Refuse to make a Python number of a tile: `float`, `int`, `round`, `math.exp`."""
    location = mistakes.here()
    match _expression(_text(location)):
        case ast.Call(func=ast.Attribute(value=ast.Name(id="math"), attr=name), args=[operand]):
            hint = f"write {_of_math(name, ast.unparse(operand))}"
        case ast.Call(func=ast.Name(id="round"), args=[operand, *_]):
            tile = ast.unparse(operand)
            hint = f'write `tl.cast({tile}, "int32")`, which rounds to the nearest'
        case ast.Call(func=ast.Name(id="float" | "int"), args=[argument]):
            tile = ast.unparse(argument)
            hint = f"leave it a tile: `{tile}` of one element stands in expressions like a number"
        case _:
            hint = "write functions of the language: `tl.exp(x)` for `math.exp(x)`"
    return no_values("a Python number", hint, location)


def _of_math(name: str, operand: str) -> str:
    """Return what a call of `math.name` is written as here."""
    if name in _ROUNDINGS:
        return f'`tl.cast({operand}, "int32", round="{_ROUNDINGS[name]}")`'
    return f"`tl.{_OF_MATH.get(name, name)}({operand})`"


_OF_MATH = {"log": "ln", "fabs": "abs"}
_ROUNDINGS = {"floor": "floor", "ceil": "ceil", "trunc": "truncate"}


def elements_of_tile() -> TileError:
    """Refuse to go through the elements of a tile: `for x in t`, `sum(t)`, `list(t)`."""
    location = mistakes.here()
    match _expression(_text(location)):
        case ast.Call(func=ast.Name(id="sum" | "max" | "min" as name), args=[argument]):
            tile = ast.unparse(argument)
            hint = f"write `m[:] = tl.reduce_{name}({tile}, axis=1)`, with `m` of one column"
        case _:
            hint = "take parts of it: `u[r:r + 16, :]`"
    return no_values("iterating over it", hint, location)


def format_of_tile(spec: str) -> TileError:
    """Refuse a format for numbers."""
    hint = "leave the format out: a tile prints its type; numbers are in what the kernel returns"
    return no_values(f"the format {spec!r}", hint)


def no_values(wanted: str, hint: str, location: Location | None = None) -> TileError:
    """Refuse to give Python the elements of a tile."""
    message = f"a tile has no values while the kernel is traced, and {wanted} wants them"
    return mistakes.error("E0140", message, hint, location=location)


def numpy_function(name: str) -> TileError:
    """Refuse a function of numpy on a tile."""
    hint = _NUMPY.get(name, "write operators and functions of `tl.`")
    return mistakes.error(
        "E0140", f"numpy's `{name}` is given a tile, which has no values yet", hint
    )


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
