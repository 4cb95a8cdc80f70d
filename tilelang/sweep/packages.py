"""Packages that only a sweep needs, imported when it does."""

from importlib import import_module
from typing import Any

from tilelang.diagnostics import Diagnostic, TileError, callsite


def need(module: str, extra: str) -> Any:
    """Return `module`, which the extra `extra` of tilelang-tik brings.

    Raises:
        TileError: E0604 if it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as missing:
        raise TileError(
            Diagnostic(
                "E0604",
                f"this sweep needs {missing.name!r}, which is not installed",
                callsite.location(None),
                f"run: pip install 'tilelang-tik[{extra}]'",
            )
        ) from missing
