"""The backend `tik`: TIK scripts, which run here in the emulator of the core."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tilelang.diagnostics import Diagnostic, TileError
from tilelang.dtypes import DType
from tilelang.ir.expression import UnaryOp
from tilelang.ir.nodes import Program
from tilelang.machines import Machine
from tilelang.numerics import Numerics

if TYPE_CHECKING:
    from tilelang.backends.tik.cycles import CycleReport, Cycles
    from tilelang.backends.tik.instructions import InstructionProgram
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
        ulps={
            UnaryOp.EXP: 3,
            UnaryOp.LN: 1,
            UnaryOp.SQRT: 4,
            UnaryOp.RSQRT: 4,
            UnaryOp.TANH: 6,
            UnaryOp.SIGMOID: 6,
        },
        division_ulps=2,
    )
    """What `check` may hold it to, on the 310, which builds most; see `lower.functions`."""

    def compile(self, program: Program, machine: Machine, **options: object) -> TikExecutable:
        """Return `program` as a TIK script that the emulator runs.

        Raises:
            TileError: rules of the language that are broken; E1219 for a machine that is not
                lowered for; E123x and E124x at the kernel's line for what the chip cannot do.
        """
        from tilelang.backends.tik.lower import lower_program

        if options:
            raise TileError(_no_options(options))
        return TikExecutable(lower_program(program, machine))

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
            TileError: as `compile`.
        """
        from tilelang.backends.tik.lower import lower_program
        from tilelang.backends.tik.package import package_files

        return package_files(program, lower_program(program, machine), machine)

    def run_script(
        self,
        path: Path,
        entry: str | None,
        arguments: Sequence[str],
        feed: Mapping[str, NDArray[Any]],
        machine: str | None = None,
    ) -> ScriptRun:
        """Record the TIK script at `path` and run what it builds on the arrays of `feed`.

        Raises:
            TileError: E12xx at the script's line.
        """
        from tilelang.backends.tik.scripts import run_script

        return run_script(path, entry, arguments, feed, machine or self.machine)


class TikExecutable:
    """An instruction program: its text, and its run in the emulator."""

    def __init__(self, program: InstructionProgram) -> None:
        """Hold `program`."""
        self.program = program
        self.warnings: tuple[Diagnostic, ...] = ()
        """What the last run warned of: tails read or written behind tensors."""

    @property
    def source(self) -> str:
        """The TIK script, with the kernel's lines as comments."""
        from tilelang.backends.tik.emit import emit

        return emit(self.program, comments=True)

    def __call__(self, *arrays: NDArray[Any]) -> None:
        """Emulate on the physical arrays of every input, then of every result, which it fills.

        Results are filled at the end: a run that raises leaves them as they were.

        Raises:
            TileError: E1211 for arrays of other sizes or dtypes; other E12xx are mistakes of ours.
        """
        from tilelang.backends.tik.emulate import emulate

        n_inputs = len(self.program.inputs)
        given, filled = arrays[:n_inputs], arrays[n_inputs:]
        feed = dict(zip(self.program.inputs, map(np.ascontiguousarray, given), strict=True))
        run = emulate(self.program, feed)
        self.warnings = run.warnings
        for array, result in zip(filled, run.outputs.values(), strict=True):
            array[...] = result.reshape(array.shape)


def _no_options(options: Mapping[str, object]) -> Diagnostic:
    given = ", ".join(f"{name}={value!r}" for name, value in options.items())
    message = f"the backend `tik` has no options, and {given} is given"
    return Diagnostic("E1246", message, hint="leave it away; `machine` chooses the chip")
