"""Checking: which programs run on which inputs, and what they are compared with."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from tilelang.arguments import allocate, physical_kinds
from tilelang.backend import Backend, Executable, backend_names, find_backend
from tilelang.check.compare import Comparison, compare, compare_reference
from tilelang.check.diagnosis import Case, explain
from tilelang.check.families import Family
from tilelang.check.inputs import families_for
from tilelang.check.oracle import enclose
from tilelang.check.reference import run_reference
from tilelang.check.report import REFUSED, Report, Row
from tilelang.check.worst import Worst
from tilelang.diagnostics import TileError
from tilelang.ir.nodes import Program
from tilelang.machines import find_machine
from tilelang.numerics import IEEE, Numerics

if TYPE_CHECKING:
    from tilelang.kernel import Kernel

Array = NDArray[Any]


class Judge(Protocol):
    """Judges backends, here or elsewhere."""

    def __call__(
        self,
        program: Program,
        name: str,
        machine: str,
        drawn: Sequence[Family],
        *,
        is_named: bool,
    ) -> Row:
        """Return the row of the backend `name`; one that nobody named may refuse."""
        ...


def check(
    kernel: Kernel,
    judge: Judge,
    *,
    backends: Sequence[str] | None,
    machine: str | None,
    seed: int,
    keywords: Mapping[str, Any],
) -> Report:
    """Return two verdicts on `kernel`: on what it says, and on what each backend makes of it.

    `keywords` are those of `kernel.program`, without the machine. Arrays among them are checked
    instead of the families of inputs, if all inputs are given.

    Raises:
        TileError: E0701 without a reference; mistakes in the kernel or in the keywords.
    """
    # Products of tiles are too small to share among threads: those of BLAS took five times as long.
    with threadpool_limits(limits=1, user_api="blas"):
        program = kernel.program(machine=machine, **keywords)
        drawn = _given(program, keywords) or list(families_for(kernel, program, seed))
        meaning = judge_meaning(kernel, program, drawn, machine or "host")
        rows: list[Row] = []
        for name in backends if backends is not None else runnable():
            target = machine or find_backend(name).machine
            try:
                own = kernel.program(machine=target, **keywords)
            except TileError as error:
                if backends is not None:
                    raise
                rows.append(_refused(name, target, error))
            else:
                rows.append(judge(own, name, target, drawn, is_named=backends is not None))
    return Report(kernel.name, inputs_text(program), seed, tuple(rows), meaning)


def inputs_text(program: Program) -> str:
    """Return what `program` is given, in words: "a: float16[3, 4], b: float16[4, 5]"."""
    return ", ".join(f"{buffer.name}: {buffer}" for buffer in program.inputs)


def _refused(name: str, machine: str, error: TileError) -> Row:
    """Return the row of a backend that cannot express a program it was not named for."""
    first = error.diagnostics[0]
    reason = f"{first.message} ({first.location})" if first.location else first.message
    hint = (f"hint: {first.hint}",) if first.hint else ()
    verdict = f"{REFUSED}{first.code}"
    return Row(name, machine, None, None, None, verdict, explanation=(reason, *hint))


def runnable() -> list[str]:
    """Return the backends whose code runs on this computer, or can be checked without."""
    found = {name: find_backend(name) for name in backend_names()}
    return [
        name
        for name, backend in found.items()
        if backend.runs_here is None or check_options(backend)[1]
    ]


def check_options(backend: Backend) -> tuple[Mapping[str, object], str | None]:
    """Return the options that `backend` is checked with on this computer, and what they are called.

    A backend that cannot run here may have another way to be checked: it then has an attribute
    `check_mode`, the name of an option of its own that takes True.
    """
    mode: str | None = getattr(backend, "check_mode", None)
    return ({mode: True}, mode) if mode else ({}, None)


def numerics_of(backend: Backend) -> Numerics:
    """Return what `backend` promises about its floats."""
    return getattr(backend, "numerics", IEEE)


def _given(program: Program, keywords: Mapping[str, Any]) -> list[Family]:
    names = [buffer.name for buffer in program.inputs]
    if not names or any(not isinstance(keywords.get(name), np.ndarray) for name in names):
        return []
    arrays = tuple(
        buffer.layout.unpack(keywords[buffer.name], buffer.shape) for buffer in program.inputs
    )
    return [Family("given", arrays, is_random=False)]


def judge_meaning(kernel: Kernel, program: Program, drawn: Sequence[Family], machine: str) -> Row:
    """Return the row of the kernel itself: its program in float64 against its reference.

    `machine` is the one that `program` was traced for.
    """
    worst = Worst()
    started = time.perf_counter()
    for family in drawn:
        expected = run_reference(kernel, program, family.inputs)
        enclosures = enclose(program, family.inputs, None, found=expected)
        together = zip(program.results, expected, enclosures, strict=True)
        worst.add(
            family,
            [compare_reference(array, one, buffer.dtype) for buffer, array, one in together],
        )
    seconds = (time.perf_counter() - started) / max(len(drawn), 1)
    mistake = worst.mistake(program, machine)
    verdict = str(mistake or worst.verdict("kernel wrong: differs from the reference", None))
    explanation, picture = _explain(program, worst, None)
    return Row(
        "(program)",
        "float64",
        seconds,
        worst.max_error,
        worst.share,
        verdict,
        families=tuple(worst.shares.items()),
        explanation=explanation,
        picture=picture,
    )


@dataclass(frozen=True, slots=True)
class Trial:
    """One backend's executable of a program."""

    program: Program
    executable: Executable
    backend: Backend
    machine: str

    @property
    def numerics(self) -> Numerics:
        """What the backend promises about its floats."""
        return numerics_of(self.backend)

    def compile(self, program: Program) -> Trial:
        """Return the same backend with another program."""
        return start(program, self.backend, self.machine)

    def __call__(self, inputs: Sequence[Array]) -> list[Array]:
        """Return the logical results on logical inputs."""
        packed = [
            np.ascontiguousarray(buffer.layout.pack(array))
            for buffer, array in zip(self.program.inputs, inputs, strict=True)
        ]
        results = allocate(physical_kinds(self.program.results), None)
        self.executable(*packed, *results)
        return [
            buffer.layout.unpack(np.asarray(array), buffer.shape)
            for buffer, array in zip(self.program.results, results, strict=True)
        ]

    def compare(self, family: Family, found: Sequence[Array]) -> list[Comparison]:
        """Return how results compare with the program in float64."""
        enclosures = enclose(
            self.program,
            family.inputs,
            self.numerics,
            found=found,
            is_random=family.is_random,
        )
        return [
            compare(array, one, buffer.dtype)
            for buffer, array, one in zip(self.program.results, found, enclosures, strict=True)
        ]


