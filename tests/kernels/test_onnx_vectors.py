"""Shipped kernels on the node tests of the onnx package, within the tolerances of these tests."""

from collections import Counter

import pytest

from tests.kernels.onnx_vectors import RUNNERS, OutOfScope, Vector, check, collect_vectors, run

VECTORS = collect_vectors()
needs_onnx = pytest.mark.skipif(not VECTORS, reason="onnx is not installed (extra: dev)")
OUT_OF_SCOPE = {
    "test_gemm_default_matrix_bias": "a bias that differs between rows",
    "test_lstm_with_peepholes": "peepholes, other activations, or clipping",
}


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_the_kernel_agrees_with_the_vector(vector: Vector):
    if vector.name in OUT_OF_SCOPE:
        with pytest.raises(OutOfScope, match=OUT_OF_SCOPE[vector.name]):
            run(vector)
        return
    check(vector, run(vector))


@needs_onnx
def test_most_of_every_operator_applies():
    applies = Counter(vector.operator for vector in VECTORS if vector.name not in OUT_OF_SCOPE)
    assert set(applies) == set(RUNNERS)
    assert applies.total() >= 60
    assert len(VECTORS) - applies.total() == len(OUT_OF_SCOPE)
