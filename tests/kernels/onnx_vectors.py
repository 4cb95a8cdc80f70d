"""The node tests of the `onnx` package as inputs for shipped kernels.

A kernel does not take every spelling of an operator. What is done around one here is what a
compiler does once, on weights, or with views: transposes and reshapes, folding of constant factors
into weights, one call for each matrix of a batch, zero points of 8 bits shifted from unsigned to
signed. Arithmetic on features is the kernel's.
"""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilelang.kernels.batch_norm import batch_norm, batch_norm_training
from tilelang.kernels.conv2d import conv2d
from tilelang.kernels.gemm import gemm
from tilelang.kernels.layer_norm import layer_norm
from tilelang.kernels.linear import linear
from tilelang.kernels.lstm import lstm
from tilelang.kernels.quantized_gemm import quantized_gemm
from tilelang.kernels.softmax import softmax

Array = NDArray[Any]
MODULES = (
    "batch_normalization",
    "conv",
    "convinteger",
    "gemm",
    "layernormalization",
    "lstm",
    "matmul",
    "matmulinteger",
    "qlinearmatmul",
    "softmax",
)


class OutOfScope(Exception):
    """The vector asks for something that no shipped kernel has."""


@dataclass(frozen=True, slots=True)
class Vector:
    """One node test: attributes and inputs by name, and outputs, None where not asked for."""

    name: str
    operator: str
    attributes: Mapping[str, Any]
    inputs: Mapping[str, Array]
    outputs: tuple[Array | None, ...]
    rtol: float
    atol: float

    def __str__(self) -> str:
        """Return the name."""
        return self.name


def collect_vectors() -> list[Vector]:
    """Return the node tests of the operators in `RUNNERS`; none if onnx is not installed."""
    package = "onnx.backend.test.case.node"
    try:
        cases: Any = importlib.import_module(package)
    except ImportError:
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # overflow in the computation of expected outputs
        for module in MODULES:
            importlib.import_module(f"{package}.{module}")
    found = [_read(case) for case in cases._NodeTestCases]
    return [vector for vector in found if vector.operator in RUNNERS]


def _read(case: Any) -> Vector:
    node = case.model.graph.node[0]
    attribute = importlib.import_module("onnx").helper.get_attribute_value
    ((inputs, outputs),) = case.data_sets
    given = iter(outputs)
    return Vector(
        case.name,
        node.op_type,
        {it.name: attribute(it) for it in node.attribute},
        dict(zip([name for name in node.input if name], inputs, strict=False)),
        tuple(np.asarray(next(given)) if name else None for name in node.output),
        case.rtol,
        case.atol,
    )


def run(vector: Vector) -> tuple[Array, ...]:
    """Return what shipped kernels compute for `vector`: its outputs, or the first ones.

    Raises:
        OutOfScope: if no kernel is meant for it.
    """
    return RUNNERS[vector.operator](vector)


def check(vector: Vector, found: tuple[Array, ...]) -> None:
    """Compare results with the outputs of `vector`, within its own tolerances.

    Raises:
        AssertionError: if one differs.
    """
    for result, expected in zip(found, vector.outputs, strict=False):
        if expected is not None:
            assert result.dtype == expected.dtype
            np.testing.assert_allclose(result, expected, rtol=vector.rtol, atol=vector.atol)


def _gemm(vector: Vector) -> tuple[Array, ...]:
    alpha, beta = vector.attributes.get("alpha", 1.0), vector.attributes.get("beta", 1.0)
    a, b, *bias = vector.inputs.values()
    x = a.T if vector.attributes.get("transA") else a
    w = b if vector.attributes.get("transB") else b.T
    addend = np.zeros(1, a.dtype) if not bias else bias[0]
    if addend.ndim == 2 and addend.shape[0] != 1:
        raise OutOfScope("a bias that differs between rows")
    vector_bias = np.broadcast_to(np.float32(beta) * addend.reshape(-1), len(w))
    return (linear(x, np.float32(alpha) * w, vector_bias),)


def _matmul(vector: Vector) -> tuple[Array, ...]:
    a, b = vector.inputs.values()
    return (_batched(gemm, a, b),)


