"""The kernels that come with tilelang, by name.

They are found as backends are, by name and only when asked for: the language knows no kernel.
"""

import pkgutil
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from types import ModuleType

from tilelang.diagnostics import Diagnostic, TileError
from tilelang.kernel import Kernel

_PACKAGE = "tilelang.kernels"


def kernel_names() -> list[str]:
    """Return the names of the shipped kernels, sorted."""
    return sorted(name for module in _modules() for name in _kernels(module))


def find_kernel(name: str) -> Kernel:
    """Return the shipped kernel called `name`.

    Raises:
        TileError: E0601 if there is none.
    """
    modules = sorted(_modules(), key=lambda module: module != name)  # most likely its own file
    for module in modules:
        if name in _kernels(module):
            return _kernels(module)[name]
    raise TileError(_unknown_kernel(name))


def _modules() -> list[str]:
    package = import_module(_PACKAGE)
    return [info.name for info in pkgutil.iter_modules(package.__path__)]


@cache
def _kernels(module: str) -> Mapping[str, Kernel]:
    """Return the kernels that are defined in a file of the package, by their names."""
    found = import_module(f"{_PACKAGE}.{module}")
    kernels = [value for value in vars(found).values() if isinstance(value, Kernel)]
    return {kernel.name: kernel for kernel in kernels if _is_defined_in(found, kernel)}


def _is_defined_in(module: ModuleType, kernel: Kernel) -> bool:
    return kernel.function.__module__ == module.__name__


def _unknown_kernel(name: str) -> Diagnostic:
    names = kernel_names()
    close = get_close_matches(name, names, n=1)
    hint = f"write {close[0]!r}" if close else f"use one of: {', '.join(names)}"
    return Diagnostic(
        "E0601",
        f"there is no shipped kernel {name!r}",
        hint=f"{hint}; a kernel of your own is named file.py:name",
    )
