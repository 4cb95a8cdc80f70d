"""The code of a move at the edge of its tensor: one branch for every case."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from tilelang.backends.tik.instructions import Body
from tilelang.backends.tik.lower.edges import Case, Edge, edges
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir.condition import Condition
from tilelang.ir.region import Region

Inside: TypeAlias = tuple[tuple[int, int], ...]
"""Of every axis of a region's shape, the first and the last + 1 position inside the tensor."""


def for_cases(writer: Writer, region: Region, write: Callable[[Inside | None], None]) -> None:
    """Write what `write` makes of every case of `region`; None stands for "nothing inside"."""
    spans = [extent is not None for extent in region.extent]
    _for_axes(writer, list(zip(edges(region, writer), spans, strict=True)), (), write)


def _for_axes(
    writer: Writer,
    left: Sequence[tuple[Edge, bool]],
    chosen: Inside,
    write: Callable[[Inside | None], None],
) -> None:
    if not left:
        write(chosen)
        return
    (edge, spans), *rest = left

    def write_case(case: Case) -> None:
        if not case.n_inside:
            write(None)
            return
        inside = (*chosen, (case.first, case.last)) if spans else chosen
        _for_axes(writer, rest, inside, write)

    bodies: list[tuple[Condition, Body]] = []
    for case in edge.cases:
        with writer.collected() as body:
            write_case(case)
        bodies.append((case.condition, tuple(body)))
    *tested, (_, last) = bodies
    if tested:
        writer.branch(tested, last)
    else:
        writer.write(*last)
