"""Matrix products: operands in the cube's memories, in fractals, of sizes that agree."""

from dataclasses import replace

import pytest

from tests.golden import Golden
from tests.verify.gemm_program import gemm
from tests.verify.writing import (
    F16,
    F32,
    I8,
    I32,
    Source,
    alloc,
    check_message,
    codes,
    message,
    part,
    program,
    spot,
    tensor,
    tile,
    transposed,
    without_byte_transposes,
)
from tilelang.dtypes import DType, accumulator
from tilelang.ir import condition as cond
from tilelang.ir.nodes import Matmul, Mmad, Move, Program, Stmt
from tilelang.ir.region import AsMatrix, Buffer, Memory, Permute, Region, whole
from tilelang.layouts import LayoutKind, layout_for

BF16, U8 = DType.BFLOAT16, DType.UINT8
ALLOCATORS = {
    Memory.L1: "tl.alloc_l1",
    Memory.L0A: "tl.alloc_l0a",
    Memory.L0B: "tl.alloc_l0b",
    Memory.L0C: "tl.alloc_l0c",
    Memory.UB: "tl.alloc_ub",
}


class Product:
    """A matrix product being written, line by line."""

    def __init__(self) -> None:
        self.source = Source()
        self.body: list[Stmt] = []
        self.inputs: list[Buffer] = []

    def tile(self, name: str, memory: Memory, shape: tuple[int, ...], dtype: DType = F16) -> Buffer:
        """Allocate a tile and give it a value, as far as its memory lets us."""
        line = f"{name} = {ALLOCATORS[memory]}({shape}, tl.{dtype})"
        buffer = tile(name, memory, shape, dtype, loc=self.source.line(line))
        self.body += alloc(buffer)
        if memory in (Memory.L1, Memory.UB):
            self.inputs.append(tensor(f"gm_{name}", shape, dtype))
            self.body.append(Move(whole(buffer), whole(self.inputs[-1])))
        elif memory is not Memory.L0C:
            loaded = tile(f"{name}_l1", Memory.L1, shape, dtype)
            self.inputs.append(tensor(f"gm_{name}", shape, dtype))
            fill = (Move(whole(loaded), whole(self.inputs[-1])), Move(whole(buffer), whole(loaded)))
            self.body += (*alloc(loaded), *fill)
        return buffer

    def done(self, stmt: Stmt) -> Program:
        return program(*self.body, stmt, inputs=self.inputs)

    def matmul(self, acc: Buffer, a: Buffer | Region, b: Buffer | Region) -> Program:
        """Return the program that ends in `matmul(acc, a, b)`; `a` and `b` may be transposed."""
        return self._product(Matmul, "matmul", acc, a, b)

    def mmad(self, acc: Buffer, a: Buffer | Region, b: Buffer | Region) -> Program:
        """Return the program that ends in `mmad(acc, a, b)`."""
        return self._product(Mmad, "mmad", acc, a, b)

    def _product(
        self,
        kind: type[Matmul] | type[Mmad],
        name: str,
        acc: Buffer,
        *operands: Buffer | Region,
    ) -> Program:
        texts = [o.name if isinstance(o, Buffer) else f"{o.buffer.name}.T" for o in operands]
        loc = self.source.line(f"tl.{name}({acc.name}, {', '.join(texts)})")
        a, b = (
            whole(operand, spot(loc, text))
            if isinstance(operand, Buffer)
            else replace(operand, loc=spot(loc, text))
            for operand, text in zip(operands, texts, strict=True)
        )
        return self.done(kind(whole(acc, spot(loc, acc.name)), a, b, cond.TRUE, loc))


def test_matmul_takes_its_operands_from_l1(golden: Golden):
    p = Product()
    acc = p.tile("acc", Memory.L0C, (32, 64), F32)
    a1, b = p.tile("a1", Memory.UB, (32, 48)), p.tile("b", Memory.L1, (48, 64))
    check_message(golden, "E0330-matmul-from-ub", p.matmul(acc, a1, b))


def test_mmad_takes_its_operands_from_l0(golden: Golden):
    p = Product()
    acc = p.tile("acc", Memory.L0C, (32, 64), F32)
    a0, b1 = p.tile("a0", Memory.L0A, (32, 48)), p.tile("b1", Memory.L1, (48, 64))
    check_message(golden, "E0330-mmad-from-l1", p.mmad(acc, a0, b1))


def test_operands_of_mmad_in_each_others_memory_are_both_reported(golden: Golden):
    p = Product()
    acc = p.tile("acc", Memory.L0C, (32, 64), F32)
    a0, b0 = p.tile("a0", Memory.L0B, (32, 48)), p.tile("b0", Memory.L0A, (48, 64))
    check_message(golden, "E0330-exchanged", p.mmad(acc, a0, b0))


def test_a_product_accumulates_in_l0c(golden: Golden):
    p = Product()
    acc = p.tile("acc", Memory.UB, (32, 64), F32)
    a1, b1 = p.tile("a1", Memory.L1, (32, 48)), p.tile("b1", Memory.L1, (48, 64))
    check_message(golden, "E0330-accumulator", p.matmul(acc, a1, b1))


