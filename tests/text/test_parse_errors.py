"""Mistakes in the text form: each code's whole message here, every message in one golden file."""

from pathlib import Path

import pytest

from tests.golden import Golden
from tilelang.diagnostics import TileError
from tilelang.text.parser import parse_file, parse_program

HEAD = """\
kernel f(a[32, 16]: float16, w[16, 16, 3, 3]: float16) -> c[32, 16]: float32
cores i < 2:
    x = alloc_ub([16, 16], float16)
    y = alloc_ub([16], float32)
"""
"""Four lines; a wrong statement is the fifth."""


def message(text: str) -> str:
    with pytest.raises(TileError) as caught:
        parse_program(text, "wrong.tile")
    return str(caught.value)


def statement_message(statement: str) -> str:
    return message(f"{HEAD}    {statement}\n")


ONE_FOR_EACH_CODE = {
    "data_move(x a)": """\
wrong.tile:5:17: error[E0501]: expected an operator, `)`, `,` or `=` after `x`, found `a`
    data_move(x a)
                ^""",
    "  x[:] = x": """\
wrong.tile:5:7: error[E0502]: this line is indented, and it opens no block
    x[:] = x
    ^^^^^^^^""",
    "data_move(xx, a)": """\
wrong.tile:5:15: error[E0503]: there is no buffer `xx`
    data_move(xx, a)
              ^^
    hint: write `x`""",
    "x = alloc_ub([1], float16)": """\
wrong.tile:5:5: error[E0504]: two buffers are called `x`
    x = alloc_ub([1], float16)
    ^
    wrong.tile:3:5: note: the first one
        x = alloc_ub([16, 16], float16)
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: give one another name""",
    "datamove(x, a)": """\
wrong.tile:5:5: error[E0505]: there is no statement `datamove`
    datamove(x, a)
    ^^^^^^^^
    hint: write `data_move`""",
    "matmul(x)": """\
wrong.tile:5:5: error[E0506]: `matmul` needs `a` and `b`
    matmul(x)
    ^^^^^^^^^
    hint: write `matmul(dst, a, b, init=...)`""",
    "x[:] = x + i": """\
wrong.tile:5:16: error[E0507]: `i` is a loop variable, and a buffer is wanted
    x[:] = x + i
               ^
    hint: write `index(i)`, an int32""",
    "data_move(x, a[i*i:+16, :])": """\
wrong.tile:5:20: error[E0508]: two indices are multiplied, and one of them must be a number
    data_move(x, a[i*i:+16, :])
                   ^^^
    hint: write a number on one side, as in `16*i`""",
    "data_move(x, a[0:16, :])": """\
wrong.tile:5:20: error[E0509]: `0:16` says where to stop
    data_move(x, a[0:16, :])
                   ^^^^
    hint: write how many elements: `start:+extent`, with a step `start:+extent:step`""",
    "x[:] = cast(3, float16)": """\
wrong.tile:5:17: error[E0510]: nothing beside `3` says what dtype it has
    x[:] = cast(3, float16)
                ^
    hint: write it: `int32(3)`""",
    "x = exp(x)": """\
wrong.tile:5:5: error[E0511]: `x` is assigned, and only an allocation gives a name
    x = exp(x)
    ^
    hint: write `x[:] = ...` to fill the buffer""",
}


@pytest.mark.parametrize("statement", ONE_FOR_EACH_CODE)
def test_a_mistake_is_shown_with_its_line_and_what_to_write(statement: str):
    assert statement_message(statement) == ONE_FOR_EACH_CODE[statement]


def test_a_first_line_must_say_everything():
    assert (
        message("kernel f(a[M]: float16) -> c[3]: float16\n")
        == """\
wrong.tile:1:12: error[E0512]: the size `M` has a name, and a program has numbers for sizes
    kernel f(a[M]: float16) -> c[3]: float16
               ^
    hint: write the number"""
    )


