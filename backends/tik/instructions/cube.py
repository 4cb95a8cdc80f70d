"""The cube unit: loads into L0A and L0B, and multiplications."""

from dataclasses import dataclass, field

from tilelang.backends.tik.instructions.scalar import Expr, Operand
from tilelang.diagnostics import UNKNOWN, Location


@dataclass(frozen=True, slots=True)
class Load2d:
    """Copy `repeat` fractals of 512 bytes: number `index + i * src_stride` of `src` to place `i`.

    `dst_gap` fractals are left free between two of `dst` (load2dv2 only, when not None).
    `transpose` swaps rows and columns inside each fractal of 16-bit elements.
    """

    dst: Operand
    src: Operand
    index: Expr
    repeat: Expr
    src_stride: Expr
    transpose: bool = False
    dst_gap: Expr | None = None
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Load3d:
    """`load3dv1`: fetch windows of a [C1, H, W, C0] feature map in L1 as fractals of 16 x C0.

    One repeat writes, for 16 consecutive windows from (`top`, `left`), the C0 channels of group
    `c1` under kernel position (`fetch_h`, `fetch_w`). `repeat_mode` 0 goes on with the next kernel
    position, destination contiguous; 1 goes on with the next 16 windows, `jump` fractals further.

    Args:
        dst: L0A, L0B or UB.
        src: feature map in L1.
        pad: left, right, top, bottom, 0 .. 255.
        height: of the map.
        width: of the map.
        c1: channel group.
        fetch: kernel position (w, h) of the first repeat.
        left_top: (w, h) of the first window, counted from the map's corner: padding is negative.
        stride: (w, h), 1 .. 63.
        kernel: (w, h), 1 .. 255.
        dilation: (w, h), 1 .. 255.
        jump: 1 .. 127.
        repeat_mode: 0 or 1.
        repeat: 0 .. 255.
        pad_value: of everything outside the map.
    """

    dst: Operand
    src: Operand
    pad: tuple[Expr, Expr, Expr, Expr]
    height: Expr
    width: Expr
    c1: Expr
    fetch: tuple[Expr, Expr]
    left_top: tuple[Expr, Expr]
    stride: tuple[Expr, Expr]
    kernel: tuple[Expr, Expr]
    dilation: tuple[Expr, Expr]
    jump: Expr
    repeat_mode: int
    repeat: Expr
    pad_value: Expr = 0
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Mmad:
    """`dst = a @ b`, or `dst += a @ b` where `accumulate` is not 0.

    `a` in L0A is [M1][K1][16][K0], `b` in L0B [K1][N1][16][K0], `dst` in L0C [N1][M1 * 16][16];
    m, k, n are in elements, 0 .. 4095, and fix the packing; any of them 0 does nothing.
    """

    dst: Operand
    a: Operand
    b: Operand
    m: Expr
    k: Expr
    n: Expr
    accumulate: Expr
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Matmul:
    """`dst = a @ b` (or `+=` when not `init`) from L1 to L1OUT; m, k, n are plain integers.

    `a` is [K1][M1 * 16][K0], `b` [K1][N1 * 16][K0], `dst` [N1][M1 * 16][16].
    """

    dst: Operand
    a: Operand
    b: Operand
    m: int
    k: int
    n: int
    init: bool = True
    bias: Operand | None = None
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Conv2d:
    """Convolve a [C1, H, W, C0] map in L1 with [C1, Kh, Kw, Cout, C0] weights in L1.

    `dst` in L1OUT is [Cout / 16][round16(Ho * Wo)][16]. `stride` and `dilation` are (h, w),
    `pad` is (left, right, top, bottom).
    """

    dst: Operand
    feature_map: Operand
    weight: Operand
    map_shape: tuple[int, int, int, int]
    kernel_shape: tuple[int, int, int, int, int]
    stride: tuple[int, int]
    pad: tuple[int, int, int, int]
    dilation: tuple[int, int]
    pad_value: int | float = 0
    init: bool = True
    bias: Operand | None = None
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)
