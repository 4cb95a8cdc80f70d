"""Kernels that say the same product in the ways of a chip with small memories, and others."""

from typing import Any

import numpy as np

import tilelang as tl


@tl.kernel("a[M, K]: T, b[K, N]: T -> c[M, N]: acc(T)")
def ping_pong(
    a: tl.Tensor,
    b: tl.Tensor,
    c: tl.Tensor,
    *,
    m_tile: int = 64,
    n_tile: int = 64,
    k_tile: int = 32,
) -> None:
    """Fill one of two tiles while the other is multiplied, by hand."""
    (M, K), N = a.shape, b.shape[1]
    n_steps = tl.ceildiv(K, k_tile)
    for i, j in tl.cores(tl.ceildiv(M, m_tile), tl.ceildiv(N, n_tile)):
        acc = tl.alloc_l0c((m_tile, n_tile), tl.acc(a.dtype))
        a1 = tl.alloc_l1((2, m_tile, k_tile), a.dtype)
        b1 = tl.alloc_l1((2, k_tile, n_tile), b.dtype)
        tl.data_move(a1[0, :, :], a[i * m_tile :, 0:])
        tl.data_move(b1[0, :, :], b[0:, j * n_tile :])
        for k in tl.for_range(n_steps):
            with tl.if_scope(k + 1 < n_steps):
                tl.data_move(a1[(k + 1) % 2, :, :], a[i * m_tile :, (k + 1) * k_tile :])
                tl.data_move(b1[(k + 1) % 2, :, :], b[(k + 1) * k_tile :, j * n_tile :])
            tl.matmul(acc, a1[k % 2, :, :], b1[k % 2, :, :], init=k == 0)
        out = tl.alloc_ub((m_tile, n_tile), c.dtype)
        tl.data_move(out, acc)
        tl.data_move(c[i * m_tile, j * n_tile], out)


@tl.kernel("a[M, K]: T, b[K, N]: T -> c[M, N]: acc(T)")
def two_buffers(
    a: tl.Tensor,
    b: tl.Tensor,
    c: tl.Tensor,
    *,
    m_tile: int = 64,
    n_tile: int = 64,
    k_tile: int = 32,
) -> None:
    """Use two buffers in turn, each in a branch of its own."""
    (M, K), N = a.shape, b.shape[1]
    for i, j in tl.cores(tl.ceildiv(M, m_tile), tl.ceildiv(N, n_tile)):
        acc = tl.alloc_l0c((m_tile, n_tile), tl.acc(a.dtype))
        ping = tl.alloc_l1((m_tile, k_tile), a.dtype)
        pong = tl.alloc_l1((m_tile, k_tile), a.dtype)
        for k in tl.for_range(tl.ceildiv(K, k_tile)):
            b1 = tl.alloc_l1((k_tile, n_tile), b.dtype)
            tl.data_move(b1, b[k * k_tile, j * n_tile])
            with tl.if_scope(k % 2 == 0):
                tl.data_move(ping, a[i * m_tile, k * k_tile])
                tl.matmul(acc, ping, b1, init=k == 0)
            with tl.else_scope():
                tl.data_move(pong, a[i * m_tile, k * k_tile])
                tl.matmul(acc, pong, b1, init=k == 0)
        out = tl.alloc_ub((m_tile, n_tile), c.dtype)
        tl.data_move(out, acc)
        tl.data_move(c[i * m_tile, j * n_tile], out)


