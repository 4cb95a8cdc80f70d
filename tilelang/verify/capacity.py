"""The rule of capacity: what lives in a memory at one time fits into it."""

from collections.abc import Iterator, Mapping, Sequence

from tilelang.diagnostics import Diagnostic
from tilelang.ir.nodes import Alloc, Body, If, Loop, Program
from tilelang.ir.region import Memory
from tilelang.machines import Machine
from tilelang.verify.fitting import Overflow, Tenant, largest_sizes, total_bytes
from tilelang.verify.wording import bytes_text, shape_text

_HEADINGS = ("buffer", "level", "shape", "bytes", "stages", "total")


def capacity_faults(program: Program, machine: Machine) -> Iterator[Diagnostic]:
    """Yield, for each stage, the memories that hold too much where they hold most.

    A buffer lives from its allocation to the end of the body around it; it exists as often as the
    `stages` of the loops around it, multiplied, say.
    """
    for stage in program.stages:
        peaks: dict[Memory, tuple[Tenant, ...]] = {}
        for tenants in _tenancies(stage.body, (), 1, machine):
            memory = tenants[-1].buffer.memory
            if total_bytes(tenants) > total_bytes(peaks.get(memory, ())):
                peaks[memory] = tenants
        yield from _overflow_faults(peaks, program, machine)


def _overflow_faults(
    peaks: Mapping[Memory, tuple[Tenant, ...]], program: Program, machine: Machine
) -> Iterator[Diagnostic]:
    """Yield the memories that are too small; what is proposed fits into all of them."""
    overflows = [
        Overflow(tenants, limit)
        for memory, tenants in peaks.items()
        if (limit := machine.capacity.get(memory)) and total_bytes(tenants) > limit
    ]
    tiles = dict(program.tiles)
    sizes = largest_sizes(overflows, tiles) if overflows else None
    smaller = _sizes_text(overflows, sizes, tiles) if sizes else None
    for overflow in overflows:
        yield _fault(overflow, smaller, machine)


def _tenancies(
    body: Body, tenants: tuple[Tenant, ...], stages: int, machine: Machine
) -> Iterator[tuple[Tenant, ...]]:
    """Yield, after each allocation, everything that lives in the same memory then."""
    for stmt in body:
        match stmt:
            case Alloc(buffer) if buffer.rank >= buffer.layout.logical_rank:
                alignment = machine.alignment.get(buffer.memory, 1)
                tenants = (*tenants, Tenant(buffer, stages, alignment, stmt.loc))
                yield tuple(one for one in tenants if one.buffer.memory is buffer.memory)
            case Loop():
                yield from _tenancies(stmt.body, tenants, stages * stmt.stages, machine)
            case If():
                yield from _tenancies(stmt.then, tenants, stages, machine)
                yield from _tenancies(stmt.otherwise, tenants, stages, machine)
            case _:
                pass


def _fault(overflow: Overflow, smaller: str | None, machine: Machine) -> Diagnostic:
    tenants, limit = overflow.tenants, overflow.limit
    memory = tenants[0].buffer.memory
    return Diagnostic(
        "E0350",
        f"{_names(tenants)} {bytes_text(total_bytes(tenants))} of {memory}, and {memory} of "
        f"{machine.name} has {bytes_text(limit)}",
        tenants[-1].loc,
        _hint(overflow, smaller),
        details=tuple(_table(tenants, limit)),
    )


def _names(tenants: Sequence[Tenant]) -> str:
    """Return who needs the bytes, the last one named first where they are many."""
    names = [f"`{tenant.buffer.name}`" for tenant in tenants]
    if len(names) > 3:
        names = [names[-1], f"{len(names) - 1} more"]
    *others, last = names
    return f"{', '.join(others)} and {last} need" if others else f"{last} needs"


def _table(tenants: Sequence[Tenant], limit: int) -> Iterator[str]:
    rows = [_HEADINGS, *map(_row, tenants)]
    rows.append(("", "", "", "", "sum", f"{total_bytes(tenants):,}"))
    rows.append(("", "", "", "", "limit", f"{limit:,}"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        words = [
            word.ljust(width) if number < 3 else word.rjust(width)
            for number, (word, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(words)


def _row(tenant: Tenant) -> tuple[str, ...]:
    buffer = tenant.buffer
    n_bytes = f"{tenant.copy_bytes:,}", str(tenant.stages), f"{tenant.n_bytes:,}"
    return (buffer.name, str(buffer.memory), str(buffer), *n_bytes)


def _hint(overflow: Overflow, smaller: str | None) -> str:
    """Return what to write; `smaller` says which sizes would fit, if any do."""
    hint = "allocate fewer buffers at once: each lives to the end of the body around it"
    if smaller:
        hint = f"{smaller}: the largest in proportion that fits"
    if sum(tenant.copy_bytes for tenant in overflow.tenants) <= overflow.limit:
        hint += f"; with stages=1 {overflow.tenants[0].buffer.memory} would hold it as it is"
    return hint


def _sizes_text(
    overflows: Sequence[Overflow], sizes: Mapping[int, int], tiles: Mapping[str, int]
) -> str:
    """Return what to write: tile parameters, or shapes where it is not clear which are meant."""
    tenants = [tenant for overflow in overflows for tenant in overflow.tenants]
    shapes = {tenant.buffer.name: tenant.buffer.shape[-2:] for tenant in tenants}
    named = [f"{name}={sizes[size]}" for name, size in tiles.items() if size in sizes]
    if all(_is_clear(size, tiles, overflows) for size in sizes):
        return f"write {', '.join(named)}"
    smaller = {
        name: shape_text([sizes.get(size, size) for size in shape])
        for name, shape in shapes.items()
    }
    return "make " + ", ".join(f"`{name}` {shape}" for name, shape in smaller.items())


def _is_clear(size: int, tiles: Mapping[str, int], overflows: Sequence[Overflow]) -> bool:
    """Return whether `size` occurs in one memory as often as it is a tile parameter.

    An accumulator [512, 512] says nothing of a k_tile that is 512 as well.
    """
    n_names = sum(value == size for value in tiles.values())
    n_places = max(
        sum(tenant.buffer.shape[-2:].count(size) for tenant in overflow.tenants)
        for overflow in overflows
    )
    return 0 < n_names <= n_places
