"""Functions that the chips lack, built from what they have.

| function | float32 on 910 and 310P | float32 on 310 |
|---|---|---|
| exp | vexp | 2^n, in two factors made of their bits, times a polynomial of what is left of x |
| ln | vln | refused |
| sqrt | vsqrt | x times rsqrt |
| rsqrt | 1 / vsqrt | vrsqrt, and two steps of Newton's method |
| sigmoid | 1 / (1 + exp(-x)) | exp(x) / (1 + exp(x)) |
| tanh | a rational function | the same |
| quotient | vdiv | vrec, two steps of Newton's method, and one of the quotient |

On the 310 roots and quotients of infinities are NaN, and so are quotients that overflow. How
accurate all of them are stands in `tilelang.backends.tik.accuracy`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from tilelang.backends.tik.instructions import Convert, Lanes, Mask, TikType, VectorOp
from tilelang.backends.tik.lower.lanes import Domain, as_type, for_lanes
from tilelang.backends.tik.lower.refusals import refusal
from tilelang.backends.tik.lower.values import Number, Tile, Workbench, lanes_of
from tilelang.ir.expression import UnaryOp

Function: TypeAlias = Callable[[Workbench, Tile, Tile], None]
"""Writes `dst = f(x)` for (workbench, dst, x) of one dtype; both may be one tile."""

_FARTHEST = 104.0
"""exp of it is infinite in float32, and of its negative 0."""
_FAR = 87.0
"""exp of it, and its reciprocal, are normal float32."""
_LEAST = 2.0**-126
"""The smallest normal float32; 1 / sqrt of it, squared, is one too."""
_LOG2_E = 1.4426950408889634
_LN2 = (0.693359375, -2.12194440e-4)
"""ln 2 in two parts, the first so short that its multiples are exact (Cody and Waite)."""
_EXP_TAYLOR = (1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 1 / 2, 1.0, 1.0)
"""Of exp, within 1e-8 on the interval around 0 that is left."""
_TANH_LIMIT = 7.90531110763549805
"""From here on tanh is 1 in float32."""
# The rational approximation of tanh in float32 by Eigen (its generic packet math), odd / even. Both
# are 256 times as large here: near 0 they are about 1, so that their products with the smallest
# normal numbers are normal.
_TANH_SCALE = 256
_TANH_ABOVE = tuple(
    _TANH_SCALE * number
    for number in (
        -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-08,
        1.48572235717979e-05, 6.37261928875436e-04, 4.89352455891786e-03,
    )
)  # fmt: skip
_TANH_BELOW = tuple(
    _TANH_SCALE * number
    for number in (
        1.19825839466702e-06,
        1.18534705686654e-04,
        2.26843463243900e-03,
        4.89352518554385e-03,
    )
)


def convert(bench: Workbench, dst: Tile, src: Tile, mode: str, scale: float | None = None) -> None:
    """Write a vconv of a whole tile."""

    def emit(mask: Mask, repeat: int, lanes: tuple[Lanes, ...]) -> None:
        to, of = lanes
        bench.writer.write(Convert(mask, mode, to, of, repeat, scale, bench.writer.loc))

    boxes = (lanes_of(dst, dst.shape), lanes_of(src, dst.shape))
    for_lanes(bench.writer, Domain(boxes[0].counts, boxes), emit)


def divide(bench: Workbench, dst: Tile, left: Tile, right: Tile) -> None:
    """Write a quotient.

    The 310 has no vdiv: there it is the product with Newton's reciprocal, and one step more on the
    quotient.
    """
    if bench.machine != "ascend310":
        bench.apply(VectorOp.DIV, dst, left, right)
        return
    reciprocal = _newton_reciprocal(bench, right)
    quotient, rest = (bench.scratch(dst.dtype, dst.shape) for _ in range(2))
    bench.apply(VectorOp.MUL, quotient, left, reciprocal)
    bench.apply(VectorOp.MUL, rest, quotient, right)
    bench.apply(VectorOp.SUB, rest, left, rest)
    bench.apply(VectorOp.MUL, rest, rest, reciprocal)
    bench.apply(VectorOp.ADD, dst, quotient, rest)
    bench.release(reciprocal, quotient, rest)


def _newton_reciprocal(bench: Workbench, x: Tile) -> Tile:
    """Return 1 / x from vrec, which gives 10 bits, and two steps of r (2 - x r)."""
    reciprocal, error = (bench.scratch(x.dtype, x.shape) for _ in range(2))
    bench.apply(VectorOp.REC, reciprocal, x)
    for _ in range(2):
        bench.apply(VectorOp.MUL, error, x, reciprocal)
        bench.apply(VectorOp.MULS, error, error, scalar=-1.0)
        bench.apply(VectorOp.ADDS, error, error, scalar=2.0)
        bench.apply(VectorOp.MUL, reciprocal, reciprocal, error)
    bench.release(error)
    return reciprocal


def _in_float32(function: Function) -> Function:
    """Return `function` for float16 too: widened, computed, rounded once."""

    def widened(bench: Workbench, dst: Tile, x: Tile) -> None:
        if x.dtype is TikType.FLOAT32:
            function(bench, dst, x)
            return
        wide = bench.scratch(TikType.FLOAT32, x.shape)
        convert(bench, wide, x, "none")
        function(bench, wide, wide)
        convert(bench, dst, wide, "none")
        bench.release(wide)

    return widened


def _exp(bench: Workbench, dst: Tile, x: Tile) -> None:
    if bench.machine != "ascend310" or x.dtype is TikType.FLOAT16:
        bench.apply(VectorOp.EXP, dst, x)
        return
    low, high = (bench.tile(Number(v, x.dtype), len(x.shape)) for v in (-_FARTHEST, _FARTHEST))
    rest, part, power = (bench.scratch(x.dtype, x.shape) for _ in range(3))
    half = bench.scratch(TikType.FLOAT16, x.shape)
    exponent = bench.scratch(TikType.INT32, x.shape)
    bench.apply(VectorOp.MAX, rest, x, low)
    bench.apply(VectorOp.MIN, rest, rest, high)
    bench.apply(VectorOp.MULS, part, rest, scalar=_LOG2_E)
    convert(bench, half, part, "none")
    convert(bench, exponent, half, "round")
    convert(bench, half, exponent, "none", 1.0)
    for piece in _LN2:
        convert(bench, part, half, "none")
        bench.apply(VectorOp.MULS, part, part, scalar=piece)
        bench.apply(VectorOp.SUB, rest, rest, part)
    _polynomial(bench, power, rest, _EXP_TAYLOR)
    lower = bench.scratch(TikType.INT32, x.shape)
    bench.apply(VectorOp.MULS, half, half, scalar=0.5)
    convert(bench, lower, half, "floor")
    bench.apply(VectorOp.SUB, exponent, exponent, lower)
    _scale(bench, power, power, lower)
    _scale(bench, dst, power, exponent)
    bench.release(rest, part, power, half, exponent, lower)


def _scale(bench: Workbench, dst: Tile, x: Tile, exponent: Tile) -> None:
    """Write x times a normal power of two, made of its bits; `exponent` is lost."""
    offset = bench.tile(Number(127, TikType.INT32), len(x.shape))
    unit = bench.tile(Number(1 << 23, TikType.INT32), len(x.shape))
    bench.apply(VectorOp.ADD, exponent, exponent, offset)
    bench.apply(VectorOp.MUL, exponent, exponent, unit)
    bench.apply(VectorOp.MUL, dst, x, Tile(as_type(exponent.box, TikType.FLOAT32)))


def _polynomial(bench: Workbench, dst: Tile, x: Tile, coefficients: Sequence[float]) -> None:
    """Write the polynomial of `x`, the highest coefficient first, by Horner's rule."""
    first, *rest = coefficients
    bench.apply(VectorOp.MULS, dst, x, scalar=first)
    *middle, last = rest
    for coefficient in middle:
        bench.apply(VectorOp.ADDS, dst, dst, scalar=coefficient)
        bench.apply(VectorOp.MUL, dst, dst, x)
    bench.apply(VectorOp.ADDS, dst, dst, scalar=last)


