"""Kernels: a Python body with a signature, called on arrays or asked for its program and source."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import tilelang.arguments as args
from tilelang.backend import find_backend
from tilelang.binding import Argument, Binding, bind
from tilelang.captured import Captured
from tilelang.definition import check_tile_rule
from tilelang.diagnostics import Diagnostic, Location, Note, TileError, callsite
from tilelang.diagnostics.boundary import boundary, without_internals
from tilelang.dtypes import DType, DTypeLike
from tilelang.ir.nodes import Program
from tilelang.machines import Machine, find_machine
from tilelang.parameters import Parameters, Request, read_dtypes, read_parameters
from tilelang.specialise import trace_program
from tilelang.text.signature import Signature

if TYPE_CHECKING:
    from tilelang.check import Report
    from tilelang.check.fuzz import FuzzReport
    from tilelang.sweep.plan import Plan
    from tilelang.sweep.report import Report as SweepReport

DEFAULT_BACKEND = "numpy"
"""The strict reference executor: right first, fast when asked."""

EMPTY: Mapping[str, int] = MappingProxyType({})

Function = TypeVar("Function", bound=Callable[..., Any])


class TileRule(Protocol):
    """Chooses tile parameters; those that it leaves out keep their defaults."""

    def __call__(
        self, dims: Mapping[str, int], dtypes: Mapping[str, DType], machine: str
    ) -> Mapping[str, int]:
        """Return tile parameters for a problem on a machine."""
        ...


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a call on arrays of some kind runs, and what its results are."""

    names: tuple[str, ...]
    kinds: tuple[args.Kind, ...]
    run: Callable[..., None]


