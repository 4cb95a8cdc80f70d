"""Small TIK scripts whose cycles can be counted by hand, and a way to run them."""

from collections.abc import Callable
from typing import Any

from tests.backends.tik.scripts import tik_module
from tilelang.backends.tik.cycles import Cycles, Pipe, PipeUse, count_cycles
from tilelang.backends.tik.instructions import InstructionProgram
from tilelang.backends.tik.recorder import record

Body = Callable[[Any, Any], None]
"""Writes the script: (container, module)."""


def program(body: Body, *, soc: str = "Ascend910A") -> InstructionProgram:
    """Record `body`, with GM tensors x and y of 2**20 float16 to move from and to."""

    def script() -> None:
        tik = tik_module()
        t = tik.Tik()
        t.x = t.Tensor("float16", (1 << 20,), name="x", scope=tik.scope_gm)
        t.y = t.Tensor("float16", (1 << 20,), name="y", scope=tik.scope_gm)
        body(t, tik)
        t.BuildCCE("script", [t.x], [t.y])

    return record(script, soc=soc)


def count(body: Body, *, soc: str = "Ascend910A", **options: Any) -> Cycles:
    return count_cycles(program(body, soc=soc), **options)


def use(cycles: Cycles, pipe: Pipe) -> PipeUse:
    return next(use for use in cycles.pipes if use.pipe is pipe)


def spans(cycles: Cycles, pipe: Pipe) -> list[tuple[int, int]]:
    """Return (begin, end) of the instructions of a pipe; the timeline must have been kept."""
    assert cycles.timeline is not None
    packets = cycles.timeline.packets
    return [
        (begin, end)
        for number, begin, end in cycles.timeline.events
        if number >= 0 and packets[number].charge.pipe is pipe
    ]
