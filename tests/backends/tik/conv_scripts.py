"""TIK scripts of convolutions, written by hand from the vendor's rules, for the emulator."""

from dataclasses import dataclass

from tests.backends.tik.scripts import tik_module


@dataclass(frozen=True)
class Case:
    """Sizes of a convolution: channels in groups of 16, one pad and stride for both axes."""

    c1: int
    height: int
    width: int
    n_out: int
    kernel: tuple[int, int]
    stride: int = 1
    pad: int = 0

    @property
    def output(self) -> tuple[int, int]:
        sizes = (self.height, self.width)
        height, width = (
            (size + 2 * self.pad - kernel) // self.stride + 1
            for size, kernel in zip(sizes, self.kernel, strict=True)
        )
        return height, width

    @property
    def n_positions(self) -> int:
        return self.output[0] * self.output[1]


def conv_load3d(case: Case, repeat_mode: int) -> None:
    """Convolve NC1HWC0 by FRACTAL_Z weights: load3d, mmad, NZ out, which is NC1HWC0 again."""
    tik = tik_module()
    t = tik.Tik()
    kh, kw = case.kernel
    k1, n1 = case.c1 * kh * kw, case.n_out // 16
    m1 = -(-case.n_positions // 16)
    x = t.Tensor("float16", (case.c1, case.height, case.width, 16), name="x", scope=tik.scope_gm)
    w = t.Tensor("float16", (k1, n1, 16, 16), name="w", scope=tik.scope_gm)
    y = t.Tensor("float16", (n1, case.n_positions, 16), name="y", scope=tik.scope_gm)
    fm = t.Tensor("float16", x.shape, name="fm", scope=tik.scope_cbuf)
    w1 = t.Tensor("float16", w.shape, name="w1", scope=tik.scope_cbuf)
    a0 = t.Tensor("float16", (m1, k1, 16, 16), name="a0", scope=tik.scope_ca)
    b0 = t.Tensor("float16", (k1, n1, 16, 16), name="b0", scope=tik.scope_cb)
    t.data_move(fm, x, 0, 1, case.c1 * case.height * case.width, 0, 0)
    t.data_move(w1, w, 0, 1, k1 * n1 * 16, 0, 0)
    t.load2dv1(b0, w1, 0, k1 * n1, 1, 0, False)
    pads, s = [case.pad] * 4, case.stride
    size = (case.height, case.width)
    if repeat_mode == 1:
        for tap in range(k1):
            group, rest = divmod(tap, kh * kw)
            row, column = divmod(rest, kw)
            place = (group, column, row, -case.pad, -case.pad)
            t.load3dv1(a0[tap * 256], fm, pads, *size, *place, s, s, kw, kh, 1, 1, k1, 1, m1)
    else:
        for i in range(m1):
            row, column = divmod(16 * i, case.output[1])
            place = (0, 0, 0, column * s - case.pad, row * s - case.pad)
            t.load3dv1(a0[i * k1 * 256], fm, pads, *size, *place, s, s, kw, kh, 1, 1, 1, 0, k1)
    l0c = t.Tensor("float32", (n1, m1 * 16, 16), name="l0c", scope=tik.scope_cc)
    t.mmad(l0c, a0, b0, m1 * 16, k1 * 16, case.n_out, 0)
    ub = t.Tensor("float16", (n1, m1 * 16, 16), name="ub", scope=tik.scope_ubuf)
    t.data_move(ub, l0c, 0, 1, n1 * m1, 0, 0, 1)
    t.data_move(y, ub, 0, n1, case.n_positions, m1 * 16 - case.n_positions, 0)
    t.BuildCCE("conv", [x, w], [y])


def conv_tik(case: Case) -> None:
    """Do the same by tik.conv2d and fixpipe; weights [C1, Kh, Kw, Cout, C0] are FRACTAL_Z."""
    tik = tik_module()
    t = tik.Tik()
    kh, kw = case.kernel
    n1, rows = case.n_out // 16, -(-case.n_positions // 16) * 16
    x = t.Tensor("float16", (case.c1, case.height, case.width, 16), name="x", scope=tik.scope_gm)
    w = t.Tensor("float16", (case.c1, kh, kw, case.n_out, 16), name="w", scope=tik.scope_gm)
    y = t.Tensor("float16", (n1, case.n_positions, 16), name="y", scope=tik.scope_gm)
    fm = t.Tensor("float16", x.shape, name="fm", scope=tik.scope_cbuf)
    w1 = t.Tensor("float16", w.shape, name="w1", scope=tik.scope_cbuf)
    c1 = t.Tensor("float32", (n1, rows, 16), name="c1", scope=tik.scope_cbuf_out)
    t.data_move(fm, x, 0, 1, case.c1 * case.height * case.width, 0, 0)
    t.data_move(w1, w, 0, 1, case.c1 * kh * kw * case.n_out, 0, 0)
    stride, pad = [case.stride] * 2, [case.pad] * 4
    t.conv2d(c1, fm, w1, list(fm.shape), list(w1.shape), stride, pad, [1, 1])
    quantize = {"quantize_params": {"mode": "fp322fp16", "mode_param": None}}
    t.fixpipe(y, c1, n1, case.n_positions * 2, 0, 0, extend_params=quantize)
    t.BuildCCE("conv", [x, w], [y])
