"""How far results may be off: what `check` allows the backend, and what tests measure.

In units in the last place of float32; float16 is widened, computed in float32 and rounded once.
They suppose that vexp, vln, vsqrt and vdiv are right to the last bit, as the emulator has them; on
the chip vexp and vln are nearer to 2^-10. How functions are built is told in `lower.functions`.
"""

from collections.abc import Mapping

from tilelang.ir.expression import UnaryOp

BUILDER = "ascend310"
"""The machine that has fewest functions, and builds most."""

# On the 310, and on the others. Most that 240,000 arguments of all sizes gave: exp 1.2 on the 310,
# sqrt 2.2 there, rsqrt 1.5, sigmoid 2.1, tanh 5.9, quotients 1.3 on the 310; what is a single
# instruction 0.5.
_ULPS: Mapping[UnaryOp, tuple[int, int]] = {
    UnaryOp.EXP: (2, 1),
    UnaryOp.LN: (1, 1),
    UnaryOp.SQRT: (3, 1),
    UnaryOp.RSQRT: (2, 2),
    UnaryOp.TANH: (6, 6),
    UnaryOp.SIGMOID: (3, 3),
}
_DIVISION = (2, 1)


def function_ulps(machine: str) -> Mapping[UnaryOp, int]:
    """Return how far each function may be off on `machine`; the 310 has ln in float16 only."""
    return {op: both[machine != BUILDER] for op, both in _ULPS.items()}


def division_ulps(machine: str) -> int:
    """Return how far a quotient may be off on `machine`, where nothing overflows."""
    return _DIVISION[machine != BUILDER]
