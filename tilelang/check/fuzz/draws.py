"""Strategies: awkward sizes, legal tile parameters, attributes and dtypes of any kernel.

What comes first is what a failure shrinks to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tilelang.check.fuzz.trial import KINDS, Scope, Try, size_names
from tilelang.text.signature import AccumulatorOf, DTypeVariable

if TYPE_CHECKING:
    from tilelang.kernel import Kernel

SIZES = (1, 2, 3, 7, 15, 16, 17, 31, 32, 33, 47, 64, 65, 97, 127, 128, 129, 211)
FLOATS = ("float16", "float32", "bfloat16")
_FRACTAL = 16


def tries(kernel: Kernel, backends: Sequence[str], scope: Scope) -> st.SearchStrategy[Try]:
    """Return a strategy of tries."""
    fixed, dtypes = scope.fixed, scope.dtypes
    tiles = {
        name: st.just(fixed[name]) if name in fixed else _tile(default)
        for name, default in kernel.tile_parameters.items()
    }
    attributes = {
        name: st.just(fixed[name]) if name in fixed else _attribute(default)
        for name, default in kernel.attributes.items()
    }
    sizes = {
        name: st.just(fixed[name]) if name in fixed else _size(kernel)
        for name in size_names(kernel)
    }
    variables = {
        name: st.just(dtypes[name]) if name in dtypes else _dtype(kernel, name)
        for name in kernel.signature.dtype_variables
    }
    keywords = st.builds(
        _joined,
        st.fixed_dictionaries(sizes),
        st.fixed_dictionaries(attributes),
        st.one_of(_defaults(fixed, tiles), st.fixed_dictionaries(tiles)),
    )
    return st.builds(
        Try,
        st.sampled_from(list(backends)),
        st.just(scope.machine),
        st.fixed_dictionaries(variables),
        keywords,
        st.sampled_from(KINDS),
        st.integers(0, 999),
    )


def _joined(
    sizes: dict[str, int], attributes: dict[str, int], tiles: dict[str, int]
) -> dict[str, int]:
    return {**sizes, **attributes, **tiles}


def _defaults(
    fixed: Mapping[str, int], tiles: Mapping[str, object]
) -> st.SearchStrategy[dict[str, int]]:
    """Return the kernel's own tile parameters, but for what is fixed."""
    return st.just({name: value for name, value in fixed.items() if name in tiles})


def _dtype(kernel: Kernel, variable: str) -> st.SearchStrategy[str]:
    """Return floats; int8 too where a result is of the type that sums of it are taken in."""
    sums = [tensor.dtype for tensor in kernel.signature.results]
    takes_integers = AccumulatorOf(DTypeVariable(variable)) in sums
    return st.sampled_from((*FLOATS, "int8") if takes_integers else FLOATS)


def _size(kernel: Kernel) -> st.SearchStrategy[int]:
    """Return sizes around everything that code may treat specially; now and then none at all."""
    n_dims = max(len(size_names(kernel)), 1)
    most = max(int(2.0 ** (21 / n_dims)), 9)
    tiles = [tile + by for tile in kernel.tile_parameters.values() for by in (-1, 0, 1)]
    awkward = sorted({size for size in (*SIZES, *tiles) if 0 < size <= most})
    return st.one_of(st.sampled_from(awkward), st.integers(1, min(most, 40)), st.just(0))


def _tile(default: int) -> st.SearchStrategy[int]:
    """Return tile parameters of which many are legal, the default among them."""
    fractals = [_FRACTAL * n for n in (1, 2, 3, 4, 5, 8)]
    return st.sampled_from(sorted({*fractals, default, 1, 2}))


def _attribute(default: int | None) -> st.SearchStrategy[int]:
    known = [] if default is None else [default]
    return st.sampled_from(list(dict.fromkeys([*known, 0, 1, 2, 3])))
