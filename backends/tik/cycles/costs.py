"""What each instruction of the pipes costs."""

from typing import assert_never

from tilelang.backends.tik.cycles.charges import Charge, Scene
from tilelang.backends.tik.cycles.cube_costs import charge_cube
from tilelang.backends.tik.cycles.move_costs import charge_transfer
from tilelang.backends.tik.cycles.vector_costs import charge_vector
from tilelang.backends.tik.instructions import (
    BroadcastToL0c,
    Compact,
    Compare,
    CompareToMask,
    Conv2d,
    Convert,
    DataMove,
    DataMovePad,
    Elementwise,
    Fixpipe,
    HighPrecision,
    Load2d,
    Load3d,
    LoadCompareMask,
    Matmul,
    Mmad,
    Rearrangement,
    Reduce,
    Select,
    StoreCompareMask,
    TensorMove,
    Transpose,
    TransposeBlocks,
    WholeReduce,
    Work,
)


def charge(work: Work, scene: Scene) -> tuple[Charge, ...]:
    """Return the charges of `work`, whose counts and strides are numbers, in order.

    One instruction is one charge, except `matmul`, `conv2d`, `vec_reduce_*` and, where results
    leave through UB, `fixpipe`. Offsets on chip may still be expressions: all of the tensor then.
    """
    if isinstance(work, Rearrangement):
        return charge_vector(work, scene)
    match work:
        case DataMove() | DataMovePad() | TensorMove() | BroadcastToL0c() | Fixpipe():
            return charge_transfer(work, scene)
        case Load2d() | Load3d() | Mmad() | Matmul() | Conv2d():
            return charge_cube(work, scene)
        case (
            Elementwise()
            | HighPrecision()
            | Convert()
            | Compare()
            | CompareToMask()
            | LoadCompareMask()
            | StoreCompareMask()
            | Select()
            | Reduce()
            | WholeReduce()
            | Compact()
            | Transpose()
            | TransposeBlocks()
        ):
            return charge_vector(work, scene)
        case _:
            assert_never(work)
