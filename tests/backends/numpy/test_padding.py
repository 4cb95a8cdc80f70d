"""Padding is tracked by value: where it may be taken in, and where it is refused."""

import math
from dataclasses import replace
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
from tilelang.diagnostics import TileError
from tilelang.dtypes import DType
from tilelang.ir import condition as cond
from tilelang.ir.expression import (
    Binary,
    BinaryOp,
    Comparison,
    ComparisonOp,
    Expr,
    Literal,
    Load,
    Position,
    Where,
)
from tilelang.ir.index import constant
from tilelang.ir.nodes import (
    Img2col,
    Map,
    Mmad,
    Move,
    Program,
    Reduce,
    ReduceOp,
    Stmt,
    Window,
)
from tilelang.ir.region import Buffer, whole
from tilelang.layouts import LayoutKind, layout_for

Array = NDArray[Any]

X = buffer("gm", "x", (3, 5))
TILE = buffer("ub", "tile", (4, 8))


def load(of: Buffer) -> Expr:
    return Load(whole(of))


def number(value: float) -> Expr:
    return Literal(value, DType.FLOAT32)


def code_of(of: Program, *inputs: Array) -> str | None:
    """Return the code of the error that a program raises, None if it runs."""
    try:
        run(of, *inputs)
    except TileError as error:
        return error.diagnostics[0].code
    return None


def reducing(
    op: ReduceOp, axis: int, *, pad: float, before: tuple[Stmt, ...] = (), tile: Buffer = TILE
) -> Program:
    """Return a program that loads `x` with overhang, changes the tile, and reduces it."""
    shape = (1, 8) if axis == 0 else (4, 1)
    y, out = buffer("gm", "y", shape), buffer("ub", "out", shape)
    body = (
        *allocate(tile, out),
        Move(whole(tile), box(X, [0, 0], (4, 8)), pad),
        *before,
        Reduce(whole(out), op, whole(tile), axis),
        Move(whole(y), whole(out)),
    )
    return program((X,), (y,), *body)


ONES = np.ones((3, 5), np.float32)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("op", ReduceOp, ids=str)
def test_a_reduction_takes_in_padding_that_changes_nothing(op: ReduceOp, axis: int):
    largest = float(np.finfo(np.float32).max)
    neutral = {
        ReduceOp.SUM: [0.0, -0.0],
        ReduceOp.MAX: [-math.inf, -largest],
        ReduceOp.MIN: [math.inf, largest],
    }
    for pad in neutral[op]:
        found = run(reducing(op, axis, pad=pad), ONES)
        n = (3, 5)[axis] if op is ReduceOp.SUM else 1
        assert found.reshape(-1)[: (5, 3)[axis]].tolist() == [n] * (5, 3)[axis]
    for pad in {0.0, -math.inf, math.inf, 1.0, math.nan} - set(neutral[op]):
        assert code_of(reducing(op, axis, pad=pad), ONES) == "E0405"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "int8", "uint8", "int32"])
def test_the_lowest_value_is_neutral_in_every_dtype(dtype: str):
    kept = DType(dtype)
    x, tile = buffer("gm", "x", (5,), dtype), buffer("ub", "tile", (8,), dtype)
    y, out = buffer("gm", "y", (1,), dtype), buffer("ub", "out", (1,), dtype)
    lowest = {
        "float16": -65504.0,
        "bfloat16": -(2 - 2.0**-7) * 2.0**127,
        "int8": -128,
        "uint8": 0,
        "int32": -(2**31),
    }

    def greatest(pad: float) -> Program:
        load_all = Move(whole(tile), box(x, [0], [8]), pad)
        reduce = Reduce(whole(out), ReduceOp.MAX, whole(tile), 0)
        return program(
            (x,), (y,), *allocate(tile, out), load_all, reduce, Move(whole(y), whole(out))
        )

    values = np.arange(5).astype(kept.numpy)
    assert float(run(greatest(lowest[dtype]), values)[0]) == 4
    assert code_of(greatest(3), values) == "E0405"


