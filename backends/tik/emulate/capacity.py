"""How many bytes of each memory a program holds at most, and the error if there are not so many."""

from dataclasses import dataclass

from tilelang.backends.tik.instructions import (
    BLOCK_BYTES,
    Body,
    ForRange,
    Instruction,
    InstructionProgram,
    Scope,
    Tensor,
    bodies,
)
from tilelang.backends.tik.soc import MEMORIES, find_soc
from tilelang.diagnostics import Diagnostic, Location
from tilelang.ir.region import Memory


@dataclass(frozen=True, slots=True)
class Held:
    """A tensor that lives at the fullest moment, and how many copies of it there are."""

    tensor: Tensor
    n_bytes: int
    copies: int

    @property
    def total(self) -> int:
        """Bytes of all copies."""
        return self.n_bytes * self.copies


def capacity_faults(program: InstructionProgram) -> list[Diagnostic]:
    """Return E1208 for every memory that the program needs more of than the chip has."""
    soc = find_soc(program.soc)
    fullest: dict[Memory, tuple[Held, ...]] = {}
    _visit(program.body, (), 1, fullest)
    faults: list[Diagnostic] = []
    for memory, held in fullest.items():
        limit = soc.machine.capacity[memory]
        total = sum(item.total for item in held)
        if total > limit:
            faults.append(_fault(soc.name, memory, held, total, limit))
    return faults


def tensor_size(tensor: Tensor) -> int:
    """Return the bytes that a tensor takes, whole blocks; 0 if its size is not known."""
    if tensor.max_mem_size is not None:
        n_bytes = tensor.max_mem_size
    else:
        n_bytes = tensor.dtype.n_bytes
        for extent in tensor.shape:
            n_bytes *= extent if isinstance(extent, int) else 0
    return -(-n_bytes // BLOCK_BYTES) * BLOCK_BYTES


def _visit(
    body: Body, live: tuple[Held, ...], copies: int, fullest: dict[Memory, tuple[Held, ...]]
) -> None:
    """Note in `fullest` the tensors at the fullest moment of each memory; `live` lie outside."""
    for instruction in body:
        if isinstance(instruction, Tensor) and instruction.scope is not Scope.GM:
            live = (*live, Held(instruction, tensor_size(instruction), copies))
            _note(MEMORIES[instruction.scope], live, fullest)
        for inner in bodies(instruction):
            _visit(inner, live, copies * _threads(instruction), fullest)


def _note(memory: Memory, live: tuple[Held, ...], fullest: dict[Memory, tuple[Held, ...]]) -> None:
    held = tuple(item for item in live if MEMORIES[item.tensor.scope] is memory)
    if sum(item.total for item in held) > sum(item.total for item in fullest.get(memory, ())):
        fullest[memory] = held


def _threads(instruction: Instruction) -> int:
    return instruction.thread_num if isinstance(instruction, ForRange) else 1


def _fault(soc: str, memory: Memory, held: tuple[Held, ...], total: int, limit: int) -> Diagnostic:
    return Diagnostic(
        "E1208",
        f"{memory} of {soc} has {limit:,} bytes; the tensors that live together need {total:,}",
        _last_place(held),
        hint="use smaller tiles, thread_num=1, or a new_stmt_scope around what is done with",
        details=tuple(_rows(held)),
    )


def _last_place(held: tuple[Held, ...]) -> Location:
    return held[-1].tensor.loc


def _rows(held: tuple[Held, ...]) -> list[str]:
    width = max(len(item.tensor.name) for item in held)
    return [
        f"{item.tensor.name:<{width}} {item.n_bytes:>10,} bytes x {item.copies} = {item.total:>10,}"
        for item in held
    ]
