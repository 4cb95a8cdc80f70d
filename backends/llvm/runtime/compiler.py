"""LLVM itself: text to machine code, and machine code to callable functions.

No pass of LLVM's optimiser runs: the text is already what they would make of it, and they take ten
times as long as everything else (35 ms against 300 ms, and the code is no faster).
"""

import ctypes
from functools import lru_cache

import llvmlite.binding as llvm

from tilelang.backends.llvm.runtime.host import Host

_LEVEL = 2
"""Effort of the code generator; 0 halves the speed of the code, 3 adds nothing."""


def compile_text(text: str, host: Host) -> bytes:
    """Return the object file of a module's text."""
    machine = _target_machine(host)
    module = llvm.parse_assembly(text)
    return machine.emit_object(module)


def assemble(text: str, host: Host) -> str:
    """Return the assembly of a module's text, for reading."""
    return _target_machine(host).emit_assembly(llvm.parse_assembly(text))


class Library:
    """Machine code in memory, for as long as this object lives."""

    def __init__(self, code: bytes, host: Host) -> None:
        """Load an object file.

        Raises:
            RuntimeError: if it is none.
        """
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _jit_machine(host))
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()

    def address(self, name: str) -> int:
        """Return the address of a function."""
        return self._engine.get_function_address(name)


RunFunction = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64
)
"""`run(arrays, scratch, pool, stride)`; called without the interpreter's lock."""


@lru_cache
def _target_machine(host: Host) -> llvm.TargetMachine:
    return _jit_machine(host)


def _jit_machine(host: Host) -> llvm.TargetMachine:
    _initialize(is_native=host.triple == llvm.get_default_triple())
    target = llvm.Target.from_triple(host.triple)
    return target.create_target_machine(
        cpu=host.cpu, features=host.features, opt=_LEVEL, reloc="pic", codemodel="jitdefault"
    )


@lru_cache
def _initialize(*, is_native: bool) -> None:
    if is_native:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
    else:
        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()
