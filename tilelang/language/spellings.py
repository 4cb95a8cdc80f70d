"""What users of TIK, numpy, Triton and their like write, and how it is spelt here.

Names and calls that the language does not have are answered with the spelling that it has.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import wraps
from typing import ParamSpec, TypeVar

from tilelang.diagnostics import Diagnostic, TileError
from tilelang.diagnostics.signatures import form, is_of_the_call, misfit
from tilelang.dtypes import ELSEWHERE, find_dtype
from tilelang.language import mistakes
from tilelang.language import trace as tracing

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_LOOP = "write `for i, j in tl.cores(m, n):`, whose points run on different cores"
_MOVE = "write `tl.data_move(dst, src)`: regions say what moves, `tl.data_move(t, x[i * 16, k])`"
_ZERO = "allocate a tile and write it: `t = tl.alloc_ub(shape, dtype)`, then `t[:] = 0`"
ALLOCATE = "write tl.alloc_ub, tl.alloc_l1, tl.alloc_l0c: the name of the call says the memory"

_OPERATORS = {
    "add": "t[:] = a + b",
    "sub": "t[:] = a - b",
    "mul": "t[:] = a * b",
    "div": "t[:] = a / b",
    "adds": "t[:] = a + 2",
    "muls": "t[:] = a * 2",
    "rec": "t[:] = 1 / a",
    "dup": "t[:] = 0",
    "max": "t[:] = tl.maximum(a, b)",
    "min": "t[:] = tl.minimum(a, b)",
    "conv": 't[:] = tl.cast(a, "float16")',
    "sel": "t[:] = tl.where(a > b, a, b)",
    "axpy": "t += a * 2",
    "mla": "t += a * b",
    "and": "a & b, of masks",
    "or": "a | b, of masks",
    "not": "~a, of masks",
    "reduce_add": "t[:] = tl.reduce_sum(a, axis=1)",
    "reduce_max": "t[:] = tl.reduce_max(a, axis=1)",
    "reduce_min": "t[:] = tl.reduce_min(a, axis=1)",
    "cadd": "t[:] = tl.reduce_sum(a, axis=1)",
    "cmax": "t[:] = tl.reduce_max(a, axis=1)",
    "cmin": "t[:] = tl.reduce_min(a, axis=1)",
    **{name: f"t[:] = tl.{name}(a)" for name in ("abs", "exp", "ln", "relu", "rsqrt", "sqrt")},
}
"""TIK's vector instructions, without their `vec_` or `v`, as statements of the language."""

NAMES: Mapping[str, str] = {
    "Tik": "a kernel is a function below `@tl.kernel(...)`; a script in TIK runs as it is with "
    "`tilelang tik run script.py`",
    "Dprofile": 'give the chip by name, where a kernel is used: `machine="ascend910"`',
    "BuildCCE": 'call the kernel, or print what it becomes: `kernel.source("tik", ...)`',
    "Scalar": "use Python's numbers and the indices of loops",
    "InputScalar": "name it in the signature behind `;`: an attribute of the kernel",
    "new_stmt_scope": "leave it out: a buffer lives to the end of the body that allocates it",
    "fixpipe": "move the accumulator: `tl.data_move(out, acc)`, with `out` in UB",
    "load2dv1": "move the tile: `tl.data_move(a0, a1)` from L1 to L0A or L0B",
    "load2dv2": "move the tile: `tl.data_move(a0, a1)` from L1 to L0A or L0B",
    "load3dv1": "write `tl.load3d(a0, x1, kernel=3, padding=1, row=..., column=...)`",
    "load3dv2": "write `tl.load3d(a0, x1, kernel=3, padding=1, row=..., column=...)`",
    "conv2d": "write `tl.load3d` and `tl.mmad`, or call the kernel that is shipped: "
    "`from tilelang.kernels.conv2d import conv2d`",
    "tensor_mov": "write `tl.data_move(out, acc)`",
    "data_move_pad": "write `tl.data_move(t, x[i, 0], pad=0)`, which pads by itself",
    "scope_gm": ALLOCATE,
    "scope_ubuf": ALLOCATE,
    "alloc": ALLOCATE,
    "alloc_shared": "write `tl.alloc_l1`, or `tl.alloc_ub` for vector work",
    "alloc_fragment": "write `tl.alloc_l0c` for what `tl.matmul` sums up, else `tl.alloc_ub`",
    "copy": _MOVE,
    "load": _MOVE,
    "store": _MOVE,
    "async_copy": "write `tl.data_move`, in a loop `tl.for_range(n, stages=2)`",
    "gemm": "write `tl.matmul(acc, a1, b1, init=k == 0)`",
    "dot": "write `tl.matmul(acc, a1, b1, init=k == 0)`",
    "range": "write `for k in tl.for_range(n):`",
    "serial": "write `for k in tl.for_range(n):`",
    "static_range": "write Python's `range`, which is unrolled",
    "unroll": "write Python's `range`, which is unrolled",
    "Pipelined": "write `for k in tl.for_range(n, stages=2):`",
    "Parallel": _LOOP,
    "parallel": _LOOP,
    "program_id": _LOOP,
    "block_idx": _LOOP,
    "num_programs": "give the extent to `tl.cores`, from shapes and tile parameters",
    "zeros": _ZERO,
    "full": _ZERO,
    "empty": _ZERO,
    "clear": "write `t[:] = 0`",
    "fill": "write `t[:] = value`",
    "arange": "write `tl.position(axis)`, each element's own index",
    "log": "write `tl.ln(x)`",
    "max": "write `tl.maximum(a, b)` of two, or `tl.reduce_max(x, axis=1)` along an axis",
    "min": "write `tl.minimum(a, b)` of two, or `tl.reduce_min(x, axis=1)` along an axis",
    "sum": "write `t[:] = tl.reduce_sum(x, axis=1)`",
    "cdiv": "write `tl.ceildiv(a, b)`",
    "pow": "write `x * x`, or `tl.exp(n * tl.ln(x))`",
    "select": "write `tl.where(mask, a, b)`",
    "if_then_else": "write `tl.where(mask, a, b)`",
    "set_atomic_add": "sum up in a second stage: another `tl.cores` loop reads what this one wrote",
    "atomic_add": "sum up in a second stage: another `tl.cores` loop reads what this one wrote",
}
"""Names that other languages of this kind have."""

