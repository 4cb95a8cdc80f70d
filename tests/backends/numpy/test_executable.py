"""The backend as others see it: its protocol, options and arrays, and strictness."""

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.backends.numpy.programs import (
    allocate,
    box,
    buffer,
    executable,
    loop,
    program,
    run,
    stage,
    times,
)
from tests.programs import programs as any_program
from tilelang.backend import Backend, Executable
from tilelang.backends.numpy import BACKEND, NumpyExecutable
from tilelang.backends.numpy.arithmetic import ROUNDED, BinaryFunction, Reduction, UnaryFunction
from tilelang.diagnostics import TileError
from tilelang.dtypes import DType
from tilelang.ir.expression import (
    Binary,
    BinaryOp,
    Cast,
    Comparison,
    ComparisonOp,
    Expr,
    Literal,
    Load,
    Rounding,
    Unary,
    UnaryOp,
    Where,
)
from tilelang.ir.nodes import Map, Move, Program, Reduce, ReduceOp, Stmt
from tilelang.ir.region import Buffer, whole
from tilelang.machines import find_machine
from tilelang.text.printer import print_program

Array = NDArray[Any]

X, Y = buffer("gm", "x", (5, 7)), buffer("gm", "y", (5, 7))
TILE = buffer("ub", "tile", (2, 8))


def twice() -> Program:
    """Return a program of which every tile hangs over: y = x + x."""
    part = [times(2, "i"), 0]
    total = Binary(BinaryOp.ADD, Load(whole(TILE)), Load(whole(TILE)))
    body = (
        *allocate(TILE),
        Move(whole(TILE), box(X, part, [2, 8])),
        Map(whole(TILE), total),
        Move(box(Y, part, [2, 8]), whole(TILE)),
    )
    return program((X,), (Y,), stage({"i": 3}, *body))


def test_the_backend_keeps_the_protocol():
    backend: Backend = BACKEND
    assert (backend.name, backend.machine, backend.runs_here) == ("numpy", "host", None)
    compiled: Executable = backend.compile(twice(), find_machine("host"))
    x, y = np.ones((5, 7), np.float32), np.zeros((5, 7), np.float32)
    compiled(x, y)
    assert (y == 2).all()


def test_the_source_is_the_program_itself():
    assert BACKEND.compile(twice(), find_machine("host")).source == print_program(twice())


@pytest.mark.parametrize("options", [{"threads": 2}, {"strict": 1}, {"strict": None}])
def test_unknown_options_are_refused(options: dict[str, object]):
    with pytest.raises(TileError, match="E0410") as caught:
        BACKEND.compile(twice(), find_machine("host"), **options)
    name, value = next(iter(options.items()))
    assert f"`{name}={value!r}`" in str(caught.value)


def test_every_unknown_option_is_named():
    with pytest.raises(TileError) as caught:
        BACKEND.compile(twice(), find_machine("host"), a=1, b=2)
    assert [fault.code for fault in caught.value.diagnostics] == ["E0410", "E0410"]


def test_arrays_of_any_strides_are_read_and_filled():
    x = np.arange(70, dtype=np.float32).reshape(10, 7)[::2]
    y = np.zeros((7, 5), np.float32, order="C").T
    executable(twice())(x, y)
    np.testing.assert_array_equal(y, x + x)
    backwards = x[::-1, ::-1]
    executable(twice())(backwards, y)
    np.testing.assert_array_equal(y, backwards + backwards)


def test_inputs_are_not_written_and_may_be_read_only():
    x, y = np.ones((5, 7), np.float32), np.zeros((5, 7), np.float32)
    x.flags.writeable = False
    executable(twice())(x, y)
    assert (x == 1).all()


def test_a_result_may_share_memory_with_an_input():
    x = np.ones((5, 7), np.float32)
    executable(twice())(x, x)
    assert (x == 2).all()


