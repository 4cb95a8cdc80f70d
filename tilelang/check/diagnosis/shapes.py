"""Where the wrong elements lie: in the tail, in whole tiles, in stripes; and what they are."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tilelang.check.diagnosis.case import Case, brackets, number

Mask = NDArray[np.bool_]

_PERIODS = (16, 32, 8)
_AXES = {-1: "column", -2: "row"}


def describe(case: Case) -> Iterator[str]:
    """Yield sentences on which elements are wrong, the plainest first."""
    wrong = case.comparison.wrong
    yield _first(case, wrong)
    yield from _not_numbers(case, wrong)
    patterns = [*_tails(wrong, case.tile), *_tiles(wrong, case.tile)]
    yield from patterns or _stripes(wrong)


def _first(case: Case, wrong: Mask) -> str:
    at = tuple(int(i) for i in np.unravel_index(int(wrong.argmax()), wrong.shape))
    found, enclosure = case.comparison.found[at], case.comparison.enclosure
    low, high = number(float(enclosure.low[at])), number(float(enclosure.high[at]))
    wanted = low if low == high else f"{low} to {high}"
    n_wrong = int(np.count_nonzero(wrong))
    name = f"{case.result.name}{brackets(at)}"
    return (
        f"{n_wrong:,} of {wrong.size:,} elements of `{case.result.name}` are wrong, first "
        f"{name} = {number(float(found))}, wanted {wanted}"
    )


def _not_numbers(case: Case, wrong: Mask) -> Iterator[str]:
    found = case.comparison.found
    if found.dtype.kind == "f":
        n_nan = int(np.count_nonzero(np.isnan(found) & wrong))
        if n_nan:
            yield f"{n_nan:,} of them are NaN, which the program does not make"


def _others(wrong: Mask, axis: int) -> Mask:
    """Return for each index along `axis` whether anything is wrong there."""
    return np.asarray(wrong.any(tuple(a for a in range(wrong.ndim) if a != axis % wrong.ndim)))


def _tails(wrong: Mask, tile: Sequence[int]) -> Iterator[str]:
    for axis in range(-1, -min(wrong.ndim, 2) - 1, -1):
        along, extent = _others(wrong, axis), wrong.shape[axis]
        for block in dict.fromkeys((tile[axis], 16)):
            first = extent // block * block if block else extent
            if extent - first > 0 and first and not along[:first].any():
                yield (
                    f"only the tail is wrong: {_AXES[axis]}s {int(along.argmax())} to "
                    f"{extent - 1}, past the last multiple of {block}"
                )
                break
        else:
            if extent > 1 and along[-1] and not along[:-1].any():
                yield f"only the last {_AXES[axis]}, {extent - 1}, is wrong"


def _tiles(wrong: Mask, tile: Sequence[int]) -> Iterator[str]:
    if wrong.ndim < 2 or 0 in tile or 0 in wrong.shape:
        return
    counts = -(-np.array(wrong.shape) // np.array(tile))
    shares = [_share(wrong, tile, tuple(at)) for at in np.ndindex(*counts)]
    n_touched = sum(share > 0 for share in shares)
    if all(share == 0 or share > 0.9 for share in shares) and 0 < n_touched < len(shares):
        places = zip(np.ndindex(*counts), shares, strict=True)
        first = next(at for at, share in places if share)
        yield (
            f"{n_touched} of {len(shares)} tiles of {' x '.join(map(str, tile))} are wrong as a "
            f"whole, first tile {brackets(first)}"
        )


def _share(wrong: Mask, tile: Sequence[int], at: tuple[int, ...]) -> float:
    part = wrong[tuple(slice(i * n, (i + 1) * n) for i, n in zip(at, tile, strict=True))]
    return float(part.mean())


def _stripes(wrong: Mask) -> Iterator[str]:
    for axis in range(-1, -min(wrong.ndim, 2) - 1, -1):
        along = _others(wrong, axis)
        for period in _PERIODS:
            n_whole = len(along) // period
            if n_whole < 2 or along.all():
                continue
            folded = along[: n_whole * period].reshape(n_whole, period)
            if (folded == folded[0]).all() and folded[0].any():
                places = [int(i) for i in np.flatnonzero(folded[0])]
                yield f"stripes: {_AXES[axis]}s {_span(places)} of every {period} are wrong"
                return


def _span(places: Sequence[int]) -> str:
    first, last = places[0], places[-1]
    if len(places) == last - first + 1:
        return f"{first} to {last}" if last > first else str(first)
    return ", ".join(map(str, places))
