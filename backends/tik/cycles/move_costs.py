"""Costs of moves: bursts between GM, L1 and UB, and results leaving the cube."""

from typing import assert_never

from tilelang.backends.tik.cycles.charges import (
    FRACTAL_ELEMENTS,
    Charge,
    Extent,
    Scene,
    extent,
    round_up,
    value,
    whole,
)
from tilelang.backends.tik.cycles.gm_costs import transfer_cycles
from tilelang.backends.tik.cycles.pipes import Pipe
from tilelang.backends.tik.emulate.state import wrong_operand
from tilelang.backends.tik.instructions import (
    BLOCK_BYTES,
    BroadcastToL0c,
    DataMove,
    DataMovePad,
    Fixpipe,
    Operand,
    Scope,
    TensorMove,
    Transfer,
    method_name,
)


def charge_transfer(move: Transfer, scene: Scene) -> tuple[Charge, ...]:
    """Return the charges of a move; none where a count is 0."""
    match move:
        case DataMove():
            return _data_move(move, scene)
        case DataMovePad():
            return _data_move_pad(move, scene)
        case TensorMove():
            return _tensor_move(move, scene)
        case BroadcastToL0c():
            return _broadcast(move, scene)
        case Fixpipe():
            return _fixpipe(move, scene)
        case _:
            assert_never(move)


def _data_move(move: DataMove, scene: Scene) -> tuple[Charge, ...]:
    n_burst, burst = value(move.n_burst), value(move.burst)
    if n_burst <= 0 or burst <= 0:
        return ()
    source, target = scene.scope(move.src), scene.scope(move.dst)
    if source.is_accumulator or target.is_accumulator:
        return (_accumulator_move(move, scene, n_burst, burst),)
    n_bytes = burst * BLOCK_BYTES
    reads = _bursts(move.src, n_burst, n_bytes, value(move.src_gap) * BLOCK_BYTES)
    writes = _bursts(move.dst, n_burst, n_bytes, value(move.dst_gap) * BLOCK_BYTES)
    return (_move(move, scene, (n_burst, n_bytes), reads, writes),)


def _move(
    move: DataMove | DataMovePad,
    scene: Scene,
    bursts: tuple[int, int],
    reads: Extent,
    writes: Extent,
) -> Charge:
    """Return the charge of bursts (how many, bytes of one) between any two of GM, L1, UB."""
    n_burst, burst_bytes = bursts
    path = scene.path(move.src, move.dst)
    gm = next((end for end in (move.src, move.dst) if scene.scope(end) is Scope.GM), None)
    memory_bytes = 0.0
    if gm is not None:
        cycles = transfer_cycles(scene, path, gm.tensor, n_burst, burst_bytes)
        memory_bytes = n_burst * burst_bytes * scene.misses.get(gm.tensor, 1.0)
    else:
        cycles = _on_chip_cycles(scene, path, n_burst, burst_bytes)
    return Charge(
        _pipe(scene.scope(move.src), scene.scope(move.dst)),
        cycles,
        (reads,),
        (writes,),
        method_name(move),
        path=path.replace("_", "-"),
        n_bytes=n_burst * burst_bytes,
        memory_bytes=memory_bytes,
    )


def _pipe(source: Scope, target: Scope) -> Pipe:
    # TIK reference, data_move: the queue of each path.
    if source is Scope.GM:
        return Pipe.MTE2
    if source is Scope.L1 and target is not Scope.GM:
        return Pipe.MTE1
    return Pipe.V if source is target else Pipe.MTE3


def _on_chip_cycles(scene: Scene, path: str, n_burst: int, burst_bytes: int) -> int:
    """Return start-up and bytes at the path's width; a burst takes whole cycles."""
    rates = scene.rates
    startup = rates["vector.startup_cycles" if path == "ub_ub" else "startup.on_chip"]
    width = rates.get(f"path.{path}", rates["path.ub_ub"])
    return round_up(startup) + n_burst * round_up(burst_bytes / width)


def _bursts(operand: Operand, n_burst: int, n_bytes: int, gap: int) -> Extent:
    return extent(operand, n_burst * n_bytes + (n_burst - 1) * gap)


def _data_move_pad(move: DataMovePad, scene: Scene) -> tuple[Charge, ...]:
    n_burst, n_bytes = value(move.n_burst), value(move.burst)
    if n_burst <= 0 or n_bytes <= 0:
        return ()
    return (_move(move, scene, (n_burst, n_bytes), whole(move.src), whole(move.dst)),)


