"""Each pass keeps the meaning of random programs, and does what it is for."""

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tilelang as tl
from tests.backends.llvm.running import Array, assert_same, expected_of, small_integers
from tests.backends.llvm.test_programs import is_exact
from tests.programs import programs
from tilelang.backends.llvm.module import RUN, generate
from tilelang.backends.llvm.passes import optimise, pipeline
from tilelang.backends.llvm.passes.drop_names import drop_names
from tilelang.backends.llvm.runtime.compiler import Library, RunFunction, compile_text
from tilelang.backends.llvm.runtime.host import find_host
from tilelang.diagnostics import Location
from tilelang.ir.expression import walk_expr
from tilelang.ir.nodes import Alloc, Map, Mmad, Move, Program
from tilelang.ir.region import Memory
from tilelang.ir.walk import reads, walk, walk_program
from tilelang.kernels.conv2d import conv2d
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
    "join_chunks",
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


def test_several_threads_can_share_a_single_pack():
    program = gemm.program(M=512, N=512, K=512, dtype="int8")
    packs, _ = optimise(lower(program, find_machine("host")), HOST).stages
    assert prod(part.extent for part in packs.grid) >= 8


def test_a_load_that_no_core_repeats_stays():
    program = gemm.program(M=16, N=40, K=300, dtype="float16", m_tile=16, n_tile=64)
    assert len(optimise(lower(program, find_machine("host")), HOST).stages) == 1


def test_an_accumulator_goes_to_the_tensor_without_a_stop():
    even = gemm.program(M=64, N=64, K=64, dtype="float32", m_tile=32, n_tile=32)
    ragged = gemm.program(M=100, N=100, K=100, dtype="float32", m_tile=32, n_tile=112)
    for program in (even, ragged):
        assert not {Memory.UB, Memory.L0C} & memories(program)


@tl.kernel("x[N]: T; is_in_place -> y[N]: T")
def many_steps(x: tl.Tensor, y: tl.Tensor, *, is_in_place: bool = True, n_steps: int = 1) -> None:
    """Go towards 0 in as many steps, each of which reads what the last one left three times."""
    t = tl.alloc_ub((64,), x.dtype)
    tl.data_move(t, x)
    for _ in range(n_steps):
        found = t if is_in_place else tl.alloc_ub((64,), x.dtype, name="found")
        found[:] = tl.where(t > 0, t - 1, t + 1)
        t = found
    tl.data_move(y, t)


def test_an_expression_that_is_read_several_times_does_not_grow_without_end():
    program = many_steps.program(N=64, dtype="float32", n_steps=12)
    made = optimise(lower(program, find_machine("host")), HOST)
    maps = [stmt for stmt in walk_program(made) if isinstance(stmt, Map)]
    assert max(sum(1 for _ in walk_expr(stmt.expr)) for stmt in maps) < 1000


@pytest.mark.parametrize("is_in_place", [True, False])
def test_a_body_of_hundreds_of_statements_compiles(is_in_place: bool):
    x = np.arange(-32, 32, dtype=np.float32)
    found = many_steps(x, backend="llvm", n_steps=300, is_in_place=is_in_place)
    np.testing.assert_array_equal(found, np.where(x % 2 == 0, 0, 1))


def test_an_accumulator_whose_columns_end_at_a_place_known_late_stays():
    program = gemm.program(M=100, N=100, K=100, dtype="float32", m_tile=32, n_tile=64)
    assert Memory.UB not in memories(program)
    assert Memory.L0C in memories(program)


def test_weights_go_into_the_form_of_the_cube_once_for_all_cores():
    sizes = {"N": 4, "C": 32, "H": 9, "W": 9, "O": 32, "R": 3, "S": 3}
    keywords: dict[str, Any] = {**sizes, "m_tile": 16, "n_tiles": 1}
    program = conv2d.program(dtype="float16", **keywords)
    pack, rest = optimise(lower(program, find_machine("host")), HOST).stages
    assert [stmt for stmt in walk(pack.body) if isinstance(stmt, Move)]
    read = [region.buffer.name for stmt in walk(rest.body) for region in reads(stmt)]
    assert "w" not in read
    assert "weights" not in read


