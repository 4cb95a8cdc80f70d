"""Figures and tables of the evaluation paper (Lu et al., 2022), from the cycle model.

`python -m bench.paper.figure14` (tile sizes), `.utilisation` (GEMM and convolution against the best
published), `.lstm` (figure 9 and what fusing gains) and `.precision` (table 6). Each prints a
table with an honest last column, and with `--out DIR` draws a picture.
"""
