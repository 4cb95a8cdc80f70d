"""What someone writes who knows numpy, and what the hint makes of it."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tilelang as tl

Body = Callable[[Any, Any, Any], object]
UNTYPED: Any = tl
Y = np.zeros((16, 16), np.float16)


def message(body: Body) -> str:
    """Return what a kernel is told whose body is `body`, given input, tile and a loop's index."""

    @tl.kernel("x[M, N]: T -> y[M, N]: T")
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        t = tl.alloc_ub((16, 16), x.dtype)
        tl.data_move(t, x)
        for i in tl.for_range(2):
            body(x, t, i)
        tl.data_move(y, t)

    with pytest.raises(tl.TileError) as caught:
        kernel(Y)
    return str(caught.value)


def put(t: Any, value: Any) -> None:
    t[:] = value


def loop(*bounds: Any) -> None:
    for _ in UNTYPED.for_range(*bounds):
        pass


def grid_point(x: Any, t: Any, _: Any) -> None:
    tl.data_move(t, x[(3, 4), 0])


def product(t: Any, *last: Any) -> None:
    acc = tl.alloc_l0c((16, 16), "float32")
    a = tl.alloc_l1((16, 16), t.dtype)
    UNTYPED.matmul(*((acc, a, a, *last) if last else (a, a, acc)))


