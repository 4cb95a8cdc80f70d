"""What each dimension of a signature is, and the logical shapes that follow."""

from collections.abc import Iterable, Iterator, Mapping
from typing import SupportsIndex

from tilelang.binding.call import Argument, Call, Known
from tilelang.ir.named import called
from tilelang.layouts import Layout, LayoutKind, layout_for
from tilelang.layouts.rule import Digit, Part
from tilelang.text.dimension import Dim, DimName, dim_names, dim_text, evaluate_dim
from tilelang.text.tensors import TensorSpec

Shape = tuple[int, ...]


def bind_sizes(
    call: Call, dims: Mapping[str, int], attributes: Mapping[str, float]
) -> dict[str, Shape]:
    """Return the logical shape of every tensor; add to `call` what contradicts or is missing.

    Of a tensor that is in doubt the shape is missing.
    """
    for name in dict.fromkeys(dim_names_of(call.signature.tensors)):
        if name in attributes:
            _take_number(call, name, attributes[name])
    for name, value in dims.items():
        _take_number(call, name, value)
        _check_not_negative(call, name)
    for spec, argument in call.given():
        _take_argument(call, spec, argument)
    _report_unknown(call)
    shapes = {spec.name: _checked_shape(call, spec) for spec in call.signature.tensors}
    return {name: shape for name, shape in shapes.items() if shape is not None}


def dim_names_of(specs: Iterable[TensorSpec]) -> Iterator[str]:
    """Yield the names in the dimensions of `specs`, perhaps more than once."""
    return (name for spec in specs for dim in spec.dims for name in dim_names(dim))


def _take_number(call: Call, name: str, value: object) -> None:
    """Note the number that a keyword gives."""
    is_truth = isinstance(value, bool) and name not in call.signature.attributes
    if isinstance(value, SupportsIndex) and not is_truth:
        number = value.__index__()
        call.sizes[name] = Known(number, f"the keyword `{name}`")
        return
    call.disputed.add(name)
    message = f"`{name}` is {value!r}, and a whole number is wanted"
    call.fault("E0227", message, f"pass {name}= as an int")


def _check_not_negative(call: Call, name: str) -> None:
    known = call.sizes.get(name)
    if known is not None and known.value < 0:
        call.disputed.add(name)
        message = f"the size {name} is {known.value}, and a size is 0 or more"
        call.fault("E0227", message, f"pass {name}= as 0 or more")


def _take_argument(call: Call, spec: TensorSpec, argument: Argument) -> None:
    """Note the sizes that can be read off an argument: those its layout does not pad."""
    if not _fits(call, spec, argument):
        call.disputed.update((spec.name, *dim_names_of([spec])))
        return
    for axis, physical_axis in _unpadded_axes(spec):
        dim = spec.dims[axis]
        if isinstance(dim, DimName):
            size = argument.shape[physical_axis]
            _take_size(call, dim.name, Known(size, f"`{spec.name}[{physical_axis}]`"), spec)


def _take_size(call: Call, name: str, found: Known, spec: TensorSpec) -> None:
    known = call.sizes.setdefault(name, found)
    if known.value != found.value:
        call.disputed.add(name)
        message = f"{name} is {known.value} by {known.source} and {found.value} by {found.source}"
        call.fault("E0221", message, f"pass arguments that agree on {name}", spec)


def _fits(call: Call, spec: TensorSpec, argument: Argument) -> bool:
    """Check the number of dimensions of an argument and, of a blocked layout, its blocks."""
    layout = layout_for(spec.layout, argument.dtype)
    # In the physical form of an empty tensor exactly the sizes of blocks are not 0.
    blocks = layout.physical_shape((0,) * len(spec.dims))
    found = f"`{spec.name}` has shape {list(argument.shape)}"
    if len(argument.shape) != len(blocks):
        message = f"{found}; wanted {_dimensions(len(blocks))}: {_form(spec, argument)}"
        call.fault("E0222", message, _fit_hint(spec), spec)
        return False
    if any(block not in (0, size) for size, block in zip(argument.shape, blocks, strict=True)):
        call.fault("E0230", f"{found}; wanted {_form(spec, argument)}", _fit_hint(spec), spec)
        return False
    return True


def _form(spec: TensorSpec, argument: Argument) -> str:
    """Return the shape of an argument as text: `[M, K]`, or `[K1, M1, 16, 16], NZ of float16`."""
    layout = layout_for(spec.layout, argument.dtype)
    lead = [dim_text(dim) for dim in spec.dims[: len(spec.dims) - layout.logical_rank]]
    groups = ["*".join(map(layout.rule.name, group)) for group in layout.rule.physical]
    blocks = layout.physical_shape((0,) * len(spec.dims))
    sizes = (str(block or name) for name, block in zip((*lead, *groups), blocks, strict=True))
    kind = "" if layout.kind is LayoutKind.ND else f", {layout} of {argument.dtype}"
    return f"[{', '.join(sizes)}]{kind}"


