"""The programs behind the paper's figures compute what they say, in the strict emulator."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from bench.paper.algorithm_y import algorithm_y
from bench.paper.batch_norm_pass import batch_norm_pass
from bench.paper.lstm_steps import Form, Lstm
from bench.paper.wide_conv import Conv
from bench.paper.wide_gemm import wide_gemm
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


def product(a: Array, b: Array) -> Array:
    return a.astype(np.float64) @ b.astype(np.float64)


@pytest.mark.parametrize("store_each_step", [True, False])
def test_algorithm_y(store_each_step: bool):
    a, b = floats(32, 64), floats(128, 64, seed=1)
    found = emulate(
        algorithm_y((32, 64, 128), (16, 32, 64), store_each_step=store_each_step),
        {"a": columns(a), "b": columns(b)},
    )
    np.testing.assert_allclose(rows(found.outputs["c"]), product(a, b.T), atol=0.02)
    assert found.warnings == ()


def test_the_wide_product():
    a, b = floats(64, 64), floats(256, 64, seed=1)
    program = wide_gemm((64, 256, 64), (32, 64, 32), (2, 2))
    found = emulate(program, {"a": columns(a), "b": columns(b)})
    np.testing.assert_allclose(rows(found.outputs["c"]), product(a, b.T), atol=0.02)


@pytest.mark.parametrize("kernel", [1, 3])
def test_the_wide_convolution(kernel: int):
    pad = kernel // 2
    conv = Conv(images=2, size=16, channels=32, outputs=32, kernel=kernel, cores=2)
    x = np.zeros((2, 2, 16 + 2 * pad, 16, 16), np.float16)
    x[:, :, pad : 16 + pad] = floats(2, 2, 16, 16, 16)
    w = floats(32, 32, kernel, kernel, seed=1)
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
    np.testing.assert_allclose(y, wanted, atol=0.05)


def cell(x: Array, h: Array, c: Array, w: Array) -> tuple[Array, Array]:
    """Return the next (h, c) of one step in float64."""
    gates = product(np.concatenate([x, h.astype(np.float16)], 1), w)
    i, f, o = (1 / (1 + np.exp(-part)) for part in np.split(gates, 4, 1)[:3])
    c = f * c + i * np.tanh(np.split(gates, 4, 1)[3])
    return o * np.tanh(c), c


def lstm_feed() -> tuple[dict[str, Array], list[tuple[Array, Array]]]:
    """Return the arrays that the kernels take, and (h, c) after every step."""
    x, h = floats(LAYER.steps, LAYER.batch, LAYER.inputs), floats(LAYER.batch, 64, seed=1)
    c = floats(LAYER.batch, 64, seed=2).astype(np.float32)
    w = (floats(128, 256, seed=3) * 0.2).astype(np.float16)
    states: list[tuple[Array, Array]] = []
    now = (h, c)
    for step in x:
        now = cell(step, *now, w)
        states.append(now)
    xh = np.zeros((LAYER.steps, 8, LAYER.batch, 16), np.float16)
    xh[:, :4] = [columns(step) for step in x]
    xh[0, 4:] = columns(h)
    gates = np.zeros((1, 16, LAYER.batch, 16), np.float32)
    return {"xh": xh, "w": columns(w.T), "c": columns(c), "gates": gates}, states


def run(form: Form, feed: Mapping[str, Array]) -> Mapping[str, Array]:
    return emulate(LAYER.program(form), feed).outputs


def test_the_lstm_in_one_kernel():
    feed, states = lstm_feed()
    for found, (h, _) in zip(run(Form.ALL_STEPS, feed)["hs"], states, strict=True):
        np.testing.assert_allclose(rows(found), h, atol=1e-3)


def test_the_lstm_step_fused_and_apart():
    feed, states = lstm_feed()
    one = {**feed, "xh": feed["xh"][:1]}
    gates = run(Form.PRODUCT, one)["gates"]
    for found in (run(Form.STEP, one), run(Form.CELL, {**one, "gates": gates})):
        np.testing.assert_allclose(rows(found["hs"][0]), states[0][0], atol=1e-3)
        np.testing.assert_allclose(rows(found["c_new"]), states[0][1], atol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_the_normalising_pass(dtype: str):
    block = 16 if dtype == "float16" else 8
    x = floats(2, 4096, block).astype(dtype)
    scale = floats(2, 2, block, seed=1).astype(dtype)
    program = batch_norm_pass(dtype, channels=2 * block, positions=4096, cores=2)
    y = emulate(program, {"x": x, "scale": scale}).outputs["y"]
    np.testing.assert_array_equal(y, x * scale[:, :1] + scale[:, 1:])
