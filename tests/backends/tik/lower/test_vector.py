"""Expressions, casts, choices and reductions, on row-major tiles of awkward sizes."""

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

import tilelang as tl
from tests.backends.tik.lower.running import assert_agrees
from tilelang.kernel import Kernel

Work: TypeAlias = Callable[[tl.Tensor, tl.Tensor, tl.Tensor, tl.Tensor], Any]


def elementwise(work: Work, result: str = "T") -> Kernel:
    """Return a kernel that computes `work(x, y, row, column)` of whole tensors."""

    @tl.kernel(f"x[M, N]: T, y[M, N]: T, r[N]: T, c[M]: T -> z[M, N]: {result}")
    def kernel(x: tl.Tensor, y: tl.Tensor, r: tl.Tensor, c: tl.Tensor, z: tl.Tensor) -> None:
        M, N = x.shape
        for _ in tl.cores(1):
            one, two = tl.alloc_ub((M, N), x.dtype), tl.alloc_ub((M, N), x.dtype)
            row, column = tl.alloc_ub((N,), x.dtype), tl.alloc_ub((M, 1), x.dtype)
            out = tl.alloc_ub((M, N), z.dtype)
            tl.data_move(one, x)
            tl.data_move(two, y)
            tl.data_move(row, r)
            tl.data_move(column[:, 0], c)
            out[:] = work(one, two, row, column)
            tl.data_move(z, out)

    return kernel


WORK: dict[str, Work] = {
    "sum": lambda x, y, r, c: x + y - r * c,
    "quotient": lambda x, y, r, c: x / (y * y + 1),
    "extremes": lambda x, y, r, c: tl.maximum(tl.minimum(x, y), r),
    "numbers": lambda x, y, r, c: 2 - x / 4 + (1 - c) * 3,
    "unary": lambda x, y, r, c: tl.abs(x) + tl.relu(y) - (-r),
    "column": lambda x, y, r, c: x * tl.exp(c) + tl.sqrt(tl.abs(c)),
    "choice": lambda x, y, r, c: tl.where(x < y, r, c),
    "mask": lambda x, y, r, c: tl.where(tl.position(1) < 5, x, 0),
    "rows": lambda x, y, r, c: tl.where(tl.position(0) >= 3, x, -1),
    "logic": lambda x, y, r, c: tl.where((x < y) & ~(y > 0) | (r == r), x, y),
    "chain": lambda x, y, r, c: tl.tanh(x) * tl.sigmoid(y) + tl.rsqrt(tl.abs(x) + 1),
}


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("name", WORK)
def test_expressions_agree(name: str, dtype: str) -> None:
    assert_agrees(elementwise(WORK[name]), dtype=dtype, M=17, N=37)


@pytest.mark.parametrize(("m", "n"), [(1, 16), (2, 300), (40, 128), (300, 24)])
def test_expressions_of_any_shape_agree(m: int, n: int) -> None:
    work = elementwise(lambda x, y, r, c: tl.tanh(x * r + c) * y)
    assert_agrees(work, dtype="float32", M=m, N=n)


INTEGERS: dict[str, Work] = {
    "sum": lambda x, y, r, c: x * y - r + c * 3,
    "extremes": lambda x, y, r, c: tl.maximum(tl.minimum(x, 100), -y),
    "absolute": lambda x, y, r, c: tl.abs(x) + tl.relu(y),
    "position": lambda x, y, r, c: x + tl.position(0) * 100 + tl.position(1),
}


@pytest.mark.parametrize("name", INTEGERS)
def test_integer_expressions_agree(name: str) -> None:
    assert_agrees(elementwise(INTEGERS[name]), dtype="int32", M=17, N=37)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("float16", "float32"), ("float32", "float16"), ("float32", "int32"), ("int32", "float32"),
        ("int32", "float16"), ("float16", "int32"), ("float32", "int8"), ("float16", "int8"),
        ("int32", "int8"), ("float16", "uint8"),
    ],
)  # fmt: skip
def test_casts_agree(source: str, target: str) -> None:
    work = elementwise(lambda x, y, r, c: tl.cast(x * 3, target), target)
    assert_agrees(work, dtype=source, M=9, N=64)


@pytest.mark.parametrize("rounding", ["nearest", "floor", "ceil", "truncate", "away"])
def test_rounding_modes_agree(rounding: str) -> None:
    work = elementwise(lambda x, y, r, c: tl.cast(x * 8, "int32", round=rounding), "int32")
    assert_agrees(work, dtype="float32", M=5, N=48)


def reduction(op: str, axis: int, total: str) -> Kernel:
    shape = ("1", "N") if axis == 0 else ("M", "1")

    @tl.kernel(f"x[M, N]: T -> y[{', '.join(shape)}]: {total}")
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        for _ in tl.cores(1):
            tile = tl.alloc_ub(x.shape, x.dtype)
            out = tl.alloc_ub(y.shape, y.dtype)
            tl.data_move(tile, x)
            out[:] = getattr(tl, f"reduce_{op}")(tile, axis=axis)
            tl.data_move(y, out)

    return kernel


@pytest.mark.parametrize("op", ["sum", "max", "min"])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize(("m", "n"), [(16, 64), (5, 37), (1, 16), (33, 2), (20, 300)])
def test_reductions_agree(op: str, axis: int, m: int, n: int) -> None:
    total = "float32" if op == "sum" else "T"
    for dtype in ("float16", "float32"):
        assert_agrees(reduction(op, axis, total), dtype=dtype, M=m, N=n)


@pytest.mark.parametrize("axis", [0, 1])
def test_sums_of_bytes_are_integers(axis: int) -> None:
    assert_agrees(reduction("sum", axis, "int32"), dtype="int8", M=19, N=70)
