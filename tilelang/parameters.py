"""The parameters of a kernel's function, matched with its signature, and their values in a call."""

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from tilelang.diagnostics import Diagnostic, Location, Note, TileError
from tilelang.dtypes import ELEMENT_TYPES, DType, DTypeLike, find_dtype
from tilelang.text.dimension import dim_names
from tilelang.text.signature import Signature


@dataclass(frozen=True, slots=True)
class Request:
    """The keywords of a call, sorted: sizes, attributes, tile parameters, backend options."""

    dims: dict[str, int]
    attributes: dict[str, int]
    tiles: dict[str, int]
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a kernel is called with: inputs by position, the rest by name."""

    kernel: str
    location: Location
    inputs: tuple[str, ...]
    dims: tuple[str, ...]
    attributes: dict[str, int | None]
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
        close = get_close_matches(name, known, n=1)
        return Diagnostic(
            "E0808",
            f"`{self.kernel}` has no tile parameter, attribute or size called `{name}`",
            location,
            f"did you mean `{close[0]}`?" if close else f"it has {', '.join(known)}",
            (Note(f"`{self.kernel}` is defined", self.location),),
        )

    def complete_attributes(self, given: Mapping[str, int], location: Location) -> dict[str, int]:
        """Return a value for every attribute.

        Raises:
            TileError: E0813 for one that is missing, E0814 for one that is not an int or bool.
        """
        values = {**self.attributes, **given}
        faults = [
            fault
            for name, value in values.items()
            if (fault := _attribute_fault(self.kernel, name, value, location))
        ]
        if faults:
            raise TileError(*faults)
        return {name: value for name, value in values.items() if value is not None}

    def complete_tiles(self, given: Mapping[str, int], location: Location) -> dict[str, int]:
        """Return a value for every tile parameter.

        Raises:
            TileError: E0815 for one that is not a positive int.
        """
        values = {**self.tiles, **given}
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
            not take, E0812 for a tile parameter without a positive default.
    """
    parameters = inspect.signature(function).parameters
    tensors = [name for name, it in parameters.items() if it.kind is not it.KEYWORD_ONLY]
    keywords = {name: it.default for name, it in parameters.items() if name not in tensors}
    wanted = [tensor.name for tensor in (*signature.inputs, *signature.results)]
    faults: list[Diagnostic] = []
    if tensors != wanted:
        faults.append(
            Diagnostic(
                "E0810",
                f"`{function.__name__}` takes ({', '.join(tensors)}), but its signature names "
                f"({', '.join(wanted)})",
                location,
                f"write `def {function.__name__}({', '.join(wanted)}, *, ...)`: inputs, then "
                "results, then keywords after `*`",
            )
        )
    missing = [name for name in signature.attributes if name not in keywords]
    faults += [_missing_attribute(function.__name__, name, location) for name in missing]
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
    attributes = {
        name: None if keywords[name] is inspect.Parameter.empty else keywords[name]
        for name in signature.attributes
    }
    inputs = tuple(tensor.name for tensor in signature.inputs)
    names = [name for it in signature.tensors for dim in it.dims for name in dim_names(dim)]
    dims = tuple(dict.fromkeys(name for name in names if name not in signature.attributes))
    return Parameters(function.__name__, location, inputs, dims, attributes, tiles)


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
    if dtype is None:
        names = ", ".join(dtype.value for dtype in ELEMENT_TYPES)
        message = f"dtype {like!r} for `{name}` is not an element type"
        raise TileError(Diagnostic("E0809", message, location, f"use one of {names}"))
    return dtype


def _is_positive(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _missing_attribute(function: str, name: str, location: Location) -> Diagnostic:
    return Diagnostic(
        "E0811",
        f"the signature names the attribute `{name}`, which `{function}` does not take",
        location,
        f"add it after `*`: `def {function}(..., *, {name}: int = 0)`",
    )


def _tile_without_default(name: str, location: Location) -> Diagnostic:
    return Diagnostic(
        "E0812",
        f"the tile parameter `{name}` has no default that is a positive int",
        location,
        f"write `{name}: int = 64`; if it changes the result, name it after `;` in the signature",
    )


def _attribute_fault(
    kernel: str, name: str, value: object, location: Location
) -> Diagnostic | None:
    if value is None:
        return Diagnostic(
            "E0813",
            f"`{kernel}` is called without its attribute `{name}`",
            location,
            f"pass {name}=...; it has no default",
        )
    if not isinstance(value, int):
        return Diagnostic(
            "E0814",
            f"attribute `{name}` is {value!r}, wanted an int or a bool",
            location,
            f"write {name}=1",
        )
    return None