def test_a_mask_makes_padding_neutral():
    mask = Comparison(ComparisonOp.LESS, Position(1), Literal(5, DType.INT32))
    masked = Map(whole(TILE), Where(mask, load(TILE), number(0)))
    found = run(reducing(ReduceOp.SUM, 1, pad=7, before=(masked,)), ONES)
    assert found[:3].reshape(-1).tolist() == [5, 5, 5]


def test_what_is_computed_from_padding_and_constants_is_padding():
    shifted = Map(whole(TILE), Binary(BinaryOp.ADD, load(TILE), number(1)))
    assert code_of(reducing(ReduceOp.SUM, 1, pad=0, before=(shifted,)), ONES) == "E0405"
    assert code_of(reducing(ReduceOp.SUM, 1, pad=-1, before=(shifted,)), ONES) is None


def test_constants_alone_are_no_padding():
    filled = Map(whole(TILE), number(3))
    assert run(reducing(ReduceOp.SUM, 1, pad=7, before=(filled,)), ONES).tolist() == [[24]] * 4


def test_constants_beside_padding_do_not_make_it_data():
    beyond = Map(box(TILE, [0, 5], [4, 3]), number(3))
    assert (
        run(reducing(ReduceOp.SUM, 1, pad=7, before=(beyond,)), ONES).reshape(-1)[:3].tolist()
        == [14] * 3
    )


def test_what_is_computed_from_padding_and_data_of_its_own_shape_is_data():
    data, full = buffer("ub", "data", (4, 8)), buffer("gm", "full", (4, 8))
    mixed = Map(whole(TILE), Binary(BinaryOp.ADD, load(TILE), load(data)))
    before = (*allocate(data), Move(whole(data), whole(full)), mixed)
    of_both = reducing(ReduceOp.SUM, 1, pad=0, before=before)
    found = run(replace(of_both, inputs=(X, full)), ONES, np.full((4, 8), 2, np.float32))
    assert found[0, 0] == 5 * 3 + 3 * 2


def test_what_is_computed_from_padding_and_a_tile_of_constants_is_padding():
    sums = buffer("ub", "sums", (4, 8))
    clear, add = (
        Map(whole(sums), number(0)),
        Map(whole(sums), Binary(BinaryOp.ADD, load(sums), load(TILE))),
    )
    back = Map(whole(TILE), Binary(BinaryOp.ADD, load(sums), number(1)))
    before = (*allocate(sums), clear, add, add)
    assert code_of(reducing(ReduceOp.SUM, 1, pad=0, before=(*before, back)), ONES) == "E0405"
    assert code_of(reducing(ReduceOp.SUM, 1, pad=-0.5, before=(*before, back)), ONES) is None


@pytest.mark.parametrize("shape", [(4, 1), (1, 8), (1, 1), (8,)], ids=str)
def test_data_that_is_broadcast_does_not_hide_padding(shape: tuple[int, ...]):
    mean = buffer("ub", "mean", shape)
    before = (*allocate(mean), Map(whole(mean), number(2)))
    centred = Map(whole(TILE), Binary(BinaryOp.SUBTRACT, load(TILE), load(mean)))
    for axis in (0, 1):
        assert (
            code_of(reducing(ReduceOp.SUM, axis, pad=0, before=(*before, centred)), ONES) == "E0405"
        )
    assert code_of(reducing(ReduceOp.SUM, 1, pad=2, before=(*before, centred)), ONES) is None


def test_an_outer_sum_of_vectors_is_padding_where_either_is():
    row, column = buffer("ub", "row", (1, 8)), buffer("ub", "column", (4, 1))
    loads = (
        *allocate(row, column),
        Move(whole(row), box(X, [0, 0], [1, 8]), 0),
        Map(whole(column), number(1)),
    )
    outer = Map(whole(TILE), Binary(BinaryOp.ADD, load(row), load(column)))
    assert code_of(reducing(ReduceOp.SUM, 1, pad=0, before=(*loads, outer)), ONES) == "E0405"
    assert code_of(reducing(ReduceOp.SUM, 0, pad=0, before=(*loads, outer)), ONES) is None


