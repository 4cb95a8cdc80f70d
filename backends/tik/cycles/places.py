"""Where tensors lie on chip, and which accesses therefore meet.

Tensors are stacked as TIK stacks them: in the order of the text, given back at the end of their
scope, in as many copies as the loops around them have threads. So an instruction waits for the last
one that touched the same bytes, whichever tensor they belonged to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tilelang.backends.tik.cycles.charges import WHOLE, Extent
from tilelang.backends.tik.cycles.composite_costs import L0A, L0B
from tilelang.backends.tik.cycles.move_costs import STAGING
from tilelang.backends.tik.cycles.pipes import SCOPE_NAMES
from tilelang.backends.tik.emulate.capacity import tensor_size
from tilelang.backends.tik.instructions import (
    BLOCK_BYTES,
    FRACTAL_BYTES,
    Body,
    DataMove,
    DataMovePad,
    Fixpipe,
    ForRange,
    InstructionProgram,
    Load2d,
    Scope,
    Tensor,
    bodies,
    walk,
)

_MOST_REGIONS = 256
"""Of one memory; then accesses count for their whole tensor."""


@dataclass(frozen=True, slots=True)
class Place:
    """Bytes of a memory that belong to a tensor; its copies follow one another."""

    memory: str
    start: int
    n_bytes: int
    threads: tuple[tuple[str, int], ...] = ()
    """Variable and thread_num of each loop that makes copies, outermost first."""

    def copy_start(self, turns: Mapping[str, int]) -> int:
        """Return where the copy begins that the turns of the loops around it use."""
        number = 0
        for variable, thread_num in self.threads:
            number = number * thread_num + turns[variable]
        return self.start + number * self.n_bytes


def place_tensors(program: InstructionProgram) -> dict[str, Place]:
    """Return the place of every tensor whose accesses need an order.

    A tensor of GM needs one only if the program both reads and writes it.
    """
    places: dict[str, Place] = {
        L0A: Place("l0a", 0, WHOLE),
        L0B: Place("l0b", 0, WHOLE),
        STAGING: Place("staging", 0, WHOLE),
    }
    _stack(program.body, {}, (), places)
    for name in _shared_gm_tensors(program):
        places[name] = Place(f"gm {name}", 0, WHOLE)
    return places


def _stack(
    body: Body,
    tops: Mapping[str, int],
    threads: tuple[tuple[str, int], ...],
    places: dict[str, Place],
) -> None:
    """Place the tensors of `body` from the first free bytes of each memory on."""
    tops = dict(tops)
    for item in body:
        if isinstance(item, Tensor) and item.scope is not Scope.GM:
            memory = SCOPE_NAMES[item.scope]
            unit = BLOCK_BYTES if item.scope is Scope.UB else FRACTAL_BYTES
            n_bytes = -(-max(tensor_size(item), 1) // unit) * unit
            places[item.name] = Place(memory, tops.get(memory, 0), n_bytes, threads)
            n_copies = 1
            for _, thread_num in threads:
                n_copies *= thread_num
            tops[memory] = tops.get(memory, 0) + n_bytes * n_copies
        inner_threads = threads
        if isinstance(item, ForRange) and item.thread_num > 1:
            inner_threads = (*threads, (item.var, item.thread_num))
        for inner in bodies(item):
            _stack(inner, tops, inner_threads, places)


def _shared_gm_tensors(program: InstructionProgram) -> set[str]:
    """Return the GM tensors that are both read and written."""
    gm = {item.name for item in program.body if isinstance(item, Tensor) and item.scope is Scope.GM}
    read: set[str] = set()
    written: set[str] = set()
    for item in walk(program.body):
        match item:
            case DataMove(dst, src) | DataMovePad(dst, src) | Fixpipe(dst, src) | Load2d(dst, src):
                read |= {src.tensor} & gm
                written |= {dst.tensor} & gm
            case _:
                pass
    return read & written


Cell = list[int]
"""When a region was last written and by which pipe, when last read and by which pipe."""
WRITTEN, WRITER, READ, READER = range(4)


@dataclass(slots=True)
class Regions:
    """The regions of on-chip memories that instructions touch, and which of them overlap."""

    places: Mapping[str, Place]
    cells: list[Cell] = field(default_factory=lambda: [])
    _numbers: dict[tuple[str, int, int], int] = field(default_factory=lambda: {})
    _meeting: list[list[int]] = field(default_factory=lambda: [])
    _by_memory: dict[str, list[tuple[int, int, int]]] = field(default_factory=lambda: {})

    def find(self, touched: Extent, turns: Mapping[str, int]) -> int | None:
        """Return the number of the region; None where no order is needed."""
        place = self.places.get(touched.tensor)
        if place is None:
            return None
        base = place.copy_start(turns)
        known = self._by_memory.setdefault(place.memory, [])
        low, high = base + touched.low, base + min(touched.high, place.n_bytes)
        key = (place.memory, low, max(high, low + 1))
        if key not in self._numbers and len(known) >= _MOST_REGIONS:
            key = (place.memory, base, base + place.n_bytes)
        number = self._numbers.get(key)
        return self._add(key) if number is None else number

    def flag(self, name: str) -> int:
        """Return the number of a region that stands for a flag; it overlaps no other."""
        key = (f"flag {name}", 0, 1)
        self._by_memory.setdefault(key[0], [])
        number = self._numbers.get(key)
        return self._add(key) if number is None else number

    def _add(self, key: tuple[str, int, int]) -> int:
        memory, low, high = key
        number = self._numbers[key] = len(self.cells)
        self.cells.append([0, 0, 0, 0])
        meeting = [number]
        for other_low, other_high, other in self._by_memory[memory]:
            if low < other_high and other_low < high:
                meeting.append(other)
                self._meeting[other].append(number)
        self._meeting.append(meeting)
        self._by_memory[memory].append((low, high, number))
        return number

    def meeting(self, numbers: Sequence[int]) -> list[int]:
        """Return all regions that share bytes with those of `numbers`."""
        return list(dict.fromkeys(other for number in numbers for other in self._meeting[number]))
