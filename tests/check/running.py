"""Running a program on a backend, or on an executable of a test's own, beside its enclosure."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilelang.backend import find_backend
from tilelang.check.oracle import enclose
from tilelang.ir.nodes import Program
from tilelang.machines import find_machine
from tilelang.numerics import IEEE, Numerics

Array = NDArray[Any]
Executable = Callable[..., None]


def draw_inputs(program: Program, seed: int, kind: str) -> list[Array]:
    """Return logical inputs: `random`, or `special` ones with zeros, huge and other numbers."""
    generator = np.random.default_rng(seed)
    return [_draw(buffer.shape, buffer.dtype.numpy, generator, kind) for buffer in program.inputs]


def _draw(
    shape: tuple[int, ...], dtype: np.dtype[Any], generator: np.random.Generator, kind: str
) -> Array:
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        span = (limits.min, limits.max) if kind == "special" else (max(-9, limits.min), 9)
        return generator.integers(*span, shape, dtype.type, endpoint=True)
    values = generator.normal(size=shape)
    if kind == "special":
        special = generator.choice(SPECIAL, shape)
        values = np.where(generator.random(shape) < 0.3, special, values)
    with np.errstate(over="ignore"):
        return values.astype(dtype)


SPECIAL = np.array(
    [
        0.0,
        -0.0,
        1.0,
        0.1,
        1e-7,
        6e-8,
        -3e-39,
        5e-39,
        1e-45,
        60000.0,
        -3e38,
        1e5,
        np.inf,
        -np.inf,
        np.nan,
    ]
)


def results_of(program: Program, inputs: Sequence[Array], run: Executable) -> list[Array]:
    """Return the logical results of `run`, an executable, on logical inputs."""
    packed = [
        np.ascontiguousarray(buffer.layout.pack(array))
        for buffer, array in zip(program.inputs, inputs, strict=True)
    ]
    filled = [
        np.full(buffer.layout.physical_shape(buffer.shape), 77, buffer.dtype.numpy)
        for buffer in program.results
    ]
    run(*packed, *filled)
    return [
        buffer.layout.unpack(array, buffer.shape)
        for buffer, array in zip(program.results, filled, strict=True)
    ]


def compiled(program: Program, backend: str) -> Executable:
    """Return the executable of a backend, for its own machine."""
    found = find_backend(backend)
    return found.compile(program, find_machine(found.machine))


def outside(
    program: Program,
    inputs: Sequence[Array],
    found: Sequence[Array],
    numerics: Numerics = IEEE,
    *,
    is_random: bool,
) -> list[str]:
    """Return a line for every element that a correct backend could not give."""
    enclosures = enclose(program, inputs, numerics, found=found, is_random=is_random)
    lines: list[str] = []
    for buffer, array, enclosure in zip(program.results, found, enclosures, strict=True):
        numbers = array.astype(enclosure.value.dtype)
        inside = (enclosure.low <= numbers) & (numbers <= enclosure.high)
        inside |= enclosure.is_unbounded | (np.isnan(enclosure.low) & np.isnan(numbers))
        for at in np.argwhere(~inside)[:5]:
            i = tuple(at)
            ends = f"[{enclosure.low[i]!r}, {enclosure.high[i]!r}]"
            lines.append(f"{buffer.name}{list(map(int, i))} is {numbers[i]!r}, wanted {ends}")
    return lines