MISTAKES: list[tuple[str, Body, str]] = [
    ("E0134", lambda _x, _t, _i: tl.alloc_ub((16, 64 / 2), "int8"), "write `//` for `/`"),  # pyright: ignore[reportArgumentType]
    ("E0134", lambda _x, _t, _i: UNTYPED.alloc_ub((16, -1), "int8"), "`(m_tile, k_tile)`"),
    ("E0124", lambda _x, _t, _i: loop(64 / 16), "write `//` for `/`"),
    ("E0124", lambda _x, _t, _i: loop("4"), "write `tl.for_range(n)`"),
    ("E0137", lambda x, _t, i: x[i * 16.0, 0], "write 16 for 16.0"),
    ("E0120", lambda x, _t, _i: x[0.5, 0], "write `//` for `/`"),
    ("E0120", lambda _x, t, _i: t[:, None], "allocated: `(16, 1)`"),
    ("E0120", lambda _x, t, _i: t[t > 0], "tl.where(mask, 0, t)"),
    ("E0120", lambda _x, t, _i: t[::-1], "a slice runs forwards only"),
    ("E0120", lambda _x, t, _i: t[::"2"], "`x[i::2]`"),
    ("E0120", grid_point, "for i, j in tl.cores(m, n)"),
    ("E0120", lambda _x, t, _i: t[..., 0:8], "a `:` for every dimension"),
    ("E0119", lambda _x, t, _i: t.view(32, 8), "name dimensions, not sizes"),
    ("E0119", lambda _x, t, _i: t.view((0,)), "`.view((0,), (1,))`"),
    ("E0134", lambda _x, _t, _i: UNTYPED.alloc_ub(16, "int8"), "`(16,)`"),
    ("E0135", lambda _x, _t, _i: tl.alloc_ub((16, 16), "int8", layout="nz"), "use one of ND, NZ"),
    ("E0144", lambda _x, t, _i: t.T(), "take no parentheses"),
    ("E0144", lambda _x, t, _i: t(0, 0), "brackets, `t[i, 0]`"),
    ("E0114", lambda _x, t, _i: t / tl.reduce_max(t, axis=1), "a tile `m` of size 1"),
    ("E0110", lambda _x, t, i: put(t, i), 'write `tl.cast(i, "float16")`'),
    ("E0116", lambda x, _t, _i: x.dtype == "fp16", 'write "float16"'),
    ("E0140", lambda _x, t, _i: put(t, math.sqrt(t)), "write `tl.sqrt(t)`"),
    ("E0140", lambda _x, t, _i: put(t, math.log(t)), "write `tl.ln(t)`"),
    ("E0140", lambda _x, t, _i: math.ceil(t), 'write `tl.cast(t, "int32", round="ceil")`'),
    ("E0140", lambda _x, t, _i: round(t), 'write `tl.cast(t, "int32")`'),
    ("E0140", lambda _x, t, _i: round(number=t), "functions of the language"),
    ("E0140", lambda _x, t, _i: float(t[0, 0]), "leave it a tile: `t[0, 0]`"),
    ("E0140", lambda _x, t, _i: sum(t), "`m[:] = tl.reduce_sum(t, axis=1)`"),
    ("E0140", lambda _x, t, _i: max(t), "`m[:] = tl.reduce_max(t, axis=1)`"),
    ("E0140", lambda _x, t, _i: list(t), "take parts of it"),
    ("E0140", lambda _x, t, _i: f"{t:.2f}", "leave the format out"),
    ("E0104", lambda _x, _t, i: math.exp(i), '`tl.exp(tl.cast(i, "float32"))`'),
    ("E0104", lambda _x, _t, i: math.floor(i), 'round="floor")`'),
    ("E0104", lambda _x, _t, i: float(i), '`tl.cast(i, "float32")`'),
    ("E0104", lambda _x, _t, i: int(i), "leave it out: `i` is a whole number"),
    ("E0104", lambda _x, _t, i: range(4, i), "write `tl.for_range(4, i)`"),
    ("E0104", lambda _x, t, i: [t, t][i], "`t[i, :, :]`"),
    ("E0105", lambda _x, _t, i: tl.require(i < 1, "", ""), "require what is known"),
    ("E0110", lambda _x, t, i: put(t, t * i), 'write `tl.cast(i, "float16")` for the index'),
    ("E0110", lambda _x, t, i: put(t, (i + 1) * t), 'write `tl.cast(i + 1, "float16")`'),
    ("E0115", lambda _x, t, _i: t == math.nan, "write `x != x`"),
    ("E0115", lambda _x, t, _i: np.float32("nan") < t, "write `x != x`"),
    ("E0111", lambda _x, t, _i: put(t, t[:, 0:8] * t[0]), "allocate the [16] as (16, 1)"),
    ("E0111", lambda _x, t, _i: put(t, t[:, 0:8]), "make the sizes equal"),
    ("E0112", lambda _x, t, _i: put(t, Y), "as another input"),
    ("E0122", lambda _x, t, _i: UNTYPED.data_move(t, None), "return nothing"),
    ("E0144", lambda _x, t, _i: product(t, False), "`tl.matmul(acc, a1, b1, init=k == 0)`"),
    ("E0145", lambda _x, _t, _i: UNTYPED.float32, 'write the name as text: "float32"'),
    ("E0145", lambda _x, _t, _i: UNTYPED.half, 'write the name as text: "float16"'),
    ("E0145", lambda _x, t, _i: t.blank, "it has T, dtype, memory, name, ndim, shape, view"),
    ("E0145", lambda _x, t, _i: (t + 1).blank, "it has dtype, shape"),
    ("E0116", lambda _x, t, _i: tl.cast(t, "double"), 'write "float32"'),
    ("E0116", lambda _x, t, _i: UNTYPED.cast(t, UNTYPED.acc), "write `tl.acc(a.dtype)`"),
    ("E0330", lambda _x, t, _i: product(t), "first: `tl.matmul(acc, ...)`"),
    ("E0371", lambda x, t, _i: tl.data_move(x, t), "write the tile first: `tl.data_move(t, x"),
]


@pytest.mark.parametrize(("code", "body", "hint"), MISTAKES)
def test_the_hint_says_what_to_write(code: str, body: Body, hint: str):
    said = message(body)
    assert f"error[{code}]" in said
    assert hint in next(line for line in said.splitlines() if "hint:" in line)


def test_a_tile_prints_its_type_where_no_format_is_asked_for():
    said: list[str] = []

    @tl.kernel("x[M, N]: T -> y[M, N]: T")
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        t = tl.alloc_ub((16, 16), x.dtype)
        tl.data_move(t, x)
        said.append(f"{t} and {t + 1}")
        tl.data_move(y, t)

    kernel(Y)
    assert said == ["t: float16[16, 16] in UB and an expression of float16[16, 16]"]


def test_an_array_that_stands_in_an_expression_is_named_by_its_type():
    assert "a numpy array of float16[16, 16] cannot stand" in message(lambda _x, t, _i: put(t, Y))
