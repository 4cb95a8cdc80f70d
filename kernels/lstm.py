"""A long short-term memory over a sequence, as one kernel: neither gates nor sums leave a core.

Every step t is `lstm_cell` on x[t], the previous h and the previous c. x[S, B, I], first h[B, H]
and weights w[I, 4H], u[H, 4H] in one dtype (float16, bfloat16; float32 where the cube takes it),
row-major, gates in the order i f g o; first c[B, H] and bias b[4H] in float32. Results are the
states after every step, hs[S, B, H] and cs[S, B, H]: training needs them, and so does whoever
checks one step at a time. Any S, B, I, H.

Cores split the batch. A core's h (of this step and the next) and c are in L1, NZ, for the whole
sequence. Of the recurrent weights u, then of w, as many column tiles stay in L1 too as fit into
`l1_bytes`; the others are read from GM in every step, by every core. `residence(program)` says
which they are. Where most of the weights are read again, blocks of the batch are larger, so that
fewer cores read them.

Source: `lstm_cell`; the measured cost of recurrent networks on this chip, whose products left the
core at every step (Lu et al., on the Ascend accelerator's performance, 2021).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tilelang as tl
from tilelang.ir.nodes import Alloc, Program
from tilelang.ir.region import Memory
from tilelang.ir.walk import walk_program
from tilelang.kernels.lstm_cell import (
    EPILOGUE_ROWS,
    N_GATES,
    load_gates,
    lstm_cell_reference,
    output,
    update_state,
)
from tilelang.machines import find_machine

STATE_BYTES = 4
"""Of an element of c and of the sums: float32."""
MOST_ROWS = 64
"""Of a block of the batch: the accumulator of four gates fits L0C twice."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Tiles of one sequence kernel, and which weights stay in L1."""

    m_tile: int
    n_tile: int
    k_tile: int
    n_columns: int
    """Tiles of n_tile columns in H."""
    in_size: int
    """I, rounded up to k_tile."""
    w_kept: int
    """Column tiles of w that stay in L1."""
    u_kept: int

    @property
    def size(self) -> int:
        """H, rounded up to n_tile."""
        return self.n_columns * self.n_tile


@tl.kernel(
    "x[S, B, I]: T, h[B, H]: T, c[B, H]: acc(T), w[I, 4*H]: T, u[H, 4*H]: T, b[4*H]: acc(T)"
    " -> hs[S, B, H]: T, cs[S, B, H]: acc(T)"
)
def lstm(  # noqa: PLR0913 - a recurrent layer has six inputs and two results
    x: tl.Tensor,
    h: tl.Tensor,
    c: tl.Tensor,
    w: tl.Tensor,
    u: tl.Tensor,
    b: tl.Tensor,
    hs: tl.Tensor,
    cs: tl.Tensor,
    *,
    m_tile: int = 16,
    n_tile: int = 64,
    k_tile: int = 64,
    l1_bytes: int = 1 << 20,
) -> None:
    """(hs, cs) = the states after every step, a block of the batch per core."""
    plan = _plan(x, h, (m_tile, n_tile, k_tile), l1_bytes)
    for i in tl.cores(tl.ceildiv(h.shape[0], m_tile)):
        h1 = tl.alloc_l1((2, m_tile, plan.size), h.dtype)  # of this step, and of the next
        c1 = tl.alloc_l1((m_tile, plan.size), c.dtype)
        bias = tl.alloc_ub((plan.n_columns, 1, N_GATES * n_tile), b.dtype)
        tl.data_move(h1[0, :, :], h[i * m_tile, 0])
        tl.data_move(c1, c[i * m_tile, 0])
        _load_bias(bias, b, plan)
        w1 = _keep(w, (plan.w_kept, plan.in_size), n_tile)
        u1 = _keep(u, (plan.u_kept, plan.size), n_tile)
        for t in tl.for_range(x.shape[0]):
            x1 = tl.alloc_l1((1, m_tile, plan.in_size), x.dtype)
            tl.data_move(x1[0, :, :], x[t, i * m_tile :, 0:])
            for j in tl.for_range(plan.n_columns):
                gates = tl.alloc_l0c((m_tile, N_GATES * n_tile), c.dtype)
                _multiply(gates, (x1, 0), (w, w1), j, k_tile, starts=True)
                _multiply(gates, (h1, t % 2), (u, u1), j, n_tile, starts=False)
                _finish(gates, bias, (h1, c1), (hs, cs), (t, i, j))


