"""The report on a tile program's cycles: its parts as data, as a trace, and as a page."""

from dataclasses import dataclass

from tilelang.backends.tik.cycles.count import count_cycles
from tilelang.backends.tik.cycles.picture import draw_page
from tilelang.backends.tik.cycles.rates import read_rates
from tilelang.backends.tik.cycles.report import Cycles, in_turn
from tilelang.backends.tik.cycles.trace import chrome_trace
from tilelang.backends.tik.lower import lower_kernels, lower_program
from tilelang.ir.nodes import Program
from tilelang.machines import Machine


def count_tile_program(program: Program, machine: Machine, *, timeline: bool = False) -> Cycles:
    """Return how long `program`, verified but not lowered, takes on `machine`.

    Kernels that run one after another are added up; a `timeline` is of one kernel.

    Raises:
        TileError: for what the chip cannot express, or has no pipes for.
    """
    if timeline:
        return count_cycles(lower_program(program, machine), machine, timeline=True)
    kernels = [kernel.program for kernel in lower_kernels(program, machine)]
    parts = [count_cycles(kernel, machine) for kernel in kernels]
    return parts[0] if len(parts) == 1 else in_turn(program.name, read_rates(machine), parts)


@dataclass(frozen=True, slots=True)
class CycleReport:
    """Cycles for people and for files."""

    cycles: Cycles

    def rows(self) -> list[dict[str, object]]:
        """Return what each pipe did, for a table."""
        found = self.cycles
        return [
            {
                "pipe": use.pipe.value,
                "busy_cycles": use.busy,
                "share": found.share(use),
                "instructions": use.n_instructions,
                "waits": {pipe.value: cycles for pipe, cycles in use.waits.items()},
            }
            for use in found.pipes
            if use.n_instructions
        ]

    def summary(self) -> dict[str, object]:
        """Return every number that is not a pipe's."""
        found = self.cycles
        return {
            "program": found.name,
            "machine": found.rates.machine.name,
            "cycles": found.total,
            "seconds": found.seconds,
            "launch_cycles": found.launch,
            "core_cycles": found.core,
            "memory_cycles": found.memory,
            "critical_pipe": found.critical.value,
            "cores": found.n_cores,
            "cube_utilisation": found.cube_utilisation,
            "flop_per_second": found.flop_per_second,
            "roof_flop_per_second": found.roof_flop_per_second,
            "flop_per_byte": found.intensity if found.memory_bytes else None,
            "ridge_flop_per_byte": found.ridge,
            "bytes": dict(found.moved),
            "memory_bytes": found.memory_bytes,
            "instructions": found.n_instructions,
            "simulated_instructions": found.n_simulated,
        }

    def trace(self) -> str:
        """Return the timeline, which must have been kept, as a Chrome trace in JSON."""
        return chrome_trace(self.cycles)

    def page(self) -> str:
        """Return the report with its timeline, which must have been kept, as an HTML page."""
        return draw_page(self.cycles)
