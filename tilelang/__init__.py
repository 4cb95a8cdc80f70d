"""Write tile-level accelerator kernels in Python, and trust them.

`import tilelang as tl`; a kernel is a function decorated with `tl.kernel`, and everything its body
calls is here too.
"""

from pathlib import Path
from typing import NoReturn

__version__ = "0.1.0"

# In a checkout backends/ and kernels/ lie beside this folder; a wheel holds them inside it.
_root = Path(__file__).parents[1]
if (_root / "pyproject.toml").is_file():
    __path__.append(str(_root))

# ruff: noqa: E402 - the path is complete only now

import tilelang.language as language
import tilelang.sweep as sweep
from tilelang.decorator import kernel
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.dtypes import DType
from tilelang.kernel import Kernel
from tilelang.language import *  # noqa: F403 - the language is what `tl.` stands for
from tilelang.language.spellings import unknown_name
from tilelang.sweep import best, best_rule

__all__ = ["DType", "Diagnostic", "Kernel", "TileError", "best", "best_rule", "kernel", "sweep"]
__all__ += language.__all__


def __getattr__(name: str) -> NoReturn:
    """Refuse a name that is not here, and say how it is spelt."""
    if name.startswith("_"):  # the import system looks for such names
        raise AttributeError(name)
    raise unknown_name(name, __all__)
