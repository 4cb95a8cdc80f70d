"""The operator's Python: the TIK program, and an entry that checks what CANN passes."""

from collections.abc import Iterator
from dataclasses import replace

from tilelang.backends.tik.emit import emit
from tilelang.backends.tik.instructions import InstructionProgram
from tilelang.backends.tik.package.operator import Operator


def implementation_text(operator: Operator, lowered: InstructionProgram) -> str:
    """Return `tbe/impl/<op>.py`."""
    script = emit(replace(lowered, name=f"build_{operator.name}"), comments=True)
    script = script.replace(
        "from tbe import tik\n", "from tbe import tik\nfrom tbe.common.utils import para_check\n", 1
    )
    return script + "\n".join(_lines(operator)) + "\n"


def _lines(operator: Operator) -> Iterator[str]:
    names = [argument.name for argument in operator.arguments]
    yield ""
    yield ""
    yield "@para_check.check_op_params("
    yield from ("    para_check.REQUIRED_INPUT," for _ in operator.inputs)
    yield from ("    para_check.REQUIRED_OUTPUT," for _ in operator.outputs)
    yield "    para_check.KERNEL_NAME,"
    yield ")"
    yield f'def {operator.name}({", ".join(names)}, kernel_name="{operator.name}"):'
    yield f'    """Build {operator.type_name} for the one set of shapes it was made for."""'
    for argument in operator.arguments:
        dtype = argument.buffer.dtype.value
        yield f'    _check_tensor({argument.name}, "{argument.name}", {argument.shape}, "{dtype}")'
    yield f"    return build_{operator.name}(kernel_name)"
    yield ""
    yield ""
    yield "def _check_tensor(tensor, name, shape, dtype):"
    yield '    """Raise RuntimeError for a shape or an element type that this is not made for."""'
    yield '    found = (tuple(tensor["shape"]), tensor["dtype"].lower())'
    yield "    if found != (shape, dtype):"
    yield "        raise RuntimeError("
    yield '            "%s is %s %s; this operator takes %s %s"'
    yield "            % (name, found[1], list(found[0]), dtype, list(shape))"
    yield "        )"
