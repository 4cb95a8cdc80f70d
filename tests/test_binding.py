"""Binding a call to a signature: what is found, and the whole message of every mistake."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilelang.binding import Argument, Binding, bind
from tilelang.diagnostics import UNKNOWN, Location, TileError
from tilelang.dtypes import DType
from tilelang.ir.region import Buffer, Memory
from tilelang.layouts import ND, Layout, LayoutKind
from tilelang.text.signature import parse_signature

GEMM = "a[M, K]: T, b[K, N]: T -> c[M, N]: acc(T)"
CONV = (
    "x[N, C, H, W]: T @ NC1HWC0, w[O, C, R, S]: T @ FRACTAL_Z; stride, pad"
    " -> y[N, O, (H + 2*pad - R)//stride + 1, W]: acc(T)"
)
F16, F32, I8, I32 = DType.FLOAT16, DType.FLOAT32, DType.INT8, DType.INT32
CALL = Location("user.py", 7)
NONE: Mapping[str, int] = {}


def bound(
    text: str,
    arguments: Mapping[str, Argument],
    dims: Mapping[str, int] = NONE,
    attributes: Mapping[str, int] = NONE,
    **dtypes: DType,
) -> Binding:
    return bind(
        parse_signature(text, UNKNOWN),
        arguments,
        dims=dims,
        attributes=attributes,
        dtypes=dtypes,
        location=CALL,
    )


def message(
    text: str,
    arguments: Mapping[str, Argument],
    dims: Mapping[str, int] = NONE,
    attributes: Mapping[str, int] = NONE,
    **dtypes: DType,
) -> str:
    with pytest.raises(TileError) as caught:
        bound(text, arguments, dims, attributes, **dtypes)
    return str(caught.value)


def array(*shape: int, dtype: DType = F16) -> Argument:
    return Argument(shape, dtype)


# What is found ---------------------------------------------------------------------------------


def test_arguments_give_dimensions_dtypes_and_results():
    binding = bound(GEMM, {"a": array(33, 17), "b": array(17, 1)})
    assert binding == Binding(
        {"M": 33, "K": 17, "N": 1},
        {"T": F16},
        (
            Buffer("a", Memory.GM, F16, (33, 17), ND),
            Buffer("b", Memory.GM, F16, (17, 1), ND),
        ),
        (Buffer("c", Memory.GM, F32, (33, 1), ND),),
        {},
    )


def test_keywords_replace_all_arguments():
    binding = bound(GEMM, {}, {"M": 3, "K": 5, "N": 7}, T=I8)
    assert [buffer.shape for buffer in (*binding.inputs, *binding.results)] == [
        (3, 5),
        (5, 7),
        (3, 7),
    ]
    assert (binding.inputs[0].dtype, binding.results[0].dtype) == (I8, I32)


def test_a_keyword_and_an_argument_may_agree():
    binding = bound(GEMM, {"a": array(3, 5)}, {"K": 5, "N": 7}, T=F16)
    assert binding.dims == {"K": 5, "N": 7, "M": 3}


def test_expressions_are_computed_from_dimensions_and_attributes():
    text = "x[H]: float32, r[R]: float32; stride, pad -> y[(H + 2*pad - R)//stride + 1]: float32"
    binding = bound(
        text,
        {"x": array(17, dtype=F32), "r": array(3, dtype=F32)},
        attributes={"stride": 2, "pad": 1},
    )
    assert binding.results[0].shape == (9,)
    assert binding.attributes == {"stride": 2, "pad": 1}
    assert binding.dims == {"H": 17, "R": 3}


def test_an_attribute_may_be_negative_or_a_bool_and_comes_in_the_order_of_the_signature():
    binding = bound("x[N]; p, q -> y[N]", {"x": array(4)}, attributes={"q": True, "p": -3})
    assert list(binding.attributes.items()) == [("p", -3), ("q", 1)]


def test_zero_is_a_size():
    assert bound(GEMM, {"a": array(0, 0), "b": array(0, 5)}).results[0].shape == (0, 5)


def test_numpy_integers_are_sizes():
    binding = bound("x[N]: T -> y[N]: T", {}, {"N": int(np.int64(5))}, T=F16)
    assert binding.dims == {"N": 5}


def test_a_physical_argument_gives_the_sizes_that_its_layout_does_not_pad():
    binding = bound(
        CONV,
        {"x": array(2, 2, 9, 8, 16), "w": array(18, 1, 16, 16)},
        {"C": 17, "O": 5, "R": 3, "S": 3},
        {"stride": 1, "pad": 0},
    )
    assert binding.inputs[0].shape == (2, 17, 9, 8)
    assert binding.inputs[0].layout == Layout(LayoutKind.NC1HWC0, 16)
    assert binding.inputs[1].layout == Layout(LayoutKind.FRACTAL_Z, 16)
    assert binding.results[0].shape == (2, 5, 7, 8)


def test_results_have_the_layout_of_their_own_dtype():
    result = bound("x[M, K]: float16 -> y[M, K]: int8 @ NZ", {"x": array(3, 5)}).results[0]
    assert result.layout == Layout(LayoutKind.NZ, 32)


@given(
    st.sampled_from(["NZ", "ZZ", "ZN", "NN"]),
    st.integers(0, 40),
    st.integers(0, 40),
    st.sampled_from([F16, F32, I8]),
)
def test_the_packed_array_of_any_shape_fits(layout: str, m: int, k: int, dtype: DType):
    physical = Layout(LayoutKind(layout), dtype.k0).pack(np.zeros((m, k), dtype.numpy))
    binding = bound(
        f"x[M, K]: T @ {layout}, v[M]: T -> y[K]: T",
        {"x": Argument(physical.shape, dtype), "v": array(m, dtype=dtype)},
        {"K": k},
    )
    assert binding.inputs[0].shape == (m, k)


def test_buffers_stand_at_their_place_in_the_signature(tmp_path: Path):
    path = tmp_path / "k.py"
    path.write_text(f'@kernel("{GEMM}")\n')
    signature = parse_signature(GEMM, Location(str(path), 1, 1, 54))
    binding = bind(
        signature,
        {},
        dims={"M": 1, "K": 1, "N": 1},
        attributes={},
        dtypes={"T": F16},
        location=CALL,
    )
    assert binding.inputs[1].loc == Location(str(path), 1, 21, 31, 1)


# Mistakes --------------------------------------------------------------------------------------


def test_two_arguments_that_give_one_dimension_two_sizes():
    assert (
        message(GEMM, {"a": array(3, 64), "b": array(32, 5)})
        == """\
