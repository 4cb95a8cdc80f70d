"""The backend `tik`: TIK scripts, which run here in the emulator of the core."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tilelang.backends.tik.accuracy import BUILDER, division_ulps, function_ulps
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.dtypes import DType
from tilelang.ir.nodes import Program
from tilelang.machines import Machine
from tilelang.numerics import Numerics

if TYPE_CHECKING:
    from tilelang.backends.tik.cycles import CycleReport, Cycles
    from tilelang.backends.tik.lower import Kernel
    from tilelang.backends.tik.scripts import ScriptRun

# What is behind the backend is imported when it is used: finding it costs next to nothing.


class TikBackend:
    """Lowers programs to TIK; running one is emulating it, so that runs everywhere."""

    name = "tik"
    machine = "ascend910"
    options: frozenset[str] = frozenset()
    runs_here: str | None = None
    numerics = Numerics(
        saturates=frozenset({DType.FLOAT16}),  # tik.md section 4: the first generation does
        flushes=frozenset({DType.FLOAT32}),  # a sigmoid that vexp overflows under is 0
        ulps=function_ulps(BUILDER),
        division_ulps=division_ulps(BUILDER),
    )
    """What `check` may hold it to, on the chip that builds most."""

    def compile(self, program: Program, machine: Machine, **options: object) -> TikExecutable:
        """Return `program` as a TIK script that the emulator runs.

        Raises:
            TileError: rules of the language that are broken; E1219 for a machine that is not
                lowered for; E123x and E124x at the kernel's line for what the chip cannot do.
        """
        from tilelang.backends.tik.lower import lower_kernels

        if options:
            raise TileError(_no_options(options))
        return TikExecutable(lower_kernels(program, machine), program)

    def cycles(self, program: Program, machine: Machine) -> Cycles:
        """Return how long `program` takes on `machine`, by the cycle model.

        Raises:
            TileError: as `compile`; E1250 for a machine without pipes.
        """
        from tilelang.backends.tik.cycles import count_tile_program

        return count_tile_program(program, machine)

    def cycle_report(self, program: Program, machine: Machine, *, timeline: bool) -> CycleReport:
        """Return the cycles of `program` with reasons; `timeline` keeps every instruction.

        Raises:
            TileError: as `cycles`.
        """
        from tilelang.backends.tik.cycles import CycleReport, count_tile_program

        return CycleReport(count_tile_program(program, machine, timeline=timeline))

    def package(self, program: Program, machine: Machine) -> Mapping[str, str]:
        """Return the files of a TBE custom operator: their texts by path.

        Raises:
            TileError: as `compile`; E1249 where one operator cannot hold the program.
        """
        from tilelang.backends.tik.lower import lower_program, without_empty_inputs
        from tilelang.backends.tik.package import package_files

        lowered = lower_program(program, machine)
        return package_files(without_empty_inputs(program), lowered, machine)

    def run_script(
        self,
        path: Path,
        entry: str | None,
        arguments: Sequence[str],
        feed: Mapping[str, NDArray[Any]],
        machine: str | None = None,
        *,
        tolerate: Iterable[str] = (),
    ) -> ScriptRun:
        """Record the TIK script at `path` and run what it builds on the arrays of `feed`.

        Findings with a code in `tolerate` are warnings.

        Raises:
            TileError: E12xx at the script's line.
        """
        from tilelang.backends.tik.scripts import run_script

        chip = machine or self.machine
        return run_script(path, entry, arguments, feed, chip, tolerate=tolerate)


class TikExecutable:
    """The kernels of a program: their text, and their run in the emulator, one after another."""

    def __init__(self, kernels: Sequence[Kernel], program: Program) -> None:
        """Hold `kernels`, which `program` became."""
        self.kernels = tuple(kernels)
        self._inputs = [buffer.name for buffer in program.inputs]
        self._results = [buffer.name for buffer in program.results]
        self.warnings: tuple[Diagnostic, ...] = ()
        """What the last run warned of: tails read or written behind tensors."""

    @property
    def source(self) -> str:
        """The TIK script, with the kernel's lines as comments; a function for each kernel."""
        from tilelang.backends.tik.emit import emit

        return emit(*(kernel.program for kernel in self.kernels), comments=True)

    def __call__(self, *arrays: NDArray[Any]) -> None:
        """Emulate on the physical arrays of every input, then of every result, which it fills.

        Results are filled at the end: a run that raises leaves them as they were.

        Raises:
            TileError: E1211 for arrays of other sizes or dtypes; other E12xx are mistakes of ours.
        """
        from tilelang.backends.tik.emulate import emulate

        n_inputs = len(self._inputs)
        given, filled = arrays[:n_inputs], arrays[n_inputs:]
        tensors = dict(zip(self._inputs, map(np.ascontiguousarray, given), strict=True))
        warnings: list[Diagnostic] = []
        for kernel in self.kernels:
            values = (tensors[name] for name in kernel.inputs)
            feed = dict(zip(kernel.program.inputs, values, strict=True))
            run = emulate(kernel.program, feed, handed_on=kernel.handed_on)
            tensors |= dict(zip(kernel.results, run.outputs.values(), strict=True))
            warnings += run.warnings
        self.warnings = tuple(warnings)
        for name, array in zip(self._results, filled, strict=True):
            array[...] = tensors[name].reshape(array.shape)


def _no_options(options: Mapping[str, object]) -> Diagnostic:
    given = ", ".join(f"{name}={value!r}" for name, value in options.items())
    message = f"the backend `tik` has no options, and {given} is given"
    return Diagnostic("E1246", message, hint="leave it away; `machine` chooses the chip")
