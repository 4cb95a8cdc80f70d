"""Stages of cube and vector work, cut in two: the same numbers, one kind of core each."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import tilelang as tl
from tests.programs import programs
from tilelang.arguments import allocate, physical_kinds
from tilelang.backends.numpy import BACKEND
from tilelang.ir.nodes import Move, Program, Stage
from tilelang.ir.region import Memory
from tilelang.ir.walk import reads, walk, written
from tilelang.kernels.gemm import gemm
from tilelang.kernels.gemm_bias_relu import gemm_bias_relu
from tilelang.kernels.linear import linear
from tilelang.kernels.lstm import lstm
from tilelang.machines import find_machine
from tilelang.passes import adapt, lower
from tilelang.passes.separate import separate
from tilelang.verify import verify

SPLIT, WHOLE = find_machine("ascend910b"), find_machine("ascend910")
CUBE = {Memory.L1, Memory.L0A, Memory.L0B, Memory.L0C}


def made(kernel: tl.Kernel, **keywords: Any) -> Program:
    """Return `kernel` as it is before its paths are those of a machine."""
    return kernel.program(machine="ascend910", dtype="float16", **keywords)


def memories(stage: Stage) -> set[Memory]:
    return {
        region.buffer.memory
        for stmt in walk(stage.body)
        for region in (*reads(stmt), *filter(None, (written(stmt),)))
    } - {Memory.GM}


def results(program: Program, machine: str, seed: int = 0) -> list[np.ndarray[Any, Any]]:
    random = np.random.default_rng(seed)
    given_ = [
        b.layout.pack(random.integers(-3, 4, b.shape).astype(b.dtype.numpy)) for b in program.inputs
    ]
    found = allocate(physical_kinds(program.results), None)
    BACKEND.compile(program, find_machine(machine))(*given_, *found)
    return list(found)


@pytest.mark.parametrize("kernel", [gemm_bias_relu, linear], ids=lambda kernel: kernel.name)
def test_products_and_their_epilogue_become_two_stages(kernel: tl.Kernel) -> None:
    program = made(kernel, M=40, N=48, K=50)
    cube, vector = separate(program, SPLIT).stages
    assert memories(cube) <= CUBE
    assert memories(vector) == {Memory.UB}
    assert [core.extent for core in vector.grid] == [core.extent for core in cube.grid]


def test_the_numbers_stay() -> None:
    for kernel in (gemm_bias_relu, linear):
        program = made(kernel, M=40, N=48, K=50)
        cut = verify(adapt(program, SPLIT), SPLIT)
        for found, wanted in zip(
            results(cut, "ascend910b"), results(program, "ascend910"), strict=True
        ):
            np.testing.assert_array_equal(found, wanted)


@settings(max_examples=60, deadline=None)
@given(programs())
def test_any_program_keeps_its_numbers_and_its_rules(program: Program) -> None:
    cut = adapt_or_none(program)
    if cut is None or len(cut.stages) == len(program.stages):
        return
    for found, wanted in zip(results(cut, "ascend910b"), results(program, "host"), strict=True):
        np.testing.assert_array_equal(found, wanted)


def adapt_or_none(program: Program) -> Program | None:
    """Return `program` on the 910B; None if it was drawn with a path that the chip has not."""
    try:
        return verify(adapt(program, SPLIT), SPLIT)
    except tl.TileError as error:
        codes = {diagnostic.code for diagnostic in error.diagnostics}
        if codes <= {"E0312", "E0314", "E0380"} and "_results" not in str(error):
            return None
        raise


def test_every_move_out_has_a_place_of_its_own_in_workspace() -> None:
    program = made(gemm_bias_relu, M=256, N=128, K=16)
    (workspace,) = separate(program, SPLIT).workspaces
    assert workspace.shape == (2, 1, 4, 32, 128)  # cores, cores, chunks of rows, a chunk
    assert workspace.layout.kind.value == "NZ"


def test_names_stay_unique() -> None:
    cut = separate(made(gemm_bias_relu, M=256, N=128, K=16), SPLIT)
    names = [core.var for stage in cut.stages for core in stage.grid]
    assert len(set(names)) == len(names)
    assert lower(cut, SPLIT).stages


def test_what_leaves_in_one_move_stays_one_stage() -> None:
    program = made(gemm, M=32, N=32, K=32)
    assert separate(program, SPLIT) is program


def test_machines_whose_cores_do_both_are_left_alone() -> None:
    program = made(gemm_bias_relu, M=32, N=32, K=32)
    assert separate(program, WHOLE) is program


def test_a_product_that_waits_for_vector_work_stays() -> None:
    program = made(lstm, S=2, B=16, I=16, H=16)
    assert separate(program, SPLIT) is program


def test_a_tensor_that_both_sides_use_keeps_them_together() -> None:
    @tl.kernel("a[M, N]: T -> c[M, N]: T")
    def again(a: tl.Tensor, c: tl.Tensor) -> None:
        work = tl.alloc_gm((16, 16), "float16")
        for _ in tl.cores(1):
            acc, u = tl.alloc_l0c((16, 16), "float32"), tl.alloc_ub((16, 16), "float16")
            a1 = tl.alloc_l1((16, 16), "float16")
            for _ in tl.for_range(2):
                tl.data_move(u, a)
                u[:] = u * 2
                tl.data_move(work, u)
                tl.data_move(a1, work)
                tl.matmul(acc, a1, a1, init=True)
                out = tl.alloc_ub((16, 16), "float16")
                tl.data_move(out, acc)
                out[:] = tl.relu(out)
                tl.data_move(c, out)

    program = made(again, M=16, N=16)
    assert any(isinstance(stmt, Move) for stmt in walk(program.stages[0].body))
    assert separate(program, SPLIT) is program
