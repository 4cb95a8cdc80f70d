"""The long explanation of every error code, as `tilelang explain E0312` prints it.

The texts are data: `<area>.toml` beside this file holds one table a code, with a `title` and a
`text` of two or three short paragraphs.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from tilelang.diagnostics import Diagnostic, TileError


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one error code means: the rule, why it exists, a wrong and a right example."""

    code: str
    title: str
    text: str

    def __str__(self) -> str:
        """Return the whole text, a blank line under the title, without a final newline."""
        return f"{self.code}: {self.title}\n\n{self.text.strip()}"


@cache
def explanations() -> Mapping[str, Explanation]:
    """Return every explanation by its code, in the order of the codes."""
    found = [
        Explanation(code, entry["title"], entry["text"])
        for area in files(__name__).iterdir()
        if area.name.endswith(".toml")
        for code, entry in tomllib.loads(area.read_text(encoding="utf-8")).items()
    ]
    return {one.code: one for one in sorted(found, key=lambda one: one.code)}


def explain(code: str) -> str:
    """Return the explanation of `code` ("E0312", in any case).

    Raises:
        TileError: E0606 if there is no such code.
    """
    explanation = explanations().get(code.upper())
    if explanation is None:
        raise TileError(_unknown_code(code))
    return str(explanation)


def _unknown_code(code: str) -> Diagnostic:
    close = get_close_matches(code.upper(), explanations(), n=3)
    if close:
        hint = f"did you mean {' or '.join(close)}?"
    else:
        hint = "write a code such as E0312; `tilelang explain` lists them all"
    return Diagnostic("E0606", f"there is no error code {code!r}", hint=hint)
