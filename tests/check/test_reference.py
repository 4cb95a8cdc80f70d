"""The reference is asked with the inputs, so it has to take them."""

from typing import Any

import pytest

import tilelang as tl
from tilelang.diagnostics import TileError


def test_a_reference_that_takes_other_arguments_is_a_mistake():
    @tl.kernel("x[N]: T -> y[N]: T")
    def copy(x: tl.Tensor, y: tl.Tensor) -> None:
        t = tl.alloc_ub(x.shape, x.dtype)
        tl.data_move(t, x)
        tl.data_move(y, t)

    @copy.reference
    def _(x: Any, scale: Any) -> Any:
        return x * scale

    with pytest.raises(TileError, match=r"E0706.*takes \(x: Any, scale: Any\)") as caught:
        copy.check(N=16, dtype="float32", backends=["numpy"])
    assert "let it take the inputs (x)" in str(caught.value)
