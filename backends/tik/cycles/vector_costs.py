"""Costs of vector instructions: start-up, and cycles for each repeat of 256 bytes."""

from collections.abc import Iterable
from typing import assert_never

from tilelang.backends.tik.cycles.banks import conflict_cycles
from tilelang.backends.tik.cycles.charges import (
    Charge,
    Extent,
    Scene,
    extent,
    round_up,
    value,
    whole,
)
from tilelang.backends.tik.cycles.pipes import Pipe
from tilelang.backends.tik.instructions import (
    BLOCK_BYTES,
    BLOCKS_PER_REPEAT,
    FORMS,
    FRACTAL_BYTES,
    Col2Img,
    Compact,
    Compare,
    CompareToMask,
    Convert,
    Elementwise,
    Expr,
    Gather,
    HighPrecision,
    Lanes,
    LoadCompareMask,
    MergeProposals,
    MoveField,
    Operand,
    Rearrangement,
    Reduce,
    ReduceOp,
    Scatter,
    Select,
    SortProposals,
    StoreCompareMask,
    TikType,
    Transpose,
    TransposeBlocks,
    TransposeChannels,
    Vector,
    VectorOp,
    WholeReduce,
    method_name,
)

_SAME_SPEED: dict[str, str] = {
    VectorOp.AND.value: "vadd",
    VectorOp.OR.value: "vadd",
    VectorOp.NOT.value: "vabs",
    VectorOp.SHL.value: "vadds",
    VectorOp.SHR.value: "vadds",
    VectorOp.MAXS.value: "vadds",
    VectorOp.MINS.value: "vadds",
    VectorOp.LEAKY_RELU.value: "vadds",
    VectorOp.AXPY.value: "vmla",
    VectorOp.MADD_RELU.value: "vmadd",
    VectorOp.ADD_RELU.value: "vadd",
    VectorOp.SUB_RELU.value: "vsub",
    VectorOp.EXPM1.value: "vexp",
    VectorOp.DIV.value: "vrec",
    VectorOp.SQRT.value: "vrsqrt",
    ReduceOp.MIN.value: "vcmax",
    ReduceOp.BLOCK_MAX.value: "vcgadd",
    ReduceOp.BLOCK_MIN.value: "vcgadd",
}
"""Operations that machine files do not list, and the listed ones that they resemble."""


def charge_vector(work: Vector, scene: Scene) -> tuple[Charge, ...]:
    """Return the charges of a vector instruction; none where its repeat count is 0."""
    if isinstance(work, Rearrangement):
        return _charge_rearrangement(work, scene)
    match work:
        case Elementwise(op, dst=dst, srcs=srcs, repeat=repeat):
            updated = (dst,) if FORMS[op].updates else ()
            cycles = _per_repeat(scene, op.value, dst.operand.dtype)
            cycles += conflict_cycles(scene, dst, srcs)
            return _charge(work, scene, repeat, cycles, _lanes((*srcs, *updated), repeat), (dst,))
        case HighPrecision(op, dst=dst, src=src, repeat=repeat):
            cycles = _per_repeat(scene, op.value, dst.operand.dtype)
            cycles *= scene.rates["vector.high_precision_steps"]
            return _charge(work, scene, repeat, cycles, _lanes((src,), repeat), (dst,))
        case Convert(dst=dst, src=src, repeat=repeat):
            cycles = _per_repeat(scene, "vconv", TikType.FLOAT32)
            return _charge(work, scene, repeat, cycles, _lanes((src,), repeat), (dst,))
        case Select(dst=dst, a=a, b=b, repeat=repeat):
            sources = [lanes for lanes in (a, b) if isinstance(lanes, Lanes)]
            cycles = _per_repeat(scene, "vsel", dst.operand.dtype)
            return _charge(work, scene, repeat, cycles, _lanes(sources, repeat), (dst,))
        case Compare(dst=dst, a=a, b=b, repeat=repeat):
            sources = [lanes for lanes in (a, b) if isinstance(lanes, Lanes)]
            cycles = _per_repeat(scene, "vcmpv", a.operand.dtype)
            return _charge(work, scene, repeat, cycles, _lanes(sources, repeat), (dst,))
        case CompareToMask() | LoadCompareMask() | StoreCompareMask():
            return _charge_mask(work, scene)
        case Reduce() | WholeReduce() | Compact():
            return _charge_reduction(work, scene)
        case Transpose() | TransposeBlocks():
            return _charge_transposition(work, scene)
        case _:
            assert_never(work)


def _per_repeat(scene: Scene, name: str, dtype: TikType) -> float:
    """Return cycles for a repeat; of integers, those of floats as wide."""
    numbers, wide = scene.rates.numbers, dtype.n_bytes >= 4
    order = ("float32", "float16") if wide else ("float16", "float32")
    for candidate in (name, _SAME_SPEED.get(name, "vadd"), "vadd"):
        for width in order:
            key = f"vector.cycles_per_repeat.{candidate}.{width}"
            if key in numbers:
                return numbers[key]
    raise AssertionError(name)


