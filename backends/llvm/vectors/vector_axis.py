"""Which axis of a nest its vectors lie along, and how wide they are."""

from collections.abc import Sequence

from tilelang.backends.llvm.frame import Frame
from tilelang.backends.llvm.simplify import simplify
from tilelang.backends.llvm.storage import plain
from tilelang.backends.llvm.vectors.boxes import Space
from tilelang.backends.llvm.vectors.masks import is_affine, split_lane
from tilelang.backends.llvm.vectors.point import Access
from tilelang.ir import index as ix

WIDTHS = (16, 8, 4, 1)
"""Elements of a vector, best first."""


def best_axis(
    frame: Frame, space: Space, accesses: Sequence[Access], widths: Sequence[int]
) -> tuple[int, int]:
    """Return the axis and the vector width that need the fewest instructions."""
    choices = [
        (_cost(frame, space, accesses, axis, width), -width, -axis)
        for axis, size in enumerate(space.shape)
        for width in widths
        if width <= max(size, 1)
        or (width < 2 * size and takes_masks(frame, space, accesses, axis, width))
    ]
    _, width, axis = min(choices)
    return -axis, -width


def _cost(frame: Frame, space: Space, accesses: Sequence[Access], axis: int, width: int) -> float:
    """Return instructions an element, roughly: 1 a vector, 1 a lane where lanes lie apart."""
    size = max(space.shape[axis], 1)
    total = 1.0  # the arithmetic
    for stride in lane_strides(frame, space, accesses, axis, width):
        together = width == 1 or stride in (0, 1)
        total += 1 if together else 2 * width
    n_vectors, n_loose = size // width, size % width
    rest = (len(accesses) + 1) * n_loose
    if n_loose and takes_masks(frame, space, accesses, axis, width):
        rest = _MASKED * total
    return (total * n_vectors + rest) / size


_MASKED = 1.5
"""What a vector with a mask costs, in vectors without."""


def lane_strides(
    frame: Frame, space: Space, accesses: Sequence[Access], axis: int, width: int
) -> list[int | None]:
    """Return how far apart the lanes of each access would be, None where that differs."""
    name, size = space.names[axis], max(space.shape[axis], 1)
    ranges = {**frame.ranges, "$step": (0, size // width), "$lane": (0, width - 1)}
    vector = ix.add(ix.scale(ix.variable("$step"), width), ix.variable("$lane"))
    offsets = (
        simplify(ix.substitute(access.offset, {name: vector}), ranges) for access in accesses
    )
    splits = (split_lane(offset, "$lane") for offset in offsets)
    return [None if split is None else split[1] for split in splits]


def takes_masks(
    frame: Frame, space: Space, accesses: Sequence[Access], axis: int, width: int
) -> bool:
    """Return whether a step that hangs over can be one vector with a mask."""
    if not frame.host.avx512 or width == 1:
        return False
    strides = lane_strides(frame, space, accesses, axis, width)
    return strides[0] == 1 and all(
        stride in (0, 1)
        and access.form.storage is plain(access.dtype)
        and is_affine(access.exists, space.names[axis])
        for access, stride in zip(accesses, strides, strict=True)
    )
