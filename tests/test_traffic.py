"""Counting the bytes that a program moves: against hand counts, and against a plain loop."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import tilelang as tl
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.nodes import Body, If, Loop, Move, Program
from tilelang.ir.region import Memory, Region, view_shape
from tilelang.kernels.gemm import gemm
from tilelang.traffic import Traffic, gm_traffic, total_traffic

TILES: dict[str, Any] = {"m_tile": 128, "n_tile": 128, "k_tile": 64}


@tl.kernel("x[M, N]: T -> y[M, N]: T, z[M]: T")
def everything(x: tl.Tensor, y: tl.Tensor, z: tl.Tensor, *, rows: int = 16) -> None:
    """Move with overhang on both sides, steps, branches, and loops as long as others say."""
    M, N = x.shape
    for i in tl.cores(tl.ceildiv(M, rows)):
        tile = tl.alloc_ub((rows, 16), x.dtype)
        line = tl.alloc_ub((16,), x.dtype)
        for j in tl.for_range(tl.ceildiv(N, 16)):
            tl.data_move(tile, x[i * rows - 3, j * 16 - 5])
            tl.data_move(y[i * rows, j * 16], tile)
            for k in tl.for_range(tl.minimum(i + 1, 2)):
                with tl.if_scope((k == 0) & (j > 0)):
                    tl.data_move(line, x[i, j * 16 + k :: 3])
                with tl.elif_scope(i * 7 % 3 == 1):
                    tl.data_move(line, x[k - 5 :: 2, 1])
                with tl.else_scope():
                    tl.data_move(line, x[i, 0:16])
        for r in tl.for_range(0, i):
            tl.data_move(line, x[0, r : r + 16])
        tl.data_move(z[i * 16 :], line)


def points(body: Body, values: Mapping[str, int]) -> Iterator[tuple[Move, Mapping[str, int]]]:
    """Yield every move that runs, with the values of the variables, one by one."""
    for stmt in body:
        match stmt:
            case Move():
                yield stmt, values
            case Loop():
                for value in range(int(ix.evaluate(stmt.extent, values))):
                    yield from points(stmt.body, {**values, stmt.var: value})
            case If():
                taken = stmt.then if cond.holds(stmt.condition, values) else stmt.otherwise
                yield from points(taken, values)
            case _:
                pass


def n_inside(region: Region, values: Mapping[str, int]) -> int:
    """Return the elements of `region` that exist, counted one axis after the other."""
    total = 1
    sizes = view_shape(region.buffer, region.view)
    axes = zip(region.start, region.step, region.extent, sizes, strict=True)
    for start, step, extent, size in axes:
        first = int(ix.evaluate(start, values))
        n = 1 if extent is None else extent
        total *= sum(0 <= first + at * step < size for at in range(n))
    return total


def counted(program: Program) -> dict[str, Traffic]:
    found = {buffer.name: Traffic() for buffer in (*program.inputs, *program.results)}
    for stage in program.stages:
        (core,) = stage.grid
        for value in range(core.extent):
            for move, values in points(stage.body, {core.var: value}):
                for region, is_read in ((move.src, True), (move.dst, False)):
                    if region.buffer.memory is Memory.GM:
                        n = n_inside(region, values) * region.buffer.dtype.n_bytes
                        found[region.buffer.name] += Traffic(n, 0) if is_read else Traffic(0, n)
    return found


@pytest.mark.parametrize(("m", "n"), [(1, 1), (16, 16), (17, 15), (47, 61), (100, 33)])
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_it_is_what_a_plain_loop_counts(m: int, n: int, dtype: str):
    program = everything.program(M=m, N=n, dtype=dtype)
    assert gm_traffic(program) == counted(program)


def test_a_product_reads_each_operand_once_for_every_tile_of_the_other():
    program = gemm.program(M=130, N=200, K=70, dtype="float16", **TILES)
    found = gm_traffic(program)
    assert found == {
        "a": Traffic(read=2 * 130 * 70 * 2),
        "b": Traffic(read=2 * 70 * 200 * 2),
        "c": Traffic(written=130 * 200 * 4),
    }
    assert total_traffic(found) == Traffic(2 * (130 + 200) * 70 * 2, 130 * 200 * 4)


def test_workspace_counts_too():
    program = tl.kernel("x[M]: T -> y[M]: T")(through_workspace).program(M=20, dtype="float32")
    assert gm_traffic(program)["space"] == Traffic(read=80, written=80)


def through_workspace(x: tl.Tensor, y: tl.Tensor) -> None:
    space = tl.alloc_gm(x.shape, x.dtype)
    for source, target in ((x, space), (space, y)):
        for i in tl.cores(2):
            tile = tl.alloc_ub((16,), x.dtype)
            tl.data_move(tile, source[i * 16])
            tl.data_move(target[i * 16], tile)


def test_large_programs_are_counted_at_once():
    n = 1 << 20
    found = gm_traffic(gemm.program(M=n, N=n, K=n, dtype="float16", **TILES))
    assert found["a"].read == n * n * 2 * (n // 128)