user.py:7: error[E0221]: K is 64 by `a[1]` and 32 by `b[0]`
    hint: pass arguments that agree on K"""
    )


def test_an_argument_that_contradicts_a_keyword():
    assert (
        message(GEMM, {"a": array(3, 64)}, {"K": 32, "N": 1})
        == """\
user.py:7: error[E0221]: K is 32 by the keyword `K` and 64 by `a[1]`
    hint: pass arguments that agree on K"""
    )


def test_one_argument_that_contradicts_itself():
    assert (
        message("a[N, N] -> c[N]", {"a": array(3, 4)})
        == """\
user.py:7: error[E0221]: N is 3 by `a[0]` and 4 by `a[1]`
    hint: pass arguments that agree on N"""
    )


def test_an_argument_that_contradicts_an_attribute():
    assert (
        message("a[n]; n -> c[n]", {"a": array(3)}, attributes={"n": 4})
        == """\
user.py:7: error[E0221]: n is 4 by the keyword `n` and 3 by `a[0]`
    hint: pass arguments that agree on n"""
    )


def test_the_note_shows_the_line_of_the_signature(tmp_path: Path):
    path = tmp_path / "k.py"
    path.write_text(f'@kernel("{GEMM}")\n')
    signature = parse_signature(GEMM, Location(str(path), 1, 1, 54))
    with pytest.raises(TileError) as caught:
        bind(
            signature,
            {"a": array(3, 64), "b": array(32, 5)},
            dims={},
            attributes={},
            dtypes={},
            location=CALL,
        )
    assert (
        str(caught.value).replace(str(path.parent), "here")
        == f"""\
user.py:7: error[E0221]: K is 64 by `a[1]` and 32 by `b[0]`
    here/k.py:1:22: note: the signature says `b[K, N]: T`
        @kernel("{GEMM}")
                             ^^^^^^^^^^
    hint: pass arguments that agree on K"""
    )


def test_too_many_dimensions():
    assert (
        message(GEMM, {"a": array(3, 64, 1), "b": array(64, 5)})
        == """\
user.py:7: error[E0222]: `a` has shape [3, 64, 1]; wanted 2 dimensions: [M, K]
    hint: reshape `a`, or change the signature"""
    )


def test_too_few_dimensions_of_a_physical_array():
    assert (
        message("x[M, K] @ NZ -> y[M, K]", {"x": array(33, 17)}, {"M": 33, "K": 17})
        == """\