def test_l0_operands_ask_for_mmad():
    p = Product()
    acc = p.tile("acc", Memory.L0C, (32, 64), F32)
    a0, b0 = p.tile("a0", Memory.L0A, (32, 48)), p.tile("b0", Memory.L0B, (48, 64))
    assert not codes(p.mmad(acc, a0, b0))
    assert "hint: write `tl.mmad`" in message(p.matmul(acc, a0, b0))


def test_operands_are_matrices(golden: Golden):
    p = Product()
    acc = p.tile("acc", Memory.L0C, (32, 64), F32)
    a1, b1 = p.tile("a1", Memory.L1, (2, 32, 48)), p.tile("b1", Memory.L1, (48, 64))
    check_message(golden, "E0331-three-dimensions", p.matmul(acc, a1, b1))
    one = part(a1, 1, 0, 0, extent=(None, 32, 48))
    assert not codes(p.done(Matmul(whole(acc), one, whole(b1), cond.TRUE)))


@pytest.mark.parametrize(
    ("name", "a", "b", "c"),
    [
        ("E0332-k-differs", (32, 48), (64, 80), (32, 80)),
        ("E0332-b-turned-round", (32, 48), (64, 48), (32, 64)),
        ("E0332-a-turned-round", (48, 32), (48, 64), (32, 64)),
        ("E0332-result-differs", (32, 48), (48, 64), (64, 32)),
    ],
)
def test_sizes_of_a_product_agree(
    golden: Golden, name: str, a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]
):
    p = Product()
    acc = p.tile("acc", Memory.L0C, c, F32)
    a1, b1 = p.tile("a1", Memory.L1, a), p.tile("b1", Memory.L1, b)
    check_message(golden, name, p.matmul(acc, a1, b1))


def test_a_transpose_too_many_is_taken_back():
    p = Product()
    acc = p.tile("acc", Memory.L0C, (32, 64), F32)
    a1, b1 = p.tile("a1", Memory.L1, (32, 48)), p.tile("b1", Memory.L1, (48, 64))
    said = message(p.matmul(acc, a1, transposed(b1)))
    assert "hint: use `b1` without `.T`" in said
    assert not codes(p.matmul(acc, a1, b1))


@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("right", [False, True])
def test_either_operand_of_matmul_may_be_transposed(left: bool, right: bool):
    p = Product()
    acc = p.tile("acc", Memory.L0C, (32, 64), F32)
    a1 = p.tile("a1", Memory.L1, (48, 32) if left else (32, 48))
    b1 = p.tile("b1", Memory.L1, (64, 48) if right else (48, 64))
    fine = p.matmul(acc, transposed(a1) if left else a1, transposed(b1) if right else b1)
    assert not codes(fine)


def test_mmad_does_not_transpose(golden: Golden):
    p = Product()
    acc = p.tile("acc", Memory.L0C, (32, 64), F32)
    a0, b0 = p.tile("a0", Memory.L0A, (32, 48)), p.tile("b0", Memory.L0B, (64, 48))
    check_message(golden, "E0335-mmad-transposed", p.mmad(acc, a0, transposed(b0)))


def test_the_accumulator_has_the_dtype_of_sums(golden: Golden):
    p = Product()
    acc = p.tile("acc", Memory.L0C, (32, 64), F16)
    a1, b1 = p.tile("a1", Memory.L1, (32, 48)), p.tile("b1", Memory.L1, (48, 64))
    check_message(golden, "E0333-float16", p.matmul(acc, a1, b1))


def test_a_dtype_that_the_cube_does_not_take_names_the_machines_that_do(golden: Golden):
    check_message(golden, "E0334-float32", gemm(dtype=F32))
    assert not codes(gemm(dtype=F32), "host")


def test_operands_of_two_dtypes_that_no_cube_takes(golden: Golden):
    p = Product()
    acc = p.tile("acc", Memory.L0C, (32, 64), F32)
    a1, b1 = p.tile("a1", Memory.L1, (32, 48), F16), p.tile("b1", Memory.L1, (48, 64), F32)
    check_message(golden, "E0334-mixed", p.matmul(acc, a1, b1))


@pytest.mark.parametrize(
    ("a", "b", "machines"),
    [
        (F16, F16, {"ascend310", "ascend310p", "ascend910", "ascend910b", "host", "sm90"}),
        (BF16, BF16, {"ascend910b", "host", "sm90"}),
        (F32, F32, {"ascend910b", "host", "sm90"}),
        (I8, I8, {"ascend310", "ascend310p", "ascend910", "ascend910b", "host", "sm90"}),
        (U8, I8, {"ascend310", "ascend310p", "ascend910", "ascend910b", "host", "sm90"}),
        (I8, U8, set[str]()),
    ],
)
def test_each_machine_takes_its_own_forms(a: DType, b: DType, machines: set[str]):
    p = Product()
    acc = p.tile("acc", Memory.L0C, (32, 64), accumulator(a))
    a1, b1 = p.tile("a1", Memory.L1, (32, 96), a), p.tile("b1", Memory.L1, (64, 96), b)
    made = p.matmul(acc, a1, transposed(b1))
    names = ("ascend310", "ascend310p", "ascend910", "ascend910b", "host", "sm90")
    assert {name for name in names if not codes(made, name)} == machines


