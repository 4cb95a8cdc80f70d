"""Tile programs as machine code, through llvmlite, at the speed of the computer.

`runtime/executable.py` is the way in. A program is lowered, goes through `passes`, and becomes the
text of an LLVM module (`module.py`). `statements.py` sends each statement to the folder that knows
it: `products` for the cube, `convolution` for maps that are read in place, `vectors` for all that
goes element by element. `choose_forms.py` says how buffers are stored, and `code.py` builds the
text. `runtime` makes machine code of it, keeps that on disk, and runs it on threads.
"""

from tilelang.backends.llvm.runtime.executable import LlvmBackend, LlvmExecutable

__all__ = ["BACKEND", "LlvmBackend", "LlvmExecutable"]

BACKEND = LlvmBackend()
"""The backend, as `tilelang.backend.find_backend("llvm")` returns it."""
