"""A whole program: its tensors, its stages, and how the tiles of a stage are dealt to cores."""

from math import prod

from tilelang.backends.tik.emulate.capacity import capacity_faults
from tilelang.backends.tik.instructions import (
    InstructionProgram,
    Operand,
    Scalar,
    Scope,
    Sync,
    SyncKind,
    Tensor,
    TikType,
)
from tilelang.backends.tik.lower.cube_core import CubeCore
from tilelang.backends.tik.lower.refusals import refusal
from tilelang.backends.tik.lower.split_cores import Side
from tilelang.backends.tik.lower.statements import Lowering
from tilelang.backends.tik.lower.tile_order import tile_position
from tilelang.backends.tik.lower.writer import Writer
from tilelang.backends.tik.soc import machine_soc
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.nodes import Program, Stage
from tilelang.ir.region import Buffer, Memory
from tilelang.ir.walk import names
from tilelang.machines import Machine

_NONE: frozenset[str] = frozenset()
_BARRIER = ("ascend910",)
"""Chips whose cores can wait for each other, through GM (davinci.md section 7)."""


def write_program(
    program: Program, machine: Machine, *, side: Side | None = None, own: frozenset[str] = _NONE
) -> InstructionProgram:
    """Return the instruction program of `program`, which every pass has gone over.

    Where cube and vector unit are cores of their own, `side` is the kind it runs on. Tensors in
    `own` are arguments that no caller sees: kernels of one program hand them on.

    Raises:
        TileError: E12xx at the kernel's line for what the chip cannot do.
    """
    for buffer in (*program.inputs, *program.results, *program.workspaces):
        _check_tensor(buffer, program)
    found = _Program(program, machine, side).write(own)
    faults = capacity_faults(found)
    if faults:
        raise TileError(*(_over_capacity(fault) for fault in faults))
    return found