def test_matmul_reads_fractals(golden: Golden):
    p = Product()
    acc = p.tile("acc", Memory.L0C, (32, 64), F32)
    loc = p.source.line('a1 = tl.alloc_l1((32, 48), tl.float16, layout="ND")')
    a1 = tile("a1", Memory.L1, (32, 48), layout=layout_for(LayoutKind.ND, F16), loc=loc)
    gm = tensor("gm_a1", (32, 48))
    p.inputs.append(gm)
    p.body += (*alloc(a1), Move(whole(a1), whole(gm)))
    b1 = p.tile("b1", Memory.L1, (48, 64))
    check_message(golden, "E0335-nd", p.matmul(acc, a1, b1))


def weights(dtype: DType, kind: LayoutKind) -> tuple[Product, Buffer, Buffer, Buffer]:
    """Return a product whose right operand are weights of 3 by 3 in L1."""
    p = Product()
    k0 = dtype.k0
    acc = p.tile("acc", Memory.L0C, (32, 16), accumulator(dtype))
    a1 = p.tile("a1", Memory.L1, (32, 9 * k0), dtype)
    loc = p.source.line("w1 = tl.alloc_l1((16, C0, 3, 3), w.dtype)")
    w1 = tile("w1", Memory.L1, (16, k0, 3, 3), dtype, layout=layout_for(kind, dtype), loc=loc)
    gm = tensor("w", (16, k0, 3, 3), dtype, layout_for(kind, dtype))
    p.inputs.append(gm)
    p.body += (*alloc(w1), Move(whole(w1), whole(gm)))
    return p, acc, a1, w1


@pytest.mark.parametrize("dtype", [F16, I8])
def test_weights_are_the_right_operand_as_a_matrix(dtype: DType):
    p, acc, a1, w1 = weights(dtype, LayoutKind.FRACTAL_Z)
    matrix = part(w1, 0, 0, extent=(9 * dtype.k0, 16), view=AsMatrix())
    assert not codes(p.done(Matmul(whole(acc), whole(a1), matrix, cond.TRUE)))


def test_weights_that_are_no_matrix_ask_for_as_matrix():
    p, acc, a1, w1 = weights(F16, LayoutKind.FRACTAL_Z)
    flat = part(w1, 0, 0, 0, 0, extent=(16, 16, None, None))
    said = message(p.done(Matmul(whole(acc), whole(a1), flat, cond.TRUE)))
    assert "hint: write `tl.as_matrix(w1)`" in said


def test_a_feature_map_asks_for_load3d():
    p, acc, _, w1 = weights(F16, LayoutKind.FRACTAL_Z)
    fmap = tile("x1", Memory.L1, (16, 8, 4), layout=layout_for(LayoutKind.NC1HWC0, F16))
    gm = tensor("x", (16, 8, 4))
    p.inputs.append(gm)
    p.body += (*alloc(fmap), Move(whole(fmap), whole(gm)))
    rows = part(fmap, 0, 0, 0, extent=(16, 8, None))
    matrix = part(w1, 0, 0, extent=(144, 16), view=AsMatrix())
    assert "tl.load3d" in message(p.done(Matmul(whole(acc), rows, matrix, cond.TRUE)))


def test_a_dtype_without_transpose_is_said_at_the_product(golden: Golden):
    p = Product()
    acc = p.tile("acc", Memory.L0C, (32, 64), I32)
    a1, b1 = p.tile("a1", Memory.L1, (32, 96), I8), p.tile("b1", Memory.L1, (96, 64), I8)
    wrong = p.matmul(acc, a1, b1)
    check_message(golden, "E0314-matmul", wrong, without_byte_transposes())
    assert not codes(wrong, "host")
    assert not codes(wrong, "ascend910")


def test_the_accumulator_is_not_transposed():
    p = Product()
    acc = p.tile("acc", Memory.L0C, (64, 32), F32)
    a1, b1 = p.tile("a1", Memory.L1, (32, 48)), p.tile("b1", Memory.L1, (48, 64))
    view = Permute(((1,), (0,)))
    turned = part(acc, 0, 0, extent=(32, 64), view=view)
    assert codes(p.done(Matmul(turned, whole(a1), whole(b1), cond.TRUE))) == ["E0335"]


def test_products_of_int8_on_the_host_sum_in_int32():
    p = Product()
    acc = p.tile("acc", Memory.L0C, (32, 64), I32)
    a1, b1 = p.tile("a1", Memory.L1, (32, 32), I8), p.tile("b1", Memory.L1, (32, 64), I8)
    assert not codes(p.matmul(acc, a1, b1), "host")
