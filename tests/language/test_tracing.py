"""The front end's rules: what a body records, and from which Python it may be called."""

import subprocess
import sys
import textwrap
from typing import Any

import numpy as np
import pytest

import tilelang as tl
from tilelang.diagnostics import TileError
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.nodes import Alloc, If, Loop, LoopKind, Map, Move, Program, Stage
from tilelang.ir.walk import walk_program
from tilelang.kernels.gemm import gemm

SIGNATURE = "x[M, N]: T -> y[M, N]: T"


def traced(kernel: tl.Kernel) -> Program:
    return kernel.program(M=64, N=64, dtype="float16")


def names(program: Program) -> list[str]:
    return [stmt.buffer.name for stmt in walk_program(program) if isinstance(stmt, Alloc)]


def stage(program: Program) -> Stage:
    (only,) = program.stages
    return only


def test_a_buffer_is_called_what_it_is_assigned_to():
    @tl.kernel(SIGNATURE)
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        for i in tl.cores(4):
            tile = tl.alloc_ub((16, 64), x.dtype)
            tiles = [tl.alloc_ub((16, 64), x.dtype) for _ in range(2)]
            named = tl.alloc_ub((16, 64), x.dtype, name="scratch")
            tl.data_move(tile, x[i * 16, 0])
            tiles[0][:] = tile
            tiles[1][:] = tiles[0]
            named[:] = tiles[1]
            tl.data_move(y[i * 16, 0], named)

    assert names(traced(kernel)) == ["tile", "ub_1", "ub_1_2", "scratch"]


def test_names_and_loop_variables_are_unique():
    @tl.kernel(SIGNATURE)
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        for i in tl.cores(4):
            for k in tl.for_range(2):
                t = tl.alloc_ub((16, 64), x.dtype)
                tl.data_move(t, x[i * 16, k])
            for k in tl.for_range(2):
                t = tl.alloc_ub((16, 64), x.dtype)
                tl.data_move(t, x[i * 16, k])
                tl.data_move(y[i * 16, 0], t)

    program = traced(kernel)
    assert names(program) == ["t", "t_2"]
    assert [s.var for s in walk_program(program) if isinstance(s, Loop)] == ["k", "k_2"]


def test_a_body_without_cores_is_a_stage_of_one_core():
    @tl.kernel(SIGNATURE)
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        t = tl.alloc_ub((64, 64), x.dtype)
        tl.data_move(t, x[0, 0])
        tl.data_move(y[0, 0], t)

    assert stage(traced(kernel)).grid == ()


def test_each_cores_loop_is_a_stage_and_workspace_stands_between():
    @tl.kernel(SIGNATURE)
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        between = tl.alloc_gm((64, 64), x.dtype)
        for i in tl.cores(4):
            t = tl.alloc_ub((16, 64), x.dtype)
            tl.data_move(t, x[i * 16, 0])
            tl.data_move(between[i * 16, 0], t)
        for i, j in tl.cores(2, 2):
            t = tl.alloc_ub((32, 32), x.dtype)
            tl.data_move(t, between[i * 32, j * 32])
            tl.data_move(y[i * 32, j * 32], t)

    program = traced(kernel)
    assert [buffer.name for buffer in program.workspaces] == ["between"]
    assert [[core.extent for core in part.grid] for part in program.stages] == [[4], [2, 2]]


def test_nested_cores_loops_make_one_grid():
    @tl.kernel(SIGNATURE)
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        for i in tl.cores(4):
            for j in tl.cores(2):
                t = tl.alloc_ub((16, 32), x.dtype)
                tl.data_move(t, x[i * 16, j * 32])
                tl.data_move(y[i * 16, j * 32], t)

    assert [core.var for core in stage(traced(kernel)).grid] == ["i", "j"]


