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

AREAS = {
    "E01": "front end",
    "E02": "arguments",
    "E03": "rules of programs",
    "E04": "execution",
    "E05": "text form",
    "E06": "names and files",
    "E07": "check",
    "E08": "calls",
    "E09": "sweeps",
    "E11": "llvm",
    "E12": "tik",
    "E13": "triton",
}
"""What the codes of each hundred are about."""


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
    """Return the mistake; near is a code whose digits are in another order, or lack their zeros."""
    full = f"E{code.upper().removeprefix('E').zfill(4)}"
    slips = [known for known in explanations() if sorted(known) == sorted(full)]
    slips = [full] if full in slips else slips
    areas = ", ".join(f"{area}xx {what}" for area, what in AREAS.items())
    hint = f"write a code such as E0312; `tilelang explain` lists them all: {areas}"
    if slips:
        hint = f"did you mean {' or '.join(get_close_matches(full, slips, n=3, cutoff=0))}?"
    return Diagnostic("E0606", f"there is no error code {code!r}", hint=hint)
