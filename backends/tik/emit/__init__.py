"""Writes instruction programs as TIK scripts, for CANN and for people.

Recording the text gives back an equal program: `record_source(emit(program), program.name)`.
"""

from collections.abc import Iterator

from tilelang.backends.tik.emit.structure import body_lines
from tilelang.backends.tik.instructions import InstructionProgram

__all__ = ["emit"]


def emit(program: InstructionProgram, *, comments: bool = False) -> str:
    """Return the text of a script with one function, called as the program is.

    With `comments` the lines that the instructions come from (their `loc`) stand above them.
    """
    return "\n".join(_lines(program, comments=comments)) + "\n"


def _lines(program: InstructionProgram, *, comments: bool) -> Iterator[str]:
    yield f'"""{program.name}: an AI core program for {program.soc}, in TIK."""'
    yield ""
    yield "from tbe import tik"
    yield ""
    if program.constants:
        yield from (f"{name} = {value}" for name, value in program.constants)
        yield ""
    yield ""
    yield f'def {program.name}(kernel_name="{program.name}"):'
    yield f'    """Build {_signature(program)}."""'
    yield "    tik_instance = tik.Tik()"
    yield from (f"    {line}" for line in body_lines(program, comments=comments))
    yield from (f"    {line}" for line in _build_lines(program))
    yield "    return tik_instance"


def _signature(program: InstructionProgram) -> str:
    return f"({', '.join(program.inputs)}) -> ({', '.join(program.outputs)})"


def _build_lines(program: InstructionProgram) -> Iterator[str]:
    yield "tik_instance.BuildCCE("
    yield "    kernel_name=kernel_name,"
    yield f"    inputs=[{', '.join(program.inputs)}],"
    yield f"    outputs=[{', '.join(program.outputs)}],"
    if program.flowtable:
        yield f"    flowtable=[{', '.join(program.flowtable)}],"
    yield ")"
