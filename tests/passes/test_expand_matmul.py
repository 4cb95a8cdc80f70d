"""`expand_matmul`: the same product in steps that fit L0A and L0B, whatever the sizes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tilelang.diagnostics import Location
from tilelang.dtypes import DType
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.nodes import (
    Alloc,
    Body,
    Core,
    If,
    Loop,
    LoopKind,
    Matmul,
    Mmad,
    Move,
    Program,
    Stage,
    Stmt,
)
from tilelang.ir.region import AsMatrix, Buffer, Memory, Permute, Region, view_shape, whole
from tilelang.ir.walk import walk, walk_program
from tilelang.layouts import ND, Layout, LayoutKind, layout_for
from tilelang.machines import Machine, find_machine
from tilelang.passes.expand_matmul import expand_matmul

Array = NDArray[Any]

ASCEND = find_machine("ascend910")
TURNED = Permute(((1,), (0,)))


def in_l1(name: str, shape: tuple[int, ...], dtype: str = "float16") -> Buffer:
    kind = LayoutKind.NZ if len(shape) == 2 else LayoutKind.FRACTAL_Z
    return Buffer(name, Memory.L1, DType(dtype), shape, layout_for(kind, DType(dtype)))


def in_l0c(name: str, shape: tuple[int, ...], dtype: str = "float32") -> Buffer:
    return Buffer(name, Memory.L0C, DType(dtype), shape, Layout(LayoutKind.NZ, 16))


def region(
    of: Buffer, start: Sequence[int], extent: Sequence[int | None], view: Any = None
) -> Region:
    seen = view if view is not None else Permute(tuple((axis,) for axis in range(of.rank)))
    starts = tuple(ix.constant(first) for first in start)
    return Region(of, seen, starts, (1,) * len(start), tuple(extent))


def program_of(*body: Stmt, grid: tuple[Core, ...] = ()) -> Program:
    return Program("test", (), (), (), (), (Stage(grid, body),))


def expanded(*body: Stmt, machine: Machine = ASCEND) -> Body:
    return expand_matmul(program_of(*body), machine).stages[0].body


def simple(
    m: int, k: int, n: int, dtype: str = "float16", init: Condition = cond.TRUE
) -> tuple[Stmt, ...]:
    """Return the product of two whole buffers, and their allocations."""
    acc = in_l0c("acc", (m, n), "int32" if dtype == "int8" else "float32")
    a1, b1 = in_l1("a1", (m, k), dtype), in_l1("b1", (k, n), dtype)
    product = Matmul(whole(acc), whole(a1), whole(b1), init)
    return (*(Alloc(one) for one in (acc, a1, b1)), product)


def most_bytes(body: Body, memory: Memory, n_copies: int = 1) -> int:
    """Return the most bytes that live in a memory at one time, double buffering counted."""
    held = most = 0
    for stmt in body:
        match stmt:
            case Alloc(buffer) if buffer.memory is memory:
                held += buffer.n_bytes * n_copies
            case Loop():
                most = max(most, held + most_bytes(stmt.body, memory, n_copies * stmt.stages))
            case If():
                inside = (
                    most_bytes(part, memory, n_copies) for part in (stmt.then, stmt.otherwise)
                )
                most = max(most, held + max(inside))
            case _:
                pass
        most = max(most, held)
    return most


def fits(body: Body, machine: Machine = ASCEND) -> bool:
    return all(most_bytes(body, m) <= machine.capacity[m] for m in (Memory.L0A, Memory.L0B))


class Meaning:
    """Runs loops, allocations, moves and products on numpy arrays, in a few lines."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self.arrays = dict(arrays)
        self.variables: dict[str, int] = {}

    def run(self, body: Body) -> None:
        for stmt in body:
            match stmt:
                case Alloc(buffer):
                    self.arrays.setdefault(buffer.name, np.zeros(buffer.shape))
                    if buffer.memory in (Memory.L0A, Memory.L0B):
                        self.arrays[buffer.name] = np.full(buffer.shape, np.nan)
                case Loop():
                    for value in range(ix.evaluate(stmt.extent, self.variables)):
                        self.variables[stmt.var] = value
                        self.run(stmt.body)
                case If():
                    holds = cond.holds(stmt.condition, self.variables)
                    self.run(stmt.then if holds else stmt.otherwise)
                case Move():
                    self.write(stmt.dst, self.read(stmt.src))
                case Matmul(dst, a, b, init) | Mmad(dst, a, b, init):
                    before = 0 if cond.holds(init, self.variables) else self.read(dst)
                    self.write(dst, before + self.read(a) @ self.read(b))
                case _:
                    raise NotImplementedError(stmt)

    def read(self, of: Region) -> Array:
        return self._seen(of)[self._slices(of)]

    def write(self, of: Region, values: Array) -> None:
        assert isinstance(of.view, Permute)
        self._seen(of)[self._slices(of)] = values

    def _slices(self, of: Region) -> tuple[Any, ...]:
        starts = [ix.evaluate(start, self.variables) for start in of.start]
        parts = zip(starts, of.step, of.extent, strict=True)
        return tuple(
            first if extent is None else slice(first, first + extent * step, step)
            for first, step, extent in parts
        )

    def _seen(self, of: Region) -> Array:
        array = self.arrays[of.buffer.name]
        if isinstance(of.view, Permute):
            return array.transpose([group[0] for group in of.view.groups])
        n_out, n_channels, *kernel = array.shape
        n_blocks, k0 = -(-n_channels // 16), 16
        padded = np.zeros((n_out, n_blocks * k0, *kernel))
        padded[:, :n_channels] = array
        split = padded.reshape(n_out, n_blocks, k0, *kernel)
        return split.transpose(1, 3, 4, 2, 0).reshape(-1, n_out)


def numbers(*shape: int) -> Array:
    return np.random.default_rng(len(shape)).integers(-4, 5, shape).astype(np.float64)


def same_meaning(body: Sequence[Stmt], machine: Machine = ASCEND) -> None:
    """Assert that the pass changes nothing that can be seen."""
    buffers = [stmt.buffer for stmt in walk(tuple(body)) if isinstance(stmt, Alloc)]
    arrays = {one.name: numbers(*one.shape) for one in buffers}
    before, after = (Meaning({n: a.copy() for n, a in arrays.items()}) for _ in range(2))
    before.run(tuple(body))
    after.run(expanded(*body, machine=machine))
    for one in buffers:
        np.testing.assert_array_equal(after.arrays[one.name], before.arrays[one.name])


def small(l0a: int, l0b: int) -> Machine:
    """Return a machine with little room."""
    return replace(ASCEND, capacity={**ASCEND.capacity, Memory.L0A: l0a, Memory.L0B: l0b})


BLOCKS = st.integers(1, 5)


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(BLOCKS, BLOCKS, BLOCKS),
    st.booleans(),
    st.sampled_from(["float16", "int8", "float32"]),
    st.data(),
)
def test_the_product_is_the_same_in_any_room(
    blocks: tuple[int, int, int], init: bool, dtype: str, data: st.DataObject
):
    k0 = DType(dtype).k0
    m, k, n = 16 * blocks[0], k0 * blocks[1], 16 * blocks[2]
    machine = small(512 * data.draw(st.integers(1, 8)), 512 * data.draw(st.integers(1, 8)))
    body = simple(m, k, n, dtype, cond.Truth(init))
    same_meaning(body, machine)
    assert fits(expanded(*body, machine=machine), machine)


