"""What statements compute: products, maps, reductions, loops, conditions, stages."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.backends.numpy.programs import (
    allocate,
    box,
    buffer,
    index,
    loop,
    permuted,
    program,
    run,
    stage,
    times,
)
from tilelang.dtypes import DType
from tilelang.ir import condition as cond
from tilelang.ir.expression import (
    Binary,
    BinaryOp,
    Cast,
    Comparison,
    ComparisonOp,
    Expr,
    IndexValue,
    Literal,
    Load,
    Logic,
    LogicNot,
    LogicOp,
    Position,
    Rounding,
    Unary,
    UnaryOp,
    Where,
)
from tilelang.ir.nodes import If, LoopKind, Map, Matmul, Mmad, Move, Program, Reduce, ReduceOp
from tilelang.ir.region import Buffer, whole
from tilelang.layouts import Layout, LayoutKind

Array = NDArray[Any]

F32 = DType.FLOAT32


def random(*shape: int, dtype: str = "float32") -> Array:
    values = np.random.default_rng(3).standard_normal(shape) * 8
    return values.astype(DType(dtype).numpy)


def whole_numbers(*shape: int, dtype: str = "float32") -> Array:
    """Return whole numbers up to 31, of which no sum and no product here rounds."""
    return np.clip(np.rint(random(*shape)), -31, 31).astype(DType(dtype).numpy)


def gemm(m: int, k: int, n: int, *, tiles: tuple[int, int, int], dtype: str) -> Program:
    """Return a matrix product of any size by tiles, one tile of the result per core."""
    m_tile, k_tile, n_tile = tiles
    of_sum = "int32" if dtype == "int8" else "float32"
    a, b = buffer("gm", "a", (m, k), dtype), buffer("gm", "b", (k, n), dtype)
    c = buffer("gm", "c", (m, n), of_sum)
    a1, b1 = (
        buffer("l1", "a1", (m_tile, k_tile), dtype),
        buffer("l1", "b1", (k_tile, n_tile), dtype),
    )
    acc = buffer("l0c", "acc", (m_tile, n_tile), of_sum)
    out = buffer("ub", "out", acc.shape, of_sum, acc.layout)
    steps = loop(
        "k",
        max(-(-k // k_tile), 1),
        *allocate(a1, b1),
        Move(whole(a1), box(a, [times(m_tile, "i"), times(k_tile, "k")], a1.shape)),
        Move(whole(b1), box(b, [times(k_tile, "k"), times(n_tile, "j")], b1.shape)),
        Matmul(whole(acc), whole(a1), whole(b1), cond.equal(index("k"), index(0))),
    )
    store = Move(box(c, [times(m_tile, "i"), times(n_tile, "j")], out.shape), whole(out))
    grid = {"i": -(-m // m_tile), "j": -(-n // n_tile)}
    body = (*allocate(acc), steps, *allocate(out), Move(whole(out), whole(acc)), store)
    return program((a, b), (c,), stage(grid, *body))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "int8"])
@pytest.mark.parametrize(
    "sizes", [(1, 1, 1), (15, 17, 16), (16, 16, 16), (33, 40, 17), (5, 0, 3), (0, 7, 3)]
)
def test_a_matrix_product_of_any_size(sizes: tuple[int, int, int], dtype: str):
    m, k, n = sizes
    a, b = whole_numbers(m, k, dtype=dtype), whole_numbers(k, n, dtype=dtype)
    found = run(gemm(m, k, n, tiles=(16, 32, 16), dtype=dtype), a, b)
    wanted = a.astype(np.float64) @ b.astype(np.float64)
    np.testing.assert_array_equal(found, wanted)


def test_sums_of_int8_products_wrap():
    acc, out = buffer("l0c", "acc", (16, 16), "int32"), buffer("ub", "out", (16, 16), "int32")
    a1, b1 = buffer("l1", "a1", (16, 1024), "int8"), buffer("l1", "b1", (1024, 16), "int8")
    a, b = buffer("gm", "a", a1.shape, "int8"), buffer("gm", "b", b1.shape, "int8")
    c = buffer("gm", "c", (16, 16), "int32")
    first = cond.equal(index("k"), index(0))
    body = (
        *allocate(acc, a1, b1, out),
        Move(whole(a1), whole(a)),
        Move(whole(b1), whole(b)),
        loop("k", 130, Matmul(whole(acc), whole(a1), whole(b1), first)),
        Move(whole(out), whole(acc)),
        Move(whole(c), whole(out)),
    )
    lowest = np.full((16, 1024), -128, np.int8)
    found = run(program((a, b), (c,), *body), lowest, lowest.T)
    assert 130 * 1024 * 2**14 > 2**31
    assert (found == 130 * 1024 * 2**14 - 2**32).all()


def test_a_transposed_operand_and_a_part_of_an_accumulator():
    a, b = buffer("gm", "a", (16, 32), "float16"), buffer("gm", "b", (48, 32), "float16")
    a1, b1 = buffer("l1", "a1", a.shape, "float16"), buffer("l1", "b1", b.shape, "float16")
    acc, out = buffer("l0c", "acc", (2, 16, 64)), buffer("ub", "out", (16, 48))
    c = buffer("gm", "c", (16, 48))
    turned = permuted((1,), (0,))
    part = box(acc, [1, 0, 16], [None, 16, 48])
    body = (
        *allocate(a1, b1, acc, out),
        Move(whole(a1), whole(a)),
        Move(whole(b1), whole(b)),
        Matmul(part, whole(a1), box(b1, [0, 0], [32, 48], view=turned), cond.TRUE),
        Matmul(part, whole(a1), box(b1, [0, 0], [32, 48], view=turned), cond.FALSE),
        Move(whole(out), part),
        Move(whole(c), whole(out)),
    )
    x, y = whole_numbers(16, 32, dtype="float16"), whole_numbers(48, 32, dtype="float16")
    found = run(program((a, b), (c,), *body), x, y)
    np.testing.assert_array_equal(found, 2 * (x.astype(np.float64) @ y.T.astype(np.float64)))


def test_infinities_and_overflow_make_no_noise():
    a = np.full((16, 16), 6e4, np.float16)
    a[0, 0], a[1, 1] = math.inf, math.nan
    found = run(gemm(16, 16, 16, tiles=(16, 16, 16), dtype="float16"), a, -a)
    assert np.isnan(found[1]).all()
    assert (found[0, 2:] == -math.inf).all()


def vector(expr: Expr, dst: Buffer, *loads: Buffer, dtype: str = "float32") -> Program:
    """Return a program that sets a result to an expression over UB buffers, one an input."""
    tensors = [buffer("gm", f"{one.name}_in", one.shape, str(one.dtype)) for one in loads]
    y = buffer("gm", "y", dst.shape, str(dst.dtype))
    fills = [Move(whole(one), whole(tensor)) for one, tensor in zip(loads, tensors, strict=True)]
    body = (*allocate(*loads, dst), *fills, Map(whole(dst), expr), Move(whole(y), whole(dst)))
    return program(tensors, (y,), *body)


def ub(name: str, *shape: int, dtype: str = "float32") -> Buffer:
    return buffer("ub", name, shape, dtype)


def load(of: Buffer) -> Expr:
    return Load(whole(of))


def test_expressions_broadcast_as_numpy_does():
    x, row, column, one = ub("x", 5, 7), ub("row", 7), ub("column", 5, 1), ub("one", 1, 1)
    total = Binary(BinaryOp.ADD, Binary(BinaryOp.MULTIPLY, load(x), load(row)), load(column))
    expr = Binary(BinaryOp.SUBTRACT, total, load(one))
    values = [random(5, 7), random(7), random(5, 1), random(1, 1)]
    found = run(vector(expr, ub("y0", 5, 7), x, row, column, one), *values)
    a, b, c, d = values
    np.testing.assert_array_equal(found, a * b + c - d)


def test_every_operation_rounds_to_its_own_dtype():
    x = ub("x", 1, dtype="float16")
    big = Binary(BinaryOp.MULTIPLY, load(x), load(x))
    expr = Binary(BinaryOp.DIVIDE, big, load(x))
    found = run(vector(expr, ub("y0", 1, dtype="float16"), x), np.array([300], np.float16))
    assert found[0] == math.inf


def test_positions_indices_and_masks():
    x, y = ub("x", 3, 5, dtype="int32"), buffer("gm", "y", (3, 5), "int32")
    inside = Comparison(ComparisonOp.LESS, Position(1), IndexValue(times(1, "i", 1)))
    odd = Comparison(ComparisonOp.EQUAL, Position(0), Literal(1, DType.INT32))
    mask = Logic(LogicOp.OR, Logic(LogicOp.AND, inside, LogicNot(odd)), odd)
    expr = Where(mask, Binary(BinaryOp.ADD, Position(0), Position(1)), Literal(-1, DType.INT32))
    body = loop("i", 3, *allocate(x), Map(whole(x), expr), Move(whole(y), whole(x)))
    i, j = np.ogrid[:3, :5]
    wanted = np.where(((j < 3) & (i != 1)) | (i == 1), i + j, -1)
    np.testing.assert_array_equal(run(program((), (y,), body)), wanted)


@pytest.mark.parametrize("op", ComparisonOp, ids=str)
def test_comparisons_with_nan_are_false_but_for_unequal(op: ComparisonOp):
    x, z = ub("x", 4), ub("z", 4)
    expr = Cast(Comparison(op, load(x), load(z)), F32)
    left, right = (
        np.array([1, 2, 3, math.nan], np.float32),
        np.array([2, 2, 2, math.nan], np.float32),
    )
    found = run(vector(expr, ub("y0", 4), x, z), left, right)
    signs = {
        "<": [1, 0, 0],
        "<=": [1, 1, 0],
        "==": [0, 1, 0],
        "!=": [1, 0, 1],
        ">": [0, 0, 1],
        ">=": [0, 1, 1],
    }
    assert found.tolist() == [*signs[op.value], float(op is ComparisonOp.NOT_EQUAL)]


def test_an_update_in_place_reads_before_it_writes():
    x, y = ub("x", 4), buffer("gm", "y", (4,))
    three = Literal(3, F32)
    update = Map(
        whole(x), Binary(BinaryOp.SUBTRACT, Binary(BinaryOp.MULTIPLY, load(x), load(x)), load(x))
    )
    body = (
        *allocate(x),
        Map(whole(x), three),
        update,
        loop("i", 2, update),
        Move(whole(y), whole(x)),
    )
    assert run(program((), (y,), *body)).tolist() == [870] * 4


def test_casts_round_as_said():
    x = ub("x", 3)
    for rounding, wanted in (
        (Rounding.NEAREST, [2, -2, 4]),
        (Rounding.AWAY, [3, -3, 4]),
        (Rounding.FLOOR, [2, -3, 3]),
    ):
        expr = Cast(load(x), DType.INT8, rounding)
        found = run(
            vector(expr, ub("y0", 3, dtype="int8"), x), np.array([2.5, -2.5, 3.6], np.float32)
        )
        assert found.tolist() == wanted


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "int8", "uint8", "int32"])
@pytest.mark.parametrize("op", ReduceOp, ids=str)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_reductions_keep_their_axis(op: ReduceOp, axis: int, dtype: str):
    shape = (2, 3, 17)
    reduced = tuple(1 if a == axis else size for a, size in enumerate(shape))
    kept = "float32" if "float" in dtype else "int32"
    of_result = kept if op is ReduceOp.SUM else dtype
    x, y = buffer("gm", "x", shape, dtype), buffer("gm", "y", reduced, of_result)
    tile, out = ub("tile", *shape, dtype=dtype), ub("out", *reduced, dtype=of_result)
    values = np.abs(whole_numbers(*shape)).astype(DType(dtype).numpy)
    body = (
        *allocate(tile, out),
        Move(whole(tile), whole(x)),
        Reduce(whole(out), op, whole(tile), axis),
        Move(whole(y), whole(out)),
    )
    found = run(program((x,), (y,), *body), values)
    exact = values.astype(np.float64)
    function = {ReduceOp.SUM: exact.sum, ReduceOp.MAX: exact.max, ReduceOp.MIN: exact.min}[op]
    np.testing.assert_array_equal(found.astype(np.float64), function(axis=axis, keepdims=True))


def test_chunks_work_on_blocks_of_rows():
    x, y = buffer("gm", "x", (20, 8)), buffer("gm", "y", (20, 1))
    tile, part, total = ub("tile", 20, 8), ub("part", 4, 8), ub("total", 4, 1)
    start = [times(4, "r"), 0]
    chunks = loop(
        "r",
        5,
        *allocate(part, total),
        Move(whole(part), box(tile, start, [4, 8])),
        Reduce(whole(total), ReduceOp.SUM, whole(part), 1),
        Move(box(y, start, [4, 1]), whole(total)),
        kind=LoopKind.CHUNKS,
    )
    values = whole_numbers(20, 8)
    found = run(program((x,), (y,), *allocate(tile), Move(whole(tile), whole(x)), chunks), values)
    np.testing.assert_array_equal(found, values.sum(axis=1, keepdims=True))


def test_extents_may_depend_on_variables_and_be_zero_or_less():
    count, y = ub("count", 1, dtype="int32"), buffer("gm", "y", (1,), "int32")
    add = Map(whole(count), Binary(BinaryOp.ADD, load(count), Literal(1, DType.INT32)))
    clear = Map(whole(count), Literal(0, DType.INT32))
    triangle = loop("i", 5, loop("j", times(1, "i", -2), add), loop("k", times(-1, "i", -1), add))
    body = (*allocate(count), clear, triangle, loop("n", 0, add), Move(whole(y), whole(count)))
    assert run(program((), (y,), *body)).tolist() == [3]


@pytest.mark.parametrize("branch", [0, 1, 2, 3])
def test_conditions_choose_a_branch(branch: int):
    y, tile = buffer("gm", "y", (4,), "int32"), ub("tile", 1, dtype="int32")
    i = index("i")
    is_last = cond.less(index(2), i)
    in_middle = cond.conjunction(cond.less(index(0), i), cond.negate(is_last))

    def set_to(value: int) -> Map:
        return Map(whole(tile), Literal(value, DType.INT32))

    inner = If(in_middle, (set_to(20),), (set_to(30),))
    body = (*allocate(tile), If(cond.equal(i, index(0)), (set_to(10),), (inner,)))
    store = Move(box(y, ["i"], [1]), whole(tile))
    found = run(program((), (y,), stage({"i": 4}, *body, store)))
    assert found[branch] == [10, 20, 20, 30][branch]


def test_conditions_are_combined():
    y, tile = buffer("gm", "y", (6,), "int32"), ub("tile", 1, dtype="int32")
    even = cond.equal(IndexValue(index("i")).index, index(0))
    either = cond.disjunction(even, cond.not_equal(index("i"), index(3)))
    both = cond.negate(cond.conjunction(either, cond.less(index("i"), index(4))))
    choose = If(
        both,
        (Map(whole(tile), Literal(1, DType.INT32)),),
        (Map(whole(tile), Literal(0, DType.INT32)),),
    )
    store = Move(box(y, ["i"], [1]), whole(tile))
    found = run(program((), (y,), stage({"i": 6}, *allocate(tile), choose, store)))
    assert found.tolist() == [int(not ((i == 0 or i != 3) and i < 4)) for i in range(6)]


def test_a_second_stage_sees_all_that_the_first_wrote():
    x, y = buffer("gm", "x", (40,)), buffer("gm", "y", (1,))
    sums = buffer("gm", "sums", (3,))
    tile, total, parts = ub("tile", 16), ub("total", 1), ub("parts", 3)
    first = stage(
        {"i": 3},
        *allocate(tile, total),
        Move(whole(tile), box(x, [times(16, "i")], [16])),
        Reduce(whole(total), ReduceOp.SUM, whole(tile), 0),
        Move(box(sums, ["i"], [1]), whole(total)),
    )
    last = ub("last", 1)
    second = stage(
        {},
        *allocate(parts, last),
        Move(whole(parts), whole(sums)),
        Reduce(whole(last), ReduceOp.SUM, whole(parts), 0),
        Move(whole(y), whole(last)),
    )
    values = whole_numbers(40)
    found = run(program((x,), (y,), *allocate(sums), first, second), values)
    np.testing.assert_array_equal(found, [values.sum()])


def test_several_results_and_a_result_that_is_read_back():
    x, y, z = (buffer("gm", name, (5,)) for name in "xyz")
    tile = ub("tile", 5)
    double = Map(whole(tile), Binary(BinaryOp.ADD, load(tile), load(tile)))
    body = (
        *allocate(tile),
        Move(whole(tile), whole(x)),
        double,
        Move(whole(y), whole(tile)),
        Move(whole(tile), whole(y)),
        double,
        Move(whole(z), whole(tile)),
    )
    values = random(5)
    twice, four_times = run(program((x,), (y, z), *body), values)
    np.testing.assert_array_equal(twice, 2 * values)
    np.testing.assert_array_equal(four_times, 4 * values)


def test_a_map_through_a_merged_view():
    x, y = buffer("gm", "x", (3, 4)), buffer("gm", "y", (3, 4))
    tile = ub("tile", 3, 4)
    merged = box(tile, [2], [9], view=permuted((0, 1)))
    square = Map(merged, Unary(UnaryOp.NEGATE, Load(merged)))
    body = (*allocate(tile), Move(whole(tile), whole(x)), square, Move(whole(y), whole(tile)))
    values = random(3, 4)
    wanted = values.copy().reshape(-1)
    wanted[2:11] *= -1
    np.testing.assert_array_equal(run(program((x,), (y,), *body), values), wanted.reshape(3, 4))


def test_a_product_of_l0_operands_in_parts():
    a, b = buffer("gm", "a", (16, 32), "float16"), buffer("gm", "b", (32, 16), "float16")
    l0a, l0b = buffer("l0a", "l0a", a.shape, "float16"), buffer("l0b", "l0b", b.shape, "float16")
    acc, out, c = buffer("l0c", "acc", (16, 16)), ub("out", 16, 16), buffer("gm", "c", (16, 16))
    k = times(16, "k")
    product = Mmad(
        whole(acc),
        box(l0a, [0, k], [16, 16]),
        box(l0b, [k, 0], [16, 16]),
        cond.equal(index("k"), index(0)),
    )
    body = (
        *allocate(l0a, l0b, acc, out),
        Move(whole(l0a), whole(a)),
        Move(whole(l0b), whole(b)),
        loop("k", 2, product),
        Move(whole(out), whole(acc)),
        Move(whole(c), whole(out)),
    )
    x, y = whole_numbers(16, 32, dtype="float16"), whole_numbers(32, 16, dtype="float16")
    found = run(program((a, b), (c,), *body), x, y)
    np.testing.assert_array_equal(found, x.astype(np.float64) @ y.astype(np.float64))


def test_every_core_starts_with_fresh_variables():
    y, tile = buffer("gm", "y", (2, 3, 2), "int32"), ub("tile", 1, 1, 2, dtype="int32")
    number = Binary(BinaryOp.ADD, IndexValue(times(10, "i")), IndexValue(index("j")))
    store = Move(box(y, ["i", "j", 0], [1, 1, 2]), whole(tile))
    found = run(
        program((), (y,), stage({"i": 2, "j": 3}, *allocate(tile), Map(whole(tile), number), store))
    )
    np.testing.assert_array_equal(found[:, :, 0], [[0, 1, 2], [10, 11, 12]])


def test_an_unusual_layout_on_chip_changes_nothing():
    x, y = buffer("gm", "x", (17, 5)), buffer("gm", "y", (17, 5))
    tile = buffer("ub", "tile", (17, 5), layout=Layout(LayoutKind.NZ, 16))
    body = (*allocate(tile), Move(whole(tile), whole(x)), Move(whole(y), whole(tile)))
    np.testing.assert_array_equal(run(program((x,), (y,), *body), random(17, 5)), random(17, 5))
