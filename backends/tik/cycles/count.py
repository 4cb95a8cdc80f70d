"""Counts the cycles of an instruction program on a machine."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tilelang.backends.tik.cycles.charges import Scene
from tilelang.backends.tik.cycles.course import Course, Packet
from tilelang.backends.tik.cycles.gm_accesses import gm_accesses
from tilelang.backends.tik.cycles.gm_reuse import miss_shares
from tilelang.backends.tik.cycles.pipes import PIPES, Pipe
from tilelang.backends.tik.cycles.places import Regions, place_tensors
from tilelang.backends.tik.cycles.rates import Rates, read_rates
from tilelang.backends.tik.cycles.report import Cycles, PipeUse, Timeline
from tilelang.backends.tik.cycles.rows import make_rows
from tilelang.backends.tik.cycles.scalar_values import Unknown, Values, compile_value
from tilelang.backends.tik.cycles.schedule import Event, Schedule
from tilelang.backends.tik.cycles.steady import run_course
from tilelang.backends.tik.cycles.unroll import Unroller
from tilelang.backends.tik.emulate.capacity import tensor_size
from tilelang.backends.tik.instructions import ForRange, InstructionProgram, Scope, Tensor, walk
from tilelang.backends.tik.soc import find_soc
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.machines import Machine


def count_cycles(
    program: InstructionProgram,
    machine: Machine | None = None,
    *,
    scalars: Mapping[str, int | float] | None = None,
    extrapolate: bool = True,
    timeline: bool = False,
) -> Cycles:
    """Return how long `program` takes on `machine`, by default that of its chip.

    Args:
        program: recorded or lowered; it is not checked here.
        machine: one of the Ascend chips.
        scalars: values of the program's InputScalars.
        extrapolate: skip what loops repeat; the result is the same without, but slower.
        timeline: keep when each instruction of the busiest core ran.

    Raises:
        TileError: E1250 for a machine without pipes; E1251 where the course of the program depends
            on data.
    """
    rates = read_rates(_with_own_cores(machine or find_soc(program.soc).machine, program))
    given = dict(scalars or {})
    n_blocks = _n_blocks(program, given)
    places = place_tensors(program)
    regions = Regions(places)
    scene = _scene(program, rates, n_blocks, given)
    starts = {name: place.start for name, place in places.items()}
    unroller = Unroller(program, replace(scene, starts=starts), regions, given)
    n_different = n_blocks if unroller.cores_differ else 1
    courses = [unroller.course(block) for block in range(n_different)] * (n_blocks // n_different)
    packets = unroller.interner.packets
    rows = make_rows(packets, regions)
    runs = {
        id(course): _run(course, Schedule(rates, rows, regions.cells), extrapolate=extrapolate)
        for course in {id(course): course for course in courses}.values()
    }
    cores = [
        [runs[id(course)] for course in courses[core :: rates.machine.n_cores]]
        for core in range(min(n_blocks, rates.machine.n_cores))
    ]
    busiest = max(cores, key=lambda core: sum(run.end for run in core))
    shown = None
    if timeline:
        schedule = Schedule(rates, rows, regions.cells)
        course = courses[cores.index(busiest)]
        shown = _watch(course, schedule, packets, extrapolate=extrapolate)
    totals = (cores, busiest, list(runs.values()))
    return _report(program.name, rates, packets, totals, shown, n_blocks)


def _with_own_cores(machine: Machine, program: InstructionProgram) -> Machine:
    """Return `machine` with as many cores as there are of the kind that `program` runs on."""
    scopes = {item.scope for item in walk(program.body) if isinstance(item, Tensor)}
    if not machine.is_split or scopes - {Scope.GM, Scope.UB}:
        return machine
    return replace(machine, n_cores=int(machine.facts["chip.n_vector_cores"].value))


@dataclass(slots=True)
class _Run:
    """The totals of one course on one core."""

    end: int
    counts: list[int]
    busy: list[int]
    stalls: list[int]
    n_simulated: int


def _n_blocks(program: InstructionProgram, scalars: Mapping[str, int | float]) -> int:
    """Return how many iterations the longest block loop has; 1 without one."""
    values = Values(dict(scalars))
    most = 1
    for item in walk(program.body):
        if isinstance(item, ForRange) and item.is_block_loop:
            try:
                most = max(most, int(compile_value(item.end, values)()))
            except Unknown as error:
                message = f"the number of cores depends on {error}"
                hint = "give the value with scalars={...}"
                raise TileError(Diagnostic("E1251", message, item.loc, hint)) from None
    return most


def _scene(
    program: InstructionProgram, rates: Rates, n_blocks: int, scalars: Mapping[str, int | float]
) -> Scene:
    tensors = [item for item in walk(program.body) if isinstance(item, Tensor)]
    scopes = {tensor.name: tensor.scope for tensor in tensors}
    sizes = {tensor.name: tensor_size(tensor) or 1 << 60 for tensor in tensors}
    n_active = min(n_blocks, rates.machine.n_cores)
    accesses = gm_accesses(program, scopes, scalars, n_blocks)
    misses = miss_shares(accesses, sizes, n_active, rates["l2.bytes"])
    return Scene(rates, scopes, misses, n_active)


def _run(course: Course, schedule: Schedule, *, extrapolate: bool) -> _Run:
    run_course(course, schedule, extrapolate=extrapolate)
    return _Run(schedule.end, schedule.counts, schedule.busy, schedule.stalls, schedule.n_simulated)


def _watch(
    course: Course, schedule: Schedule, packets: list[Packet], *, extrapolate: bool
) -> Timeline:
    """Run `course` once more, and return when each of its instructions ran."""
    events: list[Event] = []
    schedule.events = events
    run_course(course, schedule, extrapolate=extrapolate)
    return Timeline(tuple(packets), tuple(events))


def _report(
    name: str,
    rates: Rates,
    packets: list[Packet],
    runs: tuple[list[list[_Run]], list[_Run], list[_Run]],
    timeline: Timeline | None,
    n_blocks: int,
) -> Cycles:
    cores, busiest, distinct = runs
    on_chip = [run for core in cores for run in core]
    counts = [sum(column) for column in zip(*(run.counts for run in on_chip), strict=True)]
    moved: dict[str, int] = {}
    memory_bytes, flop = 0.0, 0
    for packet, count in zip(packets, counts, strict=True):
        cost = packet.charge
        memory_bytes += count * cost.memory_bytes
        flop += count * cost.flop
        if cost.path:
            moved[cost.path] = moved.get(cost.path, 0) + count * cost.n_bytes
    return Cycles(
        name=name,
        rates=rates,
        n_blocks=n_blocks,
        launch=rates.whole("launch.kernel_cycles"),
        core=sum(run.end for run in busiest),
        memory=round(memory_bytes / rates.chip_memory),
        pipes=tuple(_pipe_use(pipe, busiest, packets) for pipe in PIPES),
        moved=moved,
        memory_bytes=memory_bytes,
        flop=flop,
        n_instructions=sum(sum(run.counts) for run in distinct),
        n_simulated=sum(run.n_simulated for run in distinct),
        timeline=timeline,
    )


def _pipe_use(pipe: Pipe, core: list[_Run], packets: list[Packet]) -> PipeUse:
    n_instructions = sum(
        count
        for run in core
        for packet, count in zip(packets, run.counts, strict=True)
        if packet.charge.pipe is pipe
    )
    waits = {
        source: sum(run.stalls[source.number * len(PIPES) + pipe.number] for run in core)
        for source in PIPES
    }
    return PipeUse(
        pipe,
        sum(run.busy[pipe.number] for run in core),
        n_instructions,
        {source: cycles for source, cycles in waits.items() if cycles},
    )