@pytest.mark.parametrize("extent", [1, 15, 17, 33])
def test_sizes_that_fill_no_whole_fractal(extent: int):
    for sizes in ((extent, 16, 32), (16, extent, 16), (32, 48, extent)):
        same_meaning(simple(*sizes), small(1024, 1024))


def test_a_product_that_fits_is_two_loads_and_one_product():
    *_, a0, b0, load_a, load_b, product = expanded(*simple(128, 64, 128))
    assert isinstance(a0, Alloc)
    assert isinstance(b0, Alloc)
    assert (a0.buffer.name, a0.buffer.memory, a0.buffer.layout) == (
        "a1_l0a",
        Memory.L0A,
        Layout(LayoutKind.ZZ, 16),
    )
    assert (b0.buffer.name, b0.buffer.memory, b0.buffer.layout) == (
        "b1_l0b",
        Memory.L0B,
        Layout(LayoutKind.ZN, 16),
    )
    assert isinstance(load_a, Move)
    assert isinstance(load_b, Move)
    assert isinstance(product, Mmad)
    assert (
        (load_a.dst, load_b.dst) == (product.a, product.b) == (whole(a0.buffer), whole(b0.buffer))
    )
    assert product.init == cond.TRUE


@pytest.mark.parametrize(
    ("m", "k", "n", "stages"),
    [
        (16, 256, 1024, 1),
        (16, 256, 1024, 2),
        (1024, 256, 16, 2),
        (256, 256, 256, 2),
        (4096, 32, 4096, 2),
    ],
)
def test_tiles_of_every_shape_fit_double_buffered(m: int, k: int, n: int, stages: int):
    *allocs, product = simple(m, k, n)
    inside = Loop("t", ix.constant(3), LoopKind.SERIAL, stages, (product,))
    found = expanded(*allocs, inside)
    assert fits(found)
    assert most_bytes(found, Memory.L0B) > ASCEND.capacity[Memory.L0B] // 4 or m > n


