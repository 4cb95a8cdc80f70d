"""The backend `llvm`, and what it compiles programs to."""

import ctypes
from collections.abc import Callable, Sequence
from ctypes import addressof
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilelang.backends.llvm.form import layout_form
from tilelang.backends.llvm.module import RUN, Module, generate
from tilelang.backends.llvm.passes import optimise
from tilelang.backends.llvm.passes.drop_names import drop_names
from tilelang.backends.llvm.runtime.arguments import OPTIONS, check_arrays, read_threads
from tilelang.backends.llvm.runtime.cache import Entry, key_of, read_entry, write_entry
from tilelang.backends.llvm.runtime.compiler import Library, RunFunction, assemble, compile_text
from tilelang.backends.llvm.runtime.forking import make_lock
from tilelang.backends.llvm.runtime.host import Host, find_host
from tilelang.backends.llvm.runtime.pool import find_pool
from tilelang.backends.llvm.vectors.polynomials import FUNCTION_ULPS
from tilelang.dtypes import DType
from tilelang.ir.nodes import Program
from tilelang.machines import Machine
from tilelang.numerics import Numerics
from tilelang.passes import lower

Array = NDArray[Any]


class LlvmBackend:
    """Compiles programs to machine code of the computer that it runs on."""

    name = "llvm"
    machine = "host"
    options = OPTIONS
    runs_here: str | None = None
    # VDPBF16PS takes subnormal numbers for zero, whatever the processor's mode (Intel's manual).
    numerics = Numerics(flushes_products=frozenset({DType.BFLOAT16}), ulps=FUNCTION_ULPS)

    def __init__(self) -> None:
        """Start with nothing compiled."""
        self._kept: dict[str, _Code] = {}
        self._lock = make_lock()

    def compile(self, program: Program, machine: Machine, **options: object) -> "LlvmExecutable":
        """Return `program` as machine code.

        Of the options there is `n_threads`, else the environment's `TILELANG_NUM_THREADS`, else
        every processor; results do not depend on it.

        Raises:
            TileError: E1101 or E1102 for an environment or an option that is not known; and what
                `lower` raises.
        """
        n_threads, host = read_threads(options), find_host()
        key = key_of(program, machine, host)
        with self._lock:
            code = self._kept.get(key)
            if code is None:
                code = self._kept[key] = _load(program, machine, host, key)
                _limit(self._kept)
        return LlvmExecutable(program, machine, code, n_threads)


_N_KEPT = 256
"""Programs whose machine code stays in memory; those in use stay besides."""


def _limit(kept: "dict[str, _Code]") -> None:
    if len(kept) > _N_KEPT:
        del kept[next(iter(kept))]


@dataclass(frozen=True, slots=True)
class _Code:
    """Machine code in memory: `run` lives as long as the library does."""

    host: Host
    entry: Entry
    library: Library
    run: Any


def _load(program: Program, machine: Machine, host: Host, key: str) -> _Code:
    entry = read_entry(key)
    if entry is None:
        module = _module(program, machine, host)
        code = compile_text(module.text, host)
        entry = Entry(code, module.n_scratch_bytes, module.workspace_bytes, module.n_cores)
        write_entry(key, entry)
    library = Library(entry.code, host)
    return _Code(host, entry, library, RunFunction(library.address(RUN)))


def _module(program: Program, machine: Machine, host: Host) -> Module:
    return generate(optimise(lower(drop_names(program), machine), host), host)


