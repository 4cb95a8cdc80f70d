"""Element-wise expressions: when a recipe is stale."""

from collections.abc import Callable

import numpy as np
import pytest

import tilelang as tl
from tilelang.language.operands import MOST_DEEP
from tilelang.text.parser import parse_program


@tl.kernel("x[N]: float32 -> y[N]: float32")
def mixes_old_and_new(x: tl.Tensor, y: tl.Tensor) -> None:
    """Y = 2 x + 1 + x, of a recipe that is older than the other tile's value."""
    tile = tl.alloc_ub((16,), x.dtype)
    other = tl.alloc_ub((16,), x.dtype)
    tl.data_move(tile, x[0])
    old = tile * 2
    other[:] = tile + 1
    other[:] = old + other  # `other` was written after `old` was made, and before it is read
    tl.data_move(y[0], other)


def test_an_old_recipe_may_meet_what_was_written_since():
    x = np.arange(16, dtype=np.float32)
    np.testing.assert_array_equal(mixes_old_and_new(x), 3 * x + 1)


Step = Callable[[tl.Expression, tl.Tensor], tl.Expression]
DEEPEST: dict[str, Step] = {
    "sum": lambda e, x: e + x,
    "call": lambda e, x: tl.abs(e),
    "choice": lambda e, x: tl.where(x > 0, e, x),
}


@pytest.mark.parametrize("name", DEEPEST)
@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_the_deepest_expression_there_may_be_runs_and_reads_back(name: str, backend: str):
    @tl.kernel("x[N]: T -> y[N]: T")
    def deep(x: tl.Tensor, y: tl.Tensor) -> None:
        t = tl.alloc_ub((16,), x.dtype)
        tl.data_move(t, x)
        result = t * 1
        for _ in range(MOST_DEEP - 2):
            result = DEEPEST[name](result, t)
        t[:] = result
        tl.data_move(y, t)

    x = np.arange(1, 17, dtype=np.float32)
    wanted = x * (MOST_DEEP - 1) if name == "sum" else x
    np.testing.assert_array_equal(deep(x, backend=backend), wanted)
    program = deep.program(x=x)
    assert parse_program(str(program)) == program
