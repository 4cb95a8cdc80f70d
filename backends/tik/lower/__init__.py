"""Lowers tile programs to instruction programs of one AI core, for the chips with TIK.

| file | does |
|---|---|
| `sequence` | a whole program: one kernel, or several that run in turn |
| `program` | a kernel: tensors, stages, tiles on cores |
| `statements` | statements by kind |
| `forms`, `boxes` | where elements lie, and how regions fall apart into evenly spaced pieces |
| `edges`, `cases` | which part of a tile lies in its tensor, and a branch for every case |
| `tiles`, `loads`, `stores`, `copies`, `fills` | moves |
| `ragged_rows` | results that no tile can store whole: a last stage of rows |
| `strips`, `relayout` | whole rows between GM and tiles in blocks |
| `tile_order` | which tile a core takes when |
| `realign` | what starts between blocks |
| `byte_transposes`, `turns`, `word_turns` | what runs the wrong way |
| `cube`, `img2col` | fractals, products, convolution windows |
| `split_cores`, `cube_core`, `slabs`, `fixpipe` | chips whose cube and vector unit are apart |
| `blocked_tensors`, `block_stages` | row-major maps and weights, put into blocks of channels |
| `channel_groups`, `group_stages` | groups of channels that begin inside a block, taken apart |
| `extended_inputs` | inputs whose tiles hang over their end in many ways: zeros behind them |
| `turned_operands`, `staged_results` | stages of vector work around products, on these |
| `lanes` | vector instructions over boxes: blocks, repeats, masks |
| `maps`, `values`, `arithmetic`, `functions`, `casts`, `selects`, `positions` | expressions |
| `reduces` | sums, maxima and minima |
| `writer`, `scalars` | what is written: bodies, names, scalar expressions |
"""

from tilelang.backends.tik.lower.sequence import (
    Kernel,
    lower_kernels,
    lower_program,
    without_empty_inputs,
)

__all__ = ["Kernel", "lower_kernels", "lower_program", "without_empty_inputs"]
