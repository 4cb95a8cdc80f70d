"""Chips by the names that CANN uses, and the machine descriptions behind them."""

from dataclasses import dataclass
from difflib import get_close_matches

from tilelang.backends.tik.instructions import Scope
from tilelang.diagnostics import UNKNOWN, Diagnostic, Location, TileError
from tilelang.ir.region import Memory
from tilelang.machines import Machine, find_machine

DEFAULT_SOC = "Ascend910A"

# "Ascend910B" without a digit is a bin of the first 910; the chip sold as 910B has a digit
# (davinci.md section 1).
_MACHINES = {
    "Ascend310": "ascend310",
    **dict.fromkeys(
        ("Ascend910", "Ascend910A", "Ascend910B", "Ascend910ProA", "Ascend910ProB",
         "Ascend910PremiumA"),
        "ascend910",
    ),
    **dict.fromkeys(
        ("Ascend310P", "Ascend310P1", "Ascend310P3", "Ascend310P5", "Ascend310P7", "Ascend710"),
        "ascend310p",
    ),
    **dict.fromkeys(
        ("Ascend910B1", "Ascend910B2", "Ascend910B2C", "Ascend910B3", "Ascend910B4"), "ascend910b"
    ),
}  # fmt: skip

MEMORIES = {
    Scope.GM: Memory.GM,
    Scope.L1: Memory.L1,
    Scope.L1OUT: Memory.L0C,
    Scope.L0A: Memory.L0A,
    Scope.L0B: Memory.L0B,
    Scope.L0C: Memory.L0C,
    Scope.UB: Memory.UB,
}
"""The memory of each scope."""


@dataclass(frozen=True, slots=True)
class Soc:
    """A chip: CANN's name of it, and what it can do."""

    name: str
    machine: Machine

    @property
    def short_version(self) -> str:
        """CANN's SHORT_SOC_VERSION: the family, where "Ascend910B" means the second generation."""
        return {
            "ascend310": "Ascend310",
            "ascend310p": "Ascend310P",
            "ascend910": "Ascend910",
            "ascend910b": "Ascend910B",
        }[self.machine.name]

    @property
    def saturates(self) -> bool:
        """Whether float16 results that overflow become the largest number, not infinity."""
        return self.machine.name != "ascend910b"

    def capacity(self, scope: Scope) -> int:
        """Return the bytes of an on-chip memory of one core."""
        return self.machine.capacity[MEMORIES[scope]]


def soc_names() -> list[str]:
    """Return the known names, sorted."""
    return sorted(_MACHINES)


def find_soc(name: str, loc: Location = UNKNOWN) -> Soc:
    """Return the chip called `name` by CANN, or the usual chip of a machine called so here.

    `loc` is where the name stands.

    Raises:
        TileError: E0603 if there is none.
    """
    usual = {machine: soc for soc, machine in reversed(_MACHINES.items())}
    soc = name if name in _MACHINES else usual.get(name)
    if soc is not None:
        return Soc(soc, find_machine(_MACHINES[soc]))
    close = get_close_matches(name, [*_MACHINES, *usual], n=1)
    raise TileError(
        Diagnostic(
            "E0603",
            f"there is no Ascend chip {name!r}",
            loc,
            hint=f"write {close[0]!r}" if close else f"use one of: {', '.join(soc_names())}",
        )
    )


def machine_soc(machine: str) -> str:
    """Return the chip that programs for the machine `machine` are written for."""
    return DEFAULT_SOC if machine == "ascend910" else find_soc(machine).name
