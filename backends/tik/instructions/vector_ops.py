"""The operations of vector instructions, and both of TIK's names for each."""

from dataclasses import dataclass
from enum import Enum


class VectorOp(Enum):
    """A lane-wise operation; the value is its `v` name."""

    ADD = "vadd"
    SUB = "vsub"
    MUL = "vmul"
    DIV = "vdiv"
    MAX = "vmax"
    MIN = "vmin"
    AND = "vand"
    OR = "vor"
    MLA = "vmla"
    """`dst += src0 * src1`."""
    MADD = "vmadd"
    """`dst = src0 * dst + src1`."""
    MADD_RELU = "vmaddrelu"
    ADD_RELU = "vaddrelu"
    SUB_RELU = "vsubrelu"
    ADDS = "vadds"
    MULS = "vmuls"
    MAXS = "vmaxs"
    MINS = "vmins"
    SHL = "vshl"
    SHR = "vshr"
    LEAKY_RELU = "vlrelu"
    AXPY = "vaxpy"
    """`dst += src * scalar`."""
    RELU = "vrelu"
    ABS = "vabs"
    LN = "vln"
    EXP = "vexp"
    REC = "vrec"
    RSQRT = "vrsqrt"
    SQRT = "vsqrt"
    NOT = "vnot"
    DUP = "vector_dup"
    """Every lane is the scalar."""
    EXPM1 = "vexpm1"
    """Only in `HighPrecision`."""


@dataclass(frozen=True, slots=True)
class Form:
    """How TIK calls an operation: sources, scalar, the documented `vec_` name if there is one."""

    n_sources: int
    has_scalar: bool = False
    vec_name: str | None = None
    updates: bool = False
    """Whether `dst` is read too."""


FORMS: dict[VectorOp, Form] = {
    VectorOp.ADD: Form(2, vec_name="vec_add"),
    VectorOp.SUB: Form(2, vec_name="vec_sub"),
    VectorOp.MUL: Form(2, vec_name="vec_mul"),
    VectorOp.DIV: Form(2),
    VectorOp.MAX: Form(2, vec_name="vec_max"),
    VectorOp.MIN: Form(2, vec_name="vec_min"),
    VectorOp.AND: Form(2, vec_name="vec_and"),
    VectorOp.OR: Form(2, vec_name="vec_or"),
    VectorOp.MLA: Form(2, updates=True),
    VectorOp.MADD: Form(2, updates=True),
    VectorOp.MADD_RELU: Form(2, updates=True),
    VectorOp.ADD_RELU: Form(2),
    VectorOp.SUB_RELU: Form(2),
    VectorOp.ADDS: Form(1, has_scalar=True, vec_name="vec_adds"),
    VectorOp.MULS: Form(1, has_scalar=True, vec_name="vec_muls"),
    VectorOp.MAXS: Form(1, has_scalar=True),
    VectorOp.MINS: Form(1, has_scalar=True),
    VectorOp.SHL: Form(1, has_scalar=True),
    VectorOp.SHR: Form(1, has_scalar=True),
    VectorOp.LEAKY_RELU: Form(1, has_scalar=True),
    VectorOp.AXPY: Form(1, has_scalar=True, vec_name="vec_axpy", updates=True),
    VectorOp.RELU: Form(1, vec_name="vec_relu"),
    VectorOp.ABS: Form(1, vec_name="vec_abs"),
    VectorOp.LN: Form(1, vec_name="vec_ln"),
    VectorOp.EXP: Form(1, vec_name="vec_exp"),
    VectorOp.REC: Form(1, vec_name="vec_rec"),
    VectorOp.RSQRT: Form(1, vec_name="vec_rsqrt"),
    VectorOp.SQRT: Form(1),
    VectorOp.NOT: Form(1, vec_name="vec_not"),
    VectorOp.DUP: Form(0, has_scalar=True, vec_name="vec_dup"),
    VectorOp.EXPM1: Form(1),
}

HIGH_PRECISION: dict[VectorOp, str] = {
    VectorOp.REC: "vec_rec_high_preci",
    VectorOp.RSQRT: "vec_rsqrt_high_preci",
    VectorOp.LN: "vec_ln_high_preci",
    VectorOp.EXPM1: "vec_expm1_high_preci",
}
"""The methods behind `HighPrecision`."""


class CompareOp(Enum):
    """A comparison; the value is the suffix of `vcmpv_`, `vcmpvs_`, `vcmp_` and `vec_cmpv_`."""

    LT = "lt"
    GT = "gt"
    GE = "ge"
    EQ = "eq"
    NE = "ne"
    LE = "le"


class ReduceOp(Enum):
    """What is reduced to what; the value is its name."""

    SUM = "vcadd"
    """One sum a repeat."""
    MAX = "vcmax"
    """One pair (value, index in the repeat) a repeat."""
    MIN = "vcmin"
    BLOCK_SUM = "vcgadd"
    """One value a block."""
    BLOCK_MAX = "vcgmax"
    BLOCK_MIN = "vcgmin"
    PAIR_SUM = "vcpadd"
    """One sum a pair of neighbours."""


class WholeReduceOp(Enum):
    """A reduction over all repeats; the value is its name."""

    SUM = "vec_reduce_add"
    MAX = "vec_reduce_max"
    MIN = "vec_reduce_min"


ROUND_MODES = {
    "": "none",
    "none": "none",
    "round": "round",
    "floor": "floor",
    "ceil": "ceil",
    "ceiling": "ceil",
    "away-zero": "away-zero",
    "to-zero": "to-zero",
    "odd": "odd",
}
"""TIK's words for rounding, and the one of them that `Convert` holds."""
