"""The passes, in order, and their application before a backend sees a program."""

from collections.abc import Callable
from typing import TypeAlias

from tilelang.ir.nodes import Program
from tilelang.machines import Machine
from tilelang.passes.expand_matmul import expand_matmul
from tilelang.passes.legalise import legalise
from tilelang.passes.separate import separate
from tilelang.verify import verify

__all__ = ["PIPELINE", "Pass", "adapt", "lower"]

Pass: TypeAlias = Callable[[Program, Machine], Program]
"""Returns a program of the same meaning."""

PIPELINE: tuple[Pass, ...] = (expand_matmul,)
"""What every legal program goes through before a backend sees it."""


def adapt(program: Program, machine: Machine) -> Program:
    """Return `program`, written for first-generation paths, on those of `machine`; unverified.

    Raises:
        TileError: E0380 for vector work that results cannot reach.
    """
    return legalise(separate(program, machine), machine)


def lower(program: Program, machine: Machine) -> Program:
    """Return `program` after every pass, verified before the first and after each.

    `adapt` comes before the rules: it gives a program written for first-generation paths those of
    `machine`.

    Raises:
        TileError: with every broken rule of the user's program.
    """
    program = verify(adapt(program, machine), machine)
    for run in PIPELINE:
        program = verify(run(program, machine), machine)
    return program
