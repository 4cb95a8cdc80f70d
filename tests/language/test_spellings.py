"""What TIK and others call an operation is answered with the name that it has here."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tilelang as tl
from tilelang.language import spellings
from tilelang.language.tensors import Tensor
from tilelang.language.vector import Expression

UNTYPED: Any = tl
CODE = re.compile(r"`([^`]*)`")
OURS = re.compile(r"\btl\.(\w+)")


def message(body: Callable[[Any], object]) -> str:
    """Return what a kernel is told whose body is `body`, given a tile of 16 by 16 float16."""

    @tl.kernel("x[M, N]: T -> y[M, N]: T")
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        t = tl.alloc_ub((16, 16), x.dtype)
        tl.data_move(t, x)
        body(t)
        tl.data_move(y, t)

    with pytest.raises(tl.TileError) as caught:
        kernel(np.zeros((16, 16), np.float16))
    return str(caught.value)


def loop_with(**keywords: Any) -> Callable[[Any], object]:
    def body(_: Any) -> None:
        for _k in tl.for_range(0, 10, **keywords):
            pass

    return body


def step(_: Any) -> None:
    for _k in UNTYPED.for_range(0, 10, 2):
        pass


CALLS: list[tuple[Callable[[Any], object], str]] = [
    (step, "tl.ceildiv(end - begin, step)"),
    (loop_with(thread_num=2), "write `stages=2`"),
    (loop_with(stage=2), "did you mean `stages`?"),
    (lambda _: UNTYPED.cores(block_num=2), "tl.cores(n)"),
    (lambda _: UNTYPED.alloc_ub((64,)), "tl.alloc_ub(shape, dtype, *, layout=None, name=None)"),
    (lambda _: UNTYPED.alloc_ub((64,), type="int8"), "did you mean `dtype`?"),
    (lambda t: UNTYPED.data_move(t, t, 0, 1, 16, 0, 0), "regions say what moves"),
    (lambda t: UNTYPED.data_move(t, t, sid=0, nburst=1), "regions say what moves"),
    (lambda t: UNTYPED.matmul(t, t), "write the destination first"),
    (lambda t: UNTYPED.reduce_sum(t, dim=1), "write `axis=`"),
    (lambda t: UNTYPED.exp(t, t), "assign it: `t[:] = tl.exp(x)`"),
    (lambda _: UNTYPED.Tensor("float16", (16,), name="t", scope="ub"), "tl.alloc_ub"),
]


@pytest.mark.parametrize(("body", "hint"), CALLS)
def test_a_call_that_does_not_fit_is_told_what_fits(body: Callable[[Any], object], hint: str):
    said = message(body)
    assert "error[E0144]" in said
    assert hint in said.splitlines()[-1]


def test_a_type_error_inside_an_operation_is_not_taken_for_one_of_the_call():
    def wrong() -> None:
        len(3)  # pyright: ignore[reportArgumentType]

    with pytest.raises(TypeError, match="has no len"):
        spellings.spelt(wrong)()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("vec_add", "t[:] = a + b"),
        ("vadd", "t[:] = a + b"),
        ("vec_reduce_add", "tl.reduce_sum"),
        ("vexp", "tl.exp"),
        ("Tik", "tilelang tik run"),
        ("dot", "tl.matmul"),
        ("alloc_lb", "did you mean `tl.alloc_"),
        ("nothing_like_it", "tilelang language"),
    ],
)
def test_a_name_that_is_not_there_is_told_the_name_that_is(name: str, hint: str):
    with pytest.raises(AttributeError) as caught:
        getattr(tl, name)
    assert f"error[E0145]: the language has no `tl.{name}`" in str(caught.value)
    assert hint in str(caught.value).splitlines()[-1]


def test_a_name_that_is_not_there_can_be_asked_for():
    assert not hasattr(tl, "vec_add")
    assert getattr(tl, "dot", None) is None


@pytest.mark.parametrize(
    ("attribute", "hint"),
    [("astype", "tl.cast"), ("sum", "tl.reduce_sum"), ("shap", "did you mean `x.shape`?")],
)
def test_an_attribute_of_a_tile_or_an_expression(attribute: str, hint: str):
    def of_a_tile(t: Any) -> object:
        return getattr(t, attribute)

    def of_an_expression(t: Any) -> object:
        return getattr(t + t, attribute)

    for body in (of_a_tile, of_an_expression):
        said = message(body)
        assert "error[E0145]" in said
        assert hint in said.splitlines()[-1]


def hints() -> dict[str, str]:
    return {
        **spellings.NAMES,
        **{f".{name}": hint for name, hint in spellings.ATTRIBUTES.items()},
    }


@pytest.mark.parametrize("name", hints())
def test_a_hint_names_only_what_there_is(name: str):
    hint = hints()[name]
    for ours in OURS.findall(hint):
        assert ours in tl.language.__all__ or hasattr(tl, ours), hint
    for code in CODE.findall(hint):
        assert code.count("(") == code.count(")"), hint


def test_no_spelling_of_others_hides_one_of_ours():
    assert not set(spellings.NAMES) & set(dir(tl))
    for kind in (Tensor, Expression):
        assert not set(spellings.ATTRIBUTES) & set(dir(kind))


def test_operations_keep_their_signatures():
    assert list(inspect.signature(tl.for_range).parameters) == ["begin", "end", "stages"]
