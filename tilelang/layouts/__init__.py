"""Layouts: where each element of a logical array lies in memory.

A layout's name tells its order: capitals, the first letter is the order of the blocks, the second
the order inside a block; Z is row-major, N column-major. A block is 16 by `c0` elements, and `c0`
is 32 bytes of elements (16 for float16) unless an accumulator made it 16.

| layout | logical | physical | where |
|---|---|---|---|
| ND | any | the same | GM, UB |
| NZ | [M, K] | [K1, M1, 16, C0] | L1, L0C, UB after L0C |
| ZZ | [M, K] | [M1, K1, 16, C0] | L0A |
| ZN | [K, N] | [K1, N1, 16, C0], k innermost | L0B |
| NN | [K, N] | [N1, K1, 16, C0], k innermost | GM weights |
| NC1HWC0 | [N, C, H, W] | [N, C1, H, W, C0] | GM and L1 feature maps |
| FRACTAL_Z | [O, C, R, S] | [C1 * R * S, O1, 16, C0] | GM and L1 weights |

`tilelang.layouts.names` maps the spellings of other documents to these names, and
`tilelang.layouts.drawing` draws them.
"""

from tilelang.layouts.layout import FRACTAL_ROWS, ND, Layout, LayoutKind, layout_for
from tilelang.layouts.names import find_layout

__all__ = ["FRACTAL_ROWS", "ND", "Layout", "LayoutKind", "find_layout", "layout_for"]
