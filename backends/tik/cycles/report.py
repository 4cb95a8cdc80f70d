"""What the cycle model found out about one program."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tilelang.backends.tik.cycles.course import Packet
from tilelang.backends.tik.cycles.pipes import Pipe
from tilelang.backends.tik.cycles.rates import Rates
from tilelang.backends.tik.cycles.schedule import Event


@dataclass(frozen=True, slots=True)
class PipeUse:
    """What one pipe of the busiest core did."""

    pipe: Pipe
    busy: int
    """Cycles."""
    n_instructions: int
    waits: Mapping[Pipe, int]
    """Cycles in which it was free and had work, which waited for results of another pipe."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """When each instruction of one core ran; what was extrapolated is one event."""

    packets: tuple[Packet, ...]
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Cycles:
    """How long a program takes on a chip, and why.

    Bytes and operations are those of the whole chip, pipes those of its busiest core.
    """

    name: str
    rates: Rates = field(repr=False)
    n_blocks: int
    """Iterations of the block loop: they are shared out over the cores in turn."""
    launch: int
    """Cycles from the host's order to the first instruction."""
    core: int
    """Cycles of the busiest core."""
    memory: int
    """Cycles that DDR or HBM needs for all bytes at its full rate."""
    pipes: tuple[PipeUse, ...]
    moved: Mapping[str, int]
    """Bytes by path: "gm-l1"."""
    memory_bytes: float
    """Bytes of DDR or HBM; the other bytes from and to GM met in L2."""
    flop: int
    """Operations of the cube, a multiply-add counted as two."""
    n_instructions: int
    """Of all cores that were looked at, those of equal cores once."""
    n_simulated: int
    """Of them, those that were placed one by one; the others repeat them."""
    timeline: Timeline | None = field(default=None, repr=False)
    parts: tuple["Cycles", ...] = field(default=(), repr=False)
    """The kernels, where several run one after another: numbers are sums over them."""

    @property
    def total(self) -> int:
        """Cycles from the launch to the end of the last core."""
        if self.parts:
            return sum(part.total for part in self.parts)
        return self.launch + max(self.core, self.memory)

    @property
    def seconds(self) -> float:
        """The time of `total`."""
        return self.total / self.rates.machine.clock_hz

    @property
    def n_cores(self) -> int:
        """Cores that work."""
        return min(self.n_blocks, self.rates.machine.n_cores)

    def share(self, use: PipeUse) -> float:
        """Return the share of the busiest core's time in which a pipe was busy."""
        return use.busy / max(self.core, 1)

    @property
    def critical(self) -> Pipe:
        """The pipe that is busy longest: nothing can be faster than it."""
        return max(self.pipes, key=lambda use: use.busy).pipe

    @property
    def flop_per_second(self) -> float:
        """Operations of the cube a second, launch included."""
        return self.flop / self.seconds

    @property
    def peak_flop_per_second(self) -> float:
        """What all cubes of the chip could do in float16."""
        return self.rates.peak_flop_per_cycle * self.rates.machine.clock_hz

    @property
    def cube_utilisation(self) -> float:
        """The share of the chip's peak (in float16) that was reached, launch included."""
        return self.flop_per_second / self.peak_flop_per_second

    @property
    def gm_bytes(self) -> int:
        """Bytes between GM and the cores, L2 or not."""
        return sum(n_bytes for path, n_bytes in self.moved.items() if "gm" in path.split("-"))

    @property
    def intensity(self) -> float:
        """Operations for each byte of DDR or HBM: where the program stands on the roofline."""
        return self.flop / self.memory_bytes if self.memory_bytes else float("inf")

    @property
    def roof_flop_per_second(self) -> float:
        """What the roofline allows at this intensity."""
        memory = self.rates.chip_memory * self.rates.machine.clock_hz
        return min(self.peak_flop_per_second, self.intensity * memory)

    @property
    def ridge(self) -> float:
        """The intensity from which on the cubes, not memory, are the limit."""
        memory = self.rates.chip_memory * self.rates.machine.clock_hz
        return self.peak_flop_per_second / memory


def in_turn(name: str, rates: Rates, parts: Sequence[Cycles]) -> Cycles:
    """Return how long kernels take that run one after another, which together are `name`."""
    moved: dict[str, int] = {}
    for part in parts:
        for path, n_bytes in part.moved.items():
            moved[path] = moved.get(path, 0) + n_bytes
    return Cycles(
        name=name,
        rates=rates,
        n_blocks=max(part.n_blocks for part in parts),
        launch=sum(part.launch for part in parts),
        core=sum(part.core for part in parts),
        memory=sum(part.memory for part in parts),
        pipes=tuple(map(_together, zip(*(part.pipes for part in parts), strict=True))),
        moved=moved,
        memory_bytes=sum(part.memory_bytes for part in parts),
        flop=sum(part.flop for part in parts),
        n_instructions=sum(part.n_instructions for part in parts),
        n_simulated=sum(part.n_simulated for part in parts),
        parts=tuple(parts),
    )


def _together(uses: Sequence[PipeUse]) -> PipeUse:
    """Return what one pipe did in all kernels."""
    waits: dict[Pipe, int] = {}
    for use in uses:
        for pipe, cycles in use.waits.items():
            waits[pipe] = waits.get(pipe, 0) + cycles
    busy, count = (
        sum(numbers) for numbers in zip(*((u.busy, u.n_instructions) for u in uses), strict=True)
    )
    return PipeUse(uses[0].pipe, busy, count, waits)
