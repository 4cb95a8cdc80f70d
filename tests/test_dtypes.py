"""Element types are what their names say, in comparisons too."""

import pickle
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from tilelang.diagnostics import TileError
from tilelang.dtypes import ELEMENT_TYPES, DType, find_dtype


@pytest.mark.parametrize("dtype", DType)
def test_a_type_is_equal_to_its_name_and_to_no_other(dtype: DType):
    for other in DType:
        assert (dtype == other.value) is (dtype is other)
        assert (dtype != other.value) is (dtype is not other)
    assert dtype in ("anything", dtype.value)
    known: dict[Any, int] = {dtype: 1}
    assert known[dtype.value] == 1
    assert pickle.loads(pickle.dumps(dtype)) is dtype


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
def test_a_type_is_equal_to_numpys(dtype: DType):
    like: Any = dtype.numpy.type
    assert dtype == like
    assert dtype == dtype.numpy
    assert find_dtype(like) is dtype
    assert ml_dtypes.bfloat16 == DType.BFLOAT16
    assert np.uint8 != DType.INT8


@pytest.mark.parametrize("other", [None, 3, (), "anything", object(), np.uint16, str])
def test_a_type_is_equal_to_nothing_else(other: Any):
    assert other != DType.FLOAT16


@pytest.mark.parametrize(
    ("other", "hint"),
    [("fp16", "float16"), ("half", "float16"), (float, "float32"), (np.float64, "float32")],
)
def test_a_comparison_that_never_holds_is_a_mistake(other: Any, hint: str):
    for compare in (lambda: other == DType.FLOAT16, lambda: other != DType.INT8):
        with pytest.raises(TileError, match="E0116") as said:
            compare()
        assert f'write "{hint}"' in str(said.value)
