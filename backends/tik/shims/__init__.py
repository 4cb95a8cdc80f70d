"""Import shims: the modules that TIK scripts import, present only inside `installed()`.

Every module of CANN's packages that a script asks for exists there: those that kernels need do what
they say, of the rest every attribute is an error that names it when it is called.
"""

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from tilelang.backends.tik.shims.modules import PACKAGES, Shim, make_modules

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
    finder = _ShimFinder()
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _is_shimmed(name)]:
            del sys.modules[name]
        sys.modules.update(aside)


class _ShimLoader(Loader):
    """Makes an empty shim, whose attributes are errors when they are called."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return Shim(spec.name, {})

    def exec_module(self, module: ModuleType) -> None:
        pass


class _ShimFinder(MetaPathFinder):
    """Finds the modules of CANN's packages that `make_modules` does not list."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not _is_shimmed(fullname):
            return None
        return ModuleSpec(fullname, _ShimLoader(), is_package=True)


def _is_shimmed(name: str) -> bool:
    return name.partition(".")[0] in PACKAGES