def test_k_is_split_first_and_evenly():
    found = [stmt for stmt in walk(expanded(*simple(16, 272, 1024))) if isinstance(stmt, Mmad)]
    assert [product.a.shape for product in found] == [(16, 32), (16, 16)]
    loops = [stmt for stmt in walk(expanded(*simple(16, 272, 1024))) if isinstance(stmt, Loop)]
    assert [(one.var, one.extent) for one in loops] == [("acc_k", ix.constant(8))]


def test_n_and_m_are_split_only_when_one_step_of_k_is_too_much():
    products = [s for s in walk(expanded(*simple(16, 32, 4096))) if isinstance(s, Mmad)]
    assert {p.b.shape for p in products} == {(16, 2048)}
    products = [s for s in walk(expanded(*simple(4096, 32, 16))) if isinstance(s, Mmad)]
    assert {p.a.shape for p in products} == {(2048, 16)}


def steps(m: int, k: int, n: int, machine: Machine = ASCEND) -> list[tuple[int, int, int]]:
    """Return k, number and stages of the steps of a product in a double-buffered loop."""
    *allocs, product = simple(m, k, n)
    inside = Loop("t", ix.constant(3), LoopKind.SERIAL, 2, (product,))
    found = expanded(*allocs, inside, machine=machine)
    loops = [stmt for stmt in walk(found) if isinstance(stmt, Loop) and stmt.var == "acc_k"]
    products = (stmt for stmt in walk(found) if isinstance(stmt, Mmad))
    return [
        (product.a.shape[1], loop.extent.constant, loop.stages)
        for loop, product in zip(loops, products, strict=False)
    ]


def test_steps_are_double_buffered_where_products_hide_their_loads():
    assert steps(128, 128, 256) == [(32, 4, 2)]
    assert steps(128, 64, 256) == [], "one block needs no steps"
    assert steps(256, 128, 128) == [(64, 2, 1)], "16 loads of rows of `a` take as long"
    assert steps(16, 256, 512) == [(32, 8, 1)], "columns of `b` are used once"


def test_a_machine_without_rates_of_loads_has_no_steps_in_turn():
    host = find_machine("host")
    small = replace(host, capacity={**host.capacity, Memory.L0A: 65536, Memory.L0B: 65536})
    assert steps(128, 128, 256, small) == [(64, 2, 1)]


def test_only_the_first_step_may_begin_the_sum():
    first = cond.equal(ix.variable("t"), ix.ZERO)
    found = [s for s in walk(expanded(*simple(16, 272, 1024, init=first))) if isinstance(s, Mmad)]
    step = cond.equal(ix.variable("acc_k"), ix.ZERO)
    assert [product.init for product in found] == [cond.conjunction(first, step), cond.FALSE]


def test_transposed_operands_are_transposed_by_their_loads():
    acc, a1, b1 = in_l0c("acc", (32, 48)), in_l1("a1", (64, 32)), in_l1("b1", (48, 64))
    a, b = region(a1, [0, 0], [32, 64], TURNED), region(b1, [0, 0], [64, 48], TURNED)
    body = (*map(Alloc, (acc, a1, b1)), Matmul(whole(acc), a, b, cond.TRUE))
    for machine in (ASCEND, small(1024, 1024)):
        same_meaning(body, machine)
        moves = [s for s in walk(expanded(*body, machine=machine)) if isinstance(s, Move)]
        assert {move.src.view for move in moves} == {TURNED}


def test_parts_of_buffers_and_of_tile_arrays():
    acc, a1 = (
        in_l0c("acc", (2, 64, 64)),
        Buffer(
            "a1", Memory.L1, DType.FLOAT16, (3, 64, 96), layout_for(LayoutKind.NZ, DType.FLOAT16)
        ),
    )
    b1 = in_l1("b1", (128, 80))
    product = Matmul(
        region(acc, [1, 16, 32], [None, 48, 32]),
        region(a1, [2, 16, 32], [None, 48, 64]),
        region(b1, [48, 16], [64, 32]),
        cond.FALSE,
    )
    for machine in (ASCEND, small(1024, 1536)):
        same_meaning((*map(Alloc, (acc, a1, b1)), product), machine)


@pytest.mark.parametrize("n_channels", [16, 20])
def test_weights_seen_as_a_matrix(n_channels: int):
    w1 = in_l1("w1", (32, n_channels, 3, 2))
    k, n_out = view_shape(w1, AsMatrix())
    acc, a1 = in_l0c("acc", (16, n_out)), in_l1("a1", (16, k))
    product = Matmul(whole(acc), whole(a1), region(w1, [0, 0], [k, n_out], AsMatrix()), cond.TRUE)
    for machine in (ASCEND, small(1024, 1024)):
        same_meaning((*map(Alloc, (acc, a1, w1)), product), machine)


