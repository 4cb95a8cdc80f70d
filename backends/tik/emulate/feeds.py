"""The arguments of a run: fed arrays become GM tensors, GM tensors become results."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tilelang.backends.tik.emulate.control import tensor_bytes
from tilelang.backends.tik.emulate.memory import NEVER_WRITTEN
from tilelang.backends.tik.emulate.numeric import shadow_ids, spread_ids
from tilelang.backends.tik.emulate.scalars import fit
from tilelang.backends.tik.emulate.state import State, number
from tilelang.backends.tik.instructions import (
    InputScalar,
    InstructionProgram,
    Scope,
    Tensor,
)
from tilelang.diagnostics import Diagnostic, TileError

_DYNAMIC_ELEMENTS = 1 << 28
"""A GM tensor declared this long or longer has any length (dynamic-shape kernels: 2**31 - 1)."""

Array = npt.NDArray[Any]


def bind_feeds(program: InstructionProgram, feed: Mapping[str, object], state: State) -> None:
    """Create the GM tensors and InputScalars of `program` from `feed`.

    Raises:
        TileError: E1211 for missing or unknown names, other shapes, other dtypes.
    """
    tensors = {
        item.name: item
        for item in program.body
        if isinstance(item, Tensor) and item.scope is Scope.GM
    }
    scalars = {item.name: item for item in program.body if isinstance(item, InputScalar)}
    wanted = [*program.inputs, *program.flowtable]
    _check_names(program, wanted, feed)
    for name in scalars.keys() & feed.keys():
        value = np.asarray(feed[name]).item()
        state.variables[name] = fit(value, scalars[name].dtype)
        state.types[name] = scalars[name].dtype
    for name, tensor in tensors.items():
        if name in feed:
            _feed_tensor(tensor, feed[name], state)
        else:
            _empty_tensor(tensor, state)


def collect_outputs(
    program: InstructionProgram, feed: Mapping[str, object], state: State
) -> dict[str, Array]:
    """Return the outputs by name, in the order of `BuildCCE`, in the declared shapes."""
    return {name: _output(state, name, feed) for name in program.outputs}


def _check_names(
    program: InstructionProgram, wanted: Sequence[str], feed: Mapping[str, object]
) -> None:
    missing = [name for name in wanted if name not in feed]
    unknown = [name for name in feed if name not in wanted and name not in program.outputs]
    problems = [f"`{name}` is not fed" for name in missing]
    problems += [f"`{name}` is fed, but is no input" for name in unknown]
    if problems:
        hint = f"feed: {', '.join(wanted) or 'nothing'}"
        raise TileError(
            *(Diagnostic("E1211", f"{program.name}: {text}", hint=hint) for text in problems)
        )


def with_mask(state: State, name: str, array: Array) -> Array:
    """Return the output `name` as a masked array: masked where it is undefined."""
    buffer = state.buffers[name]
    undefined = shadow_ids(buffer.shadow[: buffer.n_bytes], array.itemsize) != 0
    return np.ma.array(array, mask=undefined.reshape(array.shape))


def _feed_tensor(tensor: Tensor, value: object, state: State) -> None:
    array = np.asarray(value)
    declared = number(tensor_bytes(tensor, state)()) // tensor.dtype.n_bytes
    is_fixed = all(isinstance(extent, int) for extent in tensor.shape)
    if array.dtype != tensor.dtype.numpy:
        raise TileError(_mismatch(tensor, f"{array.dtype}", f"{tensor.dtype}"))
    if is_fixed and declared < _DYNAMIC_ELEMENTS and array.size != declared:
        raise TileError(_mismatch(tensor, f"{array.size:,} elements", f"{declared:,}"))
    buffer = state.add_buffer(tensor, array.nbytes)
    buffer.fill(array)
    if np.ma.isMaskedArray(value):
        undefined = np.ma.getmaskarray(np.ma.asarray(value)).reshape(-1)
        ids = undefined.astype(np.uint8) * NEVER_WRITTEN
        buffer.shadow[: array.nbytes] = spread_ids(ids, array.itemsize)


def _mismatch(tensor: Tensor, found: str, wanted: str) -> Diagnostic:
    message = f"the array fed for `{tensor.name}` has {found}; the kernel declares {wanted}"
    shape = ", ".join(str(extent) if isinstance(extent, int) else "?" for extent in tensor.shape)
    hint = f"feed an array {tensor.dtype}[{shape}]"
    return Diagnostic("E1211", message, tensor.loc, hint=hint)


def _empty_tensor(tensor: Tensor, state: State) -> None:
    n_bytes = number(tensor_bytes(tensor, state)())
    if n_bytes >= _DYNAMIC_ELEMENTS:
        message = f"`{tensor.name}` has a dynamic size, so its length must be fed"
        hint = f"feed an array for {tensor.name!r} too: an output's length is read from it"
        raise TileError(Diagnostic("E1211", message, tensor.loc, hint=hint))
    buffer = state.add_buffer(tensor, n_bytes)
    if tensor.init_value is not None:
        buffer.fill(np.array(tensor.init_value).astype(tensor.dtype.numpy))
    elif tensor.is_atomic_add:
        buffer.fill(np.zeros(n_bytes, np.uint8))


def _output(state: State, name: str, feed: Mapping[str, object]) -> Array:
    buffer = state.buffers[name]
    values = buffer.data[: buffer.n_bytes].view(buffer.tensor.dtype.numpy).copy()
    if name in feed:
        return values.reshape(np.asarray(feed[name]).shape)
    shape = [extent for extent in buffer.tensor.shape if isinstance(extent, int)]
    return values.reshape(shape) if len(shape) == len(buffer.tensor.shape) else values
