"""The timeline as a Chrome trace: JSON that Perfetto and chrome://tracing open."""

import json
from collections.abc import Iterator
from typing import Any

from tilelang.backends.tik.cycles.pipes import PIPES
from tilelang.backends.tik.cycles.report import Cycles, Timeline


def chrome_trace(cycles: Cycles) -> str:
    """Return the timeline of `cycles`, which must have been kept, as JSON; times are cycles."""
    assert cycles.timeline is not None, "count_cycles(..., timeline=True) keeps it"
    used = {packet.charge.pipe for packet in cycles.timeline.packets}
    names = [
        _metadata("process_name", 0, f"{cycles.name} on {cycles.rates.machine.name}, one core"),
        *(_metadata("thread_name", pipe.number, pipe.value) for pipe in PIPES if pipe in used),
        *(_sort_index(pipe.number) for pipe in PIPES if pipe in used),
    ]
    clock = f"1 us is 1 cycle, of {cycles.rates.machine.clock_hz / 1e9:g} GHz"
    return json.dumps(
        {
            "traceEvents": [*names, *_events(cycles.timeline)],
            "otherData": {"unit": clock, "total": cycles.total},
        }
    )


def _metadata(kind: str, thread: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "pid": 0, "tid": thread, "name": kind, "args": {"name": name}}


def _sort_index(thread: int) -> dict[str, Any]:
    arguments = {"sort_index": thread}
    return {"ph": "M", "pid": 0, "tid": thread, "name": "thread_sort_index", "args": arguments}


def _events(timeline: Timeline) -> Iterator[dict[str, Any]]:
    for number, begin, end in timeline.events:
        if number < 0:
            name = f"{-number} iterations like those before"
            span = {"ph": "X", "pid": 0, "tid": PIPES[0].number, "ts": begin, "dur": end - begin}
            yield {**span, "name": name, "cat": "extrapolated"}
            continue
        packet = timeline.packets[number]
        cost = packet.charge
        yield {
            "ph": "X",
            "pid": 0,
            "tid": cost.pipe.number,
            "ts": begin,
            "dur": end - begin,
            "name": cost.label,
            "cat": cost.pipe.value,
            "args": {
                "path": cost.path,
                "bytes": cost.n_bytes,
                "fractals": cost.fractals,
                "line": f"{packet.loc.file}:{packet.loc.line}",
            },
        }
