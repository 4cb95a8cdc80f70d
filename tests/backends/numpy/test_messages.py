"""What users read when a program breaks a rule at run time: every code, its whole message."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.backends.numpy.programs import (
    allocate,
    at,
    box,
    buffer,
    executable,
    index,
    loop,
    program,
    run,
    source,
    stage,
    times,
)
from tests.golden import Golden
from tilelang.diagnostics import Location, TileError
from tilelang.dtypes import DType
from tilelang.ir import condition as cond
from tilelang.ir.expression import Binary, BinaryOp, Literal, Load
from tilelang.ir.index import constant
from tilelang.ir.nodes import (
    If,
    Img2col,
    Map,
    Matmul,
    Move,
    Program,
    Reduce,
    ReduceOp,
    Stmt,
    Window,
)
from tilelang.ir.region import Memory, whole
from tilelang.layouts import LayoutKind, layout_for

Array = NDArray[Any]

KERNEL = """\
@tl.kernel("x[M, N], p[M, K], w[K, N] -> y[M, N]")
def example(x, p, w, y):
    shared = tl.alloc_gm((4, 8), tl.float32)
    p1 = tl.alloc_l1((16, 32), tl.float16)
    w1 = tl.alloc_l1((32, 16), tl.float16)
    acc = tl.alloc_l0c((16, 16), tl.float32)
    u = tl.alloc_ub((4, 8), tl.float32)
    tl.data_move(u, x)
    tl.data_move(p1, p)
    tl.data_move(w1, w)
    tl.matmul(acc, p1, w1, init=False)
    v[:] = u * 2
    s[:] = tl.reduce_sum(u, 1)
    tl.data_move(y, u)
    tl.data_move(u, y)
    tl.load3d(columns, feature_map, kernel=(3, 3))
    tl.data_move(shared[i, :], u)
"""


source("kernel.py", KERNEL)


@pytest.fixture(autouse=True)
def _kernel_source():  # pyright: ignore[reportUnusedFunction]
    """Quote this file's kernel, though other tests have a `kernel.py` too."""
    source("kernel.py", KERNEL)


def on(line: int, part: str | None = None) -> Location:
    """Return the place of a part of a line, or of all of it."""
    return at("kernel.py", line, part or KERNEL.splitlines()[line - 1].strip())


X = buffer("gm", "x", (4, 8), loc=on(1, "x[M, N]"))
Y = buffer("gm", "y", (4, 8), loc=on(1, "y[M, N]"))
P = buffer("gm", "p", (16, 32), "float16", loc=on(1, "p[M, K]"))
W = buffer("gm", "w", (32, 16), "float16", loc=on(1, "w[K, N]"))
SHARED = buffer("gm", "shared", (4, 8), loc=on(3, "tl.alloc_gm((4, 8), tl.float32)"))
P1 = buffer("l1", "p1", (16, 32), "float16", loc=on(4, "tl.alloc_l1((16, 32), tl.float16)"))
W1 = buffer("l1", "w1", (32, 16), "float16", loc=on(5, "tl.alloc_l1((32, 16), tl.float16)"))
ACC = buffer("l0c", "acc", (16, 16), loc=on(6, "tl.alloc_l0c((16, 16), tl.float32)"))
U = buffer("ub", "u", (4, 8), loc=on(7, "tl.alloc_ub((4, 8), tl.float32)"))
V, S = buffer("ub", "v", (4, 8)), buffer("ub", "s", (4, 1))

LOAD = Move(whole(U), whole(X), loc=on(8))
LOAD_P = Move(whole(P1), whole(P), loc=on(9))
LOAD_W = Move(whole(W1), whole(W), loc=on(10))
ADD = Matmul(whole(ACC), whole(P1), whole(W1), cond.FALSE, loc=on(11))
SET = Matmul(whole(ACC), whole(P1), whole(W1), cond.TRUE, loc=on(11))
DOUBLE = Map(
    whole(V),
    Binary(
        BinaryOp.MULTIPLY,
        Load(box(U, [0, 0], [4, 8], loc=on(12, "u * 2"))),
        Literal(2, DType.FLOAT32),
    ),
    loc=on(12),
)
STORE = Move(whole(Y), whole(U), loc=on(14))
READ_BACK = Move(whole(U), whole(Y), loc=on(15))


def zeros(*shape: int) -> Array:
    return np.zeros(shape, np.float32)


def halves(*shape: int) -> Array:
    return np.ones(shape, np.float16)


def message_of(of: Program, *inputs: Array) -> str:
    with pytest.raises(TileError) as caught:
        run(of, *inputs)
    return f"{caught.value}\n"


def stored_before_loaded() -> str:
    return message_of(program((), (Y,), *allocate(U), STORE))


def expression_over_a_half_written_tile() -> str:
    rest = Map(box(U, [1, 0], [3, 8]), Literal(0, DType.FLOAT32))
    return message_of(program((), (), *allocate(U, V), rest, loop("i", 2, DOUBLE)))