def _charge(
    work: Vector,
    scene: Scene,
    repeat: Expr,
    cycles: float,
    reads: tuple[Extent, ...],
    written: Iterable[Lanes | Operand],
) -> tuple[Charge, ...]:
    """Return one charge of `repeat` repeats of `cycles` each."""
    n_repeats = value(repeat)
    if n_repeats <= 0:
        return ()
    rates = scene.rates
    startup = rates["vector.startup_cycles"]
    following = rates.get("vector.startup_following_cycles", startup)
    writes = tuple(
        _lane_extent(end, n_repeats) if isinstance(end, Lanes) else whole(end) for end in written
    )
    return (
        Charge(
            Pipe.V, round_up(startup + n_repeats * cycles), reads, writes, method_name(work),
            following=round_up(following + n_repeats * cycles),
        ),
    )  # fmt: skip


def _lanes(sources: Iterable[Lanes], repeat: Expr) -> tuple[Extent, ...]:
    return tuple(_lane_extent(lanes, value(repeat)) for lanes in sources)


def _lane_extent(lanes: Lanes, n_repeats: int) -> Extent:
    """Return the bytes from the first repeat's first block to the last repeat's last one."""
    blocks = (BLOCKS_PER_REPEAT - 1) * value(lanes.block_stride) + 1
    blocks += (max(n_repeats, 1) - 1) * value(lanes.repeat_stride)
    return extent(lanes.operand, blocks * BLOCK_BYTES)


def _charge_mask(
    work: CompareToMask | LoadCompareMask | StoreCompareMask, scene: Scene
) -> tuple[Charge, ...]:
    match work:
        case CompareToMask(a=a, b=b):
            cycles = _per_repeat(scene, "vcmpv", a.operand.dtype)
            return _charge(work, scene, 1, cycles, _lanes((a, b), 1), ())
        case LoadCompareMask(src=src):
            return _charge(work, scene, 1, 1, (extent(src, BLOCK_BYTES),), ())
        case StoreCompareMask(dst=dst):
            return _charge(work, scene, 1, 1, (), (dst,))
        case _:
            assert_never(work)


def _charge_reduction(work: Reduce | WholeReduce | Compact, scene: Scene) -> tuple[Charge, ...]:
    """Charge one pass; a reduction over all repeats has a second one over their results."""
    match work:
        case Reduce(op, dst=dst, src=src, repeat=repeat):
            cycles = _per_repeat(scene, op.value, src.operand.dtype)
            return _charge(work, scene, repeat, cycles, _lanes((src,), repeat), (dst,))
        case WholeReduce(op, dst=dst, src=src, work=space, repeat=repeat):
            name = "vcadd" if op.value == "vec_reduce_add" else "vcmax"
            cycles = _per_repeat(scene, name, src.operand.dtype)
            first = _charge(work, scene, repeat, cycles, _lanes((src,), repeat), (space,))
            per_repeat = BLOCKS_PER_REPEAT * src.operand.dtype.per_block
            second = -(-value(repeat) // per_repeat)
            return (*first, *_charge(work, scene, second, cycles, (whole(space),), (dst,)))
        case Compact(dst=dst, src=src, repeat=repeat):
            cycles = _per_repeat(scene, "vsel", src.operand.dtype)
            return _charge(work, scene, repeat, cycles, _lanes((src,), repeat), (dst,))
        case _:
            assert_never(work)


def _charge_transposition(work: Transpose | TransposeBlocks, scene: Scene) -> tuple[Charge, ...]:
    """Charge squares of 512 bytes, two repeats' worth, one after another."""
    cycles = _per_repeat(scene, "vtranspose", TikType.FLOAT16)
    match work:
        case Transpose(dst=dst, src=src, repeat=repeat):
            return _charge(work, scene, repeat, cycles, (whole(src),), (dst,))
        case TransposeBlocks(dsts=dsts, srcs=srcs, repeat=repeat):
            reads = tuple(dict.fromkeys(map(whole, srcs)))
            written = tuple({dst.tensor: dst for dst in dsts}.values())
            return _charge(work, scene, repeat, cycles, reads, written)
        case _:
            assert_never(work)


def _charge_rearrangement(work: Rearrangement, scene: Scene) -> tuple[Charge, ...]:
    """Charge what nobody has measured like a select: repeats, each of all that it touches."""
    match work:
        case Gather(dst=Lanes(operand=dst), src=src, offsets=offsets, repeat=repeat):
            reads = (src, offsets)
        case Scatter(dst=dst, src=Lanes(operand=src), offsets=offsets, repeat=repeat):
            reads = (src, offsets)
        case MergeProposals(dst=dst, srcs=reads, lengths=lengths, repeat=times):
            per_repeat = -(-sum(value(length) for length in lengths) // 16)
            repeat = value(times) * per_repeat
        case TransposeChannels(dst=dst, src=src, length=length, channels=channels):
            n_bytes = value(length) * value(channels) * src.dtype.n_bytes
            reads, repeat = (src,), -(-n_bytes // FRACTAL_BYTES)
        case (
            MoveField(dst=dst, src=src, repeat=repeat)
            | SortProposals(dst=dst, src=src, repeat=repeat)
            | Col2Img(dst=dst, src=src, repeat=repeat)
        ):
            reads = (src,)
        case _:
            assert_never(work)
    cycles = _per_repeat(scene, "vsel", dst.dtype)
    extents = tuple(dict.fromkeys(map(whole, reads)))
    return _charge(work, scene, repeat, cycles, extents, (dst,))
