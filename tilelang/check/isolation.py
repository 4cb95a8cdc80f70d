"""Judging backends in another process, so that one that crashes or hangs ends no check."""

from collections.abc import Sequence
from dataclasses import dataclass

from tilelang.check.families import Family
from tilelang.check.procedure import inputs_text, judge_backend
from tilelang.check.process import Ended, Process
from tilelang.check.report import Row
from tilelang.diagnostics import Diagnostic
from tilelang.ir.nodes import Program

_MOST_LINES = 20
"""Of what a process said last: the end of a traceback."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Judges backends in `process`; to see a crash again, `command` is what a user types.

    `command` lacks `--backends`, which goes behind it. `kernel` is what `tilelang fuzz` calls the
    kernel, None of a program.
    """

    process: Process
    command: str
    kernel: str | None

    def __call__(
        self,
        program: Program,
        name: str,
        machine: str,
        drawn: Sequence[Family],
        *,
        is_named: bool,
    ) -> Row:
        """Return the row of the backend `name`, E0707 if its process ended without one."""
        found = self.process.call(judge_backend, program, name, machine, drawn, is_named=is_named)
        return self.failed(program, name, machine, found) if isinstance(found, Ended) else found

    def failed(self, program: Program, name: str, machine: str, ended: Ended) -> Row:
        """Return the row of a backend whose process ended on `program`."""
        given = f" ({inputs_text(program)})" if program.inputs else ""
        again = f"`{self.command} --backends {name}`"
        longer = ", or give it more time with `--limit 1h`" if ended.is_late else ""
        fuzz = (
            f"`tilelang fuzz {self.kernel} --backends {name}` finds the smallest sizes that do it"
        )
        said = Diagnostic(
            "E0707",
            f"backend {name!r} {ended.manner} on `{program.name}`{given}, machine {machine}",
            hint=f"see it alone with {again}{longer}" + (f"; {fuzz}" if self.kernel else ""),
            details=ended.said[-_MOST_LINES:],
        )
        return Row(name, machine, None, None, None, str(said))