def test_for_range_from_a_begin_starts_there():
    @tl.kernel(SIGNATURE)
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        for i in tl.cores(4):
            t = tl.alloc_ub((16, 64), x.dtype)
            for k in tl.for_range(i, 7, stages=2):
                tl.data_move(t, x[k, 0])
            tl.data_move(t, x[0, 0])
            tl.data_move(y[i * 16, 0], t)

    loop = next(s for s in walk_program(traced(kernel)) if isinstance(s, Loop))
    i, k = ix.variable("i"), ix.variable("k")
    assert loop.extent == ix.subtract(ix.constant(7), i)
    assert loop.stages == 2
    (move,) = loop.body
    assert isinstance(move, Move)
    assert move.src.start[0] == ix.add(i, k)


def test_chunks_yield_the_first_row_of_each_block():
    @tl.kernel(SIGNATURE)
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        t = tl.alloc_ub((64, 64), x.dtype)
        tl.data_move(t, x[0, 0])
        for r in tl.chunks(t, rows=32):
            t[r : r + 32, :] = tl.relu(t[r : r + 32, :])
        tl.data_move(y[0, 0], t)

    loop = next(s for s in walk_program(traced(kernel)) if isinstance(s, Loop))
    assert (loop.kind, loop.extent) == (LoopKind.CHUNKS, ix.constant(2))
    (relu,) = loop.body
    assert isinstance(relu, Map)
    assert relu.dst.start[0] == ix.scale(ix.variable(loop.var), 32)


def test_branches_chain():
    @tl.kernel(SIGNATURE)
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        for i in tl.cores(4):
            t = tl.alloc_ub((16, 64), x.dtype)
            with tl.if_scope(i == 0):
                t[:] = 0
            with tl.elif_scope((i < 2) | (i == 3)):
                t[:] = 1
            with tl.else_scope():
                t[:] = 2
            tl.data_move(y[i * 16, 0], t)

    branch = stage(traced(kernel)).body[1]
    i = ix.variable("i")
    assert isinstance(branch, If)
    assert branch.condition == cond.equal(i, ix.constant(0))
    (inner,) = branch.otherwise
    assert isinstance(inner, If)
    assert len(inner.then) == len(inner.otherwise) == 1


def test_an_in_place_operator_is_one_map():
    @tl.kernel(SIGNATURE)
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        for i in tl.cores(4):
            t = tl.alloc_ub((16, 64), x.dtype)
            tl.data_move(t, x[i * 16, 0])
            t += 1
            t[:] *= 2
            t[0:8, :] -= t[8:16, :]
            tl.data_move(y[i * 16, 0], t)

    maps = [s for s in walk_program(traced(kernel)) if isinstance(s, Map)]
    assert [m.dst.shape for m in maps] == [(16, 64), (16, 64), (8, 64)]


def test_an_index_with_as_many_axes_as_the_tile_is_a_start():
    @tl.kernel("x[B, M, N]: T -> y[B, M, N]: T")
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        for b in tl.cores(x.shape[0]):
            pair = tl.alloc_ub((2, 16, 64), x.dtype)
            tl.data_move(pair[b % 2], x[b, 3:, 0:])
            tl.data_move(y[b, 0:, 0:], pair[b % 2])

    program = kernel.program(B=3, M=16, N=64, dtype="float16")
    first, second = [s for s in walk_program(program) if isinstance(s, Move)]
    assert (first.dst.extent, first.src.extent) == ((None, 16, 64), (None, 16, 64))
    assert first.src.start == (ix.variable("b"), ix.constant(3), ix.constant(0))
    assert second.src.start[0] == ix.modulo(ix.variable("b"), 2)


def test_a_helper_function_is_named_in_the_message():
    def helper(tile: tl.Tensor, source: object) -> None:
        tl.data_move(tile, source)  # pyright: ignore[reportArgumentType]

    @tl.kernel(SIGNATURE)
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        t = tl.alloc_ub((64, 64), x.dtype)
        helper(t, 3)
        tl.data_move(y[0, 0], t)

    with pytest.raises(TileError) as caught:
        traced(kernel)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.location
    assert diagnostic.location.excerpt("")[0].startswith("tl.data_move(tile, source)")
    assert diagnostic.location.called_from
    assert diagnostic.location.called_from.excerpt("")[0] == "helper(t, 3)"


