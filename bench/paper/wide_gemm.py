"""A matrix product in TIK with everything on: fractals in GM, two copies of everything.

A and the transpose of B are in fractal order, as the chip's own libraries keep them, so that moves
are wide. A core has a block of the result; two accumulators take turns, so that one leaves through
UB while the other is summed.
"""

from tilelang.backends.tik.instructions import InstructionProgram
from tilelang.backends.tik.recorder import record_source

_SCRIPT = """
from tbe import tik

def gemm(sizes, tiles, grid):
    t = tik.Tik()
    (m, n, k), (mt, nt, kt), (rows, columns) = sizes, tiles, grid
    m1, n1, k1 = mt // 16, nt // 16, kt // 16
    a = t.Tensor("float16", (k // 16, m, 16), name="a", scope=tik.scope_gm)
    b = t.Tensor("float16", (k // 16, n, 16), name="b", scope=tik.scope_gm)
    c = t.Tensor("float16", (n // 16, m, 16), name="c", scope=tik.scope_gm)

    def product(m0, n0, l0c, ub):
        with t.for_range(0, k // kt, thread_num=2) as step:
            a1 = t.Tensor("float16", (k1, mt, 16), name="a1", scope=tik.scope_cbuf)
            b1 = t.Tensor("float16", (k1, nt, 16), name="b1", scope=tik.scope_cbuf)
            a0 = t.Tensor("float16", (m1, k1, 16, 16), name="a0", scope=tik.scope_ca)
            b0 = t.Tensor("float16", (k1, n1, 16, 16), name="b0", scope=tik.scope_cb)
            t.data_move(a1, a[step * kt * m + m0 * 16], 0, k1, mt, m - mt, 0)
            t.data_move(b1, b[step * kt * n + n0 * 16], 0, k1, nt, n - nt, 0)
            for i in range(m1):
                t.load2dv1(a0[i * k1 * 256], a1, i, k1, m1, 0, False)
            t.load2dv1(b0, b1, 0, k1 * n1, 1, 0, False)
            with t.if_scope(step == 0):
                t.mmad(l0c, a0, b0, mt, kt, nt, 0)
            with t.else_scope():
                t.mmad(l0c, a0, b0, mt, kt, nt, 1)
        t.data_move(ub, l0c, 0, 1, n1 * m1, 0, 0, 1)
        t.data_move(c[n0 * m + m0 * 16], ub, 0, n1, mt, 0, m - mt)

    core_m, core_n = m // rows, n // columns
    with t.for_range(0, rows * columns, block_num=rows * columns) as core:
        with t.for_range(0, core_m // mt) as i:
            with t.for_range(0, core_n // nt // 2) as j:
                m0 = core // columns * core_m + i * mt
                n0 = core % columns * core_n + j * 2 * nt
                sums = [t.Tensor("float32", (n1, mt, 16), name=f"sums{half}", scope=tik.scope_cc)
                        for half in range(2)]
                out = [t.Tensor("float16", (n1, mt, 16), name=f"out{half}", scope=tik.scope_ubuf)
                       for half in range(2)]
                for half in range(2):
                    product(m0, n0 + half * nt, sums[half], out[half])
    t.BuildCCE("wide_gemm", [a, b], [c])
"""


def wide_gemm(
    sizes: tuple[int, int, int],
    tiles: tuple[int, int, int] = (128, 256, 64),
    grid: tuple[int, int] = (8, 4),
) -> InstructionProgram:
    """Return the product of sizes (m, n, k) in tiles (m, n, k), on a grid of cores over (m, n).

    A core's part is a multiple of a tile, along n of two.
    """
    return record_source(_SCRIPT, "gemm", sizes, tiles, grid)
