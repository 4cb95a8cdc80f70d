"""The kernels that come with tilelang, by name.

They are found as backends are, by name and only when asked for: the language knows no kernel.
"""

import pkgutil
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module

from tilelang.diagnostics import Diagnostic, TileError
from tilelang.kernel import Kernel

_PACKAGE = "tilelang.kernels"


def kernel_names() -> list[str]:
    """Return the names of the shipped kernels, sorted."""
    return sorted(_kernels())


def find_kernel(name: str) -> Kernel:
    """Return the shipped kernel called `name`.

    Raises:
        TileError: E0601 if there is none.
    """
    kernel = _kernels().get(name)
    if kernel is None:
        raise TileError(_unknown_kernel(name))
    return kernel


@cache
def _kernels() -> Mapping[str, Kernel]:
    package = import_module(_PACKAGE)
    modules = [info.name for info in pkgutil.iter_modules(package.__path__, f"{_PACKAGE}.")]
    values = [value for module in modules for value in vars(import_module(module)).values()]
    return {value.name: value for value in values if isinstance(value, Kernel)}


def _unknown_kernel(name: str) -> Diagnostic:
    names = kernel_names()
    close = get_close_matches(name, names, n=1)
    hint = f"write {close[0]!r}" if close else f"use one of: {', '.join(names)}"
    return Diagnostic(
        "E0601",
        f"there is no shipped kernel {name!r}",
        hint=f"{hint}; a kernel of your own is named file.py:name",
    )
