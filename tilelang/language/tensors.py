"""Tensors and tiles as a kernel's body sees them, and what an assignment to a part records."""

from __future__ import annotations

from typing import NoReturn, Self

from tilelang.diagnostics import Location, Note, TileError
from tilelang.dtypes import DType
from tilelang.ir import index as ix
from tilelang.ir.expression import Load
from tilelang.ir.nodes import Map, Reduce
from tilelang.ir.region import (
    Buffer,
    Memory,
    Region,
    View,
    identity,
    view_shape,
)
from tilelang.language import mistakes
from tilelang.language import trace as tracing
from tilelang.language.axes import Axis, Key, grouped, read_axes, transposed
from tilelang.language.handles import Index, IndexLike, as_node
from tilelang.language.literals import broadcast_hint, broadcast_shapes
from tilelang.language.spellings import ALLOCATE
from tilelang.language.vector import (
    Expression,
    Operand,
    OperandLike,
    Reduction,
    as_expression,
    check_fresh,
    read,
)


class Tensor(Operand):
    """A tensor in global memory or a tile on chip, and the type of a kernel's array parameters.

    Index it to name a part: `x[i * 16, k]` starts there, and the other side of a move says how far
    it goes; `x[n, :, p:]`, `t[r:r + 16, 0:64]` and `t[:, ::2]` say so themselves. Indices are ints
    and loops' indices; a start may be negative or past the end of a tensor in global memory.
    `t[:] = ...` computes into all of a tile, `t += ...` in place. A tile lives in the loop or
    branch that allocates it, and is undefined each time that line runs.

    Example:
        t[0:8, :] = u[8:16, :] * 2
        t[:, ::2] = 0
        t += u
        columns = x.view((1,), (0,))        # axes swapped: element [j, i] is x[i, j]
        tl.data_move(t, columns[0, 0])
    """

    __slots__ = ("_buffer", "_scope", "_view")

    def __new__(cls, *arguments: object, **_: object) -> Self:
        """Refuse TIK's way to allocate a tensor."""
        if not arguments or not isinstance(arguments[0], Buffer):
            message = "`tl.Tensor` is called, and it is the type of a kernel's parameters"
            raise mistakes.error("E0144", message, ALLOCATE)
        return super().__new__(cls)

    def __init__(  # pyright: ignore[reportInconsistentConstructor] - `__new__` takes what users say
        self, buffer: Buffer, view: View, scope: tracing.Scope | None
    ) -> None:
        """Wrap `buffer` seen through `view`; `scope` is the body it lives in, None in GM."""
        self._buffer = buffer
        self._view = view
        self._scope = scope

    @property
    def buffer(self) -> Buffer:
        """The IR's buffer, which must still be alive.

        Raises:
            TileError: E0118 if the body it was allocated in is over.
        """
        if self._scope is not None and not self._scope.is_open:
            raise mistakes.error(
                "E0118",
                f"`{self._buffer.name}` is used after the body it was allocated in",
                f"allocate `{self._buffer.name}` before that loop or branch",
                Note(f"`{self._buffer.name}` is allocated", self._buffer.loc),
                Note("in this body", self._scope.loc),
            )
        return self._buffer

    @property
    def name(self) -> str:
        """Its name in messages: that of the variable, or the `name=` it was allocated with."""
        return self._buffer.name

    @property
    def shape(self) -> tuple[int, ...]:
        """The logical shape, in elements, as this view sees it."""
        return view_shape(self._buffer, self._view)

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def dtype(self) -> DType:
        """The element type."""
        return self._buffer.dtype

    @property
    def memory(self) -> Memory:
        """The memory it lives in; it prints as GM, L1, UB, L0A, L0B or L0C."""
        return self._buffer.memory

    @property
    def T(self) -> Tensor:
        """The last two axes swapped: an operand of `matmul` that the load to L0 transposes.

        Example:
            a1 = tl.alloc_l1((64, 64), x.dtype)
            acc = tl.alloc_l0c((64, 64), tl.acc(x.dtype))
            tl.data_move(a1, x[0, 0])
            tl.matmul(acc, a1, a1.T)
        """
        return Tensor(self._buffer, transposed(self._view, self.name), self._scope)

    def view(self, *groups: tuple[int, ...]) -> Tensor:
        """Return the tensor with permuted and merged dimensions, without moving anything.

        `t.view((0,), (2, 3), (1,))` has three axes: dimension 0, dimensions 2 and 3 merged, and
        dimension 1. The dimensions of one group are adjacent and ascending.

        Example:
            v = tl.alloc_ub((16, 64), image.dtype)
            tl.data_move(v, image.view((0,), (1, 2))[0, 0])      # [C, H, W] as [C, H * W]

        Raises:
            TileError: E0119 if the groups are not that.
        """
        return Tensor(self._buffer, grouped(self._view, groups, self.name, self.ndim), self._scope)

    def __repr__(self) -> str:
        """Return name, type and memory."""
        return f"{self.name}: {self.dtype}{list(self.shape)} in {self.memory}"

    def __getitem__(self, key: Key) -> Tile:
        """Name a part of the tensor."""
        return Tile(self, self._axes(key), mistakes.here())

    def __setitem__(self, key: Key, value: OperandLike | Reduction) -> None:
        """Record a `Map` (or a `Reduce`) that writes a part of the tensor."""
        assign(Tile(self, self._axes(key), mistakes.here()), value)

    def __iadd__(self, other: OperandLike) -> Tensor:
        """Record `self[:] = self + other`."""
        self[:] = self + other
        return self

    def __isub__(self, other: OperandLike) -> Tensor:
        """Record `self[:] = self - other`."""
        self[:] = self - other
        return self

    def __imul__(self, other: OperandLike) -> Tensor:
        """Record `self[:] = self * other`."""
        self[:] = self * other
        return self

    def __itruediv__(self, other: OperandLike) -> Tensor:
        """Record `self[:] = self / other`."""
        self[:] = self / other
        return self

    def _axes(self, key: Key) -> tuple[Axis, ...]:
        return read_axes(self.name, self.shape, key, in_gm=self.memory is Memory.GM)

    def recipe(self) -> Expression:
        """Return the expression that reads all of the tensor."""
        return self[...].recipe()

    @property
    def scope(self) -> tracing.Scope | None:
        """The body it lives in; None in global memory."""
        return self._scope

    @property
    def view_node(self) -> View:
        """The IR's view."""
        return self._view


