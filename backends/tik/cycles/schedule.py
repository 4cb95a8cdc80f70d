"""Places packets in time: in-order queues that wait for each other's results.

All times are whole cycles since the core began. The scalar unit hands out packets in order, one
after another, into the queues of the pipes; it stops where a queue is full. A packet starts when
its pipe is free and the last packets that touched the same bytes are done: that is where TIK's
automatic synchronisation sets flags. A pair of pipes has few flags: a pipe that would set one more
than there are waits until the oldest has been taken. What is done by the time a packet is handed
out needs no flag, so the future depends on nothing that lies before the scalar unit's time.
"""

from collections.abc import Sequence
from typing import assert_never

from tilelang.backends.tik.cycles.course import Meeting, Order
from tilelang.backends.tik.cycles.pipes import PIPES
from tilelang.backends.tik.cycles.places import Cell
from tilelang.backends.tik.cycles.rates import Rates
from tilelang.backends.tik.cycles.rows import Row

_N = len(PIPES)

Event = tuple[int, int, int]
"""Number of a packet, or minus the number of iterations that were skipped; begin; end."""


class Schedule:
    """The state of one core in time, and what happened so far."""

    def __init__(self, rates: Rates, rows: Sequence[Row], cells: Sequence[Cell]) -> None:
        """Start at cycle 0 with empty queues."""
        self.clock = 0
        """When the scalar unit goes on."""
        self.free = [0] * _N
        """When each pipe is done with what it was given."""
        self.cells = cells
        for cell in cells:
            cell[:] = [0, 0, 0, 0]
        depth = rates.whole("scalar.queue_depth")
        self.queues = [[0] * depth for _ in range(_N)]
        """Starts of the last packets of each pipe, a ring; `places` is where the oldest is."""
        self.places = [0] * _N
        self.synced = [0] * (_N * _N)
        """Of each pair of pipes: what the second has already waited for."""
        n_flags = max(rates.whole("sync.event_ids"), 1)
        self.flags = [[0] * n_flags for _ in range(_N * _N)]
        """When each flag of a pair was taken, a ring like `queues`."""
        self.flag_places = [0] * (_N * _N)
        self.counts = [0] * len(rows)
        """How often each packet ran."""
        self.busy = [0] * _N
        self.stalls = [0] * (_N * _N)
        """Cycles in which the second of a pair was free, and waited for the first."""
        self.events: list[Event] | None = None
        self.n_simulated = 0
        self._barrier = rates.whole("sync.block_barrier_cycles")
        self._flag_cycles = 2 * rates.whole("scalar.dispatch")
        self._rows = rows

    @property
    def end(self) -> int:
        """When everything is done."""
        return max(self.clock, *self.free)

    def run(self, numbers: Sequence[int]) -> None:  # noqa: C901, PLR0912 - the hot loop
        """Place packets, by number, one after another."""
        rows, free, queues, places = self._rows, self.free, self.queues, self.places
        synced, flags, flag_places = self.synced, self.flags, self.flag_places
        counts, busy, stalls, events = self.counts, self.busy, self.stalls, self.events
        clock, flag_cycles = self.clock, self._flag_cycles
        for number in numbers:
            pipe, setup, cycles, following, made, remade, used, reads, writes = rows[number]
            clock += setup
            queue, place = queues[pipe], places[pipe]
            if queue[place] > clock:
                clock = queue[place]
            last = begin = free[pipe]
            if clock > begin:
                begin = clock
            needed = source = 0
            for cell in made:
                if cell[0] > needed:
                    needed, source = cell[0], cell[1]
            if begin == last and needed < last:
                cycles = following
            for cell in remade:
                if cell[0] > needed:
                    needed, source = cell[0], cell[1]
            for cell in used:
                if cell[2] > needed:
                    needed, source = cell[2], cell[3]
            if needed > clock and source != pipe:
                pair = source * _N + pipe
                if needed > begin:
                    stalls[pair] += needed - begin
                    begin = needed
                if needed > synced[pair]:
                    synced[pair] = needed
                    clock += flag_cycles
                    ring, oldest = flags[pair], flag_places[pair]
                    if ring[oldest] > free[source]:
                        free[source] = ring[oldest]
                    ring[oldest] = begin
                    flag_places[pair] = (oldest + 1) % len(ring)
            end = begin + cycles
            queue[place] = begin
            places[pipe] = (place + 1) % len(queue)
            free[pipe] = end
            if not pipe:
                clock = end
            for cell in reads:
                if end > cell[2]:
                    cell[2], cell[3] = end, pipe
            for cell in writes:
                cell[0], cell[1] = end, pipe
            counts[number] += 1
            busy[pipe] += cycles
            if events is not None:
                events.append((number, begin, end))
        self.clock = clock
        self.n_simulated += len(numbers)

    def meet(self, order: Order) -> None:
        """Order pipes as the text says."""
        match order.meeting:
            case Meeting.ALL:
                self._drain(0)
            case Meeting.CORES:
                self._drain(self._barrier)
            case Meeting.SET:
                self.cells[order.flag][0] = self.free[order.pipe]
            case Meeting.WAIT:
                self.free[order.pipe] = max(self.free[order.pipe], self.cells[order.flag][0])
            case _:
                assert_never(order.meeting)

    def _drain(self, cycles: int) -> None:
        """Let every pipe wait until all are done, and `cycles` longer."""
        self.clock = self.end + cycles
        self.free[:] = [self.clock] * _N
