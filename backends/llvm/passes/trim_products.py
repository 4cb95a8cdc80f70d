"""Leave out the rows of products that nothing reads.

A tile of the cube has whole blocks of rows, whatever the problem has; what hangs over is dropped on
the way out. Where every way out ends at the same row or before, the product may end there too. This
comes after `inline_elements`, which makes the way out one statement.
"""

from collections.abc import Iterator
from dataclasses import replace

from tilelang.backends.llvm.convolution.windows import find_windows
from tilelang.backends.llvm.existence import Ranges, ranges_of, within
from tilelang.backends.llvm.products.panels import ROWS
from tilelang.backends.llvm.runtime.host import Host
from tilelang.ir import index as ix
from tilelang.ir.expression import loads
from tilelang.ir.nodes import Body, Map, Mmad, Program, Stage, Stmt
from tilelang.ir.region import Memory, Region, identity, view_shape
from tilelang.ir.walk import reads, rewrite


def trim_products(program: Program, host: Host) -> Program:
    """Return `program` with products of no more rows than are read."""
    windows = find_windows(program, host).operands

    def trimmed(stage: Stage) -> Stage:
        n_live = dict(_live_rows(stage))

        def change(stmt: Stmt) -> Body:
            match stmt:
                case Mmad(dst, a) if dst.buffer.name in n_live:
                    # Pixels are read row by row, panels in whole blocks of rows.
                    step = 1 if a.buffer.name in windows else ROWS
                    return (_shortened(stmt, -(-n_live[dst.buffer.name] // step) * step),)
                case _:
                    return (stmt,)

        return replace(stage, body=rewrite(stage.body, change))

    body = tuple(trimmed(part) if isinstance(part, Stage) else part for part in program.body)
    return replace(program, body=body)


def _shortened(stmt: Mmad, n_rows: int) -> Mmad:
    n_rows = min(n_rows, stmt.a.shape[0])
    return replace(stmt, dst=_first_rows(stmt.dst, n_rows), a=_first_rows(stmt.a, n_rows))


def _first_rows(region: Region, n_rows: int) -> Region:
    extent = list(region.extent)
    extent[region.spanned[0]] = n_rows
    return replace(region, extent=tuple(extent))


def _live_rows(stage: Stage) -> Iterator[tuple[str, int]]:
    """Yield how many rows of each accumulator are read at most, where that is known and some."""
    counts: dict[str, int] = {}
    unknown: set[str] = set()
    for stmt, ranges in within(stage.body, ranges_of(stage.grid)):
        match stmt:
            case Mmad():
                others = [stmt.a, stmt.b] if _is_from_top(stmt.dst) else list(reads(stmt))
                unknown |= {region.buffer.name for region in others}
            case Map():
                for region in loads(stmt.expr):
                    name, n_rows = region.buffer.name, _n_read(stmt, region, ranges)
                    counts[name] = max(counts.get(name, 0), n_rows)
                    unknown |= set() if _is_from_top(region) else {name}
            case _:
                unknown |= {region.buffer.name for region in reads(stmt)}
    yield from ((name, count) for name, count in counts.items() if count and name not in unknown)


def _is_from_top(region: Region) -> bool:
    """Return whether a region of an accumulator is a matrix of rows from the first one on."""
    rank = region.buffer.rank
    return (
        region.buffer.memory is Memory.L0C
        and region.view == identity(rank)
        and region.spanned == (rank - 2, rank - 1)
        and region.start[rank - 2] == ix.ZERO
        and region.step[rank - 2] == 1
    )


def _n_read(stmt: Map, region: Region, ranges: Ranges) -> int:
    """Return how many rows of `region` are read at most: those whose results exist."""
    dst = stmt.dst
    if len(dst.shape) != 2 or dst.shape[0] != region.shape[0]:
        return region.shape[0]
    axis = dst.spanned[0]
    size = view_shape(dst.buffer, dst.view)[axis]
    room = size - ix.bounds(dst.start[axis], ranges)[0]
    return max(min(region.shape[0], -(-room // dst.step[axis])), 0)
