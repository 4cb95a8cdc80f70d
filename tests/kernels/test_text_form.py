"""Every shipped kernel survives its text form, and obeys the machines, after every pass too."""

from collections.abc import Mapping

import pytest

from tests.kernels.problems import PROBLEMS, Problem
from tilelang.ir.nodes import Program
from tilelang.machines import find_machine
from tilelang.passes import lower
from tilelang.shipped import find_kernel, kernel_names
from tilelang.text.parser import parse_program
from tilelang.text.printer import print_program

MACHINES = ("ascend910", "ascend310")
CASES = [(problem, dtype) for problem in PROBLEMS for dtype in problem.dtypes]
EVERY = pytest.mark.parametrize(("problem", "dtype"), CASES, ids=str)


def program(problem: Problem, dtype: str | Mapping[str, str], machine: str) -> Program:
    kernel = find_kernel(problem.kernel)
    return kernel.program(dtype=dtype, machine=machine, **problem.keywords)


def test_no_kernel_is_forgotten():
    assert {problem.kernel for problem in PROBLEMS} == set(kernel_names())


@EVERY
def test_the_text_of_a_program_is_read_back(problem: Problem, dtype: str | Mapping[str, str]):
    written = program(problem, dtype, "host")
    assert parse_program(print_program(written)) == written


@pytest.mark.parametrize("machine", MACHINES)
@EVERY
def test_default_tiles_obey_the_machine(
    problem: Problem, dtype: str | Mapping[str, str], machine: str
):
    lowered = lower(program(problem, dtype, machine), find_machine(machine))
    assert parse_program(print_program(lowered)) == lowered