def start(program: Program, backend: Backend, machine: str) -> Trial:
    """Return `program` compiled by `backend`, to be checked.

    Raises:
        TileError: for what it cannot express.
    """
    options, _ = check_options(backend)
    executable = backend.compile(program, find_machine(machine), **options)
    return Trial(program, executable, backend, machine)


def judge_backend(
    program: Program, name: str, machine: str, drawn: Sequence[Family], *, is_named: bool
) -> Row:
    """Return the row of a backend: its results against the program in float64.

    What it cannot express is an error if it `is_named`, else a refusal.
    """
    backend = find_backend(name)
    _, mode = check_options(backend)
    try:
        trial = start(program, backend, machine)
    except TileError as error:
        if is_named:
            return Row(name, machine, None, None, None, str(error), mode)
        return _refused(name, machine, error)
    return judge_trial(trial, drawn)


def judge_trial(trial: Trial, drawn: Iterable[Family]) -> Row:
    """Return the row of what was compiled: its results against its program in float64."""
    _, mode = check_options(trial.backend)
    name, machine = trial.backend.name, trial.machine
    try:
        worst, seconds = _run_all(trial, drawn)
    except TileError as error:
        return Row(name, machine, None, None, None, str(error), mode)
    explanation, picture = _explain(trial.program, worst, trial)
    mistake = worst.mistake(trial.program, machine)
    if mistake and worst.wrong:
        first = mistake.diagnostics[0]
        explanation += (f"the kernel itself is wrong: {first.code}, {first.message}",)
    return Row(
        name,
        machine,
        seconds,
        worst.max_error,
        worst.share,
        worst.verdict("backend wrong: differs from the program", mistake),
        mode,
        tuple(worst.shares.items()),
        explanation,
        picture,
    )


def _run_all(trial: Trial, drawn: Iterable[Family]) -> tuple[Worst, float]:
    worst, times = Worst(), list[float]()
    for family in drawn:
        started = time.perf_counter()
        found = trial(family.inputs)
        times.append(time.perf_counter() - started)
        worst.add(family, trial.compare(family, found))
    return worst, min(times, default=0.0)


def _explain(program: Program, worst: Worst, trial: Trial | None) -> tuple[tuple[str, ...], Any]:
    if worst.wrong is None:
        return (), None
    family, comparisons = worst.wrong
    number = next(i for i, one in enumerate(comparisons) if one.wrong.any())
    case = Case(program, family, number, comparisons[number], trial)
    return explain(case)
