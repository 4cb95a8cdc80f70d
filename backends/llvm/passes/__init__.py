"""The passes that make staging free, in order; each a function `Program -> Program`.

`alias_operands` drops moves from L1 to L0; `read_in_place` moves from GM to L1 that would only
copy; `load_matrix` takes the matrices of weights from their tensor in one step; `hoist_packs` fills
a tile once for all the cores that need it; `inline_elements` turns chains of moves and maps into
one loop, so that an accumulator goes through its epilogue to the tensor in registers;
`join_chunks` makes one loop of its chunks of rows; `trim_products` leaves out rows that nothing
reads; `accumulate_in_place` drops an accumulator that has no epilogue. What they return is run by
this backend only: its maps may read and write any memory.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from tilelang.backends.llvm.passes.accumulate_in_place import accumulate_in_place
from tilelang.backends.llvm.passes.alias_operands import alias_operands
from tilelang.backends.llvm.passes.hoist_packs import hoist_packs
from tilelang.backends.llvm.passes.inline_elements import inline_elements
from tilelang.backends.llvm.passes.join_chunks import join_chunks
from tilelang.backends.llvm.passes.load_matrix import load_matrix
from tilelang.backends.llvm.passes.read_in_place import read_in_place
from tilelang.backends.llvm.passes.trim_products import trim_products
from tilelang.backends.llvm.runtime.host import Host
from tilelang.ir.nodes import Program

Pass: TypeAlias = Callable[[Program], Program]


def pipeline(host: Host) -> tuple[Pass, ...]:
    """Return the passes for a host, in order."""
    return (
        alias_operands,
        partial(read_in_place, host=host),  # after aliasing: what the cube reads is in L1 then
        load_matrix,
        hoist_packs,  # what is left to pack
        inline_elements,
        join_chunks,  # after inlining, which leaves one map of a chunk
        partial(trim_products, host=host),  # after inlining, which leaves one way out
        accumulate_in_place,  # likewise
    )


def optimise(program: Program, host: Host) -> Program:
    """Return `program` after every pass."""
    for change in pipeline(host):
        program = change(program)
    return program
