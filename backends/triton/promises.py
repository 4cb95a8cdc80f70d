"""What `check` may assume of the floats of a generated kernel: on a GPU, and in the interpreter."""

from tilelang.ir.expression import UnaryOp
from tilelang.numerics import Numerics

# exp is 2**(x * log2 e) by the special function unit: 2 + 1.173 |x| units in the last place (CUDA
# C++ programming guide, __expf), 105 at most before float32 overflows. tanh uses it where no more
# than half of its result comes from it; ln and rsqrt are libdevice's; division and square roots are
# asked for correctly rounded. The code of ln and rsqrt has `.ftz` (a test looks), the rest has not.
# Tensor cores drop bits below their accumulator (NVIDIA does not say how many; measured by Fasi,
# Higham, Mikaitis and Pranesh, 2021).
ON_A_GPU = Numerics(
    truncates_sums=True,
    fuses=True,
    flushes_arguments=frozenset({UnaryOp.LN, UnaryOp.RSQRT}),
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

# exp and ln are numpy's vector code for float32: 2.52 and 3.83 units (numpy's release notes, 1.17
# and 1.18; 2.52 and 3.78 on 20 million numbers here). The others use them in the formulas of
# `functions.py`: 1.5, 3.9 and 3.5 units on 20 million numbers.
IN_THE_INTERPRETER = Numerics(
    ulps={
        UnaryOp.EXP: 3,
        UnaryOp.LN: 4,
        UnaryOp.SQRT: 0,
        UnaryOp.RSQRT: 2,
        UnaryOp.TANH: 5,
        UnaryOp.SIGMOID: 5,
    }
)
"""numpy's float32, in the formulas of `functions.py`."""
