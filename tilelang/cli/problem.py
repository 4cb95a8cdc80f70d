"""What a command works on: a kernel with sizes, or a program, which has its sizes already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tilelang.cli.find_kernel import find_kernel
from tilelang.cli.options import read_dtypes, read_keywords
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.ir.nodes import Program
from tilelang.kernel import Kernel
from tilelang.machines import find_machine
from tilelang.passes import adapt
from tilelang.verify import verify


@dataclass(frozen=True, slots=True)
class SizedKernel:
    """A kernel with the keywords of a call: dimensions, attributes and tile parameters."""

    kernel: Kernel
    dtype: str | Mapping[str, str]
    keywords: dict[str, float]

    def program(self, machine: str) -> Program:
        """Return the verified program for `machine`."""
        return self.kernel.program(dtype=self.dtype, machine=machine, **self.keywords)


@dataclass(frozen=True, slots=True)
class ReadProgram:
    """A program that was read from a file."""

    parsed: Program

    def program(self, machine: str) -> Program:
        """Return the program, verified for `machine`."""
        target = find_machine(machine)
        return verify(adapt(self.parsed, target), target)


def find_problem(
    name: str,
    dtype: str,
    dims: Sequence[str] | None,
    tile: Sequence[str] | None,
    attr: Sequence[str] | None,
) -> SizedKernel | ReadProgram:
    """Return what the options of a command name.

    Raises:
        TileError: for a kernel or an option that cannot be read; E0612 for sizes of a program.
    """
    keywords = read_keywords(dims, tile, attr)
    found = find_kernel(name)
    if isinstance(found, Kernel):
        return SizedKernel(found, read_dtypes(dtype), keywords)
    if keywords:
        raise TileError(_sizes_of_a_program(name, keywords))
    return ReadProgram(found)


def _sizes_of_a_program(name: str, keywords: Mapping[str, float]) -> Diagnostic:
    given = ", ".join(f"{key}={value}" for key, value in keywords.items())
    message = f"{name} is a program, whose sizes are fixed, and {given} is given"
    hint = "leave the sizes away, or name the kernel that the program was made from"
    return Diagnostic("E0612", message, hint=hint)
