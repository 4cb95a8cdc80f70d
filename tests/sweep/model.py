"""A backend with a cycle model that is a formula, for sweeps whose outcome is known beforehand.

Some tiles misbehave: `n_tile=48` is refused, `n_tile=80` raises, `n_tile=112` is very slow.
"""

from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any

import pytest

import tilelang.backend as backends
from tilelang.backends.numpy import BACKEND as NUMPY
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.ir.nodes import Program
from tilelang.machines import Machine


@dataclass(frozen=True)
class Count:
    """What the model says."""

    total: float


class Model:
    """Counts 100 cycles for each step of the loops and one for each element of a step."""

    name = "model"
    machine = "ascend910"
    options = frozenset[str]()
    runs_here: str | None = None

    def __init__(self) -> None:
        self.counted: list[dict[str, int]] = []

    def compile(self, program: Program, machine: Machine, **options: object) -> Any:
        return NUMPY.compile(program, machine, **options)

    def cycles(self, program: Program, machine: Machine) -> Count:
        tiles = dict(program.tiles)
        self.counted.append(tiles)
        if tiles["n_tile"] == 48:
            raise TileError(Diagnostic("E0333", "the model refuses 48"))
        if tiles["n_tile"] == 80:
            raise ZeroDivisionError("80 is an unlucky number")
        slow = 1000 if tiles["n_tile"] == 112 else 1
        return Count(slow * expected_cycles(program))


def expected_cycles(program: Program) -> float:
    """Return the formula: steps of all loops, times 100 and the elements of a step of `b`."""
    tiles = dict(program.tiles)
    a, b = program.inputs
    (m, k), n = a.shape, b.shape[1]
    steps = -(-m // tiles["m_tile"]) * -(-n // tiles["n_tile"]) * -(-k // tiles["k_tile"])
    return float(steps * (100 + tiles["n_tile"] * tiles["k_tile"] / 16))


MODEL = Model()


class TextOnly(Model):
    """A backend that runs nowhere."""

    name = "text"
    runs_here = "it makes text alone"


TEXT_ONLY = TextOnly()


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Model:
    """Install the backends `model` and `text` beside numpy, and forget what was counted."""
    places = {
        "model": "tests.sweep.model:MODEL",
        "text": "tests.sweep.model:TEXT_ONLY",
        "numpy": "tilelang.backends.numpy:BACKEND",
    }
    points = [EntryPoint(name, place, backends.GROUP) for name, place in places.items()]

    def entry_points(group: str) -> list[EntryPoint]:
        assert group == backends.GROUP
        return points

    monkeypatch.setattr(backends, "entry_points", entry_points)
    MODEL.counted.clear()
    return MODEL
