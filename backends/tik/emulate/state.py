"""What a running program has: tensors, scalars, the mode registers, and what it warned of."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tilelang.backends.tik.emulate.memory import GM_SLACK_BYTES, Buffer, Origins
from tilelang.backends.tik.instructions import (
    BLOCK_BYTES,
    Expr,
    Operand,
    Scope,
    Tensor,
    TikType,
    Work,
    method_name,
)
from tilelang.backends.tik.soc import Soc
from tilelang.diagnostics import Diagnostic, Note, TileError

_TOLERATED_SLACK_BYTES = 1 << 16
"""Room behind on-chip tensors where an overflow is to be a warning."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Equal runs of bytes that an operand covers, and the parameters that say so.

    `pitch` is from start to start; the parameter called `pitch_name` counts `unit` bytes, of gaps
    from the end of a run if `is_gap`.
    """

    count: int
    n_bytes: int
    pitch: int
    count_name: str
    pitch_name: str
    is_gap: bool = False
    unit: int = BLOCK_BYTES
    length_name: str | None = None
    """The parameter that gives a run's length in blocks, if there is one."""

    def __str__(self) -> str:
        """Return what is covered: `16 times 256 bytes, 2,048 from start to start`."""
        return f"{self.count:,} times {self.n_bytes:,} bytes, {self.pitch:,} from start to start"

    def advice(self, room: int) -> str:
        """Return what to write so that `room` bytes are enough."""
        if room < self.n_bytes:
            earlier = f"start {self.n_bytes - room:,} bytes earlier"
            n_blocks = room // BLOCK_BYTES
            if self.length_name is None or not n_blocks:
                return f"{earlier}, or cover less"
            return f"write {self.length_name}={n_blocks:,} or less, or {earlier}"
        count = (room - self.n_bytes) // max(self.pitch, 1) + 1
        fitting = _at_most(self.count_name, count, least=1)
        pitch = (room - self.n_bytes) // max(self.count - 1, 1)
        stride = (pitch - self.n_bytes * self.is_gap) // self.unit
        if pitch < self.n_bytes:
            return f"write {fitting}, or start earlier"
        return f"write {fitting}, or {_at_most(self.pitch_name, stride)}, or start earlier"


def _at_most(name: str, value: int, least: int = 0) -> str:
    return f"{name}={value:,}" if value == least else f"{name}={value:,} or less"


@dataclass(slots=True)
class State:
    """The state of one run, shared by all compiled instructions."""

    soc: Soc
    tolerated: frozenset[str]
    variables: dict[str, int | float] = field(default_factory=lambda: {})
    types: dict[str, TikType] = field(default_factory=lambda: {})
    arrays: dict[str, list[int | float]] = field(default_factory=lambda: {})
    buffers: dict[str, Buffer] = field(default_factory=lambda: {})
    warnings: dict[tuple[object, ...], Diagnostic] = field(default_factory=lambda: {})
    origins: Origins = field(default_factory=Origins)
    generation: int = 0
    """Changes when a buffer gets other memory, so that plans that hold views are made anew."""
    atomic: TikType | None = None
    core: int | None = None
    """The iteration of the block loop that runs, None outside."""
    compare_mask: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(128, np.bool_))

    def report(self, diagnostic: Diagnostic) -> None:
        """Raise `diagnostic` unless its code is tolerated: then it is a warning."""
        if diagnostic.code not in self.tolerated:
            raise TileError(diagnostic)
        self.warn(diagnostic)

    def warn(self, diagnostic: Diagnostic) -> None:
        """Keep a warning; one for each code, place and tensor."""
        self.warnings.setdefault((diagnostic.code, diagnostic.location), diagnostic)

    def add_buffer(self, tensor: Tensor, n_bytes: int) -> Buffer:
        """Return the undefined buffer of `tensor`, the one of its last declaration if that fits."""
        known = self.buffers.get(tensor.name)
        if known is not None and known.n_bytes == n_bytes:
            known.poison()
            return known
        self.generation += 1
        is_gm = tensor.scope is Scope.GM
        loose = _TOLERATED_SLACK_BYTES if "E1203" in self.tolerated else 0
        buffer = Buffer(tensor, n_bytes, GM_SLACK_BYTES if is_gm else loose)
        self.buffers[tensor.name] = buffer
        return buffer

    def start_of(
        self, work: Work, operand: Operand, role: str, alignment: int
    ) -> tuple[Buffer, int]:
        """Return the buffer and byte offset of an operand.

        Raises:
            TileError: E1204 if the offset is no multiple of `alignment` (never needed in GM).
        """
        buffer = self.buffers[operand.tensor]
        offset = number(operand.offset) * operand.dtype.n_bytes
        if buffer.scope is not Scope.GM and offset % alignment:
            self.report(misaligned(work, operand, role, offset, alignment))
        if offset < 0:
            raise TileError(overflow(work, role, buffer, offset, offset))
        return buffer, offset

    def check_runs(self, work: Work, role: str, buffer: Buffer, start: int, runs: Runs) -> None:
        """Check that `runs`, the first of them at `start`, lie in `buffer`, as `check_extent`."""
        end = start + (runs.count - 1) * runs.pitch + runs.n_bytes
        self.check_extent(work, role, buffer, start, end, runs)

    def check_extent(
        self,
        work: Work,
        role: str,
        buffer: Buffer,
        start: int,
        end: int,
        runs: Runs | None = None,
    ) -> None:
        """Check that the bytes `start` .. `end` - 1 lie in `buffer`.

        In GM a tail block may reach behind the tensor: a warning, up to `GM_SLACK_BYTES`.

        Raises:
            TileError: E1203.
        """
        if end <= buffer.n_bytes:
            return
        if buffer.scope is Scope.GM and end <= buffer.n_bytes + GM_SLACK_BYTES:
            self.warn(_tail(work, role, buffer, end))
            return
        diagnostic = overflow(work, role, buffer, start, end, runs)
        if end > buffer.data.size:
            raise TileError(diagnostic)
        self.report(diagnostic)


