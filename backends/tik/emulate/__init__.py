"""Executes instruction programs with numpy, strictly.

What an instruction does is checked when it runs: extents, alignment, parameter ranges, overlaps,
legal paths and dtypes. Undefined bytes are followed (see `memory`): a result that depends on one is
an error at the instruction that read it first.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tilelang.backends.tik.emulate.capacity import capacity_faults
from tilelang.backends.tik.emulate.control import Return, compile_body
from tilelang.backends.tik.emulate.feeds import bind_feeds, collect_outputs, with_mask
from tilelang.backends.tik.emulate.memory import NEVER_WRITTEN, Buffer, Origin
from tilelang.backends.tik.emulate.state import State
from tilelang.backends.tik.instructions import InstructionProgram
from tilelang.backends.tik.soc import find_soc
from tilelang.diagnostics import Diagnostic, Note, TileError

__all__ = ["TOLERABLE", "Emulation", "emulate"]

TOLERABLE = frozenset(("E1203", "E1204", "E1206", "E1207", "E1208", "E1212"))
"""The findings that a run can go on after: what they mean on the device may be harmless."""


@dataclass(frozen=True, slots=True)
class Emulation:
    """What a run gave: outputs by name in the order of `BuildCCE`, and what it warned of."""

    outputs: dict[str, npt.NDArray[Any]]
    warnings: tuple[Diagnostic, ...]


def emulate(
    program: InstructionProgram,
    feed: Mapping[str, object],
    *,
    tolerate: Iterable[str] = (),
    handed_on: Iterable[str] = (),
) -> Emulation:
    """Run `program` on the arrays and numbers of `feed`, by name of input.

    An output in `feed` gives its contents before the run, and the length of a dynamic one.
    Outputs in `handed_on` are for another kernel: they may be undefined in part, and come as masked
    arrays that say where, which a feed may hold too.
    Findings with a code in `tolerate`, one of `TOLERABLE`, are warnings.

    Raises:
        TileError: E12xx, at the line of the instruction.
    """
    state = State(find_soc(program.soc), _tolerable(tolerate))
    faults = capacity_faults(program)
    if faults and "E1208" not in state.tolerated:
        raise TileError(*faults)
    bind_feeds(program, feed, state)
    with np.errstate(all="ignore"):
        run = compile_body(program.body, state)
        with suppress(Return):
            run()
    handed = frozenset(handed_on)
    for name in program.outputs:
        if name not in handed:
            _check_output(state, state.buffers[name])
    outputs = collect_outputs(program, feed, state)
    outputs |= {name: with_mask(state, name, outputs[name]) for name in handed & outputs.keys()}
    return Emulation(outputs, (*faults, *state.warnings.values()))


def _tolerable(codes: Iterable[str]) -> frozenset[str]:
    chosen = frozenset(codes)
    if not chosen <= TOLERABLE:
        message = f"{', '.join(sorted(chosen - TOLERABLE))} cannot be tolerated"
        hint = f"these can: {', '.join(sorted(TOLERABLE))}"
        raise TileError(Diagnostic("E1211", message, hint=hint))
    return chosen


def _check_output(state: State, buffer: Buffer) -> None:
    """Report E1207 if an output holds results of undefined bytes; warn of bytes never written."""
    shadow = buffer.shadow[: buffer.n_bytes]
    if not shadow.any():
        return
    size = buffer.tensor.dtype.n_bytes
    computed = np.nonzero(shadow > NEVER_WRITTEN)[0]
    if computed.size:
        origin = state.origins.find(int(shadow[computed[0]]))
        state.report(_undefined(buffer, int(computed[0]), origin))
    n_missing = int(np.count_nonzero(shadow == NEVER_WRITTEN)) // size
    if n_missing:
        first = int(np.argmax(shadow == NEVER_WRITTEN)) // size
        message = (
            f"{n_missing:,} of {buffer.n_bytes // size:,} elements of the output `{buffer.name}` "
            f"are undefined, from element {first:,}: nothing wrote them"
        )
        state.warn(Diagnostic("E1222", message, buffer.tensor.loc))


def _undefined(buffer: Buffer, offset: int, origin: Origin | None) -> Diagnostic:
    element = offset // buffer.tensor.dtype.n_bytes
    what = f"element {element:,} of the output `{buffer.name}`"
    if origin is None:
        return Diagnostic("E1207", f"{what} is computed from undefined bytes", buffer.tensor.loc)
    return Diagnostic(
        "E1207",
        f"{origin.instruction}: {origin.role} reads undefined bytes of `{origin.tensor}` (from "
        f"byte {origin.offset:,}), and {what} depends on them",
        origin.loc,
        hint=f"write all of `{origin.tensor}` that is read: data_move, vector_dup, set_as",
        notes=(Note(f"`{origin.tensor}` is declared here, undefined", origin.declared),),
    )
