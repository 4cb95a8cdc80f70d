"""What `check` may assume of the floats of a generated kernel: on a GPU, and in the interpreter."""

from tilelang.ir.expression import UnaryOp
from tilelang.numerics import Numerics

# exp is 2**(x * log2 e) by the special function unit: 2 + 1.173 |x| units in the last place (CUDA
# C++ programming guide, __expf). sigmoid divides by 1 + exp, which may halve the size of a unit,
# and rounds twice. tanh uses exp where no more than half of its result comes from it; ln and rsqrt
# are libdevice's; division and square roots are asked for correctly rounded. The code of ln and
# rsqrt has `.ftz` (a test looks), the rest has not. Tensor cores drop bits below their accumulator
# (NVIDIA does not say how many; measured by Fasi, Higham, Mikaitis and Pranesh, 2021).
ON_A_GPU = Numerics(
    truncates_sums=True,
    fuses=True,
    flushes_arguments=frozenset({UnaryOp.LN, UnaryOp.RSQRT}),
    ulps={
        UnaryOp.EXP: 2,
        UnaryOp.LN: 2,
        UnaryOp.SQRT: 0,
        UnaryOp.RSQRT: 2,
        UnaryOp.TANH: 8,
        UnaryOp.SIGMOID: 8,
    },
    ulps_per_unit={UnaryOp.EXP: 1.173, UnaryOp.SIGMOID: 2.346},
)
"""float32 products in full; `allow_tf32` is never checked with."""

# exp and ln are numpy's vector code for float32, the others use them in the formulas of
# `functions.py`. Largest errors on 20 million numbers each: exp 2.52, ln 3.78, rsqrt 1.49,
# tanh 3.94, sigmoid 3.48 units.
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
