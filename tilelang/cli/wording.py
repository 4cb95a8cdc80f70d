"""What mistakes say where a command line, and not a call in Python, gives the values."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import typer

from tilelang.diagnostics import UNKNOWN, Diagnostic, TileError

_TYPER = Path(typer.__file__).parent
_KEYWORD = re.compile(r"\b(\w+)=")
_OPTIONS = {
    "E0227": "--dims {}=..., a whole number of 0 or more",
    "E0231": "--dtype {}=float16",
    "E0813": "--attr {}=...",
}
_UNKNOWN_SIZE = "E0226"
_BACKEND = re.compile(r"write backend='(\w+)'")
_MACHINE = re.compile(r"pass machine='(\w+)'")
_NOT_FED = re.compile(r"`(\w+)` is not fed")


def as_said(error: TileError) -> Iterator[Diagnostic]:
    """Yield the mistakes of `error`; those of the command line name options, and no Python."""
    said = [_placed(diagnostic) for diagnostic in error.diagnostics]
    sizes = [one for one in said if _is_of_the_line(one) and one.code == _UNKNOWN_SIZE]
    if sizes:
        yield _unknown_sizes(sizes)
    for diagnostic in said:
        if diagnostic not in sizes:
            yield _named(_optioned(diagnostic) if _is_of_the_line(diagnostic) else diagnostic)


def _placed(diagnostic: Diagnostic) -> Diagnostic:
    """Return `diagnostic` without a place that is typer's own."""
    location = diagnostic.location
    if location and _TYPER in Path(location.file).parents:
        return replace(diagnostic, location=None)
    return diagnostic


def _is_of_the_line(diagnostic: Diagnostic) -> bool:
    return diagnostic.location in (None, UNKNOWN)


def _unknown_sizes(diagnostics: Sequence[Diagnostic]) -> Diagnostic:
    """Return one mistake for all sizes that are missing: they are given by one option."""
    names = [_keyword(diagnostic) for diagnostic in diagnostics]
    hint = f"add --dims {','.join(f'{name}=...' for name in names)}"
    if len(names) == 1:
        return replace(diagnostics[0], hint=hint)
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    return replace(diagnostics[0], message=f"the sizes {listed} are not known", hint=hint)


def _named(diagnostic: Diagnostic) -> Diagnostic:
    """Return `diagnostic` with a hint that gives backend and machine as a command line does."""
    hint = _BACKEND.sub(r"write \1", diagnostic.hint or "")
    return replace(diagnostic, hint=_MACHINE.sub(r"add --machine \1", hint) or None)


def _optioned(diagnostic: Diagnostic) -> Diagnostic:
    """Return `diagnostic` with a hint that names the option instead of a keyword."""
    if not_fed := _NOT_FED.search(diagnostic.message):
        name = not_fed[1]
        return replace(diagnostic, hint=f"add --feed {name}={name}.npy, a file of numpy.save")
    option = _OPTIONS.get(diagnostic.code)
    if option is None or not diagnostic.hint or not _KEYWORD.search(diagnostic.hint):
        return diagnostic
    written = option.format(_keyword(diagnostic)).replace("--dtype dtype=", "--dtype ")
    return replace(diagnostic, hint=f"write {written}")


def _keyword(diagnostic: Diagnostic) -> str:
    return _KEYWORD.findall(diagnostic.hint or "")[-1]
