"""Faults that a backend may have, each put into a correct one: what a check has to catch.

A fault is a function of a program that returns an executable with the mistake in it. Most are
around the executor, in what it is given and what it returns, so that they are the same for every
kernel.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.check.devices import Device, Function, run_on
from tests.check.running import Executable
from tilelang.backends.numpy.arithmetic import ROUNDED
from tilelang.dtypes import DType
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.expression import Rounding
from tilelang.ir.nodes import Body, If, Loop, Matmul, Mmad, Program, Stmt
from tilelang.ir.walk import rewrite_program, walk, walk_program

Array = NDArray[Any]
Fault = Callable[[Program], Executable]


def step_dropped(program: Program) -> Executable:
    """Leave one step of the innermost sum out, the last of its loop."""
    loops = [stmt for stmt in walk_program(program) if isinstance(stmt, Loop)]
    loop = next(
        loop
        for loop in loops
        if loop.extent.is_constant and loop.extent.constant > 1 and _adds_up(loop)
    )
    last = cond.equal(ix.variable(loop.var), ix.constant(loop.extent.constant - 1))
    inside = [id(stmt) for stmt in walk(loop.body) if isinstance(stmt, Matmul | Mmad)]

    def change(stmt: Stmt) -> Body:
        return (If(last, (), (stmt,)),) if id(stmt) in inside else (stmt,)

    return run_on(rewrite_program(program, change), Device())


def _adds_up(loop: Loop) -> bool:
    """Return whether the steps of a loop are those of a sum of products."""
    starts = [stmt.init for stmt in walk(loop.body) if isinstance(stmt, Matmul | Mmad)]
    indices = [index for start in starts for index in cond.indices(start)]
    return any(loop.var in ix.free_variables(index) for index in indices)


def tile_stale(program: Program) -> Executable:
    """Write the first 16 columns of each result's first rows again, 16 columns on."""

    def change(result: Array) -> None:
        matrix = result.reshape(-1, result.shape[-1])
        size = min(16, matrix.shape[1] - 16)
        if size > 0:
            matrix[:16, 16 : 16 + size] = matrix[:16, :size]
        else:  # rows too short for two tiles: take other rows
            matrix[16:32] = matrix[: len(matrix[16:32])]

    return _with_results(program, change)


def column_missing(program: Program) -> Executable:
    """Never write the last column of each result."""

    def change(result: Array) -> None:
        result[..., -1] = 0

    return _with_results(program, change)


def fractal_transposed(program: Program) -> Executable:
    """Read the first fractal of the weights, the second operand, transposed."""
    number = _weights(program)

    def change(inputs: list[Array]) -> None:
        weights = inputs[number].copy()
        size = min(16, *weights.shape[:2])
        block = weights[:size, :size]
        block[:] = block.swapaxes(0, 1).copy()
        inputs[number] = weights

    return _with_inputs(program, change)


def gates_swapped(program: Program) -> Executable:
    """Take the forget gate for the input gate: the first two quarters of w, u and b."""

    def change(inputs: list[Array]) -> None:
        for number in (3, 4, 5):
            i, f, g, o = np.split(inputs[number], 4, axis=-1)
            inputs[number] = np.concatenate([f, i, g, o], axis=-1)

    return _with_inputs(program, change)


class _HalfSums(Device):
    """The accumulator is float16, rounded after every 16 terms."""

    def product(self, a: DType, b: DType) -> Function:
        function = ROUNDED.product(a, b)

        def multiply(left: Array, right: Array) -> Array:
            total = np.zeros((left.shape[0], right.shape[1]), np.float32)
            for k in range(0, left.shape[1], 16):
                total += function(left[:, k : k + 16], right[k : k + 16])
                total = total.astype(np.float16).astype(np.float32)
            return total

        return multiply


def half_sums(program: Program) -> Executable:
    """Accumulate in float16 instead of float32."""
    return run_on(program, _HalfSums())


