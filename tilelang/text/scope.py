"""The names in force while a program is read, and the mistakes that were found."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from difflib import get_close_matches

from tilelang.diagnostics import Diagnostic, Location, Note, TileError
from tilelang.ir.region import Buffer
from tilelang.text.source import Source
from tilelang.text.syntax import Node


class Scope:
    """The buffers and loop variables that a statement may name.

    Buffers have unique names in the whole program; a variable's name may be used again after its
    loop.
    """

    def __init__(self, source: Source) -> None:
        """Start with no names."""
        self.source = source
        self.faults: list[Diagnostic] = []
        self._buffers: dict[str, Buffer] = {}
        self._ended: dict[str, Buffer] = {}
        self._variables: dict[str, Location] = {}

    @contextmanager
    def body(self) -> Generator[None]:
        """Forget at the end what is named inside."""
        buffers, variables = dict(self._buffers), dict(self._variables)
        yield
        self._ended |= {
            name: buffer for name, buffer in self._buffers.items() if name not in buffers
        }
        self._buffers, self._variables = buffers, variables

    def add_buffer(self, buffer: Buffer, node: Node) -> None:
        """Name a buffer; `node` is the name."""
        other = self._buffers.get(buffer.name) or self._ended.get(buffer.name)
        if other:
            raise self._defined_twice(node, "buffer", other.loc)
        self._buffers[buffer.name] = buffer

    def add_variable(self, node: Node) -> None:
        """Name a loop variable."""
        if node.text in self._variables:
            raise self._defined_twice(node, "loop variable", self._variables[node.text])
        self._variables[node.text] = self.source.place(node.span)

    def buffer(self, node: Node) -> Buffer:
        """Return the buffer that `node` names."""
        name = node.text
        if name in self._buffers:
            return self._buffers[name]
        if name in self._ended:
            note = Note("allocated in a body that ends before", self._ended[name].loc)
            message = f"the buffer `{name}` is not there any more"
            hint = "allocate it outside that body"
            raise self.error("E0503", message, node, hint=hint, notes=(note,))
        if name in self._variables:
            message = f"`{name}` is a loop variable, and a buffer is wanted"
            raise self.error("E0507", message, node, hint=f"write `index({name})`, an int32")
        raise self.unknown("E0503", "buffer", node, self._buffers)

    def check_variable(self, node: Node) -> None:
        """Check that `node` names a loop variable."""
        if node.text in self._variables:
            return
        if node.text in self._buffers:
            message = f"`{node.text}` is a buffer, and an index is wanted"
            hint = "an index is made of loop variables and numbers"
            raise self.error("E0507", message, node, hint=hint)
        raise self.unknown("E0503", "loop variable", node, self._variables)

    def unknown(self, code: str, what: str, node: Node, known: Iterable[str]) -> TileError:
        """Return the error of a name that is none of `known`."""
        names = sorted(known)
        close = get_close_matches(node.text, names, n=1)
        hint = f"write `{close[0]}`" if close else f"use one of: {', '.join(names)}"
        message = f"there is no {what} `{node.text}`"
        return self.error(code, message, node, hint=hint if names else None)

    def error(
        self,
        code: str,
        message: str,
        node: Node,
        *,
        hint: str | None = None,
        notes: tuple[Note, ...] = (),
    ) -> TileError:
        """Return the error of a mistake at `node`."""
        return TileError(self.source.fault(code, message, node.span, hint=hint, notes=notes))

    def _defined_twice(self, node: Node, what: str, first: Location) -> TileError:
        message = f"two {what}s are called `{node.text}`"
        note = Note("the first one", first)
        return self.error("E0504", message, node, hint="give one another name", notes=(note,))
