"""`parse_program(print_program(p)) == p`, over legal programs and over nodes of every form."""

import linecache
import math
import operator
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings

from tests.programs import programs
from tests.text.nodes import any_programs, conditions, indices
from tilelang.diagnostics import UNKNOWN, Location
from tilelang.dtypes import DType
from tilelang.ir import condition as cond
from tilelang.ir import expression as ex
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index
from tilelang.ir.nodes import Alloc, Core, If, Loop, Map, Program, Stage
from tilelang.ir.region import Buffer, Memory, whole
from tilelang.ir.walk import map_regions, walk_program
from tilelang.layouts import ND
from tilelang.shipped import find_kernel, kernel_names
from tilelang.text.dimension import dim_names
from tilelang.text.parser import parse_file, parse_program
from tilelang.text.printer import print_condition, print_index, print_program
from tilelang.text.syntax import parse_tree

GEMM = """\
kernel gemm(a[1000, 997]: float16, b[1003, 997]: float16) -> c[1000, 1003]: float32
    tiles m_tile=128, n_tile=128, k_tile=64
cores i < 8, j < 8:
    acc = alloc_l0c([128, 128], float32) @ NZ(16)
    for k < 16, stages=2:
        a1 = alloc_l1([128, 64], float16) @ NZ
        b1 = alloc_l1([128, 64], float16) @ NZ
        data_move(a1, a[128*i:+128, 64*k:+64])
        data_move(b1, b[128*j:+128, 64*k:+64])
        matmul(acc, a1, b1.T, init=k == 0)
    chunks r < 4:
        out = alloc_ub([32, 128], float32) @ NZ(16)
        data_move(out, acc[32*r:+32, :])
        out[:] = relu(out)*0.5 + 1.0
        data_move(c[128*i + 32*r:+32, 128*j:+128], out)
"""

EVERYTHING = """\
kernel every_form(x[2, 16, 9, 9]: float16 @ NC1HWC0, w[16, 16, 3, 3]: float16 @ FRACTAL_Z, \
t[7, 5, 3]: float32; stride=1, pad=-1) -> y[49, 16]: float32, z[]: int32
s = alloc_gm([49, 16], float32)
cores i < 2, j < 4:
    x1 = alloc_l1([16, 9, 9], float16) @ NC1HWC0
    w1 = alloc_l1([16, 16, 3, 3], float16) @ FRACTAL_Z
    a0 = alloc_l0a([16, 144], float16) @ ZZ
    b0 = alloc_l0b([144, 16], float16) @ ZN
    acc = alloc_l0c([16, 16], float32) @ NZ(16)
    data_move(x1, x[i, :, :, :])
    data_move(w1, w)
    load3d(a0, x1, kernel=(3, 3), stride=(2, 1), dilation=(1, 2), padding=(1, 1, 0, 0), row=16*j)
    data_move(b0, as_matrix(w1), pad=-1.5)
    mmad(acc, a0, b0)
    if (j < 3) & ~((i == 0) | (i < j)):
        data_move(s[16*j:+16, :], acc)
    elif i + 1 == j:
        pass
    else:
        if i != 0:
            pass
        for k < 2*i - 3:
            pass
cores:
    u = alloc_ub([3, 5], float32)
    v = alloc_ub([1, 5], float32)
    m = alloc_ub([3, 5], int8)
    data_move(u, t.view((2,), (0, 1))[:, 0:+5:7], pad=inf)
    v[:] = reduce_max(u, axis=0)
    u[0:+2, :] = -(u[1:+2, :] - v)/(v - u[1:+2, :]) - -1.0
    u[:] = where((u < 0.0) & ~(position(0) == index(3)), exp(neg(2.0)), maximum(v, nan))
    m[:] = cast(cast(float16(0.1), int32) - 3, int8, round=floor)
"""


@pytest.mark.parametrize("text", [GEMM, EVERYTHING], ids=["gemm", "every form"])
def test_a_program_in_its_printed_form_is_printed_again_as_it_was(text: str):
    assert print_program(parse_program(text)) == text


# `repr` tells 1 from 1.0 and True, and 0.0 from -0.0, which equality does not.


@settings(max_examples=60, deadline=None)
@given(programs())
def test_a_legal_program_comes_back(program: Program):
    again = parse_program(print_program(program))
    assert again == program
    assert repr(again) == repr(program)


@settings(max_examples=150, deadline=None)
@given(any_programs())
def test_a_program_of_any_nodes_comes_back(program: Program):
    again = parse_program(print_program(program))
    assert again == program
    assert repr(again) == repr(program)