class _Program:
    """Writes one program."""

    def __init__(self, program: Program, machine: Machine, side: Side | None) -> None:
        self._program = program
        self._machine = machine
        self._n_cores = machine.n_cores if side is None else side.n_cores(machine)
        self._writer = Writer(loc=program.loc, ub_bytes=machine.capacity[Memory.UB])
        self._writer.taken.add(program.name)
        self._writer.adopt(names(program))
        cube_core = CubeCore(self._writer, machine.name) if side is Side.CUBE else None
        self._lowering = Lowering(self._writer, machine.name, cube_core)

    def write(self, own: frozenset[str]) -> InstructionProgram:
        """Return the instruction program; `own` as in `write_program`."""
        program = self._program
        tensors = (*program.inputs, *program.results)
        for buffer in dict.fromkeys(tensors):
            self._writer.write(self._lowering.declare(buffer, is_own=buffer.name in own))
        for buffer in program.workspaces:
            self._writer.write(self._lowering.declare(buffer, is_own=True, is_workspace=True))
        self._stages()
        names = {buffer.name: self._lowering.forms[buffer.name].name for buffer in tensors}
        return InstructionProgram(
            program.name,
            machine_soc(self._machine.name),
            self._writer.body,
            tuple(names[buffer.name] for buffer in program.inputs),
            tuple(names[buffer.name] for buffer in program.results),
            loc=program.loc,
        )

    def _stages(self) -> None:
        """Write the stages: on as many cores as have tiles, with a barrier between two stages."""
        stages = [part for part in self._program.body if isinstance(part, Stage) and _n_tiles(part)]
        n_cores = min(self._n_cores, max(map(_n_tiles, stages), default=1))
        if len(stages) > 1 and self._machine.name not in _BARRIER:
            n_cores = 1
        if n_cores == 1:
            for stage in stages:
                self._one_core(stage)
            return
        space = self._barrier_space(n_cores) if len(stages) > 1 else None
        name = self._core_name(stages, n_cores)
        with self._writer.loop(name, ix.constant(n_cores), block_num=n_cores) as core:
            for number, stage in enumerate(stages):
                if number and space is not None:
                    barrier = Sync(SyncKind.BLOCK_BARRIER, (), space, self._writer.loc)
                    self._writer.write(barrier)
                self._share(stage, core, n_cores)

    def _barrier_space(self, n_cores: int) -> Operand:
        """Declare the workspace of block_barrier: 32 bytes a core (TIK reference)."""
        name, dtype = self._writer.fresh("barrier"), TikType.INT64
        self._writer.write(Tensor(name, dtype, (4 * n_cores,), Scope.GM, is_workspace=True))
        return Operand(name, dtype)

    def _core_name(self, stages: list[Stage], n_cores: int) -> str:
        """Return the block loop's variable: the kernel's own if it counts the tiles."""
        long = [core for core in stages[0].grid if core.extent > 1]
        if len(stages) == 1 and len(long) == 1 and long[0].extent == n_cores:
            return self._writer.renamed[long[0].var]
        return self._writer.fresh("core")

    def _one_core(self, stage: Stage) -> None:
        if _n_tiles(stage) == 1:
            self._set_variables(stage, ix.ZERO)
            if len(self._program.stages) == 1:
                self._body(stage)
            else:
                with self._writer.scope():
                    self._body(stage)
            return
        with self._writer.loop(self._writer.fresh("tile"), ix.constant(_n_tiles(stage))) as tile:
            self._tile(stage, tile)

    def _share(self, stage: Stage, core: Index, n_cores: int) -> None:
        """Write the tiles of `stage` that `core` does: every `n_cores`th."""
        n_tiles, writer = _n_tiles(stage), self._writer
        n_turns = -(-n_tiles // n_cores)
        if n_turns == 1:
            self._guarded(stage, core, is_always=n_tiles == n_cores)
            return
        with writer.loop(writer.fresh("turn"), ix.constant(n_turns)) as turn:
            tile = ix.add(ix.scale(turn, n_cores), core)
            self._guarded(stage, tile, is_always=n_tiles % n_cores == 0)

    def _guarded(self, stage: Stage, tile: Index, *, is_always: bool) -> None:
        if is_always:
            self._tile(stage, tile)
            return
        with self._writer.collected() as body:
            self._tile(stage, tile)
        enough = cond.less(tile, ix.constant(_n_tiles(stage)))
        self._writer.loc = stage.loc
        self._writer.branch([(enough, tuple(body))], None)

    def _tile(self, stage: Stage, tile: Index) -> None:
        self._set_variables(stage, tile)
        self._body(stage)

    def _body(self, stage: Stage) -> None:
        self._writer.loc = stage.loc
        self._lowering.body(stage.body)

    def _set_variables(self, stage: Stage, tile: Index) -> None:
        """Declare the grid's variables for tile number `tile`."""
        writer = self._writer
        writer.loc = stage.loc
        writer.ranges |= stage.limits
        position = tile_position([core.extent for core in stage.grid], tile, self._n_cores)
        for core, value in zip(stage.grid, position, strict=True):
            name = writer.renamed[core.var]
            if value == ix.variable(name) or core.extent == 1:
                continue
            writer.write(Scalar(name, TikType.INT32, writer.expr(value), writer.loc))


def _n_tiles(stage: Stage) -> int:
    return prod(core.extent for core in stage.grid)


def _check_tensor(buffer: Buffer, program: Program) -> None:
    if 0 in buffer.shape:
        raise refusal(
            "E1219",
            f"`{buffer.name}` is {buffer}, which has no elements, and TIK's tensors have some",
            program.loc,
            "call the kernel with sizes of 1 or more; other backends take 0",
            buffer,
        )


def _over_capacity(fault: Diagnostic) -> Diagnostic:
    hint = "use smaller tiles: beside the kernel's tiles UB holds intermediate values"
    return Diagnostic("E1241", fault.message, fault.location, hint, fault.notes, fault.details)