def _ln(bench: Workbench, dst: Tile, x: Tile) -> None:
    if bench.machine == "ascend310" and x.dtype is not TikType.FLOAT16:
        raise refusal(
            "E1243",
            "ln of float32, and the 310 has it for float16 only",
            bench.writer.loc,
            'write `tl.cast(tl.ln(tl.cast(x, "float16")), "float32")`, or use another machine',
            bench.buffer,
        )
    bench.apply(VectorOp.LN, dst, x)


def _sqrt(bench: Workbench, dst: Tile, x: Tile) -> None:
    if bench.machine != "ascend310":
        bench.apply(VectorOp.SQRT, dst, x)
        return
    root = bench.scratch(x.dtype, x.shape)
    least = bench.tile(Number(_LEAST, x.dtype), len(x.shape))
    bench.apply(VectorOp.MAX, root, x, least)
    _newton_root(bench, root, root)
    bench.apply(VectorOp.MUL, dst, x, root)
    bench.release(root)


def _rsqrt(bench: Workbench, dst: Tile, x: Tile) -> None:
    if bench.machine == "ascend310":
        _newton_root(bench, dst, x)
        return
    root = bench.scratch(x.dtype, x.shape)
    bench.apply(VectorOp.SQRT, root, x)
    bench.apply(VectorOp.DIV, dst, _one(bench, x), root)
    bench.release(root)


