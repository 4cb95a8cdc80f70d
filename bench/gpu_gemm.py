"""Matrix products on a GPU against cuBLAS (through torch) and Triton's tutorial kernel.

    python -m bench.gpu_gemm [--sizes 4096,8192] [--dtypes float16,bfloat16] [--json FILE]

For each size and dtype every configuration of ours is checked against torch and timed, and the best
is reported: median milliseconds, TFLOP/s, and the ratio to cuBLAS and to the tutorial (above 1 is
faster than they are). Without a GPU it says so and ends.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import tilelang as tl
from tilelang.backends.triton import gpu
from tilelang.diagnostics import TileError
from tilelang.kernel import Kernel

SIZES = {
    "1024": (1024, 1024, 1024),
    "4096": (4096, 4096, 4096),
    "8192": (8192, 8192, 8192),
    "ragged": (4000, 4001, 4003),
    "small ragged": (1000, 1003, 997),
}
DTYPES = ("float16", "bfloat16", "float32", "tf32", "int8")
WARMUP_MS, MEASURE_MS = 100, 400
SHORT_MS = 0.2
"""Below this a launch from Python takes about as long as the kernel."""


@tl.kernel("a[M, K]: T, b[K, N]: T -> c[M, N]: T")
def matmul(
    a: tl.Tensor,
    b: tl.Tensor,
    c: tl.Tensor,
    *,
    m_tile: int = 128,
    n_tile: int = 256,
    k_tile: int = 64,
) -> None:
    """Set c to a @ b in the dtype of a, as cuBLAS gives it."""
    (M, K), N = a.shape, b.shape[1]
    for i, j in tl.cores(tl.ceildiv(M, m_tile), tl.ceildiv(N, n_tile)):
        acc = tl.alloc_l0c((m_tile, n_tile), "float32")
        for k in tl.for_range(max(tl.ceildiv(K, k_tile), 1), stages=2):
            a1 = tl.alloc_l1((m_tile, k_tile), a.dtype)
            b1 = tl.alloc_l1((k_tile, n_tile), b.dtype)
            tl.data_move(a1, a[i * m_tile, k * k_tile])
            tl.data_move(b1, b[k * k_tile, j * n_tile])
            tl.matmul(acc, a1, b1, init=k == 0)
        out = tl.alloc_ub((m_tile, n_tile), c.dtype)
        tl.data_move(out, acc)
        tl.data_move(c[i * m_tile, j * n_tile], out)


@tl.kernel("a[M, K]: int8, b[N, K]: int8 -> c[M, N]: int32")
def matmul_of_bytes(
    a: tl.Tensor,
    b: tl.Tensor,
    c: tl.Tensor,
    *,
    m_tile: int = 128,
    n_tile: int = 128,
    k_tile: int = 128,
) -> None:
    """Set c to a @ b.T, rows by rows: the one form in which tensor cores read bytes."""
    (M, K), N = a.shape, b.shape[0]
    for i, j in tl.cores(tl.ceildiv(M, m_tile), tl.ceildiv(N, n_tile)):
        acc = tl.alloc_l0c((m_tile, n_tile), "int32")
        for k in tl.for_range(max(tl.ceildiv(K, k_tile), 1), stages=2):
            a1 = tl.alloc_l1((m_tile, k_tile), a.dtype)
            b1 = tl.alloc_l1((n_tile, k_tile), b.dtype)
            tl.data_move(a1, a[i * m_tile, k * k_tile])
            tl.data_move(b1, b[j * n_tile, k * k_tile])
            tl.matmul(acc, a1, b1.T, init=k == 0)
        out = tl.alloc_ub((m_tile, n_tile), c.dtype)
        tl.data_move(out, acc)
        tl.data_move(c[i * m_tile, j * n_tile], out)


@dataclass(frozen=True)
class Configuration:
    """Tiles (m, n, k) and options of the backend."""

    tiles: tuple[int, int, int]
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __str__(self) -> str:
        """Return both as one word each."""
        options = ",".join(f"{name}={value}" for name, value in self.options.items())
        return f"{'x'.join(map(str, self.tiles))} {options}".strip()


HALF = (
    Configuration((128, 256, 64)),
    Configuration((128, 256, 64), {"persistent": False}),
    Configuration((256, 128, 64)),
    Configuration((128, 128, 64)),
    Configuration((128, 128, 64), {"num_warps": 8}),
    Configuration((128, 128, 64), {"persistent": False, "num_warps": 8, "num_stages": 3}),
    Configuration((64, 256, 64)),
    Configuration((64, 128, 64), {"persistent": False}),
    Configuration((128, 128, 64), {"descriptors": False}),
)
CONFIGURATIONS: Mapping[str, Sequence[Configuration]] = {
    "float16": HALF,
    "bfloat16": HALF,
    "float32": (
        Configuration((64, 64, 32)),
        Configuration((128, 64, 16)),
        Configuration((128, 128, 16)),
        Configuration((128, 128, 32)),
    ),
    "tf32": (
        Configuration((128, 128, 32), {"allow_tf32": True}),
        Configuration((128, 128, 32), {"allow_tf32": True, "num_warps": 8}),
        Configuration((128, 256, 32), {"allow_tf32": True}),
        Configuration((64, 128, 32), {"allow_tf32": True}),
    ),
    "int8": (
        Configuration((128, 128, 128)),
        Configuration((128, 128, 128), {"num_warps": 8}),
        Configuration((128, 128, 64)),
        Configuration((128, 256, 64)),
    ),
}


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured for one size and dtype; times are medians in milliseconds."""

    size: str
    dtype: str
    ours_ms: float
    cublas_ms: float
    tutorial_ms: float
    tflops: float
    configuration: str
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        """Return a line of the table."""
        return (
            f"{self.size:>14} {self.dtype:>9} {self.ours_ms:9.3f} ms {self.tflops:7.1f} TFLOP/s "
            f"{self.cublas_ms / self.ours_ms:6.2f}x cuBLAS "
            f"{self.tutorial_ms / self.ours_ms:6.2f}x tutorial  {self.configuration}"
            + "".join(f"\n{'':>15}{fault}" for fault in self.wrong)
        )


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=",".join(SIZES), help=f"of: {', '.join(SIZES)}")
    parser.add_argument("--dtypes", default=",".join(DTYPES), help=f"of: {', '.join(DTYPES)}")
    parser.add_argument("--json", type=Path, help="write the rows to this file as well")
    asked = parser.parse_args()
    reason = gpu.missing()
    if reason is not None:
        print(f"nothing measured: {reason}; run `python -m bench.gpu_gemm` where there is a GPU")
        return
    print(f"{gpu.torch().cuda.get_device_name()}, triton {import_module('triton').__version__}")
    rows: list[Row] = []
    for row in measure(asked.sizes.split(","), asked.dtypes.split(",")):
        print(row, flush=True)
        rows.append(row)
        if asked.json:
            asked.json.write_text(json.dumps([asdict(one) for one in rows], indent=2))


