"""GPUs that kernels are compiled for without one, and the options that suit each.

Shared memory a block may ask for: CUDA C++ programming guide, technical specifications by compute
capability (the opt-in limit, 1 KiB below the total); AMD CDNA instruction set guides, LDS.
"""

from dataclasses import dataclass, replace
from difflib import get_close_matches

from tilelang.backends.triton.options import Options
from tilelang.diagnostics import Diagnostic, TileError

KIB = 1024


@dataclass(frozen=True, slots=True)
class Target:
    """A GPU: how Triton calls it (kind, architecture, threads a warp), and its limits."""

    name: str
    triton: tuple[str, int | str, int]
    shared_bytes: int
    has_copy_engine: bool = False

    def options(self, given: Options) -> Options:
        """Return `given` with what this GPU lacks left out, and no deeper than it can hold.

        Where the copy engine is missing a descriptor is only slower than pointers. AMD's pipeliner
        keeps one load in registers and one in LDS.
        """
        if self.has_copy_engine:
            return given
        depth = given.num_stages or (2 if self.triton[0] == "hip" else 3)
        return replace(given, descriptors=False, persistent=False, num_stages=depth)


TARGETS = {
    target.name: target
    for target in (
        Target("sm_80", ("cuda", 80, 32), 163 * KIB),
        Target("sm_90", ("cuda", 90, 32), 227 * KIB, has_copy_engine=True),
        Target("sm_100", ("cuda", 100, 32), 227 * KIB, has_copy_engine=True),
        Target("gfx90a", ("hip", "gfx90a", 64), 64 * KIB),
        Target("gfx942", ("hip", "gfx942", 64), 64 * KIB),
        Target("gfx950", ("hip", "gfx950", 64), 160 * KIB),
    )
}


def find_target(name: str) -> Target:
    """Return the GPU called `name`.

    Raises:
        TileError: E1308 if there is none.
    """
    if name not in TARGETS:
        close = get_close_matches(name, TARGETS, n=1)
        hint = f"did you mean {close[0]}?" if close else f"use one of: {', '.join(TARGETS)}"
        raise TileError(Diagnostic("E1308", f"there is no GPU architecture {name!r}", hint=hint))
    return TARGETS[name]
