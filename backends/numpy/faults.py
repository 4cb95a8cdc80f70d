"""The errors of the strict executor: what was found where, in which iteration, and what to write.

Every function returns a `TileError` for its caller to raise.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tilelang.backends.numpy import wording as say
from tilelang.backends.numpy.arithmetic import neutral_values
from tilelang.backends.numpy.indices import Variables
from tilelang.backends.numpy.operands import Operand, Operation
from tilelang.backends.numpy.tiles import Array, Run, Shared
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.ir.nodes import Mmad, Reduce, ReduceOp
from tilelang.ir.region import Buffer, Memory

Mask = NDArray[np.bool_]


def undefined_read(run: Run, operand: Operand, undefined: Mask) -> TileError:
    """Return the error for reading elements that nothing wrote, those true in `undefined`."""
    buffer = operand.buffer
    element = operand.element(say.first_true(undefined), run.variables)
    return TileError(
        Diagnostic(
            "E0402",
            f"{say.operation(operand.stmt)} reads {say.element_name(buffer, element)}, which is "
            f"undefined: {_what_is_missing(buffer)}",
            say.place(operand),
            _how_to_define(operand),
            say.notes((_where_it_came_from(buffer), buffer.loc)),
            (
                *say.details(run.variables, buffer, element),
                f"{say.share(undefined)} read here are undefined",
            ),
        )
    )


def _what_is_missing(buffer: Buffer) -> str:
    if buffer.memory is Memory.GM:
        return "no core has written it"
    return f"nothing has been written there since `{buffer.name}` was allocated"


def _where_it_came_from(buffer: Buffer) -> str:
    if buffer.memory is Memory.GM:
        return f"`{buffer.name}` is undefined at first"
    return f"`{buffer.name}` is allocated here, undefined each time this line runs"


def _how_to_define(operand: Operand) -> str:
    name = operand.buffer.name
    match operand.buffer.memory:
        case Memory.L0C if isinstance(operand.stmt, Mmad):
            return "let the first product of the sum write instead of add: `init=k == 0`"
        case Memory.L0C:
            return (
                f"compute `{name}` with `matmul` first; a loop that runs no time computes nothing"
            )
        case Memory.UB:
            return f"write all of `{name}` before, for example `{name}[:] = 0`"
        case Memory.GM:
            return f"write all of `{name}` in an earlier stage"
        case _:
            return f"load all of `{name}` before, with `tl.data_move`"


def out_of_bounds(
    variables: Variables, operand: Operand, axis: int, span: tuple[int, int], size: int
) -> TileError:
    """Return the error for a region of elements `span` (ends included) along an axis of `size`."""
    buffer, (first, last) = operand.buffer, span
    taken = f"element {first}" if first == last else f"elements {first} to {last}"
    room = size - 1 - (last - first)
    return TileError(
        Diagnostic(
            "E0403",
            f"{say.operation(operand.stmt)} takes {taken} of `{buffer.name}` along axis {axis}, "
            f"which has {size} (0 to {size - 1}): on chip nothing may hang over",
            say.place(operand),
            f"start between 0 and {room}" if room >= 0 else f"allocate `{buffer.name}` larger",
            say.notes((f"`{buffer.name}` is {buffer} in {buffer.memory}", buffer.loc)),
            tuple(say.iteration(variables)),
        )
    )


def misaligned(
    variables: Variables, operand: Operand, starts: Sequence[int], block: Sequence[int]
) -> TileError:
    """Return the error for a region that starts inside a fractal of its buffer."""
    buffer = operand.buffer
    kind, multiples = buffer.layout, say.brackets(block)
    return TileError(
        Diagnostic(
            "E0404",
            f"{say.operation(operand.stmt)} takes `{buffer.name}` from {say.brackets(starts)}, "
            f"which is inside a fractal: in {buffer.memory} and layout {kind} a region starts at "
            f"multiples of {multiples}",
            say.place(operand),
            f"make the starts along these axes multiples of {multiples}",
            say.notes((f"`{buffer.name}` is {buffer} in layout {kind}", buffer.loc)),
            tuple(say.iteration(variables)),
        )
    )


def reduces_padding(run: Run, stmt: Reduce, src: Operand, wrong: Mask, values: Array) -> TileError:
    """Return the error for a reduction over padding, true in `wrong`, that changes its result."""
    position = say.first_true(wrong)
    wanted = neutral_values(stmt.op, src.buffer.dtype)
    pad = {ReduceOp.SUM: "0", ReduceOp.MAX: "-math.inf", ReduceOp.MIN: "math.inf"}[stmt.op]
    if src.buffer.dtype.is_integer:
        pad = say.number(wanted[0])
    return _padding_error(
        "E0405",
        f"{say.operation(stmt)} along axis {stmt.axis}",
        f"is {say.number(values[position])}, where only {say.alternatives(wanted)} changes nothing",
        f"load it with `pad={pad}`, or mask it with `tl.where` and `tl.position` first",
        (run, src, position),
    )


def multiplies_padding(
    run: Run, operand: Operand, position: tuple[int, ...], found: str
) -> TileError:
    """Return the error for a matrix product whose sums padding changes, as `found` says."""
    return _padding_error(
        "E0406",
        say.operation(operand.stmt),
        found,
        "load what is multiplied with `pad=0`, so that what lies past the end adds nothing",
        (run, operand, position),
    )


def _padding_error(
    code: str, what: str, found: str, hint: str, where: tuple[Run, Operand, tuple[int, ...]]
) -> TileError:
    run, operand, position = where
    tile, element = run.tiles[operand.slot], operand.element(position, run.variables)
    return TileError(
        Diagnostic(
            code,
            f"{what} takes in padding: {say.element_name(tile.buffer, element)} stems from beyond "
            f"the end of a tensor; it {found}",
            say.place(operand),
            hint,
            say.notes((f"`{tile.buffer.name}` got its padding here", tile.origin)),
            tuple(say.details(run.variables, tile.buffer, element)),
        )
    )


def written_twice(run: Run, operand: Operand, stage: Shared, tokens: Array) -> TileError:
    """Return the error for an element that another core wrote; `tokens` say which one."""
    token, element = _other_core(run, operand, tokens)
    other = say.core_text(stage, token)
    return TileError(
        Diagnostic(
            "E0407",
            f"two cores write {say.element_name(operand.buffer, element)} in one stage: {other}, "
            f"then {say.core_text(stage, run.first_token)}",
            say.place(operand),
            "let every core write elements of its own, from starts that depend on every variable "
            "of `tl.cores`; combine what cores computed in a second stage",
            say.notes((f"{other} wrote it here", _statement(stage, token).loc)),
            tuple(say.details(run.variables, operand.buffer, element)),
        )
    )


def raced(
    run: Run, operand: Operand, stage: Shared, tokens: Array, verbs: tuple[str, str]
) -> TileError:
    """Return the error for an element that cores read and write; `verbs` are other's and own."""
    token, element = _other_core(run, operand, tokens)
    other, own = say.core_text(stage, token), say.core_text(stage, run.first_token)
    return TileError(
        Diagnostic(
            "E0408",
            f"{own} {verbs[1]} {say.element_name(operand.buffer, element)}, which {other} "
            f"{verbs[0]} in the same stage; cores run in any order",
            say.place(operand),
            "put the write and the read into two stages: close the loops over `tl.cores` between "
            "them and open new ones",
            say.notes((f"{other} {verbs[0]} it here", _statement(stage, token).loc)),
            tuple(say.details(run.variables, operand.buffer, element)),
        )
    )


