"""The bound is valid: no correct backend ever leaves it, whatever the program and its inputs."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.check.devices import DEVICES, Device, run_on
from tests.check.running import compiled, draw_inputs, outside, results_of
from tests.programs import programs
from tilelang.backend import find_backend
from tilelang.ir.nodes import Program
from tilelang.numerics import IEEE

KINDS = st.sampled_from(["random", "special"])
SEEDS = st.integers(0, 10**6)
SETTINGS = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    max_examples=40,
    database=None,
)


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
@SETTINGS
@given(program=programs(), seed=SEEDS, kind=KINDS)
def test_no_backend_leaves_the_bound(backend: str, program: Program, seed: int, kind: str):
    inputs = draw_inputs(program, seed, kind)
    found = results_of(program, inputs, compiled(program, backend))
    numerics = getattr(find_backend(backend), "numerics", IEEE)
    assert not outside(program, inputs, found, numerics, is_random=kind == "random")


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: type(device).__name__)
@SETTINGS
@given(program=programs(), seed=SEEDS, kind=KINDS)
def test_no_device_leaves_the_bound_that_it_declares(
    device: Device, program: Program, seed: int, kind: str
):
    inputs = draw_inputs(program, seed, kind)
    found = results_of(program, inputs, run_on(program, device))
    assert not outside(program, inputs, found, device.numerics, is_random=kind == "random")
