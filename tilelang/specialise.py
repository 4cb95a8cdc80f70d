"""Turning a kernel into a `Program` for given shapes, dtypes, attributes and tile parameters."""

from collections.abc import Callable, Mapping

from tilelang.binding import Binding
from tilelang.captured import Outside
from tilelang.diagnostics import Location, TileError, flow
from tilelang.ir.named import called
from tilelang.ir.nodes import Program
from tilelang.language import mistakes
from tilelang.language import trace as tracing
from tilelang.language.tensors import Tensor, plain
from tilelang.language.trace import Trace
from tilelang.machines import Machine
from tilelang.passes import adapt
from tilelang.passes.infer_layouts import infer_layouts
from tilelang.verify import verify


def trace_program(
    function: Callable[..., object],
    binding: Binding,
    tiles: Mapping[str, int],
    machine: Machine,
    location: Location,
) -> Program:
    """Return the verified program that `function` says for `binding` and `tiles`.

    Raises:
        TileError: every mistake of the body, and every rule of `machine` that the program breaks.
    """
    code = function.__code__
    trace = Trace(code, Outside(function))
    buffers = (*binding.inputs, *binding.results)
    trace.names.update(buffer.name for buffer in buffers)
    tensors: list[Tensor] = [plain(buffer, None) for buffer in buffers]
    named = {name: called(size, name) for name, size in tiles.items()}
    with tracing.record(trace):
        returned = function(*tensors, **binding.attributes, **named)
        if returned is not None:
            place = flow.place_of_return(code) or location
            mistakes.report_returned(function.__name__, returned, place)
    trace.finish()
    program = Program(
        function.__name__,
        binding.inputs,
        binding.results,
        tuple((name, _unnamed(value)) for name, value in binding.attributes.items()),
        tuple(tiles.items()),
        tuple(trace.parts),
        location,
    )
    return _checked(program, trace, machine)


def _unnamed(value: float) -> float:
    """Return a float as it is, an int or a bool as a plain int."""
    return value if isinstance(value, float) else int(value)


def _checked(program: Program, trace: Trace, machine: Machine) -> Program:
    """Return `program` with its layouts, verified; report what the trace found beside that."""
    try:
        laid_out = infer_layouts(program, frozenset(trace.automatic))
        checked = verify(adapt(laid_out, machine), machine)
    except TileError as error:
        found = tracing.in_order(trace.diagnostics, error.diagnostics)
        raise TileError(*found) from None
    if trace.diagnostics:
        raise TileError(*trace.diagnostics)
    return checked
