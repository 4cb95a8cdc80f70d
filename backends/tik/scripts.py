"""Running TIK scripts from files, as `tilelang tik run` does."""

import ast
import linecache
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from tilelang.backends.tik.emulate import emulate
from tilelang.backends.tik.instructions import InstructionProgram
from tilelang.backends.tik.recorder import record
from tilelang.backends.tik.soc import find_soc, machine_soc
from tilelang.diagnostics import Diagnostic, Location, TileError
from tilelang.machines import machine_names


@dataclass(frozen=True, slots=True)
class ScriptRun:
    """What a script built, and what running that gave."""

    program: InstructionProgram
    outputs: Mapping[str, NDArray[Any]]
    warnings: tuple[Diagnostic, ...]


def run_script(
    path: Path,
    entry: str | None,
    arguments: Sequence[str],
    feed: Mapping[str, NDArray[Any]],
    machine: str,
    *,
    tolerate: Iterable[str] = (),
) -> ScriptRun:
    """Record `entry` of the script, or its only function, and emulate what it builds.

    `arguments` are Python values for the entry, "name=value" by keyword. `machine` is one of ours,
    or a chip by CANN's name. Findings with a code in `tolerate` are warnings.

    Raises:
        TileError: E1216 if the script has no such function; E1247 if it is no Python, or fails;
            other E12xx at its line.
    """
    text = _read(path)
    name = entry or _only_function(path, text)
    positional, keywords = _values(arguments)
    soc = machine_soc(machine) if machine in machine_names() else find_soc(machine).name

    def build() -> None:
        function = _namespace(path, text).get(name)
        if not callable(function):
            raise TileError(_no_function(path, name, text))
        function(*positional, **keywords)

    program = record(build, soc=soc)
    run = emulate(program, feed, tolerate=tolerate)
    return ScriptRun(program, run.outputs, run.warnings)


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}"
        raise TileError(Diagnostic("E0605", message, hint="give the path of a script")) from None
    linecache.cache[str(path)] = (len(text), None, text.splitlines(keepends=True), str(path))
    return text


def _tree(path: Path, text: str) -> ast.Module:
    try:
        return ast.parse(text, str(path))
    except SyntaxError as error:
        place = Location(str(path), error.lineno or 1)
        message = f"{path} is not Python: {error.msg}"
        raise TileError(Diagnostic("E1247", message, place, "mend this line")) from None


def _functions(path: Path, text: str) -> list[str]:
    return [node.name for node in _tree(path, text).body if isinstance(node, ast.FunctionDef)]


def _only_function(path: Path, text: str) -> str:
    names = _functions(path, text)
    if len(names) == 1:
        return names[0]
    if path.stem in names:
        return path.stem
    message = f"{path} has {len(names)} functions, and the one that builds the kernel is wanted"
    hint = f"write {path}:{names[-1]}" if names else "define a function that calls BuildCCE"
    raise TileError(Diagnostic("E1216", message, hint=hint))


def _no_function(path: Path, name: str, text: str) -> Diagnostic:
    names = ", ".join(_functions(path, text))
    return Diagnostic("E1216", f"{path} has no function {name!r}", hint=f"it has: {names}")


def _namespace(path: Path, text: str) -> dict[str, object]:
    folder = str(path.parent.resolve())
    if folder not in sys.path:  # so that the script may import its neighbours
        sys.path.insert(0, folder)
    namespace: dict[str, object] = {"__name__": path.stem, "__file__": str(path)}
    exec(compile(_tree(path, text), str(path), "exec"), namespace)
    return namespace


def _values(arguments: Sequence[str]) -> tuple[list[object], dict[str, object]]:
    """Return the positional values and the keywords that `arguments` stand for."""
    positional: list[object] = []
    keywords: dict[str, object] = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if equals and name.isidentifier():
            keywords[name] = _value(value)
        else:
            positional.append(_value(argument))
    return positional, keywords


def _value(text: str) -> object:
    """Return a Python literal, or the text itself where it is none."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
