"""Running a kernel on several backends against its reference, within a bound that is derived.

The bound of one element is `(K + 2) * u * reference(|inputs|)` plus one rounding to the result's
dtype: the classical bound of a sum of K products in any order, with `u` the unit roundoff of the
accumulator (Higham, "Accuracy and Stability of Numerical Algorithms", section 3.1). Results that
only integers make must be equal. It is valid for kernels of products, sums, relu and maxima.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, assert_never

import numpy as np
from numpy.typing import NDArray

from tilelang.arguments import as_tuple
from tilelang.backend import backend_names, find_backend
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.dtypes import DType, DTypeLike, find_dtype
from tilelang.ir.nodes import (
    Alloc,
    Body,
    If,
    Img2col,
    Loop,
    Map,
    Matmul,
    Mmad,
    Move,
    Program,
    Reduce,
)

if TYPE_CHECKING:
    from tilelang.kernel import Kernel

UNIT_ROUNDOFF = {
    DType.FLOAT16: 2.0**-11,
    DType.BFLOAT16: 2.0**-8,
    DType.FLOAT32: 2.0**-24,
}
"""Half the distance from 1 to the next number."""
SMALLEST = {DType.FLOAT16: 2.0**-24, DType.BFLOAT16: 2.0**-133, DType.FLOAT32: 2.0**-149}
"""The least positive number: what an underflow may lose."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one backend did: errors are the largest over all results, `share` of their bound."""

    backend: str
    machine: str
    seconds: float | None
    max_error: float | None
    share: float | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Report:
    """The rows of a check, for one kernel, one problem and one seed."""

    kernel: str
    problem: str
    seed: int
    rows: tuple[Row, ...]

    @property
    def ok(self) -> bool:
        """Whether every backend that was asked agrees with the reference."""
        return all(row.verdict == "ok" for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {**asdict(self), "ok": self.ok}

    def __str__(self) -> str:
        """Return a table in plain text."""
        lines = [f"{self.kernel} {self.problem} (seed {self.seed})"]
        lines.append(f"  {'backend':<10}{'machine':<12}{'time':>10}{'error/bound':>14}  verdict")
        for row in self.rows:
            seconds = "-" if row.seconds is None else f"{row.seconds * 1e3:.2f} ms"
            share = "-" if row.share is None else f"{row.share:.2g}"
            lines.append(
                f"  {row.backend:<10}{row.machine:<12}{seconds:>10}{share:>14}  {row.verdict}"
            )
        return "\n".join(lines)


def check(
    kernel: Kernel,
    *,
    backends: Sequence[str] | None,
    dtype: DTypeLike | Mapping[str, DTypeLike] | None,
    machine: str | None,
    seed: int,
    keywords: Mapping[str, Any],
) -> Report:
    """Return how each backend's result compares with the reference of `kernel` on random data.

    Raises:
        TileError: E0701 without a reference; mistakes in the kernel or in the keywords.
    """
    program = kernel.program(dtype=dtype, machine=machine, **keywords)
    inputs = random_inputs(program, seed)
    problem = Problem(
        kernel,
        program,
        inputs,
        run_reference(kernel, program, inputs),
        run_reference(kernel, program, [np.abs(array) for array in inputs]),
        {name: keywords[name] for name in keywords if name not in kernel.input_names},
    )
    names = list(backends) if backends is not None else _runnable()
    rows = tuple(_check_backend(problem, name, machine) for name in names)
    sizes = ", ".join(f"{buffer.name}: {buffer}" for buffer in program.inputs)
    return Report(kernel.name, sizes, seed, rows)


@dataclass(frozen=True, slots=True)
class Problem:
    """Inputs in physical form, what the reference says, and its value on absolute inputs."""

    kernel: Kernel
    program: Program
    inputs: list[NDArray[Any]]
    expected: list[NDArray[Any]]
    scales: list[NDArray[Any]]
    keywords: dict[str, Any]


def random_inputs(program: Program, seed: int) -> list[NDArray[Any]]:
    """Return physical arrays: floats in -1 .. 1, integers over the whole range of their type."""
    generator = np.random.default_rng(seed)
    arrays: list[NDArray[Any]] = []
    for buffer in program.inputs:
        dtype = buffer.dtype
        if dtype.is_float:
            values = generator.uniform(-1, 1, buffer.shape).astype(dtype.numpy)
        else:
            limits = np.iinfo(dtype.name.lower())
            values = generator.integers(
                limits.min, limits.max, buffer.shape, dtype.numpy.type, endpoint=True
            )
        arrays.append(buffer.layout.pack(values))
    return arrays


def run_reference(
    kernel: Kernel, program: Program, inputs: Sequence[NDArray[Any]]
) -> list[NDArray[Any]]:
    """Return the reference's results, logical, in float64 or int64.

    Raises:
        TileError: E0701 without a reference, E0702 if its results have other shapes.
    """
    function = kernel.reference_function
    if function is None:
        raise TileError(
            Diagnostic(
                "E0701",
                f"`{kernel.name}` has no reference to be checked against",
                kernel.location,
                f"write `@{kernel.name}.reference` above a numpy function of the same inputs",
            )
        )
    wide = [
        buffer.layout.unpack(array, buffer.shape).astype(
            np.float64 if buffer.dtype.is_float else np.int64
        )
        for buffer, array in zip(program.inputs, inputs, strict=True)
    ]
    taken = inspect.signature(function).parameters
    attributes = {name: value for name, value in program.attributes if name in taken}
    with np.errstate(all="ignore"):
        found: Any = function(*wide, **attributes)
    results = list(as_tuple(found))
    _check_reference(kernel, program, results)
    return results


def _check_reference(kernel: Kernel, program: Program, results: Sequence[Any]) -> None:
    wanted = [buffer.shape for buffer in program.results]
    found = [np.shape(result) for result in results]
    if found != wanted:
        raise TileError(
            Diagnostic(
                "E0702",
                f"the reference of `{kernel.name}` returns shapes {found}, wanted {wanted}",
                kernel.location,
                "return one array for each result of the signature, in that order",
            )
        )


def _check_backend(problem: Problem, name: str, machine: str | None) -> Row:
    target = machine or find_backend(name).machine
    started = time.perf_counter()
    try:
        found: Any = problem.kernel(
            *problem.inputs, backend=name, machine=target, **problem.keywords
        )
    except TileError as error:
        return Row(name, target, None, None, None, str(error))
    seconds = time.perf_counter() - started
    errors, shares = zip(*_compare(problem, as_tuple(found)), strict=True)
    share = max(shares)
    verdict = "ok" if share <= 1 else "differs from the reference"
    return Row(name, target, seconds, max(errors), share, verdict)


def _compare(problem: Problem, arrays: Sequence[Any]) -> Iterator[tuple[float, float]]:
    """Yield each result's largest error, and its largest share of the bound."""
    depth = sum_depth(problem.program)
    together = zip(problem.program.results, arrays, problem.expected, problem.scales, strict=True)
    for buffer, array, expected, scale in together:
        logical = buffer.layout.unpack(np.asarray(array), buffer.shape)
        with np.errstate(all="ignore"):
            yield _errors(logical, expected, scale, depth)


def _errors(
    found: NDArray[Any], expected: NDArray[Any], scale: NDArray[Any], depth: int
) -> tuple[float, float]:
    dtype = find_dtype(found.dtype)
    rounded = expected.astype(found.dtype)
    if found.size == 0:
        return 0.0, 0.0
    if dtype is None or not dtype.is_float:
        wrong = float(np.max(np.abs(found.astype(np.int64) - rounded.astype(np.int64))))
        return wrong, 0.0 if wrong == 0 else float("inf")
    bound = _bound(dtype, expected, scale, depth)
    same = (found == rounded) | (np.isnan(found) & np.isnan(rounded))
    error = np.where(same, 0.0, np.abs(found.astype(np.float64) - expected))
    share = np.where(np.isnan(error), np.inf, error / bound)
    return float(np.max(np.nan_to_num(error, nan=np.inf))), float(np.max(share))


def _bound(
    dtype: DType, expected: NDArray[Any], scale: NDArray[Any], depth: int
) -> NDArray[np.float64]:
    """Return how far a correct result may be from `expected`, element by element."""
    sums = (depth + 2) * UNIT_ROUNDOFF[DType.FLOAT32] * np.abs(scale)
    return sums + UNIT_ROUNDOFF[dtype] * (np.abs(expected) + sums) + SMALLEST[dtype]


def sum_depth(program: Program) -> int:
    """Return the most products that any matrix product of `program` adds into one element."""
    depths = [1]
    for stage in program.stages:
        depths += _depths(stage.body, 1)
    return max(depths)


def _depths(body: Body, trips: int) -> Iterator[int]:
    for stmt in body:
        match stmt:
            case Loop():
                extent = stmt.extent.constant if stmt.extent.is_constant else 1
                yield from _depths(stmt.body, trips * max(extent, 1))
            case If():
                yield from _depths((*stmt.then, *stmt.otherwise), trips)
            case Matmul() | Mmad():
                yield trips * stmt.a.shape[-1]
            case Reduce():
                yield trips * stmt.src.shape[stmt.axis]
            case Alloc() | Move() | Img2col() | Map():
                pass
            case _:
                assert_never(stmt)


def _runnable() -> list[str]:
    return [name for name in backend_names() if find_backend(name).runs_here is None]
