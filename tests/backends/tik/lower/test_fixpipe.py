"""Results that leave by fixpipe: layouts, dtypes, edges, and what it cannot do."""

from typing import Any

import pytest

import tilelang as tl
from tests.backends.tik.lower.products import CHIP, product
from tests.backends.tik.lower.running import assert_agrees
from tests.golden import Golden
from tilelang.backends.tik.instructions import Fixpipe, walk
from tilelang.backends.tik.lower import lower_program
from tilelang.kernel import Kernel
from tilelang.machines import find_machine

DTYPES = [("float16", "float32"), ("float16", "float16"), ("int8", "int32"), ("int8", "float16")]


def stores(kernel: Kernel, **keywords: Any) -> list[Fixpipe]:
    lowered = lower_program(kernel.program(machine=CHIP, **keywords), find_machine(CHIP))
    return [item for item in walk(lowered.body) if isinstance(item, Fixpipe)]


@pytest.mark.parametrize(("operands", "result"), DTYPES)
@pytest.mark.parametrize(("m", "n"), [(16, 16), (33, 48), (1, 80), (64, 64)])
def test_row_major_results_agree(operands: str, result: str, m: int, n: int) -> None:
    assert_agrees(product(c=f"c[M, N]: {result}"), CHIP, dtype=operands, M=m, N=n, K=20)


@pytest.mark.parametrize(("m", "n"), [(16, 16), (33, 48), (20, 37), (64, 50)])
def test_results_in_fractals_agree(m: int, n: int) -> None:
    assert_agrees(product(c="c[M, N]: float16 @ NZ"), CHIP, dtype="float16", M=m, N=n, K=20)


def test_a_row_is_one_instruction_with_a_group_for_16_columns() -> None:
    rows = stores(product(), dtype="float16", M=32, N=32, K=16)
    assert {(row.n_burst, row.burst, row.dst_gap, row.src_gap) for row in rows} == {(2, 2, 0, 0)}
    assert len(rows) == 2  # slabs; the rows of each are a loop


def test_sixteen_rows_of_fractals_are_one_instruction() -> None:
    kernel = product(c="c[M, N]: float16 @ NZ")
    whole = stores(kernel, dtype="float16", M=32, N=32, K=16)
    assert {(work.n_burst, work.burst, work.dst_gap) for work in whole} == {(2, 32, 16)}


def test_the_dtype_says_what_is_converted() -> None:
    modes = {
        result: (work.quantize, work.scale)
        for operands, result in DTYPES
        for work in stores(product(c=f"c[M, N]: {result}"), dtype=operands, M=16, N=16, K=32)
    }
    assert modes == {
        "float32": (None, None),
        "float16": ("int322fp16", 1.0),
        "int32": (None, None),
    }


def message(kernel: Kernel, dtype: str, **sizes: int) -> str:
    with pytest.raises(tl.TileError) as caught:
        stores(kernel, dtype=dtype, **sizes)
    assert {diagnostic.code for diagnostic in caught.value.diagnostics} == {"E1248"}
    return "\n".join(f"{d.message}\nhint: {d.hint}\n" for d in caught.value.diagnostics)


def test_a_dtype_that_fixpipe_does_not_make(golden: Golden) -> None:
    kernel = product(c="c[M, N]: bfloat16")
    golden.check("tik/lower/E1248-dtype.txt", message(kernel, "float16", M=16, N=16, K=16))


def test_results_that_stay_on_the_core(golden: Golden) -> None:
    @tl.kernel("a[M, K]: float16, b[K, N]: float16 -> c[M, N]: float16")
    def twice(a: tl.Tensor, b: tl.Tensor, c: tl.Tensor) -> None:
        for _ in tl.cores(1):
            acc = tl.alloc_l0c((16, 16), "float32")
            a1, b1 = (tl.alloc_l1((16, 16), "float16") for _ in range(2))
            tl.data_move(a1, a)
            tl.data_move(b1, b)
            tl.matmul(acc, a1, b1, init=True)
            again = tl.alloc_l1((16, 16), "float16")
            tl.data_move(again, acc)
            tl.matmul(acc, again, b1, init=True)
            out = tl.alloc_ub((16, 16), "float16")
            tl.data_move(out, acc)
            tl.data_move(c, out)

    golden.check("tik/lower/E1248-l1.txt", message(twice, "float16", M=16, N=16, K=16))
