"""Machines as data: one TOML file a chip, every number with the document it was read from.

`host` and `sm90` stand for CPU and GPU. Kernels are written on the paths of the first generation of
Ascend chips, so these two have the same paths, with more dtypes.
"""

from difflib import get_close_matches
from functools import cache
from pathlib import Path as FilePath

from tilelang.diagnostics import Diagnostic, TileError, callsite
from tilelang.machines.description import CubeForm, Fact, Machine, Path, Table
from tilelang.machines.reading import read_machine

__all__ = ["CubeForm", "Fact", "Machine", "Path", "Table", "find_machine", "machine_names"]

_FOLDER = FilePath(__file__).parent


def machine_names() -> list[str]:
    """Return the names of the described machines, sorted."""
    return sorted(file.stem for file in _FOLDER.glob("*.toml"))


def find_machine(name: str) -> Machine:
    """Return the machine called `name`; the same object every time.

    Raises:
        TileError: E0603 if no machine is called so.
    """
    found = _machine(name) if isinstance(name, str) else None  # pyright: ignore[reportUnnecessaryIsInstance]
    if found is None:
        raise TileError(_unknown_machine(str(name)))
    return found


@cache
def _machine(name: str) -> Machine | None:
    return read_machine(_FOLDER / f"{name}.toml") if name in machine_names() else None


def _unknown_machine(name: str) -> Diagnostic:
    names = machine_names()
    close = get_close_matches(name.lower(), names, n=1) or [n for n in names if name in n]
    hint = f"write {close[0]!r}; " if close else ""
    return Diagnostic(
        "E0603",
        f"there is no machine {name!r}",
        callsite.location(None),
        f"{hint}the machines are: {', '.join(names)}",
    )
