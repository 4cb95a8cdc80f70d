"""One try of a kernel: sizes, dtypes, tile parameters and inputs; and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tilelang.attributes import python_text
from tilelang.backend import find_backend
from tilelang.check.compare import Comparison, compare, compare_reference
from tilelang.check.depth import n_steps
from tilelang.check.families import Family, families
from tilelang.check.fuzz.execution import Job, Mistake, Refusal, execute
from tilelang.check.inputs import meant
from tilelang.check.oracle import enclose
from tilelang.check.procedure import numerics_of
from tilelang.check.process import Ended, Process
from tilelang.check.reference import run_reference
from tilelang.check.strict import STRICT, strict_error
from tilelang.diagnostics import TileError
from tilelang.ir.nodes import Program
from tilelang.ir.region import Buffer
from tilelang.text.signature import dim_names

if TYPE_CHECKING:
    from tilelang.kernel import Kernel

Array = NDArray[Any]

SPECIAL_FLOATS = (0.0, -0.0, 1.0, 1e-7, 6e-8, -1e-39, 65504.0, -3e38, np.inf, -np.inf, np.nan)
"""Zeros, subnormal, huge and other numbers; narrow types round some of them to infinity."""
PADDING_CODES = ("E0405", "E0406")
"""A fill that adds nothing to ordinary numbers may add NaN where these are infinite."""
RUN_SECONDS = 60.0
"""What one run may take: the slowest that `fuzz` draws takes a few seconds on a busy computer."""
KINDS = ("exact", "signed", "one-hot", "special")
"""Families of inputs, and one of special numbers among ordinary ones."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is not drawn: dtype variables, sizes, attributes, tile parameters; and the machine.

    Without a machine it is each backend's own.
    """

    dtypes: Mapping[str, str]
    machine: str | None
    fixed: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Try:
    """What is tried: everything that decides what happens."""

    backend: str
    machine: str | None
    dtypes: Mapping[str, str]
    keywords: Mapping[str, float]
    kind: str
    seed: int

    @property
    def target(self) -> str:
        """The machine whose rules apply."""
        return self.machine or find_backend(self.backend).machine

    @property
    def size(self) -> tuple[float, int, int]:
        """What is smaller is easier to look at: sizes, then whatever differs from the defaults."""
        values = self.keywords.values()
        return (sum(values), KINDS.index(self.kind), self.seed)

    def call(self, kernel: str) -> str:
        """Return the call of `replay` that tries it again."""
        keywords = (f"{name}={python_text(value)}" for name, value in self.keywords.items())
        parts = [repr(self.backend), *keywords]
        if self.dtypes:
            parts.append(f"dtypes={dict(self.dtypes)!r}")
        if self.machine:
            parts.append(f"machine={self.machine!r}")
        return f"replay({kernel}, {', '.join([*parts, f'kind={self.kind!r}, seed={self.seed}'])})"


_MOST_STEPS = 5_000
"""Statements that one try may execute, so that a budget can be kept."""


class Refused(Exception):
    """What was tried is not legal, or is more than a backend can express: no failure."""


def replay(
    kernel: Kernel,
    backend: str,
    *,
    dtypes: Mapping[str, str] | None = None,
    machine: str | None = None,
    kind: str = "signed",
    seed: int = 0,
    **keywords: float,
) -> str | None:
    """Try `kernel` once, as `fuzz` did; return what is wrong, None if nothing is.

    Args:
        kernel: what to try.
        backend: who runs it.
        dtypes: the dtype variables of the signature.
        machine: whose rules apply; the backend's own by default.
        kind: one of `KINDS`.
        seed: of the inputs.
        keywords: sizes, attributes and tile parameters.

    Raises:
        Refused: if this is not legal.
    """
    with Process(RUN_SECONDS) as process:
        tried = Try(backend, machine, dtypes or {}, keywords, kind, seed)
        return attempt(kernel, tried, process)


def attempt(kernel: Kernel, tried: Try, process: Process) -> str | None:
    """Return what is wrong with a try, which `process` runs; None if nothing is.

    It is one line, and below it what the strict executor says of the kernel, at the user's line, if
    it says anything: then the kernel is to be mended, whatever a backend makes of it.

    Raises:
        Refused: if it is not legal.
    """
    program = _trace(kernel, tried)
    family = draw(kernel, program, tried.kind, tried.seed)
    wrong, n_unbounded = _judge(kernel, program, family, tried, process)
    if wrong is None and not n_unbounded:
        return None
    mistake = process.call(strict_error, program, family.inputs, tried.target)
    if not isinstance(mistake, TileError) or _is_excused(tried, mistake):
        return wrong
    if wrong is None or wrong.startswith(f"{STRICT} raises "):
        wrong = f"{STRICT} raises {mistake.diagnostics[0].code}"
    return f"{wrong}\n{mistake}"


def _judge(
    kernel: Kernel, program: Program, family: Family, tried: Try, process: Process
) -> tuple[str | None, int]:
    """Return what is wrong in one line, and how many elements cannot be judged."""
    # A reference need not say what becomes of infinity, or what a mean of nothing is.
    if tried.kind != "special" and all(array.size for array in family.inputs):
        found = _against_reference(kernel, program, family)
        if found is not None:
            return found, 0
    outcome = process.call(execute, Job(program, tried.backend, tried.target, family.inputs))
    match outcome:
        case Refusal(reason):
            raise Refused(reason)
        case Mistake(text, error):
            if error and _is_excused(tried, error):
                raise Refused(text)
            return f"{tried.backend} {text}", 0
        case Ended():
            return f"{tried.backend} {outcome}", 0
        case _:
            return _against_program(program, family, outcome, tried.backend)


def _is_excused(tried: Try, mistake: TileError) -> bool:
    return tried.kind == "special" and mistake.diagnostics[0].code in PADDING_CODES


def is_legal(kernel: Kernel, tried: Try) -> bool:
    """Return whether the machine's rules allow the program of a try."""
    try:
        _trace(kernel, tried)
    except Refused:
        return False
    return True


