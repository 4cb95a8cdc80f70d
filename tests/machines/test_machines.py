"""The described machines: what they allow, and that every number says where it is from."""

import pickle
import re
from pathlib import Path as FilePath

import pytest

from tilelang.diagnostics import TileError
from tilelang.dtypes import DType
from tilelang.ir.region import Memory
from tilelang.machines import Machine, find_machine, machine_names
from tilelang.machines.reading import read_machine
from tilelang.machines.sources import GRADES, SOURCES

GM, L1, L0A, L0B, L0C, UB = Memory
F16, BF16, F32 = DType.FLOAT16, DType.BFLOAT16, DType.FLOAT32
I8, U8, I32 = DType.INT8, DType.UINT8, DType.INT32

FIRST_GENERATION = ["ascend310", "ascend310p", "ascend910"]
ASCEND = [*FIRST_GENERATION, "ascend910b"]
EVERYONE = [*ASCEND, "host", "sm90"]
KIB = 1024
EVIDENCE = re.compile(r"(?P<grade>[a-z]+)(?P<labels>( [A-Z][A-Z0-9]+,?)*)(: [^;]+)?")


def test_the_machines_are_those_of_the_design():
    assert machine_names() == sorted(EVERYONE)


def test_a_machine_is_found_once_and_can_be_a_key_and_be_sent_to_another_process():
    machine = find_machine("ascend910")
    assert find_machine("ascend910") is machine
    assert {machine: 1}[pickle.loads(pickle.dumps(machine))] == 1
    assert machine != find_machine("ascend310")


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("ascned910", "write 'ascend910'; "),
        ("Ascend910B1", "write 'ascend910b'; "),
        ("910", "write 'ascend910'; "),
        ("SM90", "write 'sm90'; "),
        ("tpu", ""),
    ],
)
def test_an_unknown_machine_is_refused_with_the_nearest_name_and_the_list(wrong: str, hint: str):
    with pytest.raises(TileError) as caught:
        find_machine(wrong)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E0603"
    assert diagnostic.message == f"there is no machine {wrong!r}"
    names = "ascend310, ascend310p, ascend910, ascend910b, host, sm90"
    assert diagnostic.hint == f"{hint}the machines are: {names}"


@pytest.mark.parametrize("name", EVERYONE)
def test_every_number_has_a_unit_and_a_source_of_a_known_grade(name: str):
    machine = find_machine(name)
    sources = {fact_name: fact.source for fact_name, fact in machine.facts.items()}
    sources |= {table_name: table.source for table_name, table in machine.tables.items()}
    for fact_name, source in sources.items():
        for evidence in source.split("; "):
            match = EVIDENCE.fullmatch(evidence)
            assert match, f"{name}: {fact_name}: {evidence!r} is not `grade LABEL: remark`"
            assert match["grade"] in GRADES, f"{name}: {fact_name}: {evidence!r}"
            assert set(match["labels"].replace(",", "").split()) <= set(SOURCES), fact_name
    assert all(fact.unit for fact in machine.facts.values())


def test_every_source_of_the_list_is_cited_somewhere():
    texts = " ".join(
        source.source
        for name in EVERYONE
        for machine in [find_machine(name)]
        for source in (*machine.facts.values(), *machine.tables.values())
    )
    assert [label for label in SOURCES if not re.search(rf"\b{label}\b", texts)] == []


@pytest.mark.parametrize(
    ("name", "capacity"),
    [
        ("ascend310", [1024 * KIB, 64 * KIB, 64 * KIB, 256 * KIB, 248 * KIB]),
        ("ascend310p", [1024 * KIB, 64 * KIB, 64 * KIB, 256 * KIB, 256 * KIB]),
        ("ascend910", [1024 * KIB, 64 * KIB, 64 * KIB, 256 * KIB, 256 * KIB]),
        ("ascend910b", [512 * KIB - 256, 64 * KIB, 64 * KIB, 128 * KIB, 192 * KIB - 256]),
        ("sm90", [227 * KIB, 227 * KIB, 227 * KIB, 256 * KIB, 256 * KIB]),
    ],
)
def test_capacities_are_those_of_the_chip(name: str, capacity: list[int]):
    assert find_machine(name).capacity == dict(zip([L1, L0A, L0B, L0C, UB], capacity, strict=True))


