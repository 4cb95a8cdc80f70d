"""The LLVM module of a program: one function a stage, and one that runs them all.

A stage is `void @stage_n(ptr arrays, i64 first, i64 last, ptr scratch)`: it runs the cores
`first .. last - 1` of its grid, numbered row-major. `arrays` holds the addresses of the inputs, the
results and the workspaces, in this order. Who runs which cores is the pool's business.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from tilelang.backends.llvm.choose_forms import choose_forms
from tilelang.backends.llvm.code import Code
from tilelang.backends.llvm.convolution.windows import Windows, find_windows
from tilelang.backends.llvm.form import Form
from tilelang.backends.llvm.frame import Frame, Place
from tilelang.backends.llvm.memory import ScratchPlan, plan_scratch, room_for
from tilelang.backends.llvm.runtime.host import Host
from tilelang.backends.llvm.statements import emit_body
from tilelang.ir import index as ix
from tilelang.ir.nodes import Program, Stage
from tilelang.ir.region import Buffer
from tilelang.ir.source_index import unravel

RUN = "run"
"""The function that runs a program: `void (ptr arrays, ptr scratch, ptr pool, i64 stride)`."""


@dataclass(frozen=True, slots=True)
class Module:
    """The text of a module, and the memory that its functions want."""

    text: str
    n_scratch_bytes: int
    """Of each thread."""
    workspace_bytes: tuple[int, ...]
    """Of each workspace, which all threads share."""
    n_cores: int
    """Cores of the largest grid: more threads than that are of no use."""


def generate(program: Program, host: Host) -> Module:
    """Return the module of a lowered program."""
    windows = find_windows(program, host)
    forms = choose_forms(program, host, windows)
    arrays = (*program.inputs, *program.results, *program.workspaces)
    plans = [plan_scratch(stage.body, forms) for stage in program.stages]
    functions = [
        _Function(
            f"stage_{number}", stage, _stage_code(stage, arrays, host, (forms, plan, windows))
        )
        for number, (stage, plan) in enumerate(zip(program.stages, plans, strict=True))
    ]
    return Module(
        text="\n".join(_lines(program.name, host, functions)) + "\n",
        n_scratch_bytes=max((plan.n_bytes for plan in plans), default=0),
        workspace_bytes=tuple(room_for(forms[buffer.name]) for buffer in program.workspaces),
        n_cores=max((_n_cores(stage) for stage in program.stages), default=1),
    )


@dataclass(frozen=True, slots=True)
class _Function:
    name: str
    stage: Stage
    code: Code


def _lines(name: str, host: Host, functions: Sequence[_Function]) -> Iterator[str]:
    yield f"; kernel {name}, for {host.cpu}"
    yield f'target triple = "{host.triple}"'
    yield ""
    declared = dict.fromkeys(line for function in functions for line in function.code.declared)
    yield from declared
    for function in functions:
        yield ""
        yield f"define void @{function.name}({_PARAMETERS}) nounwind {{"
        yield from function.code.lines()
        yield "}"
    yield ""
    yield from _run_lines(functions)


_PARAMETERS = "ptr noalias %arrays, i64 %first, i64 %last, ptr noalias %scratch"


def _run_lines(functions: Sequence[_Function]) -> Iterator[str]:
    """Yield the function that runs every stage: itself, or by way of the pool's first entry."""
    yield f"define void @{RUN}(ptr %arrays, ptr %scratch, ptr %pool, i64 %stride) nounwind {{"
    yield "  %alone = icmp eq ptr %pool, null"
    yield "  br i1 %alone, label %one, label %many"
    yield "one:"
    for function in functions:
        n_cores = _n_cores(function.stage)
        yield f"  call void @{function.name}(ptr %arrays, i64 0, i64 {n_cores}, ptr %scratch)"
    yield "  ret void"
    yield "many:"
    yield "  %share = load ptr, ptr %pool"
    for function in functions:
        job = f"ptr @{function.name}, i64 {_n_cores(function.stage)}"
        yield f"  call void %share(ptr %pool, {job}, ptr %arrays, ptr %scratch, i64 %stride)"
    yield "  ret void"
    yield "}"


def _stage_code(
    stage: Stage,
    arrays: Sequence[Buffer],
    host: Host,
    memory: tuple[Mapping[str, Form], ScratchPlan, Windows],
) -> Code:
    forms, plan, windows = memory
    code = Code()
    places = {
        buffer.name: Place(_array_pointer(code, number), forms[buffer.name])
        for number, buffer in enumerate(arrays)
    }
    for name, start in plan.starts.items():
        pointer = code.pure(f"getelementptr inbounds i8, ptr %scratch, i64 {start}")
        places[name] = Place(pointer, forms[name])
    frame = Frame(code, host, places, windows)
    with code.loop("%first", "%last") as loop:
        _bind_cores(frame, stage, loop.index)
        emit_body(frame, stage.body)
    code.do("ret void")
    return code


def _array_pointer(code: Code, number: int) -> str:
    slot = code.pure(f"getelementptr inbounds ptr, ptr %arrays, i64 {number}")
    return code.let(f"load ptr, ptr {slot}")


def _bind_cores(frame: Frame, stage: Stage, core: str) -> None:
    """Give the grid's variables their values at the core with this number."""
    frame.bind("$core", core, 0, _n_cores(stage) - 1)
    extents = [part.extent for part in stage.grid]
    for part, index in zip(stage.grid, unravel(ix.variable("$core"), extents), strict=False):
        value = frame.number(index)
        frame.bind(part.var, str(value), 0, part.extent - 1)


def _n_cores(stage: Stage) -> int:
    return prod(part.extent for part in stage.grid)
