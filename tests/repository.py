"""The files of the repository, for the tests of the repository itself."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]

PACKAGES = {"tilelang": "tilelang", "backends": "tilelang.backends", "kernels": "tilelang.kernels"}
"""Folders that are installed, and the names they are imported by."""

FOLDERS = (*PACKAGES, "tests", "bench")
"""Every folder that holds Python."""


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file; `path` is relative to the root, `module` the name it is imported by."""

    path: str
    module: str

    @property
    def text(self) -> str:
        """What the file holds."""
        return (ROOT / self.path).read_text(encoding="utf-8")

    def parse(self) -> ast.Module:
        """Return the syntax tree."""
        return ast.parse(self.text, self.path)


def sources(*folders: str) -> Iterator[Source]:
    """Yield the Python files of `folders`, sorted; links and their targets count once."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            relative = path.relative_to(ROOT)
            if "typings" not in relative.parts:
                yield Source(relative.as_posix(), _module(folder, path))


def _module(folder: str, path: Path) -> str:
    parts = path.relative_to(ROOT / folder).with_suffix("").parts
    name = ".".join((PACKAGES.get(folder, folder), *parts))
    return name.removesuffix(".__init__")