def test_weights_of_half_a_block_of_channels_keep_their_tile():
    """Behind its last channel a tile's matrix is zero; the tensor's goes on there."""

    @tl.kernel("w[O, C, R, S]: float16, a[M, K]: float16 @ ZZ -> y[M, O]: float32")
    def multiply(w: tl.Tensor, a: tl.Tensor, y: tl.Tensor) -> None:
        tile = tl.alloc_l1((w.shape[0], 8, *w.shape[2:]), w.dtype)
        a0 = tl.alloc_l0a((a.shape[0], a.shape[1]), a.dtype)
        b0 = tl.alloc_l0b((a.shape[1], w.shape[0]), w.dtype)
        acc = tl.alloc_l0c((a.shape[0], w.shape[0]), "float32")
        out = tl.alloc_ub((a.shape[0], w.shape[0]), "float32")
        tl.data_move(tile, w[0, 0, 0, 0])
        tl.data_move(b0, tl.as_matrix(tile))
        tl.data_move(a0, a)
        tl.mmad(acc, a0, b0, init=True)
        tl.data_move(out, acc)
        tl.data_move(y, out)

    program = multiply.program(O=16, C=16, R=1, S=1, M=16, K=16)
    lowered = optimise(lower(program, find_machine("host")), HOST)
    assert "tile" in {s.buffer.name for s in walk_program(lowered) if isinstance(s, Alloc)}
    inputs = small_integers(program.inputs, 3)
    (found,), (wanted,) = run_lowered(lowered, inputs), expected_of(program, inputs)
    assert_same(found, wanted)


@pytest.mark.parametrize(("m", "n_rows"), [(1, 8), (8, 8), (9, 16), (16, 16), (33, 48)])
def test_rows_of_a_product_that_no_one_reads_are_left_out(m: int, n_rows: int):
    program = gemm.program(M=m, N=16, K=16, dtype="float16", m_tile=-(-m // 16) * 16)
    lowered = optimise(lower(program, find_machine("host")), HOST)
    products = [stmt for stmt in walk_program(lowered) if isinstance(stmt, Mmad)]
    rows = {(stmt.dst.shape[0], stmt.a.shape[0]) for stmt in products}
    assert rows == {(min(n_rows, -(-m // 8) * 8),) * 2}


def test_rows_of_windows_end_with_the_map():
    sizes: dict[str, Any] = {"N": 1, "C": 16, "H": 7, "W": 7, "O": 16, "R": 1, "S": 1}
    program = conv2d.program(dtype="float16", **sizes)
    lowered = optimise(lower(program, find_machine("host")), HOST)
    assert {s.a.shape[0] for s in walk_program(lowered) if isinstance(s, Mmad)} == {49}


@given(program=programs())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_dropping_names_changes_nothing_that_counts(program: Program):
    assert drop_names(program) == program


@pytest.mark.parametrize(("m", "n", "k"), [(17, 33, 65), (300, 64, 16)])
def test_a_program_without_names_makes_the_same_code(m: int, n: int, k: int):
    program = gemm.program(dtype="int8", M=m, N=n, K=k)
    named, plain = (lower(it, find_machine("host")) for it in (program, drop_names(program)))
    texts = [generate(optimise(it, HOST), HOST).text for it in (named, plain)]
    assert texts[0] == texts[1]
    assert "NamedInt" in {type(number).__name__ for number in numbers_in(program)}
    assert {type(number) for number in numbers_in(plain)} <= {int, bool, float}


def numbers_in(node: Any) -> Iterator[int | float]:
    """Yield every number of a program's nodes."""
    held: list[Any] = []
    match node:
        case int() | float():
            yield node
        case tuple():
            held = [*node]
        case _ if is_dataclass(node) and not isinstance(node, Location):
            held = [getattr(node, field.name) for field in fields(node)]
        case _:
            pass
    for part in held:
        yield from numbers_in(part)
