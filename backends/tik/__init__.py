"""Ascend TIK: instruction programs, TIK text in and out, and an emulator of the core.

* `instructions`: the nodes of an `InstructionProgram`.
* `recorder`: `record(entry, ...)` and `record_source(text, entry, ...)` turn a TIK script into one.
* `shims`: `installed()` lets scripts import `te.tik`, `tbe.tik` and their companions.
* `emit`: `emit(program)` writes one as a TIK script; recording the script gives it back.
* `emulate`: `emulate(program, feed)` executes one strictly with numpy.
* `lower`: `lower_program(program, machine)` makes one of a tile program.
* `package`: `package_files(...)` returns the files of a TBE custom operator.
* `backend`: all of that behind `tilelang.backend.Backend`.
* `soc`: chips by CANN's names, and their machine descriptions.
"""

from tilelang.backends.tik.backend import TikBackend

__all__ = ["BACKEND", "TikBackend"]

BACKEND = TikBackend()
"""The backend, as `tilelang.backend.find_backend("tik")` returns it."""
