"""The backend `numpy`, and what it compiles programs to."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilelang.backends.numpy import arguments, faults
from tilelang.backends.numpy.arithmetic import ROUNDED, Arithmetic
from tilelang.backends.numpy.operands import Operation
from tilelang.backends.numpy.stages import compile_program, operations_on_gm
from tilelang.backends.numpy.tiles import Run, Tile
from tilelang.ir.nodes import Alloc, Program
from tilelang.ir.region import Buffer
from tilelang.ir.walk import walk_program
from tilelang.machines import Machine
from tilelang.passes import lower
from tilelang.text.printer import print_program

Array = NDArray[Any]


class NumpyBackend:
    """Runs programs tile by tile, and checks every read and write while it does."""

    name = "numpy"
    machine = "host"
    options = frozenset({"strict"})
    runs_here: str | None = None

    def compile(self, program: Program, machine: Machine, **options: object) -> "NumpyExecutable":
        """Return `program` as something that runs here.

        Of the options there is `strict`: False leaves the checks at run time out, and the numbers
        stay the same bit for bit.

        Raises:
            TileError: E0410 for an option that is not known; and what `lower` raises.
        """
        strict = arguments.read_options(options)
        return NumpyExecutable(program, lower(program, machine), ROUNDED, strict=strict)


class NumpyExecutable:
    """A program as closures over tiles. Every call has tiles of its own, so calls may overlap."""

    def __init__(
        self, program: Program, lowered: Program, arithmetic: Arithmetic, *, strict: bool
    ) -> None:
        """Compile `lowered`, which means the same as `program`, the form that users read."""
        self._program = program
        self._inputs, self._results = lowered.inputs, lowered.results
        created = (stmt.buffer for stmt in walk_program(lowered) if isinstance(stmt, Alloc))
        self._buffers = (*self._inputs, *self._results, *created)
        slots = {buffer.name: slot for slot, buffer in enumerate(self._buffers)}
        self._steps = compile_program(lowered, slots, arithmetic, strict=strict)
        self._stores = _stores(lowered)
        self._arithmetic, self._strict = arithmetic, strict

    @property
    def source(self) -> str:
        """The program itself, in the text form."""
        return print_program(self._program)

    def __call__(self, *arrays: Array) -> None:
        """Run on the physical arrays of every input, then of every result, which it fills.

        Results are filled at the end, all at once: a run that raises leaves them as they were.

        Raises:
            TileError: E0401 if an array is not what the program takes, E0411 if there is no memory;
                otherwise where the program breaks a rule of the language at run time, E0402 to
                E0409.
        """
        arguments.check_arrays(self._inputs, self._results, arrays)
        n_inputs = len(self._inputs)
        given, filled = arrays[:n_inputs], arrays[n_inputs:]
        with np.errstate(all="ignore"):
            run = Run([*self._read(given), *map(self._create, self._buffers[n_inputs:])])
            for step in self._steps:
                step(run)
            self._store(run.tiles[n_inputs : len(arrays)], filled)

    def _read(self, arrays: Sequence[Array]) -> Iterator[Tile]:
        for buffer, array in zip(self._inputs, arrays, strict=True):
            logical = buffer.layout.unpack(np.asarray(array), buffer.shape)  # of no subclass
            kept = logical.astype(self._arithmetic.storage(buffer.dtype), copy=False)
            yield Tile(buffer, kept, defined=True)

    def _create(self, buffer: Buffer) -> Tile:
        try:
            return Tile(buffer, np.empty(buffer.shape, self._arithmetic.storage(buffer.dtype)))
        except (MemoryError, ValueError):
            raise faults.no_memory(buffer) from None

    def _store(self, tiles: Sequence[Tile], arrays: Sequence[Array]) -> None:
        for tile in tiles if self._strict else ():
            missing = ~np.asarray(tile.defined)
            if missing.any() and tile.values.size:
                missing = np.broadcast_to(missing, tile.buffer.shape)
                raise faults.never_written(tile.buffer, missing, self._stores[tile.buffer.name])
        for tile, array in zip(tiles, arrays, strict=True):
            array[...] = tile.buffer.layout.pack(tile.values)


def _stores(program: Program) -> Mapping[str, Sequence[Operation]]:
    """Return the statements that write each result, in order, by the result's name."""
    operations = [stmt for stage in program.stages for stmt in operations_on_gm(stage)]
    return {
        result.name: [stmt for stmt in operations if stmt.dst.buffer == result]
        for result in program.results
    }