@pytest.mark.parametrize(
    ("name", "n_cores", "clock_hz"),
    [
        ("ascend310", 2, 680e6),
        ("ascend310p", 8, 1060e6),
        ("ascend910", 32, 1000e6),
        ("ascend910b", 24, 1850e6),
    ],
)
def test_cores_and_clocks_are_those_of_the_chip(name: str, n_cores: int, clock_hz: float):
    machine = find_machine(name)
    assert (machine.n_cores, machine.clock_hz) == (n_cores, clock_hz)


def test_alignment_on_the_910_is_a_block_a_fractal_and_an_accumulator_fractal():
    alignment = find_machine("ascend910").alignment
    assert alignment == {GM: 1, L1: 32, L0A: 512, L0B: 512, L0C: 1024, UB: 32}


@pytest.mark.parametrize("name", ["host", "sm90"])
def test_anything_may_start_anywhere_on_machines_without_fractals(name: str):
    assert set(find_machine(name).alignment.values()) == {1}


@pytest.mark.parametrize("name", FIRST_GENERATION)
def test_on_the_first_generation_results_leave_the_cube_through_ub(name: str):
    machine = find_machine(name)
    assert not machine.is_split
    assert machine.path(L0C, GM) is None
    assert machine.path(L1, GM) is None
    assert machine.path(GM, L0C) is None
    assert machine.route(L0C, GM) == (L0C, UB, GM)
    out = machine.path(L0C, UB)
    assert out is not None
    assert out.pipe == "V"
    assert out.carries(F32, F16)
    assert out.carries(F32, F32)
    assert not out.carries(F32, BF16)


def test_on_the_910b_cube_and_vector_unit_meet_only_in_gm():
    machine = find_machine("ascend910b")
    assert machine.is_split
    assert machine.path(L0C, UB) is None
    assert machine.path(L1, UB) is None
    assert machine.path(UB, L1) is None
    assert machine.route(L0C, UB) == (L0C, GM, UB)
    out = machine.path(L0C, GM)
    assert out is not None
    assert out.pipe == "FIX"
    assert out.carries(F32, BF16)


@pytest.mark.parametrize("name", EVERYONE)
def test_operands_come_from_gm_through_l1(name: str):
    machine = find_machine(name)
    pipes = [
        path.pipe
        for ends in [(GM, L1), (L1, L0A), (L1, L0B)]
        if (path := machine.path(*ends)) is not None
    ]
    assert pipes == ["MTE2", "MTE1", "MTE1"]


def test_a_route_to_where_nothing_leads_is_none():
    assert find_machine("ascend910b").route(GM, L0C) is None
    assert find_machine("ascend910").route(GM, L0C) == (GM, UB, L0C)


@pytest.mark.parametrize("name", FIRST_GENERATION)
def test_the_first_generation_transposes_16_bit_types_and_those_that_the_backend_turns(name: str):
    assert find_machine(name).transposing_dtypes == (F16, I8, U8)


@pytest.mark.parametrize("name", ["host", "sm90"])
def test_host_and_gpu_transpose_everything(name: str):
    assert set(find_machine(name).transposing_dtypes) == {F16, BF16, F32, I8, U8, I32}


@pytest.mark.parametrize("name", EVERYONE)
@pytest.mark.parametrize(
    ("a", "b", "accumulator", "everywhere"),
    [
        (F16, F16, F32, True),
        (I8, I8, I32, True),
        (U8, I8, I32, True),
        (BF16, BF16, F32, False),
        (F32, F32, F32, False),
    ],
)
def test_the_cube_takes_what_the_chip_documents(
    name: str, a: DType, b: DType, accumulator: DType, *, everywhere: bool
):
    form = find_machine(name).cube_form(a, b)
    if everywhere or name not in FIRST_GENERATION:
        assert form is not None
        assert form.accumulator is accumulator
    else:
        assert form is None


def test_the_cube_takes_no_mixture_of_types():
    assert find_machine("host").cube_form(F16, F32) is None
    assert find_machine("host").cube_form(I8, U8) is None
    assert str(find_machine("host").cube_form(U8, I8)) == "uint8 x int8 -> int32"


