"""Where the buffers of a stage lie in the scratch memory of the thread that runs it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tilelang.backends.llvm.form import Form
from tilelang.ir.nodes import Alloc, Body, If, Loop

_LINE = 64
"""Bytes of a cache line, and of the widest vector."""
_GAP = 5 * _LINE
"""Bytes between buffers, so that two of 2**n bytes do not fall on the same lines of the cache."""


@dataclass(frozen=True, slots=True)
class ScratchPlan:
    """The start of each buffer, in bytes, and how many bytes there are in all."""

    starts: Mapping[str, int]
    n_bytes: int


def plan_scratch(body: Body, forms: Mapping[str, Form]) -> ScratchPlan:
    """Place the buffers of `body`; those whose scopes do not overlap share memory."""
    starts = dict(_places(body, forms, 0))
    ends = [start + _room(forms[name]) for name, start in starts.items()]
    return ScratchPlan(starts, max(ends, default=0))


def room_for(form: Form) -> int:
    """Return the bytes that a buffer outside the scratch memory takes, rounded to whole lines."""
    return _room(form)


def _places(body: Body, forms: Mapping[str, Form], start: int) -> Iterator[tuple[str, int]]:
    for stmt in body:
        match stmt:
            case Alloc(buffer):
                if buffer.name in forms:
                    yield buffer.name, start
                    start += _room(forms[buffer.name])
            case Loop():
                yield from _places(stmt.body, forms, start)
            case If():
                yield from _places(stmt.then, forms, start)
                yield from _places(stmt.otherwise, forms, start)
            case _:
                pass


def _room(form: Form) -> int:
    return -(-form.n_bytes // _LINE) * _LINE + _GAP