class LlvmExecutable:
    """A program as machine code. Every call has memory of its own, so calls may overlap."""

    def __init__(self, program: Program, machine: Machine, code: _Code, n_threads: int) -> None:
        """Hold `code`, compiled from `program`, to be run on `n_threads` threads."""
        self._program, self._machine, self._code = program, machine, code
        self._run = code.run
        self._n_threads = max(min(n_threads, code.entry.n_cores), 1)
        buffers = (*program.inputs, *program.results)
        self._wanted = [(b.dtype.numpy, b.layout.physical_shape(b.shape)) for b in buffers]
        # bfloat16 is no type of Python's buffers: such arrays are seen as integers.
        self._has_opaque = any(buffer.dtype is DType.BFLOAT16 for buffer in buffers)
        self._n_inputs = len(program.inputs)
        self._padded = tuple(
            number
            for number, buffer in enumerate(buffers)
            if buffer in program.results and layout_form(buffer).is_padded
        )
        self._free: list[_Memory] = []

    @property
    def source(self) -> str:
        """The LLVM IR."""
        return _module(self._program, self._machine, self._code.host).text

    @property
    def assembly(self) -> str:
        """The assembly of the host."""
        return assemble(self.source, self._code.host)

    def __call__(self, *arrays: Array) -> None:
        """Run on the physical arrays of every input, then of every result, which it fills.

        Raises:
            TileError: E1103 if an array is not what the program takes.
        """
        if [(array.dtype, array.shape) for array in arrays] != self._wanted:
            check_arrays(self._program, arrays)
        seen: Sequence[Array] = arrays
        if self._has_opaque:
            seen = [it.view(_UINT16) if it.dtype is _BFLOAT16 else it for it in arrays]
        try:  # five times as fast as `ndarray.ctypes`
            addresses = [addressof(_first_byte(array)) for array in seen]
        except (TypeError, ValueError):  # read-only, empty, or of other strides
            self._call_with_copies(arrays)
        else:
            self._call(arrays, addresses)

    def _call(self, arrays: Sequence[Array], addresses: list[int]) -> None:
        for number in self._padded:
            arrays[number].fill(0)
        try:
            memory = self._free.pop()
        except IndexError:
            memory = _Memory(self._code.entry, len(addresses), self._n_threads)
        memory.slots[: len(addresses)] = addresses
        if self._n_threads == 1:
            self._run(memory.arrays, memory.scratch, None, memory.stride)
        else:
            pool = find_pool(self._n_threads, self._code.host)
            pool.run(self._run, memory.arrays, memory.scratch, memory.stride)
        self._free.append(memory)

    def _call_with_copies(self, arrays: Sequence[Array]) -> None:
        """Run on contiguous copies, where there must be some, and copy the results back."""
        if not all(array.flags.writeable for array in arrays[self._n_inputs :]):
            check_arrays(self._program, arrays)
        copies = [np.ascontiguousarray(array) for array in arrays]
        self._call(copies, [copy.ctypes.data for copy in copies])
        for array, copy in zip(arrays[self._n_inputs :], copies[self._n_inputs :], strict=True):
            if copy is not array:
                array[...] = copy


_first_byte: Callable[[Any], ctypes.c_char] = ctypes.c_char.from_buffer
_BFLOAT16, _UINT16 = DType.BFLOAT16.numpy, np.dtype(np.uint16)


_PAGE = 4096


class _Memory:
    """What one call needs beside its arrays: the workspaces, and scratch for every thread."""

    def __init__(self, entry: Entry, n_arrays: int, n_threads: int) -> None:
        """Allocate it, undefined."""
        n_slots = n_arrays + len(entry.workspace_bytes)
        self.slots = (ctypes.c_void_p * n_slots)()
        self.arrays = addressof(self.slots)
        self.stride = -(-entry.n_scratch_bytes // _PAGE) * _PAGE + _PAGE
        self._held = [np.empty(self.stride * n_threads + _PAGE, np.uint8)]
        self.scratch = _aligned(self._held[0])
        for number, n_bytes in enumerate(entry.workspace_bytes, n_arrays):
            block = np.empty(n_bytes + _PAGE, np.uint8)
            self._held.append(block)
            self.slots[number] = _aligned(block)


def _aligned(block: Array) -> int:
    """Return the first address in `block` that begins a page."""
    return block.ctypes.data + -block.ctypes.data % _PAGE