ATTRIBUTES: Mapping[str, str] = {
    "astype": 'write `tl.cast(x, "float32")`',
    "to": 'write `tl.cast(x, "float32")`',
    "sum": "write `t[:] = tl.reduce_sum(x, axis=1)`",
    "max": "write `t[:] = tl.reduce_max(x, axis=1)`",
    "min": "write `t[:] = tl.reduce_min(x, axis=1)`",
    "mean": "write `t[:] = tl.reduce_sum(x, axis=1)`, and `t /= n`",
    "size": "write `x.shape`",
    "dim": "write `x.ndim`",
    "transpose": "write `x.T`, or `x.view((1,), (0,))`",
    "permute": "write `x.view((1,), (0,))`",
    "reshape": "write `x.view((0, 1), (2,))`, which merges adjacent dimensions, or give the kernel "
    "the shape",
    "fill": "write `t[:] = value`",
    "zero_": "write `t[:] = 0`",
    "copy": "allocate a tile, and write `t[:] = x`, or `tl.data_move` between two memories",
    "clone": "allocate a tile, and write `t[:] = x`, or `tl.data_move` between two memories",
    "set_as": "write `t[:] = value`",
    "item": "use `tl.where`: a tile has no values while the kernel is traced",
    "value": "use `tl.where`: a tile has no values while the kernel is traced",
    **{name: f"write `tl.{name}(x)`" for name in ("abs", "exp", "sqrt", "rsqrt", "tanh", "relu")},
}
"""Attributes that arrays and TIK's tensors have, and tiles do not."""
_OF_USERS = frozenset({"T", "dtype", "memory", "name", "ndim", "shape", "view"})
"""Attributes that a body may ask for; others of the same objects are for the tracing."""

_KEYWORDS: Mapping[str, str] = {
    "thread_num": "write `stages=2`, which is TIK's thread_num=2",
    "block_num": "write `for i in tl.cores(n):` for what runs on n cores",
    "num_stages": "write `stages=2`",
    "step": "write `for k in tl.for_range(tl.ceildiv(end - begin, step)):`, and use "
    "`begin + k * step`",
    "scope": ALLOCATE,
    "dim": "write `axis=`",
    "keepdims": "leave it out: the axis is kept, with size 1",
    "init_l1out": "write `init=True`, or `init=k == 0`",
    "is_init": "write `init=True`, or `init=k == 0`",
    "cmatrix_init": "write `init=True`, or `init=k == 0`",
    "transpose_A": "write `a1.T`",
    "transpose_B": "write `b1.T`",
    "max_sub_op": "leave it out",
    **dict.fromkeys(("sid", "nburst", "burst", "src_stride", "dst_stride"), _MOVE),
}
"""Keywords of TIK and of its like."""

