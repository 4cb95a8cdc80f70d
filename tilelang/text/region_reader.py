"""Regions in the text form: `a[128*i:+128, 64*k:+64]`, `b1.T`, `x.view((0,), (2, 3))`."""

from itertools import pairwise

from tilelang.ir.index import ZERO, Index
from tilelang.ir.region import AsMatrix, Buffer, Permute, Region, View, identity, view_shape
from tilelang.text.calls import called_function, read_arguments
from tilelang.text.index_reader import read_index, read_whole
from tilelang.text.region_text import transposed
from tilelang.text.scope import Scope
from tilelang.text.syntax import Node

Axis = tuple[Index, int, int | None]
"""The start, step and extent of a region along one axis."""


def read_region(node: Node, scope: Scope) -> Region:
    """Return the region that `node` writes."""
    base, axes = node, None
    if node.kind == "subscript":
        base, *axes = node.children
    buffer, view = _read_view(base, scope)
    shape = view_shape(buffer, view)
    location = scope.source.place(node.span)
    parts = [(ZERO, 1, size) for size in shape]
    if axes is not None and not _is_everything(axes):
        parts = _read_axes(node, axes, shape, scope)
    starts, steps, extents = zip(*parts, strict=True) if parts else ((), (), ())
    return Region(buffer, view, starts, steps, extents, location)


def is_region(node: Node) -> bool:
    """Return whether `node` is written as a region, whatever it names."""
    function = called_function(node)
    if function is not None:
        return function.text == "as_matrix"
    return node.kind in ("name", "subscript", "attribute", "call")


def _is_everything(axes: list[Node]) -> bool:
    """Return whether this is `x[:]`, all of a buffer of any rank."""
    return len(axes) == 1 and axes[0].kind == "full"


def _read_view(node: Node, scope: Scope) -> tuple[Buffer, View]:
    match node.kind:
        case "name":
            buffer = scope.buffer(node)
            return buffer, identity(buffer.rank)
        case "attribute":
            return _read_transposed(node, scope)
        case "call":
            return _read_call(node, scope)
        case _:
            message = f"`{scope.source.shown(node)}` stands where a buffer is wanted"
            hint = "write a buffer, or a part of one: `a[16*i:+16, :]`"
            raise scope.error("E0507", message, node, hint=hint)


def _read_transposed(node: Node, scope: Scope) -> tuple[Buffer, View]:
    base, name = node.children
    if name.text != "T":
        raise scope.unknown("E0505", "view", name, ("T", "view"))
    buffer = _plain_buffer(base, scope)
    if buffer.rank < 2:
        message = f"`.T` swaps the last two axes, and `{buffer.name}` is {buffer}"
        raise scope.error("E0509", message, node, hint=f"write `{buffer.name}`")
    return buffer, transposed(buffer.rank)


def _read_call(node: Node, scope: Scope) -> tuple[Buffer, View]:
    callee = node.children[0]
    if callee.kind == "attribute" and callee.children[1].text == "view":
        buffer = _plain_buffer(callee.children[0], scope)
        groups = tuple(_read_group(group, scope) for group in node.children[1:])
        _check_groups(node, buffer, groups, scope)
        return buffer, Permute(groups)
    if callee.kind == "attribute":
        raise scope.unknown("E0505", "view", callee.children[1], ("T", "view"))
    if callee.text != "as_matrix":
        raise scope.unknown("E0505", "view", callee, ("as_matrix",))
    buffer = _plain_buffer(read_arguments(node, scope, ["weights"])["weights"], scope)
    if buffer.rank != 4:
        message = f"`as_matrix` takes weights [O, C, R, S], and `{buffer.name}` is {buffer}"
        raise scope.error("E0509", message, node, hint="give a buffer of four dimensions")
    return buffer, AsMatrix()


def _plain_buffer(node: Node, scope: Scope) -> Buffer:
    if node.kind == "name":
        return scope.buffer(node)
    message = f"`{scope.source.shown(node)}` is viewed, and only a buffer has views"
    raise scope.error("E0509", message, node, hint="write one view, of the buffer itself")


def _read_group(node: Node, scope: Scope) -> tuple[int, ...]:
    if node.kind != "tuple":
        message = f"`{scope.source.shown(node)}` stands where a group of axes is wanted"
        raise scope.error(
            "E0509", message, node, hint="write the axes in brackets: `(0,)`, `(1, 2)`"
        )
    return tuple(read_whole(axis, scope) for axis in node.children)


def _check_groups(
    node: Node, buffer: Buffer, groups: tuple[tuple[int, ...], ...], scope: Scope
) -> None:
    axes = [axis for group in groups for axis in group]
    ascending = all(
        axis + 1 == following for group in groups for axis, following in pairwise(group)
    )
    if sorted(axes) != list(range(buffer.rank)) or not ascending:
        message = (
            f"the groups are {', '.join(map(str, groups)) or 'none'}; `{buffer.name}` is {buffer}, "
            f"and each of its {buffer.rank} axes is wanted once, neighbours in order"
        )
        every = ", ".join(f"({axis},)" for axis in range(buffer.rank))
        raise scope.error("E0509", message, node, hint=f"begin with `{buffer.name}.view({every})`")


def _read_axes(node: Node, axes: list[Node], shape: tuple[int, ...], scope: Scope) -> list[Axis]:
    if len(axes) != len(shape):
        base = scope.source.shown(node.children[0])
        message = f"`{base}` has {len(shape)} axes, {list(shape)}; in the brackets: {len(axes)}"
        example = ", ".join(":" for _ in shape) or ":"
        hint = f"write an entry for each axis: `{base}[{example}]`"
        raise scope.error("E0509", message, node, hint=hint)
    return [_read_axis(axis, size, scope) for axis, size in zip(axes, shape, strict=True)]


def _read_axis(node: Node, size: int, scope: Scope) -> Axis:
    match node.kind, node.children:
        case "full", _:
            return ZERO, 1, size
        case "point", (start,):
            return read_index(start, scope), 1, None
        case "box", (start, extent, *step):
            n_elements = read_whole(extent, scope, least=0)
            return read_index(start, scope), _read_step(step, scope), n_elements
        case _:
            message = f"`{scope.source.shown(node)}` says where to stop"
            hint = "write how many elements: `start:+extent`, with a step `start:+extent:step`"
            raise scope.error("E0509", message, node, hint=hint)


def _read_step(step: list[Node], scope: Scope) -> int:
    return read_whole(step[0], scope) if step else 1
