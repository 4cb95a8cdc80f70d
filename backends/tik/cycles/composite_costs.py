"""Costs of `matmul` and `conv2d`, which go from L1 to L0C by themselves.

They multiply in pieces whose operands fit halves of L0A and L0B: while the cube works on one half,
the other is loaded. A piece takes all of m and n and as much of k as fits, else it cuts n, else m.
"""

from collections.abc import Callable, Iterator
from itertools import cycle
from typing import TypeAlias

from tilelang.backends.tik.cycles.charges import WHOLE, Charge, Extent, Scene, round_up
from tilelang.backends.tik.cycles.pipes import Pipe
from tilelang.backends.tik.cycles.products import (
    Blocks,
    fractals_of,
    product_cycles,
    row_changes,
)
from tilelang.backends.tik.instructions import (
    FRACTAL_BYTES,
    Conv2d,
    Matmul,
    Operand,
    method_name,
)
from tilelang.ir.region import Memory

L0A, L0B = "@l0a", "@l0b"
"""The memories L0A and L0B themselves, as names of tensors."""
_N_HALVES = 2

LoadA: TypeAlias = Callable[[int, int], tuple[float, int]]
"""Cycles on MTE1, and before that on the scalar unit, of loading m by k fractals into L0A."""


def charge_matmul(work: Matmul, scene: Scene) -> tuple[Charge, ...]:
    """Return the charges of all pieces of a product; loads of L0A are one a row of fractals."""
    blocks = fractals_of(scene, (work.m, work.k, work.n), work.a.dtype)
    flop = 2 * work.m * work.k * work.n

    def load_a(m1: int, k1: int) -> tuple[float, int]:
        return m1 * scene.rates["startup.load2d"] + m1 * k1 * FRACTAL_BYTES / _a_width(scene), 0

    label = method_name(work)
    ends = (work.dst, work.a, work.b)
    return tuple(_pieces(scene, ends, blocks, load_a, label, flop))


def charge_conv2d(work: Conv2d, scene: Scene) -> tuple[Charge, ...]:
    """Return the charges of all pieces; L0A is filled by load3d, one for each kernel position."""
    (_, height, width, k0), (c1, kernel_h, kernel_w, n, _) = work.map_shape, work.kernel_shape
    left, right, top, bottom = work.pad
    out_h = (height + top + bottom - (kernel_h - 1) * work.dilation[0] - 1) // work.stride[0] + 1
    out_w = (width + left + right - (kernel_w - 1) * work.dilation[1] - 1) // work.stride[1] + 1
    m, k = out_h * out_w, c1 * kernel_h * kernel_w * k0
    blocks = fractals_of(scene, (m, k, n), work.feature_map.dtype)
    rates = scene.rates

    def load_a(m1: int, k1: int) -> tuple[float, int]:
        each = FRACTAL_BYTES / _a_width(scene) + row_changes(scene, max(out_w, 1))
        cycles = m1 * k1 * each
        startup = max(rates["startup.load3d"], rates.get("startup.load3d_gap", 0))
        return k1 * startup + cycles, k1 * round_up(rates.get("startup.load3d_setup", 0))

    ends = (work.dst, work.feature_map, work.weight)
    return tuple(_pieces(scene, ends, blocks, load_a, method_name(work), 2 * m * k * n))


def _a_width(scene: Scene) -> float:
    return scene.rates["path.l1_l0a"]


def cut(scene: Scene, blocks: Blocks) -> Blocks:
    """Return the fractals of a full piece, which fits halves of L0A and L0B."""
    capacity = scene.rates.machine.capacity
    in_a, in_b = (
        capacity[memory] // _N_HALVES // FRACTAL_BYTES for memory in (Memory.L0A, Memory.L0B)
    )
    m1, k1, n1 = blocks
    k_piece = min(k1, in_a // m1, in_b // n1)
    if k_piece:
        return m1, k_piece, n1
    return min(m1, in_a), 1, min(n1, in_b)


def _pieces(
    scene: Scene,
    ends: tuple[Operand, Operand, Operand],
    blocks: Blocks,
    load_a: LoadA,
    label: str,
    flop: int,
) -> Iterator[Charge]:
    dst, a, b = ends
    if min(blocks) <= 0:
        return
    total = blocks[0] * blocks[1] * blocks[2]
    for half, (m1, k1, n1) in zip(cycle(range(_N_HALVES)), _cuts(scene, blocks), strict=False):
        a_bytes, b_bytes = m1 * k1 * FRACTAL_BYTES, k1 * n1 * FRACTAL_BYTES
        in_a, in_b = (
            _half(scene, name, memory, half, n_bytes)
            for name, memory, n_bytes in ((L0A, Memory.L0A, a_bytes), (L0B, Memory.L0B, b_bytes))
        )
        cycles, setup = load_a(m1, k1)
        yield _load(a, in_a, round_up(cycles), setup, f"{label}: load a")
        cycles = scene.rates["startup.load2d"] + b_bytes / scene.rates["path.l1_l0b"]
        yield _load(b, in_b, round_up(cycles), 0, f"{label}: load b")
        fractals = m1 * k1 * n1
        alone, following = product_cycles(scene, (m1, k1, n1), a.dtype)
        yield Charge(
            Pipe.M, alone, (in_a, in_b), (Extent(dst.tensor, 0, WHOLE),), f"{label}: multiply",
            following=following, fractals=fractals, flop=flop * fractals // total,
        )  # fmt: skip


def _half(scene: Scene, name: str, memory: Memory, half: int, n_bytes: int) -> Extent:
    start = half * (scene.rates.machine.capacity[memory] // _N_HALVES)
    return Extent(name, start, start + n_bytes)


def _load(src: Operand, dst: Extent, cycles: int, setup: int, label: str) -> Charge:
    return Charge(
        Pipe.MTE1, cycles, (Extent(src.tensor, 0, WHOLE),), (dst,), label, setup=setup,
        path="l1-l0a" if dst.tensor == L0A else "l1-l0b", n_bytes=dst.high - dst.low,
    )  # fmt: skip


def _cuts(scene: Scene, blocks: Blocks) -> Iterator[Blocks]:
    """Yield the fractals of every piece, k innermost, so that sums stay where they are."""
    piece = cut(scene, blocks)
    for m in range(0, blocks[0], piece[0]):
        for n in range(0, blocks[2], piece[2]):
            for k in range(0, blocks[1], piece[1]):
                rest = (blocks[0] - m, blocks[1] - k, blocks[2] - n)
                m1, k1, n1 = (min(size, left) for size, left in zip(piece, rest, strict=True))
                yield m1, k1, n1
