"""The strict executor: the definition of what a program means, on numpy, tile by tile.

`executable.py` is the way in; `statements.py` says what each statement does, `arithmetic.py` what
numbers become, `checks.py` what is refused at run time, and `faults.py` what the user then reads.
"""

from tilelang.backends.numpy.executable import NumpyBackend, NumpyExecutable

__all__ = ["BACKEND", "NumpyBackend", "NumpyExecutable"]

BACKEND = NumpyBackend()
"""The backend, as `tilelang.backend.find_backend("numpy")` returns it."""
