"""One stage as one Triton kernel: its parameters, its lines, and how it is launched."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

from tilelang.backends.triton.blocks import Body, Dot, Fetch, For, Put
from tilelang.backends.triton.descriptors import Descriptor, find_box
from tilelang.backends.triton.dtype_text import Types, variable
from tilelang.backends.triton.functions import Functions
from tilelang.backends.triton.grid import grid_lines, tile_loop
from tilelang.backends.triton.memory_text import MemoryText
from tilelang.backends.triton.names import Names, safe
from tilelang.backends.triton.options import Options
from tilelang.backends.triton.pipelining import (
    RESERVED_BYTES,
    Pipelining,
    choose_warps,
    stored_bytes,
)
from tilelang.backends.triton.step_text import INDENT, Comments, StepText
from tilelang.backends.triton.walk import tensors_touched, tiles_set, walk
from tilelang.dtypes import DType
from tilelang.ir import condition as cond
from tilelang.ir.nodes import Stage
from tilelang.ir.region import Buffer, Memory
from tilelang.machines import Machine

LEAST_REUSE = 8
"""Tiles from which on it pays to copy an operand whose rows start at any byte."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A Triton kernel: its text, its parameters in order, and the launch that it is made for.

    `parameters` maps names to tensors (pointers) or descriptors. `n_programs` blocks are launched.
    """

    name: str
    text: tuple[str, ...]
    parameters: tuple[tuple[str, Buffer | Descriptor], ...]
    n_programs: int
    n_warps: int
    fuses: bool
    """Whether multiplication and addition may round once: only where no user wrote both."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What all kernels of a file share.

    `inputs` names the tensors that nobody writes, which the launcher may copy.
    """

    options: Options
    machine: Machine
    inputs: frozenset[str]
    functions: Functions


def write_kernel(name: str, stage: Stage, body: Body, setting: Setting) -> Kernel:
    """Return the kernel called `name` that runs `body` for every core of `stage`."""
    options, n_cores = setting.options, prod(core.extent for core in stage.grid)
    parameters = _parameters(body, setting, n_cores)
    pipelining, persistent = _pipelining(body, setting, n_cores)
    writer = StepText(
        _memory_text(stage, body, parameters, Types(setting.functions, widens=options.interpreter)),
        setting.functions,
        pipelining,
        stage.limits,
        options.allow_tf32,
        Comments(),
    )
    lines = list(_lines(stage, body, writer, persistent=persistent))
    return Kernel(
        name,
        (
            "@triton.jit",
            f"def {safe(name)}({', '.join(parameters)}):",
            *_indented(writer.memory.names, lines),
        ),
        tuple(parameters.items()),
        min(n_cores, setting.machine.n_cores) if persistent else n_cores,
        options.num_warps or choose_warps(body, uses_pointers=_uses_pointers(parameters)),
        fuses=_multiplies_in_full(body, options),
    )


def _uses_pointers(parameters: Mapping[str, Buffer | Descriptor]) -> bool:
    """Return whether a matrix is loaded or stored by pointers, which take registers."""
    return any(isinstance(one, Buffer) and one.rank > 1 for one in parameters.values())


def _memory_text(
    stage: Stage, body: Body, parameters: Mapping[str, Buffer | Descriptor], types: Types
) -> MemoryText:
    loops = [step.var for step in walk(body) if isinstance(step, For)]
    variables = {var: safe(var) for var in (*(core.var for core in stage.grid), *loops)}
    names = Names()
    names.reserve([*parameters, *variables, *(t.name for s in walk(body) for t in tiles_set(s))])
    called = {one: name for name, one in parameters.items() if isinstance(one, Descriptor)}
    return MemoryText(names, variables, called, types)


def _products(body: Body) -> list[Dot]:
    return [step for step in walk(body) if isinstance(step, Dot)]


def _lines(stage: Stage, body: Body, writer: StepText, *, persistent: bool) -> Iterator[str]:
    """Yield the lines of the kernel below the definitions of its lanes."""
    yield from writer.comments.before(stage.loc)
    if persistent:
        yield from tile_loop(stage.grid)
    grid = [replace(core, extent=max(core.extent, 1)) for core in stage.grid]  # 0: never launched
    decode = grid_lines(grid, grouped=bool(_products(body)), is_loop=persistent)
    for line in (*decode, *writer.body(body)):
        yield f"{INDENT}{line}" if persistent else line


def _indented(names: Names, lines: Sequence[str]) -> tuple[str, ...]:
    lanes = [f"{name} = {text}" for name, text in sorted(names.lanes.items())]
    return tuple(f"{INDENT}{line}" for line in (*lanes, *lines))


def _parameters(body: Body, setting: Setting, n_cores: int) -> dict[str, Buffer | Descriptor]:
    """Return what the kernel takes, by name: tensors that need pointers, and descriptors.

    Descriptors are for the tensor cores, which read shared memory as the copy engine leaves it.
    Other kernels load straight to registers; and float32 multiplied in full takes twice the
    registers, and spills them, if it reads what the copy engine wrote (compiled for sm_90).
    """
    boxes: dict[Descriptor, None] = {}
    plain: set[str] = set()
    multiplied = {
        tile for dot in _products(body) for tile in (*dot.a.slot.tiles, *dot.b.slot.tiles)
    }
    in_full = _multiplies_in_full(body, setting.options)
    use_descriptors = bool(multiplied) and setting.options.descriptors and not in_full
    for step in walk(body):
        if isinstance(step, Fetch | Put):
            box = None
            if use_descriptors and not _is_shared(step, body):
                is_operand = not multiplied.isdisjoint(tiles_set(step)) and n_cores >= LEAST_REUSE
                may_copy = is_operand and step.place.tensor.name in setting.inputs
                pad = step.pad if isinstance(step, Fetch) else 0
                box = find_box(step.place, pad, may_copy=may_copy)
            if box:
                boxes[box.descriptor] = None
            elif step.place.valid != cond.FALSE:
                plain.add(step.place.tensor.name)
    return _named(body, tuple(boxes), plain)


def _named(
    body: Body, boxes: tuple[Descriptor, ...], plain: set[str]
) -> dict[str, Buffer | Descriptor]:
    parameters: dict[str, Buffer | Descriptor] = {}
    for tensor in tensors_touched(body):
        name = variable(tensor.name)
        if tensor.name in plain:
            parameters[name] = tensor
        own = [descriptor for descriptor in boxes if descriptor.tensor == tensor]
        for descriptor in own:
            size = "x".join(map(str, descriptor.block))
            parameters[f"{name}_tiles" if len(own) == 1 else f"{name}_tiles_{size}"] = descriptor
    return parameters


def _multiplies_in_full(body: Body, options: Options) -> bool:
    """Return whether float32 is multiplied outside the tensor cores."""
    return not options.allow_tf32 and any(d.a.dtype is DType.FLOAT32 for d in _products(body))


def _is_shared(step: Fetch | Put, body: Body) -> bool:
    """Return whether the tensor of `step` is both loaded and stored by this kernel."""
    name = step.place.tensor.name
    accesses = [one for one in walk(body) if isinstance(one, Fetch | Put)]
    return len({type(one) for one in accesses if one.place.tensor.name == name}) > 1


def _pipelining(body: Body, setting: Setting, n_cores: int) -> tuple[Pipelining, bool]:
    """Return how loops are pipelined, and whether each block goes through several tiles.

    A tile is stored through shared memory; not every Triton (3.6) uses that of the loop again, and
    a block that goes on to another tile cannot.
    """
    options, machine = setting.options, setting.machine
    room = machine.capacity[Memory.L1] - RESERVED_BYTES - stored_bytes(body)
    wanted = options.persistent
    if wanted is None:
        wanted = bool(_products(body))
    pipelining = Pipelining(max(room, 0), options.num_stages)
    return pipelining, wanted and n_cores > machine.n_cores
