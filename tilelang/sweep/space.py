"""The tiles to try: every combination of some values, or some of them drawn at random."""

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from math import prod
from types import MappingProxyType
from typing import TypeAlias

from tilelang.diagnostics import Diagnostic, TileError, callsite
from tilelang.kernel import Kernel
from tilelang.sweep.values import read_values

Tiles: TypeAlias = Mapping[str, int]
"""A value for each tile parameter that is swept."""

_WRITE_VALUES = 'write tiles={"n_tile": [64, 128, 256]}, or --tile n_tile=64,128,256'

MAX_GRID = 1_000_000
"""Combinations that are tried without drawing some of them."""


@dataclass(frozen=True, slots=True)
class Space:
    """The values of each swept tile parameter, in the order in which they were given."""

    axes: Mapping[str, tuple[int, ...]]

    @property
    def size(self) -> int:
        """The number of combinations."""
        return prod(map(len, self.axes.values()))

    def draw(self, n_wanted: int | None, seed: int) -> list[Tiles]:
        """Return `n_wanted` different combinations at random, in order; all if None.

        Raises:
            TileError: E0903 for all of a space that is too large to be tried.
        """
        if n_wanted is None and self.size > MAX_GRID:
            raise TileError(_too_many(self.size))
        if n_wanted is None or n_wanted >= self.size:
            return [self._tiles(number) for number in range(self.size)]
        chosen = random.Random(seed).sample(range(self.size), n_wanted)
        return [self._tiles(number) for number in sorted(chosen)]

    def _tiles(self, number: int) -> Tiles:
        """Return the combination with this number; the last parameter changes fastest."""
        tiles: dict[str, int] = {}
        for name, values in reversed(list(self.axes.items())):
            number, place = divmod(number, len(values))
            tiles[name] = values[place]
        return MappingProxyType({name: tiles[name] for name in self.axes})


def read_space(kernel: Kernel, tiles: Mapping[str, Iterable[int] | str], fixed: Tiles) -> Space:
    """Return the space of `tiles`, whose values are numbers or text such as `16:1024:x2`.

    `fixed` are tile parameters that are given one value.

    Raises:
        TileError: E0901 for text that cannot be read, E0902 for a name that is no tile parameter,
            E0903 for values that are not different positive ints.
    """
    if not isinstance(tiles, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        message = f"the tiles of a sweep are {tiles!r}, wanted values for each tile parameter"
        raise TileError(Diagnostic("E0903", message, callsite.location(None), _WRITE_VALUES))
    axes = {name: _values(name, values) for name, values in tiles.items()}
    faults = [*_name_faults(kernel, axes, fixed), *_value_faults(axes)]
    if faults:
        raise TileError(*faults)
    return Space(MappingProxyType(axes))


def _values(name: str, given: Iterable[int] | str) -> tuple[int, ...]:
    if isinstance(given, str):
        return read_values(name, given)
    if isinstance(given, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        return tuple(given)
    return (given,)


def _name_faults(kernel: Kernel, axes: Iterable[str], fixed: Tiles) -> Iterator[Diagnostic]:
    known = list(kernel.tile_parameters)
    location = callsite.location(None)
    for name in axes:
        if name in fixed:
            message = f"`{name}` is swept and also set to {fixed[name]}"
            yield Diagnostic("E0902", message, location, f"give `{name}` once")
        elif name in kernel.attributes:
            message = f"`{name}` is an attribute of `{kernel.name}`: it changes the result"
            hint = f"set it to one value ({name}=...), and sweep {', '.join(known)}"
            yield Diagnostic("E0902", message, location, hint)
        elif name not in known:
            close = get_close_matches(name, known, n=1)
            message = f"`{kernel.name}` has no tile parameter `{name}`"
            hint = f"did you mean `{close[0]}`?" if close else _has(known)
            yield Diagnostic("E0902", message, location, hint)


def _has(known: list[str]) -> str:
    if known:
        return f"it has {', '.join(known)}"
    return "it has none: give it one behind its tensors, `*, m_tile: int = 64`"


def _value_faults(axes: Mapping[str, tuple[object, ...]]) -> Iterator[Diagnostic]:
    location = callsite.location(None)
    hint = "write different positive numbers: [64, 128, 256]"
    if not axes:
        yield Diagnostic("E0903", "a sweep is given no tile parameter", location, _WRITE_VALUES)
    for name, values in axes.items():
        if not values:
            yield Diagnostic("E0903", f"`{name}` is given no value to try", location, hint)
        wrong = [value for value in values if not _is_positive(value)]
        if wrong:
            message = f"`{name}` is to be {wrong[0]!r}, wanted a positive int"
            yield Diagnostic("E0903", message, location, hint)
        elif len(set(values)) < len(values):
            again = next(value for value in values if values.count(value) > 1)
            message = f"`{name}` is to be {again} more than once"
            yield Diagnostic("E0903", message, location, hint)


def _is_positive(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _too_many(size: int) -> Diagnostic:
    return Diagnostic(
        "E0903",
        f"the sweep has {size:,} combinations, and at most {MAX_GRID:,} are tried one by one",
        callsite.location(None),
        "draw some of them: random=1000 (--random 1000)",
    )
