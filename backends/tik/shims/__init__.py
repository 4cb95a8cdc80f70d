"""Import shims: the modules that TIK scripts import, present only inside `installed()`.

Every module of CANN's packages that a script asks for exists there: those that kernels need do what
they say, of the rest every attribute is an error that names it when it is called.
"""

import sys
from collections.abc import Generator
from contextlib import contextmanager

from tilelang.backends.tik.shims.modules import PACKAGES, make_modules

__all__ = ["PACKAGES", "installed"]


@contextmanager
def installed() -> Generator[None, None, None]:
    """Let `from tbe import tik` and the like reach the recorder inside the `with`.

    Modules of the same names that are imported already, CANN's own for example, are put aside and
    come back; modules that were imported inside are forgotten.
    """
    aside = {name: module for name, module in sys.modules.items() if _is_shimmed(name)}
    for name in aside:
        del sys.modules[name]
    sys.modules.update(make_modules())
    try:
        yield
    finally:
        for name in [name for name in sys.modules if _is_shimmed(name)]:
            del sys.modules[name]
        sys.modules.update(aside)


def _is_shimmed(name: str) -> bool:
    return name.partition(".")[0] in PACKAGES
