"""The numbers of a machine that the cycle model uses, each read from the machine's file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from tilelang.diagnostics import Diagnostic, TileError
from tilelang.machines import Machine, Table


@dataclass(frozen=True, slots=True)
class Curve:
    """How long one core alone takes for a transfer, by its size; measured points, joined."""

    n_bytes: tuple[float, ...]
    cycles: tuple[float, ...]

    def __call__(self, size: float) -> float:
        """Return cycles for `size` bytes: straight lines, the last rate beyond the last point."""
        if size >= self.n_bytes[-1]:
            return size * self.cycles[-1] / self.n_bytes[-1]
        upper = next(i for i in range(1, len(self.n_bytes)) if size < self.n_bytes[i])
        (x0, x1), (y0, y1) = self.n_bytes[upper - 1 : upper + 1], self.cycles[upper - 1 : upper + 1]
        return y0 + (size - x0) * (y1 - y0) / (x1 - x0)


@dataclass(frozen=True, slots=True)
class Rates:
    """A machine as the costs of instructions see it. Times are cycles, rates bytes a cycle."""

    machine: Machine
    numbers: Mapping[str, float] = field(repr=False)
    """Everything under `rates` in the machine's file, and under `chip`."""
    packages: tuple[tuple[int, float], ...]
    """Sizes into which bursts of GM are cut, the largest first, and the cycles of each."""
    curves: Mapping[str, Curve] = field(repr=False)
    """Of one core alone, by path: "gm_l1"."""
    chip_memory: float
    """Of DDR or HBM, all cores together."""
    chip_l2: float
    """Of the second-level cache, all cores together."""

    def __getitem__(self, name: str) -> float:
        """Return the number called `name`, which every Ascend machine has."""
        return self.numbers[name]

    def get(self, name: str, otherwise: float) -> float:
        """Return the number called `name`, or `otherwise` where a machine has none."""
        return self.numbers.get(name, otherwise)

    def whole(self, name: str) -> int:
        """Return the number called `name` as the whole number it is."""
        return int(self.numbers[name])

    @property
    def peak_flop_per_cycle(self) -> float:
        """Return the float operations of all cubes in float16, a multiply-add counted as two."""
        fractal = self["cube.fractal_rows"] * self["cube.fractal_columns"]
        k = self["cube.fractal_k_bytes"] / 2
        return 2 * fractal * k / self["cube.cycles_per_fractal"] * self.machine.n_cores


@cache
def read_rates(machine: Machine) -> Rates:
    """Return the rates of `machine`.

    Raises:
        TileError: E1250 if it is no Ascend chip.
    """
    numbers = dict(machine.rates)
    if "scalar.dispatch" not in numbers:
        message = f"the machine {machine.name!r} has no pipes to count cycles of"
        hint = "use one of: ascend310, ascend310p, ascend910, ascend910b"
        raise TileError(Diagnostic("E1250", message, hint=hint))
    packages = tuple((int(size), cycles) for size, cycles in machine.tables["dma_packages"].rows)
    curves = {
        name: _curve(table)
        for name, table in machine.tables.items()
        if table.columns == ("bytes", "B/cycle")
    }
    return Rates(machine, numbers, packages, curves, _chip_memory(machine), _chip_l2(machine))


def _curve(table: Table) -> Curve:
    return Curve(
        tuple(n_bytes for n_bytes, _ in table.rows),
        tuple(n_bytes / rate for n_bytes, rate in table.rows),
    )


def _chip_memory(machine: Machine) -> float:
    """Return what DDR or HBM gives: as measured, else the share of a core times the cores."""
    rates = machine.rates
    for name in ("chip_path.gm_bytes_per_second", "hbm.bytes_per_second"):
        if name in rates:
            return rates[name] / machine.clock_hz
    return rates["path.gm_read"] * machine.n_cores


def _chip_l2(machine: Machine) -> float:
    """Return what L2 gives all cores: a limit of the chip, else that of a core times the cores."""
    rates = machine.rates
    for name in ("l2.read_bytes_per_second", "l2.bytes_per_second"):
        if name in rates:
            return rates[name] / machine.clock_hz
    return rates["path.l2_read"] * machine.n_cores
