"""Tile programs as machine code, through llvmlite, at the speed of the computer.

`executable.py` is the way in. A program is lowered, goes through `passes`, and becomes the text of
an LLVM module (`module.py`): `statements.py` sends each statement to the module that writes it,
`choose_forms.py` says how buffers are stored, `code.py` builds the text, `compiler.py` makes
machine code of it, `cache.py` keeps that, and `pool.py` runs it on threads.
"""

from tilelang.backends.llvm.executable import LlvmBackend, LlvmExecutable

__all__ = ["BACKEND", "LlvmBackend", "LlvmExecutable"]

BACKEND = LlvmBackend()
"""The backend, as `tilelang.backend.find_backend("llvm")` returns it."""
