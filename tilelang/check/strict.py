"""What the strict executor says of a program whose results are wrong or cannot be judged.

An element that nobody wrote may be anything, so every backend is right about it: that the kernel is
wrong is known to the numpy backend alone, and at which line.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilelang.arguments import allocate, physical_kinds
from tilelang.backend import find_backend
from tilelang.diagnostics import TileError
from tilelang.ir.nodes import Program
from tilelang.machines import find_machine

STRICT = "numpy"


def strict_error(
    program: Program, inputs: Sequence[NDArray[Any]], machine: str
) -> TileError | None:
    """Return the mistake that the numpy backend finds in `program` on logical inputs, or None.

    `machine` is the one that `program` was traced for: another may refuse it.
    """
    packed = [
        np.ascontiguousarray(buffer.layout.pack(array))
        for buffer, array in zip(program.inputs, inputs, strict=True)
    ]
    try:
        executable = find_backend(STRICT).compile(program, find_machine(machine))
        executable(*packed, *allocate(physical_kinds(program.results), None))
    except TileError as error:
        return error
    return None
