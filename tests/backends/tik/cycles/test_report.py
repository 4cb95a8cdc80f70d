"""What is reported, as numbers, trace and picture; and programs that cannot be counted."""

import itertools
import json
import re
from contextlib import suppress
from functools import partial
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from tests.backends.tik import gemm_scripts
from tests.backends.tik.cycles.scripts import count, program
from tests.backends.tik.programs import programs
from tilelang.backends.tik.cycles import Cycles, Pipe, count_cycles
from tilelang.backends.tik.cycles.picture import draw_page, draw_timeline
from tilelang.backends.tik.cycles.trace import chrome_trace
from tilelang.backends.tik.instructions import InstructionProgram
from tilelang.backends.tik.recorder import record
from tilelang.diagnostics import TileError
from tilelang.machines import find_machine


@pytest.fixture(scope="module")
def cycles() -> Cycles:
    found = record(gemm_scripts.gemm, 128, 256, 1024, (64, 128, 32))
    return count_cycles(found, timeline=True)


def test_operations_and_bytes_are_those_of_all_cores(cycles: Cycles):
    assert cycles.n_cores == 4
    assert cycles.flop == 2 * 128 * 256 * 1024
    assert cycles.moved["ub-gm"] == 128 * 256 * 4
    assert cycles.moved["gm-l1"] == 4 * (64 + 128) * 1024 * 2
    assert cycles.memory_bytes == (128 + 256) * 1024 * 2 + 128 * 256 * 4


def test_the_busiest_pipe_is_the_critical_one(cycles: Cycles):
    assert cycles.critical is Pipe.MTE2
    assert all(0 <= cycles.share(use) <= 1 for use in cycles.pipes)
    assert cycles.total == cycles.launch + cycles.core == 2300 + cycles.core
    assert cycles.seconds == pytest.approx(cycles.total / 1e9)


def test_the_roofline_bounds_what_is_reached(cycles: Cycles):
    assert cycles.flop_per_second < cycles.roof_flop_per_second <= cycles.peak_flop_per_second
    assert cycles.peak_flop_per_second == 32 * 8192 * 1e9
    assert cycles.cube_utilisation == pytest.approx(cycles.flop / cycles.total / (32 * 8192))


def test_memory_bounds_a_program_whatever_its_cores_do():
    def body(t: Any, tik: Any) -> None:
        with t.for_range(0, 32, block_num=32) as core:
            ub = t.Tensor("float16", (2, 16384), name="ub", scope=tik.scope_ubuf)
            t.data_move(ub[0, 0], t.x[core * 32768], 0, 1, 1024, 0, 0)
            t.data_move(t.y[core * 32768], ub[1, 0], 0, 1, 1024, 0, 0)

    found = count(body)
    assert found.memory == pytest.approx(2 * 32 * 32768 / 1160, rel=0.01)
    assert found.total == found.launch + found.memory, "reads and writes share the memory"


def test_the_trace_is_what_perfetto_reads(cycles: Cycles):
    trace = json.loads(chrome_trace(cycles))
    spans = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    names = {event["args"]["name"] for event in trace["traceEvents"] if event["ph"] == "M"
             and event["name"] == "thread_name"}  # fmt: skip
    assert {"V", "M", "MTE1", "MTE2", "MTE3"} <= names
    assert max(event["ts"] + event["dur"] for event in spans) == cycles.core
    assert any("iterations like those before" in event["name"] for event in spans)
    assert all(event["dur"] >= 0 for event in spans)


def test_the_picture_is_well_formed_and_bars_do_not_cover_each_other(cycles: Cycles):
    root = ElementTree.fromstring(draw_timeline(cycles))
    bars: dict[float, list[tuple[float, float]]] = {}
    for rect in root.iter("{http://www.w3.org/2000/svg}rect"):
        if rect.get("class") == "bar":
            x, width = float(rect.attrib["x"]), float(rect.attrib["width"])
            bars.setdefault(float(rect.attrib["y"]), []).append((x, x + width))
    assert len(bars) == 5
    for lane in bars.values():
        ends = sorted(lane)
        assert all(b[0] >= a[1] - 1.2 for a, b in itertools.pairwise(ends))


def test_the_page_needs_nothing_from_elsewhere(cycles: Cycles):
    page = draw_page(cycles)
    links = set(re.findall(r"https?://[^\s\"'<]+", page))
    assert links == {"http://www.w3.org/2000/svg"}
    assert f"{cycles.total:,}" in page


def test_a_machine_without_pipes_is_refused():
    found = record(gemm_scripts.gemm, 64, 64, 64, (64, 64, 64))
    with pytest.raises(TileError, match=r"error\[E1250\]: the machine 'sm90' has no pipes"):
        count_cycles(found, find_machine("sm90"))


def test_a_loop_over_data_is_refused_and_a_given_scalar_is_used():
    def body(t: Any, tik: Any) -> None:
        n = t.InputScalar("int32", "n")
        ub = t.Tensor("float16", (8192,), name="ub", scope=tik.scope_ubuf)
        with t.for_range(0, n):
            t.vadds(128, ub, ub, 1.0, 64, 1, 1, 8, 8)

    found = program(body)
    with pytest.raises(TileError, match=r"E1251\]: how often a loop runs depends on the scalar `n"):
        count_cycles(found)
    busy = [count_cycles(found, scalars={"n": n}).pipes[Pipe.V.number].busy for n in (0, 1, 50)]
    assert busy == [0, 84, 50 * 84]


def test_a_repeat_count_from_a_tensor_is_refused_and_an_address_is_not():
    def body(t: Any, tik: Any, *, as_repeat: bool) -> None:
        ub = t.Tensor("float16", (8192,), name="ub", scope=tik.scope_ubuf)
        table = t.Tensor("int32", (8,), name="table", scope=tik.scope_ubuf)
        value = t.Scalar("int32", "value")
        value.set_as(table[0])
        start, repeat = (0, value) if as_repeat else (value, 8)
        t.vadds(128, ub[start], ub, 1.0, repeat, 1, 1, 8, 8)

    with pytest.raises(TileError, match="E1251"):
        count(partial(body, as_repeat=True))
    assert count(partial(body, as_repeat=False)).core > 50


@pytest.mark.parametrize("soc", ["Ascend310", "Ascend310P3", "Ascend910A", "Ascend910B1"])
def test_every_ascend_chip_has_what_the_model_needs(soc: str):
    found = record(gemm_scripts.matmul_fixpipe, 64, 64, 64, "float16", soc=soc)
    cycles = count_cycles(found)
    assert cycles.core > 0
    pipe = Pipe.FIX if soc == "Ascend910B1" else Pipe.MTE3
    assert cycles.pipes[pipe.number].n_instructions == 1


@given(programs())
@settings(max_examples=20, deadline=None)
def test_any_text_is_counted_or_refused_with_a_code(random_program: InstructionProgram):
    with suppress(TileError):  # a count that depends on data, or a move that no chip has
        quick = count_cycles(random_program, scalars={"count": 3, "factor": 1.5})
        slow = count_cycles(random_program, scalars={"count": 3, "factor": 1.5}, extrapolate=False)
        assert (quick.core, quick.pipes) == (slow.core, slow.pipes)
