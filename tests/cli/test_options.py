"""What the values of options mean, and what is said of a value of another form."""

import pytest

from tests.cli.command import Command
from tilelang.cli.options import (
    join_arguments,
    read_attributes,
    read_dtype,
    read_integers,
    read_names,
    read_shape,
)
from tilelang.diagnostics import TileError
from tilelang.dtypes import DType


def test_dimensions_are_read_from_one_option_or_several():
    expected = {"M": 1000, "N": 1003, "K": 997}
    assert read_integers("--dims", ["M=1000,N=1003,K=997"]) == expected
    assert read_integers("--dims", ["M=1000", "N=1003, K=997"]) == expected


def test_zero_and_negative_numbers_are_numbers():
    assert read_integers("--option", ["pad=-1,relu=0"]) == {"pad": -1, "relu": 0}


def test_attributes_are_ints_floats_and_bools():
    found = read_attributes(["pad=-1,epsilon=1e-5", "relu=true,low=-inf,zero=-0.0, one=1."])
    assert repr(found) == (
        "{'pad': -1, 'epsilon': 1e-05, 'relu': True, 'low': -inf, 'zero': -0.0, 'one': 1.0}"
    )


@pytest.mark.parametrize("text", ["epsilon", "epsilon=", "epsilon=small", "epsilon=1e-", "1e-5"])
def test_an_attribute_of_another_form_is_an_error(text: str):
    with pytest.raises(TileError) as caught:
        read_attributes([text])
    (found,) = caught.value.diagnostics
    assert found.code == "E0609"
    assert found.message == f"--attr takes names with numbers, and {text!r} is not `name=number`"
    assert found.hint == ("write them like --attr stride=2,epsilon=1e-5,relu=true, without spaces")


@pytest.mark.parametrize("texts", [None, [], [""]])
def test_an_option_that_is_not_given_gives_nothing(texts: list[str] | None):
    assert read_integers("--dims", texts) == {}


@pytest.mark.parametrize("text", ["1000,1003", "M", "M=", "M=1e3", "M=1.5", "=3", "M=N", "M==3"])
def test_another_form_is_an_error_that_says_the_right_one(text: str):
    with pytest.raises(TileError, match=r"E0609.*--dims takes names with whole numbers") as said:
        read_integers("--dims", [text])
    assert "write them like --dims M=1000,N=1003,K=997" in str(said.value)


def test_a_name_given_twice_is_an_error():
    with pytest.raises(TileError, match=r"E0609.*--dims gives `M` twice, 1 and 2"):
        read_integers("--dims", ["M=1,N=3,M=2"])


def test_options_are_joined_and_may_not_share_a_name():
    assert join_arguments(dims={"M": 1}, tile={"m_tile": 16}) == {"M": 1, "m_tile": 16}
    with pytest.raises(TileError, match="`M` is given by --dims and again by --tile"):
        join_arguments(dims={"M": 1}, tile={"M": 1})


@pytest.mark.parametrize("text", ["32x48", "32,48"])
def test_a_shape_has_sizes_between_x_or_commas(text: str):
    assert read_shape(text) == (32, 48)


@pytest.mark.parametrize("text", ["", "32x", "x", "3 2", "-1x2", "axb"])
def test_a_shape_of_another_form_is_an_error(text: str):
    with pytest.raises(TileError, match=r"E0609.*--shape takes sizes"):
        read_shape(text)


def test_an_element_type_is_read_by_its_exact_name():
    assert read_dtype("bfloat16") is DType.BFLOAT16
    with pytest.raises(TileError, match=r"E0611.*there is no element type 'fp16'") as said:
        read_dtype("fp16")
    assert "float16, bfloat16, float32, int8, uint8, int32" in str(said.value)


def test_names_are_separated_by_commas():
    assert read_names("numpy, llvm") == ["numpy", "llvm"]
    assert read_names(None) is None


def test_a_negative_seed_is_a_wrong_use_of_the_option(tilelang: Command):
    said = tilelang("run", "gemm", "--dims", "M=1,N=1,K=1", "--seed", "-1", status=2).err
    assert "--seed" in said
    assert "greater than or equal to 0" in said


@pytest.mark.parametrize("command", ["run", "check"])
def test_sizes_that_no_memory_holds_are_a_coded_error(tilelang: Command, command: str):
    said = tilelang(command, "gemm", "--dims", "M=10,N=10,K=1000000000000", status=1).err
    assert said.startswith("error[E0618]: there is no memory for these sizes: Unable to allocate")