def _accumulator_move(
    move: DataMove | TensorMove, scene: Scene, n_burst: int, burst: int
) -> Charge:
    """Return the charge of a move between L0C and UB; bursts count fractals of L0C."""
    source, target = scene.scope(move.src), scene.scope(move.dst)
    if Scope.GM in (source, target):
        raise wrong_operand(move, f"there is no way from {source} to {target} but fixpipe or UB")
    inner, outer = (move.src, move.dst) if source.is_accumulator else (move.dst, move.src)
    from_l0c = source.is_accumulator
    inner_bytes = burst * FRACTAL_ELEMENTS * inner.dtype.n_bytes
    outer_bytes = burst * FRACTAL_ELEMENTS * outer.dtype.n_bytes
    gaps = (value(move.src_gap), value(move.dst_gap))
    inner_gap, outer_gap = gaps if from_l0c else gaps[::-1]
    ends = (
        _bursts(inner, n_burst, inner_bytes, inner_gap * FRACTAL_ELEMENTS * inner.dtype.n_bytes),
        _bursts(outer, n_burst, outer_bytes, outer_gap * BLOCK_BYTES),
    )
    reads, writes = ends if from_l0c else ends[::-1]
    return _leave(scene, "l0c_ub", n_burst * inner_bytes, (reads, writes), method_name(move))


def _leave(
    scene: Scene, path: str, n_bytes: int, ends: tuple[Extent, Extent], label: str
) -> Charge:
    """Return the charge of `n_bytes` of L0C through the vector pipe."""
    rates = scene.rates
    width = rates.get(f"path.{path}", rates["path.ub_ub"])
    cycles = round_up(rates["vector.startup_cycles"] + n_bytes / width)
    reads, writes = ends
    return Charge(
        Pipe.V, cycles, (reads,), (writes,), label, path=path.replace("_", "-"), n_bytes=n_bytes
    )


def _tensor_move(move: TensorMove, scene: Scene) -> tuple[Charge, ...]:
    n_burst, burst = value(move.n_burst), value(move.burst)
    if n_burst <= 0 or burst <= 0:
        return ()
    if move.block_mode == "m":
        return (_accumulator_move(move, scene, n_burst, burst),)
    n_bytes = n_burst * burst * BLOCK_BYTES
    return (
        _leave(scene, "l0c_ub", n_bytes, (whole(move.src), whole(move.dst)), method_name(move)),
    )


def _broadcast(move: BroadcastToL0c, scene: Scene) -> tuple[Charge, ...]:
    n_fractals = value(move.n_burst) * value(move.burst)
    n_bytes = n_fractals * FRACTAL_ELEMENTS * move.dst.dtype.n_bytes
    ends = (whole(move.src), whole(move.dst))
    return (_leave(scene, "ub_l0c", n_bytes, ends, method_name(move)),)


STAGING = "@staging"
"""Where fixpipe keeps results in UB on chips whose results leave through it."""


def _fixpipe(move: Fixpipe, scene: Scene) -> tuple[Charge, ...]:
    """Charge FIX where there is one; else L0C to UB on V, and UB to GM on MTE3."""
    n_burst = value(move.n_burst)
    source_bytes = value(move.burst) * BLOCK_BYTES
    if n_burst <= 0 or source_bytes <= 0:
        return ()
    n_bytes = source_bytes // move.src.dtype.n_bytes * move.dst.dtype.n_bytes
    label, miss = method_name(move), scene.misses.get(move.dst.tensor, 1.0)
    src, dst = whole(move.src), whole(move.dst)
    moved = n_burst * n_bytes
    if scene.rates.machine.is_split:
        # Groups that follow each other in GM, as those of a row do, are one burst there.
        bursts = (n_burst, n_bytes) if value(move.dst_gap) else (1, moved)
        cycles = round_up(
            scene.rates["startup.fixpipe"]
            + transfer_cycles(scene, "l0c_gm", move.dst.tensor, *bursts)
        )
        return (
            Charge(
                Pipe.FIX, cycles, (src,), (dst,), label,
                path="l0c-gm", n_bytes=moved, memory_bytes=moved * miss,
            ),
        )  # fmt: skip
    staging = Extent(STAGING, 0, moved)
    cycles = transfer_cycles(scene, "ub_gm", move.dst.tensor, n_burst, n_bytes)
    return (
        _leave(scene, "l0c_ub", n_burst * source_bytes, (src, staging), label),
        Charge(
            Pipe.MTE3, cycles, (staging,), (dst,), label,
            path="ub-gm", n_bytes=moved, memory_bytes=moved * miss,
        ),
    )  # fmt: skip
