"""Buffers in the text form: the tensors of the first line, and allocations."""

from tilelang.diagnostics import Location, TileError
from tilelang.dtypes import ELEMENT_TYPES, DType, find_dtype
from tilelang.ir.region import Buffer, Memory
from tilelang.layouts import ND, Layout, LayoutKind, layout_for
from tilelang.text.calls import called_function, read_arguments
from tilelang.text.dimension import evaluate_dim, read_dim
from tilelang.text.index_reader import read_whole
from tilelang.text.scope import Scope
from tilelang.text.signature_rules import tensor_faults
from tilelang.text.syntax import Node

_DTYPES = [dtype.value for dtype in ELEMENT_TYPES]
_LAYOUTS = {kind.value for kind in LayoutKind}
_MEMORIES = {f"alloc_{memory.value}": memory for memory in Memory}


def read_tensor(node: Node, scope: Scope) -> Buffer:
    """Return the tensor of the first line that `node` writes."""
    faults = list(tensor_faults(node, scope.source))
    if faults:
        raise TileError(*faults)
    name, *parts = node.children
    shape = tuple(_read_size(part, scope) for part in parts if part.kind.startswith("dim_"))
    dtype = _read_dtype(node, scope)
    layout = read_layout(node.child("layout_part"), name.text, (dtype, len(shape)), scope)
    location = scope.source.place(node.span)
    return Buffer(name.text, Memory.GM, dtype, shape, layout, location)


def is_allocation(node: Node) -> bool:
    """Return whether `node` writes a call of `alloc_l1` or its like, known or not."""
    function = called_function(node)
    return function is not None and function.text.startswith("alloc")


def read_allocation(
    name: Node, call: Node, layout: Node | None, location: Location, scope: Scope
) -> Buffer:
    """Return the buffer of `name = alloc_l1([128, 64], float16) @ NZ`."""
    function = call.children[0]
    if function.text not in _MEMORIES:
        raise scope.unknown("E0505", "memory", function, _MEMORIES)
    arguments = read_arguments(call, scope, ["shape", "dtype"])
    shape = _read_shape(arguments["shape"], scope)
    dtype = find_dtype(arguments["dtype"].text)
    if dtype is None:
        raise scope.unknown("E0505", "dtype", arguments["dtype"], _DTYPES)
    buffer_layout = read_layout(layout, name.text, (dtype, len(shape)), scope)
    return Buffer(name.text, _MEMORIES[function.text], dtype, shape, buffer_layout, location)


def read_layout(node: Node | None, name: str, form: tuple[DType, int], scope: Scope) -> Layout:
    """Return the layout that `@ NZ` or `@ NZ(16)` writes, ND if there is no `node`.

    `form` is the dtype and the number of dimensions of the buffer called `name`.
    """
    if node is None:
        return ND
    kind, *width = node.children[0].children
    if kind.text not in _LAYOUTS:
        raise scope.unknown("E0205", "layout", kind, _LAYOUTS)
    dtype, n_dims = form
    layout = layout_for(LayoutKind(kind.text), dtype)
    if layout.logical_rank > n_dims:
        message = f"{layout} orders {layout.logical_rank} dimensions, and `{name}` has {n_dims}"
        raise scope.error("E0206", message, node, hint=f"give the logical shape of `{name}`")
    return Layout(layout.kind, int(width[0].text)) if width else layout


def _read_shape(node: Node, scope: Scope) -> tuple[int, ...]:
    if node.kind != "list":
        message = f"`{scope.source.shown(node)}` stands where a shape is wanted"
        raise scope.error("E0507", message, node, hint="write it as `[128, 64]`")
    return tuple(read_whole(size, scope, least=0) for size in node.children)


def _read_size(node: Node, scope: Scope) -> int:
    try:
        size = evaluate_dim(read_dim(node), {})
    except KeyError as missing:
        message = f"the size `{missing.args[0]}` has a name, and a program has numbers for sizes"
        raise scope.error("E0512", message, node, hint="write the number") from None
    except ZeroDivisionError:
        raise scope.error("E0512", "a size is divided by 0", node, hint="write the size") from None
    if size < 0:
        message = f"the size is {size}, and a size is 0 or more"
        raise scope.error("E0512", message, node, hint="write a number of 0 or more")
    return size


def _read_dtype(tensor: Node, scope: Scope) -> DType:
    part = tensor.child("dtype_part")
    if part is None:
        message = f"`{tensor.children[0].text}` has no dtype, and a program says each"
        hint = f"write one, as in `{tensor.children[0].text}[...]: float16`"
        raise scope.error("E0512", message, tensor, hint=hint)
    dtype = find_dtype(part.children[0].text)
    if dtype is None:
        text = scope.source.shown(part.children[0])
        message = f"`{text}` is not one dtype, and a program says which it is"
        hint = f"use one of: {', '.join(_DTYPES)}"
        raise scope.error("E0512", message, part.children[0], hint=hint)
    return dtype
