"""Names in the generated text: Python's words and Triton's are not taken, and none occurs twice."""

import builtins
import keyword
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count

from tilelang.backends.triton.blocks import lane_name
from tilelang.backends.triton.functions import TEXTS
from tilelang.ir.index import Index, free_variables

RESERVED = frozenset(
    {
        *(*keyword.kwlist, *dir(builtins), *TEXTS),
        *("tl", "triton", "torch", "TensorDescriptor", "launch", "tile"),
    }
)
"""Words that mean something else in the generated text."""


def safe(name: str) -> str:
    """Return `name`, with an underscore where it is taken."""
    return f"{name}_" if name in RESERVED else name


@dataclass(slots=True)
class Names:
    """The names of one kernel while it is written: those in use, and the lanes it counts along."""

    taken: set[str] = field(default_factory=set[str])
    lanes: dict[str, str] = field(default_factory=dict[str, str])
    """What the kernel defines at its top: a name, and the `tl.arange` it stands for."""

    def reserve(self, names: Iterable[str]) -> None:
        """Take `names`, which the kernel has already."""
        self.taken.update(map(safe, names))

    def fresh(self, wish: str) -> str:
        """Return a name that is not in use, and take it."""
        numbered = (f"{wish}_{number}" for number in count(2))
        wish = safe(wish)
        name = wish if wish not in self.taken else next(n for n in numbered if n not in self.taken)
        self.taken.add(name)
        return name

    def lane(self, axis: int, shape: tuple[int, ...]) -> str:
        """Return the name of the positions along `axis` of a block of `shape`."""
        size, rank = shape[axis], len(shape)
        word = {1: ("lane",), 2: ("row", "column")}.get(rank)
        name = f"{word[axis]}s_{size}" if word else f"axis{axis}of{rank}_{size}"
        while name in self.taken:
            name += "_"
        slices = ", ".join(":" if other == axis else "None" for other in range(rank))
        view = "" if rank == 1 else f"[{slices}]"
        self.lanes[name] = f"tl.arange(0, {size}){view}"
        return name


def lane_axes(index: Index, rank: int) -> tuple[int, ...]:
    """Return the axes of a block of `rank` dimensions that `index` depends on."""
    names = set(free_variables(index))
    return tuple(axis for axis in range(rank) if lane_name(axis) in names)


def has_lanes(index: Index) -> bool:
    """Return whether `index` differs from lane to lane."""
    return any(name.startswith("@") for name in free_variables(index))
