"""What each dtype variable of a signature is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from tilelang.binding.call import Call
from tilelang.dtypes import DType, accumulator
from tilelang.text.tensors import (
    AccumulatorOf,
    DTypeExpr,
    DTypeVariable,
    TensorSpec,
    dtype_text,
    dtype_variable,
)


@dataclass(frozen=True, slots=True)
class Dtypes:
    """The dtypes of variables, by name."""

    by_name: Mapping[str, DType]

    def of(self, dtype: DTypeExpr) -> DType:
        """Return what `dtype` is; KeyError if its variable is not known."""
        match dtype:
            case DType():
                return dtype
            case DTypeVariable(name):
                return self.by_name[name]
            case AccumulatorOf(inner):
                return accumulator(self.of(inner))
            case _:
                assert_never(dtype)


def bind_dtypes(call: Call, keywords: Mapping[str, DType]) -> Dtypes:
    """Return the dtype of every variable; add to `call` what contradicts or is missing."""
    variables = call.signature.dtype_variables
    found = {name: dtype for name, dtype in keywords.items() if name in variables}
    sources = {name: f"the keyword `{_keyword(call, name)}`" for name in found}
    for spec, argument in call.given():
        if isinstance(spec.dtype, DTypeVariable):
            name = spec.dtype.name
            if found.setdefault(name, argument.dtype) != argument.dtype:
                _report_conflict(call, spec, f"{name} is {found[name]} by {sources[name]}")
            sources.setdefault(name, f"`{spec.name}`")
    known = Dtypes(found)
    for spec, argument in call.given():
        _check_dtype(call, spec, argument.dtype, known)
    _report_unknown(call, known)
    return known


def _report_conflict(call: Call, spec: TensorSpec, known: str) -> None:
    dtype = call.arguments[spec.name].dtype
    hint = f"convert one, or give `{spec.name}` a dtype variable of its own in the signature"
    call.fault("E0224", f"{known} and {dtype} by `{spec.name}`", hint, spec)


def _check_dtype(call: Call, spec: TensorSpec, dtype: DType, known: Dtypes) -> None:
    """Compare an argument with a dtype that the signature fixes, or computes from a variable."""
    variable = dtype_variable(spec.dtype)
    if isinstance(spec.dtype, DTypeVariable) or (variable and variable not in known.by_name):
        return
    wanted = known.of(spec.dtype)
    if dtype != wanted:
        text = dtype_text(spec.dtype)
        why = f", that is {wanted} for {variable} = {known.by_name[variable]}" if variable else ""
        message = f"`{spec.name}` is {dtype}; the signature says {text}{why}"
        call.fault("E0223", message, f"pass `{spec.name}` as {wanted}", spec)


def _report_unknown(call: Call, known: Dtypes) -> None:
    for name in call.signature.dtype_variables:
        if name not in known.by_name:
            names = " or ".join(
                f"`{spec.name}`"
                for spec in call.signature.inputs
                if spec.dtype == DTypeVariable(name)
            )
            hint = f"pass {names}, or {_keyword(call, name)}=..."
            call.fault("E0231", f"the dtype {name} is not known: no argument gives it", hint)


def _keyword(call: Call, name: str) -> str:
    """Return the keyword that gives the variable: `dtype` where there is only one."""
    return "dtype" if len(call.signature.dtype_variables) == 1 else name
