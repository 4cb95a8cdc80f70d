"""Where in the user's Python a tile operation is called, and what its result is called there.

A location is the innermost frame outside `tilelang` (shipped kernels count as user code), with the
frames out to the kernel's body as "called from". Columns come from the code object, so no source is
parsed and none is needed.
"""

import dis
import sys
from collections.abc import Iterator
from types import CodeType, FrameType

from tilelang.diagnostics import UNKNOWN, Location

_Position = tuple[int | None, int | None, int | None, int | None]
_positions: dict[int, tuple[CodeType, list[_Position]]] = {}
_following: dict[int, tuple[CodeType, dict[int, list[dis.Instruction]]]] = {}
_LOOK_AHEAD = 4
"""Instructions kept after each call: `UNPACK_SEQUENCE` and the stores of a short tuple."""


def user_frame() -> FrameType:
    """Return the innermost frame that is not `tilelang`'s own."""
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while is_internal(frame) and frame.f_back is not None:
        frame = frame.f_back
    return frame


def location(body: CodeType | None) -> Location:
    """Return where the user's code is now, with callers out to the function with code `body`.

    On the command line there is no such code: the place is unknown.
    """
    frame = user_frame()
    if body is None and _is_command_line():
        return UNKNOWN
    return _frame_location(frame, body)


def assigned_names(frame: FrameType, count: int = 1) -> list[str]:
    """Return the names that the value of the call running in `frame` is assigned to, in order.

    Fewer than `count` where it is not assigned to plain names.
    """
    names: list[str] = []
    for instruction in _instructions_after(frame):
        if instruction.opname.startswith("STORE_"):
            value = instruction.argval
            names += [value] if isinstance(value, str) else value[: _n_stores(instruction)]
        elif instruction.opname != "UNPACK_SEQUENCE":
            break
        if len(names) >= count:
            break
    return names[:count]


def is_iterated_by_for(frame: FrameType) -> bool:
    """Return whether the value of the call running in `frame` goes straight into a `for`."""
    after = _instructions_after(frame)
    return bool(after) and after[0].opname == "GET_ITER"


def is_internal(frame: FrameType) -> bool:
    """Return whether `frame` is `tilelang`'s own or numpy's; a shipped kernel's is neither.

    `contextlib` stands between a `with` and what it opens, never where a user's code is.
    """
    name = frame.f_globals.get("__name__", "")
    package, _, rest = name.partition(".")
    if package == "tilelang":
        return not rest.startswith("kernels")
    return package in ("numpy", "contextlib")


def _is_command_line() -> bool:
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while is_internal(frame) and frame.f_back is not None:
        if frame.f_globals.get("__name__", "").startswith("tilelang.cli"):
            return True
        frame = frame.f_back
    return False


def _frame_location(frame: FrameType, body: CodeType | None) -> Location:
    line, end_line, column, end_column = _position(frame)
    caller = _caller_location(frame, body) if body is not None else None
    return Location(
        frame.f_code.co_filename, line or frame.f_lineno, column, end_column, end_line, caller
    )


def _caller_location(frame: FrameType, body: CodeType) -> Location | None:
    """Return the place that called the function of `frame`, if it lies inside the kernel's body."""
    if frame.f_code is body or not any(outer.f_code is body for outer in _outer(frame)):
        return None
    caller = next((outer for outer in _outer(frame) if not is_internal(outer)), None)
    return _frame_location(caller, body) if caller else None


def _outer(frame: FrameType) -> Iterator[FrameType]:
    outer = frame.f_back
    while outer is not None:
        yield outer
        outer = outer.f_back


def _position(frame: FrameType) -> _Position:
    code = frame.f_code
    known = _positions.get(id(code))
    if known is None:  # keyed by identity, for equality of code objects compares their bytecode
        known = _positions[id(code)] = (code, list(code.co_positions()))
    index = frame.f_lasti // 2
    return known[1][index] if 0 <= index < len(known[1]) else (None, None, None, None)


def _instructions_after(frame: FrameType) -> list[dis.Instruction]:
    code = frame.f_code
    known = _following.get(id(code))
    if known is None:
        instructions = list(dis.get_instructions(code))
        ends = [*(instruction.offset for instruction in instructions[1:]), len(code.co_code)]
        table = {  # a running call may be recorded at any of the cache entries behind it
            offset: instructions[n + 1 : n + 1 + _LOOK_AHEAD]
            for n, instruction in enumerate(instructions)
            for offset in range(instruction.offset, ends[n], 2)
        }
        known = _following[id(code)] = (code, table)
    return known[1].get(frame.f_lasti, [])


def _n_stores(instruction: dis.Instruction) -> int:
    """Return how many names a fused instruction of Python 3.13 stores (`STORE_FAST_LOAD_FAST`)."""
    return instruction.opname.count("STORE_")
