"""Ascend TIK: instruction programs, TIK text in and out, and an emulator of the core.

* `instructions`: the nodes of an `InstructionProgram`.
* `recorder`: `record(entry, ...)` and `record_source(text, entry, ...)` turn a TIK script into one.
* `shims`: `installed()` lets scripts import `te.tik`, `tbe.tik` and their companions.
* `emit`: `emit(program)` writes one as a TIK script; recording the script gives it back.
* `emulate`: `emulate(program, feed)` executes one strictly with numpy.
* `soc`: chips by CANN's names, and their machine descriptions.
"""