def tile_of_the_last_iteration() -> str:
    first = cond.equal(index("k"), constant(0))
    once = If(first, (LOAD,), ())
    return message_of(
        program((X,), (), *allocate(V), loop("k", 3, *allocate(U), once, DOUBLE)), zeros(4, 8)
    )


def sum_that_nothing_began() -> str:
    body = (*allocate(P1, W1, ACC), LOAD_P, LOAD_W, loop("k", 2, ADD))
    return message_of(program((P, W), (), *body), halves(16, 32), halves(32, 16))


def operand_that_nothing_loaded() -> str:
    return message_of(program((P,), (), *allocate(P1, W1, ACC), LOAD_P, SET), halves(16, 32))


def accumulator_that_nothing_computed() -> str:
    out = buffer("ub", "out", (16, 16))
    store = Move(whole(out), whole(ACC), loc=on(14))
    return message_of(program((), (), *allocate(P1, W1, ACC, out), loop("k", 0, SET), store))


def result_read_before_it_is_written() -> str:
    return message_of(program((), (Y,), *allocate(U), READ_BACK))


def feature_map_with_a_hole() -> str:
    layout = layout_for(LayoutKind.NC1HWC0, DType.FLOAT16)
    x = buffer("gm", "x", (16, 3, 4), "float16")
    feature_map = buffer("l1", "feature_map", (16, 3, 4), "float16", layout)
    columns = buffer("ub", "columns", (16, 144), "float16")
    upper = Move(box(feature_map, [0, 0, 0], (16, 2, 4)), box(x, [0, 0, 0], (16, 2, 4)))
    window = Window((3, 3), padding=(1, 1, 1, 1))
    zero = constant(0)
    unfold = Img2col(whole(columns), whole(feature_map), window, zero, zero, loc=on(16))
    return message_of(
        program((x,), (), *allocate(feature_map, columns), upper, unfold), halves(16, 3, 4)
    )


def region_past_the_end_of_a_tile() -> str:
    part = Move(box(U, [times(3, "i"), 0], [2, 8]), box(X, [0, 0], [2, 8]), loc=on(8))
    return message_of(program((X,), (), *allocate(U), loop("i", 2, part)), zeros(4, 8))


def tile_number_past_the_last() -> str:
    part = Move(box(U, [times(1, "i", -1), 0], [None, 8]), box(X, [0, 0], [None, 8]), loc=on(8))
    return message_of(program((X,), (), *allocate(U), loop("i", 2, part)), zeros(4, 8))


def region_longer_than_its_tile() -> str:
    part = Move(box(U, [0, 0], [6, 8]), box(X, [0, 0], [6, 8]), loc=on(8))
    return message_of(program((X,), (), *allocate(U), part), zeros(4, 8))


def region_inside_a_fractal() -> str:
    half = Move(box(P1, [0, times(8, "i")], [16, 16]), box(P, [0, 0], [16, 16]), loc=on(9))
    return message_of(program((P,), (), *allocate(P1), loop("i", 2, half)), halves(16, 32))


def reduce(op: ReduceOp, pad: float) -> str:
    small = buffer("gm", "x", (3, 5))
    part = Move(whole(U), box(small, [0, 0], [4, 8]), pad, loc=on(8))
    total = Reduce(whole(S), op, whole(U), 1, loc=on(13, "tl.reduce_sum(u, 1)"))
    return message_of(
        program((small,), (), *allocate(U, S), loop("i", 1, part, total)), zeros(3, 5)
    )


def sum_over_padding() -> str:
    return reduce(ReduceOp.SUM, 1.5)


def maximum_over_padding() -> str:
    return reduce(ReduceOp.MAX, 0)


def integer_minimum_over_padding() -> str:
    x, tile, out = (
        buffer(m, n, (size,), "int8")
        for m, n, size in (("gm", "x", 5), ("ub", "t", 8), ("ub", "o", 1))
    )
    part = Move(whole(tile), box(x, [0], [8]), 0)
    total = Reduce(whole(out), ReduceOp.MIN, whole(tile), 0)
    return message_of(program((x,), (), *allocate(tile, out), part, total), np.zeros(5, np.int8))


def multiply(*body: Stmt) -> str:
    short = buffer("gm", "p", (16, 30), "float16")
    part = Move(whole(P1), box(short, [0, 0], [16, 32]), 1, loc=on(9))
    return message_of(
        program((short, W), (), *allocate(P1, W1, ACC), part, LOAD_W, *body),
        halves(16, 30),
        halves(32, 16),
    )


def product_over_padding() -> str:
    return multiply(loop("k", 1, SET))


def product_over_padding_of_the_right_operand() -> str:
    short = buffer("gm", "w", (30, 16), "float16")
    part = Move(whole(W1), box(short, [0, 0], [32, 16]), -2, loc=on(10))
    body = (*allocate(P1, W1, ACC), LOAD_P, part, SET)
    return message_of(program((P, short), (), *body), halves(16, 32), halves(30, 16))


