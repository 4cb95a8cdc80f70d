"""Choosing tile sizes: try them, drop the illegal ones with reasons, rank, check the winner.

`Kernel.sweep` is the way in. `procedure.py` goes through the steps: `space.py` says which tiles,
`climb.py` judges them (in `judge.py`, wherever `runner.py` lets it), `final.py` compares the best
and checks the winner, `log.py` keeps all of it, `report.py` says what was found. A backend that
has the method of `CycleModel` is swept by cycles.

Only what every `import tilelang` should load is imported here.
"""

from tilelang.sweep.cycles import CycleModel, Cycles
from tilelang.sweep.plan import Metric, Plan
from tilelang.sweep.winners import best, best_rule

__all__ = ["CycleModel", "Cycles", "Metric", "Plan", "best", "best_rule"]
