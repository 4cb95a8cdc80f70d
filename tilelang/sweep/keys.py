"""What a result depends on, as a key: a result whose key has changed is not used again.

A trial depends on the program's text, the backend with its options and its code, the machine's
description, the metric, the packages that make or run code, and for times on the computer.
"""

import hashlib
import inspect
import json
import os
import platform
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import tilelang
from tilelang.backend import Backend
from tilelang.ir.nodes import Program
from tilelang.sweep.columns import as_json, columns_of
from tilelang.sweep.plan import Metric, Plan
from tilelang.sweep.problem import Problem

_PACKAGES = ("numpy", "llvmlite", "triton", "torch")
_SOURCES = ("*.py", "*.ll", "*.toml")
_WITHOUT_EFFECT = ("cli", "diagnostics", "sweep", "backends", "kernels")
"""Folders of `tilelang` that no result depends on; the backend's own is added."""


def sweep_key(problem: Problem, metric: Metric) -> str:
    """Return the key of what is swept, whatever its versions: what a winner is kept under."""
    return _digest(json.dumps(describe_sweep(problem, metric), sort_keys=True))


def describe_sweep(problem: Problem, metric: Metric) -> dict[str, str]:
    """Return what is swept as columns of text."""
    return {
        **columns_of(problem.kernel, problem.dims, problem.dtypes),
        "attributes": as_json(problem.attributes),
        "options": as_json(problem.options),
        "backend": problem.backend.name,
        "machine": problem.machine.name,
        "metric": metric.value,
    }


def trial_key(program: Program, parts: Sequence[str]) -> str:
    """Return the key of a trial of `program`; `parts` are all else that its result depends on."""
    return _digest("|".join((str(program), *parts)))


def group_key(keys: list[str]) -> str:
    """Return the key of a comparison of several trials with each other."""
    return _digest("|".join(sorted(keys)))


def place_of(metric: Metric, plan: Plan) -> str:
    """Return where times are measured; cycles are the same everywhere."""
    if metric is Metric.CYCLES:
        return ""
    return f"dask {plan.dask}" if plan.dask else computer()


def versions(problem: Problem) -> str:
    """Return the versions that every result of a problem depends on."""
    machine = _digest(repr(problem.machine) + repr(sorted(problem.machine.facts.items())))
    backend = f"{problem.backend.name} {_backend_code(problem.backend)}"
    return f"{tilelang.__version__} {_language_code()}|{backend}|{machine}|{_packages()}"


@cache
def computer() -> str:
    """Return the processor's name and the number of its cores, as a person would say it."""
    return f"{_processor()}, {os.cpu_count()} cores"


def _processor() -> str:
    cpu_info = Path("/proc/cpuinfo")
    if cpu_info.is_file():
        for line in cpu_info.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def _backend_code(backend: Backend) -> str:
    module = inspect.getmodule(type(backend))
    file = getattr(module, "__file__", None)
    return _fingerprint(Path(file).parent) if file else ""


def _language_code() -> str:
    return _fingerprint(Path(tilelang.__file__).parent, _WITHOUT_EFFECT)


@cache
def _fingerprint(folder: Path, without: tuple[str, ...] = ()) -> str:
    """Return a digest of the source files below `folder`."""
    return _digest("|".join(_contents(folder, without)))


def _contents(folder: Path, without: tuple[str, ...]) -> Iterator[str]:
    files = sorted(file for pattern in _SOURCES for file in folder.rglob(pattern))
    for file in files:
        place = file.relative_to(folder)
        if place.parts[0] not in without:
            yield f"{place.as_posix()}={hashlib.sha256(file.read_bytes()).hexdigest()}"


@cache
def _packages() -> str:
    return " ".join(_installed())


def _installed() -> Iterator[str]:
    for name in _PACKAGES:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            continue


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
