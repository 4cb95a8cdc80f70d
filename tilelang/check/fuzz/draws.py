"""Strategies: awkward sizes, legal tile parameters, attributes and dtypes of any kernel.

What comes first is what a failure shrinks to.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tilelang.attributes import Attribute, Kind
from tilelang.check.fuzz.trial import KINDS, Scope, Try, is_legal, size_names

if TYPE_CHECKING:
    from tilelang.kernel import Kernel

SIZES = (1, 2, 3, 7, 15, 16, 17, 31, 32, 33, 47, 64, 65, 97, 127, 128, 129, 211)
DTYPES = ("float16", "float32", "bfloat16", "int8", "uint8", "int32")
_FRACTAL = 16
_NUMBERS: Mapping[Kind, Sequence[float]] = {
    bool: (False, True),
    int: (0, 1, 2, 3, -1, -7),
    float: (0.0, 1.0, 0.5, 1e-3, 0.1, 3.0, -1.0, -0.1),
}
"""Values of attributes; not all floats are exact in few bits."""
_N_FULL = 24
"""How often no size is 0 for each time that a certain one is."""


def tries(kernel: Kernel, backends: Sequence[str], scope: Scope) -> st.SearchStrategy[Try]:
    """Return a strategy of tries."""
    return st.one_of(*(_tries_on(kernel, backend, scope) for backend in backends))


def _tries_on(kernel: Kernel, backend: str, scope: Scope) -> st.SearchStrategy[Try]:
    fixed = scope.fixed
    tiles = {
        name: st.just(fixed[name]) if name in fixed else _tile(default)
        for name, default in kernel.tile_parameters.items()
    }
    attributes = {
        name: st.just(fixed[name]) if name in fixed else _attribute(one)
        for name, one in kernel.parameters.attributes.items()
    }
    sizes = {
        name: st.just(fixed[name]) if name in fixed else _size(kernel)
        for name in size_names(kernel)
    }
    keywords = st.builds(
        _joined,
        st.fixed_dictionaries(sizes),
        st.sampled_from([*[None] * _N_FULL, *(name for name in sizes if name not in fixed)]),
        _mostly_default(attributes, {*fixed, *_required(kernel)}),
        _mostly_default(tiles, fixed),
    )
    return st.builds(
        Try,
        st.just(backend),
        st.just(scope.machine),
        st.sampled_from(_legal_dtypes(kernel, backend, scope)),
        keywords,
        st.sampled_from(KINDS),
        st.integers(0, 999),
    )


def _legal_dtypes(kernel: Kernel, backend: str, scope: Scope) -> Sequence[Mapping[str, str]]:
    """Return the dtypes that `kernel` takes on the backend's machine; all, if it shows none.

    They are tried on two small problems, so that no time goes into what is always refused.
    """
    variables = kernel.signature.dtype_variables
    choices = [[scope.dtypes[name]] if name in scope.dtypes else DTYPES for name in variables]
    every = [dict(zip(variables, chosen, strict=True)) for chosen in product(*choices)]
    given = dict.fromkeys(_required(kernel), 1)
    problems = [
        {**dict.fromkeys(size_names(kernel), size), **given, **scope.fixed}
        for size in (_FRACTAL, 1)
    ]
    legal = [
        dtypes
        for dtypes in every
        if any(
            is_legal(kernel, Try(backend, scope.machine, dtypes, keywords, KINDS[0], 0))
            for keywords in problems
        )
    ]
    return legal or every


def _required(kernel: Kernel) -> list[str]:
    """Return the attributes that have no default."""
    return [name for name, default in kernel.attributes.items() if default is None]


def _joined(
    sizes: dict[str, float],
    empty: str | None,
    attributes: dict[str, float],
    tiles: dict[str, float],
) -> dict[str, float]:
    """Return all keywords; the size `empty` is 0."""
    return {**sizes, **({} if empty is None else {empty: 0}), **attributes, **tiles}


def _mostly_default(
    drawn: Mapping[str, st.SearchStrategy[float]], given: Collection[str]
) -> st.SearchStrategy[dict[str, float]]:
    """Return every keyword half the time, else only those that must be `given`."""
    few = {name: strategy for name, strategy in drawn.items() if name in given}
    return st.one_of(st.fixed_dictionaries(few), st.fixed_dictionaries({**drawn}))


def _size(kernel: Kernel) -> st.SearchStrategy[int]:
    """Return sizes around everything that code may treat specially."""
    n_dims = max(len(size_names(kernel)), 1)
    most = max(int(2.0 ** (21 / n_dims)), 9)
    tiles = [tile + by for tile in kernel.tile_parameters.values() for by in (-1, 0, 1)]
    awkward = sorted({size for size in (*SIZES, *tiles) if 0 < size <= most})
    return st.one_of(st.sampled_from(awkward), st.integers(1, min(most, 40)))


def _tile(default: int) -> st.SearchStrategy[int]:
    """Return multiples of a fractal's side, and the default; small numbers where that is one."""
    tiles = {_FRACTAL * n for n in (1, 2, 3, 4, 5, 8)}
    return st.sampled_from(sorted({*tiles, default} if default >= _FRACTAL else {default, 1, 2, 3}))


def _attribute(one: Attribute) -> st.SearchStrategy[float]:
    """Return the default mostly, for kernels have many attributes, and some other numbers.

    A kernel says with `tl.require` which numbers it is not meant for; such tries do not count.
    """
    others = st.sampled_from(_NUMBERS[one.kind])
    default = st.just(one.default)
    return others if one.default is None else st.one_of(default, default, others)
