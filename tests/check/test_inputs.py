"""`@kernel.inputs`: a kernel is checked on numbers that it is meant for."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tilelang as tl
from tilelang.check.families import FAMILY_NAMES, families
from tilelang.check.fuzz import replay
from tilelang.check.fuzz.trial import KINDS, draw
from tilelang.check.inputs import families_for, random_inputs
from tilelang.diagnostics import TileError
from tilelang.kernel import Kernel
from tilelang.kernels.batch_norm import batch_norm

Array = NDArray[Any]


def root_kernel() -> Kernel:
    @tl.kernel("x[N]: T, z[N]: T; least -> y[N]: T")
    def roots(x: tl.Tensor, z: tl.Tensor, y: tl.Tensor, *, least: int = 0) -> None:
        a, b = tl.alloc_ub(x.shape, x.dtype), tl.alloc_ub(x.shape, x.dtype)
        tl.data_move(a, x)
        tl.data_move(b, z)
        a[:] = tl.sqrt(a - least) + b
        tl.data_move(y, a)

    @roots.reference
    def _(x: Array, z: Array, least: int) -> Array:
        return np.sqrt(x - least) + z

    return roots


def test_a_variance_is_drawn_positive_and_the_rest_as_ever():
    program = batch_norm.program(N=2, C=9, H=3, W=4, dtype="float16")
    for family in families_for(batch_norm, program, seed=0):
        *others, var = family.inputs
        assert (var >= 0).all()
        assert family.name in ("positive", "tiles") or any((one < 0).any() for one in others)


@pytest.mark.parametrize("kind", KINDS)
def test_fuzzing_keeps_to_it_too(kind: str):
    program = batch_norm.program(N=2, C=64, H=3, W=4, dtype="float32")
    family = draw(batch_norm, program, kind, seed=5)
    assert not (family.inputs[-1] < 0).any()
    dtypes = {"T": "float16", "P": "float32"}
    assert replay(batch_norm, "numpy", N=2, C=3, H=2, W=1, kind=kind, dtypes=dtypes) is None


def test_attributes_are_given_to_a_function_that_takes_them():
    kernel = root_kernel()

    @kernel.inputs
    def _(x: Array, z: Array, least: int) -> tuple[Array, Array]:
        return np.maximum(x, x.dtype.type(least)), z

    program = kernel.program(N=17, dtype="float32", least=3)
    drawn = list(families_for(kernel, program, seed=0))
    assert [family.name for family in drawn] == list(FAMILY_NAMES)
    assert all((family.inputs[0] >= 3).all() for family in drawn)


def test_random_inputs_are_physical_arrays_of_the_first_family():
    program = batch_norm.program(N=2, C=9, H=3, W=4, dtype="float16")
    first = next(families(program, 4)).inputs
    for array, own in zip(random_inputs(program, 4), first, strict=True):
        np.testing.assert_array_equal(array, own)
    *_, var = random_inputs(program, 4, batch_norm)
    np.testing.assert_array_equal(var, np.abs(first[-1]))


def too_few(x: Array, z: Array) -> Array:
    return x


def too_short(x: Array, z: Array) -> tuple[Array, Array]:
    return x[1:], z


def too_wide(x: Array, z: Array) -> tuple[Array, Array]:
    return x, np.abs(z.astype(np.float64))


def test_a_function_that_does_not_take_the_inputs_is_a_mistake():
    kernel = root_kernel()

    @kernel.inputs
    def _(x: Array) -> Array:
        return x

    with pytest.raises(TileError, match=r"E0705.*inputs` takes \(x: ") as caught:
        kernel.check(N=17, dtype="float32", backends=["numpy"])
    assert "let it take the inputs (x, z)" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (too_few, r"float32\[17\], wanted float32\[17\], float32\[17\]"),
        (too_short, r"float32\[16\], float32\[17\], wanted"),
        (too_wide, r"float32\[17\], float64\[17\], wanted"),
    ],
)
def test_other_arrays_than_it_was_given_are_a_mistake(change: Any, found: str):
    kernel = root_kernel()
    kernel.inputs(change)
    with pytest.raises(TileError, match=rf"E0705.*`roots` are made to {found}"):
        kernel.check(N=17, dtype="float32", backends=["numpy"])
