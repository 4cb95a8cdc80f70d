"""Names for what a pass adds to a program."""

from itertools import chain, count

from tilelang.ir.nodes import Program
from tilelang.ir.walk import names


class FreshNames:
    """Names that a program does not have yet, and that are given once."""

    def __init__(self, program: Program) -> None:
        """Take the names of `program`."""
        self._taken = set(names(program))

    def __call__(self, wish: str) -> str:
        """Return `wish`, numbered if it is taken, as a name of the program from now on."""
        wishes = chain([wish], (f"{wish}_{number}" for number in count(2)))
        found = next(name for name in wishes if name not in self._taken)
        self._taken.add(found)
        return found
