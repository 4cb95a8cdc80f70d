"""Shipped kernels and small ones, in Triton's interpreter, against their references."""

from collections.abc import Iterator

import pytest

from tests.backends.triton import small_kernels as small
from tests.backends.triton.running import SM90, Array, Case, needs_triton, run_cases
from tests.correctness import assert_correct, assert_meaning
from tilelang.backends.triton.options import Options
from tilelang.backends.triton.promises import IN_THE_INTERPRETER
from tilelang.shipped import find_kernel

POINTERS = Options(interpreter=True, descriptors=False)
PRODUCT = {"m_tile": 32, "n_tile": 32, "k_tile": 32}


def cases() -> Iterator[Case]:
    gemm = find_kernel("gemm")
    for size in ((1, 1, 1), (40, 24, 72), (33, 31, 17), (16, 136, 40), (64, 64, 0)):
        sizes = dict(zip(("M", "N", "K"), size, strict=True)) | PRODUCT
        for dtype in ("float16", "float32", "int8", "bfloat16"):
            yield Case(gemm, dtype, sizes)
        yield Case(gemm, "float16", sizes, POINTERS)
    sizes = {"M": 130, "N": 130, "K": 40, "m_tile": 16, "n_tile": 16, "k_tile": 16}
    yield Case(gemm, "float16", sizes)  # copied first: its rows start anywhere
    yield Case(gemm, "float32", {**sizes, "M": 200, "N": 200})  # more tiles than multiprocessors
    yield from _shipped()
    for kernel in (small.ping_pong, small.two_buffers, small.slices):
        yield Case(kernel, "float16", {"M": 70, "N": 50, "K": 136})
        yield Case(kernel, "float32", {"M": 17, "N": 15, "K": 40})
    yield Case(small.two_sums, "float16", {"M": 40, "N": 30, "K": 40})
    yield Case(small.restarts, "float16", {"M": 17, "N": 33, "K": 75})
    yield Case(small.parts_of_l0c, "float16", {"M": 17, "N": 70, "K": 40})
    yield Case(small.late, "float16", {"M": 17, "N": 33, "K": 75})
    yield Case(small.alternating, "float32", {"M": 7, "N": 19})
    yield Case(small.cumulative, "float32", {"M": 7, "N": 19})
    yield Case(small.halves, "float32", {"M": 11, "N": 45})


def _shipped() -> Iterator[Case]:
    odd = {"M": 37, "N": 29, "K": 53} | PRODUCT
    yield Case(find_kernel("gemm_bias_relu"), "float16", odd)
    for activation in (0, 1, 2):
        yield Case(find_kernel("linear"), "bfloat16", {**odd, "activation": activation})
    for dtype in ("float16", "bfloat16", "float32"):
        for kernel in map(find_kernel, ("softmax", "layer_norm")):
            yield Case(kernel, dtype, {"M": 5, "N": 100})
            yield Case(kernel, dtype, {"M": 17, "N": 75, "m_tile": 16, "n_tile": 32})
    yield Case(find_kernel("batch_norm"), "float32", {"N": 2, "C": 5, "H": 3, "W": 7})
    yield Case(find_kernel("batch_norm_training"), "float16", {"N": 2, "C": 5, "H": 3, "W": 7})
    yield Case(find_kernel("lstm_cell"), "float32", {"B": 5, "I": 20, "H": 24})
    lstm = {"S": 2, "B": 5, "I": 20, "H": 24, "n_tile": 16, "k_tile": 16}
    yield Case(find_kernel("lstm"), "float32", lstm)
    yield Case(find_kernel("lstm"), "float16", {"S": 1, "B": 1, "I": 1, "H": 2})
    yield Case(find_kernel("split_k_gemm"), "float16", {"M": 40, "N": 30, "K": 100})
    map_sizes = {"N": 1, "C": 16, "H": 8, "W": 8, "O": 16, "R": 3, "S": 3}
    tiles = {"m_tile": 32, "k_tile": 16}
    pads = {"pad_top": 1, "pad_bottom": 1, "pad_left": 1, "pad_right": 1}
    yield Case(find_kernel("conv2d"), "float16", {**map_sizes, **pads, **tiles})
    several = {**map_sizes, "N": 3, "n_tiles": 2}
    yield Case(find_kernel("conv2d"), "float16", {**several, **pads, **tiles})
    small_map = {**map_sizes, "C": 3, "H": 5, "W": 4, "O": 5, "R": 2, "S": 1}
    yield Case(find_kernel("conv2d_nc1hwc0"), "float16", {**small_map, **tiles, "relu": 1})


CASES = tuple(cases())


@pytest.fixture(scope="module")
def results() -> dict[str, list[Array] | str]:
    return run_cases(CASES)


@needs_triton
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_interpreter_agrees_with_the_reference(
    case: Case, results: dict[str, list[Array] | str]
):
    found = results[str(case)]
    assert not isinstance(found, str), found
    program, inputs = case.program(), case.inputs()
    assert_meaning(case.kernel, program, inputs, SM90.name)
    assert_correct(program, inputs, found, IN_THE_INTERPRETER)
