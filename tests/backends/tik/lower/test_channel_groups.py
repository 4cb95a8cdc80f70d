"""Groups of channels, found in the regions of small kernels."""

from typing import Any

import tilelang as tl
from tilelang.backends.tik.lower.channel_groups import (
    Groups,
    accesses,
    map_groups,
    ranges_of,
    weight_groups,
)
from tilelang.ir.nodes import Program
from tilelang.kernel import Kernel
from tilelang.layouts import LayoutKind


def groups_of(kernel: Kernel, name: str, **keywords: Any) -> Groups | None:
    """Return the groups of a tensor of `kernel`: by its channels, or of `w` by its outputs."""
    program: Program = kernel.program(machine="ascend910", **keywords)
    (tensor,) = [b for b in (*program.inputs, *program.results) if b.name == name]
    uses = [use for use in accesses(program) if use.region.buffer == tensor]
    find = weight_groups if name == "w" else map_groups
    return find(tensor, uses, dict(ranges_of(program)))


@tl.kernel("x[N, C, H, W]: float16; begin, period, taken, n_stored -> y[N, C, H, W]: float16")
def copied(
    x: tl.Tensor, y: tl.Tensor, *, begin: int, period: int, taken: int, n_stored: int = 1
) -> None:
    """Load `taken` channels from every `period`th on, and store those of `n_stored` groups."""
    N, C, H, W = x.shape
    for n, g in tl.cores(N, C // period):
        tile = tl.alloc_l1((taken, H, W), x.dtype, layout=LayoutKind.NC1HWC0.value)
        out = tl.alloc_ub((taken, H, W), x.dtype, layout=LayoutKind.NC1HWC0.value)
        tl.data_move(tile, x[n, g * period + begin :, :, :])
        tl.data_move(out, tile)
        with tl.if_scope(g < n_stored):
            tl.data_move(y[n, g * period + begin :, :, :], out)


def found(name: str, *, channels: int, **attributes: int) -> tuple[int, int] | None:
    groups = groups_of(copied, name, N=2, C=channels, H=4, W=4, **attributes)
    return groups and (groups.n, groups.size)


def test_groups_are_as_far_apart_as_regions_begin():
    assert found("x", channels=60, begin=0, period=20, taken=20) == (3, 20)
    assert found("x", channels=5, begin=0, period=1, taken=1) == (5, 1)


def test_a_part_of_a_group_is_whole_blocks_or_ends_with_it():
    assert found("x", channels=60, begin=0, period=20, taken=16) == (3, 20)
    assert found("x", channels=60, begin=16, period=20, taken=4) == (3, 20)
    assert found("x", channels=60, begin=0, period=20, taken=15) is None
    assert found("x", channels=60, begin=4, period=20, taken=16) is None


def test_a_region_of_two_groups_is_none():
    assert found("x", channels=60, begin=0, period=20, taken=32) is None
    assert found("x", channels=60, begin=16, period=20, taken=16) is None


def test_what_is_never_stored_does_not_count():
    assert found("y", channels=60, begin=0, period=20, taken=32, n_stored=0) == (3, 20)
    assert found("y", channels=60, begin=0, period=20, taken=32) is None
    assert found("y", channels=60, begin=0, period=20, taken=20) == (3, 20)


def test_channels_that_no_groups_divide_are_none():
    assert found("x", channels=61, begin=0, period=20, taken=20) is None


@tl.kernel("w[O, C, R, S]: float16; period -> y[O]: float16")
def loaded(w: tl.Tensor, y: tl.Tensor, *, period: int, rows: int = 16) -> None:
    """Load weights from every `period`th output on."""
    for g in tl.cores(w.shape[0] // period):
        tile = tl.alloc_l1((rows, *w.shape[1:]), w.dtype, layout=LayoutKind.FRACTAL_Z.value)
        tl.data_move(tile, w[g * period :, :, :, :])
        zeros = tl.alloc_ub((period,), w.dtype)
        zeros[:] = 0
        tl.data_move(y[g * period :], zeros)


def test_weights_have_room_for_all_that_is_loaded():
    for period, rows, room in ((1, 16, 16), (6, 16, 16), (20, 32, 32), (6, 32, 32)):
        groups = groups_of(loaded, "w", O=60, C=3, R=3, S=3, period=period, rows=rows)
        assert groups is not None
        assert (groups.n, groups.size, groups.room) == (60 // period, period, room)
    assert groups_of(loaded, "w", O=60, C=3, R=3, S=3, period=16, rows=16) is None
