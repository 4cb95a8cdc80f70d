"""How messages name things: regions and indices as users write them, sizes, places."""

from collections.abc import Iterator, Mapping, Sequence
from typing import assert_never

from tilelang.diagnostics import UNKNOWN, Location, Note
from tilelang.ir import index as ix
from tilelang.ir.expression import (
    Binary,
    BinaryOp,
    Cast,
    Comparison,
    Expr,
    IndexValue,
    Literal,
    Load,
    Logic,
    LogicNot,
    Position,
    Unary,
    UnaryOp,
    Where,
    children,
)
from tilelang.ir.index import Atom, FloorDiv, Index, Max, Min, Mod, Var
from tilelang.ir.region import AsMatrix, Buffer, Memory, Permute, Region, View, identity
from tilelang.layouts import Layout, LayoutKind
from tilelang.layouts.captions import formula
from tilelang.layouts.picture import picture

ALLOCATORS = {
    Memory.GM: "tl.alloc_gm",
    Memory.L1: "tl.alloc_l1",
    Memory.L0A: "tl.alloc_l0a",
    Memory.L0B: "tl.alloc_l0b",
    Memory.L0C: "tl.alloc_l0c",
    Memory.UB: "tl.alloc_ub",
}
"""What creates a buffer in each memory."""


def index_text(index: Index) -> str:
    """Return `index` as Python: `16*i + k // 4 - 1`."""
    parts = [_term_text(atom, factor) for atom, factor in index.terms]
    if index.constant or not parts:
        parts.append(str(index.constant))
    return " + ".join(parts).replace("+ -", "- ")


def _term_text(atom: Atom, factor: int) -> str:
    text = _atom_text(atom)
    if factor == 1:
        return text
    if not isinstance(atom, Var | Min | Max):
        text = f"({text})"
    return f"-{text}" if factor == -1 else f"{factor}*{text}"


def _atom_text(atom: Atom) -> str:
    match atom:
        case Var(name):
            return name
        case FloorDiv(inner, divisor):
            return f"{_operand_text(inner)} // {divisor}"
        case Mod(inner, divisor):
            return f"{_operand_text(inner)} % {divisor}"
        case Min(args):
            return f"min({', '.join(map(index_text, args))})"
        case Max(args):
            return f"max({', '.join(map(index_text, args))})"
        case _:
            assert_never(atom)


def _operand_text(index: Index) -> str:
    single = len(index.terms) == 1 and index.constant == 0
    if single and isinstance(index.terms[0][0], Var) and index.terms[0][1] == 1:
        return index_text(index)
    return f"({index_text(index)})"


def region_text(region: Region) -> str:
    """Return `region` as the language writes it: `a[16*i, 0]`, `b1.T`, `x[n, :, p:]`."""
    text = region.buffer.name + _view_text(region)
    starts_at_zero = all(start == ix.ZERO for start in region.start)
    plain = starts_at_zero and None not in region.extent and set(region.step) <= {1}
    if plain and (region.buffer.memory is Memory.GM or _is_all(region)):
        return text
    return f"{text}[{', '.join(_axes_text(region))}]"


def _is_all(region: Region) -> bool:
    """Return whether `region` is all of its buffer, perhaps transposed."""
    *lead, rows, columns = (0, 0, *region.buffer.shape)
    transposed = is_transposed(region.view, region.buffer.rank)
    return region.is_whole or (transposed and (0, 0, *region.extent) == (*lead, columns, rows))


def _view_text(region: Region) -> str:
    view, rank = region.view, region.buffer.rank
    if view == identity(rank):
        return ""
    match view:
        case AsMatrix():
            return " as a matrix"
        case Permute(groups):
            return ".T" if is_transposed(view, rank) else f".view({', '.join(map(str, groups))})"
        case _:
            assert_never(view)


def is_transposed(view: View, rank: int) -> bool:
    """Return whether `view` swaps the last two of `rank` dimensions and does nothing else."""
    if rank < 2:
        return False
    axes = [*range(rank - 2), rank - 1, rank - 2]
    return view == Permute(tuple((axis,) for axis in axes))


def turn_round(region: Region) -> str:
    """Return the instruction to transpose `region`, or not to."""
    name, rank = region.buffer.name, region.buffer.rank
    if is_transposed(region.view, rank):
        return f"use `{name}` without `.T`"
    if region.buffer.memory is Memory.GM:
        groups = [(axis,) for axis in (*range(rank - 2), rank - 1, rank - 2)]
        return f"write `{name}.view({', '.join(map(str, groups))})`"
    return f"write `{name}.T`"


