"""The rule that a sum lives on: a product that starts `init=True` anew each time round loses it."""

from collections.abc import Iterator

from tilelang.diagnostics import Diagnostic, Note
from tilelang.ir import index as ix
from tilelang.ir.condition import TRUE
from tilelang.ir.nodes import Alloc, Body, Loop, LoopKind, Matmul, Mmad, Program, Stmt
from tilelang.ir.region import Region
from tilelang.ir.walk import reads, walk, walk_program
from tilelang.verify.wording import declared


def lost_sum_faults(program: Program) -> Iterator[Diagnostic]:
    """Yield the products of a loop that overwrite, unread, what its iteration before summed up."""
    for stmt in walk_program(program):
        if isinstance(stmt, Loop) and stmt.kind is LoopKind.SERIAL and _repeats(stmt):
            inside = list(walk(stmt.body))
            for product in _unconditional_products(stmt.body):
                if product.init == TRUE and _is_lost(product, stmt, inside):
                    yield _lost(product, stmt)


def _repeats(loop: Loop) -> bool:
    return not loop.extent.is_constant or loop.extent.constant > 1


def _unconditional_products(body: Body) -> Iterator[Matmul | Mmad]:
    for stmt in body:
        match stmt:
            case Matmul() | Mmad():
                yield stmt
            case Loop():
                yield from _unconditional_products(stmt.body)
            case _:
                pass  # a branch is perhaps what starts the sum


def _is_lost(product: Matmul | Mmad, loop: Loop, inside: list[Stmt]) -> bool:
    """Return whether the next iteration of `loop` writes the same elements, and none reads them."""
    name = product.dst.buffer.name
    allocated = any(isinstance(stmt, Alloc) and stmt.buffer.name == name for stmt in inside)
    return not (
        allocated
        or loop.var in _variables(product.dst)
        or any(_reads_out(stmt, name) for stmt in inside)
    )


def _variables(region: Region) -> set[str]:
    return {name for start in region.start for name in ix.free_variables(start)}


def _reads_out(stmt: Stmt, name: str) -> bool:
    """Return whether `stmt` reads the sum, and not only to add to it."""
    adds = isinstance(stmt, Matmul | Mmad) and stmt.dst.buffer.name == name
    return not adds and any(region.buffer.name == name for region in reads(stmt))


def _lost(product: Matmul | Mmad, loop: Loop) -> Diagnostic:
    name, var = product.dst.buffer.name, loop.var
    return Diagnostic(
        "E0373",
        f"every iteration of `{var}` starts the sum in `{name}` anew (`init` is True), and none "
        "reads it: only the last product would count",
        product.loc,
        f"write `init={var} == 0` to add up over `{var}`, or store `{name}` in the loop",
        (*declared(product.dst.buffer), Note("the loop", loop.loc)),
    )
