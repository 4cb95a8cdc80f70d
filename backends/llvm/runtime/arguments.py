"""Checks of what programs are compiled with and called with."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from tilelang.backends.llvm.runtime.pool import default_threads
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.ir.nodes import Program
from tilelang.ir.region import Buffer

OPTIONS = frozenset({"n_threads"})


def read_threads(options: Mapping[str, object]) -> int:
    """Return how many threads to run on.

    Raises:
        TileError: E1102 for an option that is not known, or not a positive number.
    """
    faults = [*_option_faults(options)]
    if faults:
        raise TileError(*faults)
    n_threads = options.get("n_threads")
    return n_threads if isinstance(n_threads, int) else default_threads()


def check_arrays(program: Program, arrays: Sequence[NDArray[Any]]) -> None:
    """Check the arrays of a call.

    Raises:
        TileError: E1103 for a wrong number of arrays, shape or dtype, or a read-only result.
    """
    buffers = (*program.inputs, *program.results)
    if len(arrays) != len(buffers):
        raise TileError(_wrong_count(program, len(arrays)))
    faults = [
        fault
        for buffer, array in zip(buffers, arrays, strict=True)
        for fault in _array_faults(buffer, array, is_result=buffer in program.results)
    ]
    if faults:
        raise TileError(*faults)


def _option_faults(options: Mapping[str, object]) -> Iterator[Diagnostic]:
    for name, value in options.items():
        if name not in OPTIONS:
            yield Diagnostic(
                "E1102",
                f"the backend `llvm` has no option `{name}={value!r}`; it has `n_threads`",
                hint="write `n_threads=2`, or leave it out to use every core of the computer",
            )
        elif isinstance(value, bool) or not isinstance(value, int) or value < 1:
            yield Diagnostic(
                "E1102",
                f"`n_threads` is {value!r}, wanted a number of threads, 1 or more",
                hint="write `n_threads=1`, or leave it out to use every core of the computer",
            )


def _wrong_count(program: Program, n_found: int) -> Diagnostic:
    n_inputs, n_results = len(program.inputs), len(program.results)
    names = ", ".join(f"`{buffer.name}`" for buffer in (*program.inputs, *program.results))
    return Diagnostic(
        "E1103",
        f"the program takes {n_inputs + n_results} arrays, {names}; got {n_found}",
        program.loc,
        f"give the {n_inputs} inputs, then {n_results} arrays for results to fill",
    )


def _array_faults(buffer: Buffer, array: NDArray[Any], *, is_result: bool) -> Iterator[Diagnostic]:
    shape = buffer.layout.physical_shape(buffer.shape)
    if (array.shape, array.dtype) != (shape, buffer.dtype.numpy):
        yield Diagnostic(
            "E1103",
            f"`{buffer.name}` is {array.dtype}{list(array.shape)}, wanted "
            f"{buffer.dtype}{list(shape)}",
            buffer.loc,
            f"give the array of {buffer} in layout {buffer.layout}, padding included",
        )
    if is_result and not array.flags.writeable:
        yield Diagnostic(
            "E1103",
            f"`{buffer.name}` is a result, and the array given for it is read-only",
            buffer.loc,
            "give an array that can be written, such as one of `np.empty`",
        )