def measure(sizes: Sequence[str], dtypes: Sequence[str]) -> Iterator[Row]:
    """Yield a row for every size and dtype."""
    for size in sizes:
        for dtype in dtypes:
            yield _measure(size, dtype)


def _measure(size: str, dtype: str) -> Row:
    M, N, K = SIZES[size]
    a, b = _operand(dtype, M, K), _operand(dtype, K, N)
    gpu.torch().backends.cuda.matmul.allow_tf32 = dtype == "tf32"
    product = _cublas(dtype, a, b)
    expected: Any = product()
    trials = [_trial(one, dtype, a, b, expected) for one in CONFIGURATIONS[dtype]]
    timed = [(ms, one) for ms, one, fault in trials if not fault]
    best_ms, best = min(timed, key=lambda pair: pair[0], default=(float("nan"), "none"))
    tflops = 2 * M * N * K / best_ms / 1e9
    wrong = tuple(f"{one}: {fault}" for _, one, fault in trials if fault)
    cublas_ms, tutorial_ms = _time(product), _tutorial(dtype, a, b, expected)
    return Row(size, dtype, best_ms, cublas_ms, tutorial_ms, tflops, best, wrong)


def _operand(dtype: str, rows: int, columns: int) -> Any:
    torch = gpu.torch()
    if dtype == "int8":
        return torch.randint(-128, 128, (rows, columns), dtype=torch.int8, device="cuda")
    kind = torch.float32 if dtype == "tf32" else getattr(torch, dtype)
    return torch.randn((rows, columns), dtype=torch.float32, device="cuda").to(kind)


