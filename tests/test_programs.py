"""The strategy `programs()` draws what it promises: legal programs that can be run."""

import numpy as np
import pytest
from hypothesis import given, settings

from tests.programs import programs
from tilelang.backend import find_backend
from tilelang.ir.nodes import Program
from tilelang.machines import find_machine
from tilelang.verify import verify


@pytest.mark.parametrize("machine", ["host", "ascend910"])
def test_drawn_programs_keep_every_rule(machine: str):
    @settings(max_examples=40, deadline=None)
    @given(programs())
    def check(program: Program) -> None:
        assert verify(program, find_machine(machine)) is program

    check()


@settings(max_examples=40, deadline=None)
@given(programs(is_wide=True))
def test_wide_programs_keep_every_rule_of_the_host(program: Program):
    assert verify(program, find_machine("host")) is program


@settings(max_examples=25, deadline=None)
@given(programs())
def test_drawn_programs_run_without_a_complaint_of_the_strict_executor(program: Program):
    inputs = [
        tensor.layout.pack(np.ones(tensor.shape, tensor.dtype.numpy)) for tensor in program.inputs
    ]
    results = [
        np.zeros(tensor.layout.physical_shape(tensor.shape), tensor.dtype.numpy)
        for tensor in program.results
    ]
    find_backend("numpy").compile(program, find_machine("host"))(*inputs, *results)
