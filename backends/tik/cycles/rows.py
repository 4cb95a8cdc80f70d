"""Packets as the scheduler's innermost loop reads them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from tilelang.backends.tik.cycles.course import Packet
from tilelang.backends.tik.cycles.places import Cell, Regions

Cells: TypeAlias = tuple[Cell, ...]
Row: TypeAlias = tuple[int, int, int, int, Cells, Cells, Cells, Cells, Cells]
"""Pipe, set-up, cycles, cycles if following. Cells to wait for: those it reads, until they are
written; those it writes, until they are written, and until they are read. Cells that it reads, and
that it writes."""


@dataclass(slots=True)
class _Users:
    """The pipes that write, and that read, each region."""

    writers: dict[int, set[int]] = field(default_factory=lambda: {})
    readers: dict[int, set[int]] = field(default_factory=lambda: {})


def make_rows(packets: Sequence[Packet], regions: Regions) -> list[Row]:
    """Return the rows of `packets`.

    A pipe is in order by itself, so nobody waits for regions that only the own pipe touches; except
    for what it reads, where that decides whether its start-up is hidden.
    """
    users = _Users()
    for packet in packets:
        pipe = packet.charge.pipe.number
        for numbers, found in ((packet.writes, users.writers), (packet.reads, users.readers)):
            for number in numbers:
                found.setdefault(number, set()).add(pipe)
    return [_row(packet, regions, users) for packet in packets]


def _row(packet: Packet, regions: Regions, users: _Users) -> Row:
    cost, cells = packet.charge, regions.cells
    following = cost.cycles if cost.following is None else cost.following
    pipe = cost.pipe.number
    own = set[int]() if following != cost.cycles else {pipe}
    made: list[int] = []
    remade: list[int] = []
    used: list[int] = []
    if packet.waits:
        made = _touched(regions.meeting(packet.reads), users.writers, own)
        remade = _touched(regions.meeting(packet.writes), users.writers, {pipe})
        used = _touched(regions.meeting(packet.writes), users.readers, {pipe})

    def cells_of(numbers: Iterable[int]) -> Cells:
        return tuple(cells[number] for number in numbers)

    return (
        pipe,
        packet.setup,
        cost.cycles,
        following,
        cells_of(made),
        cells_of(number for number in remade if number not in made),
        cells_of(used),
        cells_of(packet.reads),
        cells_of(packet.writes),
    )


def _touched(numbers: Iterable[int], users: dict[int, set[int]], without: set[int]) -> list[int]:
    """Return the regions that pipes other than `without` use."""
    return [number for number in numbers if users.get(number, set()) - without]