@lstm.tiles
def lstm_tiles(
    dims: Mapping[str, int], dtypes: Mapping[str, tl.DType], machine: str
) -> dict[str, int]:
    """Return a block of the batch for every core, and all of L1 of `machine`."""
    chip, n_bytes = find_machine(machine), dtypes["T"].n_bytes
    l1_bytes = chip.capacity[Memory.L1]
    rows = tl.ceildiv(tl.ceildiv(dims["B"], chip.n_cores), 16) * 16
    weights = N_GATES * dims["H"] * (dims["I"] + dims["H"]) * n_bytes
    if weights > 2 * l1_bytes:  # less than half would stay
        row_bytes = (2 * n_bytes + STATE_BYTES) * dims["H"] + n_bytes * dims["I"]
        rows = max(rows, min(dims["B"], 3 * l1_bytes // (4 * row_bytes), MOST_ROWS))
    return {"m_tile": max(min(rows, MOST_ROWS) // 16, 1) * 16, "l1_bytes": l1_bytes}


def _plan(x: tl.Tensor, h: tl.Tensor, tiles: tuple[int, int, int], l1_bytes: int) -> Plan:
    """Return the plan for tiles (m, n, k); `u` comes first to L1, for no step can wait for it."""
    m_tile, n_tile, k_tile = tiles
    n_bytes = x.dtype.n_bytes
    n_columns = max(tl.ceildiv(h.shape[1], n_tile), 1)
    size = n_columns * n_tile
    in_size = max(tl.ceildiv(x.shape[2], k_tile), 1) * k_tile
    room = l1_bytes - m_tile * (size * (2 * n_bytes + STATE_BYTES) + in_size * n_bytes)
    column_bytes = N_GATES * n_tile * n_bytes  # of a row of a column tile
    room -= 2 * column_bytes * max(n_tile, k_tile)  # what is read again is double-buffered
    u_kept = min(max(room, 0) // (size * column_bytes), n_columns)
    room -= u_kept * size * column_bytes
    w_kept = min(max(room, 0) // (in_size * column_bytes), n_columns)
    return Plan(m_tile, n_tile, k_tile, n_columns, in_size, w_kept, u_kept)


def _load_bias(bias: tl.Tensor, b: tl.Tensor, plan: Plan) -> None:
    """Fill `bias` [column tile, 1, 4n] in UB."""
    for j in tl.for_range(plan.n_columns):
        for gate in range(N_GATES):
            part = bias[j, 0, gate * plan.n_tile : (gate + 1) * plan.n_tile]
            tl.data_move(part, b[gate * (b.shape[0] // N_GATES) + j * plan.n_tile])


def _keep(weights: tl.Tensor, shape: tuple[int, int], n_tile: int) -> tl.Tensor | None:
    """Return the first column tiles of weights [K, 4H] in L1, as `shape` = [tiles, K] by 4n."""
    if not shape[0]:
        return None
    name = f"{weights.name}_in_l1"
    kept = tl.alloc_l1((*shape, N_GATES * n_tile), weights.dtype, name=name)
    for j in tl.for_range(shape[0]):
        load_gates(kept, weights, 0, j * n_tile, slot=(j,))
    return kept


def _multiply(
    gates: tl.Tensor,
    left: tuple[tl.Tensor, tl.IndexLike],
    weights: tuple[tl.Tensor, tl.Tensor | None],
    j: tl.Index,
    k_tile: int,
    *,
    starts: bool,
) -> None:
    """Add to `gates` the product of `left` (tiles in L1, and which) by column tile j of `weights`.

    `weights` are given in GM, and the tiles of them that are kept in L1; others come in steps of
    `k_tile` rows.
    """
    (tiles, slot), (tensor, kept) = left, weights
    n_tile = gates.shape[1] // N_GATES
    if kept is None:
        _multiply_streamed(gates, left, tensor, j, k_tile, starts=starts)
    elif kept.shape[0] * n_tile * N_GATES >= tensor.shape[1]:
        tl.matmul(gates, tiles[slot, :, :], kept[j, :, :], init=starts)
    else:
        with tl.if_scope(j < kept.shape[0]):
            tl.matmul(gates, tiles[slot, :, :], kept[j, :, :], init=starts)
        with tl.else_scope():
            _multiply_streamed(gates, left, tensor, j, k_tile, starts=starts)


def _multiply_streamed(
    gates: tl.Tensor,
    left: tuple[tl.Tensor, tl.IndexLike],
    weights: tl.Tensor,
    j: tl.Index,
    k_tile: int,
    *,
    starts: bool,
) -> None:
    """Do what `_multiply` does, with weights that are read from GM now."""
    tiles, slot = left
    n_tile = gates.shape[1] // N_GATES
    for k in tl.for_range(tiles.shape[2] // k_tile, stages=2):
        part = tl.alloc_l1((k_tile, N_GATES * n_tile), weights.dtype)
        load_gates(part, weights, k * k_tile, j * n_tile)
        rows = tiles[slot, :, k * k_tile : (k + 1) * k_tile]
        tl.matmul(gates, rows, part, init=(k == 0) if starts else False)


def _finish(
    gates: tl.Tensor,
    bias: tl.Tensor,
    states: tuple[tl.Tensor, tl.Tensor],
    results: tuple[tl.Tensor, tl.Tensor],
    place: tuple[tl.Index, tl.Index, tl.Index],
) -> None:
    """Turn the sums of a column tile into the next h and c, in L1 and in the results."""
    (h1, c1), (hs, cs), (t, i, j) = states, results, place
    m_tile, n_tile = gates.shape[0], gates.shape[1] // N_GATES
    n_rows, first = gcd(m_tile, EPILOGUE_ROWS), j * n_tile
    for row in tl.chunks(gates, rows=n_rows):
        parts = tl.alloc_ub((n_rows, N_GATES * n_tile), gates.dtype)
        state = tl.alloc_ub((n_rows, n_tile), gates.dtype)
        out = tl.alloc_ub((n_rows, n_tile), h1.dtype)
        kept = c1[row : row + n_rows, first : first + n_tile]
        tl.data_move(parts, gates[row, 0])
        tl.data_move(state, kept)
        parts += bias[j, :, :]
        update_state(state, parts)
        out[:] = tl.cast(output(state, parts), out.dtype)
        if hs.shape[2] % n_tile:  # columns past H hold other gates' sums: not for the next product
            out[:] = tl.where(first + tl.position(1) < hs.shape[2], out, 0)
        tl.data_move(kept, state)
        tl.data_move(h1[(t + 1) % 2, row : row + n_rows, first : first + n_tile], out)
        tl.data_move(cs[t, i * m_tile + row :, first:], state)
        tl.data_move(hs[t, i * m_tile + row :, first:], out)


def residence(program: Program) -> str:
    """Return a sentence on each of the weights of an `lstm` program: how much of them is in L1."""
    allocs = [stmt.buffer for stmt in walk_program(program) if isinstance(stmt, Alloc)]
    kept = {buffer.name: buffer for buffer in allocs if buffer.memory is Memory.L1}
    n_steps, hidden = program.inputs[0].shape[0], program.inputs[1].shape[1]
    n_columns = tl.ceildiv(hidden, dict(program.tiles)["n_tile"])

    def sentence(name: str) -> str:
        buffer = kept.get(f"{name}_in_l1")
        again = f"read from GM in each of {n_steps} steps"
        if buffer is None:
            return f"{name} does not fit L1, and is {again}"
        if buffer.shape[0] >= n_columns:
            return f"{name} stays in L1 ({buffer.n_bytes:,} bytes)"
        part = f"{buffer.shape[0]} of {n_columns} column tiles of {name}"
        return f"{part} stay in L1 ({buffer.n_bytes:,} bytes), the others are {again}"

    return "; ".join(map(sentence, ("u", "w")))


@lstm.reference
def lstm_reference(
    x: NDArray[Any],
    h: NDArray[Any],
    c: NDArray[Any],
    w: NDArray[Any],
    u: NDArray[Any],
    b: NDArray[Any],
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return all states in float64."""
    hs, cs = np.zeros((len(x), *h.shape)), np.zeros((len(x), *c.shape))
    for t, step in enumerate(x):
        h, c = hs[t], cs[t] = lstm_cell_reference(step, h, c, w, u, b)
    return hs, cs