class _TwiceAdded(Device):
    """The first product of the first tile that has one is added twice."""

    def __init__(self) -> None:
        self._is_done = False

    def product(self, a: DType, b: DType) -> Function:
        function = ROUNDED.product(a, b)

        def multiply(left: Array, right: Array) -> Array:
            total = function(left, right)
            terms = left[0].astype(np.float64) * right[:, 0].astype(np.float64)
            if not self._is_done and terms.any():
                self._is_done = True
                total[0, 0] += total.dtype.type(terms[np.flatnonzero(terms)[0]])
            return total

        return multiply


def product_twice(program: Program) -> Executable:
    """Add one product twice."""

    def run(*arrays: Array) -> None:
        run_on(program, _TwiceAdded())(*arrays)

    return run


class _TruncatingCast(Device):
    """float32 to bfloat16 drops bits instead of rounding."""

    def cast(self, source: DType, target: DType, rounding: Rounding) -> Function:
        if (source, target) != (DType.FLOAT32, DType.BFLOAT16):
            return ROUNDED.cast(source, target, rounding)

        def cut(x: Array) -> Array:
            bits = np.ascontiguousarray(x, np.float32).view(np.uint32) & np.uint32(0xFFFF0000)
            return bits.view(np.float32).astype(DType.BFLOAT16.numpy)

        return cut


def bfloat16_truncated(program: Program) -> Executable:
    """Truncate results to bfloat16 instead of rounding them."""
    return run_on(program, _TruncatingCast())


FAULTS: Mapping[str, Fault] = {
    "one k-step dropped": step_dropped,
    "one tile stale": tile_stale,
    "one fractal transposed": fractal_transposed,
    "float16 accumulation": half_sums,
    "missing tail column": column_missing,
    "one product added twice": product_twice,
    "bfloat16 truncated": bfloat16_truncated,
    "gate order swapped": gates_swapped,
}


@dataclass(frozen=True, slots=True)
class Victim:
    """A kernel whose sums have `depth` terms at the given sizes."""

    kernel: str
    depth: int
    keywords: Mapping[str, Any]
    narrow: Mapping[str, Any]
    """Dtypes in which results are bfloat16, for that fault; empty if there are none."""

    def can_have(self, fault: str) -> bool:
        """Return whether the kernel has what is faulty."""
        if fault == "gate order swapped":
            return self.kernel == "lstm_cell"
        return fault != "bfloat16 truncated" or bool(self.narrow)


def victims(depth: int) -> Sequence[Victim]:
    """Return the three kernels with sums of about `depth` terms."""
    half, n_channels = depth // 2, -(-depth // 9)
    return (
        Victim("gemm", depth, {"M": 33, "N": 35, "K": depth, "k_tile": 32, "dtype": "float16"}, {}),
        Victim(
            "conv2d",
            9 * n_channels,
            {
                **{
                    "N": 1,
                    "C": n_channels,
                    "H": 6,
                    "W": 37,
                    "O": 33,
                    "R": 3,
                    "S": 3,
                    "pad_left": 1,
                },
                "k_tile": 48,
                "dtype": {"T": "float16", "Y": "float16"},
            },
            {"dtype": {"T": "bfloat16", "Y": "bfloat16"}},
        ),
        Victim(
            "lstm_cell",
            2 * half,
            {"B": 17, "I": 2 * half - 33, "H": 33, "k_tile": 32, "dtype": "float16"},
            {"dtype": "bfloat16"},
        ),
    )


def _weights(program: Program) -> int:
    """Return the number of the weights among the inputs: `w`, or the second."""
    names = [buffer.name for buffer in program.inputs]
    return names.index("w") if "w" in names else 1


def _with_inputs(program: Program, change: Callable[[list[Array]], None]) -> Executable:
    run = run_on(program, Device())
    n_inputs = len(program.inputs)

    def changed(*arrays: Array) -> None:
        inputs = list(arrays[:n_inputs])
        change(inputs)
        run(*inputs, *arrays[n_inputs:])

    return changed


def _with_results(program: Program, change: Callable[[Array], None]) -> Executable:
    run = run_on(program, Device())

    def changed(*arrays: Array) -> None:
        run(*arrays)
        for result in arrays[len(program.inputs) :]:
            change(result)

    return changed
