"""The passes that make staging free, in order; each a function `Program -> Program`.

`alias_operands` drops moves from L1 to L0; `read_in_place` moves from GM to L1 that would only
copy; `hoist_packs` fills an L1 tile once for all the cores
that need it; `inline_elements` turns chains of moves and maps into one loop, so that an accumulator
goes through its epilogue to the tensor in registers; `accumulate_in_place` drops an accumulator
that has no epilogue. What they return is run by this backend only:
its maps may read and write any memory.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from tilelang.backends.llvm.host import Host
from tilelang.backends.llvm.passes.accumulate_in_place import accumulate_in_place
from tilelang.backends.llvm.passes.alias_operands import alias_operands
from tilelang.backends.llvm.passes.hoist_packs import hoist_packs
from tilelang.backends.llvm.passes.inline_elements import inline_elements
from tilelang.backends.llvm.passes.read_in_place import read_in_place
from tilelang.ir.nodes import Program

Pass: TypeAlias = Callable[[Program], Program]


def pipeline(host: Host) -> tuple[Pass, ...]:
    """Return the passes for a host, in order."""
    return (
        alias_operands,
        partial(read_in_place, host=host),  # after aliasing: what the cube reads is in L1 then
        hoist_packs,  # what is left to pack
        inline_elements,
        accumulate_in_place,  # after inlining, which leaves one store of an accumulator
    )


def optimise(program: Program, host: Host) -> Program:
    """Return `program` after every pass."""
    for change in pipeline(host):
        program = change(program)
    return program
