"""A convolution in TIK with everything on: weights stay in L1, an output row at a time.

Features are NC1HWC0, weights fractals; stride 1, and as much padding as keeps the size. Cores share
out the images. Two accumulators take turns, as in `wide_gemm`.
"""

from dataclasses import dataclass

from tilelang.backends.tik.instructions import InstructionProgram
from tilelang.backends.tik.recorder import record_source

_SCRIPT = """
from tbe import tik

def conv(images, cores, size, channels, outputs, kernel, tiles):
    t = tik.Tik()
    mt, k1, nt = tiles
    c1, n1, pad, taps = channels // 16, nt // 16, kernel // 2, kernel * kernel
    m1 = -(-mt // 16)
    n_k = c1 * taps
    high = size + 2 * pad
    x = t.Tensor("float16", (images, c1, high, size, 16), name="x", scope=tik.scope_gm)
    w = t.Tensor("float16", (outputs // nt, n_k, n1, 16, 16), name="w", scope=tik.scope_gm)
    y = t.Tensor("float16", (images, outputs // 16, size, size, 16), name="y", scope=tik.scope_gm)

    def load(fm, image, row):
        src = x[((image * c1) * high + row) * size * 16]
        t.data_move(fm, src, 0, c1, kernel * size, (high - kernel) * size, 0)

    def tile(place, fm, w1, l0c, ub):
        image, block, row, column = place
        with t.for_range(0, n_k // k1, thread_num=2) as step:
            a0 = t.Tensor("float16", (m1, k1, 16, 16), name="a0", scope=tik.scope_ca)
            b0 = t.Tensor("float16", (k1, n1, 16, 16), name="b0", scope=tik.scope_cb)
            tap = step * k1
            group, rest = tap // taps, tap % taps
            for i in range(m1):
                t.load3dv1(a0[i * k1 * 256], fm, [pad, pad, 0, 0], kernel, size, group,
                           rest % kernel, rest // kernel, column + i * 16 - pad, 0, 1, 1,
                           kernel, kernel, 1, 1, 1, 0, k1)
            t.load2dv1(b0, w1[step * k1 * n1 * 256], 0, k1 * n1, 1, 0, False)
            with t.if_scope(step == 0):
                t.mmad(l0c, a0, b0, mt, k1 * 16, nt, 0)
            with t.else_scope():
                t.mmad(l0c, a0, b0, mt, k1 * 16, nt, 1)
        t.data_move(ub, l0c, 0, 1, n1 * m1, 0, 0, 1)
        dst = y[(((image * (outputs // 16) + block * n1) * size + row) * size + column) * 16]
        t.data_move(dst, ub, 0, n1, mt, m1 * 16 - mt, size * size - mt)

    def twice(name, shape, dtype, scope):
        return [t.Tensor(dtype, shape, name=f"{name}{half}", scope=scope) for half in range(2)]

    def image_rows(image, block, w1):
        maps = twice("fm", (c1, kernel, size, 16), "float16", tik.scope_cbuf)
        sums = twice("sums", (n1, m1 * 16, 16), "float32", tik.scope_cc)
        out = twice("out", (n1, m1 * 16, 16), "float16", tik.scope_ubuf)
        load(maps[0], image, 0)
        with t.for_range(0, size // 2) as pair:
            for half in range(2):
                row = 2 * pair + half
                with t.if_scope(row + 1 < size):
                    load(maps[1 - half], image, row + 1)
                for i in range(size // mt):
                    turn = (half * (size // mt) + i) % 2
                    place = (image, block, row, i * mt)
                    tile(place, maps[half], w1, sums[turn], out[turn])

    with t.for_range(0, cores, block_num=cores) as core:
        with t.for_range(0, outputs // nt) as block:
            w1 = t.Tensor("float16", (n_k, n1, 16, 16), name="w1", scope=tik.scope_cbuf)
            t.data_move(w1, w[block * n_k * n1 * 256], 0, 1, n_k * n1 * 16, 0, 0)
            with t.for_range(0, images // cores) as number:
                image_rows(core * (images // cores) + number, block, w1)
    t.BuildCCE("wide_conv", [x, w], [y])
"""


@dataclass(frozen=True, slots=True)
class Conv:
    """Sizes of a convolution; maps are square, and padded above and below in GM."""

    images: int
    size: int
    channels: int
    outputs: int
    kernel: int
    cores: int = 32

    def program(self) -> InstructionProgram:
        """Return the program, in tiles of at most 112 positions of a row by 256 outputs."""
        m_tile = self.size // -(-self.size // 112)
        n_tile = min(self.outputs, 256)
        n_k = self.channels // 16 * self.kernel**2
        most = min(64 // -(-m_tile // 16), 64 // (n_tile // 16))
        k1 = max(k for k in range(1, most + 1) if n_k % k == 0)
        return record_source(
            _SCRIPT, "conv", self.images, self.cores, self.size, self.channels, self.outputs,
            self.kernel, (m_tile, k1, n_tile),
        )  # fmt: skip
