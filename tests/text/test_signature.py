"""Signature strings: what they mean, and the whole message of every mistake in one."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilelang.diagnostics import UNKNOWN, Location, TileError
from tilelang.dtypes import ELEMENT_TYPES, DType
from tilelang.layouts import Layout, LayoutKind
from tilelang.text.signature import (
    AccumulatorOf,
    Dim,
    DimArithmetic,
    DimName,
    DimNegative,
    DimOp,
    DimSize,
    DTypeExpr,
    DTypeVariable,
    Signature,
    TensorSpec,
    dim_names,
    evaluate_dim,
    parse_signature,
)

GEMM = "a[M, K]: T, b[K, N]: T -> c[M, N]: acc(T)"
T = DTypeVariable("T")


def message(text: str) -> str:
    with pytest.raises(TileError) as caught:
        parse_signature(text, UNKNOWN)
    return str(caught.value)


def test_a_gemm_is_its_tensors_with_their_dimensions_and_dtypes():
    M, K, N = map(DimName, "MKN")
    assert parse_signature(GEMM, UNKNOWN) == Signature(
        (TensorSpec("a", (M, K), T), TensorSpec("b", (K, N), T)),
        (),
        (TensorSpec("c", (M, N), AccumulatorOf(T)),),
    )


def test_layouts_attributes_and_arithmetic_are_read():
    text = (
        "x[N, C, H, W] : T @ NC1HWC0, w[O, C, R, S]; stride, pad, relu"
        " -> y[N, O, (H + 2*pad - R)//stride + 1]: T, z[-3 + 4*(N - 1)]: float32"
    )
    signature = parse_signature(text, UNKNOWN)
    x, w = signature.inputs
    y, z = signature.results
    assert (x.layout, w.layout, w.dtype) == (LayoutKind.NC1HWC0, LayoutKind.ND, T)
    assert signature.attributes == ("stride", "pad", "relu")
    values = {"H": 10, "pad": 1, "R": 3, "stride": 2}
    assert evaluate_dim(y.dims[2], values) == 5
    assert list(dim_names(y.dims[2])) == ["H", "pad", "R", "stride"]
    assert (evaluate_dim(z.dims[0], {"N": 5}), z.dtype) == (13, DType.FLOAT32)


def test_several_results_and_several_dtype_variables_are_read():
    signature = parse_signature("g[B, 4*H]: T, c[B, H]: S -> h[B, H]: T, d[B, H]: S", UNKNOWN)
    assert [tensor.name for tensor in signature.tensors] == ["g", "c", "h", "d"]
    assert signature.dtype_variables == ("T", "S")


def test_a_tensor_may_have_no_dimensions_and_lines_may_break_anywhere():
    signature = parse_signature("x[]: float32,\r\n  y[\n\tN] -> z[N]", UNKNOWN)
    assert str(signature) == "x[]: float32, y[N]: T -> z[N]: T"


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("a[M,K],b[K]->c[M]", "a[M, K]: T, b[K]: T -> c[M]: T"),
        ("a[(M)] -> c[M]", "a[M]: T -> c[M]: T"),
        ("a[M];p->c[M-(p-1)]", "a[M]: T; p -> c[M - (p - 1)]: T"),
        ("a[M] -> c[(M-1)-2]", "a[M]: T -> c[M - 1 - 2]: T"),
        ("a[M] -> c[M//(2*3)//4]", "a[M]: T -> c[M//(2*3)//4]: T"),
        ("a[M] -> c[-(M+1)*--M]", "a[M]: T -> c[-(M + 1)*--M]: T"),
    ],
)
def test_the_canonical_text_has_only_the_brackets_it_needs(text: str, canonical: str):
    assert str(parse_signature(text, UNKNOWN)) == canonical


def test_what_the_user_wrote_is_kept_and_does_not_take_part_in_equality():
    spaced = parse_signature("a [ M ]  -> b [ M ]", Location("k.py", 3))
    assert spaced.text == "a [ M ]  -> b [ M ]"
    assert spaced == parse_signature("a[M] -> b[M]", UNKNOWN)


dims: st.SearchStrategy[Dim] = st.recursive(
    st.builds(DimSize, st.integers(0, 99)) | st.builds(DimName, st.sampled_from(["M", "k", "p"])),
    lambda inner: (
        st.builds(DimNegative, inner)
        | st.builds(DimArithmetic, st.sampled_from(DimOp), inner, inner).filter(
            lambda dim: dim.op is not DimOp.FLOOR_DIVIDE or dim.right != DimSize(0)
        )
    ),
    max_leaves=8,
)
variables = st.sampled_from([T, DTypeVariable("Acc")])
dtypes: st.SearchStrategy[DTypeExpr] = (
    st.sampled_from(ELEMENT_TYPES)
    | variables
    | st.builds(AccumulatorOf, variables)
    | st.builds(AccumulatorOf, st.sampled_from(ELEMENT_TYPES))
)


@st.composite
def tensors(draw: st.DrawFn, name: str) -> TensorSpec:
    layout = draw(st.sampled_from(LayoutKind))
    least = Layout(layout).logical_rank
    shape = draw(st.lists(dims, min_size=least, max_size=4))
    return TensorSpec(name, tuple(shape), draw(dtypes), layout)


@st.composite
def signatures(draw: st.DrawFn) -> Signature:
    # `base` binds every name that another tensor may use.
    base = TensorSpec("base", (DimName("M"), DimName("k")), T)
    other = TensorSpec("other", (DimName("p"),), DTypeVariable("Acc"))
    inputs = [draw(tensors(f"x{number}")) for number in range(draw(st.integers(0, 2)))]
    results = [draw(tensors(f"y{number}")) for number in range(draw(st.integers(1, 2)))]
    attributes = draw(st.lists(st.sampled_from(["p", "stride", "relu_1"]), unique=True))
    return Signature((base, other, *inputs), tuple(attributes), tuple(results))


@given(signatures())
def test_the_text_of_a_signature_parses_to_the_same_signature(signature: Signature):
    assert parse_signature(str(signature), UNKNOWN) == signature


ARITHMETIC = dims.filter(lambda dim: not isinstance(dim, DimSize))


@given(ARITHMETIC)
def test_the_text_of_a_dimension_is_what_python_computes(dim: Dim):
    values = {"M": 7, "k": 3, "p": 2}
    signature = Signature(
        (TensorSpec("x", (DimName("M"), DimName("k"), DimName("p"))),),
        (),
        (TensorSpec("y", (dim,)),),
    )
    text = str(signature).rpartition("y[")[2].removesuffix("]: T")
    try:
        wanted = eval(text, {}, values)
    except ZeroDivisionError:
        with pytest.raises(ZeroDivisionError):
            evaluate_dim(dim, values)
    else:
        assert evaluate_dim(dim, values) == wanted


# Mistakes --------------------------------------------------------------------------------------

EXAMPLE = "`a[M, K]: T, b[K, N]: T -> c[M, N]: acc(T)`"

MESSAGES = {
    "a[M, K: T -> c[M]": """\