def _other_core(run: Run, operand: Operand, tokens: Array) -> tuple[int, tuple[int, ...]]:
    position = say.first_true(tokens < run.first_token)
    return int(tokens[position]), operand.element(position, run.variables)


def _statement(stage: Shared, token: int) -> Operation:
    return stage.statements[token % len(stage.statements)]


def never_written(buffer: Buffer, missing: Mask, stores: Sequence[Operation]) -> TileError:
    """Return the error for a result that no core gave a value where `missing` is true."""
    element = say.first_true(missing)
    if not stores:
        return _without_stores(buffer)
    return TileError(
        Diagnostic(
            "E0409",
            f"{say.share(missing)} of the result `{buffer.name}` ({buffer}) were never written, "
            f"the first is {say.element_name(buffer, element)}",
            stores[-1].loc,
            "make the cores cover the result, `tl.cores(tl.ceildiv(size, tile), ...)`, and let no "
            "`tl.if_scope` or empty loop skip a store",
            say.notes((f"`{buffer.name}` is declared here", buffer.loc)),
            (*say.details({}, buffer, element), f"they lie within {say.hull(missing)}"),
        )
    )


def _without_stores(buffer: Buffer) -> TileError:
    return TileError(
        Diagnostic(
            "E0409",
            f"nothing writes the result `{buffer.name}` ({buffer})",
            buffer.loc,
            f"store what each core computed, with `tl.data_move({buffer.name}[...], tile)`",
        )
    )


def no_memory(buffer: Buffer) -> TileError:
    """Return the error for a tensor, or a tile, that this computer cannot hold."""
    return TileError(
        Diagnostic(
            "E0411",
            f"there is no memory for `{buffer.name}`, {buffer} in {buffer.memory}: "
            f"{buffer.n_bytes:,} bytes",
            buffer.loc,
            "run it on smaller sizes, or allocate less",
        )
    )