def test_padding_travels_through_moves_views_and_workspace():
    turned, shared = buffer("ub", "turned", (8, 4)), buffer("gm", "shared", (4, 8))
    y, out = buffer("gm", "y", (8, 1)), buffer("ub", "out", (8, 1))
    body = (
        *allocate(TILE, turned, out),
        Move(whole(TILE), box(X, [0, 0], (4, 8)), 7),
        Move(whole(shared), whole(TILE)),
        Move(whole(turned), box(shared, [0, 0], (8, 4), view=permuted((1,), (0,)))),
        Reduce(whole(out), ReduceOp.SUM, whole(turned), 1),
        Move(whole(y), whole(out)),
    )
    assert code_of(program((X,), (y,), *allocate(shared), stage({}, *body)), ONES) == "E0405"


def test_a_tile_is_clean_again_after_an_allocation_and_a_full_load():
    full = buffer("gm", "full", (4, 8))
    out, y = buffer("ub", "out", (4, 1)), buffer("gm", "y", (4, 1))
    body = (
        *allocate(TILE, out),
        Move(whole(TILE), box(X, [0, 0], (4, 8)), 7),
        Move(whole(TILE), whole(full)),
        Reduce(whole(out), ReduceOp.SUM, whole(TILE), 1),
        Move(whole(y), whole(out)),
    )
    found = run(program((X, full), (y,), *body), ONES, np.ones((4, 8), np.float32))
    assert found.tolist() == [[8]] * 4


def product_of(
    a_shape: tuple[int, int], b_shape: tuple[int, int], *, pads: tuple[float, float], steps: int = 1
) -> Program:
    """Return a product of 16 by 16 tiles, with overhang of both operands."""
    a, b = buffer("gm", "a", a_shape, "float16"), buffer("gm", "b", b_shape, "float16")
    a0, b0 = buffer("l0a", "a0", (16, 16), "float16"), buffer("l0b", "b0", (16, 16), "float16")
    acc, out, c = (
        buffer("l0c", "acc", (16, 16)),
        buffer("ub", "out", (16, 16)),
        buffer("gm", "c", (a_shape[0], b_shape[1])),
    )
    k = times(16, "k")
    body = (
        *allocate(acc, out),
        loop(
            "k",
            steps,
            *allocate(a0, b0),
            Move(whole(a0), box(a, [0, k], (16, 16)), pads[0]),
            Move(whole(b0), box(b, [k, 0], (16, 16)), pads[1]),
            Mmad(whole(acc), whole(a0), whole(b0), cond.equal(index("k"), index(0))),
        ),
        Move(whole(out), whole(acc)),
        Move(box(c, [0, 0], (16, 16)), whole(out)),
    )
    return program((a, b), (c,), *body)


def ones(*shape: int) -> Array:
    return np.ones(shape, np.float16)


@pytest.mark.parametrize("pads", [(0, 0), (0, 3), (3, 0)])
def test_terms_with_padding_may_be_zero(pads: tuple[float, float]):
    found = run(product_of((5, 7), (7, 9), pads=pads), ones(5, 7), ones(7, 9))
    assert (found == 7).all()


def test_terms_with_padding_may_not_be_anything_else():
    assert code_of(product_of((5, 7), (7, 9), pads=(3, 2)), ones(5, 7), ones(7, 9)) == "E0406"
    assert (
        code_of(product_of((5, 7), (7, 9), pads=(3, math.nan)), ones(5, 7), ones(7, 9)) == "E0406"
    )


def test_rows_and_columns_of_nothing_but_padding_may_be_anything():
    found = run(product_of((5, 16), (16, 9), pads=(3, 2)), ones(5, 16), ones(16, 9))
    assert (found == 16).all()


def test_padding_of_one_operand_meets_data_of_the_other():
    assert code_of(product_of((5, 7), (16, 9), pads=(0, 0)), ones(5, 7), ones(16, 9)) is None
    assert code_of(product_of((5, 7), (16, 9), pads=(3, 0)), ones(5, 7), ones(16, 9)) == "E0406"
    assert code_of(product_of((5, 16), (7, 9), pads=(0, 3)), ones(5, 16), ones(7, 9)) == "E0406"