WRONG_STATEMENTS = [
    "data_move(x, a[16*i:+16, :]",
    "data_move(x, a[16*i:+16 :])",
    "x[:] = ",
    "x[:] = exp(x",
    "x[:] = exp(x) +",
    "x[:] = x + * x",
    "x[:] = x ? 3",
    "x[:] = not x",
    "x = 3 = 4",
    "for k 3:\n        pass",
    "for k < 3\n        pass",
    "for k < 3:\n    pass",
    "for k < 3:",
    "for k < 3:\n      pass\n     pass",
    "if i < 3 and i > 1:\n        pass",
    "if 0 < i < 3:\n        pass",
    # names
    "x[:] = z",
    "for k < 3:\n        u = alloc_ub([1], float16)\n    u[:] = 0.0",
    "data_move(x, a[16*k:+16, :])",
    "for i < 3:\n        pass",
    "a = alloc_ub([1], float16)",
    # words
    "x[:] = expp(x)",
    "fro k < 3:\n        pass",
    "whilst k < 3:\n        pass",
    "u = alloc_l2([1], float16)",
    "u = alloc_ub([1], float15)",
    "u = alloc_ub([1], float16) @ NX",
    "u = alloc_ub([1], float16) @ NZ",
    "x[:] = cast(x, float15)",
    "x[:] = cast(x, float16, round=up)",
    "x[:] = reduce_mean(x, axis=1)",
    "x[:] = x // x",
    "if i < min(3, 4):\n        pass",
    "data_move(x, a.t)",
    "data_move(x, a.reshape((0,)))",
    "data_move(x, transposed(a))",
    # arguments
    "data_move(x)",
    "data_move(x, a, 0, 1)",
    "data_move(x, a, pat=1)",
    "data_move(x, a, src=a)",
    "x[:] = exp()",
    "load3d(x, a)",
    "if i < minimum():\n        pass",
    "for:\n        pass",
    "for k < 3, j < 4:\n        pass",
    "for k < 3, steps=2:\n        pass",
    # one kind of thing where another is wanted
    "for k < 3, stages=0:\n        pass",
    "load3d(x, a, kernel=3)",
    "load3d(x, a, kernel=(3, 0))",
    "load3d(x, a, kernel=(3, 3), padding=(1, 1))",
    "data_move(x, 3)",
    "data_move(x, a + a)",
    "data_move(x, a, pad=x)",
    "data_move(x, a[x:+16, :])",
    "data_move(x, a[1.5:+16, :])",
    "data_move(x, a[i:+i, :])",
    "data_move(x, a[i:+16:i, :])",
    "if i:\n        pass",
    "if x < 3:\n        pass",
    "matmul(x, a, a, init=3)",
    "x[:] = [1, 2]",
    "x[:] = float16(x)",
    "x[:] = position(i)",
    "u = alloc_ub(16, float16)",
    "u = alloc_ub([i], float16)",
    "u = alloc_ub([-1], float16)",
    # indices and regions
    "data_move(x, a[i//i:+16, :])",
    "data_move(x, a[i%0:+16, :])",
    "data_move(x, a[i])",
    "data_move(x, a[i, i, i])",
    "data_move(x, a[:16, :])",
    "data_move(x, y.T)",
    "data_move(x, a.T.T)",
    "data_move(x, a.view(0, 1))",
    "data_move(x, a.view((0,)))",
    "data_move(x, a.view((1, 0)))",
    "data_move(x, as_matrix(a))",
    # numbers without a dtype
    "x[:] = where(1.0 < 2.0, x, x)",
    "x[:] = where(1.0, x, x)",
    # places
    "3 = x",
    "x.T = x",
    "x[:] = x @ NZ",
    "x + x",
    "u[0] = alloc_ub([1], float16)",
    "cores j < 3:\n        pass",
    "elif i < 3:\n        pass",
]

