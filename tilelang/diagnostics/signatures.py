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
    signature = inspect.signature(function)
    bare = [it.replace(annotation=inspect.Parameter.empty) for it in signature.parameters.values()]
    kept = [it for it in bare if it.name != "self"]
    return f"{name}{inspect.Signature(kept)}"
