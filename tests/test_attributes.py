"""Attributes: bools, ints and floats, as the function declares them, kept exactly."""

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import tilelang as tl
from tilelang.diagnostics import TileError
from tilelang.text.parser import parse_program

ODD = 0.1 + 0.2
"""A float that fewer than 17 digits do not name."""


@tl.kernel("x[M]: T; factor, shift, negate -> y[M]: T")
def scaled(
    x: tl.Tensor,
    y: tl.Tensor,
    *,
    factor: float = 0.1,
    shift: int = 0,
    negate: bool = False,
    m_tile: int = 16,
) -> None:
    for i in tl.cores(tl.ceildiv(x.shape[0], m_tile)):
        tile = tl.alloc_ub((m_tile,), x.dtype)
        tl.data_move(tile, x[i * m_tile])
        tile[:] = tile * factor
        if shift:
            tile[:] = tile + shift
        if negate:
            tile[:] = -tile
        tl.data_move(y[i * m_tile], tile)


@scaled.reference
def scaled_reference(x: Any, factor: float, shift: int, negate: int) -> Any:
    return (x * factor + shift) * (-1 if negate else 1)


def attributes_of(**given: Any) -> dict[str, float]:
    return dict(scaled.program(M=3, dtype="float32", **given).attributes)


def test_the_annotation_says_the_kind():
    found = {name: one.kind for name, one in scaled.parameters.attributes.items()}
    assert found == {"factor": float, "shift": int, "negate": bool}


def test_annotations_may_be_text_and_an_int_is_a_default_of_a_float():
    @tl.kernel("x[M]; a, b, c, d -> y[M]")
    def quoted(x: Any, y: Any, *, a: "float" = 1, b: "bool", c: Any = 2.5, d: Any) -> None:
        del x, y, a, b, c, d

    kinds = {name: one.kind for name, one in quoted.parameters.attributes.items()}
    assert kinds == {"a": float, "b": bool, "c": float, "d": int}
    assert repr(dict(quoted.attributes)) == "{'a': 1.0, 'b': None, 'c': 2.5, 'd': None}"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (ODD, ODD),
        (2, 2.0),
        (np.float32(1e-5), 9.999999747378752e-06),
        (np.float16(0.1), 0.0999755859375),
        (ml_dtypes.bfloat16(1e-5), 1.0013580322265625e-05),
        (np.int64(3), 3.0),
        (-0.0, -0.0),
        (math.inf, math.inf),
        (5e-324, 5e-324),
    ],
)
def test_a_float_is_kept_exactly(given: Any, kept: float):
    assert repr(attributes_of(factor=given)["factor"]) == repr(kept)


def test_bools_and_numpys_ints_are_ints():
    assert attributes_of(shift=np.int8(-3), negate=np.True_) == {
        "factor": 0.1,
        "shift": -3,
        "negate": 1,
    }
    assert attributes_of(shift=True, negate=1)["shift"] == 1


@pytest.mark.parametrize("factor", [ODD, -0.0, math.inf, -math.inf, 1e38, 5e-324, 2.0, 1e22])
def test_the_text_of_a_program_reads_back_exactly(factor: float):
    program = scaled.program(M=3, dtype="float32", factor=factor, shift=-2)
    parsed = parse_program(str(program))
    assert parsed == program
    assert repr(parsed.attributes) == repr(program.attributes)


def test_a_call_tells_zeros_of_either_sign_apart():
    x = np.ones(3, np.float32)
    zeros = (0.0, -0.0, np.float32(0.0), np.float32(-0.0))
    signs = [bool(np.signbit(scaled(x, factor=zero))[0]) for zero in zeros]
    assert signs == [False, True, False, True]
    texts = [str(scaled.program(M=3, dtype="float32", factor=zero)) for zero in zeros]
    assert ["factor=-0.0" in text for text in texts] == [False, True, False, True]


def test_the_literal_in_the_body_is_the_attribute():
    text = str(scaled.program(M=3, dtype="float32", factor=ODD))
    assert "tile[:] = tile*0.30000000000000004\n" in text


def test_checking_gives_the_reference_the_same_float():
    report = scaled.check(M=17, dtype="float32", factor=ODD, backends=["numpy"])
    assert report.ok, report


@pytest.mark.parametrize("backend", ["numpy", "llvm", "tik"])
def test_every_backend_multiplies_by_the_same_float(backend: str):
    x = np.ones(17, np.float32)
    found = scaled(x, factor=ODD, backend=backend)
    np.testing.assert_array_equal(found, np.full(17, ODD, np.float32))


