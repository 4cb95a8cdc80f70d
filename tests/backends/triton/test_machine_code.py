"""Machine code for GPUs that are not here: instructions, spills, shared memory, pipelines."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.backends.triton import small_kernels as small
from tests.backends.triton import test_numbers as numbers
from tests.backends.triton.running import SM90, needs_triton
from tilelang.backends.triton.compiler import generate
from tilelang.backends.triton.options import Options
from tilelang.backends.triton.processes import ask, compile_job
from tilelang.backends.triton.promises import ON_A_GPU
from tilelang.backends.triton.reports import KernelReport, report_kernels
from tilelang.backends.triton.targets import find_target
from tilelang.ir.nodes import Program
from tilelang.kernel import Kernel
from tilelang.shipped import find_kernel

LARGE = {"M": 4096, "N": 4096, "K": 4096}
WIDE = {"m_tile": 128, "n_tile": 256, "k_tile": 64}


def reports(
    kernel: Kernel, dtype: str, sizes: Mapping[str, int], arch: str = "sm_90", **options: Any
) -> list[KernelReport]:
    target = find_target(arch)
    program = kernel.program(dtype=dtype, machine="sm90", **sizes)
    chosen = target.options(Options(**options))
    return report_kernels(generate(program, SM90, chosen), target)


def report(
    kernel: Kernel, dtype: str, sizes: Mapping[str, int], arch: str = "sm_90", **options: Any
) -> KernelReport:
    (one,) = reports(kernel, dtype, sizes, arch, **options)
    assert one.error is None, one.error
    return one


@dataclass(frozen=True)
class Product:
    """A product whose code uses the tensor cores as it should."""

    name: str
    dtype: str
    tiles: Mapping[str, int]
    options: Mapping[str, Any]
    instruction: str
    pipeline: str

    def __str__(self) -> str:
        tiles, options = (",".join(map(str, x.values())) for x in (self.tiles, self.options))
        return f"{self.name}-{self.dtype}-{tiles}-{options}"


ATTRIBUTES = {"linear": {"activation": 0}}
PRODUCTS = (
    Product("gemm", "float16", {}, {}, "m64n128k16.f32.f16.f16", "descriptor loads"),
    Product("gemm", "bfloat16", WIDE, {}, "m64n256k16.f32.bf16.bf16", "descriptor loads"),
    Product("gemm", "float16", {}, {"descriptors": False}, "m64n128k16.f32", "16-byte copies"),
    Product("linear", "bfloat16", WIDE, {}, "m64n256k16.f32.bf16.bf16", "descriptor loads"),
    Product("linear", "float32", {"k_tile": 32}, {"allow_tf32": True}, "tf32", "descriptor loads"),
    Product("linear", "float16", {}, {"persistent": False}, "m64n128k16", "descriptor loads"),
)


@needs_triton
@pytest.mark.parametrize("product", PRODUCTS, ids=str)
def test_products_are_pipelined_into_the_tensor_cores(product: Product):
    sizes = {**LARGE, **product.tiles, **ATTRIBUTES.get(product.name, {})}
    found = report(find_kernel(product.name), product.dtype, sizes, **product.options)
    assert found.spilled_bytes == 0
    assert found.fits
    assert all(one.startswith("wgmma.mma_async") for one in found.matrix), found.matrix
    assert any(product.instruction in one for one in found.matrix), found.matrix
    assert product.pipeline in found.pipeline
    assert "1 products in flight" in found.pipeline


@needs_triton
def test_bytes_are_multiplied_by_the_tensor_cores():
    found = report(find_kernel("gemm"), "int8", {**LARGE, "k_tile": 128})
    assert any("s32.s8.s8" in one for one in found.matrix)
    assert (found.spilled_bytes, found.fits) == (0, True)


@needs_triton
def test_float32_in_full_keeps_its_registers():
    found = report(find_kernel("gemm"), "float32", {**LARGE, "k_tile": 32})
    assert (found.spilled_bytes, found.matrix) == (0, ())
    assert "16-byte copies" in found.pipeline


@needs_triton
def test_rows_that_start_at_any_byte_still_come_by_descriptor():
    found = report(find_kernel("gemm"), "float16", {"M": 1000, "N": 1003, "K": 997})
    assert "descriptor loads" in found.pipeline
    assert "1 products in flight" in found.pipeline
    assert found.spilled_bytes == 0


@needs_triton
def test_more_stages_take_more_shared_memory():
    sizes = {**LARGE, "m_tile": 64, "n_tile": 64}
    two, four = (report(find_kernel("gemm"), "float16", sizes, num_stages=n) for n in (2, 4))
    assert four.shared_bytes - two.shared_bytes >= 2 * 2 * 64 * 64 * 2


@needs_triton
@pytest.mark.parametrize("kernel", [small.ping_pong, small.two_buffers, small.slices], ids=repr)
def test_what_was_written_for_small_memories_is_pipelined(kernel: Kernel):
    sizes = {"M": 1024, "N": 1024, "K": 1024, "m_tile": 128, "n_tile": 128, "k_tile": 64}
    found = report(kernel, "float16", sizes)
    assert "1 products in flight" in found.pipeline
    assert (found.spilled_bytes, found.fits) == (0, True)


@needs_triton
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "int8"])
def test_amd_multiplies_by_its_matrix_cores(dtype: str):
    found = report(find_kernel("gemm"), dtype, LARGE, "gfx942")
    assert all("mfma" in one for one in found.matrix)
    assert found.matrix
    assert (found.spilled_bytes, found.fits) == (0, True)


@needs_triton
def test_vector_kernels_and_several_stages_fit():
    shapes: dict[str, dict[str, int]] = {
        "softmax": {"M": 4096, "N": 1024},
        "layer_norm": {"M": 4096, "N": 1000},
        "batch_norm_training": {"N": 32, "C": 64, "H": 56, "W": 56},
    }
    for name, sizes in shapes.items():
        for one in reports(find_kernel(name), "float16", sizes):
            assert (one.error, one.spilled_bytes, one.fits) == (None, 0, True), name


@needs_triton
def test_what_does_not_fit_is_said():
    found = report(find_kernel("gemm"), "float16", {**LARGE, **WIDE}, num_stages=5)
    assert not found.fits
    assert found.shared_bytes > found.shared_limit == 232_448


@needs_triton
@pytest.mark.parametrize("arch", ["sm_90", "gfx942"])
def test_every_operation_compiles(arch: str):
    jobs: list[dict[str, Any]] = []
    target = find_target(arch)
    with TemporaryDirectory() as folder:
        step = 1 if arch == "sm_90" else 3  # AMD's compiler is slower, and the text the same
        for number, program in enumerate(islice(programs_of_all_operations(), 0, None, step)):
            generated = generate(program, SM90, target.options(Options()))
            source = Path(folder) / f"file{number}.py"
            source.write_text(generated.text)
            jobs += [compile_job(kernel, source, target.triton) for kernel in generated.kernels]
        answers = ask("compile", jobs)
    assert [answer["error"] for answer in answers if "error" in answer] == []
    assert len(answers) >= len(numbers.OPERATIONS) - 1


@needs_triton
def test_what_is_promised_to_flush_does_and_nothing_else():
    target, jobs = find_target("sm_90"), list[dict[str, Any]]()
    with TemporaryDirectory() as folder:
        for number in range(len(numbers.OPERATIONS)):
            program = numbers.elementwise.program(dtype="float32", machine="sm90", N=128, op=number)
            generated = generate(program, SM90, target.options(Options()))
            source = Path(folder) / f"file{number}.py"
            source.write_text(generated.text)
            jobs += [compile_job(kernel, source, target.triton) for kernel in generated.kernels]
        answers = ask("compile", jobs)
    flushing = [number for number, answer in enumerate(answers) if ".ftz" in answer["ptx"]]
    assert len(answers) == len(numbers.OPERATIONS)
    assert {numbers.FUNCTIONS[number] for number in flushing} == ON_A_GPU.flushes_arguments


def programs_of_all_operations() -> Iterator[Program]:
    """Yield programs with every operation, cast, reduction and kind of access there is."""
    for number in range(len(numbers.OPERATIONS)):
        dtype = ("float16", "bfloat16", "float32")[number % 3]
        yield numbers.elementwise.program(dtype=dtype, machine="sm90", N=128, op=number)
    for mode in range(len(numbers.ROUNDINGS)):
        for target in ("int8", "int32"):
            types = {"T": "float32", "U": target}
            yield numbers.convert.program(dtype=types, machine="sm90", N=128, mode=mode)
    yield numbers.reductions.program(
        dtype={"T": "float16", "U": "float32"}, machine="sm90", M=8, N=32
    )
    yield numbers.reductions.program(dtype={"T": "int8", "U": "int32"}, machine="sm90", M=8, N=32)
    yield numbers.mixed.program(machine="sm90", K=64)
    for kernel in (small.two_sums, small.restarts, small.parts_of_l0c, small.late):
        yield kernel.program(machine="sm90", M=40, N=48, K=75)
    for kernel in (small.cumulative, small.alternating, small.halves):
        yield kernel.program(machine="sm90", M=7, N=19)
    yield find_kernel("lstm_cell").program(dtype="float16", machine="sm90", B=5, I=20, H=24)
