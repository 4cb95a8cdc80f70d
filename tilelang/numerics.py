"""What a backend promises about its floating point: the assumptions that its tolerance is made of.

`tilelang.check` takes these from the attribute `numerics` of a backend; one without it is held to
`Numerics()`: every operation rounds once, to nearest, as IEEE 754 says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tilelang.dtypes import DType
from tilelang.ir.expression import UnaryOp

ONE_ULP: Mapping[UnaryOp, float] = MappingProxyType(
    {
        UnaryOp.EXP: 1,
        UnaryOp.LN: 1,
        UnaryOp.SQRT: 0,
        UnaryOp.RSQRT: 1,
        UnaryOp.TANH: 1,
        UnaryOp.SIGMOID: 1,
    }
)
"""A mathematics library of good quality; square roots are exact but for their rounding."""

NONE: frozenset[DType] = frozenset()
NO_FUNCTION: frozenset[UnaryOp] = frozenset()
NO_GROWTH: Mapping[UnaryOp, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Numerics:
    """How a backend computes with floats; what is left out follows IEEE 754.

    Attributes:
        truncates_sums: the cube's accumulator drops bits instead of rounding to nearest.
        uses_tf32: operands of float32 products may lose all but 11 bits.
        fuses: a product may enter the sum that it is part of without being rounded.
        keeps_wide: narrow types in which an expression may stay in float32 between operations.
        flushes: types of which subnormal numbers may become zero.
        flushes_products: types of the cube's operands of which subnormal numbers, and sums of their
            products that are subnormal, may become zero.
        flushes_arguments: functions to which a subnormal float32 may be zero.
        saturates: types in which the largest finite number may come out of an operation instead of
            infinity, whether it overflows or is given one.
        ulps: error of each function before its result is rounded, in units of the last place of
            float32, whatever the dtype.
        ulps_per_unit: what is added to that for each unit of the argument's size, for some of them.
        division_ulps: the same of a division.
    """

    truncates_sums: bool = False
    uses_tf32: bool = False
    fuses: bool = False
    keeps_wide: frozenset[DType] = NONE
    flushes: frozenset[DType] = NONE
    flushes_products: frozenset[DType] = NONE
    flushes_arguments: frozenset[UnaryOp] = NO_FUNCTION
    saturates: frozenset[DType] = NONE
    ulps: Mapping[UnaryOp, float] = field(default_factory=lambda: ONE_ULP)
    ulps_per_unit: Mapping[UnaryOp, float] = field(default_factory=lambda: NO_GROWTH)
    division_ulps: float = 0.0


IEEE = Numerics()
"""What a backend that declares nothing is held to."""
