"""Stand-ins for CANN's argument checks: decorators and functions that accept everything."""

from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn, TypeVar

from tilelang.backends.tik.recorder.places import caller
from tilelang.diagnostics import Diagnostic, TileError

Function = TypeVar("Function", bound=Callable[..., object])


def pass_through(*args: object, **kwargs: object) -> Callable[[Function], Function]:
    """Return a decorator that changes nothing."""
    return lambda function: function


def ignore(*args: object, **kwargs: object) -> None:
    """Do nothing."""


class CheckModule(ModuleType):
    """A module of checks: capitals are constants with their own name, the rest accepts anything.

    With `raises` it is a module of error reporters, and calling one is the script's own error.
    """

    def __init__(self, name: str, *, raises: bool = False, **contents: object) -> None:
        """Make the module `name`; `contents` are the functions in it that answer something."""
        super().__init__(name)
        self.__path__ = list[str]()
        self._raises = raises
        self.__dict__.update(contents)

    def __getattr__(self, attribute: str) -> Any:
        """Return a constant, a check that passes, or a reporter that raises."""
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        if attribute.isupper():
            return attribute
        return _reporter(attribute) if self._raises else pass_through


def _reporter(name: str) -> Callable[..., NoReturn]:
    def report(*args: object, **kwargs: object) -> NoReturn:
        values = [*map(str, args), *(f"{key}={value}" for key, value in kwargs.items())]
        message = f"the script refuses its arguments with {name}({', '.join(values)})"
        raise TileError(Diagnostic("E1218", message, caller()))

    return report
