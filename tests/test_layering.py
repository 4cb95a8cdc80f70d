"""Imports point down or stay inside one entry, and never go round in a circle.

An entry is the language (`tilelang`), its command line, the kernels, or one backend.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from tempfile import gettempdir

import pytest

from tests.repository import PACKAGES, ROOT, Source, sources

LANGUAGE, CLI, BACKENDS, KERNELS = (
    "tilelang",
    "tilelang.cli",
    "tilelang.backends",
    "tilelang.kernels",
)
PACKAGE = tuple(sources(*PACKAGES))
MODULES = {source.module for source in PACKAGE}
OWN_NAMES = {"tilelang", "backends", "kernels", "bench", "tests"}

MAY_REQUIRE = {
    LANGUAGE: {"hypothesis", "lark", "matplotlib", "ml_dtypes", "numpy", "threadpoolctl"},
    CLI: {"numpy", "rich", "typer"},
}
"""Packages of others that an entry may import; entries not named here: any that is declared."""


@dataclass(frozen=True, slots=True)
class Import:
    """`module` at line `line` of a file; `deferred` inside a function or under TYPE_CHECKING."""

    module: str
    line: int
    deferred: bool


def entry_of(module: str) -> str:
    """Return the entry that `module` belongs to; a backend is an entry of its own."""
    first = module.split(".")[0]
    if first in ("backends", "kernels"):  # a second copy of the same modules
        module = f"tilelang.{module}"
    if module.startswith(f"{BACKENDS}."):
        return ".".join(module.split(".")[:3])
    if module == f"{LANGUAGE}.__main__":  # the command line by another name
        return CLI
    for entry in (CLI, BACKENDS, KERNELS):
        if f"{module}.".startswith(f"{entry}."):
            return entry
    return first


def may_import(entry: str) -> set[str]:
    """Return the entries that modules of `entry` may import."""
    return {LANGUAGE, entry}


def imports(source: Source) -> Iterator[Import]:
    """Yield what `source` imports; of `from a import b`, `a.b`."""
    tree = source.parse()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, node not in tree.body)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(source, node)
            for alias in node.names:
                yield Import(f"{base}.{alias.name}", node.lineno, node not in tree.body)


def absolute(source: Source, node: ast.ImportFrom) -> str:
    """Return the module that a `from` names, dots resolved."""
    if not node.level:
        return node.module or ""
    is_package = source.path.endswith("__init__.py")
    parts = source.module.split(".")
    parent = parts[: len(parts) - node.level + is_package]
    return ".".join([*parent, *filter(None, [node.module])])


def is_own(module: str) -> bool:
    return module.split(".")[0] in OWN_NAMES


@pytest.mark.parametrize("source", PACKAGE, ids=lambda source: source.module)
def test_imports_point_down(source: Source):
    allowed = may_import(entry_of(source.module))
    wrong = [
        f"{source.path}:{found.line}: {source.module} imports {found.module}"
        for found in imports(source)
        if is_own(found.module) and entry_of(found.module) not in allowed
    ]
    assert not wrong, "\n".join(wrong)


def test_the_rule_knows_a_wrong_import():
    assert entry_of("tilelang.backends.numpy.x") not in may_import(entry_of("tilelang.ir.nodes"))
    assert entry_of("tilelang.backends.tik") not in may_import(entry_of("tilelang.backends.numpy"))
    assert entry_of("tilelang.backends.numpy") not in may_import(entry_of("tilelang.kernels.gemm"))
    assert entry_of("kernels.gemm") not in may_import(entry_of("tilelang.backends.numpy"))
    assert entry_of("bench.gemm") not in may_import(entry_of("tilelang.kernels.gemm"))
    assert entry_of("tilelang.cli") not in may_import(entry_of("tilelang.kernel"))
    assert entry_of("tilelang.kernel") in may_import(entry_of("tilelang.kernels.gemm"))
    assert entry_of("tilelang") in may_import(entry_of("tilelang.kernels.gemm"))


def test_modules_do_not_import_each_other_in_a_circle():
    graph = {source.module: set(_modules_at_load(source)) for source in PACKAGE}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("a circle of imports: " + " <- ".join(error.args[1]))


def _modules_at_load(source: Source) -> Iterator[str]:
    for found in imports(source):
        if not found.deferred:
            yield found.module if found.module in MODULES else found.module.rpartition(".")[0]


def test_packages_of_others_are_declared_and_stay_where_they_belong():
    declared = _declared_packages()
    wrong = [
        f"{source.path}:{found.line}: {source.module} imports {found.module}"
        for source in PACKAGE
        for found in imports(source)
        if not is_own(found.module)
        and (name := found.module.split(".")[0]) not in sys.stdlib_module_names
        and name not in MAY_REQUIRE.get(entry_of(source.module), declared)
    ]
    assert not wrong, "\n".join(wrong)
    assert set().union(*MAY_REQUIRE.values()) <= declared


def _declared_packages() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"]]
    wanted += [one for extra, names in extras.items() if extra != "dev" for one in names]
    return {re.split(r"[^\w.-]", requirement)[0] for requirement in wanted}


def test_nothing_points_outside_the_repository():
    files = [path for folder in PACKAGES for path in (ROOT / folder).rglob("*") if path.is_file()]
    texts = [path for path in files if path.suffix in (".py", ".toml", ".lark", ".md")]
    places = {ROOT, ROOT.parent, Path.home(), Path(gettempdir())} - {Path("/")}
    outside = re.compile("|".join([r"\bshared/", *(re.escape(f"{place}/") for place in places)]))
    wrong = [
        str(path.relative_to(ROOT))
        for path in texts
        if outside.search(path.read_text(encoding="utf-8"))
    ]
    assert not wrong, "these mention a folder that a checkout does not have: " + ", ".join(wrong)
