"""Random programs on everybody who computes, and whether one leaves the bound: at any scale.

`test_validity.py` does it for a few programs and shrinks what it finds; `bench/check_validity.py`
for thousands, and counts.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.backends.triton.running import SM90, Job, run_all
from tests.check.devices import DEVICES, run_on
from tests.check.running import compiled, draw_inputs, outside, results_of
from tests.correctness import logical
from tests.programs import programs
from tilelang.backend import find_backend
from tilelang.backends.triton.compiler import generate
from tilelang.backends.triton.options import Options
from tilelang.backends.triton.promises import IN_THE_INTERPRETER
from tilelang.check.compare import compare
from tilelang.check.oracle import enclose
from tilelang.diagnostics import TileError
from tilelang.ir.nodes import If, Img2col, Map, Matmul, Mmad, Program, Reduce
from tilelang.ir.walk import walk_program
from tilelang.numerics import IEEE, Numerics

Array: TypeAlias = NDArray[Any]
KINDS = ("random", "special")


@dataclass(frozen=True, slots=True)
class Sample:
    """A program and logical inputs; `kind` is one of `KINDS`."""

    program: Program
    kind: str
    inputs: Sequence[Array]


Compute: TypeAlias = Callable[[Sequence[Sample]], Iterator[Sequence[Array] | None]]
"""Yields the logical results of every sample, None of one that it cannot express."""


@dataclass(frozen=True, slots=True)
class Computer:
    """Who computes, and what that promises; a wide one takes what `host` alone has."""

    compute: Compute
    numerics: Numerics
    is_wide: bool = True


def _each(run: Callable[[Program, Sequence[Array]], Sequence[Array]]) -> Compute:
    def compute(samples: Sequence[Sample]) -> Iterator[Sequence[Array] | None]:
        for sample in samples:
            try:
                yield run(sample.program, sample.inputs)
            except TileError:
                yield None

    return compute


def _backend(name: str, *, is_wide: bool) -> Computer:
    numerics = getattr(find_backend(name), "numerics", IEEE)
    return Computer(
        _each(lambda program, inputs: results_of(program, inputs, compiled(program, name))),
        numerics,
        is_wide,
    )


def _interpreted(samples: Sequence[Sample]) -> Iterator[Sequence[Array] | None]:
    """Run all samples in one process of Triton's interpreter."""
    jobs = [_job(sample) for sample in samples]
    found = iter(run_all([job for job in jobs if job is not None]))
    for job in jobs:
        if job is None:
            yield None
            continue
        results = next(found)
        assert not isinstance(results, str), f"{results}\n{job.generated.text}"
        yield logical(job.program, results, results=True)


def _job(sample: Sample) -> Job | None:
    program = sample.program
    packed = [
        np.ascontiguousarray(buffer.layout.pack(array))
        for buffer, array in zip(program.inputs, sample.inputs, strict=True)
    ]
    try:
        return Job(program, generate(program, SM90, Options(interpreter=True)), packed)
    except TileError:
        return None


COMPUTERS: Mapping[str, Computer] = {
    "numpy": _backend("numpy", is_wide=True),
    "llvm": _backend("llvm", is_wide=True),
    "tik (emulator)": _backend("tik", is_wide=False),
    "triton (interpreter)": Computer(_interpreted, IN_THE_INTERPRETER),
    **{
        type(device).__name__: Computer(
            _each(
                lambda program, inputs, device=device: results_of(
                    program, inputs, run_on(program, device)
                )
            ),
            device.numerics,
        )
        for device in DEVICES
    },
}
"""The backends, and simulated devices of every kind that `Numerics` describes."""


def draw_samples(n_samples: int, number: int, *, is_wide: bool) -> list[Sample]:
    """Return random samples, the same ones for the same `number`."""
    drawn: list[Sample] = []

    @seed(number)
    @settings(
        max_examples=n_samples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(programs(is_wide=is_wide), st.sampled_from(KINDS), st.integers(0, 10**6))
    def collect(program: Program, kind: str, own: int) -> None:
        drawn.append(Sample(program, kind, draw_inputs(program, own, kind)))

    collect()
    return drawn


@dataclass(slots=True)
class Tally:
    """What became of the samples of one computer."""

    n_programs: int = 0
    n_refused: int = 0
    n_elements: int = 0
    n_exact: int = 0
    """Elements that have one correct value."""
    n_unbounded: int = 0
    share: float = 0.0
    """The largest share of the bound where there is one."""
    wrong: list[str] = field(default_factory=list[str])

    def take(self, computer: Computer, samples: Sequence[Sample]) -> None:
        """Run `samples` and judge the results."""
        for sample, found in zip(samples, computer.compute(samples), strict=True):
            self._add(computer, sample, found)

    def _add(self, computer: Computer, sample: Sample, found: Sequence[Array] | None) -> None:
        self.n_programs += 1
        if found is None:
            self.n_refused += 1
            return
        is_random = sample.kind == "random"
        program, numerics = sample.program, computer.numerics
        enclosures = enclose(program, sample.inputs, numerics, found=found, is_random=is_random)
        for buffer, array, one in zip(program.results, found, enclosures, strict=True):
            compared = compare(array, one, buffer.dtype)
            self.n_elements += array.size
            self.n_exact += int(np.count_nonzero((one.low == one.high) | np.isnan(one.low)))
            self.n_unbounded += compared.n_unbounded
            self.share = max(self.share, compared.max_share)
        lines = outside(program, sample.inputs, found, numerics, is_random=is_random)
        if lines:
            self.wrong.append(f"{program}\n{sample.kind} inputs\n" + "\n".join(lines))


def contents(samples: Sequence[Sample]) -> Mapping[str, int]:
    """Return how many of the programs have what: maps, reductions, products, several stages."""
    kinds = {
        "maps": Map,
        "reductions": Reduce,
        "products": Matmul | Mmad,
        "convolutions": Img2col,
        "branches": If,
    }
    counts = Counter[str]()
    for sample in samples:
        statements = list(walk_program(sample.program))
        for name, kind in kinds.items():
            counts[name] += any(isinstance(stmt, kind) for stmt in statements)
        counts["several stages"] += len(list(sample.program.stages)) > 1
    return dict(counts)
