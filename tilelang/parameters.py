"""The parameters of a kernel's function, matched with its signature, and their values in a call."""

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from tilelang.attributes import (
    Attribute,
    as_python,
    complete_attributes,
    default_faults,
    read_attribute,
)
from tilelang.diagnostics import Diagnostic, Location, Note, TileError
from tilelang.dtypes import ELEMENT_TYPES, DType, DTypeLike, dtype_hint, find_dtype
from tilelang.text.dimension import dim_names
from tilelang.text.signature import Signature


@dataclass(frozen=True, slots=True)
class Request:
    """The keywords of a call, sorted: sizes, attributes, tile parameters, backend options."""

    dims: dict[str, int]
    attributes: dict[str, Any]
    tiles: dict[str, int]
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a kernel is called with: inputs by position, the rest by name."""

    kernel: str
    location: Location
    inputs: tuple[str, ...]
    dims: tuple[str, ...]
    attributes: dict[str, Attribute]
    tiles: dict[str, int]

    def sort(
        self, keywords: Mapping[str, Any], options: frozenset[str], location: Location
    ) -> Request:
        """Sort the keywords of a call by what they name; `options` are the backend's.

        Raises:
            TileError: E0808 for a keyword that names nothing, with the nearest that does.
        """
        request = Request({}, {}, {}, {})
        places: list[tuple[Collection[str], dict[str, Any]]] = [
            (self.dims, request.dims),
            (self.attributes, request.attributes),
            (self.tiles, request.tiles),
            (options, request.options),
        ]
        faults: list[Diagnostic] = []
        for name, value in keywords.items():
            place = next((place for names, place in places if name in names), None)
            if place is None:
                known = [known for names, _ in places for known in sorted(names)]
                faults.append(self._unknown_keyword(name, known, location))
            else:
                place[name] = value
        if faults:
            raise TileError(*faults)
        return request

    def _unknown_keyword(self, name: str, known: Sequence[str], location: Location) -> Diagnostic:
        alike = [one for one in known if one.lower() == name.lower()]
        close = alike or get_close_matches(name, known, n=1)
        message = f"`{self.kernel}` has no tile parameter, attribute or size called `{name}`"
        hint = f"did you mean `{close[0]}`?" if close else f"it has {', '.join(known)}"
        if name in self.inputs:
            message = f"the input `{name}` of `{self.kernel}` is given by keyword"
            hint = f"pass the inputs by position: `{self.kernel}({', '.join(self.inputs)})`"
        return Diagnostic(
            "E0808",
            message,
            location,
            hint,
            (Note(f"`{self.kernel}` is defined", self.location),),
        )

    def complete_attributes(self, given: Mapping[str, Any], location: Location) -> dict[str, float]:
        """Return a value for every attribute: a bool, an int or a float, as it is declared.

        Raises:
            TileError: E0813 for one that is missing, E0814 for one that is no number of its kind.
        """
        defined = Note(f"`{self.kernel}` is defined", self.location)
        return complete_attributes(self.attributes, given, location, defined)

    def check_chosen(self, chosen: object, location: Location) -> None:
        """Check what the rule of `kernel.tiles` returned.

        Raises:
            TileError: E0820 for something else than a dict of tile parameters.
        """
        rule: Any = chosen
        names: list[object] = [*rule] if isinstance(chosen, Mapping) else [chosen]
        wrong = [name for name in names if name not in self.tiles]
        if wrong:
            message = f"the rule that chooses tiles for `{self.kernel}` returns {chosen!r}"
            hint = f"return a dict of some of its tile parameters: {', '.join(self.tiles)}"
            raise TileError(Diagnostic("E0820", message, location, hint))

    def complete_tiles(self, given: Mapping[str, int], location: Location) -> dict[str, int]:
        """Return a value for every tile parameter.

        Raises:
            TileError: E0815 for one that is not a positive int.
        """
        values = {name: as_python(value) for name, value in {**self.tiles, **given}.items()}
        faults = [
            Diagnostic(
                "E0815",
                f"tile parameter `{name}` is {value!r}, wanted a positive int",
                location,
                f"write {name}={self.tiles.get(name, 16)}",
            )
            for name, value in values.items()
            if not _is_positive(value)
        ]
        if faults:
            raise TileError(*faults)
        return {name: int(value) for name, value in values.items()}


def read_parameters(
    function: Callable[..., None], signature: Signature, location: Location
) -> Parameters:
    """Return what `function` takes, which must match `signature`.

    Raises:
        TileError: E0810 if its tensors are not the signature's, E0811 for an attribute that it does
            not take, E0812 for a tile parameter without a positive default, E0814 for a default
            that is no number of its attribute's kind, E0817 for a name that a call could not tell
            from another, E0821 for a size made of a float.
    """
    parameters = inspect.signature(function).parameters
    tensors = [name for name, it in parameters.items() if it.kind is not it.KEYWORD_ONLY]
    keywords = {name: it.default for name, it in parameters.items() if name not in tensors}
    faults = list(_tensor_faults(function.__name__, tensors, signature, location))
    faults += _name_faults(signature, keywords, location)
    missing = [name for name in signature.attributes if name not in keywords]
    faults += [_missing_attribute(function.__name__, name, location) for name in missing]
    attributes = {
        name: read_attribute(name, parameters[name])
        for name in signature.attributes
        if name in keywords
    }
    faults += default_faults(function.__name__, attributes.values(), location)
    faults += _fraction_faults(signature, attributes, location)
    tiles = {
        name: default for name, default in keywords.items() if name not in signature.attributes
    }
    faults += [
        _tile_without_default(name, location)
        for name, default in tiles.items()
        if not _is_positive(default)
    ]
    if faults:
        raise TileError(*faults)
    inputs = tuple(tensor.name for tensor in signature.inputs)
    dims = tuple(name for name in _sizes(signature) if name not in signature.attributes)
    return Parameters(function.__name__, location, inputs, dims, attributes, tiles)


_KEYWORDS = ("out", "backend", "backends", "machine", "dtype", "seed", "budget", "tiles", "plan")
"""What `__call__`, `program`, `source`, `check`, `fuzz` and `sweep` take for themselves."""


def _name_faults(
    signature: Signature, keywords: Collection[str], location: Location
) -> Iterator[Diagnostic]:
    """Yield the names that a call's keywords could not tell from one another."""
    inputs = [tensor.name for tensor in signature.inputs]
    for name in dict.fromkeys((*inputs, *_sizes(signature), *keywords)):
        if name in _KEYWORDS:
            yield Diagnostic(
                "E0817",
                f"`{name}` is a keyword that every kernel takes for itself",
                location,
                f"give it another name than {', '.join(_KEYWORDS)}",
            )
    for name in keywords:
        if name in _sizes(signature) and name not in signature.attributes:
            yield Diagnostic(
                "E0817",
                f"`{name}` is a size of the signature and a tile parameter",
                location,
                f"take the size from a tensor's shape, or name `{name}` after `;` as an attribute",
            )


