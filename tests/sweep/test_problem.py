"""Problems: what a sweep is of, and the attributes in its key and in the line to paste."""

import math
from typing import Any

import numpy as np
import pytest

from tilelang.diagnostics import TileError
from tilelang.kernels.conv2d import conv2d
from tilelang.kernels.layer_norm import layer_norm
from tilelang.sweep.keys import sweep_key
from tilelang.sweep.plan import Metric, Plan
from tilelang.sweep.problem import Problem, read_problem

SIZES = {"M": 16, "N": 17}


def problem(**keywords: Any) -> Problem:
    return read_problem(layer_norm, ("tik", None), dtype="float16", keywords={**SIZES, **keywords})


def test_attributes_are_what_a_call_would_make_of_them():
    assert problem().attributes == {"epsilon": 1e-5}
    assert problem(epsilon=np.float32(1e-5)).attributes == {"epsilon": 9.999999747378752e-06}
    assert repr(problem(epsilon=0).attributes) == "{'epsilon': 0.0}"
    sizes = {"N": 1, "C": 1, "H": 3, "W": 3, "O": 1, "R": 1, "S": 1, "relu": np.True_}
    found = read_problem(conv2d, ("tik", None), dtype="float16", keywords=sizes)
    assert found.settings == {"relu": True}


def test_a_default_is_no_setting():
    assert problem(epsilon=1e-5).settings == {}
    assert problem(epsilon=1e-3).settings == {"epsilon": 1e-3}


def test_every_other_float_is_another_sweep():
    values = (1e-5, math.nextafter(1e-5, 1), 0.0, -0.0, math.inf)
    keys = {sweep_key(problem(epsilon=value), Metric.CYCLES) for value in values}
    assert len(keys) == len(values)


@pytest.mark.parametrize(("epsilon", "text"), [(1e-3, "0.001"), (math.inf, "float('inf')")])
def test_the_winner_is_python(epsilon: float, text: str):
    plan = Plan(check=False, pictures=False)
    tiles = {"m_tile": [16], "n_tile": [512]}
    given: dict[str, Any] = {"dtype": "float16", "backend": "tik", "epsilon": epsilon, **SIZES}
    report = layer_norm.sweep(tiles, plan=plan, **given)
    wanted = f'layer_norm(x, gamma, beta, epsilon={text}, backend="tik", m_tile=16, n_tile=512)'
    assert report.call == wanted


def test_a_number_of_another_kind_is_refused_as_in_a_call():
    with pytest.raises(TileError, match=r"E0814.*attribute `epsilon` is True, wanted a float"):
        problem(epsilon=True)
