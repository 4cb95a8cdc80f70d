"""Forms of layouts put every element where the layout does; operand panels are one to one."""

import itertools

import pytest

from tilelang.backends.llvm.form import layout_form
from tilelang.backends.llvm.products.panels import Side, accumulator_form, find_method, operand_form
from tilelang.backends.llvm.runtime.host import find_host
from tilelang.dtypes import DType
from tilelang.ir import index as ix
from tilelang.ir.region import Buffer, Memory
from tilelang.layouts import LayoutKind, layout_for

SHAPES = {
    LayoutKind.ND: (2, 3, 5),
    LayoutKind.NZ: (2, 17, 33),
    LayoutKind.ZZ: (17, 33),
    LayoutKind.ZN: (33, 17),
    LayoutKind.NN: (33, 17),
    LayoutKind.NC1HWC0: (2, 17, 3, 2),
    LayoutKind.FRACTAL_Z: (17, 18, 3, 2),
}


@pytest.mark.parametrize("kind", LayoutKind, ids=str)
@pytest.mark.parametrize("dtype", [DType.FLOAT16, DType.FLOAT32, DType.INT8], ids=str)
def test_a_form_follows_its_layout(kind: LayoutKind, dtype: DType):
    shape, layout = SHAPES[kind], layout_for(kind, dtype)
    form = layout_form(Buffer("x", Memory.GM, dtype, shape, layout))
    for element in itertools.product(*map(range, shape)):
        offset = form.offset([ix.constant(i) for i in element])
        assert offset == ix.constant(layout.offset(shape, element))


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.BFLOAT16, DType.INT8], ids=str)
@pytest.mark.parametrize("is_a", [True, False])
def test_panels_give_every_element_a_place_of_its_own(dtype: DType, is_a: bool):
    method = find_method(dtype, dtype, find_host())
    shape = (2, 24, 48)
    side = Side(is_a, 1, 2, method, 8 * method.unit) if is_a else Side(is_a, 2, 1, method, 1)
    for form in (operand_form(shape, side), accumulator_form(shape, DType.FLOAT32)):
        elements = itertools.product(*map(range, shape))
        offsets = {form.offset([ix.constant(i) for i in e]).constant for e in elements}
        assert len(offsets) == 2 * 24 * 48
        assert 0 <= min(offsets) <= max(offsets) < form.n_elements
