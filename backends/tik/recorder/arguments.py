"""Binds the arguments of TIK calls, and reads them as parts of instructions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from tilelang.backends.tik.instructions import BitMask, Expr, Mask, Operand
from tilelang.backends.tik.recorder.tensors import TensorValue
from tilelang.backends.tik.recorder.values import expression
from tilelang.backends.tik.recorder.variables import ScalarValue
from tilelang.diagnostics import Diagnostic, Location, TileError

_REQUIRED = object()


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters of a method: names with defaults; `accepts_more` swallows trailing ones.

    `unrecorded` are those of which only the default is recorded.
    """

    names: tuple[str, ...]
    defaults: Mapping[str, object]
    unrecorded: frozenset[str]
    accepts_more: bool


@cache
def parse_signature(text: str) -> Signature:
    """Return the signature written as `"dst src index=0 *"`.

    Defaults are 0, None after `=?`, and None after `=!`, where nothing else is recorded.
    """
    words = text.split()
    names = [word.partition("=")[0] for word in words if word != "*"]
    defaults = {
        word.partition("=")[0]: None if word.endswith(("=?", "=!")) else 0
        for word in words
        if "=" in word
    }
    unrecorded = frozenset(word.removesuffix("=!") for word in words if word.endswith("=!"))
    return Signature(tuple(names), defaults, unrecorded, "*" in words)


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of one call of `method`, by name, and where the call stands."""

    method: str
    values: Mapping[str, object]
    loc: Location
    extra: tuple[object, ...] = ()

    def given(self, name: str) -> bool:
        """Return whether `name` has a value other than None."""
        return self.values.get(name) is not None

    def expr(self, name: str) -> Expr:
        """Return an argument as an expression."""
        value = self.values[name]
        if value is None or isinstance(value, str | list | tuple):
            raise self.error(name, "a number, a Scalar or an expression")
        return expression(value)

    def exprs(self, name: str, length: int) -> tuple[Expr, ...]:
        """Return a list of `length` expressions."""
        return tuple(expression(item) for item in self.items(name, length))

    def pair(self, name: str) -> tuple[Expr, Expr]:
        """Return the arguments `name`_w and `name`_h: (width, height)."""
        return self.expr(f"{name}_w"), self.expr(f"{name}_h")

    def items(self, name: str, length: int) -> Sequence[object]:
        """Return an argument that is a list or tuple of `length`."""
        value = self.values[name]
        if not isinstance(value, list | tuple) or len(value) != length:  # pyright: ignore[reportUnknownArgumentType]
            raise self.error(name, f"a list of {length}")
        return value  # pyright: ignore[reportUnknownVariableType]

    def integer(self, name: str) -> int:
        """Return an argument that must be a number while the script runs."""
        value = self.expr(name)
        if not isinstance(value, int):
            raise self.error(name, "an int known while the script runs")
        return value

    def integers(self, name: str, length: int) -> tuple[int, ...]:
        """Return a list of `length` plain integers."""
        values = self.exprs(name, length)
        if not all(isinstance(value, int) for value in values):
            raise self.error(name, f"a list of {length} ints")
        return tuple(value for value in values if isinstance(value, int))

    def flag(self, name: str) -> bool:
        """Return an argument that is a Python bool or int."""
        return bool(self.values[name])

    def word(self, name: str) -> str:
        """Return an argument that is a string."""
        value = self.values[name]
        if not isinstance(value, str):
            raise self.error(name, "a string")
        return value

    def operand(self, name: str) -> Operand:
        """Return the start address of a tensor argument."""
        value = self.values[name]
        if not isinstance(value, TensorValue):
            raise self.error(name, "a tensor")
        return value.operand()

    def operands(self, name: str, length: int) -> tuple[Operand, ...]:
        """Return the start addresses of a list of tensors."""
        tensors = [item for item in self.items(name, length) if isinstance(item, TensorValue)]
        if len(tensors) != length:
            raise self.error(name, f"a list of {length} tensors")
        return tuple(tensor.operand() for tensor in tensors)

    def scalar(self, name: str) -> ScalarValue:
        """Return an argument that is a Scalar, to be set."""
        value = self.values[name]
        if not isinstance(value, ScalarValue):
            raise self.error(name, "a Scalar")
        return value

    def mask(self) -> Mask:
        """Return the argument `mask`: a count of lanes, or `[high, low]`."""
        value = self.values["mask"]
        if isinstance(value, list | tuple):
            high, low = self.exprs("mask", 2)
            return BitMask(high, low)
        return self.expr("mask")

    def error(self, name: str, wanted: str) -> TileError:
        """Return E1201: argument `name` is not what was wanted."""
        found = self.values.get(name)
        shown = repr(found) if isinstance(found, int | float | str | None) else _kind(found)
        return TileError(
            Diagnostic("E1201", f"{self.method}: `{name}` is {shown}; it takes {wanted}", self.loc)
        )


def bind(
    method: str, signature: str, args: Sequence[object], kwargs: Mapping[str, object], loc: Location
) -> Arguments:
    """Return the arguments of a call of `method`.

    Raises:
        TileError: E1201 for unknown, repeated, missing or too many arguments; E1214 for one that
            would change what the instruction does, and is not recorded.
    """
    parsed = parse_signature(signature)
    values = dict(zip(parsed.names, args, strict=False))
    extra = tuple(args[len(parsed.names) :])
    faults = list(_faults(parsed, values, kwargs, extra))
    if faults:
        raise TileError(
            Diagnostic("E1201", f"{method}: {'; '.join(faults)}", loc, hint=_parameters(parsed))
        )
    given = {**values, **kwargs}
    for name in parsed.unrecorded & given.keys():
        if not _is_idle(given[name]):
            message = f"{method}: `{name}` changes what the instruction does, and is not recorded"
            hint = f"leave `{name}` away, or do what it does with other instructions"
            raise TileError(Diagnostic("E1214", message, loc, hint=hint))
    return Arguments(method, {**parsed.defaults, **given}, loc, extra)


def _is_idle(value: object) -> bool:
    """Return whether a parameter with this value does nothing ("inc": addresses ascend)."""
    if isinstance(value, int | str):
        return value in (0, "", "inc")
    return value is None or (isinstance(value, dict | list | tuple) and not value)


def _faults(
    signature: Signature,
    values: Mapping[str, object],
    kwargs: Mapping[str, object],
    extra: Sequence[object],
) -> list[str]:
    unknown = [name for name in kwargs if name not in signature.names]
    repeated = [name for name in kwargs if name in values]
    known = {*values, *kwargs, *signature.defaults}
    missing = [name for name in signature.names if name not in known]
    listed = ", ".join(f"`{name}`" for name in missing)
    faults = [f"missing: {listed}"] if missing else []
    faults += [f"argument `{name}` is given twice" for name in repeated]
    if not signature.accepts_more:
        faults += [f"there is no argument `{name}`" for name in unknown]
        faults += [f"{len(extra)} arguments too many"] if extra else []
    return faults


def _parameters(signature: Signature) -> str:
    """Return the hint that lists the parameters, optional ones in brackets."""
    required = [name for name in signature.names if name not in signature.defaults]
    optional = ", ".join(signature.defaults)
    return f"its parameters are: {', '.join(required)}{f' [{optional}]' if optional else ''}"


def _kind(value: object) -> str:
    return {"TensorValue": "a tensor", "ScalarValue": "a Scalar", "Value": "an expression"}.get(
        type(value).__name__, f"a {type(value).__name__}"
    )
