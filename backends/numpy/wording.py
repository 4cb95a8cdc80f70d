"""How messages name operations, elements, iterations, cores and numbers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from tilelang.backends.numpy.operands import Operand, Operation
from tilelang.backends.numpy.tiles import Shared
from tilelang.diagnostics import UNKNOWN, Location, Note
from tilelang.ir import index as ix
from tilelang.ir.nodes import Img2col, Map, Mmad, Move, Reduce
from tilelang.ir.region import Buffer
from tilelang.layouts import LayoutKind


def operation(stmt: Operation) -> str:
    """Return what `stmt` does, as the subject of a sentence."""
    match stmt:
        case Move(dst, src):
            return f"moving `{src.buffer.name}` to `{dst.buffer.name}`"
        case Img2col():
            return "`load3d`"
        case Mmad(dst):
            return f"the matrix product into `{dst.buffer.name}`"
        case Map(dst):
            return f"the expression for `{dst.buffer.name}`"
        case Reduce(_, op):
            return f"`reduce_{op.value}`"
        case _:
            assert_never(stmt)


def place(operand: Operand) -> Location:
    """Return where the region is written, or its statement if that is not known."""
    return operand.stmt.loc if operand.region.loc == UNKNOWN else operand.region.loc


def element_name(buffer: Buffer, element: Sequence[int]) -> str:
    """Return an element as users write it: `c[3, 5]`."""
    return f"`{buffer.name}{brackets(element)}`"


def brackets(numbers: Sequence[int]) -> str:
    """Return an index or a shape: [3, 5]."""
    return f"[{', '.join(map(str, numbers))}]"


def alternatives(numbers: Sequence[float]) -> str:
    """Return numbers as an alternative: `-inf or -65504`."""
    return " or ".join(map(number, dict.fromkeys(numbers)))


def number(value: float) -> str:
    """Return a number as Python prints it, a whole one without its point."""
    value = float(value)
    return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)


def details(variables: Mapping[str, int], buffer: Buffer, element: Sequence[int]) -> Iterator[str]:
    """Yield the lines that say in which iteration, and where in memory, something happened."""
    yield from iteration(variables)
    if buffer.layout.kind is not LayoutKind.ND:
        physical = buffer.layout.physical_index(buffer.shape, [ix.constant(i) for i in element])
        lies = brackets([index.constant for index in physical])
        what = f"{buffer} in {buffer.memory}, layout {buffer.layout}"
        yield f"{element_name(buffer, element)} lies at {lies} in memory ({what})"


def iteration(variables: Mapping[str, int]) -> Iterator[str]:
    """Yield the line with the values of the loop variables, if there are any."""
    if variables:
        yield f"in iteration {values_text(variables)}"


def values_text(variables: Mapping[str, int]) -> str:
    """Return `i = 0, j = 1`."""
    return ", ".join(f"{name} = {value}" for name, value in variables.items())


def core_text(stage: Shared, token: int) -> str:
    """Return which core a token belongs to: `core (i = 0, j = 1)`."""
    rest = token // len(stage.statements)
    values: dict[str, int] = {}
    for core in reversed(stage.grid):
        rest, values[core.var] = divmod(rest, core.extent)
    return f"core ({values_text(dict(reversed(values.items())))})"


def hull(mask: NDArray[np.bool_]) -> str:
    """Return the smallest box around the true elements, as slices: [16:32, 0:7]."""
    spans = [(int(along.min()), int(along.max()) + 1) for along in np.nonzero(mask)]
    return f"[{', '.join(f'{first}:{end}' for first, end in spans)}]"


def first_true(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    """Return the index of the first true element."""
    return tuple(int(i) for i in np.unravel_index(int(mask.argmax()), mask.shape))


def share(mask: NDArray[np.bool_]) -> str:
    """Return how many elements are true, of how many: `12 of the 8,192 elements`."""
    n_true = np.count_nonzero(mask)
    if n_true == mask.size:
        return f"all {mask.size:,} elements"
    return f"{n_true:,} of the {mask.size:,} elements"


def notes(*lines: tuple[str, Location]) -> tuple[Note, ...]:
    """Return a note for every line whose place is known."""
    return tuple(Note(text, loc) for text, loc in lines if loc != UNKNOWN)
