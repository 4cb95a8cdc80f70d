"""Each pass keeps the meaning of random programs, and does what it is for."""

import ctypes
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.backends.llvm.running import Array, assert_same, expected_of, small_integers
from tests.backends.llvm.test_programs import is_exact
from tests.programs import programs
from tilelang.backends.llvm.compiler import Library, RunFunction, compile_text
from tilelang.backends.llvm.host import find_host
from tilelang.backends.llvm.module import RUN, generate
from tilelang.backends.llvm.passes import optimise, pipeline
from tilelang.ir.nodes import Alloc, Program
from tilelang.ir.region import Memory
from tilelang.ir.walk import walk_program
from tilelang.kernels.gemm import gemm
from tilelang.machines import find_machine
from tilelang.passes import lower

HOST = find_host()
NAMES = [
    "alias_operands",
    "read_in_place",
    "load_matrix",
    "hoist_packs",
    "inline_elements",
    "trim_products",
    "accumulate_in_place",
]


def run_lowered(program: Program, inputs: Sequence[Array]) -> list[Array]:
    """Run a program that some passes have seen, on one thread."""
    module = generate(program, HOST)
    library = Library(compile_text(module.text, HOST), HOST)
    results = [
        np.full(buffer.layout.physical_shape(buffer.shape), 5, buffer.dtype.numpy)
        for buffer in program.results
    ]
    memory = [np.zeros(n + 64, np.uint8) for n in (*module.workspace_bytes, module.n_scratch_bytes)]
    arrays = [*inputs, *results, *memory[:-1]]
    pointers = (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))
    run = RunFunction(library.address(RUN))
    run(ctypes.addressof(pointers), memory[-1].ctypes.data, None, 0)
    return results


def test_the_pipeline_is_listed_here_in_order():
    found = [getattr(run, "func", run) for run in pipeline(HOST)]
    assert [run.__name__ for run in found] == NAMES


@pytest.mark.parametrize("n_passes", range(len(NAMES) + 1), ids=["none", *NAMES])
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(program=programs().filter(is_exact), seed=st.integers(0, 99))
def test_a_pass_keeps_the_meaning(n_passes: int, program: Program, seed: int):
    inputs = small_integers(program.inputs, seed)
    lowered = lower(program, find_machine("host"))
    for run in pipeline(HOST)[:n_passes]:
        lowered = run(lowered)
    found = run_lowered(lowered, inputs)
    for own, other in zip(found, expected_of(program, inputs), strict=True):
        assert_same(own, other)


def memories(program: Program, n_passes: int = len(NAMES)) -> set[Memory]:
    """Return where the program still has buffers after so many passes."""
    lowered = lower(program, find_machine("host"))
    for run in pipeline(HOST)[:n_passes]:
        lowered = run(lowered)
    return {stmt.buffer.memory for stmt in walk_program(lowered) if isinstance(stmt, Alloc)}


def test_operands_are_read_from_l1():
    program = gemm.program(M=100, N=100, K=100, dtype="float16")
    assert {Memory.L0A, Memory.L0B} <= memories(program, 0)
    assert not {Memory.L0A, Memory.L0B} & memories(program, 1)


def test_a_small_product_reads_its_tensors():
    program = gemm.program(M=16, N=64, K=64, dtype="float32", m_tile=16, n_tile=64)
    assert Memory.L1 in memories(program, 1)
    assert Memory.L1 not in memories(program, 2)


def test_repeated_loads_get_a_stage_of_their_own():
    program = gemm.program(M=100, N=300, K=100, dtype="float16", m_tile=32, n_tile=64)
    lowered = optimise(lower(program, find_machine("host")), HOST)
    assert len(program.stages) == 1
    assert len(lowered.stages) == 3
    assert Memory.L1 not in memories(program)


def test_a_load_that_no_core_repeats_stays():
    program = gemm.program(M=16, N=40, K=300, dtype="float16", m_tile=16, n_tile=64)
    assert len(optimise(lower(program, find_machine("host")), HOST).stages) == 1


def test_an_accumulator_goes_to_the_tensor_without_a_stop():
    ragged = gemm.program(M=100, N=100, K=100, dtype="float32")
    assert Memory.UB not in memories(ragged)
    assert Memory.L0C in memories(ragged)
    even = gemm.program(M=64, N=64, K=64, dtype="float32", m_tile=32, n_tile=32)
    assert Memory.L0C not in memories(even)
