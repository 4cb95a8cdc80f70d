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

# `legalise` first: it chooses the moves, and `expand_matmul` adds none that need it.
PIPELINE: tuple[Pass, ...] = (legalise, expand_matmul)
"""What every program goes through before a backend sees it."""


def lower(program: Program, machine: Machine) -> Program:
    """Return `program` after every pass, verified before the first and after each.

    Raises:
        TileError: with every broken rule of the user's program.
    """
    program = verify(program, machine)
    for run in PIPELINE:
        program = verify(run(program, machine), machine)
    return program
