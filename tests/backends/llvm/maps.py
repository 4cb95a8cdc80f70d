"""Programs that multiply all windows of a map in L1."""

from math import prod

import tilelang as tl
from tilelang.backends.llvm.convolution.slabs import Columns
from tilelang.backends.llvm.convolution.windows import find_windows
from tilelang.backends.llvm.runtime.host import find_host
from tilelang.ir.nodes import Program, Window
from tilelang.machines import find_machine
from tilelang.passes import lower

WINDOWS = [
    Window((3, 3), padding=(1, 1, 1, 1)),
    Window((3, 2), stride=(2, 3), padding=(0, 2, 1, 0)),
    Window((2, 3), dilation=(2, 2), padding=(1, 0, 0, 3)),
    Window((1, 1)),
    Window((3, 3), stride=(3, 1), padding=(2, 2, 2, 2)),
]


def program_of(c: int, h: int, w: int, window: Window, rows: int = 64) -> Program:
    """Return a product of so many windows of a map from the first on; there may be fewer."""

    @tl.kernel("x[C, H, W]: float16, b[K, 16]: float16 @ ZN; m -> y[m, 16]: float32")
    def multiply(x: tl.Tensor, b: tl.Tensor, y: tl.Tensor, *, m: int) -> None:
        features = tl.alloc_l1(tuple(x.shape), x.dtype)
        a0 = tl.alloc_l0a((m, b.shape[0]), x.dtype)
        b0 = tl.alloc_l0b((b.shape[0], 16), b.dtype)
        acc = tl.alloc_l0c((m, 16), "float32")
        out = tl.alloc_ub((m, 16), "float32")
        tl.data_move(features, x)
        tl.data_move(b0, b)
        tl.load3d(
            a0,
            features,
            kernel=window.kernel,
            stride=window.stride,
            dilation=window.dilation,
            padding=window.padding,
        )
        tl.mmad(acc, a0, b0, init=True)
        tl.data_move(out, acc)
        tl.data_move(y[0, 0], out)

    k = -(-c // 16) * 16 * prod(window.kernel)
    return multiply.program(C=c, H=h, W=w, K=k, m=rows)


def columns_of(program: Program) -> Columns:
    """Return the operand that is read from its map."""
    windows = find_windows(lower(program, find_machine("host")), find_host())
    return windows.operands["a0"]
