"""The strict checks: what is done before a statement computes, so that nothing wrong is computed.

Each `watch_...` returns a function that is called with the places of a statement's operands. It
raises TileError if the statement breaks a rule there, and notes what the statement will write.
While planes are single bools this costs no work per element.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tilelang.backends.numpy import faults, padding, races
from tilelang.backends.numpy.indices import compile_index
from tilelang.backends.numpy.operands import Operand
from tilelang.backends.numpy.places import Place, counter, evaluate_over
from tilelang.backends.numpy.products import multiplied
from tilelang.backends.numpy.tiles import OVERHANG, Run, Stem, Stems
from tilelang.diagnostics import UNKNOWN, Location
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.nodes import Img2col, Move, Reduce

Watch: TypeAlias = Callable[[Run, Sequence[Place]], None]
"""Called with the places of the operands, destination first."""


def watch_move(stmt: Move, dst: Operand, src: Operand) -> Watch:
    """Return the checks of a move."""

    def watch(run: Run, places: Sequence[Place]) -> None:
        target, source = places
        _read(run, src, source, landing=target)
        stems = padding.stems_of(run, src, source)
        origin = run.tiles[src.slot].origin if source.is_complete else stmt.loc
        _write(run, dst, target, stems, origin)

    return watch


def watch_img2col(stmt: Img2col, dst: Operand, src: Operand) -> Watch:
    """Return the checks of an `Img2col`; rows and columns past the last are padding."""
    past_the_end = _past_the_end(stmt)

    def watch(run: Run, places: Sequence[Place]) -> None:
        target, source = places
        _read(run, src, source)
        tile = run.tiles[src.slot]
        stems, origin = tile.stems, tile.origin
        if not isinstance(stems, Stem):  # outside the map are zeros, constants
            stems = source.read(stems, int(Stem.CONSTANTS))
        outside = past_the_end(run)
        if outside is not None:
            stems, origin = (
                np.where(outside, OVERHANG, np.asarray(stems, np.int8)),
                stmt.loc,
            )
        _write(run, dst, target, stems, origin)

    return watch


def watch_mmad(dst: Operand, a: Operand, b: Operand) -> Callable[..., None]:
    """Return the checks of an `Mmad`, called with whether it is the first of a sum."""
    operands = (dst, a, b)

    def watch(run: Run, places: Sequence[Place], *, first: bool) -> None:
        target, left, right = places
        _read(run, a, left)
        _read(run, b, right)
        if not first:
            _read(run, dst, target)
        origin = _origin(run, operands[1:] if first else operands)
        if origin is None:
            _write(run, dst, target, Stem.DATA, UNKNOWN)
        else:
            _write(run, dst, target, multiplied(run, operands, places, first=first), origin)

    return watch


def watch_map(dst: Operand, loads: Sequence[Operand]) -> Watch:
    """Return the checks of a `Map`."""
    shapes = [load.shape for load in loads]

    def watch(run: Run, places: Sequence[Place]) -> None:
        sources = places[1:]
        for load, source in zip(loads, sources, strict=True):
            _read(run, load, source)
        origin = _origin(run, loads) if loads else UNKNOWN
        if origin is None:
            _write(run, dst, places[0], Stem.DATA, UNKNOWN)
        else:
            stems = [padding.stems_of(run, *found) for found in zip(loads, sources, strict=True)]
            _write(run, dst, places[0], padding.mapped(stems, shapes, dst.shape), origin)

    return watch


def watch_reduce(stmt: Reduce, dst: Operand, src: Operand) -> Watch:
    """Return the checks of a `Reduce`."""

    def watch(run: Run, places: Sequence[Place]) -> None:
        target, source = places
        _read(run, src, source)
        stems = padding.reduced(run, stmt, src, source)
        _write(run, dst, target, stems, run.tiles[src.slot].origin)

    return watch


def _origin(run: Run, operands: Sequence[Operand]) -> Location | None:
    """Return where the operands got padding or constants, or None if they are nothing but data."""
    tiles = [run.tiles[operand.slot] for operand in operands]
    mixed = [tile.origin for tile in tiles if tile.stems is not Stem.DATA]
    return max(mixed, key=lambda origin: origin is not UNKNOWN) if mixed else None


def _read(run: Run, operand: Operand, place: Place, landing: Place | None = None) -> None:
    """Raise if an element is undefined, or belongs to another core.

    What does not land in `landing`, the destination of a move, is not read.
    """
    tile = run.tiles[operand.slot]
    if tile.defined is not True:
        _check_defined(run, operand, place, landing)
    if tile.writers is not None:
        races.check_read(run, operand, place)


def _check_defined(run: Run, operand: Operand, place: Place, landing: Place | None) -> None:
    tile = run.tiles[operand.slot]
    defined = tile.defined
    if isinstance(defined, bool):
        undefined = place.existing(operand.shape)
    else:
        undefined = ~place.read(defined, True)
    if landing is not None and not landing.is_complete:
        undefined = undefined & landing.existing(operand.shape)
    elif place.is_whole and not undefined.any():
        tile.defined = True
    if undefined.any():
        raise faults.undefined_read(run, operand, undefined)


def _write(run: Run, operand: Operand, place: Place, stems: Stems, origin: Location) -> None:
    tile = run.tiles[operand.slot]
    if tile.writers is not None:
        races.check_write(run, operand, place)
    tile.mark(place, stems, origin)


def _past_the_end(stmt: Img2col) -> Callable[[Run], NDArray[np.bool_] | None]:
    """Return a function that says which elements of `stmt.dst` no output has; None if all do."""
    channels, height, width = stmt.src.shape
    k0 = stmt.src.buffer.dtype.k0
    n_rows, n_columns = stmt.window.output(height, width)
    n_taps = stmt.window.kernel[0] * stmt.window.kernel[1]
    position, column = ix.add(stmt.row, counter(0)), ix.add(stmt.column, counter(1))
    c1 = ix.floor_div(column, n_taps * k0)
    channel = ix.add(ix.scale(c1, k0), ix.modulo(column, k0))
    inside = cond.conjunction(
        cond.less(position, ix.constant(n_rows * n_columns)),
        cond.less(channel, ix.constant(channels)),
    )
    row, first_column = compile_index(stmt.row), compile_index(stmt.column)
    m, k = stmt.dst.shape
    n_full_columns = channels // k0 * k0 * n_taps

    def past_the_end(run: Run) -> NDArray[np.bool_] | None:
        variables = run.variables
        last_column = first_column(variables) + k
        if row(variables) + m <= n_rows * n_columns and last_column <= n_full_columns:
            return None
        return ~evaluate_over(inside, stmt.dst.shape, variables)

    return past_the_end
