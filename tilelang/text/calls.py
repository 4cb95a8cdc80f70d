"""The arguments of the functions and statements of the text form."""

from collections.abc import Sequence
from difflib import get_close_matches

from tilelang.diagnostics import TileError
from tilelang.text.scope import Scope
from tilelang.text.syntax import Node, in_words


def called_function(node: Node) -> Node | None:
    """Return the name that `node` calls, None if it is no call of a name."""
    if node.kind == "call" and node.children[0].kind == "name":
        return node.children[0]
    return None


def read_arguments(
    node: Node, scope: Scope, required: Sequence[str], optional: Sequence[str] = ()
) -> dict[str, Node]:
    """Return the arguments of a call by parameter; each is given by its place or by its name."""
    function, *arguments = node.children
    names = [*required, *optional]
    usage = f"write `{scope.source.shown(function)}({_parameters(required, optional)})`"
    given: dict[str, Node] = {}
    for place, argument in enumerate(arguments):
        name, value = _parameter(argument, names[place] if place < len(names) else None)
        if name is None or name not in names or name in given:
            raise _not_taken(scope, argument, name, names, usage)
        given[name] = value
    missing = [f"`{name}`" for name in required if name not in given]
    if missing:
        message = f"`{scope.source.shown(function)}` needs {in_words(missing, 'and')}"
        raise scope.error("E0506", message, node, hint=usage)
    return given


def _parameter(argument: Node, at_place: str | None) -> tuple[str | None, Node]:
    if argument.kind == "keyword":
        name, value = argument.children
        return name.text, value
    return at_place, argument


def _not_taken(
    scope: Scope, argument: Node, name: str | None, names: Sequence[str], usage: str
) -> TileError:
    if name is None:
        message = f"at most {len(names)} arguments are taken"
    elif name in names:
        message = f"`{name}` is given twice"
    else:
        message = f"there is no argument `{name}`"
        close = get_close_matches(name, names, n=1)
        usage = f"write `{close[0]}=`" if close else usage
    return scope.error("E0506", message, argument, hint=usage)


def _parameters(required: Sequence[str], optional: Sequence[str]) -> str:
    return ", ".join([*required, *(f"{name}=..." for name in optional)])
