"""Which core a stage runs on, where cube and vector unit are cores of their own.

| stage | core | memories |
|---|---|---|
| products | cube core: 24 on the Ascend 910B1 | L1, L0A, L0B, L0C; results leave by fixpipe |
| vector work | vector core: 48 | UB |

The two meet in GM only (Ascend C guide, "basic architecture", atlas_ascendc_10_0008), and TIK
documents no way in which they wait for each other. So a kernel is for one kind of core; the stages
of a program become kernels of their own, which the stream runs one after another.
"""

from enum import Enum

from tilelang.backends.tik.lower.refusals import refusal
from tilelang.ir.nodes import Alloc, Img2col, Program, Stmt
from tilelang.ir.region import Buffer, Memory
from tilelang.ir.walk import reads, walk_program, written
from tilelang.machines import Machine


class Side(Enum):
    """A kind of core; the value is how messages call it."""

    CUBE = "cube cores"
    VECTOR = "vector cores"

    def n_cores(self, machine: Machine) -> int:
        """Return how many of them `machine` has."""
        if self is Side.CUBE:
            return machine.n_cores
        return int(machine.facts["chip.n_vector_cores"].value)


def side_of(program: Program, machine: Machine) -> Side:
    """Return the cores that do `program`, one stage; doing nothing is vector work.

    Raises:
        TileError: E1248 for one that needs both kinds, or windows of convolutions.
    """
    found: dict[Side, tuple[Stmt, Buffer]] = {}
    for stmt in walk_program(program):
        if isinstance(stmt, Img2col):
            raise _no_windows(stmt, machine)
        for buffer in _touched(stmt):
            if buffer.memory is not Memory.GM:
                side = Side.VECTOR if buffer.memory is Memory.UB else Side.CUBE
                found.setdefault(side, (stmt, buffer))
    if len(found) > 1:
        raise _both_sides(found, machine)
    return next(iter(found), Side.VECTOR)


def _touched(stmt: Stmt) -> list[Buffer]:
    if isinstance(stmt, Alloc):
        return []
    target = written(stmt)
    regions = (*reads(stmt), *(() if target is None else (target,)))
    return [region.buffer for region in regions]


def _both_sides(found: dict[Side, tuple[Stmt, Buffer]], machine: Machine) -> Exception:
    (stmt, tile), (_, other) = found[Side.VECTOR], found[Side.CUBE]
    return refusal(
        "E1248",
        f"`{tile.name}` is in UB and `{other.name}` in {other.memory}; on {machine.name} these are "
        "memories of different cores, which meet in GM only, and a stage runs on one kind of core",
        stmt.loc,
        "write two stages: store results into workspace of `tl.alloc_gm` in the first, and do the "
        "vector work in the second",
        tile,
        other,
    )


def _no_windows(stmt: Img2col, machine: Machine) -> Exception:
    tile = stmt.src.buffer
    return refusal(
        "E1248",
        f"load3d fetches windows of `{tile.name}`; {machine.name} has load3dv2 for that, of which "
        "TIK's reference says too little to write it, and not the load3dv1 of other chips",
        stmt.loc,
        "convolve on another machine, or write the product with windows that GM holds as a matrix",
        tile,
    )