def _trace(kernel: Kernel, tried: Try) -> Program:
    """Return the program of a try.

    Raises:
        Refused: if it is not legal, or too long.
    """
    try:
        dtype = dict(tried.dtypes) or None
        program = kernel.program(dtype=dtype, machine=tried.target, **tried.keywords)
    except (TileError, ArithmeticError, ValueError) as error:
        raise Refused(str(error)) from error
    if n_steps(program) > _MOST_STEPS:
        raise Refused("this takes too long")
    return program


def size_names(kernel: Kernel) -> list[str]:
    """Return the dimensions that decide all others: those of the inputs."""
    found = dict.fromkeys(
        name for tensor in kernel.signature.inputs for dim in tensor.dims for name in dim_names(dim)
    )
    return [name for name in found if name not in kernel.attributes]


def draw(kernel: Kernel, program: Program, kind: str, seed: int) -> Family:
    """Return logical inputs; rounding errors on them are not taken as independent."""
    if kind != "special":
        found = next(one for one in families(program, seed) if one.name == kind)
        return Family(kind, meant(kernel, program, found.inputs), is_random=False)
    ordinary = next(families(program, seed))
    generator = np.random.default_rng(seed)
    together = zip(program.inputs, ordinary.inputs, strict=True)
    inputs = [_mixed(buffer, array, generator) for buffer, array in together]
    return Family(kind, meant(kernel, program, inputs), is_random=False)


def _mixed(buffer: Buffer, array: Array, generator: np.random.Generator) -> Array:
    if buffer.dtype.is_float:
        special = generator.choice(SPECIAL_FLOATS, array.shape)
    else:
        limits = np.iinfo(buffer.dtype.value)
        special = generator.choice((0, limits.min, limits.max), array.shape)
    with np.errstate(over="ignore"):
        chosen = special.astype(array.dtype)
    return np.where(generator.random(array.shape) < 0.05, chosen, array)


def _against_reference(kernel: Kernel, program: Program, family: Family) -> str | None:
    try:
        expected = run_reference(kernel, program, family.inputs)
    except (ArithmeticError, ValueError) as error:
        raise Refused(f"the reference raises {error}") from error
    enclosures = enclose(program, family.inputs, None, found=expected)
    together = zip(program.results, expected, enclosures, strict=True)
    for buffer, array, enclosure in together:
        found = compare_reference(array, enclosure, buffer.dtype)
        if found.wrong.any():
            return f"the kernel differs from its reference in {_places(buffer, found)}"
    return None


def _against_program(
    program: Program, family: Family, results: Sequence[Array], backend: str
) -> tuple[str | None, int]:
    numerics = numerics_of(find_backend(backend))
    enclosures = enclose(program, family.inputs, numerics, found=results)
    n_unbounded = 0
    for buffer, array, enclosure in zip(program.results, results, enclosures, strict=True):
        found = compare(array, enclosure, buffer.dtype)
        n_unbounded += found.n_unbounded
        if found.wrong.any():
            return f"{backend} differs from the program in {_places(buffer, found)}", 0
    return None, n_unbounded


def _places(buffer: Buffer, found: Comparison) -> str:
    wrong = found.wrong
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    ends = [f"{end[at]:.9g}" for end in (found.enclosure.low, found.enclosure.high)]
    wanted = " to ".join(dict.fromkeys(ends))
    return (
        f"{np.count_nonzero(wrong):,} of {wrong.size:,} elements of `{buffer.name}`, first "
        f"{buffer.name}{list(at)} = {found.found[at]:.9g}, wanted {wanted}"
    )
