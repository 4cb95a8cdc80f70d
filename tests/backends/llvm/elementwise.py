"""Programs of one map, built by hand."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.backends.llvm.running import expected_of, results_of
from tilelang.dtypes import DType
from tilelang.ir.expression import Expr, Load, dtype_of
from tilelang.ir.nodes import Alloc, Map, Move, Program, Stage
from tilelang.ir.region import Buffer, Memory, whole
from tilelang.layouts import ND

Array = NDArray[Any]


def tile(name: str, dtype: DType, shape: tuple[int, ...], memory: Memory = Memory.UB) -> Buffer:
    return Buffer(name, memory, dtype, shape, ND)


def map_program(shape: tuple[int, ...], sources: list[Buffer], expr: Expr) -> Program:
    """Return the program `y = expr`, of tiles that are loaded from inputs of the same names."""
    out = dtype_of(expr)
    inputs = [tile(f"g{s.name}", s.dtype, s.shape, Memory.GM) for s in sources]
    y, u = tile("y", out, shape, Memory.GM), tile("u", out, shape)
    loads = [Move(whole(s), whole(g)) for s, g in zip(sources, inputs, strict=True)]
    body = (
        *(Alloc(buffer) for buffer in (*sources, u)),
        *loads,
        Map(whole(u), expr),
        Move(whole(y), whole(u)),
    )
    return Program("map", tuple(inputs), (y,), (), (), (Stage((), body),))


def both(expr: Expr, sources: list[Buffer], arrays: list[Array]) -> tuple[Array, Array]:
    """Return what the llvm and the numpy backend make of `expr`."""
    program = map_program(arrays[0].shape, sources, expr)
    return results_of(program, arrays)[0], expected_of(program, arrays)[0]


def load(source: Buffer) -> Load:
    return Load(whole(source))


def special_values(dtype: DType) -> Array:
    """Return numbers at which operations go wrong: limits, zeros, halves, NaN."""
    if dtype.is_integer:
        limits = np.iinfo(dtype.value)
        near = [limits.min, limits.min + 1, -3, -1, 0, 1, 2, 7, limits.max - 1, limits.max]
        return np.array([x for x in near if x >= limits.min], dtype.numpy)
    large = [1e-8, 6e-5, 65504.0, 65520.0, 2.0**31, 2.0**31 - 128, 3e38, 1e-40, np.inf, np.nan]
    usual = [0.0, 0.5, 1.0, 1.5, 2.5, 127.5, 128.0, 254.5, 255.5, 1000.25, 8388609.0]
    both_signs = [sign * x for x in usual + large for sign in (1.0, -1.0)]
    with np.errstate(over="ignore"):
        return np.array(both_signs).astype(dtype.numpy)
