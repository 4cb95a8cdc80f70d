"""Cycles of tile programs: one kernel, several in turn, and the cores that each runs on."""

import pytest

import tilelang as tl
from tilelang.backends.tik.cycles import Cycles
from tilelang.backends.tik.cycles.count import count_cycles
from tilelang.backends.tik.cycles.tile_programs import count_tile_program
from tilelang.backends.tik.lower import lower_kernels
from tilelang.ir.nodes import Program
from tilelang.kernels.gemm import gemm
from tilelang.kernels.linear import linear
from tilelang.kernels.softmax import softmax
from tilelang.machines import find_machine

SPLIT = find_machine("ascend910b")


def on_split_cores(kernel: tl.Kernel, **sizes: int) -> Program:
    return kernel.program(machine="ascend910b", dtype="float16", **sizes)


def busy(cycles: Cycles) -> dict[str, int]:
    return {use.pipe.value: use.busy for use in cycles.pipes}


def test_kernels_in_turn_are_added_up() -> None:
    program = on_split_cores(linear, M=64, N=128, K=64)
    parts = [count_cycles(kernel.program, SPLIT) for kernel in lower_kernels(program, SPLIT)]
    whole = count_tile_program(program, SPLIT)
    assert (whole.name, len(parts)) == ("linear", 2)
    assert whole.total == sum(part.total for part in parts)
    assert whole.launch == 2 * parts[0].launch
    for pipe, cycles in busy(whole).items():
        assert cycles == sum(busy(part)[pipe] for part in parts)
    assert whole.moved["l0c-gm"] == parts[0].moved["l0c-gm"]
    assert whole.moved["gm-ub"] == parts[1].moved["gm-ub"]


def test_results_of_the_cube_keep_fixpipe_busy_and_no_vector_unit() -> None:
    found = busy(count_tile_program(on_split_cores(gemm, M=128, N=128, K=64), SPLIT))
    assert found["FIX"] > 0
    assert found["V"] == found["MTE3"] == 0


def test_vector_work_has_twice_the_cores() -> None:
    sizes = {"M": 48 * 16, "N": 256, "m_tile": 16}
    program = on_split_cores(softmax, **sizes)
    assert count_tile_program(program, SPLIT).n_cores == 48
    assert count_tile_program(on_split_cores(gemm, M=2048, N=2048, K=16), SPLIT).n_cores == 24


def test_a_timeline_is_of_one_kernel() -> None:
    program = on_split_cores(linear, M=16, N=16, K=16)
    with pytest.raises(tl.TileError, match="E1249"):
        count_tile_program(program, SPLIT, timeline=True)
    assert count_tile_program(on_split_cores(gemm, M=16, N=16, K=16), SPLIT, timeline=True).timeline