user.py:7: error[E0222]: `x` has shape [33, 17]; wanted 4 dimensions: [K1, M1, 16, 16], \
NZ of float16
    hint: pass the physical array, with its padding; `pack` makes one"""
    )


def test_an_array_without_dimensions():
    assert (
        message("x[N] -> y[N]", {"x": array()})
        == """\
user.py:7: error[E0222]: `x` has shape []; wanted 1 dimension: [N]
    hint: reshape `x`, or change the signature"""
    )


def test_another_dtype_than_the_signature_fixes():
    assert (
        message("x[N]: float16 -> y[N]: float16", {"x": array(3, dtype=F32)})
        == """\
user.py:7: error[E0223]: `x` is float32; the signature says float16
    hint: pass `x` as float16"""
    )


def test_another_dtype_than_the_signature_computes():
    arguments = {"x": array(3), "s": array(3)}
    assert (
        message("x[N]: T, s[N]: acc(T) -> y[N]: T", arguments)
        == """\
user.py:7: error[E0223]: `s` is float16; the signature says acc(T), that is float32 for T = float16
    hint: pass `s` as float32"""
    )


def test_two_arguments_that_give_one_variable_two_dtypes():
    assert (
        message(GEMM, {"a": array(3, 64), "b": array(64, 5, dtype=F32)})
        == """\
user.py:7: error[E0224]: T is float16 by `a` and float32 by `b`
    hint: convert one, or give `b` a dtype variable of its own in the signature"""
    )


def test_an_argument_that_contradicts_the_keyword_of_a_dtype():
    assert (
        message(GEMM, {"a": array(3, 64)}, {"N": 1}, T=I8)
        == """\
user.py:7: error[E0224]: T is int8 by the keyword `dtype` and float16 by `a`
    hint: convert one, or give `a` a dtype variable of its own in the signature"""
    )


def test_a_dimension_that_the_signature_does_not_have():
    dims = {"M": 1, "K": 1, "N": 1, "MM": 2, "rows": 3}
    assert (
        message(GEMM, {}, dims, T=F16)
        == """\
user.py:7: error[E0225]: the signature has no dimension `MM`
    hint: write `M`
user.py:7: error[E0225]: the signature has no dimension `rows`
    hint: use one of: K, M, N"""
    )


def test_inputs_attributes_and_dtypes_that_the_signature_does_not_have():
    said = message(
        "x[N]; pad -> y[N]", {"z": array(1)}, {"N": 1}, {"pat": 1, "pad": 1}, U=F16, T=F16
    )
    assert (
        said
        == """\
user.py:7: error[E0225]: the signature has no input `z`
    hint: use one of: x
user.py:7: error[E0225]: the signature has no attribute `pat`
    hint: write `pad`
user.py:7: error[E0225]: the signature has no dtype variable `U`
    hint: use one of: T"""
    )


def test_an_attribute_where_there_are_none():
    assert (
        message("x[N] -> y[N]", {"x": array(1)}, attributes={"pad": 1})
        == """\
user.py:7: error[E0225]: the signature has no attribute `pad`
    hint: leave pad= out: the signature has no attributes"""
    )


def test_a_size_that_a_missing_argument_would_give():
    assert (
        message(GEMM, {"a": array(3, 64)})
        == """\
user.py:7: error[E0226]: the size N is not known: no argument gives it
    hint: pass `b`, or N=..."""
    )


def test_a_size_that_several_arguments_could_give():
    assert (
        message("a[M], b[M], c[N] -> d[M]", {}, {"N": 1}, T=F16)
        == """\
user.py:7: error[E0226]: the size M is not known: no argument gives it
    hint: pass `a` or `b`, or M=..."""
    )


def test_sizes_that_a_padded_array_does_not_tell():
    assert (
        message("x[M, K] @ NZ -> y[M, K]", {"x": array(2, 3, 16, 16)})
        == """\
user.py:7: error[E0226]: the size M is not known: it cannot be read off the physical shape of `x`, \
which is padded
    hint: pass M=...
user.py:7: error[E0226]: the size K is not known: it cannot be read off the physical shape of `x`, \
which is padded
    hint: pass K=..."""
    )


def test_a_size_that_occurs_only_in_an_expression():
    assert (
        message("h[4*H] -> g[H]", {"h": array(32)})
        == """\