@pytest.mark.parametrize("name", kernel_names())
def test_a_shipped_kernel_comes_back(name: str):
    signature = find_kernel(name).signature
    sizes = {size: 17 for spec in signature.inputs for dim in spec.dims for size in dim_names(dim)}
    dims: dict[str, Any] = {
        size: value for size, value in sizes.items() if size not in signature.attributes
    }
    program = find_kernel(name).program(**dims, dtype="float16")
    assert parse_program(print_program(program)) == program


@settings(deadline=None)
@given(indices)
def test_an_index_as_text_is_what_python_computes(index: Index):
    values = {"i": 5, "j": -7, "chunks": 3}
    names = {**values, "minimum": min, "maximum": max}
    assert eval(print_index(index), {}, names) == ix.evaluate(index, values)


@settings(deadline=None)
@given(conditions)
def test_a_condition_as_text_is_what_python_computes(condition: Condition):
    values = {"i": 5, "j": -7, "chunks": 3}
    names = {**values, "minimum": min, "maximum": max, "no": operator.not_}
    text = print_condition(condition).replace("~(", "no(")  # Python's ~ of a bool is a number
    assert eval(text, {}, names) == cond.holds(condition, values)


@pytest.mark.parametrize(
    ("index", "text"),
    [
        (ix.constant(-3), "-3"),
        (ix.add(ix.scale(ix.variable("i"), -1), ix.constant(5)), "5 - i"),
        (ix.subtract(ix.variable("j"), ix.scale(ix.variable("i"), 16)), "j - 16*i"),
        (ix.scale(ix.floor_div(ix.variable("i"), 4), -1), "-(i//4)"),
        (ix.scale(ix.modulo(ix.add(ix.variable("i"), ix.constant(1)), 2), 16), "16*((i + 1)%2)"),
        (ix.floor_div(ix.scale(ix.variable("i"), 3), 8), "(3*i)//8"),
        (ix.minimum(ix.variable("i"), ix.constant(8)), "minimum(i, 8)"),
    ],
)
def test_an_index_has_only_the_brackets_it_needs(index: Index, text: str):
    assert print_index(index) == text


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (cond.less(ix.variable("i"), ix.constant(5)), "i < 5"),
        (cond.less_equal(ix.variable("i"), ix.variable("j")), "i <= j"),
        (cond.less_equal(ix.ZERO, ix.variable("i")), "i >= 0"),
        (cond.less(ix.constant(2), ix.variable("i")), "i > 2"),
        (cond.equal(ix.constant(2), ix.variable("i")), "2 == i"),
        (cond.not_equal(ix.add(ix.variable("i"), ix.constant(1)), ix.ZERO), "i + 1 != 0"),
    ],
)
def test_a_condition_is_written_as_a_person_would(condition: Condition, text: str):
    assert print_condition(condition) == text


@pytest.mark.parametrize("symbol", ["<", "<=", ">", ">=", "==", "!="])
def test_a_comparison_is_read_as_python_computes_it(symbol: str):
    text = f"kernel f()\ncores i < 9, j < 9:\n    if i {symbol} j + 2:\n        pass\n"
    (branch,) = parse_program(text).stages[0].body
    assert isinstance(branch, If)
    for i in range(5):
        wanted = eval(f"i {symbol} j + 2", {}, {"i": i, "j": 1})
        assert cond.holds(branch.condition, {"i": i, "j": 1}) == wanted


def test_a_buffer_called_like_a_number_is_told_from_it():
    inf = Buffer("inf", Memory.UB, DType.FLOAT32, (4,), ND)
    expr = ex.Binary(ex.BinaryOp.ADD, ex.Load(whole(inf)), ex.Literal(math.inf, inf.dtype))
    program = Program("f", (), (), (), (), (Stage((), (Alloc(inf), Map(whole(inf), expr))),))
    assert print_program(program).splitlines()[-1] == "    inf[:] = inf[:] + inf"
    assert parse_program(print_program(program)) == program