WRONG_PROGRAMS = [
    "",
    "# only a comment\n",
    "cores i < 3:\n    pass\n",
    "kernel f\n",
    "kernel f(a[3]: float16):\n    pass\n",
    "kernel f(a[3]: T) -> c[3]: float16\n",
    "kernel f(a[3]) -> c[3]: float16\n",
    "kernel f(a[3]: acc(float16)) -> c[3]: float16\n",
    "kernel f(a[3 - 4]: float16)\n",
    "kernel f(a[3//0]: float16)\n",
    "kernel f(a[3//(1 - 1)]: float16)\n",
    "kernel f(a[3]: float16; stride) -> c[3]: float16\n",
    "kernel f(a[3]: float16; s=1, s=2) -> c[3]: float16\n",
    "kernel f(a[3]: float16; s=nan) -> c[3]: float16\n",
    "kernel f(a[3]: float16; s=-small) -> c[3]: float16\n",
    "kernel f(a[3]: float16; s=(1.0)) -> c[3]: float16\n",
    "kernel f(a[3]: float16)\n    tiles m=16, n=1.5\n",
    "kernel f(a[3]: float16, a[3]: float16)\n",
    "kernel f(a[3]: float16 @ NZ)\n",
    "kernel f(a[3, 3] @ NZ: float16)\n",
    "kernel f(a[3, 3]: float16 @ NX)\n",
    "kernel f(a[3]: float16)\n    tiles m\n",
    "kernel f(a[3]: float16)\n    tile m=1\n",
    "kernel f(a[3]: float16)\n    tiles m=1\n    cores:\n        pass\n",
    "kernel f(a[3]: float16)\ndata_move(a, a)\n",
    "kernel f(a[3]: float16)\nfor k < 3:\n    pass\n",
    "kernel f(a[3]: float16)\nu = alloc_ub([3], float16)\n",
    "kernel f(a[3]: float16)\ncores i < 3, stages=2:\n    pass\n",
    "kernel f(a[3]: float16)\ncores i < i:\n    pass\n",
    "kernel f(a[3]: float16)\ncores i < 3, i < 3:\n    pass\n",
]


def test_every_message_is_as_it_was(golden: Golden):
    statements = [statement_message(statement) for statement in WRONG_STATEMENTS]
    programs = [message(text) for text in WRONG_PROGRAMS]
    golden.check("text/parse_errors.txt", "\n\n".join([*statements, *programs]) + "\n")


@pytest.mark.parametrize("statement", [*WRONG_STATEMENTS, *ONE_FOR_EACH_CODE])
def test_no_message_shows_how_the_parser_calls_things(statement: str):
    said = statement_message(statement)
    assert "__ANON" not in said
    assert not any(word in said for word in ("LPAR", "RSQB", "NAME", "_NEWLINE", "$END"))


def test_mistakes_of_several_statements_are_reported_together():
    text = HEAD + "    data_move(x, b)\n    for k < j:\n        pass\n    x[:] = expp(x)\n"
    places = [line for line in message(text).splitlines() if "error[" in line]
    assert places == [
        "wrong.tile:5:18: error[E0503]: there is no buffer `b`",
        "wrong.tile:6:13: error[E0503]: there is no loop variable `j`",
        "wrong.tile:8:12: error[E0505]: there is no function `expp`",
    ]


def test_a_wrong_allocation_does_not_make_its_name_unknown():
    said = message(HEAD + "    u = alloc_ub([1], float15)\n    u[:] = 0.0\n")
    assert said.count("error[") == 1


def test_columns_count_characters_and_carets_stand_below_them():
    assert statement_message('x[:] = "ü" + x').splitlines()[1:] == [
        '    x[:] = "ü" + x',
        "           ^",
    ]
    assert (
        statement_message("ü[:] = x")
        == """\
wrong.tile:5:5: error[E0503]: there is no buffer `ü`
    ü[:] = x
    ^
    hint: use one of: a, c, w, x, y"""
    )


def test_a_file_that_cannot_be_read(tmp_path: Path):
    with pytest.raises(TileError) as caught:
        parse_file(tmp_path / "none.tile")
    assert (
        str(caught.value).replace(str(tmp_path), "here")
        == """\
error[E0605]: cannot read here/none.tile: No such file or directory
    hint: give the path of a .tile file; looked in here"""
    )


def test_a_file_that_is_no_text(tmp_path: Path):
    path = tmp_path / "binary.tile"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(TileError, match=r"error\[E0605\]: cannot read .*: it is not UTF-8 text"):
        parse_file(path)


def test_an_expression_that_is_nested_too_deep():
    said = statement_message(f"x[:] = x{' + x' * 2000}")
    assert said.startswith("wrong.tile:5:12: error[E0513]: the expression is nested too deep")
