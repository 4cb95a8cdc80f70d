"""Whether two regions of one buffer share elements."""

from math import gcd

from tilelang.ir import index as ix
from tilelang.ir.region import Permute, Region
from tilelang.verify.ranges import Ranges


def overlaps(left: Region, right: Region, ranges: Ranges) -> bool:
    """Return whether the regions, of one buffer, may share an element.

    They do not if along some dimension they never meet.
    """
    if not ranges.reachable:
        return False
    if left.view == right.view:
        pairs = [(axis, axis) for axis in range(len(left.start))]
    elif _is_plain(left) and _is_plain(right):
        pairs = list(zip(_axes(left), _axes(right), strict=True))
    else:
        return True  # different merged dimensions: nothing is proved
    return all(_meet(left, right, pair, ranges) for pair in pairs)


def _is_plain(region: Region) -> bool:
    """Return whether every axis of the region's view is one dimension of the buffer."""
    view = region.view
    return isinstance(view, Permute) and all(len(group) == 1 for group in view.groups)


def _axes(region: Region) -> list[int]:
    """Return the axis of the region's view that each dimension of the buffer is."""
    assert isinstance(region.view, Permute)
    return sorted(range(len(region.start)), key=region.view.groups.__getitem__)


def _meet(left: Region, right: Region, axes: tuple[int, int], ranges: Ranges) -> bool:
    """Return whether the regions may have an index in common along a pair of axes."""
    one, other = axes
    spans = span_of(left, one), span_of(right, other)
    if 0 in spans:
        return False
    distance = ix.subtract(left.start[one], right.start[other])
    step = gcd(left.step[one], right.step[other])
    return ranges.meets(distance, 1 - spans[0], spans[1] - 1, step)


def span_of(region: Region, axis: int) -> int:
    """Return how many elements along `axis` lie between the ends of `region`, both included."""
    extent = region.extent[axis]
    if extent is None:
        return 1
    return (extent - 1) * region.step[axis] + 1 if extent else 0