error[E0201]: expected an operator, `,` or `]` after `K`, found `:`
    a[M, K: T -> c[M]
          ^""",
    "a[M K] -> c[M]": """\
error[E0201]: expected an operator, `,` or `]` after `M`, found `K`
    a[M K] -> c[M]
        ^""",
    "a[M, 2*] -> c[M]": """\
error[E0201]: expected an expression after `*`, found `]`
    a[M, 2*] -> c[M]
           ^""",
    "a[M] b[K] -> c[M]": """\
error[E0201]: expected `,`, `->`, `:`, `;` or `@` after `]`, found `b`
    a[M] b[K] -> c[M]
         ^""",
    "a[M]: T -> c[M] % 2": """\
error[E0201]: expected `,`, `:` or `@` after `]`, found `%`
    a[M]: T -> c[M] % 2
                    ^""",
    "a: T -> c[M]": """\
error[E0201]: expected `[` after `a`, found `:`
    a: T -> c[M]
     ^""",
    "a[M]: T ->\nc[M": """\
error[E0201]: expected an operator, `,` or `]` after `M`, found the end of the text
    c[M
       ^""",
    "-> c[4]: float32": f"""\
error[E0202]: the signature has no inputs: no tensor stands before `->`
    -> c[4]: float32
    ^^
    hint: write them before `->`: {EXAMPLE}""",
    "a[M]: T": f"""\
error[E0203]: the signature has no results: there is no `->`
    a[M]: T
           ^
    hint: write them after `->`: {EXAMPLE}""",
    "a[M]: T -> ": f"""\
error[E0203]: the signature has no results: nothing stands after `->`
    a[M]: T -> 
            ^^
    hint: write them after `->`: {EXAMPLE}""",
    "": f"""\
error[E0202]: the signature has no inputs: no tensor stands in it
    hint: write them before `->`: {EXAMPLE}
error[E0203]: the signature has no results: there is no `->`
    hint: write them after `->`: {EXAMPLE}""",
    "a[M], a[K] -> c[M]": """\
error[E0204]: two tensors are called `a`
    a[M], a[K] -> c[M]
          ^
    hint: give the tensor another name""",
    "a[M]; p, p -> c[M]": """\
error[E0204]: two attributes are called `p`
    a[M]; p, p -> c[M]
             ^
    hint: give the attribute another name""",
    "a[M]; a -> c[M]": """\
error[E0204]: `a` is the name of an attribute and of a tensor
    a[M]; a -> c[M]
          ^
    hint: give the attribute another name""",
    "a[M, c] -> c[M]": """\
error[E0204]: `c` is the name of a dimension and of a tensor
    a[M, c] -> c[M]
         ^
    hint: give the dimension another name""",
    "a[M]: M -> c[M]: float16": """\
error[E0204]: `M` is the name of a dtype and of a dimension
    a[M]: M -> c[M]: float16
          ^
    hint: give the dtype another name""",
    "a[M, K] @ nz -> c[M]": """\
error[E0205]: there is no layout `nz`
    a[M, K] @ nz -> c[M]
              ^^
    hint: write `@ NZ`""",
    "a[M, K] @ BLOCKED -> c[M]": """\
error[E0205]: there is no layout `BLOCKED`
    a[M, K] @ BLOCKED -> c[M]
              ^^^^^^^
    hint: use one of: ND, NZ, ZZ, ZN, NN, NC1HWC0, FRACTAL_Z""",
    "a[C, H] @ NC1HWC0 -> c[C]": """\
error[E0206]: NC1HWC0 orders 3 dimensions, and `a` has 2
    a[C, H] @ NC1HWC0 -> c[C]
    ^^^^^^^^^^^^^^^^^
    hint: give the logical dimensions of `a`, not those of the physical array""",
    "a[M]: float15 -> c[M]: float16": """\
error[E0207]: there is no dtype `float15`
    a[M]: float15 -> c[M]: float16
          ^^^^^^^
    hint: write `float16`; a variable starts with a capital""",
    "a[M]: half -> c[M]: float16": """\
error[E0207]: there is no dtype `half`
    a[M]: half -> c[M]: float16
          ^^^^
    hint: write `float16`; a variable starts with a capital""",
    "a[M]: complex -> c[M]: float16": """\
error[E0207]: there is no dtype `complex`
    a[M]: complex -> c[M]: float16
          ^^^^^^^
    hint: use one of float16, bfloat16, float32, int8, uint8, int32, or a variable, which starts \
with a capital""",
    "a[M]: T -> c[M]: sum(T)": """\
error[E0207]: `sum(...)` is not a dtype; the one function of a dtype is `acc`
    a[M]: T -> c[M]: sum(T)
                     ^^^^^^
    hint: write `acc(T)` or a dtype""",
    "a[M]: T -> c[M]: acc": """\
error[E0207]: `acc` needs the dtype that is summed
    a[M]: T -> c[M]: acc
                     ^^^
    hint: write `acc(T)`""",
    "a[N_in] -> c[N_inn, Q]": """\
error[E0208]: the size `N_inn` of a result occurs in no input
    a[N_in] -> c[N_inn, Q]
                 ^^^^^
    hint: write `N_in`, or make it an attribute: `; N_inn ->`
error[E0208]: the size `Q` of a result occurs in no input
    a[N_in] -> c[N_inn, Q]
                        ^
    hint: make it an attribute: `; Q ->`""",
    "a[M]: T -> c[M]: acc(U)": """\
error[E0209]: no input has the dtype `U` that `c` is made of
    a[M]: T -> c[M]: acc(U)
                         ^
    hint: give an input this dtype, or `c` a fixed one: `: float32`""",
    "a[M]: float16 -> c[M]": """\
error[E0209]: `c` states no dtype, so it has the dtype `T` of no input
    a[M]: float16 -> c[M]
                     ^^^^
    hint: write one, as in `c[...]: float32`""",
    "a[M, K] @ NZ: T -> c[M]": """\
error[E0210]: the layout of `a` stands before its dtype
    a[M, K] @ NZ: T -> c[M]
            ^^^^
    hint: write `a[...]: T @ NZ`""",
    "a[M, K]: T: T @ NZ @ ZZ -> c[M]": """\
error[E0210]: `a` has two dtypes, and a tensor has one
    a[M, K]: T: T @ NZ @ ZZ -> c[M]
              ^^^
    hint: remove one of them
error[E0210]: `a` has two layouts, and a tensor has one
    a[M, K]: T: T @ NZ @ ZZ -> c[M]
                       ^^^^
    hint: remove one of them""",
    "a[M, K]: T @ NZ(16); pad=1 -> c[M]": """\
error[E0211]: the attribute `pad` has a value, and a signature gives only its name
    a[M, K]: T @ NZ(16); pad=1 -> c[M]
                         ^^^^^
    hint: write `pad` here and the default in the `def`: `*, pad: int = ...`
error[E0211]: in a signature the dtype says how wide the blocks of a layout are
    a[M, K]: T @ NZ(16); pad=1 -> c[M]
                 ^^^^^^
    hint: write `@ NZ`""",
    "a[M] -> c[M//0]": """\
error[E0212]: a dimension is divided by 0
    a[M] -> c[M//0]
              ^^^^
    hint: divide by a positive number""",
}


@pytest.mark.parametrize("text", MESSAGES)
def test_a_mistake_is_shown_with_a_caret_inside_the_signature(text: str):
    assert message(text) == MESSAGES[text]


def test_mistakes_of_one_signature_are_reported_together():
    assert message("a[M]: half -> c[M//0]: T @ nx").count("error[") == 3


# Places ----------------------------------------------------------------------------------------


def call_location(path: Path) -> Location:
    """Return the place of the decorator's call in the second line, as Python would give it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    end = next(number for number, line in enumerate(lines, 1) if line.endswith(")"))
    return Location(str(path), 2, 1, len(lines[end - 1].encode()), end)


def shown(path: Path, signature: str) -> str:
    with pytest.raises(TileError) as caught:
        parse_signature(signature, call_location(path))
    return str(caught.value).replace(str(path.parent), "here")


def test_the_caret_is_in_the_users_line_where_the_string_stands_in_one(tmp_path: Path):
    path = tmp_path / "k.py"
    path.write_text(
        'import tilelang as tl\n@tl.kernel("a[ü, K: T -> c[ü]")\ndef f(): ...\n', "utf-8"
    )
    assert (
        shown(path, "a[ü, K: T -> c[ü]")
        == """\
here/k.py:2:19: error[E0201]: expected an operator, `,` or `]` after `K`, found `:`
    @tl.kernel("a[ü, K: T -> c[ü]")
                      ^"""
    )


def test_the_caret_is_in_the_line_of_a_string_over_several(tmp_path: Path):
    path = tmp_path / "k.py"
    path.write_text('import tilelang as tl\n@tl.kernel("""\n  a[M]: T\n  -> c[K]: T""")\n')
    assert (
        shown(path, "\n  a[M]: T\n  -> c[K]: T")
        == """\
here/k.py:4:8: error[E0208]: the size `K` of a result occurs in no input
    -> c[K]: T\""")
         ^
    hint: make it an attribute: `; K ->`"""
    )


def test_a_string_that_is_put_together_is_shown_below_the_call(tmp_path: Path):
    path = tmp_path / "k.py"
    path.write_text('import tilelang as tl\n@tl.kernel("a[M]: T "\n    "-> c[K]: T")\n')
    assert (
        shown(path, "a[M]: T -> c[K]: T")
        == """\
here/k.py:2:2: error[E0208]: the size `K` of a result occurs in no input
    @tl.kernel("a[M]: T "
     ^^^^^^^^^^^^^^^^^^^^
    a[M]: T -> c[K]: T
                 ^
    hint: make it an attribute: `; K ->`"""
    )


def test_a_tensor_knows_its_place(tmp_path: Path):
    path = tmp_path / "k.py"
    path.write_text(f'import tilelang as tl\n@tl.kernel("{GEMM}")\ndef f(): ...\n')
    places = [tensor.location for tensor in parse_signature(GEMM, call_location(path)).tensors]
    assert [(place.line, place.column, place.end_column) for place in places] == [
        (2, 12, 22),
        (2, 24, 34),
        (2, 38, 53),
    ]