class Tile(Operand):
    """A part of a tensor, made by indexing one; it stands wherever a tile does.

    Example:
        half = t[:, 0:32]
        t[:, 32:64] = half * 2
    """

    __slots__ = ("axes", "loc", "tensor")

    def __init__(self, tensor: Tensor, axes: tuple[Axis, ...], loc: Location) -> None:
        """Hold what was written for each axis of `tensor`."""
        self.tensor = tensor
        self.axes = axes
        self.loc = loc

    def __repr__(self) -> str:
        """Return what it is a part of."""
        return f"a part of `{self.tensor.name}`"

    @property
    def dtype(self) -> DType:
        """The element type."""
        return self.tensor.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """The extents of the spanned axes.

        Raises:
            TileError: E0121 if one of them is only known from the other side of a move.
        """
        return self.region().shape

    @property
    def T(self) -> Tile:
        """The last two axes swapped: an operand that the load to L0 transposes."""
        tensor = self.tensor.T
        return Tile(tensor, (*self.axes[:-2], self.axes[-1], self.axes[-2]), self.loc)

    def __getitem__(self, _: object) -> NoReturn:
        """Refuse a part of a part."""
        raise _part_of_part(self)

    def __setitem__(self, _: object, __: object) -> NoReturn:
        """Refuse to write a part of a part."""
        raise _part_of_part(self)

    def recipe(self) -> Expression:
        """Return the expression that reads these elements."""
        region = self.region()
        return read(region, Load(region))

    def region(self) -> Region:
        """Return the IR's region, with bare indices as single elements.

        Raises:
            TileError: E0121 if an extent is not known.
        """
        for number, axis in enumerate(self.axes):
            if not axis.is_point and axis.extent is None:
                raise mistakes.error(
                    "E0121",
                    f"the extent of axis {number} of `{self.tensor.name}` is not known here",
                    "write where it ends: `x[i:i + 16, :]`",
                    location=self.loc,
                )
        return self._region([None if axis.is_point else axis.extent for axis in self.axes])

    def region_of_shape(self, shape: tuple[int, ...]) -> Region | None:
        """Return the region whose open extents are taken from `shape`; None if ranks disagree.

        With as many axes as `shape`, a bare index is a start; else it is a single element.
        """
        if len(self.axes) != len(shape) and sum(not it.is_point for it in self.axes) != len(shape):
            return None
        all_span = len(self.axes) == len(shape)
        sizes = iter(shape)
        extents: list[int | None] = []
        for axis in self.axes:
            if axis.is_point and not all_span:
                extents.append(None)
                continue
            size = next(sizes)
            given = axis.extent is None or axis.is_point or axis.is_open
            extents.append(size if given else axis.extent)
        return self._region(extents)

    @property
    def known_shape(self) -> tuple[int, ...] | None:
        """The shape with bare indices as single elements, or None if an extent is open."""
        spans = [axis.extent for axis in self.axes if not axis.is_point]
        return None if None in spans or not spans else tuple(span for span in spans if span)

    @property
    def says_all(self) -> bool:
        """Whether the extent of every axis is written, or is all of the tensor."""
        return not any(axis.is_point or axis.is_open for axis in self.axes)

    def _region(self, extents: list[int | None]) -> Region:
        trace = tracing.current("an index")
        trace.check_index(*(axis.start for axis in self.axes))
        return Region(
            self.tensor.buffer,
            self.tensor.view_node,
            tuple(axis.start for axis in self.axes),
            tuple(axis.step for axis in self.axes),
            tuple(extents),
            self.loc,
        )


