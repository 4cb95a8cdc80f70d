"""A kernel that means what the hand-written LSTM scripts of the paper do, to judge them by."""

import tilelang as tl


@tl.kernel(
    "x[S, B, I]: float16, h[B, H]: float16, c[B, H]: float32, w[K, 4*H]: float16; stored"
    " -> hs[S, B, H]: float16, c_next[stored*B, H]: float32"
)
def layer(  # noqa: PLR0913 - four inputs, two results and an attribute
    x: tl.Tensor,
    h: tl.Tensor,
    c: tl.Tensor,
    w: tl.Tensor,
    hs: tl.Tensor,
    c_next: tl.Tensor,
    *,
    stored: int = 1,
) -> None:
    """Run all steps with the functions as the scripts build them; gates in the order i f o g.

    With `stored=0` the last state of c is kept to itself.
    """
    (S, B, size), H = x.shape, h.shape[1]
    w_x, w_h = tl.alloc_l1((size, 4 * H), w.dtype), tl.alloc_l1((H, 4 * H), w.dtype)
    h1, state = tl.alloc_l1((B, H), h.dtype), tl.alloc_ub((B, H), c.dtype)
    tl.data_move(w_x, w[0, 0])
    tl.data_move(w_h, w[size, 0])
    tl.data_move(h1, h)
    tl.data_move(state, c)
    for t in tl.for_range(S):
        x1 = tl.alloc_l1((B, size), x.dtype)
        acc, gates = tl.alloc_l0c((B, 4 * H), "float32"), tl.alloc_ub((B, 4 * H), "float32")
        out = tl.alloc_ub((B, H), h.dtype)
        tl.data_move(x1, x[t, :, :])
        tl.matmul(acc, x1, w_x, init=True)
        tl.matmul(acc, h1, w_h, init=False)
        tl.data_move(gates, acc)
        into, forget, show, new = (gates[:, n * H : (n + 1) * H] for n in range(4))
        state[:] = state * _sigmoid(forget) + _tanh(new) * _sigmoid(into)
        out[:] = tl.cast(_tanh(state) * _sigmoid(show), out.dtype)
        tl.data_move(h1, out)
        tl.data_move(hs[t, :, :], out)
    tl.data_move(c_next[0, 0], state)


def _sigmoid(x: tl.Tensor | tl.Tile | tl.Expression) -> tl.Expression:
    return 1 / (1 + tl.exp(-x))


def _tanh(x: tl.Tensor | tl.Tile | tl.Expression) -> tl.Expression:
    return 2 * _sigmoid(2 * x) - 1