def test_a_program_for_910b_leaves_by_fixpipe():
    program = gemm.program(M=128, N=128, K=64, dtype="float16", machine="ascend910b")
    moves = [s for s in walk_program(program) if isinstance(s, Move)]
    assert (moves[-1].src.buffer.name, moves[-1].dst.buffer.name) == ("acc", "c")


BODY = """
import tilelang as tl

@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x, y):
    for i in tl.cores(4):
        t = tl.alloc_ub((16, 64), x.dtype)
        if i == 0:
            t[:] = 0

try:
    wrong.program(M=64, N=64, dtype="float16")
except tl.TileError as error:
    print(error)
"""
MESSAGE = """\
{place}: error[E0105]: a condition has no truth value while the kernel is traced
{excerpt}    hint: for a branch write {wish}; combine conditions with `&`, `|` and `~`; \
for min and max write `tl.minimum`, `tl.maximum`
"""
BARE = MESSAGE.format(place="<string>:8:12", excerpt="", wish="`with tl.if_scope(condition):`")


def printed(*command: str) -> str:
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="3.13 knows the source of -c")
def test_without_a_source_the_position_stands_alone():
    assert printed("-c", BODY) == BARE


def test_exec_has_no_source_either():
    assert printed("-c", f"exec({BODY!r})") == BARE


def test_an_ipython_cell_shows_its_line():
    cell = textwrap.dedent(f"""
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance(history_length=0)
        shell.run_cell({BODY!r})
        """)
    found = printed("-c", cell).split("\n", 1)
    assert found[0].endswith(
        "error[E0105]: a condition has no truth value while the kernel is traced"
    )
    assert found[1].startswith("    if i == 0:\n       ^^^^^^\n    hint: for a branch write")


def test_python_may_prepare_values_before_and_inside_traced_bodies():
    @tl.kernel("x[N]: T -> y[N]: T")
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        n = 3
        t = tl.alloc_ub((64,), x.dtype)
        tl.data_move(t, x)
        for k in tl.for_range(2):
            n = 1
            for _ in range(2):
                n = n + 1
            t += n
            with tl.if_scope(k == 0):
                m = n
                t += m
            with tl.else_scope():
                m = 2 * n
                t += m
        tl.data_move(y, t)

    x = np.arange(64, dtype=np.float32)
    np.testing.assert_array_equal(kernel(x), x + 15)


def any_of(number: Any) -> Any:
    """Return `number`, of which the type checker then knows nothing."""
    return number


def test_numbers_of_numpy_are_numbers_on_both_sides_of_a_tile():
    eight, one, two, yes = (any_of(n) for n in (np.int64(8), np.int64(1), 2.0, np.bool_(True)))

    @tl.kernel("x[N]: T -> y[N]: T")
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        t = tl.alloc_ub((eight,), x.dtype)
        tl.data_move(t, x[::one])
        t[:] = any_of(np.float16(2)) * t - any_of(np.int64(3)) + any_of(np.array(0.5))
        t[:] = tl.where(any_of(np.float32(1)) < t, +t, np.int8(-1))
        with tl.if_scope(yes):
            t *= any_of(np.float64(two))
        tl.data_move(y, t)

    x = np.arange(8, dtype=np.float32)
    wanted = 2 * x - 2.5
    np.testing.assert_array_equal(kernel(x), 2 * np.where(wanted > 1, wanted, -1))


def test_two_plain_ints_have_a_plain_maximum_and_minimum():
    five, seven = any_of(np.int64(5)), any_of(np.int64(7))
    assert (tl.maximum(3, 5), tl.minimum(3, five), tl.ceildiv(seven, 2)) == (5, 3, 4)
    assert type(tl.maximum(3, 5)) is int
