"""One step of a long short-term memory, fused: gates never leave the core.

`i, f, g, o = split(x @ w + h @ u + b)`, `c' = sigmoid(f) * c + sigmoid(i) * tanh(g)`,
`h' = sigmoid(o) * tanh(c')`.

x[B, I], h[B, H] and weights w[I, 4H], u[H, 4H] in one dtype (float16, bfloat16; float32 where the
cube takes it), row-major, gates side by side in the order i f g o; state c and bias b[4H] in
float32. Any B, I, H. Each core computes all four gates of its tile of h' in one accumulator, so
that only h' and c' go back to GM.

Source: Hochreiter and Schmidhuber, "Long short-term memory", 1997; Gers et al., "Learning to
forget", 2000; the gate order is PyTorch's.
"""

from collections.abc import Mapping
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tilelang as tl

N_GATES = 4
EPILOGUE_ROWS = 32
"""Rows of the four gates that are in UB at once."""


@tl.kernel(
    "x[B, I]: T, h[B, H]: T, c[B, H]: acc(T), w[I, 4*H]: T, u[H, 4*H]: T, b[4*H]: acc(T)"
    " -> h_next[B, H]: T, c_next[B, H]: acc(T)"
)
def lstm_cell(  # noqa: PLR0913 - a cell has six inputs and two results
    x: tl.Tensor,
    h: tl.Tensor,
    c: tl.Tensor,
    w: tl.Tensor,
    u: tl.Tensor,
    b: tl.Tensor,
    h_next: tl.Tensor,
    c_next: tl.Tensor,
    *,
    m_tile: int = 128,
    n_tile: int = 64,
    k_tile: int = 64,
) -> None:
    """(h_next, c_next) = one LSTM step, one tile of each per core."""
    (B, H), rows = h.shape, gcd(m_tile, EPILOGUE_ROWS)
    for i, j in tl.cores(tl.ceildiv(B, m_tile), tl.ceildiv(H, n_tile)):
        gates = tl.alloc_l0c((m_tile, N_GATES * n_tile), c.dtype)
        for left, weights in ((x, w), (h, u)):
            for k in tl.for_range(max(tl.ceildiv(left.shape[1], k_tile), 1), stages=2):
                a1 = tl.alloc_l1((m_tile, k_tile), left.dtype)
                b1 = tl.alloc_l1((k_tile, N_GATES * n_tile), weights.dtype)
                tl.data_move(a1, left[i * m_tile, k * k_tile])
                load_gates(b1, weights, k * k_tile, j * n_tile)
                tl.matmul(gates, a1, b1, init=(k == 0) if left is x else False)
        bias = tl.alloc_ub((N_GATES * n_tile,), b.dtype)
        for gate in range(N_GATES):
            part = bias[gate * n_tile : (gate + 1) * n_tile]
            tl.data_move(part, b[gate * H + j * n_tile])
        for row in tl.chunks(gates, rows=rows):
            parts = tl.alloc_ub((rows, N_GATES * n_tile), gates.dtype)
            state = tl.alloc_ub((rows, n_tile), c.dtype)
            out = tl.alloc_ub((rows, n_tile), h.dtype)
            tl.data_move(parts, gates[row, 0])
            tl.data_move(state, c[i * m_tile + row, j * n_tile])
            parts += bias
            update_state(state, parts)
            out[:] = tl.cast(output(state, parts), h.dtype)
            tl.data_move(c_next[i * m_tile + row, j * n_tile], state)
            tl.data_move(h_next[i * m_tile + row, j * n_tile], out)


@lstm_cell.tiles
def lstm_cell_tiles(
    dims: Mapping[str, int], dtypes: Mapping[str, tl.DType], machine: str
) -> dict[str, int]:
    """Return tiles of the weights that a computer's caches hold twice; else the defaults.

    While one step multiplies the next is fetched (bfloat16, H = 512, 128 columns of each gate,
    k_tile 64, 128, 256: 1341, 1328, 1435 us). The sums are loaded and stored once a tile, which
    costs about as much as 16 rows more.
    """
    if machine != "host":
        return {}
    sizes = (dims["I"], dims["H"])
    k_tile = min(
        range(16, 128 + 16, 16), key=lambda k: sum(tl.ceildiv(size, k) * (k + 16) for size in sizes)
    )
    m_tile, n_tile = (min(max(tl.ceildiv(dims[name], 16), 1) * 16, 128) for name in ("B", "H"))
    return {"m_tile": m_tile, "n_tile": n_tile, "k_tile": k_tile}


def load_gates(
    tile: tl.Tensor,
    weights: tl.Tensor,
    row: tl.IndexLike,
    column: tl.IndexLike,
    *,
    slot: tuple[tl.IndexLike, ...] = (),
) -> None:
    """Fill `tile` [k, 4n] in L1 with the weights of all gates for n columns from `column` on.

    Of an array of tiles, it is the one at `slot`.

    Behind the last column of a gate lie those of the next: finite, and never part of a result.
    """
    n_columns, size = weights.shape[1] // N_GATES, tile.shape[-1] // N_GATES
    for gate in range(N_GATES):
        part = tile[*slot, :, gate * size : (gate + 1) * size]
        tl.data_move(part, weights[row, gate * n_columns + column])


def update_state(state: tl.Tensor, gates: tl.Tensor) -> None:
    """Set the state c to the next one; `gates` is i f g o side by side, before activation."""
    n = state.shape[1]
    forget, enter, new = gates[:, n : 2 * n], gates[:, :n], gates[:, 2 * n : 3 * n]
    state[:] = tl.sigmoid(forget) * state + tl.sigmoid(enter) * tl.tanh(new)


def output(state: tl.Tensor, gates: tl.Tensor) -> tl.Expression:
    """Return h of the state c and the gates, before activation."""
    return tl.sigmoid(gates[:, 3 * state.shape[1] :]) * tl.tanh(state)


@lstm_cell.reference
def lstm_cell_reference(
    x: NDArray[Any],
    h: NDArray[Any],
    c: NDArray[Any],
    w: NDArray[Any],
    u: NDArray[Any],
    b: NDArray[Any],
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the next h and c in float64."""
    i, f, g, o = np.split(x @ w + h @ u + b, N_GATES, axis=1)
    state = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
    return np.tanh(state) / (1 + np.exp(-o)), state