def _fit_hint(spec: TensorSpec) -> str:
    if spec.layout is LayoutKind.ND:
        return f"reshape `{spec.name}`, or change the signature"
    return "pass the physical array, with its padding; `pack` makes one"


def _unpadded_axes(spec: TensorSpec) -> Iterator[tuple[int, int]]:
    """Yield (logical axis, physical axis) of the sizes that an argument's shape tells."""
    layout = Layout(spec.layout)
    n_lead = len(spec.dims) - layout.logical_rank
    yield from ((axis, axis) for axis in range(n_lead))
    for physical_axis, group in enumerate(layout.rule.physical):
        match group:
            case (Digit(axis, Part.WHOLE),):
                yield n_lead + axis, n_lead + physical_axis
            case _:
                pass


def _report_unknown(call: Call) -> None:
    """Report every size that nothing gives."""
    said = {*call.sizes, *call.disputed, *call.signature.attributes}
    for name in dict.fromkeys(dim_names_of(call.signature.tensors)):
        if name not in said:
            _report_unknown_size(call, name)


def _report_unknown_size(call: Call, name: str) -> None:
    why = next(_why_unreadable(call, name), "no argument gives it")
    passing = [
        f"`{spec.name}`"
        for spec in call.signature.inputs
        if spec.name not in call.arguments
        and any(spec.dims[axis] == DimName(name) for axis, _ in _unpadded_axes(spec))
    ]
    others = f"{' or '.join(passing)}, or " if passing else ""
    call.fault("E0226", f"the size {name} is not known: {why}", f"pass {others}{name}=...")


def _why_unreadable(call: Call, name: str) -> Iterator[str]:
    for spec, _ in call.given():
        if DimName(name) in spec.dims:
            yield f"it cannot be read off the physical shape of `{spec.name}`, which is padded"
        for dim in spec.dims:
            if name in dim_names(dim):
                yield f"`{spec.name}` gives only {dim_text(dim)}"


def _checked_shape(call: Call, spec: TensorSpec) -> Shape | None:
    """Return the logical shape of a tensor, compared with its argument if there is one."""
    names = set(dim_names_of([spec]))
    if spec.name in call.disputed or names & call.disputed or not names <= call.sizes.keys():
        return None
    sizes = [_evaluate(call, spec, axis) for axis in range(len(spec.dims))]
    shape = tuple(size for size in sizes if size is not None)
    if len(shape) < len(sizes):
        return None
    if spec.name in call.arguments and spec in call.signature.inputs:
        _compare(call, spec, shape)
    return shape


def _evaluate(call: Call, spec: TensorSpec, axis: int) -> int | None:
    dim = spec.dims[axis]
    values = {name: called(known.value, name) for name, known in call.sizes.items()}
    try:
        size = evaluate_dim(dim, values)
    except ZeroDivisionError:
        message = f"`{spec.name}[{axis}]` is {_equation(call, dim)}, which divides by 0"
        call.fault("E0233", message, "pass a divisor that is not 0", spec)
        return None
    if size < 0:
        message = f"`{spec.name}[{axis}]` is {_equation(call, dim, size)}, and a size is 0 or more"
        call.fault("E0229", message, "pass sizes that leave it 0 or more", spec)
        return None
    return size


def _compare(call: Call, spec: TensorSpec, shape: Shape) -> None:
    """Compare an argument with the shape that the names give (plain sizes agree already)."""
    argument = call.arguments[spec.name]
    layout = layout_for(spec.layout, argument.dtype)
    if layout.kind is not LayoutKind.ND:
        physical = layout.physical_shape(shape)
        if argument.shape != physical:
            message = (
                f"`{spec.name}` has shape {list(argument.shape)}; {layout} of "
                f"{argument.dtype}{list(shape)} is {list(physical)}"
            )
            call.fault("E0230", message, _fit_hint(spec), spec)
        return
    for axis, (found, wanted) in enumerate(zip(argument.shape, shape, strict=True)):
        if found != wanted:
            equation = _equation(call, spec.dims[axis], wanted)
            message = f"`{spec.name}[{axis}]` is {found}; wanted {equation}"
            call.fault("E0228", message, f"pass `{spec.name}` with shape {list(shape)}", spec)


def _equation(call: Call, dim: Dim, value: int | None = None) -> str:
    """Return `4*H = 32 with H = 8 by ...`, without what says nothing."""
    given = [f"{name} = {call.sizes[name].value}" for name in dict.fromkeys(dim_names(dim))]
    result = "" if value is None or not given else f" = {value}"
    reason = f" for {', '.join(given)}" if given and not isinstance(dim, DimName) else ""
    return f"{dim_text(dim)}{result}{reason}"


def _dimensions(n: int) -> str:
    return "1 dimension" if n == 1 else f"{n} dimensions"
