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
from tilelang.backends.tik.emulate.feeds import bind_feeds, collect_outputs
from tilelang.backends.tik.emulate.memory import NEVER_WRITTEN, Buffer, Origin
from tilelang.backends.tik.emulate.state import State
from tilelang.backends.tik.instructions import InstructionProgram
from tilelang.backends.tik.soc import find_soc
from tilelang.diagnostics import Diagnostic, Note, TileError

__all__ = ["Emulation", "emulate"]


@dataclass(frozen=True, slots=True)
class Emulation:
    """What a run gave: outputs by name in the order of `BuildCCE`, and what it warned of."""

    outputs: dict[str, npt.NDArray[Any]]
    warnings: tuple[Diagnostic, ...]


def emulate(
    program: InstructionProgram, feed: Mapping[str, object], *, tolerate: Iterable[str] = ()
) -> Emulation:
    """Run `program` on the arrays and numbers of `feed`, by name of input.

    An output in `feed` gives its contents before the run, and the length of a dynamic one.
    Findings with a code in `tolerate` ("E1203", "E1206", ...) are warnings.

    Raises:
        TileError: E12xx, at the line of the instruction.
    """
    state = State(find_soc(program.soc), frozenset(tolerate))
    faults = capacity_faults(program)
    if faults and "E1208" not in state.tolerated:
        raise TileError(*faults)
    bind_feeds(program, feed, state)
    with np.errstate(all="ignore"):
        run = compile_body(program.body, state)
        with suppress(Return):
            run()
    for name in program.outputs:
        _check_output(state, state.buffers[name])
    return Emulation(collect_outputs(program, feed, state), (*faults, *state.warnings.values()))


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
            f"are undefined, from element {first:,}: nothing wrote them, or a move copied bytes "
            "that nothing wrote"
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