def test_numbers_keep_their_kind_and_sign():
    x = Buffer("x", Memory.UB, DType.FLOAT32, (4,), ND)
    values = [0.0, -0.0, 1.0, math.inf, -math.inf, math.nan, 1e-45, 3.4028234663852886e38]
    body = (Alloc(x), *(Map(whole(x), ex.Literal(value, x.dtype)) for value in values))
    program = Program("f", (), (), (), (), (Stage((), body),))
    text = print_program(program)
    assert [line.strip() for line in text.splitlines()[3:]] == [
        "x[:] = 0.0",
        "x[:] = -0.0",
        "x[:] = 1.0",
        "x[:] = inf",
        "x[:] = -inf",
        "x[:] = nan",
        "x[:] = 1e-45",
        "x[:] = 3.4028234663852886e+38",
    ]
    assert repr(parse_program(text)) == repr(program)


def test_white_space_comments_and_broken_lines_change_nothing():
    text = (
        "# a program\n\n\n"
        "kernel f(a[17]:float16 ,# the input\n  b[17]: float16)->c[17] : float16\r\n"
        "  # the tiles\n  tiles n=1\n\n\ncores i<1 :  # all\n\n"
        "\tu = alloc_ub( [\n17 ],float16)\n\n  # odd\n\tdata_move (u,a\n)\n# end"
    )
    plain = (
        "kernel f(a[17]: float16, b[17]: float16) -> c[17]: float16\n    tiles n=1\ncores i < 1:\n"
        "    u = alloc_ub([17], float16)\n    data_move(u, a)\n"
    )
    assert print_program(parse_program(text)) == plain


# Places ----------------------------------------------------------------------------------------


def test_nodes_know_their_places_in_the_text():
    program = parse_program(GEMM, "places.tile")
    (stage,) = program.stages
    alloc, loop = stage.body[:2]
    assert isinstance(loop, Loop)
    assert isinstance(alloc, Alloc)
    move, product = loop.body[2], loop.body[4]
    assert (program.loc.line, program.inputs[1].loc.column, stage.loc.line) == (1, 35, 3)
    assert alloc.buffer.loc == alloc.loc == Location("places.tile", 4, 4, 49, 4)
    assert loop.loc == Location("places.tile", 5, 4, 24, 5)
    assert move.loc.excerpt() == [
        "    data_move(a1, a[128*i:+128, 64*k:+64])",
        "    " + "^" * 38,
    ]
    places: list[Location] = []
    map_regions(product, lambda region: places.append(region.loc) or region)
    assert [(place.line, place.column, place.end_column) for place in places] == [
        (10, 15, 18),
        (10, 20, 22),
        (10, 24, 28),
    ]


def test_every_statement_has_a_place():
    assert all(stmt.loc != UNKNOWN for stmt in walk_program(parse_program(EVERYTHING)))


def test_columns_are_bytes():
    text = "kernel f(ü[1]: float16) -> é[1]: float16\ncores:\n    pass\n"
    program = parse_program(text, "bytes.tile")
    place = program.results[0].loc
    assert (place.column, place.end_column, str(place)) == (28, 42, "bytes.tile:1:28")


def test_a_text_without_a_file_is_known_to_messages():
    parse_program(GEMM, "<a text of this test>")
    assert linecache.getline("<a text of this test>", 3) == "cores i < 8, j < 8:\n"


def test_a_file_is_read_with_its_name(tmp_path: Path):
    path = tmp_path / "gemm.tile"
    path.write_text(GEMM, encoding="utf-8")
    program = parse_file(path)
    assert program == parse_program(GEMM)
    assert program.loc.file == str(path)


def test_a_file_of_an_editor_that_marks_utf_8_is_read(tmp_path: Path):
    path = tmp_path / "gemm.tile"
    path.write_text(GEMM, encoding="utf-8-sig")
    assert parse_file(path) == parse_program(GEMM)


def test_printing_a_program_object_gives_its_text():
    assert str(parse_program(GEMM)) == GEMM


# Speed -----------------------------------------------------------------------------------------


def test_a_signature_is_read_in_5_ms_and_a_gemm_is_printed_in_1_ms():
    program = parse_program(GEMM)
    signature = "a[M, K]: T, b[K, N]: T -> c[M, N]: acc(T)"
    assert _fastest(lambda: parse_tree("signature", signature)) < 5e-3
    assert _fastest(lambda: print_program(program)) < 1e-3


def _fastest(run: object) -> float:
    assert callable(run)
    times: list[float] = []
    for _ in range(5):
        start = perf_counter()
        run()
        times.append(perf_counter() - start)
    return min(times)


def test_the_grid_of_one_core_is_printed_without_variables():
    program = Program("f", (), (), (), (), (Stage((), ()), Stage((Core("i", 3),), ())))
    assert print_program(program) == "kernel f()\ncores:\n    pass\ncores i < 3:\n    pass\n"
