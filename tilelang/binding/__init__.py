"""Binding a call to a signature: what every dimension and dtype is, and which tensors there are.

Plain dimensions are read off the arguments first; then every expression is computed and compared.
All mistakes of a call are raised together.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from tilelang.binding.call import Argument, Binding, Call
from tilelang.binding.dtypes import bind_dtypes
from tilelang.binding.sizes import bind_sizes, dim_names_of
from tilelang.diagnostics import Location, TileError
from tilelang.dtypes import DType
from tilelang.ir.region import Buffer, Memory
from tilelang.layouts import layout_for
from tilelang.text.tensors import Signature, TensorSpec

__all__ = ["Argument", "Binding", "bind"]


def bind(
    signature: Signature,
    arguments: Mapping[str, Argument],
    *,
    dims: Mapping[str, int],
    attributes: Mapping[str, float],
    dtypes: Mapping[str, DType],
    location: Location,
) -> Binding:
    """Return what `signature` means for these arguments, which are found by the inputs' names.

    An argument may be missing where the keywords or the other arguments say what it would be.
    Attributes are numbers; those that sizes are made of are whole.
    `location` is the place of the call.

    Raises:
        TileError: with every mistake of the call.
    """
    call = Call(signature, arguments, location)
    _check_names(call, dims, attributes, dtypes)
    bound_dtypes = bind_dtypes(call, dtypes)
    shapes = bind_sizes(call, dims, attributes)
    if call.faults:
        raise TileError(*call.faults)

    def buffer(spec: TensorSpec) -> Buffer:
        dtype = bound_dtypes.of(spec.dtype)
        layout = layout_for(spec.layout, dtype)
        return Buffer(spec.name, Memory.GM, dtype, shapes[spec.name], layout, spec.location)

    sizes = {name: known.value for name, known in call.sizes.items()}
    return Binding(
        {name: size for name, size in sizes.items() if name not in signature.attributes},
        bound_dtypes.by_name,
        tuple(buffer(spec) for spec in signature.inputs),
        tuple(buffer(spec) for spec in signature.results),
        {name: attributes[name] for name in signature.attributes},
    )


def _check_names(
    call: Call,
    dims: Mapping[str, int],
    attributes: Mapping[str, float],
    dtypes: Mapping[str, DType],
) -> None:
    signature = call.signature
    sizes = set(dim_names_of(signature.tensors)) - set(signature.attributes)
    _check_known(call, "input", call.arguments, [spec.name for spec in signature.inputs])
    _check_known(call, "dimension", dims, sizes)
    _check_known(call, "attribute", attributes, signature.attributes)
    _check_known(call, "dtype variable", dtypes, signature.dtype_variables)
    for name in signature.attributes:
        if name not in attributes:
            call.fault("E0813", f"the attribute `{name}` is not given", f"pass {name}=...")


def _check_known(call: Call, what: str, given: Iterable[str], known: Iterable[str]) -> None:
    names = sorted(known)
    for name in given:
        if name not in names:
            close = get_close_matches(name, names, n=1)
            hint = f"leave {name}= out: the signature has no {what}s"
            if names:
                hint = f"write `{close[0]}`" if close else f"use one of: {', '.join(names)}"
            call.fault("E0225", f"the signature has no {what} `{name}`", hint)
