"""TIK scripts of matrix products, written by hand from the vendor's rules, for the emulator."""

from typing import Any

from tests.backends.tik.scripts import tik_module


def ceil16(value: int) -> int:
    return -(-value // 16)


def gemm(m: int, n: int, k: int, tile: tuple[int, int, int] = (128, 128, 64)) -> None:
    """C = a @ b, float16 to float32, pitches multiples of 16, whole tiles; one tile a core."""
    tik = tik_module()
    t = tik.Tik()
    mt, nt, kt = tile
    m1, n1, k1 = mt // 16, nt // 16, kt // 16
    a = t.Tensor("float16", (m, k), name="a", scope=tik.scope_gm)
    b = t.Tensor("float16", (k, n), name="b", scope=tik.scope_gm)
    c = t.Tensor("float32", (m, n), name="c", scope=tik.scope_gm)
    columns = n // nt
    with t.for_range(0, m // mt * columns, name="core", block_num=m // mt * columns) as core:
        m0, n0 = core // columns * mt, core % columns * nt
        l0c = t.Tensor("float32", (n1, mt, 16), name="l0c", scope=tik.scope_cc)
        with t.for_range(0, k // kt, name="step", thread_num=2) as step:
            a1 = t.Tensor("float16", (k1, mt, 16), name="a1", scope=tik.scope_cbuf)
            b1 = t.Tensor("float16", (n1, kt, 16), name="b1", scope=tik.scope_cbuf)
            a0 = t.Tensor("float16", (m1, k1, 16, 16), name="a0", scope=tik.scope_ca)
            b0 = t.Tensor("float16", (k1, n1, 16, 16), name="b0", scope=tik.scope_cb)
            for i in range(k1):
                src = a[m0 * k + step * kt + 16 * i]
                t.data_move(a1[i * mt * 16], src, 0, mt, 1, k // 16 - 1, 0)
            for i in range(n1):
                src = b[step * kt * n + n0 + 16 * i]
                t.data_move(b1[i * kt * 16], src, 0, kt, 1, n // 16 - 1, 0)
            for i in range(m1):
                t.load2dv1(a0[i * k1 * 256], a1, i, k1, m1, 0, False)
            for i in range(k1):
                t.load2dv1(b0[i * n1 * 256], b1, i, n1, k1, 0, True)
            with t.if_scope(step == 0):
                t.mmad(l0c, a0, b0, mt, kt, nt, 0)
            with t.else_scope():
                t.mmad(l0c, a0, b0, mt, kt, nt, 1)
        ub = t.Tensor("float32", (n1, mt, 16), name="ub", scope=tik.scope_ubuf)
        t.data_move(ub, l0c, 0, 1, n1 * m1, 0, 0)
        for i in range(n1):
            t.data_move(c[m0 * n + n0 + 16 * i], ub[i * mt * 16], 0, mt, 2, 0, n // 8 - 2)
    t.BuildCCE("gemm", [a, b], [c])


def ragged_gemm(m: int, n: int, k: int) -> None:
    """One tile of any size: each row of a and b is moved alone, c leaves by elements' blocks.

    GM rows have pitches that are no multiples of 16, so rows go to L1 one by one; mmad gets the
    true m, k, n, and c's pitch in GM is n rounded up to 16.
    """
    tik = tik_module()
    t = tik.Tik()
    m1, n1, k1 = ceil16(m), ceil16(n), ceil16(k)
    a = t.Tensor("float16", (m, k), name="a", scope=tik.scope_gm)
    b = t.Tensor("float16", (k, n), name="b", scope=tik.scope_gm)
    c = t.Tensor("float32", (m, n1 * 16), name="c", scope=tik.scope_gm)
    a1 = t.Tensor("float16", (k1, m1 * 16, 16), name="a1", scope=tik.scope_cbuf)
    b1 = t.Tensor("float16", (n1, k1 * 16, 16), name="b1", scope=tik.scope_cbuf)
    with t.for_range(0, m) as row:
        t.data_move(a1[16 * row], a[row * k], 0, k1, 1, 0, m1 * 16 - 1)
    with t.for_range(0, k) as row:
        t.data_move(b1[16 * row], b[row * n], 0, n1, 1, 0, k1 * 16 - 1)
    a0 = t.Tensor("float16", (m1, k1, 16, 16), name="a0", scope=tik.scope_ca)
    b0 = t.Tensor("float16", (k1, n1, 16, 16), name="b0", scope=tik.scope_cb)
    for i in range(m1):
        t.load2dv1(a0[i * k1 * 256], a1, i, k1, m1, 0, False)
    for i in range(k1):
        t.load2dv1(b0[i * n1 * 256], b1, i, n1, k1, 0, True)
    l0c = t.Tensor("float32", (n1, m1 * 16, 16), name="l0c", scope=tik.scope_cc)
    t.mmad(l0c, a0, b0, m, k, n, 0)
    ub = t.Tensor("float32", (n1, m1 * 16, 16), name="ub", scope=tik.scope_ubuf)
    t.data_move(ub, l0c, 0, 1, n1 * m1, 0, 0)
    zero_columns(t, ub, n, n1, m1 * 16)
    for i in range(n1):
        t.data_move(c[16 * i], ub[i * m1 * 256], 0, m, 2, 0, 2 * n1 - 2)
    t.BuildCCE("ragged_gemm", [a, b], [c])


def zero_columns(t: Any, ub: Any, n: int, n1: int, rows: int) -> None:
    """Zero columns n .. of the last column group; a row of 16 is two blocks of float32."""
    for half in (0, 8):
        first = max(n - 16 * (n1 - 1) - half, 0)
        if first < 8:
            pattern = ((0xFF << first) & 0xFF) * 0x0101010101010101
            t.vector_dup([0, pattern], ub[(n1 - 1) * rows * 16 + half], 0.0, rows // 8, 2, 16)


def gemm_bias_relu(m: int, n: int, k: int) -> None:
    """Y = relu(a @ bt.T + bias) in float16: B^T by plain load2d, epilogue on NZ, NZ to ND by vconv.

    m, n, k are multiples of 16.
    """
    tik = tik_module()
    t = tik.Tik()
    m1, n1, k1 = m // 16, n // 16, k // 16
    a = t.Tensor("float16", (m, k), name="a", scope=tik.scope_gm)
    bt = t.Tensor("float16", (n, k), name="bt", scope=tik.scope_gm)
    bias = t.Tensor("float32", (n,), name="bias", scope=tik.scope_gm)
    y = t.Tensor("float16", (m, n), name="y", scope=tik.scope_gm)
    l0c = t.Tensor("float32", (n1, m, 16), name="l0c", scope=tik.scope_cc)
    with t.new_stmt_scope():
        a1 = t.Tensor("float16", (k1, m, 16), name="a1", scope=tik.scope_cbuf)
        b1 = t.Tensor("float16", (k1, n, 16), name="b1", scope=tik.scope_cbuf)
        a0 = t.Tensor("float16", (m1, k1, 16, 16), name="a0", scope=tik.scope_ca)
        b0 = t.Tensor("float16", (k1, n1, 16, 16), name="b0", scope=tik.scope_cb)
        with t.for_range(0, k1) as i:
            t.data_move(a1[i * m * 16], a[16 * i], 0, m, 1, k1 - 1, 0)
            t.data_move(b1[i * n * 16], bt[16 * i], 0, n, 1, k1 - 1, 0)
        with t.for_range(0, m1) as i:
            t.load2dv1(a0[i * k1 * 256], a1, i, k1, m1, 0, False)
        t.load2dv1(b0, b1, 0, k1 * n1, 1, 0, False)
        t.mmad(l0c, a0, b0, m, k, n, 0)
    ub = t.Tensor("float32", (n1, m, 16), name="ub", scope=tik.scope_ubuf)
    row = t.Tensor("float32", (n,), name="row", scope=tik.scope_ubuf)
    out = t.Tensor("float16", (m, n), name="out", scope=tik.scope_ubuf)
    t.data_move(ub, l0c, 0, 1, n1 * m1, 0, 0)
    t.data_move(row, bias, 0, 1, n // 8, 0, 0)
    for i in range(n1):
        for half in (0, 8):
            at = ub[i * m * 16 + half]
            t.vadd(64, at, at, row[16 * i + half], m // 8, 2, 2, 0, 16, 16, 0)
        t.vconv(64, "", out[16 * i], ub[i * m * 16], m // 4, n1, 1, 4 * n1, 8)
    t.vrelu(128, out, out, m * n // 128, 1, 1, 8, 8)
    t.data_move(y, out, 0, 1, m * n // 16, 0, 0)
    t.BuildCCE("gemm_bias_relu", [a, bt, bias], [y])


def matmul_fixpipe(m: int, n: int, k: int, dtype: str) -> None:
    """C = a @ b from NZ arrays by tik.matmul and fixpipe; c is [n1, m, 16]."""
    tik = tik_module()
    t = tik.Tik()
    k0 = 32 if dtype == "int8" else 16
    m1, n1, k1 = ceil16(m), ceil16(n), -(-k // k0)
    sums = "int32" if dtype == "int8" else "float32"
    a = t.Tensor(dtype, (k1, m1 * 16, k0), name="a", scope=tik.scope_gm)
    b = t.Tensor(dtype, (k1, n1 * 16, k0), name="b", scope=tik.scope_gm)
    c = t.Tensor(sums, (n1, m, 16), name="c", scope=tik.scope_gm)
    a1 = t.Tensor(dtype, a.shape, name="a1", scope=tik.scope_cbuf)
    b1 = t.Tensor(dtype, b.shape, name="b1", scope=tik.scope_cbuf)
    c1 = t.Tensor(sums, (n1, m1 * 16, 16), name="c1", scope=tik.scope_cbuf_out)
    t.data_move(a1, a, 0, 1, k1 * m1 * 16, 0, 0)
    t.data_move(b1, b, 0, 1, k1 * n1 * 16, 0, 0)
    t.matmul(c1, a1, b1, m, k, n)
    t.fixpipe(c, c1, n1, m * 2, 0, 0)
    t.BuildCCE("matmul", [a, b], [c])


def mmad_int8(m: int, n: int, k: int) -> None:
    """C = a @ bt.T in int8 with int32 sums; multiples of 16 and 32."""
    tik = tik_module()
    t = tik.Tik()
    m1, n1, k1 = m // 16, n // 16, k // 32
    a = t.Tensor("int8", (m, k), name="a", scope=tik.scope_gm)
    bt = t.Tensor("int8", (n, k), name="bt", scope=tik.scope_gm)
    c = t.Tensor("int32", (n1, m, 16), name="c", scope=tik.scope_gm)
    a1 = t.Tensor("int8", (k1, m, 32), name="a1", scope=tik.scope_cbuf)
    b1 = t.Tensor("int8", (k1, n, 32), name="b1", scope=tik.scope_cbuf)
    a0 = t.Tensor("int8", (m1, k1, 16, 32), name="a0", scope=tik.scope_ca)
    b0 = t.Tensor("int8", (k1, n1, 16, 32), name="b0", scope=tik.scope_cb)
    for i in range(k1):
        t.data_move(a1[i * m * 32], a[32 * i], 0, m, 1, k1 - 1, 0)
        t.data_move(b1[i * n * 32], bt[32 * i], 0, n, 1, k1 - 1, 0)
    for i in range(m1):
        t.load2dv1(a0[i * k1 * 512], a1, i, k1, m1, 0, False)
    t.load2dv1(b0, b1, 0, k1 * n1, 1, 0, False)
    l0c = t.Tensor("int32", (n1, m, 16), name="l0c", scope=tik.scope_cc)
    t.mmad(l0c, a0, b0, m, k, n, 0)
    ub = t.Tensor("int32", (n1, m, 16), name="ub", scope=tik.scope_ubuf)
    t.tensor_mov(ub, l0c, "m", 1, n1 * m1, 0, 0)
    t.data_move(c, ub, 0, 1, n1 * m * 2, 0, 0)
    t.BuildCCE("mmad_int8", [a, bt], [c])
