"""What a tile program becomes: one kernel, or several that the stream runs one after another.

Several are needed where no kernel can hold two stages: on chips whose cube and vector unit are
cores of their own. What one kernel leaves for another is in tensors of GM, which are results of the
one and inputs of the other.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from typing import assert_never

from tilelang.backends.tik.instructions import InstructionProgram
from tilelang.backends.tik.lower.blocked_tensors import block_tensors
from tilelang.backends.tik.lower.extended_inputs import extend_input
from tilelang.backends.tik.lower.program import write_program
from tilelang.backends.tik.lower.ragged_rows import stage_rows
from tilelang.backends.tik.lower.refusals import ManyEdges, RaggedRow, refusal
from tilelang.backends.tik.lower.split_cores import side_of
from tilelang.backends.tik.lower.staged_results import stage_results
from tilelang.backends.tik.lower.turned_operands import turn_operands
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.ir.nodes import Program, Stage
from tilelang.ir.region import Buffer, Memory
from tilelang.ir.walk import reads, walk, walk_program, written
from tilelang.machines import Machine
from tilelang.passes import lower
from tilelang.verify import verify

_CHIPS = ("ascend310", "ascend310p", "ascend910", "ascend910b")


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel, and what its inputs and results are called in the tile program, in order.

    `handed_on` are those of the program's outputs that are workspace of the tile program, or that
    a later kernel adds to.
    """

    program: InstructionProgram
    inputs: tuple[str, ...]
    results: tuple[str, ...]
    handed_on: tuple[str, ...] = ()


def lower_kernels(program: Program, machine: Machine) -> tuple[Kernel, ...]:
    """Return the kernels of `program` on `machine`, in the order in which they run.

    Raises:
        TileError: rules of the language that are broken; E1219 for a machine or a kind of tensor
            that is not lowered for; E123x and E1248 at the kernel's line for what the chip cannot
            do.
    """
    if machine.name not in _CHIPS:
        raise TileError(_other_machine(program, machine))
    lowered = lower(without_empty_inputs(program), machine)
    staged = (
        stage_results(turn_operands(lowered))
        if machine.is_split
        else block_tensors(lowered, machine.n_cores)
    )
    return _written(verify(staged, machine), machine)


def without_empty_inputs(program: Program) -> Program:
    """Return `program` without the inputs that have no elements and are not read.

    TIK's tensors have elements; the bias that a convolution does not add has none.
    """
    read = {region.buffer for stmt in walk_program(program) for region in reads(stmt)}
    kept = tuple(one for one in program.inputs if 0 not in one.shape or one in read)
    return program if kept == program.inputs else replace(program, inputs=kept)


def _written(
    lowered: Program, machine: Machine, staged: frozenset[str] = frozenset()
) -> tuple[Kernel, ...]:
    """Return the kernels of `lowered`; what tiles cannot load or store goes by way of workspace.

    Tensors called as in `staged` do already.

    Raises:
        TileError: as `lower_kernels`; E1232 and E1237 where there is no such way.
    """
    try:
        if machine.is_split:
            return _in_turn(lowered, machine)
        return (_kernel(lowered, write_program(lowered, machine), set()),)
    except (ManyEdges, RaggedRow) as refused:
        name = refused.tensor
        other = None if name in staged else _by_workspace(lowered, refused, machine)
        if other is None:
            raise
        try:
            return _written(verify(other, machine), machine, staged | {name})
        except TileError:
            raise refused from None


def _by_workspace(
    program: Program, refused: ManyEdges | RaggedRow, machine: Machine
) -> Program | None:
    """Return `program` with a stage more for the tensor that was `refused`, if that helps."""
    match refused:
        case ManyEdges():
            return extend_input(program, refused.tensor)
        case RaggedRow():
            return stage_rows(program, refused.tensor, machine.n_cores)
        case _:
            assert_never(refused)


def _in_turn(lowered: Program, machine: Machine) -> tuple[Kernel, ...]:
    """Return a kernel for each stage of `lowered`."""
    own = frozenset(buffer.name for buffer in lowered.workspaces)
    parts = [(part, side_of(part, machine)) for part in _parts(lowered)]
    later: set[str] = set(own)
    kernels: list[Kernel] = []
    for part, side in reversed(parts):
        found = write_program(part, machine, side=side, own=own)
        kernels.insert(0, _kernel(part, found, later))
        later |= {buffer.name for buffer in part.inputs}
    return tuple(kernels)


def lower_program(program: Program, machine: Machine) -> InstructionProgram:
    """Return the instruction program of `program`, if one kernel holds all of it.

    Raises:
        TileError: as `lower_kernels`; E1249 for several kernels.
    """
    kernels = lower_kernels(program, machine)
    if len(kernels) == 1:
        return kernels[0].program
    names = ", ".join(kernel.program.name for kernel in kernels)
    raise refusal(
        "E1249",
        f"`{program.name}` is {len(kernels)} kernels on {machine.name} ({names}), and one is "
        "wanted here",
        program.loc,
        "use a machine whose cores have cube and vector unit both, such as ascend910, or a kernel "
        "of one stage",
    )


def _kernel(program: Program, found: InstructionProgram, later: Set[str]) -> Kernel:
    """Return the kernel `found`; others after it read the tensors in `later`."""
    inputs, results = ([buffer.name for buffer in t] for t in (program.inputs, program.results))
    pairs = zip(results, found.outputs, strict=True)
    handed_on = tuple(output for name, output in pairs if name in later)
    return Kernel(found, tuple(inputs), tuple(results), handed_on)


def _parts(program: Program) -> Iterator[Program]:
    """Yield a program for each stage; one stage alone is the program itself."""
    if len(program.stages) < 2:
        yield program
        return
    order = {
        buffer.name: number
        for number, buffer in enumerate((*program.inputs, *program.results, *program.workspaces))
    }
    known: set[Buffer] = set()
    for number, stage in enumerate(program.stages, 1):
        wrote = _tensors(stage, is_written=True)
        # What an earlier kernel wrote some of is handed on, so that this one adds to it.
        inputs = _tensors(stage, is_written=False) | (wrote & known)
        known |= wrote
        yield replace(
            program,
            name=f"{program.name}_{number}",
            inputs=tuple(sorted(inputs, key=lambda buffer: order[buffer.name])),
            results=tuple(sorted(wrote, key=lambda buffer: order[buffer.name])),
            body=(stage,),
        )


def _tensors(stage: Stage, *, is_written: bool) -> set[Buffer]:
    """Return the tensors that `stage` writes, or those that it reads."""
    regions = [
        region
        for stmt in walk(stage.body)
        for region in ([written(stmt)] if is_written else reads(stmt))
        if region is not None
    ]
    return {region.buffer for region in regions if region.buffer.memory is Memory.GM}


def _other_machine(program: Program, machine: Machine) -> Diagnostic:
    return Diagnostic(
        "E1219",
        f"`{program.name}` is lowered for {', '.join(_CHIPS)}, not for {machine.name}",
        program.loc,
        "pass machine='ascend910'; TIK scripts for other chips run with `tilelang tik run`",
    )
