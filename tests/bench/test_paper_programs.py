"""The programs behind the paper's figures compute what they say, in the strict emulator."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from bench.paper.algorithm_y import algorithm_y
from bench.paper.batch_norm_pass import batch_norm_pass
from bench.paper.lstm_steps import Form, Lstm
from bench.paper.wide_conv import Conv
from bench.paper.wide_gemm import wide_gemm
from tests.bench.layer_kernel import layer
from tests.correctness import assert_correct
from tilelang.backends.tik import BACKEND
from tilelang.backends.tik.emulate import emulate

Array = npt.NDArray[Any]
LAYER = Lstm(steps=4, batch=32, inputs=64, hidden=64, cores=2)


def floats(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float16)


def columns(matrix: Array) -> Array:
    """Return [rows, 16 n] as n fractal columns [n, rows, 16]."""
    return np.ascontiguousarray(matrix.reshape(len(matrix), -1, 16).transpose(1, 0, 2))


def rows(blocks: Array) -> Array:
    """Return fractal columns as a matrix again."""
    return blocks.transpose(1, 0, 2).reshape(blocks.shape[1], -1)


def whole_numbers(*shape: int, seed: int = 0) -> Array:
    """Return numbers of which sums of products are exact, in float16 too."""
    return np.random.default_rng(seed).integers(-3, 4, shape).astype(np.float16)


def product(a: Array, b: Array) -> Array:
    return a.astype(np.float64) @ b.astype(np.float64)


@pytest.mark.parametrize("store_each_step", [True, False])
def test_algorithm_y(store_each_step: bool):
    a, b = whole_numbers(32, 64), whole_numbers(128, 64, seed=1)
    found = emulate(
        algorithm_y((32, 64, 128), (16, 32, 64), store_each_step=store_each_step),
        {"a": columns(a), "b": columns(b)},
    )
    np.testing.assert_array_equal(rows(found.outputs["c"]), product(a, b.T))
    assert found.warnings == ()


def test_the_wide_product():
    a, b = whole_numbers(64, 64), whole_numbers(256, 64, seed=1)
    program = wide_gemm((64, 256, 64), (32, 64, 32), (2, 2))
    found = emulate(program, {"a": columns(a), "b": columns(b)})
    np.testing.assert_array_equal(rows(found.outputs["c"]), product(a, b.T))


@pytest.mark.parametrize("kernel", [1, 3])
def test_the_wide_convolution(kernel: int):
    pad = kernel // 2
    conv = Conv(images=2, size=16, channels=32, outputs=32, kernel=kernel, cores=2)
    x = np.zeros((2, 2, 16 + 2 * pad, 16, 16), np.float16)
    x[:, :, pad : 16 + pad] = whole_numbers(2, 2, 16, 16, 16)
    w = whole_numbers(32, 32, kernel, kernel, seed=1)
    fractals = w.reshape(2, 16, 2, 16, kernel, kernel).transpose(2, 4, 5, 0, 1, 3)
    feed = {"x": x, "w": np.ascontiguousarray(fractals).reshape(1, -1, 2, 16, 16)}
    y = emulate(conv.program(), feed).outputs["y"].transpose(0, 1, 4, 2, 3).reshape(2, 32, 16, 16)
    maps = x.transpose(0, 1, 4, 2, 3).reshape(2, 32, 16 + 2 * pad, 16).astype(np.float64)
    maps = np.pad(maps, ((0, 0), (0, 0), (0, 0), (pad, pad)))
    wanted = sum(
        np.einsum("nchw,oc->nohw", maps[:, :, i : i + 16, j : j + 16], w[:, :, i, j].astype(float))
        for i in range(kernel)
        for j in range(kernel)
    )
    np.testing.assert_array_equal(y, wanted)


def lstm_inputs() -> list[Array]:
    """Return x, h, c and w as `layer` takes them."""
    x, h = floats(LAYER.steps, LAYER.batch, LAYER.inputs), floats(LAYER.batch, 64, seed=1)
    c = floats(LAYER.batch, 64, seed=2).astype(np.float32)
    return [x, h, c, (floats(128, 256, seed=3) * 0.2).astype(np.float16)]


def lstm_feed() -> dict[str, Array]:
    """Return the same arrays as the scripts take them."""
    x, h, c, w = lstm_inputs()
    xh = np.zeros((LAYER.steps, 8, LAYER.batch, 16), np.float16)
    xh[:, :4] = [columns(step) for step in x]
    xh[0, 4:] = columns(h)
    gates = np.zeros((1, 16, LAYER.batch, 16), np.float32)
    return {"xh": xh, "w": columns(w.T)[None], "c": columns(c), "gates": gates}


def run(form: Form, feed: Mapping[str, Array]) -> Mapping[str, Array]:
    return emulate(LAYER.program(form), feed).outputs


def assert_is_the_layer(states: Sequence[Array]) -> None:
    """Fail unless h after every step, and c after the last, are within the bound of `layer`."""
    x, h, c, w = lstm_inputs()
    x = x[: len(states[0])]
    program = layer.program(x=x, h=h, c=c, w=w, stored=int(len(states[1]) > 0))
    assert_correct(program, [x, h, c, w], states, BACKEND.numerics)


def test_the_lstm_in_one_kernel():
    found = run(Form.ALL_STEPS, lstm_feed())
    nothing = np.zeros((0, LAYER.hidden), np.float32)  # c stays on the core
    assert_is_the_layer([np.stack([rows(step) for step in found["hs"]]), nothing])


def test_the_lstm_step_fused_and_apart():
    feed = lstm_feed()
    one = {**feed, "xh": feed["xh"][:1]}
    gates = run(Form.PRODUCT, one)["gates"]
    for found in (run(Form.STEP, one), run(Form.CELL, {**one, "gates": gates})):
        assert_is_the_layer([rows(found["hs"][0])[None], rows(found["c_new"])])


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_the_normalising_pass(dtype: str):
    block = 16 if dtype == "float16" else 8
    x = floats(2, 4096, block).astype(dtype)
    scale = floats(2, 2, block, seed=1).astype(dtype)
    program = batch_norm_pass(dtype, channels=2 * block, positions=4096, cores=2)
    y = emulate(program, {"x": x, "scale": scale}).outputs["y"]
    np.testing.assert_array_equal(y, x * scale[:, :1] + scale[:, 1:])
