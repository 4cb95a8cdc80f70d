"""Calls with other arguments than a function takes, and how it is called instead."""

import inspect
from collections.abc import Callable


def is_of_the_call(error: TypeError) -> bool:
    """Return whether `error` is of the call that the catching frame made, not of what it ran."""
    trace = error.__traceback__
    return trace is None or trace.tb_next is None


def misfit(name: str, error: TypeError) -> str:
    """Return what is wrong with a call of `name`, as the middle of a sentence about it."""
    said = str(error)
    reason = said.partition("() ")[2] or said
    return f"`{name}` {f'is {reason}' if reason.startswith('missing') else reason}"


def form(name: str, function: Callable[..., object]) -> str:
    """Return how `name` is called: its parameters and defaults, without `self` and annotations."""
    return f"{name}{inspect.Signature(_parameters(function))}"


def short_form(name: str, function: Callable[..., object]) -> str:
    """Return how `name` is called at least, with `...` for all that may be left out."""
    required: list[str] = []
    is_whole = True
    for parameter in _parameters(function):
        if parameter.default is not parameter.empty or parameter.kind is parameter.VAR_KEYWORD:
            is_whole = False
        elif parameter.kind is parameter.KEYWORD_ONLY:
            required.append(f"{parameter.name}=...")
        else:
            required.append(str(parameter))
    return f"{name}({', '.join(required if is_whole else [*required, '...'])})"


def _parameters(function: Callable[..., object]) -> list[inspect.Parameter]:
    parameters = inspect.signature(function).parameters.values()
    bare = (parameter.replace(annotation=parameter.empty) for parameter in parameters)
    return [parameter for parameter in bare if parameter.name != "self"]
