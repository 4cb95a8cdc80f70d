"""Backends that are wrong in ways that no result shows: they crash, hang, or write too far."""

import sys
from pathlib import Path

import pytest

FAULTY = '''"""Numpy with a mistake each, as someone else's package."""
import ctypes, os, time
from dataclasses import dataclass
from typing import Callable
import numpy as np
from tilelang.backend import find_backend

def overrun(result):
    longer = np.lib.stride_tricks.as_strided(result.reshape(-1), (result.size + 1,))
    longer[-1] = 1

def crash(result):
    if result.shape[0] > 2:
        ctypes.string_at(0)

def abort(result):
    os.write(2, b"FAULTY ERROR: cannot select\\n")
    os.abort()

def hang(result):
    time.sleep(1000)

def mistake(result):
    raise KeyError("no such register")

@dataclass
class Faulty:
    name: str
    after: Callable
    machine, runs_here, options = "host", None, frozenset()

    def compile(self, program, machine):
        run = find_backend("numpy").compile(program, machine)
        def executable(*arrays):
            run(*arrays)
            print("this must not reach the answer")
            self.after(arrays[-1])
        return executable

careless, crashing = Faulty("careless", overrun), Faulty("crashing", crash)
aborting, raising = Faulty("aborting", abort), Faulty("raising", mistake)
hanging = Faulty("hanging", hang)
'''
NAMES = ("careless", "crashing", "aborting", "raising", "hanging")


def install_faulty(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the package `faulty` with its backends, for this process and those it starts."""
    (folder / "faulty.py").write_text(FAULTY)
    installed = folder / "faulty-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1.0\n")
    points = "\n".join(f"{name} = faulty:{name}" for name in NAMES)
    (installed / "entry_points.txt").write_text(f"[tilelang.backends]\n{points}\n")
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
