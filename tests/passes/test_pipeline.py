"""`lower`: the passes in order, with the verifier before, between and after."""

from dataclasses import replace

import numpy as np
import pytest

from tests.backends.numpy.programs import allocate, box, buffer, index, loop, program, stage, times
from tilelang.backends.numpy import BACKEND
from tilelang.diagnostics import TileError
from tilelang.ir import condition as cond
from tilelang.ir.nodes import Matmul, Mmad, Move, Program
from tilelang.ir.region import whole
from tilelang.ir.walk import walk_program
from tilelang.layouts import Layout, LayoutKind
from tilelang.machines import find_machine
from tilelang.passes import lower


def gemm(m_tile: int, k_tile: int, n_tile: int) -> Program:
    """Return a product of 100 by 300 by 1100, by tiles."""
    a, b = buffer("gm", "a", (100, 300), "float16"), buffer("gm", "b", (300, 1100), "float16")
    c = buffer("gm", "c", (100, 1100))
    a1, b1 = (
        buffer("l1", "a1", (m_tile, k_tile), "float16"),
        buffer("l1", "b1", (k_tile, n_tile), "float16"),
    )
    acc = buffer("l0c", "acc", (m_tile, n_tile))
    out = buffer("ub", "out", acc.shape, layout=Layout(LayoutKind.NZ, 16))
    steps = loop(
        "k",
        -(-300 // k_tile),
        *allocate(a1, b1),
        Move(whole(a1), box(a, [times(m_tile, "i"), times(k_tile, "k")], a1.shape)),
        Move(whole(b1), box(b, [times(k_tile, "k"), times(n_tile, "j")], b1.shape)),
        Matmul(whole(acc), whole(a1), whole(b1), cond.equal(index("k"), index(0))),
    )
    store = Move(box(c, [times(m_tile, "i"), times(n_tile, "j")], out.shape), whole(out))
    grid = {"i": -(-100 // m_tile), "j": -(-1100 // n_tile)}
    body = (
        *allocate(acc),
        replace(steps, stages=2),
        *allocate(out),
        Move(whole(out), whole(acc)),
        store,
    )
    return program((a, b), (c,), stage(grid, *body))


@pytest.mark.parametrize("machine", ["host", "ascend310", "ascend910"])
@pytest.mark.parametrize("tile", [(16, 240, 1024), (128, 64, 128), (64, 304, 64)])
def test_what_comes_out_is_legal_and_means_the_same(machine: str, tile: tuple[int, int, int]):
    found = lower(gemm(*tile), find_machine(machine))
    assert not any(isinstance(stmt, Matmul) for stmt in walk_program(found))
    assert any(isinstance(stmt, Mmad) for stmt in walk_program(found))
    a, b = (
        np.random.default_rng(1).integers(-3, 4, shape).astype(np.float16)
        for shape in ((100, 300), (300, 1100))
    )
    c = np.zeros((100, 1100), np.float32)
    BACKEND.compile(gemm(*tile), find_machine(machine))(a, b, c)
    np.testing.assert_array_equal(c, a.astype(np.float32) @ b.astype(np.float32))


def test_the_user_s_own_program_is_verified_first():
    with pytest.raises(TileError) as caught:
        lower(gemm(512, 64, 1024), find_machine("ascend910"))
    assert "acc" in str(caught.value)
