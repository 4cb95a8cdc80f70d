"""The generated file: kernels, the functions they use, and a launcher for CUDA tensors."""

from collections.abc import Iterator, Sequence
from math import prod

from tilelang.backends.triton.descriptors import Descriptor
from tilelang.backends.triton.dtype_text import shape_text, variable
from tilelang.backends.triton.functions import Functions
from tilelang.backends.triton.kernel import Kernel
from tilelang.backends.triton.names import safe
from tilelang.ir.nodes import Program
from tilelang.ir.region import Buffer
from tilelang.layouts import LayoutKind

WITH_PITCH = '''\
def with_pitch(x, pitch):
    """Copy `x` with `pitch` elements from row to row, so that each starts at 16 bytes."""
    wide = x.new_empty((*x.shape[:-1], pitch))
    wide[..., : x.shape[-1]] = x
    return wide'''


def module_text(program: Program, kernels: Sequence[Kernel], functions: Functions) -> str:
    """Return the file; `launch` in it takes the inputs, then the results."""
    sections = ["\n".join(_head(program, kernels))]
    sections += [text.rstrip("\n") for text in functions.texts]
    if _copies(kernels):
        sections.append(WITH_PITCH)
    sections += ["\n".join(kernel.text) for kernel in kernels]
    sections.append("\n".join(_launcher(program, kernels)))
    return "\n\n\n".join(sections) + "\n"


def scratch_of(program: Program, kernels: Sequence[Kernel]) -> tuple[Buffer, ...]:
    """Return the tensors that kernels need beside those of the program, in order of first use."""
    known = {t.name for t in (*program.inputs, *program.results, *program.workspaces)}
    found = [_tensor(one) for kernel in kernels for _, one in kernel.parameters]
    return tuple(dict.fromkeys(tensor for tensor in found if tensor.name not in known))


def _tensor(parameter: Buffer | Descriptor) -> Buffer:
    return parameter.tensor if isinstance(parameter, Descriptor) else parameter


def _head(program: Program, kernels: Sequence[Kernel]) -> Iterator[str]:
    inputs, results = (
        ", ".join(f"{buffer.name}: {_described(buffer)}" for buffer in buffers)
        for buffers in (program.inputs, program.results)
    )
    values = ", ".join(f"{name}={value}" for name, value in (*program.attributes, *program.tiles))
    yield f'"""Triton kernels of `{program.name}`, made by tilelang-tik for exactly these sizes.'
    yield ""
    yield f"{inputs} -> {results}" if inputs else f"-> {results}"
    if values:
        yield f"with {values}"
    yield '"""'
    yield ""
    yield "import triton"
    yield "import triton.language as tl"
    if any(isinstance(one, Descriptor) for kernel in kernels for _, one in kernel.parameters):
        yield "from triton.tools.tensor_descriptor import TensorDescriptor"


def _described(buffer: Buffer) -> str:
    kind = "" if buffer.layout.kind is LayoutKind.ND else f" @ {buffer.layout}"
    return f"{buffer}{kind}"


def _launcher(program: Program, kernels: Sequence[Kernel]) -> Iterator[str]:
    tensors = [variable(buffer.name) for buffer in (*program.inputs, *program.results)]
    scratch = (*program.workspaces, *scratch_of(program, kernels))
    optional = "".join(f", {variable(buffer.name)}=None" for buffer in scratch)
    yield f"def launch({', '.join(tensors)}{', *' if scratch else ''}{optional}):"
    results = " and ".join(f"`{buffer.name}`" for buffer in program.results)
    yield f'    """Fill {results} on the GPU; every tensor is contiguous, in its physical form."""'
    for buffer in scratch:
        yield from _workspace(buffer, tensors[0])
    for buffer in program.results:
        if buffer.layout.kind is not LayoutKind.ND:
            yield f"    {variable(buffer.name)}.zero_()  # the padding of its layout"
    for descriptor in _copies(kernels):
        name = variable(descriptor.tensor.name)
        yield f"    {name}_wide = with_pitch({name}, {descriptor.pitch})"
    for kernel in kernels:
        if kernel.n_programs:
            yield from _call(kernel)
    if not any(kernel.n_programs for kernel in kernels):
        yield "    pass"


def _workspace(buffer: Buffer, like: str) -> Iterator[str]:
    name, shape = variable(buffer.name), buffer.layout.physical_shape(buffer.shape)
    yield f"    if {name} is None:"
    yield "        import torch"
    yield ""
    kind = f"dtype=torch.{buffer.dtype}, device={like}.device"
    yield f"        {name} = torch.empty({shape_text(shape)}, {kind})"


def _call(kernel: Kernel) -> Iterator[str]:
    yield f"    {safe(kernel.name)}[({kernel.n_programs},)]("
    for _, parameter in kernel.parameters:
        yield f"        {_argument(parameter)},"
    yield f"        num_warps={kernel.n_warps},"
    if not kernel.fuses:
        yield "        enable_fp_fusion=False,  # every operation rounds, as it is written"
    yield "    )"


def _argument(parameter: Buffer | Descriptor) -> str:
    match parameter:
        case Descriptor(tensor, block, pitch):
            sizes = list(tensor.shape)
            rows = [*sizes[:-1], pitch]
            strides = [prod(rows[axis + 1 :]) for axis in range(len(rows))]
            name = f"{variable(tensor.name)}{'_wide' if parameter.is_copied else ''}"
            return f"TensorDescriptor({name}, {sizes}, {strides}, {list(block)})"
        case _:
            return variable(parameter.name)


def _copies(kernels: Sequence[Kernel]) -> list[Descriptor]:
    """Return a descriptor for each tensor that the launcher copies."""
    found = [one for kernel in kernels for _, one in kernel.parameters]
    copied = [one for one in found if isinstance(one, Descriptor) and one.is_copied]
    return list({one.tensor.name: one for one in copied}.values())
