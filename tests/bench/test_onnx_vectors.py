"""The table of `bench.onnx_vectors`, from vectors made up here."""

from dataclasses import replace

import numpy as np

from bench.onnx_vectors import lines_of
from tests.kernels.onnx_vectors import Vector

ONE = np.ones((1, 1), np.float32)
PRODUCT = Vector("right", "MatMul", {}, {"a": ONE, "b": ONE}, (ONE,), 0, 0)
BIASED = Vector(
    "biased", "Gemm", {}, {"a": ONE, "b": ONE, "c": np.ones((2, 1), np.float32)}, (ONE,), 0, 0
)


def test_what_passes_fails_and_does_not_apply_is_counted():
    lines = list(lines_of([PRODUCT, replace(PRODUCT, name="wrong", outputs=(2 * ONE,)), BIASED]))
    assert lines[1].endswith("within their tolerances. 2 apply, 1 pass.")
    assert "| MatMul | 2 | 1 |" in lines
    assert "| Gemm | 0 | 0 |" in lines
    assert lines[-2:] == [
        "* wrong: fail",
        "* biased: out of scope, a bias that differs between rows",
    ]
