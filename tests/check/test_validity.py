"""The bound is valid: no correct backend ever leaves it, whatever the program and its inputs.

Thousands of programs, and Triton's interpreter: `python bench/check_validity.py`.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tilelang as tl
from tests.check.devices import (
    DEVICES,
    Device,
    Flushing,
    FlushingFunctions,
    Permuted,
    RoughExponential,
    Saturating,
    Tf32,
    Truncating,
)
from tests.check.running import draw_inputs, outside
from tests.check.validity import COMPUTERS, KINDS, Sample, Tally, contents, draw_samples
from tests.programs import programs
from tilelang.ir.nodes import Program
from tilelang.kernels.gemm import gemm
from tilelang.numerics import IEEE

HERE = [name for name in COMPUTERS if not name.startswith("triton")]
"""Who runs in this process, one program at a time."""


@pytest.mark.parametrize("name", HERE)
def test_nobody_who_is_correct_leaves_the_bound(name: str):
    computer = COMPUTERS[name]

    @settings(
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        max_examples=40,
        database=None,
    )
    @given(programs(is_wide=computer.is_wide), st.integers(0, 10**6), st.sampled_from(KINDS))
    def check(program: Program, seed: int, kind: str) -> None:
        inputs = draw_inputs(program, seed, kind)
        (found,) = computer.compute([Sample(program, kind, inputs)])
        if found is not None:
            is_random = kind == "random"
            assert not outside(program, inputs, found, computer.numerics, is_random=is_random)

    check()


FORMULAS: tuple[Callable[[tl.Tensor], tl.Expression], ...] = (
    lambda t: t * 0.5,
    tl.rsqrt,
    lambda t: t * t,
    lambda t: t * t + t,
    tl.exp,
)


@tl.kernel("x[N]: T; which -> y[N]: T")
def formula(x: tl.Tensor, y: tl.Tensor, *, which: int = 0) -> None:
    """Apply one of the formulas on which devices differ."""
    t = tl.alloc_ub(x.shape, x.dtype)
    tl.data_move(t, x)
    t[:] = FORMULAS[which](t)
    tl.data_move(y, t)


def shown(device: Device) -> Sample:
    """Return a sample on which a device does what sets it apart."""
    match device:
        case Truncating() | Tf32():
            dtype = "float32" if isinstance(device, Tf32) else "float16"
            # one tile, so that there is one sum
            program = gemm.program(M=1, N=1, K=2048, dtype=dtype, m_tile=16, n_tile=16, k_tile=2048)
            ones = [np.full(one.shape, 0.1, one.dtype.numpy) for one in program.inputs]
            return Sample(program, "random", ones)
        case Flushing() | FlushingFunctions():
            which, dtype, x = int(isinstance(device, FlushingFunctions)), "float32", [3e-39]
        case RoughExponential():
            which, dtype, x = 4, "float32", np.linspace(-80, 80, 99)
        case Saturating():
            which, dtype, x = 2, "float16", [300.0]
        case _:
            which, dtype, x = 3, "float16", np.linspace(1, 2, 99)
    program = formula.program(N=len(x), dtype=dtype, which=which)
    return Sample(program, "special", [np.array(x, program.inputs[0].dtype.numpy)])


@pytest.mark.parametrize(
    "device",
    [device for device in DEVICES if not isinstance(device, Permuted)],
    ids=lambda device: type(device).__name__,
)
def test_what_a_device_does_is_allowed_to_one_that_says_so_alone(device: Device):
    honest, sample = COMPUTERS[type(device).__name__], shown(device)
    for computer, is_allowed in ((honest, True), (replace(honest, numerics=IEEE), False)):
        found = Tally()
        found.take(computer, [sample])
        assert (not found.wrong, found.share <= 1) == (is_allowed, is_allowed)


def test_the_programs_have_something_of_everything():
    samples = draw_samples(60, 0, is_wide=True)
    assert samples[0].program == draw_samples(60, 0, is_wide=True)[0].program
    assert all(count >= 5 for count in contents(samples).values())
