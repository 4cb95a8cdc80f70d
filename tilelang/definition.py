"""What a kernel is defined from: a signature as text, a plain function, a rule for tiles."""

import inspect
from collections.abc import Callable

from tilelang.diagnostics import Diagnostic, Location, TileError


def check_signature_is_text(signature: object, location: Location) -> None:
    """Check what `tl.kernel` is called with.

    Raises:
        TileError: E0816 for `@tl.kernel` without parentheses, or anything else that is no text.
    """
    if not isinstance(signature, str):
        found = "nothing" if callable(signature) else repr(signature)
        raise TileError(
            Diagnostic(
                "E0816",
                f"`tl.kernel` is given {found}, wanted the signature as text",
                location,
                'write `@tl.kernel("x[M, N]: T -> y[M, N]: T")` above the function',
            )
        )


def check_is_plain_function(function: object, location: Location) -> None:
    """Check what `tl.kernel` decorates.

    Raises:
        TileError: E0816 for anything that does not run to its end when it is called.
    """
    found = None
    if not inspect.isfunction(function):
        found = f"a {type(function).__name__}"
    elif inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        found = "a generator, which runs nothing when it is called"
    elif inspect.iscoroutinefunction(function):
        found = "an `async def`, which runs nothing when it is called"
    if found:
        raise TileError(
            Diagnostic(
                "E0816",
                f"`tl.kernel` decorates {found}, wanted a plain function",
                location,
                "write a `def` without `yield` or `async` below it; other decorators, such as "
                "`@staticmethod`, stand above `@tl.kernel`",
            )
        )


def check_tile_rule(rule: Callable[..., object], location: Location) -> None:
    """Check that `rule` can be asked for tiles.

    Raises:
        TileError: E0820 if it does not take (dims, dtypes, machine).
    """
    try:
        inspect.signature(rule).bind({}, {}, "")
    except TypeError:
        found = f"takes {inspect.signature(rule)}, wanted (dims, dtypes, machine)"
        message = f"the rule that chooses tiles {found}"
        hint = "write `def rule(dims, dtypes, machine):`, which returns a dict of tile parameters"
        raise TileError(Diagnostic("E0820", message, location, hint)) from None
