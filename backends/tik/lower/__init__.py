"""Lowers tile programs to instruction programs of one AI core, for the chips with TIK.

| file | does |
|---|---|
| `program` | a whole program: tensors, stages, tiles on cores |
| `statements` | statements by kind |
| `forms`, `boxes` | where elements lie, and how regions fall apart into evenly spaced pieces |
| `edges`, `cases` | which part of a tile lies in its tensor, and a branch for every case |
| `tiles`, `loads`, `stores`, `copies`, `fills` | moves |
| `realign`, `byte_transposes` | what starts between blocks, or runs the wrong way |
| `cube`, `img2col` | fractals, products, convolution windows |
| `lanes` | vector instructions over boxes: blocks, repeats, masks |
| `maps`, `values`, `arithmetic`, `functions`, `casts`, `selects`, `positions` | expressions |
| `reduces` | sums, maxima and minima |
| `writer`, `scalars` | what is written: bodies, names, scalar expressions |
"""

from tilelang.backends.tik.lower.program import lower_program

__all__ = ["lower_program"]
