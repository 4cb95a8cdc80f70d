"""Runs a course; loops that have become periodic are not simulated to their end.

After an iteration the state of the schedule, with all times counted from the scalar unit's, is
compared with that of earlier iterations. Times that lie before it can delay nothing any more and
count as 0. Where the state recurs and the iterations ahead repeat those since, everything will
repeat: whole periods are added up instead. Times are whole numbers, so this is exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tilelang.backends.tik.cycles.course import Course, Order, Repeated, Series, Straight
from tilelang.backends.tik.cycles.places import Cell
from tilelang.backends.tik.cycles.schedule import Schedule

_FEWEST = 4
"""Iterations below which nothing is compared."""
_MOST_ATTEMPTS = 200
"""Full comparisons in one loop."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The schedule after some iteration."""

    iteration: int
    clock: int
    state: tuple[object, ...]
    totals: tuple[list[int], ...]


def run_course(course: Course, schedule: Schedule, *, extrapolate: bool = True) -> None:
    """Place everything in `course`; without `extrapolate`, packet by packet."""
    match course:
        case Straight(packets):
            schedule.run(packets)
        case Series(parts):
            for part in parts:
                run_course(part, schedule, extrapolate=extrapolate)
        case Repeated(iterations):
            if extrapolate and len(iterations) >= _FEWEST:
                _run_loop(iterations, schedule)
            else:
                for iteration in iterations:
                    run_course(iteration, schedule, extrapolate=extrapolate)
        case Order():
            schedule.meet(course)


def _run_loop(iterations: Sequence[Course], schedule: Schedule) -> None:
    seen: dict[tuple[object, ...], int] = {}
    saved: Snapshot | None = None
    due = attempts = done = 0
    while done < len(iterations):
        run_course(iterations[done], schedule)
        done += 1
        if done == len(iterations):
            return
        if saved is not None and done < due:
            continue
        if saved is not None:
            n_periods = _periods_ahead(iterations, done, done - saved.iteration)
            if n_periods and _state(schedule) == saved.state:
                n_skipped = n_periods * (done - saved.iteration)
                _skip(schedule, saved, n_periods, n_skipped)
                done += n_skipped
                attempts = _MOST_ATTEMPTS
            saved = None
        if attempts >= _MOST_ATTEMPTS:
            continue
        glance = _glance(schedule, iterations[done])
        before = seen.get(glance)
        seen[glance] = done
        if before is not None and _periods_ahead(iterations, done, done - before):
            saved = Snapshot(done, schedule.clock, _state(schedule), _totals(schedule))
            due = 2 * done - before
            attempts += 1


def _periods_ahead(iterations: Sequence[Course], done: int, period: int) -> int:
    """Return how many whole periods from `done` on repeat the period before."""
    count = done
    while count < len(iterations) and iterations[count] is iterations[count - period]:
        count += 1
    return (count - done) // period


def _glance(schedule: Schedule, ahead: Course) -> tuple[object, ...]:
    """Return a part of the state that is quickly compared."""
    clock = schedule.clock
    return (id(ahead), *(time - clock for time in schedule.free if time > clock))


def _state(schedule: Schedule) -> tuple[object, ...]:
    """Return all that the future depends on, relative to the scalar unit's time."""
    clock = schedule.clock
    return (
        _relative(schedule.free, clock),
        _rings(schedule.queues, schedule.places, clock),
        [_cell(cell, clock) for cell in schedule.cells],
        _relative(schedule.synced, clock),
        _rings(schedule.flags, schedule.flag_places, clock),
    )


def _cell(cell: Cell, clock: int) -> tuple[int, ...]:
    """Return a region's times with their pipes, where they still matter."""
    written, writer, read, reader = cell
    if written <= clock:
        written, writer = clock, -1
    if read <= clock:
        read, reader = clock, -1
    return (written - clock, writer, read - clock, reader) if max(written, read) > clock else ()


def _relative(times: Sequence[int], clock: int) -> list[int]:
    return [time - clock if time > clock else 0 for time in times]


def _rings(rings: Sequence[Sequence[int]], places: Sequence[int], clock: int) -> list[list[int]]:
    """Return rings from their oldest entries on."""
    return [
        _relative([*ring[place:], *ring[:place]], clock)
        for ring, place in zip(rings, places, strict=True)
    ]


def _totals(schedule: Schedule) -> tuple[list[int], ...]:
    return (schedule.counts[:], schedule.busy[:], schedule.stalls[:])


def _skip(schedule: Schedule, saved: Snapshot, n_periods: int, n_iterations: int) -> None:
    """Add `n_periods` times what happened since `saved`."""
    before = schedule.end
    shift = n_periods * (schedule.clock - saved.clock)
    schedule.clock += shift
    for times in (schedule.free, schedule.synced, *schedule.queues, *schedule.flags):
        times[:] = [time + shift for time in times]
    for cell in schedule.cells:
        cell[0] += shift
        cell[2] += shift
    now = (schedule.counts, schedule.busy, schedule.stalls)
    for totals, old in zip(now, saved.totals, strict=True):
        totals[:] = [
            total + n_periods * (total - earlier)
            for total, earlier in zip(totals, old, strict=True)
        ]
    if schedule.events is not None:
        schedule.events.append((-n_iterations, before, before + shift))
