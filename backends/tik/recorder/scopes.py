"""The state of a recording: open bodies, declared names, the chip."""

import keyword
from collections.abc import Generator
from contextlib import contextmanager

from tilelang.backends.tik.instructions import Body, If, Instruction
from tilelang.backends.tik.recorder.places import caller
from tilelang.backends.tik.soc import Soc
from tilelang.diagnostics import Diagnostic, Location, Note, TileError

RESERVED = frozenset(("tik", "tik_instance", "tbe_platform", "cmpmask", "kernel_name"))
"""Names that emitted text uses itself."""


class Recording:
    """Collects instructions into nested bodies, and makes every declared name unique."""

    def __init__(self, soc: Soc) -> None:
        """Start with an empty program for `soc`."""
        self.soc = soc
        self._bodies: list[list[Instruction]] = [[]]
        self._names: dict[str, Location] = {}
        self._ended: dict[str, Location] = {}
        self._declared: list[list[str]] = [[]]
        self.block_loops = 0

    @property
    def body(self) -> Body:
        """What was recorded at the top level."""
        return tuple(self._bodies[0])

    @property
    def is_top_level(self) -> bool:
        """Whether no scope is open."""
        return len(self._bodies) == 1

    def record(self, instruction: Instruction) -> None:
        """Append `instruction` to the innermost open body."""
        self._bodies[-1].append(instruction)

    def declare(self, name: str) -> str:
        """Return `name`, made unique, as declared in the innermost open scope.

        Raises:
            TileError: E1201 if `name` is no identifier.
        """
        if not name.isidentifier():
            message = f"the name {name!r} is no identifier, as TIK wants"
            raise TileError(Diagnostic("E1201", message, caller()))
        unique = self._unique(name)
        self._names[unique] = caller()
        self._declared[-1].append(unique)
        return unique

    def require_open(self, name: str) -> None:
        """Raise E1209 if the scope that declared `name` has ended."""
        if name not in self._ended:
            return
        raise TileError(
            Diagnostic(
                "E1209",
                f"`{name}` is used after the scope that declared it has ended",
                caller(),
                hint=f"declare `{name}` before the scope",
                notes=(Note(f"`{name}` is declared here", self._names[name]),),
            )
        )

    @contextmanager
    def open(self, *variables: str) -> Generator[list[Instruction], None, None]:
        """Collect what is recorded inside into the yielded list; names declared inside end."""
        body: list[Instruction] = []
        self._bodies.append(body)
        self._declared.append(list(variables))
        depth = len(self._bodies)
        yield body
        assert len(self._bodies) == depth
        self._bodies.pop()
        self._ended.update((name, self._names[name]) for name in self._declared.pop())

    def last_if(self, method: str, loc: Location) -> If:
        """Return the `If` that a branch continues, taken off the body.

        Raises:
            TileError: E1210 if what precedes is no `if_scope`, or has its `else_scope` already.
        """
        last = self._bodies[-1][-1] if self._bodies[-1] else None
        if not isinstance(last, If) or last.otherwise is not None:
            raise TileError(
                Diagnostic(
                    "E1210",
                    f"{method} must follow an if_scope or elif_scope directly",
                    loc,
                    hint="move what stands between them into one of the scopes",
                )
            )
        self._bodies[-1].pop()
        return last

    def _unique(self, name: str) -> str:
        taken = self._names.keys() | RESERVED
        if name not in taken and not keyword.iskeyword(name):
            return name
        return next(
            candidate
            for number in range(1, len(self._names) + 2)
            if (candidate := f"{name}_{number}") not in taken
        )