def _sizes(signature: Signature) -> list[str]:
    """Return the names in the dimensions of all tensors."""
    names = (name for it in signature.tensors for dim in it.dims for name in dim_names(dim))
    return list(dict.fromkeys(names))


def read_dtypes(
    signature: Signature, dtype: DTypeLike | Mapping[str, DTypeLike] | None, location: Location
) -> dict[str, DType]:
    """Return the dtype that `dtype=` gives each variable: one for all, or by name.

    Raises:
        TileError: E0809 for something that is not an element type.
    """
    if dtype is None:
        return {}
    variables = signature.dtype_variables
    given = dtype if isinstance(dtype, Mapping) else dict.fromkeys(variables, dtype)
    return {name: _element_type(name, like, location) for name, like in given.items()}


def _element_type(name: str, like: DTypeLike, location: Location) -> DType:
    dtype = find_dtype(like)
    if dtype is None or dtype not in ELEMENT_TYPES:
        message = f"dtype {like!r} for `{name}` is not an element type"
        raise TileError(Diagnostic("E0809", message, location, dtype_hint(like)))
    return dtype


def _is_positive(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _tensor_faults(
    function: str, tensors: Sequence[str], signature: Signature, location: Location
) -> Iterator[Diagnostic]:
    """Yield E0810 if the parameters `tensors` of `function` are not those of `signature`."""
    wanted = [tensor.name for tensor in (*signature.inputs, *signature.results)]
    if tensors != wanted:
        names = ", ".join(wanted)
        yield Diagnostic(
            "E0810",
            f"`{function}` takes ({', '.join(tensors)}), but its signature names ({names})",
            location,
            f"write `def {function}({names}, *, ...)`: inputs, then results, then keywords after "
            "`*`",
        )


def _missing_attribute(function: str, name: str, location: Location) -> Diagnostic:
    return Diagnostic(
        "E0811",
        f"the signature names the attribute `{name}`, which `{function}` does not take",
        location,
        f"add it after `*`: `def {function}(..., *, {name}: int = 0)`, or `: float`, or `: bool`",
    )


def _fraction_faults(
    signature: Signature, attributes: Mapping[str, Attribute], location: Location
) -> Iterator[Diagnostic]:
    """Yield the attributes that are floats and occur in sizes, which are whole numbers."""
    for name in _sizes(signature):
        if name in attributes and attributes[name].kind is float:
            message = f"the attribute `{name}` is a float and occurs in a size of the signature"
            hint = f"declare `{name}: int`, or take the size from a tensor's shape"
            yield Diagnostic("E0821", message, location, hint)


def _tile_without_default(name: str, location: Location) -> Diagnostic:
    return Diagnostic(
        "E0812",
        f"the tile parameter `{name}` has no default that is a positive int",
        location,
        f"write `{name}: int = 64`; if it changes the result, name it after `;` in the signature",
    )