@tl.kernel("a[M, K]: T, b[N, K]: T -> c[M, N]: acc(T)")
def slices(  # noqa: PLR0913 - three tensors and four tile sizes
    a: tl.Tensor,
    b: tl.Tensor,
    c: tl.Tensor,
    *,
    m_tile: int = 64,
    n_tile: int = 64,
    k_tile: int = 64,
    k_slice: int = 32,
) -> None:
    """Multiply slices of L1 tiles from L0, the right one transposed."""
    (M, K), N = a.shape, b.shape[0]
    for i, j in tl.cores(tl.ceildiv(M, m_tile), tl.ceildiv(N, n_tile)):
        acc = tl.alloc_l0c((m_tile, n_tile), tl.acc(a.dtype))
        for k in tl.for_range(tl.ceildiv(K, k_tile), stages=2):
            a1 = tl.alloc_l1((m_tile, k_tile), a.dtype)
            b1 = tl.alloc_l1((n_tile, k_tile), b.dtype)
            tl.data_move(a1, a[i * m_tile, k * k_tile])
            tl.data_move(b1, b[j * n_tile, k * k_tile])
            for s in tl.for_range(k_tile // k_slice):
                a0 = tl.alloc_l0a((m_tile, k_slice), a.dtype)
                b0 = tl.alloc_l0b((k_slice, n_tile), b.dtype)
                tl.data_move(a0, a1[0, s * k_slice])
                tl.data_move(b0, b1.T[s * k_slice, 0])
                tl.mmad(acc, a0, b0, init=(k == 0) & (s == 0))
        out = tl.alloc_ub((m_tile, n_tile), c.dtype)
        tl.data_move(out, acc)
        tl.data_move(c[i * m_tile, j * n_tile], out)


@tl.kernel("a[M, K]: float16, b[K, N]: float16 -> c[M, N]: float32, d[M, N]: float32")
def two_sums(a: tl.Tensor, b: tl.Tensor, c: tl.Tensor, d: tl.Tensor) -> None:
    """C = a @ b and d = |a| @ b by two accumulators; rows of c after 16 by a condition."""
    M, K = a.shape
    for i in tl.cores(tl.ceildiv(M, 16)):
        total, size = tl.alloc_l0c((16, 32), "float32"), tl.alloc_l0c((16, 32), "float32")
        for k in tl.for_range(tl.ceildiv(K, 16)):
            a1, b1 = tl.alloc_l1((16, 16), a.dtype), tl.alloc_l1((16, 32), b.dtype)
            ub, a2 = tl.alloc_ub((16, 16), a.dtype), tl.alloc_l1((16, 16), a.dtype)
            tl.data_move(a1, a[i * 16, k * 16])
            tl.data_move(ub, a[i * 16, k * 16])
            tl.data_move(b1, b[k * 16, 0])
            ub[:] = tl.abs(ub)
            tl.data_move(a2, ub)
            tl.matmul(total, a1, b1, init=k == 0)
            tl.matmul(size, a2, b1, init=k == 0)
        out = tl.alloc_ub((16, 32), c.dtype)
        tl.data_move(out, total)
        with tl.if_scope(i > 0):
            out[:] = out * 2.0
        tl.data_move(c[i * 16, 0], out)
        tl.data_move(out, size)
        tl.data_move(d[i * 16, 0], out)


@tl.kernel("a[M, K]: float16, b[K, N]: float16 -> c[M, N]: float32, last[M, N]: float32")
def restarts(a: tl.Tensor, b: tl.Tensor, c: tl.Tensor, last: tl.Tensor) -> None:
    """C is added up from two sums, each begun anew; `last` is what every third step begins."""
    (M, K), N = a.shape, b.shape[1]
    n_steps = tl.ceildiv(K, 32)
    for i, j in tl.cores(tl.ceildiv(M, 16), tl.ceildiv(N, 32)):
        acc, part = tl.alloc_l0c((16, 32), "float32"), tl.alloc_l0c((16, 32), "float32")
        total, out = tl.alloc_ub((16, 32), "float32"), tl.alloc_ub((16, 32), "float32")
        total[:] = 0
        for t in tl.for_range(2):
            for k in tl.for_range(n_steps):
                a1, b1 = tl.alloc_l1((16, 16), a.dtype), tl.alloc_l1((16, 32), b.dtype)
                tl.data_move(a1, a[i * 16, k * 32 + t * 16])
                tl.data_move(b1, b[k * 32 + t * 16, j * 32])
                tl.matmul(acc, a1, b1, init=k == 0)
                tl.matmul(part, a1, b1, init=(2 * k + t) % 3 == 0)
            tl.data_move(out, acc)
            total += out
        tl.data_move(c[i * 16, j * 32], total)
        tl.data_move(out, part)
        tl.data_move(last[i * 16, j * 32], out)


@tl.kernel("a[M, K]: float16, b[K, N]: float16 -> c[M, N]: float32")
def parts_of_l0c(a: tl.Tensor, b: tl.Tensor, c: tl.Tensor) -> None:
    """Multiply into halves of an accumulator."""
    (M, K), N = a.shape, b.shape[1]
    for i, j in tl.cores(tl.ceildiv(M, 16), tl.ceildiv(N, 64)):
        acc = tl.alloc_l0c((16, 64), "float32")
        for k in tl.for_range(tl.ceildiv(K, 16)):
            a1, b1 = tl.alloc_l1((16, 16), a.dtype), tl.alloc_l1((16, 64), b.dtype)
            tl.data_move(a1, a[i * 16, k * 16])
            tl.data_move(b1, b[k * 16, j * 64])
            for s in tl.for_range(2):
                a0, b0 = tl.alloc_l0a((16, 16), a.dtype), tl.alloc_l0b((16, 32), b.dtype)
                tl.data_move(a0, a1)
                tl.data_move(b0, b1[0, s * 32])
                tl.mmad(acc[0:16, s * 32 : s * 32 + 32], a0, b0, init=k == 0)
        out = tl.alloc_ub((16, 64), "float32")
        tl.data_move(out, acc)
        tl.data_move(c[i * 16, j * 64], out)


@tl.kernel("a[M, K]: float16, b[K, N]: float16 -> c[M, N]: float32")
def late(a: tl.Tensor, b: tl.Tensor, c: tl.Tensor) -> None:
    """Multiply slices of tiles that were filled a step before, in the same buffers."""
    (M, K), N = a.shape, b.shape[1]
    n_steps = tl.ceildiv(K, 32)
    for i, j in tl.cores(tl.ceildiv(M, 16), tl.ceildiv(N, 32)):
        acc = tl.alloc_l0c((16, 32), "float32")
        a1, b1 = tl.alloc_l1((16, 32), a.dtype), tl.alloc_l1((32, 32), b.dtype)
        for k in tl.for_range(n_steps + 1):
            with tl.if_scope(k > 0):
                for s in tl.for_range(2):
                    a0, b0 = tl.alloc_l0a((16, 16), a.dtype), tl.alloc_l0b((16, 32), b.dtype)
                    tl.data_move(a0, a1[0, s * 16])
                    tl.data_move(b0, b1[s * 16, 0])
                    tl.mmad(acc, a0, b0, init=(k == 1) & (s == 0))
            with tl.if_scope(k < n_steps):
                tl.data_move(a1, a[i * 16, k * 32])
                tl.data_move(b1, b[k * 32, j * 32])
        out = tl.alloc_ub((16, 32), "float32")
        tl.data_move(out, acc)
        tl.data_move(c[i * 16, j * 32], out)


@tl.kernel("x[M, N]: float32 -> y[M, N]: float32, last[1, N]: float32")
def alternating(x: tl.Tensor, y: tl.Tensor, last: tl.Tensor) -> None:
    """Double every row in one of two buffers by turns; what one held last is a result too."""
    M, N = x.shape
    for j in tl.cores(tl.ceildiv(N, 16)):
        even, odd = tl.alloc_ub((1, 16), "float32"), tl.alloc_ub((1, 16), "float32")
        odd[:] = 0
        for t in tl.for_range(M):
            with tl.if_scope(t % 2 == 0):
                tl.data_move(even, x[t, j * 16])
                even += even
                tl.data_move(y[t, j * 16], even)
            with tl.else_scope():
                tl.data_move(odd, x[t, j * 16])
                odd += odd
                tl.data_move(y[t, j * 16], odd)
        tl.data_move(last[0, j * 16], odd)


@tl.kernel("x[M, N]: float32 -> y[M, N]: float32")
def cumulative(x: tl.Tensor, y: tl.Tensor) -> None:
    """Add up rows of y through global memory: each step reads what the one before it stored."""
    M, N = x.shape
    for j in tl.cores(tl.ceildiv(N, 16)):
        before, now = tl.alloc_ub((1, 16), "float32"), tl.alloc_ub((1, 16), "float32")
        for t in tl.for_range(M, stages=2):
            tl.data_move(now, x[t, j * 16])
            with tl.if_scope(t > 0):
                tl.data_move(before, y[t - 1, j * 16])
                now[:] = now + before
            tl.data_move(y[t, j * 16], now)


@tl.kernel("x[M, N]: float32 -> y[M, N]: float32")
def halves(x: tl.Tensor, y: tl.Tensor) -> None:
    """Swap the halves of tiles of 32 columns, in parts of buffers that Triton cannot slice."""
    M, N = x.shape
    for i, j in tl.cores(tl.ceildiv(M, 8), tl.ceildiv(N, 32)):
        tile, swapped = tl.alloc_ub((8, 32), "float32"), tl.alloc_ub((8, 32), "float32")
        tl.data_move(tile, x[i * 8, j * 32])
        swapped[0:8, 0:16] = tile[0:8, 16:32] * 2.0
        swapped[0:8, 16:32] = tile[0:8, 0:16] + 1.0
        tl.data_move(y[i * 8, j * 32], swapped)


@ping_pong.reference
def ping_pong_reference(a: Any, b: Any) -> Any:
    return a @ b


@two_buffers.reference
def two_buffers_reference(a: Any, b: Any) -> Any:
    return a @ b


@slices.reference
def slices_reference(a: Any, b: Any) -> Any:
    return a @ b.T


@two_sums.reference
def two_sums_reference(a: Any, b: Any) -> Any:
    c = a @ b
    c[16:] *= 2
    return c, np.abs(a) @ b


@restarts.reference
def restarts_reference(a: Any, b: Any) -> Any:
    n_steps = -(-a.shape[1] // 32)
    wide_a = np.zeros((a.shape[0], 32 * n_steps))
    wide_b = np.zeros((32 * n_steps, b.shape[1]))
    wide_a[:, : a.shape[1]], wide_b[: b.shape[0]] = a, b
    last = np.zeros((a.shape[0], b.shape[1]))
    for t in range(2):
        for k in range(n_steps):
            step = slice(32 * k + 16 * t, 32 * k + 16 * t + 16)
            last = last * ((2 * k + t) % 3 != 0) + wide_a[:, step] @ wide_b[step]
    return a @ b, last


@parts_of_l0c.reference
def parts_of_l0c_reference(a: Any, b: Any) -> Any:
    return a @ b


@late.reference
def late_reference(a: Any, b: Any) -> Any:
    return a @ b


@alternating.reference
def alternating_reference(x: Any) -> Any:
    last = 2 * x[1::2][-1:] if len(x) > 1 else np.zeros((1, x.shape[1]))
    return 2 * x, last


@cumulative.reference
def cumulative_reference(x: Any) -> Any:
    return np.cumsum(x, axis=0)


@halves.reference
def halves_reference(x: Any) -> Any:
    wide = np.zeros((x.shape[0], -(-x.shape[1] // 32), 2, 16))
    wide.reshape(x.shape[0], -1)[:, : x.shape[1]] = x
    swapped = np.stack([wide[:, :, 1] * 2, wide[:, :, 0] + 1], axis=2)
    return swapped.reshape(x.shape[0], -1)[:, : x.shape[1]]