def test_the_source_of_a_backend_has_the_float_with_all_its_digits():
    of_tik = scaled.source("tik", M=17, dtype="float32", factor=ODD)
    assert "vec_muls(16, tile, tile, 0.30000000000000004, " in of_tik
    of_triton = scaled.source("triton", M=17, dtype="float32", factor=ODD)
    assert f"tile_ * {float(np.float32(ODD))!r}" in of_triton
    assert "factor=0.30000000000000004" in of_triton


WRONG = [
    (
        {"factor": "1e-5"},
        "attribute `factor` is '1e-5', wanted a float",
        "pass the number itself, without quotes: factor=0.1",
    ),
    (
        {"factor": None},
        "attribute `factor` is None, wanted a float",
        "leave factor out for its default, 0.1",
    ),
    (
        {"factor": 1j},
        "attribute `factor` is 1j, wanted a float",
        "pass a float, as in factor=0.1",
    ),
    (
        {"factor": math.nan},
        "attribute `factor` is nan, wanted a float that is a number",
        "pass a float, as in factor=0.1",
    ),
    (
        {"factor": True},
        "attribute `factor` is True, wanted a float",
        "pass a float, as in factor=0.1",
    ),
    (
        {"factor": 2**53 + 1},
        "attribute `factor` is 9007199254740993, wanted a float, and none is exactly that",
        "write factor=float(...), which may round",
    ),
    (
        {"factor": np.array([1.0])},
        "attribute `factor` is a numpy array of float64[1], wanted a float",
        "write factor=float(...), which may round",
    ),
    (
        {"factor": np.array([1.0, 2.0])},
        "attribute `factor` is a numpy array of float64[2], wanted a float",
        "write factor=float(...), which may round",
    ),
    (
        {"factor": Fraction(1, 3)},
        "attribute `factor` is Fraction(1, 3), wanted a float",
        "write factor=float(...), which may round",
    ),
    (
        {"factor": Decimal("0.1")},
        "attribute `factor` is Decimal('0.1'), wanted a float",
        "write factor=float(...), which may round",
    ),
    (
        {"shift": 1.5},
        "attribute `shift` is 1.5, wanted an int",
        "declare `shift: float` in the kernel: an int would mean something else",
    ),
    (
        {"shift": np.float32(2)},
        "attribute `shift` is np.float32(2.0), wanted an int",
        "pass shift=2, or declare `shift: float` if it may be a fraction",
    ),
    (
        {"negate": 2},
        "attribute `negate` is 2, wanted a bool",
        "pass a bool, as in negate=False",
    ),
]


@pytest.mark.parametrize(("given", "message", "hint"), WRONG, ids=str)
def test_a_number_of_another_kind_is_refused(given: dict[str, Any], message: str, hint: str):
    with pytest.raises(TileError) as caught:
        scaled(np.ones(3, np.float32), **given)
    (found,) = caught.value.diagnostics
    assert (found.code, found.message, found.hint) == ("E0814", message, hint)
    assert [note.message for note in found.notes] == ["`scaled` is defined"]


def test_every_mistake_is_said_at_once():
    with pytest.raises(TileError) as caught:
        scaled.program(M=3, dtype="float32", factor="1", shift=0.5)
    assert [one.code for one in caught.value.diagnostics] == ["E0814", "E0814"]


def test_a_float_in_a_sweep_is_refused_like_in_a_call():
    with pytest.raises(TileError, match=r"E0814.*attribute `shift` is 1\.5, wanted an int"):
        scaled.sweep({"m_tile": [16, 32]}, M=32, dtype="float32", shift=1.5)


def test_a_default_of_another_kind_is_said_where_the_kernel_is_defined():
    def wrong(x: tl.Tensor, y: tl.Tensor, *, shift: int = 1.5) -> None:  # pyright: ignore[reportArgumentType]
        del x, y, shift

    with pytest.raises(TileError) as caught:
        tl.kernel("x[M]; shift -> y[M]")(wrong)
    (found,) = caught.value.diagnostics
    assert found.code == "E0814"
    assert found.message == "the default of attribute `shift` is 1.5, wanted an int"
    assert found.hint == "write `shift: float = ...` or another number in `def wrong(...)`"


def test_a_float_makes_no_size():
    def wrong(x: tl.Tensor, y: tl.Tensor, *, scale: float = 2.0) -> None:
        del x, y, scale

    with pytest.raises(TileError) as caught:
        tl.kernel("x[M]; scale -> y[scale*M]")(wrong)
    (found,) = caught.value.diagnostics
    assert found.code == "E0821"
    assert found.message == (
        "the attribute `scale` is a float and occurs in a size of the signature"
    )
    assert found.hint == "declare `scale: int`, or take the size from a tensor's shape"