def assign(dst: Tile, value: OperandLike | Reduction) -> None:
    """Record the statement that sets `dst` to `value`.

    Raises:
        TileError: E0110 for another dtype, E0111 for a shape that does not broadcast.
    """
    trace = tracing.current("an assignment")
    loc = trace.here()
    region = dst.region()
    if isinstance(value, Reduction):
        check_fresh(value.source, trace)
        trace.record(Reduce(region, value.op, value.src, value.axis, loc))
        trace.record_write(region.buffer.name, loc)
        return
    expression = as_expression(value, region.buffer.dtype)
    check_fresh(expression, trace)
    if isinstance(value, Tensor | Tile):
        mistakes.check_not_swapped(value.tensor.name if isinstance(value, Tile) else value.name)
    if expression.dtype is not region.buffer.dtype:
        said = value if isinstance(value, Index) else "..."
        hint = f'write `tl.cast({said}, "{region.buffer.dtype}")`'
        if expression.dtype is DType.BOOL:
            hint = f'write `tl.where(mask, tl.cast(1, "{region.buffer.dtype}"), 0)`'
        mistakes.report(
            "E0110",
            f"{expression.dtype} assigned to `{region.buffer.name}`, which is {region.buffer}",
            hint,
            Note(f"`{region.buffer.name}` is allocated", region.buffer.loc),
        )
        expression = as_expression(0, region.buffer.dtype)
    if broadcast_shapes(expression.shape, region.shape) != region.shape:
        mistakes.report(
            "E0111",
            f"an expression of shape {list(expression.shape)} does not broadcast to "
            f"{list(region.shape)} of `{region.buffer.name}`",
            broadcast_hint(region.shape, expression.shape),
            Note(f"`{region.buffer.name}` is allocated", region.buffer.loc),
        )
        expression = as_expression(0, region.buffer.dtype)
    trace.record(Map(region, expression.node, loc))
    trace.record_write(region.buffer.name, loc)


def _part_of_part(tile: Tile) -> TileError:
    return mistakes.error(
        "E0120",
        f"{tile!r} is indexed once more",
        f"write every index into one pair of brackets: `{tile.tensor.name}[i, j:j + 16]`",
    )


def as_tile(value: object, operation: str) -> Tile:
    """Return an argument of a tile operation as a tile: a tensor stands for all of itself.

    Raises:
        TileError: E0122 for anything else.
    """
    if isinstance(value, Tile):
        return value
    if isinstance(value, Tensor):
        return Tile(value, tuple(Axis(ix.ZERO, 1, size) for size in value.shape), mistakes.here())
    if isinstance(value, Expression | Reduction):
        raise mistakes.error(
            "E0122",
            f"`{operation}` is given an expression, which has not run",
            "store it first: `t[:] = ...` with a tile `t` in the unified buffer, and give `t`",
            Note("the expression is made", value.loc),
        )
    hint = "give a parameter of the kernel, a buffer from `tl.alloc_...`, or a part of one"
    if value is None:
        hint = "give the tile that was written: `tl.matmul` and `tl.data_move` return nothing"
    raise mistakes.error(
        "E0122",
        f"`{operation}` is given {mistakes.shown(value)}, wanted a tensor or a tile",
        hint,
    )


def plain(buffer: Buffer, scope: tracing.Scope | None) -> Tensor:
    """Return the handle of a buffer."""
    return Tensor(buffer, identity(buffer.rank), scope)


def index_of(value: IndexLike) -> ix.Index:
    """Return the IR's form of an index, which must still be usable."""
    node = as_node(value)
    if isinstance(value, Index):
        tracing.current("an index").check_index(node)
    return node