class Kernel:
    """A kernel: call it on arrays, or ask for its program, its source, a check or a sweep.

    Attributes:
        name: the function's name.
        signature: its tensors and attributes.
        attributes: names and defaults (None where a value must be given).
        tile_parameters: names and defaults.
    """

    def __init__(self, function: Callable[..., None], signature: Signature) -> None:
        """Hold `function`, whose parameters must match `signature`."""
        self.function = function
        self.name = function.__name__
        self.signature = signature
        self.location = Location(function.__code__.co_filename, function.__code__.co_firstlineno)
        self.parameters: Parameters = read_parameters(function, signature, self.location)
        self.attributes = MappingProxyType(
            {name: one.default for name, one in self.parameters.attributes.items()}
        )
        self.tile_parameters = MappingProxyType(self.parameters.tiles)
        self.reference_function: Callable[..., Any] | None = None
        self.input_function: Callable[..., Any] | None = None
        self._tile_rule: TileRule | None = None
        self._programs: dict[object, Program] = {}
        self._executables: dict[object, Compiled] = {}
        self._captured = Captured(function)
        self.__doc__ = inspect.cleandoc(function.__doc__ or "")

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the inputs, in order."""
        return self.parameters.inputs

    def __repr__(self) -> str:
        """Return name and signature."""
        return f"<kernel {self.name}: {self.signature}>"

    def reference(self, function: Function) -> Function:
        """Decorate the plain numpy function that says what the kernel means.

        It takes the inputs in float64 (integers as int64), and what it calls by an attribute's
        name; it returns an array for each result.

        Example:
            @doubled.reference
            def doubled_meaning(x):
                return 2 * x
        """
        self.reference_function = function
        return function

    def inputs(self, function: Function) -> Function:
        """Decorate the function that makes arrays of any numbers into what the kernel is meant for.

        `check` and `fuzz` draw logical inputs and pass them through it; it returns all of them, of
        the same dtypes and shapes. What it takes by an attribute's name it is given too.

        Example:
            @doubled.inputs
            def doubled_inputs(x):
                return (np.abs(x),)
        """
        self.input_function = function
        return function

    @boundary
    def tiles(self, rule: TileRule) -> TileRule:
        """Decorate the function that chooses default tile parameters for a problem.

        It is given the sizes and the dtypes by name, and the machine's name; parameters that it
        leaves out keep their defaults, and what a call gives goes before both.

        Example:
            @doubled.tiles
            def doubled_tiles(dims, dtypes, machine):
                return {"m_tile": 32 if dims["M"] > 1000 else 16}

        Raises:
            TileError: E0820 if it does not take (dims, dtypes, machine).
        """
        check_tile_rule(rule, callsite.location(None))
        self._tile_rule = rule
        self._programs.clear()
        self._executables.clear()
        return rule

    def __call__(
        self,
        *arrays: Any,
        out: Any = None,
        backend: str = DEFAULT_BACKEND,
        machine: str | None = None,
        **keywords: Any,
    ) -> Any:
        """Run the kernel on its inputs and return the result, or a tuple of results.

        Args:
            arrays: the inputs, in order, in their physical form (the signature's layout).
            out: an array, or a tuple of them, for the results; else they are allocated.
            backend: who runs it.
            machine: whose rules apply; the backend's own by default.
            keywords: attributes, tile parameters, sizes, and the backend's options.

        Example:
            y = doubled(np.ones((100, 64), np.float16), backend="llvm", m_tile=32)

        Raises:
            TileError: for a mistake in the call, in the kernel, or while it runs strictly.
        """
        __tracebackhide__ = True
        try:  # not `boundary`: one more Python call would be felt
            known = self._compiled(arrays, backend, machine, keywords)
            if out is None:
                results = args.allocate(known.kinds, arrays[0] if arrays else None)
            else:
                results = args.as_results(out, known.names)
                args.check_results(
                    (*self.parameters.inputs, *known.names), (*arrays, *results), known.kinds
                )
            known.run(*arrays, *results)
        except TileError as error:
            raise without_internals(error) from None
        return results if len(results) > 1 else next(iter(results))

    @boundary
    def program(
        self,
        *,
        dtype: DTypeLike | Mapping[str, DTypeLike] | None = None,
        machine: str | None = None,
        **keywords: Any,
    ) -> Program:
        """Return the verified program for arrays (`a=x, b=y`) or sizes (`M=100`) and `dtype`.

        `dtype` stands for every dtype variable of the signature, or maps each by name. `machine` is
        the one whose rules are checked, `host` by default.

        Example:
            print(doubled.program(M=100, N=64, dtype="float16"))

        Raises:
            TileError: for a mistake in the kernel or in the keywords.
        """
        location = callsite.location(None)
        arrays = {
            name: args.describe(name, keywords.pop(name), location)
            for name in self.parameters.inputs
            if name in keywords
        }
        request = self.parameters.sort(keywords, frozenset(), location)
        dtypes = read_dtypes(self.signature, dtype, location)
        binding = self._bind(arrays, request, dtypes, location)
        return self._specialise(binding, request, find_machine(machine or "host"), location)

    @boundary
    def source(
        self,
        backend: str,
        *,
        dtype: DTypeLike | Mapping[str, DTypeLike] | None = None,
        machine: str | None = None,
        **keywords: Any,
    ) -> str:
        """Return the code that `backend` generates, for arrays or sizes as in `program`.

        Example:
            print(doubled.source("tik", M=100, N=64, dtype="float16"))
        """
        found = find_backend(backend)
        target = find_machine(machine or found.machine)
        options = {name: keywords.pop(name) for name in found.options if name in keywords}
        program = self.program(dtype=dtype, machine=target.name, **keywords)
        return found.compile(program, target, **options).source

    @boundary
    def check(
        self,
        *,
        backends: Sequence[str] | None = None,
        dtype: DTypeLike | Mapping[str, DTypeLike] | None = None,
        machine: str | None = None,
        seed: int = 0,
        **keywords: Any,
    ) -> Report:
        """Run the kernel on random data on `backends` (all that run here) against its reference.

        `keywords` are sizes, attributes and tile parameters, or arrays by the inputs' names.

        Example:
            print(doubled.check(M=100, N=64, dtype="float16", backends=["numpy", "llvm"]))

        Raises:
            TileError: E0701 without a reference; mistakes in the kernel or in the keywords.
        """
        from tilelang.check import check, judge_backend

        named = {"dtype": dtype, **keywords}
        return check(
            self, judge_backend, backends=backends, machine=machine, seed=seed, keywords=named
        )

    @boundary
    def fuzz(
        self,
        *,
        backends: Sequence[str] | None = None,
        budget: str | float = "60s",
        seed: int = 0,
        dtype: DTypeLike | Mapping[str, DTypeLike] | None = None,
        machine: str | None = None,
        **keywords: float,
    ) -> FuzzReport:
        """Try awkward sizes, tile parameters and numbers for `budget`; the smallest failure counts.

        `keywords` are sizes, attributes and tile parameters that are not drawn.

        Example:
            print(doubled.fuzz(budget="20 runs", backends=["numpy"]))

        Raises:
            TileError: E0604 without hypothesis; E0701 without a reference.
        """
        from tilelang.check.fuzz import fuzz, read_scope

        scope = read_scope(self, dtype, machine, keywords)
        return fuzz(self, backends=backends, budget=budget, seed=seed, scope=scope)

    @boundary
    def sweep(
        self,
        tiles: Mapping[str, Iterable[int] | str],
        *,
        backend: str = DEFAULT_BACKEND,
        dtype: DTypeLike | Mapping[str, DTypeLike] | None = None,
        machine: str | None = None,
        plan: Plan | None = None,
        **keywords: Any,
    ) -> SweepReport:
        """Try `tiles` (`{"n_tile": [64, 128]}`, or as text "64:128:x2") and rank them.

        `plan` (`tl.sweep.Plan`) says by what, how many, and where the log goes; `keywords` are
        sizes, attributes, the other tile parameters and the backend's options.

        Example:
            print(doubled.sweep({"m_tile": [16, 32]}, M=100, N=64, dtype="float16"))

        Raises:
            TileError: for a mistake in the keywords or in the plan, not for one that a trial makes.
        """
        from tilelang.sweep.plan import Plan
        from tilelang.sweep.problem import read_problem
        from tilelang.sweep.procedure import sweep_problem

        problem = read_problem(self, (backend, machine), dtype=dtype, keywords=keywords)
        return sweep_problem(problem, tiles, plan or Plan())

    def _compiled(
        self,
        arrays: Sequence[Any],
        backend: str,
        machine: str | None,
        keywords: Mapping[str, Any],
    ) -> Compiled:
        self._forget_if_stale()
        try:
            key = _call_key(arrays, backend, machine, keywords)
            known = self._executables.get(key)
        except (TypeError, ValueError):  # lists or arrays as keywords: compiling says what is wrong
            return self._compile(arrays, backend, machine, keywords)
        if known is None:
            known = self._executables[key] = self._compile(arrays, backend, machine, keywords)
        return known

    def _compile(
        self,
        arrays: Sequence[Any],
        backend: str,
        machine: str | None,
        keywords: Mapping[str, Any],
    ) -> Compiled:
        location = callsite.location(None)
        found = find_backend(backend)
        target = find_machine(machine or found.machine)
        request = self.parameters.sort(keywords, found.options, location)
        binding = self._bind(self._named(arrays, location), request, {}, location)
        names = tuple(buffer.name for buffer in binding.results)
        kinds = args.physical_kinds(binding.results)
        if all(0 in buffer.shape for buffer in binding.results):
            return Compiled(names, kinds, _nothing)
        program = self._specialise(binding, request, target, location)
        executable = found.compile(program, target, **request.options)
        return Compiled(names, kinds, executable)

    def _named(self, arrays: Sequence[Any], location: Location) -> dict[str, Argument]:
        names = self.parameters.inputs
        if len(arrays) != len(names):
            raise TileError(
                Diagnostic(
                    "E0807",
                    f"`{self.name}` is called with {len(arrays)} arrays, wanted {len(names)}: "
                    f"{', '.join(names)}",
                    location,
                    "pass the inputs by position; results are returned, or filled with out=",
                    (Note(f"`{self.name}` is defined", self.location),),
                )
            )
        return {
            name: args.describe(name, array, location)
            for name, array in zip(names, arrays, strict=True)
        }

    def _bind(
        self,
        arrays: Mapping[str, Argument],
        request: Request,
        dtypes: Mapping[str, DType],
        location: Location,
    ) -> Binding:
        attributes = self.parameters.complete_attributes(request.attributes, location)
        return bind(
            self.signature,
            arrays,
            dims=request.dims,
            attributes=attributes,
            dtypes=dtypes,
            location=location,
        )

    def _specialise(
        self, binding: Binding, request: Request, machine: Machine, location: Location
    ) -> Program:
        self._forget_if_stale()
        tiles = self._tiles(binding, request, machine, location)
        # As text, for 0.0 and -0.0 are equal.
        attributes = ((name, repr(value)) for name, value in binding.attributes.items())
        key = (binding.inputs, binding.results, *attributes, *tiles.items(), machine.name)
        if key not in self._programs:
            self._programs[key] = trace_program(
                self.function, binding, tiles, machine, self.location
            )
            self._captured.remember()
        return self._programs[key]

    def _forget_if_stale(self) -> None:
        """Drop what was traced before a global or a function that the kernel uses changed."""
        if self._captured.has_changed():
            self._programs.clear()
            self._executables.clear()

    def _tiles(
        self, binding: Binding, request: Request, machine: Machine, location: Location
    ) -> dict[str, int]:
        rule = self._tile_rule
        chosen: Mapping[str, int] = (
            rule(binding.dims, binding.dtypes, machine.name) if rule else EMPTY
        )
        self.parameters.check_chosen(chosen, location)
        return self.parameters.complete_tiles({**chosen, **request.tiles}, location)


def _nothing(*_: object) -> None:
    """Fill no element of no result."""


def _call_key(
    arrays: Sequence[Any], backend: str, machine: str | None, keywords: Mapping[str, Any]
) -> object:
    """Return what decides which code a call runs; types too, for True and 1 are equal.

    Keywords that are zero stand there as text: 0.0 and -0.0 are equal.
    """
    try:
        kinds: tuple[Any, ...] = tuple([(type(it), it.dtype, it.shape) for it in arrays])
    except AttributeError:
        kinds = tuple(map(id, arrays))  # not arrays: compiling says so
    if not keywords:
        return (kinds, backend, machine)
    given: list[object] = [
        (name, type(value), value or repr(value)) for name, value in keywords.items()
    ]
    return (kinds, backend, machine, *given)