def _newton_root(bench: Workbench, dst: Tile, x: Tile) -> None:
    """Write 1 / sqrt(x) from vrsqrt and two steps y (1.5 - x y y / 2)."""
    root, step = (bench.scratch(x.dtype, x.shape) for _ in range(2))
    bench.apply(VectorOp.RSQRT, root, x)
    for number in range(2):
        bench.apply(VectorOp.MUL, step, root, root)
        bench.apply(VectorOp.MUL, step, step, x)
        bench.apply(VectorOp.MULS, step, step, scalar=-0.5)
        bench.apply(VectorOp.ADDS, step, step, scalar=1.5)
        bench.apply(VectorOp.MUL, dst if number else root, root, step)
    bench.release(root, step)


def _one(bench: Workbench, x: Tile) -> Tile:
    return bench.tile(Number(1.0, x.dtype), len(x.shape))


def _sigmoid(bench: Workbench, dst: Tile, x: Tile) -> None:
    """Write 1 / (1 + exp(-x)).

    Where vexp overflows, to infinity or to the largest number, vdiv makes nothing of it. The
    quotient of the 310 takes no infinity: there it is exp(x) / (1 + exp(x)), x not too large.
    """
    work = bench.scratch(x.dtype, x.shape)
    if bench.machine == "ascend310":
        below = bench.scratch(x.dtype, x.shape)
        bench.apply(VectorOp.MIN, work, x, bench.tile(Number(_FAR, x.dtype), len(x.shape)))
        _exp(bench, work, work)
        bench.apply(VectorOp.ADDS, below, work, scalar=1.0)
        divide(bench, dst, work, below)
        bench.release(work, below)
        return
    bench.apply(VectorOp.MULS, work, x, scalar=-1.0)
    _exp(bench, work, work)
    bench.apply(VectorOp.ADDS, work, work, scalar=1.0)
    divide(bench, dst, _one(bench, x), work)
    bench.release(work)


def _tanh(bench: Workbench, dst: Tile, x: Tile) -> None:
    """Write the rational function of x: no exponential, and accurate near 0."""
    limits = (bench.tile(Number(v, x.dtype), len(x.shape)) for v in (-_TANH_LIMIT, _TANH_LIMIT))
    low, high = limits
    cut, square, above, below = (bench.scratch(x.dtype, x.shape) for _ in range(4))
    bench.apply(VectorOp.MAX, cut, x, low)
    bench.apply(VectorOp.MIN, cut, cut, high)
    bench.apply(VectorOp.MUL, square, cut, cut)
    _polynomial(bench, above, square, _TANH_ABOVE)
    bench.apply(VectorOp.MUL, above, above, cut)
    _polynomial(bench, below, square, _TANH_BELOW)
    divide(bench, dst, above, below)
    bench.release(cut, square, above, below)


FUNCTIONS: Mapping[UnaryOp, Function] = {
    UnaryOp.EXP: _exp,
    UnaryOp.LN: _ln,
    UnaryOp.SQRT: _in_float32(_sqrt),
    UnaryOp.RSQRT: _in_float32(_rsqrt),
    UnaryOp.SIGMOID: _in_float32(_sigmoid),
    UnaryOp.TANH: _in_float32(_tanh),
}