def test_operands_that_users_keep_in_l0_are_counted():
    held = Buffer(
        "held", Memory.L0B, DType.FLOAT16, (128, 224), layout_for(LayoutKind.ZN, DType.FLOAT16)
    )
    for place in (0, 4):
        body = list(simple(64, 64, 128))
        body.insert(place, Alloc(held))
        assert fits(expanded(*body))
    outside = Loop("t", ix.constant(2), LoopKind.SERIAL, 2, simple(64, 64, 128)[3:])
    assert fits(expanded(*simple(64, 64, 128)[:3], Alloc(held), outside))


def test_products_that_follow_each_other_use_the_same_room():
    acc, a1, b1 = in_l0c("acc", (128, 128)), in_l1("a1", (128, 256)), in_l1("b1", (256, 128))
    product = Matmul(whole(acc), whole(a1), whole(b1), cond.TRUE)
    body = (*map(Alloc, (acc, a1, b1)), product, product, product)
    found = expanded(*body)
    assert fits(found)
    same_meaning(body)
    products = [stmt for stmt in walk(found) if isinstance(stmt, Mmad)]
    assert [product.a.shape for product in products] == [(128, 256)] * 3


def test_products_in_branches_and_nested_loops():
    *allocs, product = simple(32, 64, 48)
    add = (
        replace(product, init=cond.equal(ix.variable("t"), ix.ZERO))
        if isinstance(product, Matmul)
        else product
    )
    branch = If(cond.less(ix.variable("t"), ix.constant(2)), (add,), (add, add))
    body = (*allocs, Loop("t", ix.constant(3), LoopKind.SERIAL, 2, (branch,)))
    for machine in (ASCEND, small(4096, 4096)):
        same_meaning(body, machine)
        assert fits(expanded(*body, machine=machine), machine)


def test_names_are_new_and_unique():
    acc, a1, b1 = in_l0c("acc", (16, 16)), in_l1("a1", (16, 512)), in_l1("b1", (512, 16))
    taken = Buffer("a1_l0a", Memory.UB, DType.FLOAT16, (16, 16), ND)
    product = Matmul(whole(acc), whole(a1), whole(b1), cond.TRUE)
    inside = Loop("acc_k", ix.constant(2), LoopKind.SERIAL, 1, (product, product))
    grid = (Core("acc_once", 1),)
    before = program_of(*map(Alloc, (taken, acc, a1, b1)), inside, grid=grid)
    found = expand_matmul(before, small(1024, 1024))
    statements = list(walk_program(found))
    names = [s.buffer.name for s in statements if isinstance(s, Alloc)]
    names += ["acc_once", *(s.var for s in statements if isinstance(s, Loop))]
    assert len(names) == len(set(names))
    assert "a1_l0a" in names


def test_a_rest_finds_the_room_of_what_came_before_it():
    for sizes in ((16, 80, 16), (16, 16, 80), (80, 16, 16)):
        machine = small(3 * 512, 3 * 512)
        assert fits(expanded(*simple(*sizes), machine=machine), machine)


def test_operands_with_steps():
    acc, a1, b1 = in_l0c("acc", (32, 32)), in_l1("a1", (32, 96)), in_l1("b1", (96, 32))
    a = replace(region(a1, [0, 1], [32, 32]), step=(1, 3))
    b = replace(region(b1, [2, 0], [32, 32]), step=(2, 1))
    body = (*map(Alloc, (acc, a1, b1)), Matmul(whole(acc), a, b, cond.TRUE))
    same_meaning(body, small(512, 512))


def test_what_has_no_room_at_all_is_left_to_the_verifier():
    found = expanded(*simple(64, 64, 64), machine=small(100, 100))
    products = [stmt for stmt in walk(found) if isinstance(stmt, Mmad)]
    assert {(p.a.shape, p.b.shape) for p in products} == {((16, 16), (16, 16))}


def test_places_of_the_user_s_lines_are_kept():
    here, there = Location("kernel.py", 7), Location("kernel.py", 7, 3)
    *allocs, product = simple(16, 64, 16)
    assert isinstance(product, Matmul)
    a = replace(product.a, loc=there)
    found = expanded(*allocs, replace(product, a=a, loc=here))
    assert {stmt.loc for stmt in found[3:]} == {here}
    assert next(s.src.loc for s in found if isinstance(s, Move)) == there


def test_a_program_without_products_stays_as_it_is():
    nothing = program_of(Alloc(in_l1("a1", (16, 16))))
    assert expand_matmul(nothing, ASCEND) == nothing


def test_products_of_nothing():
    same_meaning(simple(16, 0, 16))
    same_meaning(simple(0, 16, 16))
