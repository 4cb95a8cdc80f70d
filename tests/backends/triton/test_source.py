"""The text of generated kernels: what a person would keep."""

import ast
import re
from collections.abc import Mapping

import pytest

import tilelang as tl
from tests.backends.triton import small_kernels as small
from tests.backends.triton.running import SM90
from tests.golden import Golden
from tilelang.backends.triton.compiler import generate
from tilelang.backends.triton.options import Options
from tilelang.kernel import Kernel
from tilelang.shipped import find_kernel

LARGE = {"M": 4096, "N": 4096, "K": 4096}
RAGGED = {"M": 100, "N": 99, "K": 77}


def source(
    kernel: Kernel,
    sizes: Mapping[str, int],
    dtype: str = "float16",
    options: Options | None = None,
) -> str:
    program = kernel.program(dtype=dtype, machine="sm90", **sizes)
    return generate(program, SM90, options or Options()).text


def test_a_product_by_descriptors(golden: Golden):
    golden.check("triton/gemm_descriptors.txt", source(find_kernel("gemm"), LARGE))


def test_a_product_by_pointers_and_masks(golden: Golden):
    text = source(find_kernel("gemm"), RAGGED, options=Options(descriptors=False))
    golden.check("triton/gemm_pointers.txt", text)


def test_an_epilogue_and_its_functions(golden: Golden):
    text = source(
        find_kernel("linear"), {"activation": 2, "M": 1024, "N": 1024, "K": 512}, "bfloat16"
    )
    golden.check("triton/linear_gelu.txt", text)


def test_stages_with_workspace(golden: Golden):
    text = source(find_kernel("batch_norm_training"), {"N": 2, "C": 5, "H": 3, "W": 7}, "float32")
    golden.check("triton/batch_norm_training.txt", text)


@pytest.mark.parametrize("kernel", [small.ping_pong, small.two_buffers, small.slices], ids=repr)
def test_a_product_is_one_flat_loop_without_conditions(kernel: Kernel):
    text = source(kernel, {"M": 128, "N": 128, "K": 256})
    assert len(re.findall(r"^ +for ", text, re.MULTILINE)) == 1
    assert not re.search(r"^ +if ", text, re.MULTILINE)
    assert len(re.findall(r"\.load\(", text)) == 2
    before, loop = text.split("    for ", 1)
    assert "acc = tl.zeros(" in before
    assert "acc = tl.dot(" in loop
    assert "where" not in loop


def test_chunks_become_one_block():
    text = source(find_kernel("gemm_bias_relu"), {"M": 256, "N": 256, "K": 64})
    assert "out = relu(out + addend[None, :])" in text
    assert "128" in next(line for line in text.splitlines() if "c_tiles.store" in line)


def test_float32_says_how_it_is_multiplied():
    gemm = find_kernel("gemm")
    assert 'input_precision="ieee"' in source(gemm, LARGE, "float32")
    tf32 = source(gemm, LARGE, "float32", Options(allow_tf32=True))
    assert 'input_precision="tf32"' in tf32


def test_the_users_lines_are_comments():
    text = source(find_kernel("gemm"), LARGE)
    assert "# tl.matmul(acc, a1, b1, init=k == 0)" in text


def test_a_kernel_that_reads_what_it_stores_waits_and_loads_nothing_ahead():
    text = source(small.cumulative, {"M": 7, "N": 19}, "float32")
    assert "num_stages=1" in text
    assert text.count("tl.debug_barrier()") == 2


def test_parts_of_a_buffer_go_through_scratch():
    text = source(small.halves, {"M": 8, "N": 32}, "float32")
    assert "swapped_scratch" in text
    assert "swapped_scratch=None" in text


def test_names_that_mean_something_else_are_changed():
    text = source(awkward, {"N": 16}, "float32")
    ast.parse(text)
    assert "def awkward(float_, tile_):" in text


def test_large_tensors_are_counted_in_64_bits():
    text = source(find_kernel("softmax"), {"M": 1 << 21, "N": 1 << 11})
    assert "tl.int64" in text
    assert "tl.int64" not in source(find_kernel("softmax"), {"M": 1 << 11, "N": 1 << 11})


@tl.kernel("float[N]: float32 -> tile[N]: float32")
def awkward(float: tl.Tensor, tile: tl.Tensor) -> None:
    """Copy, by names that Triton or the launcher use themselves."""
    for _ in tl.cores(1):
        range = tl.alloc_ub((16,), "float32", name="range")
        tl.data_move(range, float[0])
        range[:] = tl.exp(range)
        tl.data_move(tile[0], range)
