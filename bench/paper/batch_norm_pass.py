"""The normalising pass of BatchNorm in TIK, in float16 or float32: y = x * scale + shift.

Features are [C1, positions, C0] with C0 one block, so that scale and shift of a channel group are
one block that every row reads again. Cores share out the positions.
"""

from tilelang.backends.tik.instructions import InstructionProgram
from tilelang.backends.tik.recorder import record_source

_SCRIPT = """
from tbe import tik

ROWS = 1024

def batch_norm(dtype, channels, positions, cores):
    t = tik.Tik()
    size = 2 if dtype == "float16" else 4
    lanes, block = 256 // size, 32 // size
    groups = channels // block
    x = t.Tensor(dtype, (groups, positions, block), name="x", scope=tik.scope_gm)
    scale = t.Tensor(dtype, (groups, 2, block), name="scale", scope=tik.scope_gm)
    y = t.Tensor(dtype, (groups, positions, block), name="y", scope=tik.scope_gm)
    per_core = positions // cores
    with t.for_range(0, cores, block_num=cores) as core:
        with t.for_range(0, groups) as group:
            both = t.Tensor(dtype, (2, block), name="both", scope=tik.scope_ubuf)
            t.data_move(both, scale[group * 2 * block], 0, 1, 2, 0, 0)
            with t.for_range(0, per_core // ROWS, thread_num=2) as i:
                tile = t.Tensor(dtype, (ROWS, block), name="tile", scope=tik.scope_ubuf)
                at = (group * positions + core * per_core + i * ROWS) * block
                t.data_move(tile, x[at], 0, 1, ROWS, 0, 0)
                t.vmul(lanes, tile, tile, both, ROWS // 8, 1, 1, 0, 8, 8, 0)
                t.vadd(lanes, tile, tile, both[block], ROWS // 8, 1, 1, 0, 8, 8, 0)
                t.data_move(y[at], tile, 0, 1, ROWS, 0, 0)
    t.BuildCCE("batch_norm", [x, scale], [y])
"""


def batch_norm_pass(
    dtype: str, *, channels: int = 64, positions: int = 1 << 18, cores: int = 32
) -> InstructionProgram:
    """Return the pass over channels x positions elements of "float16" or "float32"."""
    return record_source(_SCRIPT, "batch_norm", dtype, channels, positions, cores)
