"""The way from a program to Triton source, in order."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tilelang.backends.triton.blocks import Body
from tilelang.backends.triton.functions import Functions
from tilelang.backends.triton.kernel import Kernel, Setting, write_kernel
from tilelang.backends.triton.lowering import lower_stage
from tilelang.backends.triton.module_text import module_text, scratch_of
from tilelang.backends.triton.options import Options
from tilelang.backends.triton.passes.drop_definitions import drop_definitions
from tilelang.backends.triton.passes.drop_ping_pong import drop_ping_pong
from tilelang.backends.triton.passes.merge_branches import merge_branches
from tilelang.backends.triton.passes.merge_loops import merge_loops
from tilelang.backends.triton.passes.simplify_blocks import simplify_blocks
from tilelang.backends.triton.passes.widen_chunks import widen_chunks
from tilelang.backends.triton.passes.zero_accumulators import zero_accumulators
from tilelang.backends.triton.refusals import check_blocks
from tilelang.ir.nodes import Program, Stage
from tilelang.ir.region import Buffer
from tilelang.machines import Machine
from tilelang.passes.legalise import legalise
from tilelang.verify import verify

TilePass: TypeAlias = Callable[[Stage], Stage]

TILE_PASSES: tuple[TilePass, ...] = (merge_branches, drop_ping_pong, widen_chunks)
"""Undo what small memories ask for. Equal branches hide ping-pong, so they go first."""


@dataclass(frozen=True, slots=True)
class Generated:
    """The generated file, its kernels, and the workspace that it allocates unless given."""

    text: str
    kernels: tuple[Kernel, ...]
    scratch: tuple[Buffer, ...]


def generate(program: Program, machine: Machine, options: Options) -> Generated:
    """Return Triton source for `program`.

    `Matmul` stays whole: how operands get to the matrix unit is Triton's business.

    Raises:
        TileError: with every broken rule, and what Triton cannot hold (`refusals.py`).
    """
    program = legalise(verify(program, machine), machine)
    bodies = [_blocks(stage) for stage in program.stages]
    check_blocks(program, bodies)
    setting = Setting(
        options, machine, frozenset(buffer.name for buffer in program.inputs), Functions()
    )
    names = [program.name]
    if len(bodies) > 1:
        names = [f"{program.name}_{number}" for number in range(1, len(bodies) + 1)]
    kernels = tuple(
        write_kernel(name, stage, body, setting)
        for name, stage, body in zip(names, program.stages, bodies, strict=True)
    )
    scratch = (*program.workspaces, *scratch_of(program, kernels))
    return Generated(module_text(program, kernels, setting.functions), kernels, scratch)


def _blocks(stage: Stage) -> Body:
    for run in TILE_PASSES:
        stage = run(stage)
    body = simplify_blocks(lower_stage(stage), stage.limits)
    # Sums start at zero before loops merge, for a merged loop has one variable for several. What is
    # defined for one iteration only must be gone by then too, or nests are not perfect.
    body = drop_definitions(zero_accumulators(body))
    return simplify_blocks(merge_loops(body), stage.limits)
