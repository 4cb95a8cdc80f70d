"""Writes instruction programs as TIK scripts, for CANN and for people.

Recording the text gives back an equal program: `record_source(emit(program), program.name)`.
"""

from collections.abc import Iterator, Sequence

from tilelang.backends.tik.emit.expression import Texts
from tilelang.backends.tik.emit.names import constants_of, views_of
from tilelang.backends.tik.emit.structure import body_lines
from tilelang.backends.tik.instructions import InstructionProgram

__all__ = ["emit"]


def emit(*programs: InstructionProgram, comments: bool = False) -> str:
    """Return the text of a script with a function for each program, called as the program is.

    With `comments` the lines that the instructions come from (their `loc`) stand above them.
    Several programs are kernels of one chip that run in this order; their constants agree.
    """
    return "\n".join(_lines(programs, comments=comments)) + "\n"


def _lines(programs: Sequence[InstructionProgram], *, comments: bool) -> Iterator[str]:
    yield from _title(programs)
    yield ""
    yield "from tbe import tik"
    yield ""
    constants = constants_of(programs)
    if constants:
        yield from (f"{name} = {value}" for name, value in constants.items())
        yield ""
    for program in programs:
        yield ""
        yield f'def {program.name}(kernel_name="{program.name}"):'
        yield f'    """Build {_signature(program)}."""'
        yield "    tik_instance = tik.Tik()"
        texts = Texts(program, constants, views_of(program, constants))
        yield from (f"    {line}" for line in body_lines(program, texts, comments=comments))
        yield from (f"    {line}" for line in _build_lines(program))
        yield "    return tik_instance"
        if program is not programs[-1]:
            yield ""


def _title(programs: Sequence[InstructionProgram]) -> Iterator[str]:
    first = programs[0]
    if len(programs) == 1:
        yield f'"""{first.name}: an AI core program for {first.soc}, in TIK."""'
        return
    names = ", ".join(program.name for program in programs)
    yield f'"""{names}: AI core programs for {first.soc}, in TIK.'
    yield ""
    yield "They run in this order on one stream: what one leaves in GM another takes, by name."
    yield '"""'


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
