"""A mistake that nobody catches shows the user's frames, whatever went on inside the package."""

import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tilelang as tl
from tilelang.diagnostics import TileError
from tilelang.diagnostics.boundary import VARIABLE

SCRIPT = """
import numpy as np
import tilelang as tl

def load(t, x):
    tl.data_move(t, x[0, 0, 0])

@tl.kernel("x[M, K]: T -> y[M, K]: T")
def copy(x, y):
    t = tl.alloc_ub((16, 16), x.dtype)
    load(t, x)

copy(np.ones((16, 16), np.float32))
"""
X = np.ones((16, 16), np.float32)


def run_script(folder: Path, **variables: str) -> str:
    file = folder / "script.py"
    file.write_text(SCRIPT, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **variables}
    done = subprocess.run(
        [sys.executable, file], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 1
    return done.stderr


def test_a_script_ends_with_its_own_lines_and_one_of_the_package(tmp_path: Path):
    said = run_script(tmp_path)
    frames = [
        line.rpartition(" in ")[2] for line in said.splitlines() if line.startswith('  File "')
    ]
    assert frames == ["<module>", "__call__", "copy", "load"]
    assert "script.py:6:21: error[E0120]: 3 indices for `x`" in said
    assert said.rstrip().endswith("hint: write one index or slice for each dimension")


def test_the_whole_traceback_can_be_had(tmp_path: Path):
    assert "trace_program" in run_script(tmp_path, TILELANG_TRACEBACK="full")


@tl.kernel("x[M, K]: T -> y[M, K]: T")
def undefined(x: tl.Tensor, y: tl.Tensor) -> None:
    t = tl.alloc_ub((16, 16), x.dtype)
    tl.data_move(y, t)


def run_it() -> None:
    undefined(X)


def name_no_backend() -> None:
    undefined.source("tikk", x=X)


def give_no_dtype() -> None:
    undefined.check(M=16, K=16)


def give_no_size() -> None:
    undefined.program(M=16, dtype="float32")


def misspell_a_signature() -> None:
    tl.kernel("x[M, K: T -> y[M]: T")(undefined.function)


def ask_for_the_best_of_nothing() -> None:
    tl.best(undefined, {"M": 16}, "float32")


@pytest.mark.parametrize(
    "wrong",
    [
        run_it,
        name_no_backend,
        give_no_dtype,
        give_no_size,
        misspell_a_signature,
        ask_for_the_best_of_nothing,
    ],
)
def test_one_frame_of_the_package_is_left(
    wrong: Callable[[], None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(TileError) as caught:
        wrong()
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert len([frame for frame in frames if "/tilelang/" in frame.filename]) == 1
    assert caught.value.__suppress_context__


UNTYPED: Any = undefined


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda: UNTYPED.source(), "it is called as `source(backend, *, dtype=None, "),
        (lambda: UNTYPED.sweep(m_tile=[16]), 'as one mapping: `sweep({"m_tile": [16, 32]}'),
        (lambda: UNTYPED.tiles(), "it is called as `tiles(rule)`"),
    ],
)
def test_arguments_that_do_not_fit_are_answered_with_those_that_do(
    wrong: Callable[[], None], hint: str
):
    with pytest.raises(TileError, match="E0819") as caught:
        wrong()
    assert hint in str(caught.value)


def test_a_type_error_in_the_code_of_a_user_stays_what_it_is():
    @tl.kernel("x[M, K]: T -> y[M, K]: T")
    def faulty(x: tl.Tensor, y: tl.Tensor) -> None:
        len(3)  # pyright: ignore[reportArgumentType]

    with pytest.raises(TypeError, match="has no len"):
        faulty.program(M=16, K=16, dtype="float32")
