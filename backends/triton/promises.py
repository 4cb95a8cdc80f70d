"""What `check` may assume of the floats of a generated kernel: on a GPU, and in the interpreter."""

from tilelang.ir.expression import UnaryOp
from tilelang.numerics import Numerics

# exp is 2**(x * log2 e) by the special function unit: 2 + 1.173 |x| units in the last place (CUDA
# C++ programming guide, __expf), 105 at most before float32 overflows. tanh uses it where no more
# than half of its result comes from it; ln and rsqrt are libdevice's; division and square roots are
# asked for correctly rounded. Tensor cores drop bits below their accumulator (NVIDIA does not say
# how many; measured by Fasi, Higham, Mikaitis and Pranesh, 2021).
ON_A_GPU = Numerics(
    truncates_sums=True,
    fuses=True,
    ulps={
        UnaryOp.EXP: 105,
        UnaryOp.LN: 2,
        UnaryOp.SQRT: 0,
        UnaryOp.RSQRT: 2,
        UnaryOp.TANH: 8,
        UnaryOp.SIGMOID: 108,
    },
)
"""float32 products in full; `allow_tf32` is never checked with."""

IN_THE_INTERPRETER = Numerics(
    ulps={
        UnaryOp.EXP: 1,
        UnaryOp.LN: 1,
        UnaryOp.SQRT: 0,
        UnaryOp.RSQRT: 2,
        UnaryOp.TANH: 4,
        UnaryOp.SIGMOID: 3,
    }
)
"""numpy's float32, in the formulas of `functions.py`."""