def test_a_run_that_raises_leaves_the_results_as_they_were():
    half = twice()
    broken = program(half.inputs, half.results, stage({"i": 2}, *half.stages[0].body))
    x, y = np.ones((5, 7), np.float32), np.full((5, 7), 9, np.float32)
    with pytest.raises(TileError, match="E0409"):
        executable(broken)(x, y)
    assert (y == 9).all()
    executable(broken, strict=False)(x, y)
    assert (y[:4] == 2).all()


def test_an_executable_can_be_called_again_and_from_many_threads():
    compiled = executable(twice())
    inputs = [np.full((5, 7), number, np.float32) for number in range(8)]
    results = [np.zeros((5, 7), np.float32) for _ in inputs]

    def call(x: Array, y: Array) -> None:
        for _ in range(20):
            compiled(x, y)

    pairs = zip(inputs, results, strict=True)
    threads = [threading.Thread(target=call, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, y in enumerate(results):
        assert (y == 2 * number).all()


def test_the_settings_of_numpy_are_left_alone_and_nothing_is_warned_of():
    overflow = Unary(
        UnaryOp.LN, Binary(BinaryOp.MULTIPLY, Load(whole(TILE)), Literal(-3e38, DType.FLOAT32))
    )
    body = twice().stages[0].body
    noisy = program((X,), (Y,), stage({"i": 3}, *body[:2], Map(whole(TILE), overflow), body[3]))
    with np.errstate(all="raise"):
        found = run(noisy, np.full((5, 7), 9, np.float32))
        assert np.geterr()["over"] == "raise"
    assert np.isnan(found).all()


def test_a_scalar_result_and_a_program_without_inputs():
    y, tile = buffer("gm", "y", (1,), "int32"), buffer("ub", "tile", (1,), "int32")
    body = (
        *allocate(tile),
        Map(whole(tile), Literal(42, DType.INT32)),
        Move(whole(y), whole(tile)),
    )
    assert run(program((), (y,), *body)).tolist() == [42]


class Wide:
    """Keeps and computes every float in float64, as a reference run would."""

    def storage(self, dtype: DType) -> np.dtype[Any]:
        return np.dtype(np.float64) if dtype.is_float else dtype.numpy

    def literal(self, value: float, dtype: DType) -> Array:
        return np.asarray(value).astype(self.storage(dtype))

    def unary(self, op: UnaryOp, dtype: DType) -> UnaryFunction:
        return ROUNDED.unary(op, DType.FLOAT32)

    def binary(self, op: BinaryOp, dtype: DType) -> BinaryFunction:
        return ROUNDED.binary(op, dtype)

    def cast(self, source: DType, target: DType, rounding: Rounding) -> UnaryFunction:
        return lambda x: x.astype(self.storage(target))

    def reduction(self, op: ReduceOp, dtype: DType) -> Reduction:
        return lambda x, axis: x.sum(axis=axis, keepdims=True)

    def product(self, a: DType, b: DType) -> BinaryFunction:
        return np.matmul


def test_all_numbers_pass_through_the_arithmetic():
    x, y = buffer("gm", "x", (4,), "float16"), buffer("gm", "y", (1,))
    tile, wide = buffer("ub", "tile", (4,), "float16"), buffer("ub", "wide", (4,))
    total = buffer("ub", "total", (1,))
    third = Binary(BinaryOp.DIVIDE, Load(whole(tile)), Literal(3, DType.FLOAT16))
    body = (
        *allocate(tile, wide, total),
        Move(whole(tile), whole(x)),
        Map(whole(tile), third),
        Map(whole(wide), Cast(Load(whole(tile)), DType.FLOAT32)),
        Reduce(whole(total), ReduceOp.SUM, whole(wide), 0),
        Move(whole(y), whole(total)),
    )
    of = program((x,), (y,), *body)
    found = np.zeros(1, np.float32)
    NumpyExecutable(of, of, Wide(), strict=True)(np.ones(4, np.float16), found)
    assert found[0] == np.float32(4 / 3)
    assert run(of, np.ones(4, np.float16))[0] == 4 * np.float32(np.float16(1 / 3)) != found[0]


DTYPES = st.sampled_from(["float16", "bfloat16", "float32", "int8", "int32"])


@st.composite
def expressions(draw: st.DrawFn, tiles: list[Buffer], depth: int) -> Expr:
    """Draw an expression over tiles of one dtype."""
    dtype = tiles[0].dtype
    if depth == 0:
        leaves: list[Expr] = [Load(whole(one)) for one in tiles]
        return draw(st.sampled_from([*leaves, Literal(draw(st.integers(-100, 100)), dtype)]))
    left, right, other = (draw(expressions(tiles, depth - 1)) for _ in range(3))
    binary = [op for op in BinaryOp if dtype.is_float or op is not BinaryOp.DIVIDE]
    unary = list(UnaryOp) if dtype.is_float else [UnaryOp.NEGATE, UnaryOp.RELU, UnaryOp.ABS]
    chosen = draw(st.integers(0, 3))
    if chosen == 0:
        return Unary(draw(st.sampled_from(unary)), left)
    if chosen == 1:
        return Where(Comparison(draw(st.sampled_from(ComparisonOp)), left, right), other, left)
    if chosen == 2:
        return Cast(Cast(left, DType.FLOAT32), dtype)
    return Binary(draw(st.sampled_from(binary)), left, right)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Draw a legal program: tiles that hang over, maps in place, reductions, several cores."""
    dtype = draw(DTYPES)
    m, n, m_tile, n_tile = (draw(st.integers(low, 9)) for low in (0, 0, 1, 1))
    x, y = buffer("gm", "x", (m, n), dtype), buffer("gm", "y", (m, n), dtype)
    u, v = buffer("ub", "u", (m_tile, n_tile), dtype), buffer("ub", "v", (m_tile, n_tile), dtype)
    part = [times(m_tile, "i", -1), times(n_tile, "j", -1)]
    steps: list[Stmt] = [Map(whole(v), draw(expressions([u], 1)))]
    for _ in range(draw(st.integers(0, 3))):
        target = draw(st.sampled_from([u, v]))
        steps.append(Map(whole(target), draw(expressions([u, v], 2))))
    row = buffer("ub", "row", (1, n_tile), dtype)
    extreme = draw(st.sampled_from([ReduceOp.MAX, ReduceOp.MIN]))
    own = Map(whole(u), Literal(1, DType(dtype)))
    reduce = [
        *allocate(row),
        own,
        Reduce(whole(row), extreme, whole(u), 0),
        Map(whole(u), Load(whole(row))),
    ]
    body = (
        *allocate(u, v),
        Move(whole(u), box(x, part, u.shape), draw(st.integers(-3, 3))),
        loop("t", draw(st.integers(1, 2)), *steps, *(reduce if draw(st.booleans()) else ())),
        Move(box(y, part, v.shape), whole(v)),
    )
    return program((x,), (y,), stage({"i": m // m_tile + 1, "j": n // n_tile + 1}, *body))


@settings(max_examples=80, deadline=None)
@given(programs(), st.integers(0, 2**16))
def test_without_the_checks_the_numbers_are_the_same_bit_for_bit(of: Program, seed: int):
    x = of.inputs[0]
    values = (np.random.default_rng(seed).standard_normal(x.shape) * 50).astype(x.dtype.numpy)
    strict, fast = run(of, values), run(of, values, strict=False)
    np.testing.assert_array_equal(strict.view(np.uint8), fast.view(np.uint8))


@settings(max_examples=20, deadline=None)
@given(any_program())
def test_the_same_holds_for_programs_of_every_statement(of: Program):
    random, machine = np.random.default_rng(0), find_machine("host")
    inputs = [
        one.layout.pack(random.integers(0, 3, one.shape).astype(one.dtype.numpy))
        for one in of.inputs
    ]
    found: list[list[Array]] = []
    for strict in (True, False):
        found.append(
            [np.zeros(one.layout.physical_shape(one.shape), one.dtype.numpy) for one in of.results]
        )
        BACKEND.compile(of, machine, strict=strict)(*inputs, *found[-1])
    for first, second in zip(*found, strict=True):
        assert first.tobytes() == second.tobytes()