def data_added_to_padding() -> str:
    start = [times(16, "i", -16), 0]
    part = Move(whole(P1), box(P, start, [16, 32]), 1, loc=on(9))
    first = cond.equal(index("i"), constant(0))
    multiply = Matmul(whole(ACC), whole(P1), whole(W1), first, loc=on(11))
    body = (*allocate(P1, W1, ACC), LOAD_W, loop("i", 2, part, multiply))
    return message_of(program((P, W), (), *body), halves(16, 32), halves(32, 16))


def two_cores_write_one_element() -> str:
    part = Move(box(Y, [times(2, "i"), 0], [2, 8]), box(U, [0, 0], [2, 8]), loc=on(14))
    return message_of(
        program((X,), (Y,), stage({"i": 2, "j": 3}, *allocate(U), LOAD, part)), zeros(4, 8)
    )


def shared_row(start: str | int, of: str, line: int) -> Move:
    tile = buffer("ub", of, (1, 8))
    row = box(SHARED, [start, 0], [1, 8])
    return Move(row, whole(tile), loc=on(17)) if line == 17 else Move(whole(tile), row, loc=on(15))


def share(*body: Stmt) -> str:
    fill = stage({}, *allocate(U), LOAD, Move(whole(SHARED), whole(U)))
    tiles = (buffer("ub", "r", (1, 8)), buffer("ub", "t", (1, 8)))
    clear = [Map(whole(tile), Literal(0, DType.FLOAT32)) for tile in tiles]
    second = stage({"i": 3}, *allocate(*tiles), *clear, *body)
    return message_of(program((X,), (), *allocate(SHARED), fill, second), zeros(4, 8))


def core_reads_what_another_wrote() -> str:
    return share(shared_row("i", "r", 17), shared_row(0, "t", 15))


def core_writes_what_another_read() -> str:
    return share(shared_row(1, "t", 15), shared_row("i", "r", 17))


def result_written_in_part() -> str:
    part = Move(box(Y, ["i", 0], [1, 7]), box(U, [0, 0], [1, 7]), loc=on(14))
    return message_of(program((X,), (Y,), stage({"i": 3}, *allocate(U), LOAD, part)), zeros(4, 8))


def result_never_written() -> str:
    return message_of(program((X,), (Y,), *allocate(U), LOAD), zeros(4, 8))


def result_in_fractals_written_in_part() -> str:
    layout = layout_for(LayoutKind.NZ, DType.FLOAT32)
    y = buffer("gm", "y", (20, 20), layout=layout, loc=on(1, "y[M, N]"))
    return message_of(
        program((X,), (y,), *allocate(U), LOAD, Move(box(y, [0, 0], [4, 8]), whole(U), loc=on(14))),
        zeros(4, 8),
    )


def call_with(*arrays: Array) -> str:
    with pytest.raises(TileError) as caught:
        executable(program((X,), (Y,), *allocate(U), LOAD, STORE))(*arrays)
    return f"{caught.value}\n"


def too_few_arrays() -> str:
    return call_with(zeros(4, 8))


def wrong_arrays() -> str:
    read_only = zeros(4, 8)
    read_only.flags.writeable = False
    return call_with(zeros(4, 9).astype(np.int8), read_only)


CASES: tuple[Callable[[], str], ...] = (
    stored_before_loaded,
    expression_over_a_half_written_tile,
    tile_of_the_last_iteration,
    sum_that_nothing_began,
    operand_that_nothing_loaded,
    accumulator_that_nothing_computed,
    result_read_before_it_is_written,
    feature_map_with_a_hole,
    region_past_the_end_of_a_tile,
    tile_number_past_the_last,
    region_longer_than_its_tile,
    region_inside_a_fractal,
    sum_over_padding,
    maximum_over_padding,
    integer_minimum_over_padding,
    product_over_padding,
    product_over_padding_of_the_right_operand,
    data_added_to_padding,
    two_cores_write_one_element,
    core_reads_what_another_wrote,
    core_writes_what_another_read,
    result_written_in_part,
    result_never_written,
    result_in_fractals_written_in_part,
    too_few_arrays,
    wrong_arrays,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_the_message(case: Callable[[], str], golden: Golden):
    golden.check(f"numpy/{case.__name__}.txt", case())


def test_a_message_names_only_the_variables_in_scope():
    inner = loop("k", 2, Map(whole(V), Literal(0, DType.FLOAT32)))
    first = stage({"i": 2}, *allocate(V), inner)
    second = stage({"j": 2}, *allocate(U, V), inner, loop("t", 1, DOUBLE))
    assert "in iteration j = 0, t = 0\n" in message_of(program((), (), first, second))


def test_every_on_chip_memory_says_how_it_is_filled():
    for memory in Memory:
        if memory is not Memory.GM:
            tile = buffer(memory.value, "tile", (16, 16), "float16")
            other = buffer("ub", "other", (16, 16), "float16")
            body = (*allocate(tile, other), Move(whole(other), whole(tile)))
            assert "hint: " in message_of(program((), (), *body))
