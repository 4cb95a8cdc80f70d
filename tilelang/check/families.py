"""Families of inputs, each of which shows other mistakes than the rest.

| family | floats | shows |
|---|---|---|
| signed | -1 .. 1 | what a kernel does to ordinary data |
| positive | 0 .. 1 | a term too few or too many: nothing cancels |
| exact | small integers | anything at all: no sum rounds, so the tolerance is zero |
| one-hot | one number a row, and numbered elements | a wrong index, as a wrong number |
| tiles | a constant for each 16 x 16 tile | a tile in another's place |

Numbers of the last three are multiples of one power of two, chosen so that sums neither round, nor
drive a sigmoid to its ends, nor overflow float16. Integers are of the whole range in the first two,
at most 2**16.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tilelang.check.depth import product_depth
from tilelang.dtypes import DType
from tilelang.ir.expression import FLOAT_ONLY, Unary, walk_expr
from tilelang.ir.nodes import Map, Program
from tilelang.ir.region import Buffer
from tilelang.ir.walk import walk_program

Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Family:
    """Logical inputs of a program; `is_random` if rounding errors on them are independent."""

    name: str
    inputs: tuple[Array, ...]
    is_random: bool


def families(program: Program, seed: int) -> Iterator[Family]:
    """Yield every family for the inputs of `program`, the same ones for the same seed."""
    for number, (name, draw) in enumerate(_DRAWS.items()):
        generator = np.random.default_rng((seed, number))
        plan = Plan(generator, _spread(program))
        inputs = tuple(
            _stored(draw(buffer, order, plan), buffer.dtype)
            for order, buffer in enumerate(program.inputs)
        )
        yield Family(name, inputs, is_random=name in ("signed", "positive"))


FAMILY_NAMES = ("signed", "positive", "exact", "one-hot", "tiles")


@dataclass(frozen=True, slots=True)
class Plan:
    """What inputs are drawn with.

    `depth` is how many products are summed up before something that saturates, 1 without that.
    """

    generator: np.random.Generator
    depth: int


def _spread(program: Program) -> int:
    """Return the depth of sums if the program has something that they must not saturate."""
    maps = [stmt for stmt in walk_program(program) if isinstance(stmt, Map)]
    parts = [part for stmt in maps for part in walk_expr(stmt.expr)]
    has_function = any(isinstance(part, Unary) and part.op in FLOAT_ONLY for part in parts)
    is_short = any(buffer.dtype is DType.FLOAT16 for buffer in program.results)
    return product_depth(program) if has_function or is_short else 1


def _power(exponent: float) -> float:
    """Return a power of two, about 2**exponent."""
    return 2.0 ** round(exponent)


def _stored(values: Array, dtype: DType) -> Array:
    return np.ascontiguousarray(values.astype(dtype.numpy))


def _integers(buffer: Buffer, lowest: int, plan: Plan) -> Array:
    highest = min(int(np.iinfo(buffer.dtype.value).max), 1 << 16)
    least = max(lowest, int(np.iinfo(buffer.dtype.value).min))
    return plan.generator.integers(least, highest, buffer.shape, endpoint=True)


def _signed(buffer: Buffer, order: int, plan: Plan) -> Array:
    if not buffer.dtype.is_float:
        return _integers(buffer, -(1 << 16), plan)
    return plan.generator.uniform(-1, 1, buffer.shape) * _power(-np.log2(plan.depth) / 4)


def _positive(buffer: Buffer, order: int, plan: Plan) -> Array:
    if not buffer.dtype.is_float:
        return _integers(buffer, 0, plan)
    return plan.generator.uniform(0, 1, buffer.shape) * _power(-np.log2(plan.depth) / 2)


def _exact(buffer: Buffer, order: int, plan: Plan) -> Array:
    lowest = 0 if buffer.dtype is DType.UINT8 else -8
    numbers = plan.generator.integers(lowest, 8, buffer.shape, endpoint=True)
    return _scaled(numbers, buffer, 4, plan)


def _one_hot(buffer: Buffer, order: int, plan: Plan) -> Array:
    if order == 0 and len(buffer.shape) > 1 and buffer.shape[-1]:
        chosen = plan.generator.integers(0, buffer.shape[-1], (*buffer.shape[:-1], 1))
        hot = np.arange(buffer.shape[-1]) == chosen
        return np.where(hot, 2.0 ** (np.arange(buffer.shape[-1]) % 3), 0)
    n_different = 1021 if buffer.dtype in (DType.FLOAT16, DType.FLOAT32, DType.INT32) else 251
    numbers = np.arange(int(np.prod(buffer.shape)), dtype=np.int64) * 7 % n_different
    if buffer.dtype is not DType.UINT8:
        numbers -= n_different // 2
    return _scaled(numbers.reshape(buffer.shape), buffer, np.log2(n_different) - 1, plan)


def _tiles(buffer: Buffer, order: int, plan: Plan) -> Array:
    along = np.indices(buffer.shape, sparse=True)
    tile = sum(
        (
            (counts // 16) * factor
            for counts, factor in zip(along[::-1], (5, 3, 1, 1), strict=False)
        ),
        start=np.zeros((), np.int64),
    )
    sign = 1 if buffer.dtype is DType.UINT8 else 1 - 2 * (tile * (2 * order + 3) // 4 % 2)
    numbers = np.broadcast_to(((tile + 2 * order) % 7 + 1) * sign, buffer.shape)
    return _scaled(numbers, buffer, 3, plan)


def _scaled(numbers: Array, buffer: Buffer, n_bits: float, plan: Plan) -> Array:
    """Return floats divided by powers of two, so that sums of products are around 1."""
    if not buffer.dtype.is_float or plan.depth == 1:
        return numbers
    return numbers * _power(-n_bits + 1 - np.log2(plan.depth) / 4)


_DRAWS: dict[str, Callable[[Buffer, int, Plan], Array]] = {
    "signed": _signed,
    "positive": _positive,
    "exact": _exact,
    "one-hot": _one_hot,
    "tiles": _tiles,
}
