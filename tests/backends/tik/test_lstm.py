from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import tilelang as tl
from tests.backends.tik.scripts import floats, run_in_ub
from tests.correctness import assert_correct


@tl.kernel("i[N]: T, f[N]: T, g[N]: T, c[N]: T -> c_next[N]: T")
def cell(i: tl.Tensor, f: tl.Tensor, g: tl.Tensor, c: tl.Tensor, c_next: tl.Tensor) -> None:
    """Update a state in the steps of the script below."""
    on_chip = [tl.alloc_ub(tensor.shape, tensor.dtype) for tensor in (i, f, g, c)]
    for tile, tensor in zip(on_chip, (i, f, g, c), strict=True):
        tl.data_move(tile, tensor)
    into, forget, new, state = on_chip
    into[:] = 1 / (1 + tl.exp(-into))
    forget[:] = 1 / (1 + tl.exp(-forget))
    new[:] = 2 / (1 + tl.exp(-2 * new)) - 1
    state[:] = state * forget + into * new
    tl.data_move(c_next, state)


def sigmoid_steps(t: Any, ub: Mapping[str, Any], name: str, repeats: int) -> None:
    """1 / (1 + exp(-x)) in place; the divisor of a block of ones, read with strides of 0."""
    x = ub[name]
    t.vec_muls(64, x, x, -1.0, repeats, 8, 8)
    t.vec_exp(64, x, x, repeats, 8, 8)
    t.vec_adds(64, x, x, 1.0, repeats, 8, 8)
    t.vdiv(64, x, ub["ones"], x, repeats, 1, 0, 1, 8, 0, 8)


def test_a_cell_is_within_the_bound_of_its_steps():
    rows, hidden = 32, 32
    repeats = rows * hidden // 64
    gates = {name: floats((rows, hidden), np.float32, seed) for seed, name in enumerate("ifgoc")}

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        for name in "ifo":
            sigmoid_steps(t, ub, name, repeats)
        t.vec_muls(64, ub["g"], ub["g"], 2.0, repeats, 8, 8)
        sigmoid_steps(t, ub, "g", repeats)
        t.vec_muls(64, ub["g"], ub["g"], 2.0, repeats, 8, 8)
        t.vec_adds(64, ub["g"], ub["g"], -1.0, repeats, 8, 8)
        t.vec_mul(64, ub["c"], ub["c"], ub["f"], repeats, 8, 8, 8)
        t.vmla(64, ub["c"], ub["i"], ub["g"], repeats, 1, 1, 1, 8, 8, 8)

    names = {name: gates[name] for name in "ifgo"}
    got = run_in_ub(body, {**names, "ones": np.ones(8, np.float32)}, {"c": gates["c"]})["c"]
    inputs = [gates[name].reshape(-1) for name in "ifgc"]
    program = cell.program(N=rows * hidden, dtype="float32")
    assert_correct(program, inputs, [got.reshape(-1)])


@pytest.mark.parametrize("tile", [(64, 128), (16, 16)])
def test_gates_of_a_fractal_tile_share_one_bias_row(tile: tuple[int, int]):
    m, n = tile
    u, bias = floats((n // 16, m, 16), np.float32, 7), floats(n, np.float32, 8)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        with t.for_range(0, n // 16) as column, t.for_range(0, 2) as half:
            at = ub["u"][column * m * 16 + half * 8]
            row = ub["bias"][column * 16 + half * 8]
            t.vadd(64, at, at, row, m // 8, 2, 2, 0, 16, 16, 0)

    got = run_in_ub(body, {"bias": bias}, {"u": u})["u"]
    np.testing.assert_array_equal(got, u + bias.reshape(-1, 1, 16))