def _cublas(dtype: str, a: Any, b: Any) -> Callable[[], Any]:
    """Return the product by torch; int8 by columns of b, which is the form that cuBLAS takes.

    Sizes that its int8 product refuses are computed in float64, and not a fair comparison.
    """
    torch = gpu.torch()
    if dtype != "int8":
        return lambda: torch.matmul(a, b)
    by_columns = b.t().contiguous().t()
    try:
        torch._int_mm(a, by_columns)
    except RuntimeError:
        return lambda: torch.matmul(a.double(), b.double()).to(torch.int32)
    return lambda: torch._int_mm(a, by_columns)


def _trial(
    configuration: Configuration, dtype: str, a: Any, b: Any, expected: Any
) -> tuple[float, str, str]:
    """Return the time of a configuration, its name, and what is wrong with it, if anything."""
    kernel: Kernel = matmul_of_bytes if dtype == "int8" else matmul
    right = b.t().contiguous() if dtype == "int8" else b
    m_tile, n_tile, k_tile = configuration.tiles
    keywords: dict[str, Any] = {
        "m_tile": m_tile,
        "n_tile": n_tile,
        "k_tile": k_tile,
        **configuration.options,
    }
    out = gpu.torch().empty_like(expected)

    def run() -> Any:
        return kernel(a, right, out=out, backend="triton", **keywords)

    try:
        run()
    except (TileError, RuntimeError) as error:  # out of shared memory, say
        return float("nan"), str(configuration), f"{type(error).__name__}: {error}".split("\n")[0]
    fault = _difference(out, expected, dtype, a.shape[1])
    return (float("nan") if fault else _time(run)), str(configuration), fault


def _difference(found: Any, expected: Any, dtype: str, depth: int) -> str:
    """Return how a result differs from torch's beyond rounding, or nothing."""
    torch = gpu.torch()
    if dtype == "int8":
        n_wrong = int((found != expected).sum())
        return f"{n_wrong} elements differ" if n_wrong else ""
    unit = {"float16": 2**-11, "bfloat16": 2**-8, "float32": 2**-20, "tf32": 2**-10}[dtype]
    error = (found.float() - expected.float()).abs().max().item()
    bound = 4 * unit * max(expected.float().abs().max().item(), depth**0.5)
    finite = bool(torch.isfinite(found).all())
    return "" if finite and error <= bound else f"error {error:.3g}, bound {bound:.3g}"


def _tutorial(dtype: str, a: Any, b: Any, expected: Any) -> float:
    tutorial = import_module("bench.tutorial_matmul")
    out = gpu.torch().empty_like(expected)
    precision = "tf32" if dtype == "tf32" else "ieee"
    return _time(lambda: tutorial.matmul(a, b, out, precision))


def _time(run: Callable[[], Any]) -> float:
    """Return the median time; of short work that of its kernels alone, as one CUDA graph."""
    testing = import_module("triton.testing")
    ms = testing.do_bench(run, warmup=WARMUP_MS, rep=MEASURE_MS, return_mode="median")
    if ms > SHORT_MS:
        return ms
    return testing.do_bench_cudagraph(run, rep=MEASURE_MS, return_mode="median")


if __name__ == "__main__":
    main()
