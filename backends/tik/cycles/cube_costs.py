"""Costs of the cube: loads into L0A and L0B, and multiplications."""

from dataclasses import replace
from typing import assert_never

from tilelang.backends.tik.cycles.charges import (
    FRACTAL_ELEMENTS,
    WHOLE,
    Charge,
    Extent,
    Scene,
    extent,
    round_up,
    value,
    whole,
)
from tilelang.backends.tik.cycles.composite_costs import charge_conv2d, charge_matmul
from tilelang.backends.tik.cycles.gm_costs import transfer_cycles
from tilelang.backends.tik.cycles.pipes import Pipe
from tilelang.backends.tik.cycles.products import fractals_of, product_cycles, row_changes
from tilelang.backends.tik.instructions import (
    FRACTAL_BYTES,
    Conv2d,
    Cube,
    Load2d,
    Load3d,
    Matmul,
    Mmad,
    Scope,
    method_name,
)


def charge_cube(work: Cube, scene: Scene) -> tuple[Charge, ...]:
    """Return the charges of a load or product; none where a count is 0."""
    match work:
        case Load2d():
            return _load2d(work, scene)
        case Load3d():
            return _load3d(work, scene)
        case Mmad():
            return _mmad(work, scene)
        case Matmul():
            return charge_matmul(work, scene)
        case Conv2d():
            return charge_conv2d(work, scene)
        case _:
            assert_never(work)


def _load2d(load: Load2d, scene: Scene) -> tuple[Charge, ...]:
    repeat = value(load.repeat)
    if repeat <= 0:
        return ()
    path = scene.path(load.src, load.dst)
    n_bytes = repeat * FRACTAL_BYTES
    gap = value(load.dst_gap or 0)
    writes = extent(load.dst, n_bytes + (repeat - 1) * gap * FRACTAL_BYTES)
    charge = Charge(
        Pipe.MTE1, 0, (_fractals_read(load, repeat),), (writes,), method_name(load),
        path=path.replace("_", "-"), n_bytes=n_bytes,
    )  # fmt: skip
    if scene.scope(load.src) is Scope.GM:
        cycles = transfer_cycles(scene, path, load.src.tensor, repeat, FRACTAL_BYTES)
        memory = n_bytes * scene.misses.get(load.src.tensor, 1.0)
        return (replace(charge, pipe=Pipe.MTE2, cycles=cycles, memory_bytes=memory),)
    width = scene.rates.get(f"path.{path}", scene.rates["path.l1_l0b"])
    return (replace(charge, cycles=round_up(scene.rates["startup.load2d"] + n_bytes / width)),)


def _fractals_read(load: Load2d, repeat: int) -> Extent:
    """Return the bytes of `src` between the first fractal and the last."""
    if not isinstance(load.index, int | float):
        return whole(load.src)
    first, stride = int(load.index), value(load.src_stride)
    all_ = extent(load.src, ((repeat - 1) * stride + 1 + first) * FRACTAL_BYTES)
    return replace(all_, low=all_.low + first * FRACTAL_BYTES if all_.high < WHOLE else 0)


def _load3d(load: Load3d, scene: Scene) -> tuple[Charge, ...]:
    repeat = value(load.repeat)
    if repeat <= 0:
        return ()
    rates, path = scene.rates, scene.path(load.src, load.dst)
    ticks = load3d_cycles(load, scene, repeat, path)
    cycles = max(rates["startup.load3d"] + ticks, rates.get("startup.load3d_gap", 0))
    jump = value(load.jump) if load.repeat_mode == 1 else 1
    writes = extent(load.dst, ((repeat - 1) * jump + 1) * FRACTAL_BYTES)
    return (
        Charge(
            Pipe.MTE1, round_up(cycles), (whole(load.src),), (writes,),
            method_name(load), setup=round_up(rates.get("startup.load3d_setup", 0)),
            path=path.replace("_", "-"), n_bytes=repeat * FRACTAL_BYTES,
        ),
    )  # fmt: skip


def load3d_cycles(load: Load3d, scene: Scene, repeat: int, path: str) -> float:
    """Return the cycles of `repeat` fractals without the start-up.

    Where windows of one fractal lie in several rows of the map, each change of row costs as much
    as another read; where a fractal starts in a row is averaged.
    """
    width = scene.rates.get(f"path.{path}", scene.rates["path.l1_l0b"])
    kernel, dilation, stride = (
        value(pair[0]) for pair in (load.kernel, load.dilation, load.stride)
    )
    padded = value(load.width) + value(load.pad[0]) + value(load.pad[1])
    per_row = max((padded - (kernel - 1) * dilation - 1) // max(stride, 1) + 1, 1)
    return repeat * (FRACTAL_BYTES / width + row_changes(scene, per_row))


def _mmad(mmad: Mmad, scene: Scene) -> tuple[Charge, ...]:
    m, k, n = (value(size) for size in (mmad.m, mmad.k, mmad.n))
    if min(m, k, n) <= 0:
        return ()
    blocks = fractals_of(scene, (m, k, n), mmad.a.dtype)
    m1, k1, n1 = blocks
    cycles, following = product_cycles(scene, blocks, mmad.a.dtype)
    return (
        Charge(
            Pipe.M,
            cycles,
            (extent(mmad.a, m1 * k1 * FRACTAL_BYTES), extent(mmad.b, k1 * n1 * FRACTAL_BYTES)),
            (extent(mmad.dst, m1 * n1 * FRACTAL_ELEMENTS * mmad.dst.dtype.n_bytes),),
            method_name(mmad),
            following=following,
            fractals=m1 * k1 * n1,
            flop=2 * m * k * n,
        ),
    )