@pytest.mark.parametrize("chip", FIRST_GENERATION)
@pytest.mark.parametrize("name", ["host", "sm90"])
def test_what_the_first_generation_may_do_host_and_gpu_may(chip: str, name: str):
    smaller, larger = find_machine(chip), find_machine(name)
    assert set(smaller.cube) <= set(larger.cube)
    assert set(smaller.img2col_targets) <= set(larger.img2col_targets)
    assert set(smaller.dtypes) <= set(larger.dtypes)
    for path in smaller.paths:
        same = larger.path(path.source, path.target)
        assert same is not None
        assert set(path.casts) <= set(same.casts)
        assert set(path.transposes) <= set(same.transposes)


@pytest.mark.parametrize("name", EVERYONE)
def test_cubes_multiply_only_dtypes_that_the_machine_has(name: str):
    machine = find_machine(name)
    named = {dtype for form in machine.cube for dtype in (form.a, form.b, form.accumulator)}
    named |= {dtype for path in machine.paths for cast in path.casts for dtype in cast}
    assert named <= set(machine.dtypes)


@pytest.mark.parametrize("name", EVERYONE)
def test_img2col_writes_where_some_path_from_l1_leads(name: str):
    machine = find_machine(name)
    assert L0A in machine.img2col_targets
    assert all(machine.path(L1, target) for target in machine.img2col_targets)


@pytest.mark.parametrize("name", ASCEND)
def test_the_cycle_model_finds_its_rates_under_one_name_on_every_chip(name: str):
    rates = find_machine(name).rates
    assert rates["cube.cycles_per_fractal"] == 1
    assert rates["cube.fractal_k_bytes"] == 32
    assert rates["vector.bytes_per_cycle"] == 256
    assert rates["vector.cycles_per_repeat.vexp.float16"] == 4
    assert rates["path.l1_l0a"] == 2 * rates["path.l1_l0b"]
    wanted = {"cube.head_cycles", "startup.load2d", "sync.event_ids", "launch.kernel_cycles"}
    assert wanted <= set(rates)
    assert "dma_packages" in find_machine(name).tables


def test_measured_curves_rise_with_the_size_of_the_transfer():
    table = find_machine("ascend910b").tables["gm_l1"]
    assert table.columns == ("bytes", "B/cycle")
    assert list(table.rows) == sorted(table.rows)
    assert [rate for _, rate in table.rows] == sorted(rate for _, rate in table.rows)


TINY = """
title = "a toy"
is_split = false
dtypes = ["float16"]
img2col_targets = []
paths = [{ from = "gm", to = "ub", pipe = "MTE2" }]
cube = []
[chip]
n_cores = { value = 3, unit = "cores", source = "est" }
clock_hz = { value = 5.0e8, unit = "Hz", source = "est" }
[capacity]
unit = "bytes"
source = "cfg INI"
l1 = 1
l0a = 2
l0b = 3
l0c = 4
ub = { value = 5, source = "doc TIK" }
[alignment]
unit = "bytes"
source = "doc TIK"
l1 = 1
l0a = 1
l0b = 1
l0c = 1
ub = 1
[rates.vector]
unit = "cycles"
source = "doc ADK"
vexp = { float16 = 4, float32 = 2, source = "meas MSKPP" }
"""


@pytest.fixture
def toy(tmp_path: FilePath) -> Machine:
    file = tmp_path / "toy.toml"
    file.write_text(TINY)
    return read_machine(file)


def test_a_machine_is_named_after_its_file(toy: Machine):
    assert (toy.name, toy.title, toy.n_cores, toy.clock_hz) == ("toy", "a toy", 3, 5e8)
    assert toy.capacity == {L1: 1, L0A: 2, L0B: 3, L0C: 4, UB: 5}


def test_a_number_takes_unit_and_source_from_the_nearest_table_that_says_them(toy: Machine):
    assert toy.facts["capacity.l1"].source == "cfg INI"
    assert toy.facts["capacity.ub"].source == "doc TIK"
    assert toy.facts["capacity.ub"].unit == "bytes"
    exponential = toy.facts["rates.vector.vexp.float32"]
    assert (exponential.value, exponential.unit, exponential.source) == (2, "cycles", "meas MSKPP")
    assert toy.rates == {"vector.vexp.float16": 4, "vector.vexp.float32": 2}
