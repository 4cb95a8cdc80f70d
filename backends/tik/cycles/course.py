"""The course of a program on one core: every use of a pipe in order, repetitions kept together.

Nodes are interned: equal stretches are one object, so that comparing two iterations of a loop is
comparing two pointers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import chain
from typing import TypeAlias

from tilelang.backends.tik.cycles.charges import Charge
from tilelang.diagnostics import Location

_SHORT = 128
"""Packets of a stretch or loop that is laid out in the stretch around it."""


@dataclass(frozen=True, slots=True)
class Packet:
    """A charge at a place in memory: what the scheduler places in time."""

    charge: Charge
    setup: int
    """Cycles of the scalar unit until it is handed out."""
    reads: tuple[int, ...]
    """Regions, by number."""
    writes: tuple[int, ...]
    waits: bool
    """Whether it is ordered by its regions: not where the text says `disable_sync`."""
    loc: Location = field(compare=False)


@dataclass(frozen=True, slots=True, eq=False)
class Straight:
    """Packets, by number, one after another."""

    packets: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Parts, one after another."""

    parts: tuple["Course", ...]


@dataclass(frozen=True, slots=True, eq=False)
class Repeated:
    """Iterations of a loop, one after another."""

    iterations: tuple["Course", ...]


class Meeting(Enum):
    """A point where pipes wait for each other by the text's own will."""

    ALL = "all pipes"
    CORES = "all cores"
    SET = "set_flag"
    WAIT = "wait_flag"


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """A `Meeting`; flags have a pipe, and a region that stands for the flag."""

    meeting: Meeting
    pipe: int = 0
    flag: int = 0


Course: TypeAlias = Straight | Series | Repeated | Order


@dataclass(slots=True)
class Interner:
    """Makes nodes; equal ones once."""

    packets: list[Packet] = field(default_factory=lambda: [])
    _numbers: dict[Packet, int] = field(default_factory=lambda: {})
    _nodes: dict[tuple[object, ...], Course] = field(default_factory=lambda: {})

    def packet(self, packet: Packet) -> int:
        """Return the number of `packet`."""
        number = self._numbers.get(packet)
        if number is None:
            number = self._numbers[packet] = len(self.packets)
            self.packets.append(packet)
        return number

    def join(self, parts: Sequence["int | Course"]) -> Course:
        """Return numbers of packets and nodes, in order, as one node."""
        nodes: list[Course] = []
        run: list[int] = []
        for part in parts:
            if isinstance(part, int):
                run.append(part)
                continue
            if isinstance(part, Straight) and len(part.packets) <= _SHORT:
                run.extend(part.packets)
                continue
            if run:
                nodes.append(self._straight(tuple(run)))
                run = []
            nodes.append(part)
        if run or not nodes:
            nodes.append(self._straight(tuple(run)))
        return nodes[0] if len(nodes) == 1 else self._sequence(tuple(nodes))

    def _straight(self, packets: tuple[int, ...]) -> Course:
        return self._nodes.setdefault(("straight", packets), Straight(packets))

    def _sequence(self, parts: tuple[Course, ...]) -> Course:
        return self._nodes.setdefault(("sequence", *map(id, parts)), Series(parts))

    def repeated(self, iterations: tuple[Course, ...]) -> Course:
        """Return the node of a loop; a short one is laid out, as there is little to skip."""
        if len(iterations) <= _SHORT:
            inside = [node.packets for node in iterations if isinstance(node, Straight)]
            if len(inside) == len(iterations) and sum(map(len, inside)) <= _SHORT:
                return self._straight(tuple(chain.from_iterable(inside)))
        return self._nodes.setdefault(("repeated", *map(id, iterations)), Repeated(iterations))

    def order(self, meeting: Meeting, pipe: int = 0, flag: int = 0) -> Course:
        """Return the node of an ordering point."""
        return self._nodes.setdefault(("order", meeting, pipe, flag), Order(meeting, pipe, flag))
