"""Checking that a kernel means what its reference says, and that backends do what it means.

`procedure.py` is the way in. `oracle/` runs a program in float64 and carries how far a correct
backend may be from it; `families.py` draws inputs, and `inputs.py` such as a kernel is meant for;
`compare.py` judges results; `diagnosis/` says what kind of wrong one is; `fuzz/` looks for shapes
that break a kernel. What the bound assumes, and which faults it catches, is in
`bench/check_faults.md`.
"""

from tilelang.check.depth import sum_depth
from tilelang.check.inputs import random_inputs
from tilelang.check.procedure import check, check_options, judge_backend, judge_trial, runnable
from tilelang.check.report import Report, Row

__all__ = [
    "Report",
    "Row",
    "check",
    "check_options",
    "judge_backend",
    "judge_trial",
    "random_inputs",
    "runnable",
    "sum_depth",
]
