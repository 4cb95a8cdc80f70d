"""Small TIK scripts around the instructions under test."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tilelang.backends.tik.emulate import Emulation, emulate
from tilelang.backends.tik.recorder import record

Array = npt.NDArray[Any]
Body = Callable[[Any, Any, Mapping[str, Any]], None]


def tik_module() -> Any:
    """Return what `from tbe import tik` gives; only under the shims."""
    return importlib.import_module("tbe.tik")


def run_in_ub(
    body: Body,
    inputs: Mapping[str, Array],
    outputs: Mapping[str, Array],
    *,
    soc: str = "Ascend910A",
) -> dict[str, Array]:
    """Run `body(t, tik, ub)` on UB copies of all arrays; return what the outputs hold then.

    Every array is moved into UB whole before, the outputs out of it after; sizes are whole blocks.
    """
    return emulate_in_ub(body, inputs, outputs, soc=soc).outputs


def emulate_in_ub(
    body: Body,
    inputs: Mapping[str, Array],
    outputs: Mapping[str, Array],
    *,
    soc: str = "Ascend910A",
) -> Emulation:
    program = record(_in_ub, body, inputs, outputs, soc=soc)
    return emulate(program, {**inputs, **{f"{name}_old": old for name, old in outputs.items()}})


def _in_ub(body: Body, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> None:
    tik = tik_module()
    t = tik.Tik()
    ub: dict[str, Any] = {}
    sources: list[Any] = []
    for name, array in {**inputs, **{f"{n}_old": old for n, old in outputs.items()}}.items():
        source = t.Tensor(str(array.dtype), array.shape, name=name, scope=tik.scope_gm)
        short = name.removesuffix("_old")
        ub[short] = t.Tensor(str(array.dtype), array.shape, tik.scope_ubuf, f"{short}_ub")
        t.data_move(ub[short], source, 0, 1, array.nbytes // 32, 0, 0)
        sources.append(source)
    targets = [
        t.Tensor(str(old.dtype), old.shape, name=name, scope=tik.scope_gm)
        for name, old in outputs.items()
    ]
    body(t, tik, ub)
    for target, (name, old) in zip(targets, outputs.items(), strict=True):
        t.data_move(target, ub[name], 0, 1, old.nbytes // 32, 0, 0)
    t.BuildCCE("in_ub", sources, targets)


def floats(shape: tuple[int, ...] | int, dtype: Any = np.float16, seed: int = 0) -> Array:
    """Return normally distributed numbers."""
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)
