"""The instruction program: what an AI core executes, as a closed union of frozen nodes.

Walk it with `match` and `assert_never`. Scalar parameters are expressions (`Expr`), of which plain
numbers are the simplest. `loc` is the line of the script or kernel; it takes no part in equality.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from tilelang.backends.tik.instructions.control import (
    AtomicAdd,
    Block,
    Branch,
    Exit,
    ExitKind,
    ForRange,
    If,
    InputScalar,
    Scalar,
    ScalarArray,
    ScalarFunction,
    ScalarOp,
    SetScalar,
    StoreElement,
    Sync,
    SyncKind,
    Tensor,
)
from tilelang.backends.tik.instructions.cube import Conv2d, Load2d, Load3d, Matmul, Mmad
from tilelang.backends.tik.instructions.rearrange import (
    Col2Img,
    FieldOp,
    Gather,
    MergeProposals,
    MoveField,
    Rearrangement,
    Scatter,
    SortProposals,
    TransposeChannels,
)
from tilelang.backends.tik.instructions.scalar import (
    Binary,
    BinaryOp,
    Expr,
    Item,
    Load,
    Name,
    Operand,
    Unary,
    UnaryOp,
    add,
    all_of,
    binary,
    calculate,
    multiply,
    unary,
)
from tilelang.backends.tik.instructions.transfer import (
    BroadcastToL0c,
    DataMove,
    DataMovePad,
    Fixpipe,
    TensorMove,
)
from tilelang.backends.tik.instructions.types import (
    BLOCK_BYTES,
    BLOCKS_PER_REPEAT,
    FRACTAL_BYTES,
    Scope,
    TikType,
)
from tilelang.backends.tik.instructions.vector import (
    BitMask,
    Compact,
    Compare,
    CompareToMask,
    Convert,
    Elementwise,
    HighPrecision,
    Lanes,
    LoadCompareMask,
    Mask,
    Reduce,
    Select,
    StoreCompareMask,
    Transpose,
    TransposeBlocks,
    WholeReduce,
)
from tilelang.backends.tik.instructions.vector_ops import (
    FORMS,
    HIGH_PRECISION,
    ROUND_MODES,
    CompareOp,
    Form,
    ReduceOp,
    VectorOp,
    WholeReduceOp,
)
from tilelang.diagnostics import UNKNOWN, Location

Declaration: TypeAlias = Tensor | Scalar | InputScalar | ScalarArray
Control: TypeAlias = ForRange | If | Block | Exit
ScalarWork: TypeAlias = SetScalar | ScalarFunction | StoreElement
Transfer: TypeAlias = DataMove | DataMovePad | TensorMove | BroadcastToL0c | Fixpipe
Cube: TypeAlias = Load2d | Load3d | Mmad | Matmul | Conv2d
Vector: TypeAlias = (
    Elementwise
    | HighPrecision
    | Convert
    | Compare
    | CompareToMask
    | LoadCompareMask
    | StoreCompareMask
    | Select
    | Reduce
    | WholeReduce
    | Compact
    | Transpose
    | TransposeBlocks
    | Rearrangement
)
Work: TypeAlias = Transfer | Cube | Vector
"""The instructions that a pipe other than the scalar one executes."""
Instruction: TypeAlias = Declaration | Control | ScalarWork | Work | Sync | AtomicAdd
Body: TypeAlias = tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class InstructionProgram:
    """A kernel for one chip: what `BuildCCE` was called with, and the instructions before it.

    `soc` is the chip's name as CANN spells it ("Ascend910A"). `inputs`, `outputs` and `flowtable`
    are names of GM tensors and InputScalars.
    """

    name: str
    soc: str
    body: Body
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    flowtable: tuple[str, ...] = ()
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)


def bodies(instruction: Instruction) -> tuple[Body, ...]:
    """Return the bodies inside `instruction`, in the order of the text."""
    match instruction:
        case ForRange(body=body) | Block(body=body):
            return (body,)
        case If(branches, otherwise):
            return (*(branch.body for branch in branches), otherwise or ())
        case _:
            return ()


def walk(body: Body) -> Iterator[Instruction]:
    """Yield every instruction of `body`, outer ones first."""
    for instruction in body:
        yield instruction
        for inner in bodies(instruction):
            yield from walk(inner)


def method_name(work: Work) -> str:
    """Return the name under which messages speak of `work`: its method of `Tik`."""
    match work:
        case Elementwise(op) | Reduce(op) | WholeReduce(op) | MoveField(op):
            return op.value
        case HighPrecision(op):
            return HIGH_PRECISION[op]
        case Compare(op, b=Lanes()):
            return f"vcmpv_{op.value}"
        case Compare(op):
            return f"vcmpvs_{op.value}"
        case CompareToMask(op):
            return f"vcmp_{op.value}"
        case Load2d(dst_gap=gap):
            return "load2dv1" if gap is None else "load2dv2"
        case (
            Convert()
            | LoadCompareMask()
            | StoreCompareMask()
            | Select()
            | Compact()
            | Transpose()
            | TransposeBlocks()
            | Gather()
            | Scatter()
            | SortProposals()
            | MergeProposals()
            | TransposeChannels()
            | Col2Img()
            | DataMove()
            | DataMovePad()
            | TensorMove()
            | BroadcastToL0c()
            | Fixpipe()
            | Load3d()
            | Mmad()
            | Matmul()
            | Conv2d()
        ):
            return _METHOD_NAMES[type(work)]
        case _:
            assert_never(work)


_METHOD_NAMES: dict[type, str] = {
    Convert: "vconv",
    LoadCompareMask: "mov_tensor_to_cmpmask",
    StoreCompareMask: "mov_cmpmask_to_tensor",
    Select: "vsel",
    Compact: "vreduce",
    Transpose: "vec_trans",
    TransposeBlocks: "vnchwconv",
    Gather: "vgather",
    Scatter: "vscatter",
    SortProposals: "vrpsort16",
    MergeProposals: "vmrgsort4",
    TransposeChannels: "v4dtrans",
    Col2Img: "col2img",
    DataMove: "data_move",
    DataMovePad: "data_move_pad",
    TensorMove: "tensor_mov",
    BroadcastToL0c: "broadcast_ub_to_l0c",
    Fixpipe: "fixpipe",
    Load3d: "load3dv1",
    Mmad: "mmad",
    Matmul: "matmul",
    Conv2d: "conv2d",
}

__all__ = [
    "BLOCKS_PER_REPEAT", "BLOCK_BYTES", "FORMS", "FRACTAL_BYTES", "HIGH_PRECISION", "ROUND_MODES",
    "AtomicAdd", "Binary", "BinaryOp", "BitMask", "Block", "Body", "Branch", "BroadcastToL0c",
    "Col2Img", "Compact", "Compare", "CompareOp", "CompareToMask", "Control", "Conv2d",
    "Convert", "Cube", "DataMove", "DataMovePad", "Declaration", "Elementwise", "Exit", "ExitKind",
    "Expr", "FieldOp", "Fixpipe", "ForRange", "Form", "Gather", "HighPrecision", "If",
    "InputScalar", "Instruction", "InstructionProgram", "Item", "Lanes", "Load", "Load2d",
    "Load3d", "LoadCompareMask", "Mask", "Matmul", "MergeProposals", "Mmad", "MoveField", "Name",
    "Operand", "Rearrangement", "Reduce", "ReduceOp", "Scalar", "ScalarArray", "ScalarFunction",
    "ScalarOp", "ScalarWork", "Scatter", "Scope", "Select", "SetScalar", "SortProposals",
    "StoreCompareMask", "StoreElement", "Sync", "SyncKind", "Tensor", "TensorMove", "TikType",
    "Transfer", "Transpose", "TransposeBlocks", "TransposeChannels", "Unary", "UnaryOp", "Vector",
    "VectorOp", "WholeReduce", "WholeReduceOp", "Work", "add", "all_of", "binary", "bodies",
    "calculate", "method_name", "multiply", "unary", "walk",
]  # fmt: skip
