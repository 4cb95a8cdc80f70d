"""Judging what a kernel computed by the bound that a check carries, so that no test picks one.

The bound is `tilelang.check.oracle`'s: the program in float64, which shares no code with a backend.
Hand-written scripts, which come from no program, are judged by a kernel that says the same.
Where inputs make every result exact, tests compare for equality instead. Elsewhere only functions
(exp, tanh, ...) are compared with anything but this bound: they are measured themselves, in units
of the last place, against what their backend declares. `tests/test_house.py` lists the rest.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilelang.check.compare import compare
from tilelang.check.families import Family
from tilelang.check.oracle import enclose
from tilelang.check.procedure import judge_meaning
from tilelang.ir.nodes import Program
from tilelang.kernel import Kernel
from tilelang.numerics import IEEE, Numerics

Array = NDArray[Any]


def checked(kernel: Kernel, *inputs: Array, backend: str = "numpy", **keywords: Any) -> Any:
    """Return what `kernel` makes of `inputs`, physical arrays, having checked it on them.

    The program means what the reference says, and the backend is within the bound.
    """
    named: dict[str, Any] = dict(zip(kernel.input_names, inputs, strict=True))
    report = kernel.check(backends=[backend], **named, **keywords)
    assert report.ok, f"\n{report}"
    return kernel(*inputs, backend=backend, **keywords)


def assert_correct(
    program: Program, inputs: Sequence[Array], found: Sequence[Array], numerics: Numerics = IEEE
) -> None:
    """Fail unless `found`, the results, is what a backend of these numerics may give.

    All arrays are logical. Elements that cannot be judged, at a pole, pass.
    """
    enclosures = enclose(program, inputs, numerics, found=found)
    for buffer, array, enclosure in zip(program.results, found, enclosures, strict=True):
        assert array.shape == buffer.shape
        compared = compare(array, enclosure, buffer.dtype)
        wrong = np.argwhere(compared.wrong)
        assert not len(wrong), (
            f"{len(wrong)} of {array.size} elements of `{buffer.name}` are outside, first "
            f"{list(map(int, wrong[0]))}: {array[tuple(wrong[0])]!r}, wanted "
            f"{enclosure.low[tuple(wrong[0])]!r} to {enclosure.high[tuple(wrong[0])]!r}"
        )


def assert_meaning(kernel: Kernel, program: Program, inputs: Sequence[Array], machine: str) -> None:
    """Fail unless `program`, of `kernel` for `machine`, means its reference on logical arrays."""
    given = Family("given", tuple(inputs), is_random=False)
    row = judge_meaning(kernel, program, [given], machine)
    assert row.verdict == "ok", row


def logical(program: Program, physical: Sequence[Array], *, results: bool) -> list[Array]:
    """Return the logical arrays of the results of `program`, or of its inputs."""
    buffers = program.results if results else program.inputs
    return [
        buffer.layout.unpack(np.asarray(array), buffer.shape)
        for buffer, array in zip(buffers, physical, strict=True)
    ]