_CALLS: Mapping[tuple[str, int], str] = {
    ("for_range", 3): _KEYWORDS["step"],
    ("data_move", 7): _MOVE,
    ("matmul", 2): "write the destination first: `tl.matmul(acc, a1, b1)`, with `acc` in L0C",
    ("mmad", 2): "write the destination first: `tl.mmad(acc, a0, b0)`, with `acc` in L0C",
    ("matmul", 6): "leave m, k and n out: the tiles have shapes",
    ("matmul", 4): "write the condition by its name: `tl.matmul(acc, a1, b1, init=k == 0)`",
    ("mmad", 4): "write the condition by its name: `tl.mmad(acc, a0, b0, init=k == 0)`",
    ("mmad", 7): "leave m, k and n out: the tiles have shapes; the last is `init=k == 0`",
    **{
        (name, 2): f"assign it: `t[:] = tl.{name}(x)`"
        for name in ("exp", "ln", "sqrt", "rsqrt", "tanh", "sigmoid", "relu", "abs")
    },
    **{(name, 3): f"assign it: `t[:] = tl.{name}(a, b)`" for name in ("maximum", "minimum")},
}
"""Calls by the number of their positional arguments."""


class UnknownName(TileError, AttributeError):
    """A name that is not there; Python's `hasattr` and `getattr` take it as they should."""


def unknown_name(name: str, known: Iterable[str]) -> UnknownName:
    """Return the mistake of `tl.name`; `known` are the names that there are."""
    hint = NAMES.get(name) or _element_type(name) or _instruction(name)
    hint = hint or _nearest(name, known, "tl.")
    return _unknown(
        f"the language has no `tl.{name}`", hint or "`tilelang language` lists what there is"
    )


def unknown_attribute(what: str, name: str, known: Iterable[str]) -> UnknownName:
    """Return the mistake of `x.name`, where `x` is `what`: a tile, an expression."""
    public = sorted(_OF_USERS.intersection(known))
    hint = ATTRIBUTES.get(name) or _nearest(name, public, "x.")
    return _unknown(f"{what} has no `{name}`", hint or f"it has {', '.join(public)}")


def spelt(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Decorate an operation, so that arguments it does not take are answered with the right ones.

    The decorated function raises TileError E0144 where Python would raise TypeError.
    """

    @wraps(function)
    def call(*args: Parameters.args, **keywords: Parameters.kwargs) -> Result:
        try:
            return function(*args, **keywords)
        except TypeError as error:
            if not is_of_the_call(error):
                raise
            hint = _right_call(function, len(args), keywords)
            raise mistakes.error("E0144", misfit(f"tl.{function.__name__}", error), hint) from None

    return call


def _right_call(
    function: Callable[..., object], n_args: int, keywords: Mapping[str, object]
) -> str:
    """Return the hint for a call: another language's spelling, a near keyword, or the form."""
    name, known = function.__name__, inspect.signature(function).parameters
    unknown = [keyword for keyword in keywords if keyword not in known]
    for keyword in unknown:
        if keyword in _KEYWORDS:
            return _KEYWORDS[keyword]
    near = _nearest(unknown[0], known, "") if unknown else None
    return _CALLS.get((name, n_args)) or near or f"it is called as `{form(f'tl.{name}', function)}`"


def _element_type(name: str) -> str | None:
    """Return how to write an element type: its name, as text."""
    dtype = find_dtype(name) or ELSEWHERE.get(name)
    return f'write the name as text: "{dtype}"' if dtype else None


def _instruction(name: str) -> str | None:
    """Return how to write a vector instruction of TIK: `vec_add`, `vadd`."""
    stem = name.removeprefix("vec_") if "_" in name else name.removeprefix("v")
    known = _OPERATORS.get(stem) if name.startswith("v") else None
    return f"write `{known}`: masks, repeats and strides are found by themselves" if known else None


def _nearest(name: str, known: Iterable[str], before: str) -> str | None:
    close = get_close_matches(name, list(known), n=1)
    return f"did you mean `{before}{close[0]}`?" if close else None


def _unknown(message: str, hint: str) -> UnknownName:
    trace = tracing.active()
    earlier = trace.diagnostics if trace else ()
    return UnknownName(*earlier, Diagnostic("E0145", message, mistakes.here(), hint))
