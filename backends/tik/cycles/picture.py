"""Draws the timeline: a page with what was found, and one lane a pipe, as SVG.

Stretches that were extrapolated are narrow and hatched: what they repeat stands before them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from tilelang.backends.tik.cycles.course import Packet
from tilelang.backends.tik.cycles.pipes import PIPES, Pipe
from tilelang.backends.tik.cycles.report import Cycles, PipeUse
from tilelang.backends.tik.cycles.schedule import Event

_COLOURS = {
    Pipe.S: "#9aa5b1",
    Pipe.V: "#e8833a",
    Pipe.M: "#2f6fb7",
    Pipe.MTE1: "#6cae75",
    Pipe.MTE2: "#8b5fbf",
    Pipe.MTE3: "#c94f6d",
    Pipe.FIX: "#b79c3a",
}
_WORDS = {
    Pipe.S: "scalar",
    Pipe.V: "vector",
    Pipe.M: "cube",
    Pipe.MTE1: "L1 to L0",
    Pipe.MTE2: "from GM",
    Pipe.MTE3: "from UB",
    Pipe.FIX: "from L0C",
}
_LANE, _BAR = 44, 30  # pixels, as all lengths here
_LEFT, _TOP, _RIGHT = 118, 34, 24
_SKIP = 90  # the width of an extrapolated stretch
_NARROWEST, _WIDEST = 1180, 16000
_EVENT = 26  # the width that the middle one of the bars should have
_LETTER = 5.6
_MOST_EVENTS = 4000
_STYLE = """
:root { font: 14px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: #1f2933; }
body { margin: 28px 36px; } h1 { font-size: 21px; margin: 0 0 4px; } p { margin: 4px 0; }
.quiet { color: #52606d; } .numbers { display: flex; flex-wrap: wrap; gap: 12px; margin: 18px 0; }
.number { background: #f5f7fa; border-radius: 8px; padding: 10px 16px; }
.number b { display: block; font-size: 19px; font-weight: 600; }
.scroll { overflow-x: auto; border: 1px solid #e4e7eb; border-radius: 8px; }
table { border-collapse: collapse; margin: 20px 0; }
td, th { padding: 4px 16px 4px 0; text-align: right; font-weight: 400; }
th { color: #52606d; } td:first-child, th:first-child, td:last-child, th:last-child
{ text-align: left; }
.swatch { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 7px; }
"""
_SVG_STYLE = """
text { font: 11px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #52606d; }
.pipe { font-size: 13px; font-weight: 600; fill: #1f2933; }
.in { fill: #ffffff; font-size: 10px; } .lane { fill: #f5f7fa; }
.bar { stroke: #ffffff; stroke-width: 0.7; } .bar:hover { opacity: 0.75; }
.grid { stroke: #e4e7eb; } .middle { text-anchor: middle; } .end { text-anchor: end; }
"""
_HATCH = """<defs><pattern id="hatch" width="8" height="8" patternUnits="userSpaceOnUse">
<rect width="8" height="8" fill="#ffffff"/>
<path d="M-2,2 L2,-2 M0,8 L8,0 M6,10 L10,6" stroke="#cbd2d9" stroke-width="1.4"/>
</pattern></defs>"""


@dataclass(frozen=True, slots=True)
class _Scale:
    """From cycles to pixels; extrapolated stretches have their own width."""

    pixels_per_cycle: float
    skips: tuple[Event, ...]

    def x(self, time: int) -> float:
        """Return where a time is drawn."""
        shown, extra = float(time), 0.0
        for _, begin, end in self.skips:
            if time >= end:
                shown -= end - begin
                extra += _SKIP
            elif time > begin:
                shown -= time - begin
                extra += _SKIP * (time - begin) / (end - begin)
        return _LEFT + shown * self.pixels_per_cycle + extra


def draw_timeline(cycles: Cycles) -> str:
    """Return the timeline of `cycles`, which must have been kept, as the text of an SVG file."""
    assert cycles.timeline is not None, "count_cycles(..., timeline=True) keeps it"
    events = cycles.timeline.events[:_MOST_EVENTS]
    packets = cycles.timeline.packets
    lanes = [use.pipe for use in cycles.pipes if use.n_instructions and use.pipe is not Pipe.S]
    scale = _scale(events)
    width = scale.x(max((end for _, _, end in events), default=1)) + _RIGHT
    height = _TOP + _LANE * len(lanes) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
        f'viewBox="0 0 {width:.0f} {height}">',
        f"<style>{_SVG_STYLE}</style>{_HATCH}",
        f'<rect width="{width:.0f}" height="{height}" fill="#ffffff"/>',
        *_lanes(lanes, width, cycles),
        *_grid(scale, events, height),
        *_skips(scale, height),
        *(_bar(scale, lanes, packets[n], begin, end) for n, begin, end in events
          if n >= 0 and packets[n].charge.pipe in lanes),
        "</svg>",
    ]  # fmt: skip
    return "\n".join(parts)


def draw_page(cycles: Cycles) -> str:
    """Return a self-contained HTML page: what was found, and the timeline."""
    assert cycles.timeline is not None, "count_cycles(..., timeline=True) keeps it"
    machine = cycles.rates.machine
    title = f"{escape(cycles.name)} on {machine.name}"
    left_out = len(cycles.timeline.events) - _MOST_EVENTS
    note = f"The first {_MOST_EVENTS:,} instructions are drawn. " if left_out > 0 else ""
    return "\n".join(
        (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>',
            f"<style>{_STYLE}</style>",
            f"<h1>{title}</h1>",
            f'<p class="quiet">{escape(machine.title)}; a model, not a measurement.</p>',
            f'<div class="numbers">{"".join(_numbers(cycles))}</div>',
            f'<p class="quiet">One core, in cycles from its first instruction. {note}'
            "Point at a bar for its line. Hatched: iterations like those before.</p>",
            f'<div class="scroll">{draw_timeline(cycles)}</div>',
            _table(cycles),
            "</html>",
        )
    )


def _numbers(cycles: Cycles) -> Iterator[str]:
    found = (
        (f"{cycles.total:,}", "cycles"),
        (f"{cycles.seconds * 1e6:,.1f} µs", "time, with launch"),
        (cycles.critical.value, "busiest pipe"),
        (f"{cycles.n_cores}", "cores"),
        (f"{cycles.cube_utilisation:.1%}", "of the cubes' peak"),
        (f"{cycles.intensity:,.0f}", f"flop a byte of memory; ridge {cycles.ridge:,.0f}"),
        (f"{cycles.gm_bytes / 1e6:,.2f} MB", "between GM and cores"),
    )
    for number, words in found:
        yield f'<div class="number"><b>{number}</b><span class="quiet">{words}</span></div>'


def _table(cycles: Cycles) -> str:
    heads = ("pipe", "busy cycles", "share", "instructions", "waited for")
    rows = "".join(_table_row(cycles, use) for use in cycles.pipes if use.n_instructions)
    head = "".join(f"<th>{word}</th>" for word in heads)
    return f"<table><tr>{head}</tr>{rows}</table>"


def _table_row(cycles: Cycles, use: PipeUse) -> str:
    swatch = f'<span class="swatch" style="background:{_COLOURS[use.pipe]}"></span>'
    waits = sorted(use.waits.items(), key=lambda item: -item[1])
    words = ", ".join(f"{pipe.value} {count:,}" for pipe, count in waits)
    cells = (
        f"{swatch}{use.pipe.value} ({_WORDS[use.pipe]})",
        f"{use.busy:,}",
        f"{cycles.share(use):.1%}",
        f"{use.n_instructions:,}",
        words or "-",
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _scale(events: Sequence[Event]) -> _Scale:
    skips = tuple(event for event in events if event[0] < 0 and event[2] > event[1])
    lengths = sorted(end - begin for number, begin, end in events if number >= 0 and end > begin)
    shown = max((end for _, _, end in events), default=1)
    shown -= sum(end - begin for _, begin, end in skips)
    wanted = _EVENT / lengths[len(lengths) // 2] if lengths else 1.0
    low, high = (limit / max(shown, 1) for limit in (_NARROWEST - _LEFT, _WIDEST))
    return _Scale(min(max(wanted, low), high), skips)


def _lanes(lanes: Sequence[Pipe], width: float, cycles: Cycles) -> Iterator[str]:
    shares = {use.pipe: cycles.share(use) for use in cycles.pipes}
    for row, pipe in enumerate(lanes):
        y = _TOP + row * _LANE
        yield (
            f'<rect class="lane" x="{_LEFT}" y="{y}" width="{width - _LEFT - _RIGHT:.0f}" '
            f'height="{_BAR}"/><text class="pipe" x="12" y="{y + 14}">{pipe.value}</text>'
            f'<text x="12" y="{y + 28}">{_WORDS[pipe]}, {shares[pipe]:.0%}</text>'
        )


def _grid(scale: _Scale, events: Sequence[Event], height: int) -> Iterator[str]:
    last = max((end for _, _, end in events), default=1)
    step = _round_step(110 / scale.pixels_per_cycle)
    inside = [(begin, end) for _, begin, end in scale.skips]
    for time in range(0, last + 1, step):
        if any(begin < time < end for begin, end in inside):
            continue
        x = scale.x(time)
        yield (
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 8}" y2="{height - 24}"/>'
            f'<text class="middle" x="{x:.1f}" y="{height - 8}">{time:,}</text>'
        )


def _round_step(wanted: float) -> int:
    """Return 1, 2 or 5 times a power of ten, at least `wanted`."""
    power = 1
    while True:
        for digit in (1, 2, 5):
            if digit * power >= wanted:
                return digit * power
        power *= 10


def _skips(scale: _Scale, height: int) -> Iterator[str]:
    for number, begin, end in scale.skips:
        x = scale.x(begin)
        yield (
            f'<rect x="{x:.1f}" y="{_TOP - 8}" width="{_SKIP}" height="{height - _TOP - 16}" '
            f'fill="url(#hatch)"/><text class="middle" x="{x + _SKIP / 2:.1f}" y="12">'
            f'{-number:,} more,</text><text class="middle" x="{x + _SKIP / 2:.1f}" y="24">'
            f"{end - begin:,} cycles</text>"
        )


def _bar(scale: _Scale, lanes: Sequence[Pipe], packet: Packet, begin: int, end: int) -> str:
    cost = packet.charge
    x, width = scale.x(begin), max(scale.x(end) - scale.x(begin), 1.0)
    y = _TOP + lanes.index(cost.pipe) * _LANE
    detail = f", {cost.n_bytes:,} bytes {cost.path}" if cost.path else ""
    detail += f", {cost.fractals:,} fractals" if cost.fractals else ""
    name = f"{cost.label} {cost.writes[0].tensor}" if cost.writes else cost.label
    words = f"{name}: {begin:,} to {end:,}, {end - begin:,} cycles{detail}"
    bar = (
        f'<rect class="bar" x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="2" '
        f'fill="{_COLOURS[cost.pipe]}"><title>{escape(words)}\n'
        f"{escape(packet.loc.file)}:{packet.loc.line}</title></rect>"
    )
    shown = next((text for text in (name, cost.label) if width > _LETTER * len(text) + 8), None)
    if shown is None:
        return bar
    return f'{bar}<text class="in" x="{x + 4:.1f}" y="{y + 19}">{escape(shown)}</text>'


assert set(_COLOURS) == set(_WORDS) == set(PIPES)
