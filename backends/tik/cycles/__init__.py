"""The cycle model of the Ascend core: how long an instruction program takes, and why.

`count_tile_program(program, machine)` lowers a tile program and counts its cycles.
`count_cycles(program)` unrolls the program for one core (`unroll`), asks what every instruction
costs (`costs`), and places all of them in time (`schedule`); loops that have become periodic are
extrapolated exactly (`steady`). Every number comes from the machine's file (`rates`).

What the model leaves out: cores run in step and have equal shares of memory, in the last wave of
blocks too; L2 is cold at the launch, and knows moves by where they start; masks of vector
instructions cost nothing and save nothing; where a fractal of load3d crosses rows is averaged; the
910B's vector cores are not told from its cube cores.
"""

from tilelang.backends.tik.cycles.count import count_cycles
from tilelang.backends.tik.cycles.pipes import Pipe
from tilelang.backends.tik.cycles.report import Cycles, PipeUse, Timeline
from tilelang.backends.tik.cycles.tile_programs import CycleReport, count_tile_program

__all__ = [
    "CycleReport",
    "Cycles",
    "Pipe",
    "PipeUse",
    "Timeline",
    "count_cycles",
    "count_tile_program",
]