user.py:7: error[E0226]: the size H is not known: `h` gives only 4*H
    hint: pass H=..."""
    )


def test_sizes_below_zero_and_sizes_that_are_no_numbers():
    dims: dict[str, Any] = {"M": -1, "K": 1.5, "N": "3"}
    assert message(GEMM, {}, dims, T=F16) == """\
user.py:7: error[E0227]: the size M is -1, and a size is 0 or more
    hint: pass M= as 0 or more
user.py:7: error[E0227]: `K` is 1.5, and a whole number is wanted
    hint: pass K= as an int
user.py:7: error[E0227]: `N` is '3', and a whole number is wanted
    hint: pass N= as an int"""  # fmt: skip


def test_an_expression_that_disagrees():
    assert (
        message("h[4*H, 3], i[H] -> g[H]", {"h": array(33, 2), "i": array(8)})
        == """\
user.py:7: error[E0228]: `h[0]` is 33; wanted 4*H = 32 for H = 8
    hint: pass `h` with shape [32, 3]
user.py:7: error[E0228]: `h[1]` is 2; wanted 3
    hint: pass `h` with shape [32, 3]"""
    )


def test_a_result_of_negative_size():
    assert (
        message("x[N], r[R]; p -> y[N + 2*p - R]", {"x": array(3), "r": array(7)}, {}, {"p": 1})
        == """\
user.py:7: error[E0229]: `y[0]` is N + 2*p - R = -2 for N = 3, p = 1, R = 7, and a size is 0 or more
    hint: pass sizes that leave it 0 or more"""
    )


def test_a_physical_array_with_other_blocks():
    assert (
        message("x[M, K] @ NZ -> y[M, K]", {"x": array(2, 3, 16, 16, dtype=I8)})
        == """\
user.py:7: error[E0230]: `x` has shape [2, 3, 16, 16]; wanted [K1, M1, 16, 32], NZ of int8
    hint: pass the physical array, with its padding; `pack` makes one"""
    )


def test_a_physical_array_of_weights_with_other_blocks():
    dims = {"O": 1, "C": 1, "R": 1, "S": 1}
    text = "w[G, O, C, R, S] @ FRACTAL_Z -> y[G, C]"
    assert (
        message(text, {"w": array(5, 9, 1, 8, 16)}, dims)
        == """\
user.py:7: error[E0230]: `w` has shape [5, 9, 1, 8, 16]; wanted [G, C1*R*S, O1, 16, 16], \
FRACTAL_Z of float16
    hint: pass the physical array, with its padding; `pack` makes one"""
    )


def test_a_physical_array_that_does_not_fit_the_sizes_of_another_argument():
    arguments = {"x": array(2, 3, 16, 16), "v": array(50)}
    assert (
        message("x[M, K] @ NZ, v[M] -> y[K]", arguments, {"K": 17})
        == """\
user.py:7: error[E0230]: `x` has shape [2, 3, 16, 16]; NZ of float16[50, 17] is [2, 4, 16, 16]
    hint: pass the physical array, with its padding; `pack` makes one"""
    )


def test_a_dtype_that_nothing_gives():
    assert (
        message(GEMM, {}, {"M": 1, "K": 1, "N": 1})
        == """\
user.py:7: error[E0231]: the dtype T is not known: no argument gives it
    hint: pass `a` or `b`, or dtype=..."""
    )


def test_one_of_two_dtypes_that_nothing_gives():
    assert (
        message("x[N]: T, z[N]: S -> y[N]: T", {"x": array(3)})
        == """\
user.py:7: error[E0231]: the dtype S is not known: no argument gives it
    hint: pass `z`, or S=..."""
    )


def test_an_attribute_that_is_not_given():
    assert (
        message("x[N]; stride -> y[N//stride]", {"x": array(3)})
        == """\
user.py:7: error[E0813]: the attribute `stride` is not given
    hint: pass stride=..."""
    )


def test_a_size_that_divides_by_zero():
    assert (
        message("x[N]; stride -> y[N//stride]", {"x": array(3)}, {}, {"stride": 0})
        == """\
user.py:7: error[E0233]: `y[0]` is N//stride for N = 3, stride = 0, which divides by 0
    hint: pass a divisor that is not 0"""
    )


def test_all_mistakes_of_a_call_are_reported_and_none_twice():
    said = message(GEMM, {"a": array(3, 64), "b": array(5, dtype=F32)}, {"M": 4, "Z": 1})
    assert [line.split(":")[2] for line in said.splitlines() if "error" in line] == [
        " error[E0225]",
        " error[E0224]",
        " error[E0221]",
        " error[E0222]",
    ]
