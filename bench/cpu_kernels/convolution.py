"""Rows of conv2d against oneDNN with packed weights and torch's better memory format."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.cpu_kernels.row import Row
from bench.cpu_kernels.turns import Run, find_torch, medians
from tilelang.backends.llvm import BACKEND
from tilelang.kernels.conv2d import conv2d, conv2d_nc1hwc0
from tilelang.machines import find_machine


@dataclass(frozen=True, slots=True)
class Case:
    """One convolution: x[n, c, side, side] by w[o, c, kernel, kernel], padded by half a kernel."""

    n: int
    c: int
    side: int
    o: int
    kernel: int = 3
    stride: int = 1
    goal: float = 0.95
    note: str = ""
    """Of the row with NC1HWC0."""

    @property
    def name(self) -> str:
        """The case as the table has it."""
        stride = f" stride {self.stride}" if self.stride > 1 else ""
        sizes = f"{self.n}x{self.c}x{self.side}x{self.side} -> {self.o}"
        return f"{sizes}, {self.kernel}x{self.kernel}{stride}"

    @property
    def padding(self) -> int:
        """Zeros at each side of the map."""
        return self.kernel // 2


_FEW_CHANNELS = "13 of the 16 channels of a block are moved, if not multiplied: x takes 12.8 MB"

CASES = (
    Case(8, 64, 56, 64),
    Case(8, 128, 28, 128),
    Case(8, 256, 14, 256, goal=0.88),
    Case(8, 512, 7, 512, goal=0.88),
    Case(1, 64, 56, 64),
    Case(1, 256, 14, 256, goal=0.88),
    Case(8, 256, 56, 64, kernel=1, goal=0),
    Case(8, 128, 56, 128, stride=2, goal=0),
    Case(8, 3, 224, 64, kernel=7, stride=2, goal=0.8, note=_FEW_CHANNELS),
)
QUICK = (*CASES[:4], CASES[5], CASES[8])


def rows(quick: bool) -> Iterator[Row]:
    """Yield every case with float16 features as NC1HWC0, then as NCHW, then on two threads."""
    n_rounds = 7 if quick else 21
    for is_blocked in (True, False):
        for case in QUICK if quick else CASES:
            yield _row(case, n_rounds, is_blocked=is_blocked)
    yield from _rows_of_threads()


def _rows_of_threads() -> Iterator[Row]:
    """Yield our time on two threads beside that on one, from a process without torch's threads."""
    command = [sys.executable, "-m", "bench.cpu_kernels.convolution"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    for case, line in zip(QUICK, answer.stdout.splitlines(), strict=True):
        one, two = json.loads(line)
        yield Row(f"conv2d NC1HWC0 {case.name}, two threads", two, "one thread", one, goal=1.8)


def _measure_threads() -> None:
    """Print the seconds of every case on one thread and on two, by the clock."""
    for case in QUICK:
        runs = {f"{n}": _ours(case, is_blocked=True, n_threads=n) for n in (1, 2)}
        times = medians(runs, 7, time.perf_counter)
        print(json.dumps([times["1"], times["2"]]), flush=True)


def _row(case: Case, n_rounds: int, *, is_blocked: bool) -> Row:
    """Measure one case: blocked against oneDNN packed, plain against torch's better format."""
    peers = _peers(case)
    packed = peers.pop("oneDNN packed", None)
    if is_blocked:
        peers = {"oneDNN packed": packed} if packed else {}
    times = medians({"ours": _ours(case, is_blocked=is_blocked), **peers}, n_rounds)
    own = times.pop("ours")
    layout = "NC1HWC0" if is_blocked else "NCHW"
    goal = case.goal if is_blocked else 0.9
    note = case.note if is_blocked else ""
    row = Row(f"conv2d {layout} {case.name}", own, goal=goal, note=note)
    if not times:
        return row
    best = min(times, key=times.__getitem__)
    return Row(row.case, own, best, times[best], goal, row.note)


def _ours(case: Case, *, is_blocked: bool, n_threads: int = 1) -> Run:
    """Return our convolution, float16 in and out, with the tiles that a user gets."""
    kernel = conv2d_nc1hwc0 if is_blocked else conv2d
    sizes = {"N": case.n, "C": case.c, "H": case.side, "W": case.side}
    sizes |= {"O": case.o, "R": case.kernel, "S": case.kernel, "biased": 0}
    sizes |= {"stride_h": case.stride, "stride_w": case.stride}
    sizes |= dict.fromkeys(("pad_top", "pad_bottom", "pad_left", "pad_right"), case.padding)
    keywords: dict[str, Any] = {**sizes}
    program = kernel.program(dtype="float16", **keywords)
    run = BACKEND.compile(program, find_machine("host"), n_threads=n_threads)
    rng = np.random.default_rng(0)
    arrays = [
        rng.standard_normal(buffer.layout.physical_shape(buffer.shape)).astype(np.float16)
        for buffer in (*program.inputs, *program.results)
    ]
    return lambda: run(*arrays)


def _peers(case: Case) -> dict[str, Run]:
    """Return what torch has, in float32, which is its fastest for these sums."""
    torch = find_torch()
    if torch is None:
        return {}
    x = torch.randn(case.n, case.c, case.side, case.side)
    w = torch.randn(case.o, case.c, case.kernel, case.kernel)
    steps = [case.stride] * 2, [case.padding] * 2
    last = torch.channels_last
    inner_x, inner_w = x.to(memory_format=last), w.to(memory_format=last)
    convolve = torch.nn.functional.conv2d
    return {
        "torch NCHW": lambda: convolve(x, w, None, *steps),
        "torch NHWC": lambda: convolve(inner_x, inner_w, None, *steps),
        "oneDNN packed": _packed(torch, inner_x, w, steps),
    }


def _packed(torch: Any, x: Any, w: Any, steps: tuple[list[int], list[int]]) -> Run:
    """Return oneDNN with weights in the order that it prefers for these sizes."""
    stride, padding = steps
    arguments = (padding, stride, [1, 1], 1)
    reorder = torch._C._nn.mkldnn_reorder_conv2d_weight
    packed = reorder(w.to_mkldnn(), *arguments, list(x.shape))
    convolve = torch.ops.mkldnn._convolution_pointwise
    return lambda: convolve(x, packed, None, *arguments, "none", [], "")


if __name__ == "__main__":
    _measure_threads()
