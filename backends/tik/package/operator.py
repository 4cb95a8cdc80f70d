"""What an operator is called, takes and gives, in CANN's words."""

from dataclasses import dataclass

from tilelang.backends.tik.instructions import InstructionProgram
from tilelang.dtypes import DType
from tilelang.ir.nodes import Program
from tilelang.ir.region import Buffer
from tilelang.layouts import LayoutKind

_DTYPES = {
    DType.FLOAT16: ("float16", "DT_FLOAT16"),
    DType.FLOAT32: ("float", "DT_FLOAT"),
    DType.INT8: ("int8", "DT_INT8"),
    DType.UINT8: ("uint8", "DT_UINT8"),
    DType.INT32: ("int32", "DT_INT32"),
    DType.BFLOAT16: ("bfloat16", "DT_BF16"),
}
"""The names of element types in .ini files and in prototypes."""
_FORMATS = {
    LayoutKind.NZ: "FRACTAL_NZ",
    LayoutKind.NC1HWC0: "NC1HWC0",
    LayoutKind.FRACTAL_Z: "FRACTAL_Z",
}


@dataclass(frozen=True, slots=True)
class Argument:
    """A tensor of the operator: its name in the script, its physical shape, its kernel's buffer."""

    name: str
    buffer: Buffer

    @property
    def shape(self) -> tuple[int, ...]:
        """The physical shape."""
        return self.buffer.layout.physical_shape(self.buffer.shape) or (1,)

    @property
    def info_dtype(self) -> str:
        """The element type as .ini files have it."""
        return _DTYPES[self.buffer.dtype][0]

    @property
    def graph_dtype(self) -> str:
        """The element type as prototypes have it."""
        return _DTYPES[self.buffer.dtype][1]

    @property
    def format(self) -> str:
        """The layout; everything that CANN has no word for is ND."""
        return _FORMATS.get(self.buffer.layout.kind, "ND")


@dataclass(frozen=True, slots=True)
class Operator:
    """One custom operator of fixed shapes."""

    name: str
    """In Python and in file names: `gemm_bias_relu`."""
    inputs: tuple[Argument, ...]
    outputs: tuple[Argument, ...]
    chip: str
    """The folder of the chip: `ascend910`."""

    @property
    def type_name(self) -> str:
        """In graphs: `GemmBiasRelu`."""
        return "".join(word.capitalize() for word in self.name.split("_"))

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """Inputs, then outputs."""
        return (*self.inputs, *self.outputs)


def operator_of(program: Program, lowered: InstructionProgram, chip: str) -> Operator:
    """Return the operator that `lowered`, made from `program`, is."""
    inputs = zip(lowered.inputs, program.inputs, strict=True)
    outputs = zip(lowered.outputs, program.results, strict=True)
    return Operator(
        program.name,
        tuple(Argument(name, buffer) for name, buffer in inputs),
        tuple(Argument(name, buffer) for name, buffer in outputs),
        chip,
    )
