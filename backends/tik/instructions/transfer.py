"""Moves between memories: bursts of blocks, of fractals, of bytes."""

from dataclasses import dataclass, field

from tilelang.backends.tik.instructions.scalar import Expr, Operand
from tilelang.diagnostics import UNKNOWN, Location


@dataclass(frozen=True, slots=True)
class DataMove:
    """Copy `n_burst` bursts; gaps run from the end of one burst to the start of the next.

    Unit of bursts and gaps: a 32-byte block; to and from L0C the burst and L0C's gap count
    16 x 16 fractals (512 bytes of a 16-bit dtype, 1024 of a 32-bit one), the other gap blocks.

    Args:
        dst: where the first burst goes.
        src: where it comes from.
        n_burst: 1 .. 4095.
        burst: 1 .. 65535.
        src_gap: 0 .. 65535, read before `dst_gap` in TIK's argument list.
        dst_gap: 0 .. 65535.
        mode: the trailing argument: ConvReluMode between L0C and UB, PadMode from GM to L1.
    """

    dst: Operand
    src: Operand
    n_burst: Expr
    burst: Expr
    src_gap: Expr = 0
    dst_gap: Expr = 0
    mode: int | None = None
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DataMovePad:
    """Copy `n_burst` bursts of `burst` *bytes* between GM and UB (910B).

    GM gaps are in bytes, UB gaps in blocks; in UB every burst starts at a block. From GM, paddings
    are elements before and after each burst, set to `padding_value`.
    """

    dst: Operand
    src: Operand
    n_burst: Expr
    burst: Expr
    dst_gap: Expr = 0
    src_gap: Expr = 0
    right_padding: Expr = 0
    left_padding: Expr = 0
    padding_value: Expr | None = None
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TensorMove:
    """`tensor_mov` between L0C and UB: conversion by the dtypes, a scale, ReLU.

    Rules: `block_mode` "m": bursts and L0C gaps count fractals, UB gaps blocks; "": blocks as in
    `DataMove`. `dst_gap` comes before `src_gap` in TIK's argument list.
    """

    dst: Operand
    src: Operand
    block_mode: str
    n_burst: Expr
    burst: Expr
    dst_gap: Expr = 0
    src_gap: Expr = 0
    deqscale: Expr | Operand | None = None
    relu: bool = False
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class BroadcastToL0c:
    """Repeat each 16-element segment of UB over the 16 rows of one L0C fractal (bias preload).

    `burst` segments a burst; `src_gap` in blocks, `dst_gap` in fractals; both counts 1 .. 255.
    """

    dst: Operand
    src: Operand
    n_burst: Expr
    burst: Expr
    src_gap: Expr = 0
    dst_gap: Expr = 0
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Fixpipe:
    """Leave L1OUT for GM: `n_burst` column groups of 16, each `burst` blocks of the source.

    `m = burst * 32 / (16 * sizeof src)` rows are kept of each group, whose rows are padded to 16.
    `dst_gap` in blocks; `src_gap` in fractals of 256 elements. `quantize` is
    TIK's mode ("fp322fp16", "int322fp16") or None, `scale` its parameter.
    """

    dst: Operand
    src: Operand
    n_burst: Expr
    burst: Expr
    dst_gap: Expr = 0
    src_gap: Expr = 0
    bias: Operand | None = None
    element_wise_add: Operand | None = None
    quantize: str | None = None
    scale: Expr | Operand | None = None
    relu: bool = False
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)