def _axes_text(region: Region) -> Iterator[str]:
    mixed = None in region.extent
    for start, step, extent in zip(region.start, region.step, region.extent, strict=True):
        text = index_text(start)
        if extent is None or (not mixed and step == 1):
            yield text
        else:
            yield ("" if start == ix.ZERO else text) + ":" + (f":{step}" if step != 1 else "")


def values_text(values: Mapping[str, int] | None) -> str:
    """Return ` where k = 7 and i = 0`, or nothing if no variable matters."""
    if not values:
        return ""
    return " where " + " and ".join(f"{name} = {value}" for name, value in values.items())


def shape_text(shape: Sequence[int]) -> str:
    """Return a shape in brackets."""
    return f"[{', '.join(map(str, shape))}]"


def expr_text(expr: Expr) -> str:
    """Return `expr` as the language writes it, with dots for what is deep inside."""
    match expr:
        case Load(region):
            return region_text(region)
        case Literal(value):
            return str(value)
        case IndexValue(index):
            return index_text(index)
        case Position(axis):
            return f"tl.position({axis})"
        case Cast(x, dtype):
            return f'tl.cast({_inner_text(x)}, "{dtype}")'
        case Unary() | Binary() | Comparison() | Logic() | LogicNot() | Where():
            return _operation_text(expr)
        case _:
            assert_never(expr)


def _operation_text(expr: Unary | Binary | Comparison | Logic | LogicNot | Where) -> str:
    parts = [_inner_text(child) for child in children(expr)]
    match expr:
        case Unary(UnaryOp.NEGATE):
            return f"-{parts[0]}"
        case Unary(op) | Binary(BinaryOp.MAXIMUM | BinaryOp.MINIMUM as op):
            return f"tl.{op.value}({', '.join(parts)})"
        case Binary(op) | Comparison(op) | Logic(op):
            return f" {op.value} ".join(parts)
        case LogicNot():
            return f"~{parts[0]}"
        case Where():
            return f"tl.where({', '.join(parts)})"
        case _:
            assert_never(expr)


def _inner_text(expr: Expr) -> str:
    """Return a leaf's text, and dots for anything bigger."""
    match expr:
        case Load() | Literal() | IndexValue() | Position():
            return expr_text(expr)
        case _:
            return "..."


def axis_word(region: Region, axis: int) -> str:
    """Return what one index along `axis` of the region's view is called, such as `row`."""
    rank = len(region.start)
    if rank == 1:
        return "element"
    leading = {
        LayoutKind.NC1HWC0: {rank - 3: "channel"},
        LayoutKind.FRACTAL_Z: {rank - 4: "output", rank - 3: "channel"},
    }.get(region.buffer.layout.kind, {})
    return {**leading, rank - 2: "row", rank - 1: "column"}.get(axis, "tile")


def bytes_text(n_bytes: int) -> str:
    """Return a size with its unit: `262,144 bytes`."""
    return f"{n_bytes:,} bytes"


def either(options: Sequence[str]) -> str:
    """Return the options as an alternative: `a, b or c`."""
    return " or ".join(filter(None, (", ".join(options[:-1]), options[-1])))


def place(region: Region, loc: Location) -> Location:
    """Return where `region` is written, or `loc`, its statement's place, if that is not known."""
    return loc if region.loc == UNKNOWN else region.loc


def declared(*buffers: Buffer) -> tuple[Note, ...]:
    """Return a note for each buffer that says where it comes from and what it is."""
    return tuple(
        Note(f"`{buffer.name}` is {buffer} in {buffer.memory}", buffer.loc)
        for buffer in dict.fromkeys(buffers)
        if buffer.loc != UNKNOWN
    )


def layout_lines(*tiles: tuple[str, Layout, Buffer]) -> tuple[str, ...]:
    """Return a line for each layout: what `name` it has there, and where an element lies.

    Of each buffer only shape and dtype matter.
    """
    width = max(len(name) for name, _, _ in tiles)
    return tuple(
        f"{name:{width}}  {layout}: {_rule_text(layout, buffer)}" for name, layout, buffer in tiles
    )


def _rule_text(layout: Layout, buffer: Buffer) -> str:
    if buffer.rank < layout.logical_rank:
        return f"orders {layout.logical_rank} dimensions"
    physical = list(layout.physical_shape(buffer.shape))
    if layout.kind is LayoutKind.ND:
        return f"row-major, an array {physical}"
    shown = picture(layout, buffer.shape, buffer.dtype)
    own = ", ".join(name.lower() for name in layout.rule.names)
    return f"[{own}] lies at {formula(shown)} of an array {physical}"
