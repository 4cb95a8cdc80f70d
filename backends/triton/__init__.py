"""The GPU backend: readable Triton source from the same tile program.

`compiler.py` lists the way from a program to text; `forms.py` says what becomes of on-chip buffers,
`descriptors.py` which moves the copy engine does. Source is made everywhere, and needs no Triton;
without a GPU it runs in Triton's interpreter, and compiles to machine code (`processes.py`).
"""

from tilelang.backends.triton.executable import TritonBackend, TritonExecutable

__all__ = ["BACKEND", "TritonBackend", "TritonExecutable"]

BACKEND = TritonBackend()
"""The backend, as `tilelang.backend.find_backend("triton")` returns it."""