def unfolded(n_rows: int, axis: int, *, n_channels: int, width: int = 4, pad: float = 0) -> Program:
    """Return sums of the columns plus 1 of a map with 8 output positions, by a window of 3."""
    layout = layout_for(LayoutKind.NC1HWC0, DType.FLOAT16)
    shape = (1, 48) if axis == 0 else (n_rows, 1)
    x, y = buffer("gm", "x", (n_channels, 2, width), "float16"), buffer("gm", "y", shape)
    kept = buffer("l1", "kept", (n_channels, 2, 4), "float16", layout)
    columns, out = buffer("ub", "columns", (n_rows, 48), "float16"), buffer("ub", "out", shape)
    window, zero = Window((1, 3), padding=(0, 0, 1, 1)), constant(0)
    body = (
        *allocate(kept, columns, out),
        Move(whole(kept), box(x, [0, 0, 0], kept.shape), pad),
        Img2col(whole(columns), whole(kept), window, zero, zero),
        Map(whole(columns), Binary(BinaryOp.ADD, load(columns), Literal(1, DType.FLOAT16))),
        Reduce(whole(out), ReduceOp.SUM, whole(columns), axis),
        Move(whole(y), whole(out)),
    )
    return program((x,), (y,), *body)


def test_rows_past_the_last_output_position_are_padding():
    assert code_of(unfolded(8, 0, n_channels=16), ones(16, 2, 4)) is None
    assert code_of(unfolded(9, 0, n_channels=16), ones(16, 2, 4)) == "E0405"
    assert code_of(unfolded(9, 1, n_channels=16), ones(16, 2, 4)) is None


def test_columns_past_the_last_channel_are_padding():
    assert code_of(unfolded(8, 1, n_channels=16), ones(16, 2, 4)) is None
    assert code_of(unfolded(8, 1, n_channels=15), ones(15, 2, 4)) == "E0405"
    assert code_of(unfolded(8, 0, n_channels=15), ones(15, 2, 4)) is None


def test_zeros_around_a_feature_map_are_no_padding():
    found = run(unfolded(8, 0, n_channels=16), ones(16, 2, 4))
    assert found.reshape(3, 16)[:, 0].tolist() == [14, 16, 14]


def test_padding_of_a_feature_map_stays_padding():
    assert code_of(unfolded(8, 0, n_channels=16, width=3), ones(16, 2, 3)) == "E0405"
    # What is beside the map stays 1 then, which only constants and data may be.
    assert code_of(unfolded(8, 0, n_channels=16, width=3, pad=-1), ones(16, 2, 3)) is None


def test_a_step_wholly_past_the_end_may_add_only_zeros():
    assert (
        run(product_of((5, 16), (16, 9), pads=(0, 0), steps=2), ones(5, 16), ones(16, 9)) == 16
    ).all()
    assert (
        code_of(product_of((5, 16), (16, 9), pads=(3, 2), steps=2), ones(5, 16), ones(16, 9))
        == "E0406"
    )


def test_data_is_not_added_to_padding_that_is_not_zero():
    a, b = buffer("gm", "a", (16, 16), "float16"), buffer("gm", "b", (16, 16), "float16")
    a0, b0 = buffer("l0a", "a0", (16, 16), "float16"), buffer("l0b", "b0", (16, 16), "float16")
    acc, out, c = (
        buffer("l0c", "acc", (16, 16)),
        buffer("ub", "out", (16, 16)),
        buffer("gm", "c", (16, 16)),
    )

    def adding(pad: float) -> Program:
        before = loop(
            "i", 2, Move(whole(a0), box(a, [times(16, "i", -16), 0], (16, 16)), pad), multiply
        )
        return program(
            (a, b), (c,), *allocate(a0, b0, acc, out), Move(whole(b0), whole(b)), before, *store
        )

    multiply = Mmad(whole(acc), whole(a0), whole(b0), cond.equal(index("i"), index(0)))
    store = (Move(whole(out), whole(acc)), Move(whole(c), whole(out)))
    assert (run(adding(0), ones(16, 16), ones(16, 16)) == 16).all()
    assert code_of(adding(1), ones(16, 16), ones(16, 16)) == "E0406"


def test_an_inner_size_of_zero_gives_zeros():
    assert (run(product_of((5, 0), (0, 9), pads=(0, 0)), ones(5, 0), ones(0, 9)) == 0).all()
