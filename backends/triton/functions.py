"""Functions that Triton's language lacks, as text for the top of the generated file.

They call builtins only and have no docstrings: Triton's interpreter reads the source of a kernel
itself and is easily misled.
"""

from dataclasses import dataclass, field

TEXTS = {
    "tanh": """\
@triton.jit
def tanh(x):
    # By exp where nothing cancels, else the series, whose next term is below 2e-8 of the value.
    size = tl.abs(x)
    decay = tl.exp(-2.0 * size)
    far = tl.div_rn(1.0 - decay, 1.0 + decay)
    s = x * x
    series = 62.0 / 2835.0 + s * (-1382.0 / 155925.0 + s * (21844.0 / 6081075.0))
    near = 1.0 + s * (-1.0 / 3.0 + s * (2.0 / 15.0 + s * (-17.0 / 315.0 + s * series)))
    return tl.where(size < 0.35, x * near, tl.where(x < 0.0, -far, far))
""",
    "sigmoid": """\
@triton.jit
def sigmoid(x):
    decay = tl.exp(-tl.abs(x))
    return tl.div_rn(tl.where(x >= 0.0, 1.0, decay), 1.0 + decay)
""",
    "square_root": """\
@triton.jit
def square_root(x):
    return tl.sqrt_rn(x)
""",
    "relu": """\
@triton.jit
def relu(x):
    # NaN stays.
    return tl.where(x <= 0, 0, x)
""",
    "round_nearest": """\
@triton.jit
def round_nearest(x):
    # Ties go to even.
    below = tl.floor(x)
    rest = x - below
    odd = below - 2.0 * tl.floor(below * 0.5)
    return tl.where((rest > 0.5) | ((rest == 0.5) & (odd == 1.0)), below + 1.0, below)
""",
    "round_away": """\
@triton.jit
def round_away(x):
    # Ties go away from zero.
    below = tl.floor(tl.abs(x))
    size = tl.where(tl.abs(x) - below >= 0.5, below + 1.0, below)
    return tl.where(x < 0.0, -size, size)
""",
    "truncate": """\
@triton.jit
def truncate(x):
    return tl.where(x < 0.0, tl.ceil(x), tl.floor(x))
""",
    "round_bfloat16": """\
@triton.jit
def round_bfloat16(x):
    # To nearest even, kept in float32: Triton's interpreter cannot compute with bfloat16.
    bits = x.to(tl.uint32, bitcast=True)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16 << 16
    return tl.where(x == x, rounded.to(tl.float32, bitcast=True), x)
""",
    "widen_bfloat16": """\
@triton.jit
def widen_bfloat16(x):
    bits = x.to(tl.uint16, bitcast=True).to(tl.uint32) << 16
    return bits.to(tl.float32, bitcast=True)
""",
    "narrow_bfloat16": """\
@triton.jit
def narrow_bfloat16(x):
    # Of a float32 that is a bfloat16 already.
    bits = (x.to(tl.uint32, bitcast=True) >> 16).to(tl.uint16)
    return bits.to(tl.bfloat16, bitcast=True)
""",
    "saturate": """\
@triton.jit
def saturate(x, least: tl.constexpr, most: tl.constexpr):
    # The nearest integer in least .. most; NaN becomes 0. x is whole.
    low = x <= least
    high = x >= most
    inside = tl.where(low | high | (x != x), 0.0, x).to(tl.int32)
    return tl.where(low, least, tl.where(high, most, inside))
""",
    "maximum_along": """\
@triton.jit
def maximum_along(x, axis: tl.constexpr):
    # Triton's own maximum passes over NaN; here it wins.
    some_nan = tl.max((x != x).to(tl.int32), axis, keep_dims=True)
    found = tl.max(x, axis, keep_dims=True).to(tl.float32)
    return tl.where(some_nan != 0, float("nan"), found).to(x.dtype)
""",
    "minimum_along": """\
@triton.jit
def minimum_along(x, axis: tl.constexpr):
    # Triton's own minimum passes over NaN; here it wins.
    some_nan = tl.max((x != x).to(tl.int32), axis, keep_dims=True)
    found = tl.min(x, axis, keep_dims=True).to(tl.float32)
    return tl.where(some_nan != 0, float("nan"), found).to(x.dtype)
""",
}
"""The text of each, by its name."""


@dataclass(slots=True)
class Functions:
    """The functions that a file uses, in order of first use."""

    used: dict[str, None] = field(default_factory=dict[str, None])

    def use(self, name: str) -> str:
        """Note that `name` is used, and return it."""
        assert name in TEXTS
        self.used[name] = None
        return name

    @property
    def texts(self) -> list[str]:
        """The text of every function in use."""
        return [TEXTS[name] for name in self.used]