def number(expr: Expr) -> int:
    """Return an expression that has been evaluated as the integer it is."""
    assert isinstance(expr, int | float), expr
    return int(expr)


def check_range(work: Work, name: str, value: int, low: int, high: int) -> None:
    """Raise E1202 if a parameter is outside `low` .. `high`."""
    if not low <= value <= high:
        raise TileError(
            Diagnostic(
                "E1202",
                f"{method_name(work)}: {name} is {value}; it must be in {low} .. {high}",
                work.loc,
            )
        )


def check_ranges(work: Work, limits: Iterable[tuple[str, Expr, int, int]]) -> None:
    """Raise E1202 for the first parameter outside its range."""
    for name, value, low, high in limits:
        check_range(work, name, number(value), low, high)


def wrong_operand(work: Work, message: str, hint: str | None = None) -> TileError:
    """Return E1205: a memory or dtype that the instruction does not take."""
    return TileError(Diagnostic("E1205", f"{method_name(work)}: {message}", work.loc, hint=hint))


def declared_note(buffer: Buffer) -> tuple[Note, ...]:
    """Return the note that shows where a tensor is declared."""
    tensor = buffer.tensor
    shape = ", ".join(str(extent) if isinstance(extent, int) else "?" for extent in tensor.shape)
    text = f"`{tensor.name}` is {tensor.dtype}[{shape}] in {tensor.scope}, declared here"
    return (Note(text, tensor.loc),)


def misaligned(work: Work, operand: Operand, role: str, offset: int, alignment: int) -> Diagnostic:
    """Return E1204: an operand starts between two multiples of `alignment` bytes."""
    elements = max(alignment // operand.dtype.n_bytes, 1)
    return Diagnostic(
        "E1204",
        f"{method_name(work)}: {role} starts at byte {offset:,} of `{operand.tensor}`; "
        f"it must be a multiple of {alignment:,} bytes",
        work.loc,
        hint=f"start at a multiple of {elements} elements of {operand.dtype}",
    )


def overflow(
    work: Work, role: str, buffer: Buffer, start: int, end: int, runs: Runs | None = None
) -> Diagnostic:
    """Return E1203: an operand reaches behind its tensor."""
    why = "" if runs is None or runs.count == 1 else f": {runs}"
    room = max(buffer.n_bytes - start, 0)
    return Diagnostic(
        "E1203",
        f"{method_name(work)}: {role} covers bytes {start:,} to {end:,} of `{buffer.name}`, "
        f"which has {buffer.n_bytes:,}{why}",
        work.loc,
        hint="cover less, or start earlier" if runs is None else runs.advice(room),
        notes=declared_note(buffer),
    )


def _tail(work: Work, role: str, buffer: Buffer, end: int) -> Diagnostic:
    verb, code = ("writes", "E1221") if role == "dst" else ("reads", "E1220")
    excess = end - buffer.n_bytes
    return Diagnostic(
        code,
        f"{method_name(work)}: {role} {verb} {excess:,} bytes behind the end of `{buffer.name}`",
        work.loc,
        notes=declared_note(buffer),
    )