def _batched(product: Callable[[Array, Array], Array], a: Array, b: Array) -> Array:
    """Return `product` of every pair of matrices, with numpy's rules for other ranks."""
    x, y = (a[None] if a.ndim == 1 else a), (b[:, None] if b.ndim == 1 else b)
    batch = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    xs = np.broadcast_to(x, (*batch, *x.shape[-2:])).reshape(-1, *x.shape[-2:])
    ys = np.broadcast_to(y, (*batch, *y.shape[-2:])).reshape(-1, *y.shape[-2:])
    results = np.stack([product(one, other) for one, other in zip(xs, ys, strict=True)])
    rows, columns = ((), x.shape[-2:-1])[a.ndim > 1], ((), y.shape[-1:])[b.ndim > 1]
    return results.reshape((*batch, *rows, *columns))


def _conv(vector: Vector) -> tuple[Array, ...]:
    x, w, *bias = vector.inputs.values()
    addend = bias[0] if bias else np.zeros(len(w), x.dtype)
    return (conv2d(x, w, addend, **_window(vector, x, w)),)


def _window(vector: Vector, x: Array, w: Array) -> dict[str, Any]:
    """Return the attributes of `conv2d` that those of a Conv node stand for."""
    given = vector.attributes
    if x.ndim != 4:
        raise OutOfScope("other than two spatial dimensions")
    stride, dilation = given.get("strides", [1, 1]), given.get("dilations", [1, 1])
    top, left, bottom, right = given.get("pads", [0, 0, 0, 0])
    automatic = given.get("auto_pad", b"NOTSET").decode()
    if automatic.startswith("SAME"):
        spans = [(w.shape[2 + i] - 1) * dilation[i] + 1 for i in range(2)]
        sizes = [math.ceil(x.shape[2 + i] / stride[i]) for i in range(2)]
        needs = [max((sizes[i] - 1) * stride[i] + spans[i] - x.shape[2 + i], 0) for i in range(2)]
        small, large = [need // 2 for need in needs], [need - need // 2 for need in needs]
        starts, ends = (large, small) if automatic == "SAME_LOWER" else (small, large)
        (top, left), (bottom, right) = starts, ends
    return {
        "stride_h": stride[0],
        "stride_w": stride[1],
        "dilation_h": dilation[0],
        "dilation_w": dilation[1],
        "pad_top": top,
        "pad_bottom": bottom,
        "pad_left": left,
        "pad_right": right,
        "groups": given.get("group", 1),
    }


def _lstm(vector: Vector) -> tuple[Array, ...]:
    given, inputs = vector.attributes, vector.inputs
    if "P" in inputs or "activations" in given or "clip" in given:
        raise OutOfScope("peepholes, other activations, or clipping")
    x = inputs["X"].swapaxes(0, 1) if given.get("layout") else inputs["X"]
    direction = given.get("direction", b"forward").decode()
    n_directions, rows = inputs["W"].shape[:2]
    bias = inputs.get("B", np.zeros((n_directions, 2 * rows), np.float32))
    state = np.zeros((x.shape[1], rows // 4), np.float32)
    ys: list[Array] = []
    cs: list[Array] = []
    for d in range(n_directions):
        order = -1 if direction == "reverse" or d == 1 else 1
        w, u = (_gate_order(inputs[name][d]).T for name in "WR")
        b = _gate_order(bias[d, :rows] + bias[d, rows:])
        hidden, cell = lstm(x[::order], state, state, w, u, b)
        ys.append(hidden[::order])
        cs.append(cell[-1])
    lasts = [y[0] if direction == "reverse" or d == 1 else y[-1] for d, y in enumerate(ys)]
    y, y_h, y_c = np.stack(ys, axis=1), np.stack(lasts), np.stack(cs)
    if given.get("layout"):
        y, y_h, y_c = y.transpose(2, 0, 1, 3), y_h.swapaxes(0, 1), y_c.swapaxes(0, 1)
    return y, y_h, y_c


def _gate_order(weights: Array) -> Array:
    """Return rows for the gates i o f c, as ONNX has them, as i f g o."""
    i, o, f, g = np.split(weights, 4)
    return np.concatenate([i, f, g, o])


def _softmax(vector: Vector) -> tuple[Array, ...]:
    (x,) = vector.inputs.values()
    axis = vector.attributes.get("axis", -1)
    rows = np.moveaxis(x, axis, -1)
    y = softmax(rows.reshape(-1, rows.shape[-1])).reshape(rows.shape)
    return (np.moveaxis(y, -1, axis),)


def _layer_norm(vector: Vector) -> tuple[Array, ...]:
    x, gamma, beta = vector.inputs.values()
    axis = vector.attributes.get("axis", -1) % x.ndim
    n_columns = math.prod(x.shape[axis:])
    rows = x.reshape(-1, n_columns)
    y = layer_norm(rows, gamma.ravel(), beta.ravel(), epsilon=_epsilon(vector))
    return (y.reshape(x.shape),)


def _epsilon(vector: Vector) -> float:
    return vector.attributes.get("epsilon", 1e-5)


def _batch_norm(vector: Vector) -> tuple[Array, ...]:
    x, gamma, beta, mean, var = vector.inputs.values()
    maps = x.reshape(*x.shape[:2], -1, 1)
    if not vector.attributes.get("training_mode"):
        y = batch_norm(maps, gamma, beta, mean, var, epsilon=_epsilon(vector))
        return (y.reshape(x.shape),)
    y, own_mean, own_var = batch_norm_training(maps, gamma, beta, epsilon=_epsilon(vector))
    old = np.float32(vector.attributes.get("momentum", 0.9))
    running = (mean * old + own_mean * (1 - old), var * old + own_var * (1 - old))
    return (y.reshape(x.shape), *running)


def _signed(values: Array, zero: Array) -> tuple[Array, int]:
    """Return 8-bit values and their one zero point as int8, shifted if they are unsigned."""
    if zero.size != 1:
        raise OutOfScope("a zero point for each row or column")
    shift = 128 if values.dtype == np.uint8 else 0
    return (values.astype(np.int16) - shift).astype(np.int8), int(zero.item()) - shift


def _matmul_integer(vector: Vector) -> tuple[Array, ...]:
    a, b, a_zero, b_zero = vector.inputs.values()
    (x, x_zero), (w, w_zero) = _signed(a, a_zero), _signed(b, b_zero)
    one, nothing = np.ones(w.shape[1], np.float32), np.zeros(w.shape[1], np.float32)
    y = quantized_gemm(x, w.T, one, nothing, a_zero=x_zero, b_zero=w_zero)
    return (y.astype(np.int32),)  # exact in float32: these sums are small


def _conv_integer(vector: Vector) -> tuple[Array, ...]:
    x, w, zero, *w_zero = vector.inputs.values()
    features = x.astype(np.int16) - int(zero.item())  # zero padding is the zero point's, so first
    weights = w.astype(np.int16) - (w_zero[0][:, None, None, None] if w_zero else 0)
    if np.abs(features).max() > 127 or np.abs(weights).max() > 127:
        raise OutOfScope("values that leave int8 without their zero point")
    bias = np.zeros(len(w), np.int32)
    attributes = _window(vector, x, w)
    return (conv2d(features.astype(np.int8), weights.astype(np.int8), bias, **attributes),)


def _qlinear_matmul(vector: Vector) -> tuple[Array, ...]:
    a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero = vector.inputs.values()
    x, x_zero = _signed(a, a_zero)
    w, w_zero = _signed(b, b_zero)
    shift = 128 if y_zero.dtype == np.uint8 else 0
    n = w.shape[-1]
    factor = a_scale.astype(np.float32) * b_scale.astype(np.float32) / y_scale.astype(np.float32)
    scale = np.broadcast_to(factor, n)
    offset = np.full(n, int(y_zero.item()) - shift, np.int8)

    def product(one: Array, other: Array) -> Array:
        return quantized_gemm(one, other.T, scale, offset, a_zero=x_zero, b_zero=w_zero)

    y = _batched(product, x, w).astype(np.int16) + shift
    return (y.astype(y_zero.dtype),)


RUNNERS: Mapping[str, Callable[[Vector], tuple[Array, ...]]] = {
    "BatchNormalization": _batch_norm,
    "Conv": _conv,
    "ConvInteger": _conv_integer,
    "Gemm": _gemm,
    "LayerNormalization": _layer_norm,
    "LSTM": _lstm,
    "MatMul": _matmul,
    "MatMulInteger": _matmul_integer,
    "QLinearMatMul": _qlinear_matmul,
    "Softmax": _softmax,
}
