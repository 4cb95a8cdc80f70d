"""What the test of a package asks: whether the operator does what the kernel means."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tilelang.backends.tik import BACKEND
from tilelang.backends.tik.backend import TikExecutable
from tilelang.backends.tik.lower import Kernel
from tilelang.backends.tik.recorder import record
from tilelang.check import Row, judge_trial
from tilelang.check.families import families
from tilelang.check.procedure import Trial
from tilelang.text.parser import parse_file


def check_operator(build: Callable[[], Any], program: Path, chip: str) -> Row:
    """Return how what `build` builds does in the emulator, beside the tile program it was made of.

    The inputs are those of `tilelang check`. Where none of its sums and operations rounds, every
    element has one correct value; elsewhere it must lie within the bound that is carried through
    the program. The row's verdict is "ok", or what is wrong; its explanation says more.

    Raises:
        TileError: E12xx for a mistake in the script, E05xx for one in the file `program`.
    """
    meaning = parse_file(program)
    recorded = record(build, soc=chip)
    names = [[buffer.name for buffer in side] for side in (meaning.inputs, meaning.results)]
    operator = TikExecutable([Kernel(recorded, *map(tuple, names))], meaning)
    return judge_trial(Trial(meaning, operator, BACKEND, chip), families(meaning, seed=0))
