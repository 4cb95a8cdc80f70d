"""The passes, in order, and their application before a backend sees a program."""

from collections.abc import Callable
from typing import TypeAlias

from tilelang.ir.nodes import Program
from tilelang.machines import Machine
from tilelang.passes.expand_matmul import expand_matmul
from tilelang.passes.legalise import legalise
from tilelang.verify import verify

__all__ = ["PIPELINE", "Pass", "lower"]

Pass: TypeAlias = Callable[[Program, Machine], Program]
"""Returns a program of the same meaning."""

PIPELINE: tuple[Pass, ...] = (expand_matmul,)
"""What every legal program goes through before a backend sees it."""


def lower(program: Program, machine: Machine) -> Program:
    """Return `program` after every pass, verified before the first and after each.

    `legalise` comes before the rules: it gives a program written for first-generation paths those
    of `machine`.

    Raises:
        TileError: with every broken rule of the user's program.
    """
    program = verify(legalise(program, machine), machine)
    for run in PIPELINE:
        program = verify(run(program, machine), machine)
    return program
