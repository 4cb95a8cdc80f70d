"""The order of several mistakes: that in which a user mends them."""

from tilelang.diagnostics import Diagnostic

_CONSEQUENCES = frozenset({"E0370"})
"""Codes of what is often but the echo of another mistake: a result that nobody writes."""


def order(diagnostic: Diagnostic) -> tuple[bool, int, int]:
    """Return a key to sort by: causes first, then the line in the kernel, then in what it calls."""
    place = diagnostic.location
    if place is None:
        return (False, 0, 0)
    outer = place
    while outer.called_from:
        outer = outer.called_from
    return (diagnostic.code in _CONSEQUENCES, outer.line, place.line)
