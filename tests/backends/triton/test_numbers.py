"""Element-wise operations on special numbers: rounding, saturation, NaN, functions."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tilelang as tl
from tests.backends.triton.running import SM90, Array, Job, needs_triton, run_all
from tests.correctness import assert_correct
from tilelang.backends.triton.compiler import generate
from tilelang.backends.triton.options import Options
from tilelang.backends.triton.promises import IN_THE_INTERPRETER
from tilelang.ir.expression import UnaryOp

N_VALUES = 128


@tl.kernel("x[N]: T, y[N]: T; op -> z[N]: T")
def elementwise(x: tl.Tensor, y: tl.Tensor, z: tl.Tensor, *, op: int = 0) -> None:
    """Z = operation `op` of the list below."""
    for _ in tl.cores(1):
        a, b = tl.alloc_ub((N_VALUES,), x.dtype), tl.alloc_ub((N_VALUES,), x.dtype)
        tl.data_move(a, x[0])
        tl.data_move(b, y[0])
        a[:] = OPERATIONS[op](a, b)
        tl.data_move(z[0], a)


@tl.kernel("x[N]: T, like[N]: U; mode -> z[N]: U")
def convert(x: tl.Tensor, like: tl.Tensor, z: tl.Tensor, *, mode: int = 0) -> None:
    """Z = x in another type, rounded as `mode` says."""
    for _ in tl.cores(1):
        a, b = tl.alloc_ub((N_VALUES,), x.dtype), tl.alloc_ub((N_VALUES,), z.dtype)
        tl.data_move(a, x[0])
        b[:] = tl.cast(a, z.dtype, round=ROUNDINGS[mode])
        tl.data_move(z[0], b)


@tl.kernel("x[M, N]: T, like[M]: U -> high[M, 1]: T, low[M, 1]: T, total[M, 1]: U")
def reductions(
    x: tl.Tensor, like: tl.Tensor, high: tl.Tensor, low: tl.Tensor, total: tl.Tensor
) -> None:
    """Reduce rows in three ways."""
    for _ in tl.cores(1):
        a = tl.alloc_ub((8, 32), x.dtype)
        tops, lows = tl.alloc_ub((8, 1), x.dtype), tl.alloc_ub((8, 1), x.dtype)
        sums = tl.alloc_ub((8, 1), total.dtype)
        tl.data_move(a, x[0, 0])
        tops[:] = tl.reduce_max(a, axis=1)
        lows[:] = tl.reduce_min(a, axis=1)
        sums[:] = tl.reduce_sum(a, axis=1)
        tl.data_move(high[0, 0], tops)
        tl.data_move(low[0, 0], lows)
        tl.data_move(total[0, 0], sums)


ROUNDINGS = ("nearest", "floor", "ceil", "truncate", "away")
OPERATIONS: tuple[Callable[[tl.Tensor, tl.Tensor], Any], ...] = (
    lambda a, b: a + b,
    lambda a, b: a - b * 0.5,
    lambda a, b: a / b,
    lambda a, b: tl.maximum(a, b),
    lambda a, b: tl.minimum(a, 0.25),
    lambda a, b: tl.where((a < b) & ~(a != a), -a, tl.abs(b)),
    lambda a, b: tl.relu(a),
    lambda a, b: tl.exp(a),
    lambda a, b: tl.ln(tl.abs(a)),
    lambda a, b: tl.sqrt(tl.abs(a)),
    lambda a, b: tl.rsqrt(tl.abs(b)),
    lambda a, b: tl.tanh(a),
    lambda a, b: tl.sigmoid(a),
)
FUNCTIONS = {
    7: UnaryOp.EXP,
    8: UnaryOp.LN,
    9: UnaryOp.SQRT,
    10: UnaryOp.RSQRT,
    11: UnaryOp.TANH,
    12: UnaryOp.SIGMOID,
}
"""Those of them that are functions."""
MEANINGS: tuple[Callable[[Array, Array], Array], ...] = (
    lambda a, b: a + b,
    lambda a, b: a - b * 0.5,
    lambda a, b: a / b,
    np.maximum,
    lambda a, b: np.minimum(a, 0.25),
    lambda a, b: np.where((a < b) & ~np.isnan(a), -a, np.abs(b)),
    lambda a, b: np.where(a <= 0, 0, a),
    lambda a, b: np.exp(a),
    lambda a, b: np.log(np.abs(a)),
    lambda a, b: np.sqrt(np.abs(a)),
    lambda a, b: 1 / np.sqrt(np.abs(b)),
    lambda a, b: np.tanh(a),
    lambda a, b: 1 / (1 + np.exp(-a)),
)
ULPS = {"float32": max(IN_THE_INTERPRETER.ulps.values()), "float16": 1, "bfloat16": 1}
"""In units of the last place of the result; narrow types round once more than the promise says."""


def values(dtype: Any, n_values: int = N_VALUES) -> Array:
    special = [0.0, -0.0, 0.5, 1.5, 2.5, -0.5, -1.5, 126.5, 127.5, -128.5, 255.5, 3e38, -3e38]
    special += [np.inf, -np.inf, np.nan, 1e-8, 0.34, 0.36, -0.35, 1e-3, 2.0**31, -(2.0**31)]
    random = np.random.default_rng(5)
    spread = random.standard_normal(n_values - len(special)) * 2.0 ** random.integers(
        -12, 4, n_values - len(special)
    )
    with np.errstate(all="ignore"):
        return np.concatenate([special, spread]).astype(np.float32).astype(dtype)


def run(kernel: Any, dtype: Any, inputs: list[Array], **sizes: int) -> list[Array]:
    program = kernel.program(dtype=dtype, machine="sm90", **sizes)
    generated = generate(program, SM90, Options(interpreter=True))
    (found,) = run_all([Job(program, generated, inputs)])
    assert not isinstance(found, str), found
    return found


def run_each(kernel: Any, dtype: Any, inputs: list[Array], name: str, count: int) -> list[Array]:
    """Run a kernel once for each value of its attribute `name`, in one process."""
    jobs: list[Job] = []
    for number in range(count):
        attribute = {name: number}
        program = kernel.program(dtype=dtype, machine="sm90", N=N_VALUES, **attribute)
        jobs.append(Job(program, generate(program, SM90, Options(interpreter=True)), inputs))
    found = run_all(jobs)
    assert not any(isinstance(one, str) for one in found), found
    return [one[0] for one in found if not isinstance(one, str)]


@needs_triton
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_operations_round_to_their_type(dtype: str):
    kind = tl.DType(dtype).numpy
    x, y = values(kind), np.roll(values(kind), 7)
    found = run_each(elementwise, dtype, [x, y], "op", len(OPERATIONS))
    with np.errstate(all="ignore"):
        for number, array in enumerate(found):
            exact = MEANINGS[number](x.astype(np.float64), y.astype(np.float64))
            _compare(array, exact, ULPS[dtype], f"operation {number}")
            program = elementwise.program(dtype=dtype, machine="sm90", N=N_VALUES, op=number)
            assert_correct(program, [x, y], [array], IN_THE_INTERPRETER)


def _compare(array: Array, exact: Array, n_ulps: float, what: str) -> None:
    wide, rounded = array.astype(np.float64), exact.astype(array.dtype).astype(np.float64)
    digits = {"float16": 11, "bfloat16": 8, "float32": 24}[str(array.dtype)]
    least = {"float16": 2.0**-24, "bfloat16": 2.0**-133, "float32": 2.0**-149}[str(array.dtype)]
    size = np.abs(np.where(np.isfinite(rounded), rounded, 0))
    ulp = np.maximum(2.0 ** (np.floor(np.log2(np.maximum(size, 1e-300))) - digits + 1), least)
    near = np.abs(wide - rounded) <= n_ulps * ulp
    same = (wide == rounded) | (np.isnan(wide) & np.isnan(rounded))
    wrong = np.flatnonzero(~(near | same))
    assert wrong.size == 0, (what, wrong, wide[wrong], rounded[wrong])


@needs_triton
@pytest.mark.parametrize("target", ["int8", "uint8", "int32"])
@pytest.mark.parametrize("source", ["float16", "bfloat16", "float32"])
def test_floats_become_integers_rounded_and_saturated(source: str, target: str):
    x = values(tl.DType(source).numpy)
    found = run_each(
        convert, {"T": source, "U": target}, [x, np.zeros(N_VALUES, target)], "mode", len(ROUNDINGS)
    )
    wide, limits = x.astype(np.float64), np.iinfo(target)
    whole = (
        np.rint(wide),
        np.floor(wide),
        np.ceil(wide),
        np.trunc(wide),
        np.copysign(np.floor(np.abs(wide) + 0.5), wide),
    )
    for array, exact in zip(found, whole, strict=True):
        wanted = np.nan_to_num(np.clip(exact, limits.min, limits.max), nan=0)
        np.testing.assert_array_equal(array.astype(np.float64), wanted)


@needs_triton
@pytest.mark.parametrize("source", ["int8", "uint8", "int32"])
@pytest.mark.parametrize("target", ["int8", "uint8", "int32", "float32"])
def test_integers_saturate(source: str, target: str):
    x = np.random.default_rng(2).integers(-300, 300, N_VALUES)
    x = np.clip(x, np.iinfo(source).min, np.iinfo(source).max).astype(source)
    (found,) = run(convert, {"T": source, "U": target}, [x, np.zeros(N_VALUES, target)], N=N_VALUES)
    limits = np.iinfo(target) if target != "float32" else np.iinfo("int32")
    np.testing.assert_array_equal(found, np.clip(x.astype(np.int64), limits.min, limits.max))


@needs_triton
def test_nan_wins_in_reductions_and_narrow_floats_are_summed_wide():
    x = np.random.default_rng(1).standard_normal((8, 32)).astype(np.float16)
    x = np.rint(x * 64) / np.float16(64)  # whose sums are exact in float32, not in float16
    x[2, 5] = np.nan
    x[3, 31] = -np.inf
    high, low, total = run(
        reductions, {"T": "float16", "U": "float32"}, [x, np.zeros(8, np.float32)], M=8, N=32
    )
    np.testing.assert_array_equal(high, x.max(axis=1, keepdims=True))
    np.testing.assert_array_equal(low, x.min(axis=1, keepdims=True))
    exact = x.astype(np.float64).sum(axis=1, keepdims=True)
    np.testing.assert_array_equal(total, exact)


@needs_triton
def test_integers_are_reduced_in_their_range():
    x = np.random.default_rng(1).integers(-128, 127, (8, 32)).astype(np.int8)
    high, low, total = run(
        reductions, {"T": "int8", "U": "int32"}, [x, np.zeros(8, np.int32)], M=8, N=32
    )
    np.testing.assert_array_equal(high, x.max(axis=1, keepdims=True))
    np.testing.assert_array_equal(low, x.min(axis=1, keepdims=True))
    np.testing.assert_array_equal(total, x.astype(np.int32).sum(axis=1, keepdims=True))


@needs_triton
def test_uint8_by_int8_is_exact():
    a = np.random.default_rng(1).integers(0, 255, (16, 64), np.uint8, endpoint=True)
    b = np.random.default_rng(2).integers(-128, 127, (64, 32), np.int8, endpoint=True)
    (found,) = run(mixed, None, [a, b], K=64)
    np.testing.assert_array_equal(found, a.astype(np.int32) @ b.astype(np.int32))


@tl.kernel("a[16, K]: uint8, b[K, 32]: int8 -> c[16, 32]: int32")
def mixed(a: tl.Tensor, b: tl.Tensor, c: tl.Tensor) -> None:
    """C = a @ b, both of one byte."""
    for _ in tl.cores(1):
        acc = tl.alloc_l0c((16, 32), "int32")
        for k in tl.for_range(a.shape[1] // 32):
            a1, b1 = tl.alloc_l1((16, 32), a.dtype), tl.alloc_l1((32, 32), b.dtype)
            tl.data_move(a1, a[0, k * 32])
            tl.data_move(b1, b[k * 32, 0])
            tl.matmul(acc, a1, b1, init=k == 0)
        out = tl.alloc_ub((16, 32), "int32")
        tl.data_move(out, acc)
        tl.data_move(c[0, 0], out)
