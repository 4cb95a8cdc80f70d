"""Ordering points that the text sets itself: barriers and flags."""

from typing import assert_never

from tilelang.backends.tik.cycles.course import Meeting
from tilelang.backends.tik.cycles.packing import Output, Step, nothing
from tilelang.backends.tik.cycles.pipes import PIPES, Pipe
from tilelang.backends.tik.instructions import Sync, SyncKind


def compile_sync(sync: Sync, output: Output) -> Step:
    """Return a closure that emits `sync`; a pipe is in order by itself."""
    match sync.kind:
        case SyncKind.PIPE_BARRIER:
            return _order(output, Meeting.ALL) if "PIPE_ALL" in sync.args else nothing
        case SyncKind.BLOCK_BARRIER:
            return _order(output, Meeting.CORES)
        case SyncKind.SET_FLAG | SyncKind.WAIT_FLAG:
            return _flag(sync, output)
        case _:
            assert_never(sync.kind)


def _order(output: Output, meeting: Meeting, pipe: int = 0, flag: int = 0) -> Step:
    node = output.interner.order(meeting, pipe, flag)
    return lambda: output.append(node)


def _flag(sync: Sync, output: Output) -> Step:
    src, dst, event = (*sync.args, 0)[:3]
    flag = output.regions.flag(f"{src} {dst} {event}")
    is_set = sync.kind is SyncKind.SET_FLAG
    pipe = _pipe_number(str(src if is_set else dst))
    return _order(output, Meeting.SET if is_set else Meeting.WAIT, pipe, flag)


def _pipe_number(word: str) -> int:
    """Return the number of the pipe that a text calls "PIPE_MTE2"."""
    name = word.removeprefix("PIPE_")
    return next((pipe.number for pipe in PIPES if pipe.value == name), Pipe.S.number)
