"""Accumulators in slabs of 16 rows: where elements lie, and one mmad for each."""

import pytest

from tests.backends.tik.lower.products import CHIP, product
from tilelang.backends.tik.instructions import Mmad, Scope, Tensor, walk
from tilelang.backends.tik.lower import lower_program
from tilelang.backends.tik.lower.forms import form_of
from tilelang.backends.tik.lower.slabs import slab_form
from tilelang.dtypes import DType
from tilelang.ir import index as ix
from tilelang.ir.region import Buffer, Memory
from tilelang.layouts import FRACTAL_ROWS, Layout, LayoutKind
from tilelang.machines import find_machine

NZ = Layout(LayoutKind.NZ, FRACTAL_ROWS)


@pytest.mark.parametrize(
    ("place", "element"),
    [((0, 0, 0), 0), ((0, 1, 0), 16), ((0, 0, 16), 256), ((0, 16, 0), 768), ((1, 17, 33), 2833)],
)
def test_a_row_of_fractals_is_a_slab(place: tuple[int, int, int], element: int) -> None:
    form = slab_form(form_of(Buffer("acc", Memory.L0C, DType.FLOAT32, (2, 32, 48), NZ), "acc"))
    assert (form.shape, form.scope) == ((2, 2, 3, 16, 16), Scope.L1OUT)
    offsets = (axis.offset(ix.constant(at)) for axis, at in zip(form.axes, place, strict=True))
    assert ix.add(*offsets) == ix.constant(element)


def test_every_product_is_one_of_16_rows() -> None:
    program = product().program(machine=CHIP, dtype="float16", M=64, N=32, K=32, tile=64)
    lowered = lower_program(program, find_machine(CHIP))
    products = [item for item in walk(lowered.body) if isinstance(item, Mmad)]
    assert {item.m for item in products} == {16}
    (acc,) = (t for t in walk(lowered.body) if isinstance(t, Tensor) and t.name == "acc")
    assert acc.shape == (4, 4, 16, 16)
