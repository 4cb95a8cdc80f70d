"""Finds what a user names on the command line: `gemm`, `file.py:name`, `file.py` or `file.tile`."""

import sys
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from types import CodeType, ModuleType

from tilelang.diagnostics import Diagnostic, Location, TileError
from tilelang.ir.nodes import Program
from tilelang.kernel import Kernel
from tilelang.shipped import find_kernel as find_shipped
from tilelang.text.parser import parse_file


def find_kernel(text: str) -> Kernel | Program:
    """Return the kernel that `text` names; of a `.tile` file, the program.

    Raises:
        TileError: E0601 for an unknown shipped kernel; E0605 for a file that is not there; E0607,
            E0608 for a file without that kernel, or with several; E0610 for one that is no Python.
    """
    if text.endswith(".tile"):
        return parse_file(text)
    path, colon, name = text.rpartition(":")
    if colon and path.endswith(".py"):
        return _named(path, name, _kernels(Path(path)))
    if text.endswith(".py"):
        return _only(text, _kernels(Path(text)))
    return find_shipped(text)


def _named(path: str, name: str, kernels: Mapping[str, Kernel]) -> Kernel:
    if name not in kernels:
        raise TileError(
            Diagnostic("E0607", f"{path} holds no kernel `{name}`", hint=_choice(path, kernels))
        )
    return kernels[name]


def _only(path: str, kernels: Mapping[str, Kernel]) -> Kernel:
    """Return the one kernel; those that the file imports count where it defines none."""
    own = {name: it for name, it in kernels.items() if it.location.file == path}
    kernels = own or kernels
    if not kernels:
        raise TileError(Diagnostic("E0607", f"{path} holds no kernel", hint=_choice(path, kernels)))
    if len(kernels) > 1:
        message = f"{path} holds {len(kernels)} kernels, and one is wanted"
        raise TileError(Diagnostic("E0608", message, hint=_choice(path, kernels)))
    return next(iter(kernels.values()))


def _choice(path: str, kernels: Mapping[str, Kernel]) -> str:
    if not kernels:
        return "define one at the top level of the file, with `@tl.kernel(...)`"
    return "write " + " or ".join(f"{path}:{name}" for name in kernels)


def _kernels(path: Path) -> dict[str, Kernel]:
    """Run the file and return its kernels, by the names they are bound to, in order."""
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    folder = str(path.parent.resolve())
    if folder not in sys.path:  # so that the file may import its neighbours
        sys.path.insert(0, folder)
    code = _compile(path)
    exec(code, module.__dict__)
    values = vars(module).items()
    return {name: value for name, value in values if isinstance(value, Kernel)}


def _compile(path: Path) -> CodeType:
    source = _read(path)
    try:
        return compile(source, str(path), "exec")
    except SyntaxError as error:
        message = f"{path} is not Python: {error.msg}"
        hint = "mend this line, then run again"
        raise TileError(Diagnostic("E0610", message, _place(path, error), hint=hint)) from None


def _place(path: Path, error: SyntaxError) -> Location:
    before = (error.text or "")[: (error.offset or 1) - 1]  # offset: characters, from 1
    return Location(str(path), error.lineno or 1, len(before.encode()), len(before.encode()) + 1)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TileError(_unreadable(path, error)) from None


def _unreadable(path: Path, error: OSError) -> Diagnostic:
    neighbours = [str(p) for p in path.parent.glob(f"*{path.suffix}")]
    close = get_close_matches(str(path), neighbours, n=1)
    hint = f"write {close[0]}" if close else f"looked in {path.parent.resolve()}"
    return Diagnostic("E0605", f"cannot read {path}: {error.strerror}", hint=hint)
