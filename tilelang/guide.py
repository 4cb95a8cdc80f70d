"""The language on one page: every public name of `tl`, its call, and what its docstring says.

The chapters say what stands where; calls, sentences and examples are read from the names
themselves. `tests/test_guide.py` holds that nothing is left out, and runs the examples.
"""

from __future__ import annotations

import inspect
from dataclasses import MISSING, dataclass, fields, is_dataclass
from difflib import get_close_matches
from operator import attrgetter
from textwrap import dedent
from typing import Any

import tilelang as tl
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.diagnostics.signatures import form, short_form
from tilelang.language.spellings import unknown_name


@dataclass(frozen=True, slots=True)
class Chapter:
    """Names that belong together; `topic` is what `tilelang language` takes for all of them."""

    topic: str
    title: str
    about: str
    names: tuple[str, ...]


CHAPTERS = (
    Chapter(
        "signature",
        "A kernel and its signature",
        "A kernel is a plain function below `@tl.kernel`, and its meaning stands beside it. The "
        "body is traced: it runs once, and what it calls is recorded.",
        (
            "kernel",
            "Kernel",
            "Kernel.reference",
            "Kernel.inputs",
            "Kernel.tiles",
            "require",
            "DType",
            "acc",
        ),
    ),
    Chapter(
        "memories",
        "Memories and tiles",
        "Inputs and results are in global memory, GM. What the cube multiplies goes through L1, "
        "its sums are in L0C, and vector work is done in the unified buffer, UB. A tile is "
        "undefined until something writes it, and lives in the loop or branch that allocates it.",
        ("alloc_ub", "alloc_l1", "alloc_l0c", "alloc_l0a", "alloc_l0b", "alloc_gm"),
    ),
    Chapter(
        "regions",
        "Parts of tensors",
        "An index is where a region starts, and a slice also says where it ends. Whatever lies "
        "outside a tensor in GM is padding: sizes need not divide.",
        (
            "Tensor",
            "Tensor.T",
            "Tensor.dtype",
            "Tensor.memory",
            "Tensor.name",
            "Tensor.ndim",
            "Tensor.shape",
            "Tensor.view",
            "Tile",
        ),
    ),
    Chapter("moves", "Moves", "The destination comes first, as in TIK.", ("data_move",)),
    Chapter(
        "cube",
        "Matrix products and convolutions",
        "float16, bfloat16 and float32 are summed in float32, integers in int32.",
        ("matmul", "mmad", "load3d", "as_matrix"),
    ),
    Chapter(
        "elements",
        "Element by element",
        "`t[:] = e` stores an expression of tiles in UB. Nothing is promoted: a plain number takes "
        "the dtype beside it.",
        (
            "Expression",
            "abs",
            "exp",
            "ln",
            "maximum",
            "minimum",
            "relu",
            "rsqrt",
            "sigmoid",
            "sqrt",
            "tanh",
            "where",
            "cast",
            "position",
        ),
    ),
    Chapter(
        "reductions",
        "Reductions",
        "They stand alone on the right of an assignment, and keep their axis with size 1.",
        ("reduce_sum", "reduce_max", "reduce_min"),
    ),
    Chapter(
        "loops",
        "Cores, loops and branches",
        "`cores` loops are outermost, and each is a stage. What a loop yields is an index, which "
        "has no value while tracing; conditions compare indices.",
        (
            "cores",
            "for_range",
            "chunks",
            "if_scope",
            "elif_scope",
            "else_scope",
            "ceildiv",
            "Index",
            "IndexLike",
            "Condition",
        ),
    ),
    Chapter(
        "use",
        "Using a kernel",
        "Call it on arrays; what is not given arrays is told sizes, `M=100`, and a dtype. A sweep "
        "finds fast tile sizes, and its log remembers them.",
        (
            "Kernel.__call__",
            "Kernel.check",
            "Kernel.fuzz",
            "Kernel.program",
            "Kernel.source",
            "Kernel.sweep",
            "sweep",
            "sweep.Plan",
            "best",
            "best_rule",
        ),
    ),
    Chapter(
        "mistakes",
        "Mistakes",
        "Every mistake raises one exception; `tilelang explain CODE` says more of each.",
        ("TileError", "Diagnostic"),
    ),
)


IN_EXAMPLES = (
    "In examples x and y are an input and a result [64, 64] of float16, t and u tiles [16, 64] of "
    "it in UB; image [16, 8, 8] and weights [16, 16, 3, 3] are in GM, in blocks of channels; "
    "`doubled` is a kernel `x[M, N]: T -> y[M, N]: T` with the tile parameter m_tile."
)
"""The names that examples use and do not define."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A name of the language: its call in full and at the least, and what its docstring says."""

    name: str
    call: str
    short_call: str
    text: str

    @property
    def summary(self) -> str:
        """What the docstring says first."""
        return self.text.partition("\n\n")[0].replace("\n", " ")

    @property
    def example(self) -> str:
        """What the docstring shows, "" if it shows nothing."""
        lines = self.text.partition("\nExample:\n")[2].splitlines()
        end = next((n for n, line in enumerate(lines) if line and line[0] != " "), None)
        return dedent("\n".join(lines[:end])).strip("\n")


def entries(chapter: Chapter) -> list[Entry]:
    """Return the names of a chapter with what they say of themselves."""
    return [_entry(name) for name in chapter.names]


def find_topic(topic: str) -> list[Entry]:
    """Return what is said about a name (`data_move`, `Kernel.check`) or a chapter (`loops`).

    Raises:
        TileError: E0145 for something else, with the name that is meant if that is known.
    """
    wanted = topic.removeprefix("tl.")
    for chapter in CHAPTERS:
        if wanted == chapter.topic:
            return entries(chapter)
    names = [name for chapter in CHAPTERS for name in chapter.names]
    for same in (str, str.lower):
        if found := [name for name in names if same(name) == same(wanted)]:
            return [_entry(found[0])]
    if near := get_close_matches(wanted, [chapter.topic for chapter in CHAPTERS], n=1, cutoff=0.8):
        hint = f"did you mean the chapter `{near[0]}`?"
        raise TileError(Diagnostic("E0145", f"the language has no `{wanted}`", hint=hint))
    raise unknown_name(wanted, names)


def _entry(name: str) -> Entry:
    found: Any = attrgetter(name)(tl)
    outer, dot, member = name.partition(".")
    full = f"tl.{name}"
    if dot and inspect.isclass(getattr(tl, outer)):  # as users write it, of an object
        full = f"{outer.lower()}.{member}".removesuffix(".__call__")
    if isinstance(found, str):  # an alias of types
        return Entry(name, full, full, f"The type of `{found}`, for annotations.")
    if inspect.ismodule(found):
        return Entry(name, full, full, _text(found).partition("\n\n")[0])
    if not _is_called(found):
        return Entry(name, full, full, _text(found))
    return Entry(name, form(full, found), short_form(full, found), _text(found))


def _is_called(found: Any) -> bool:
    """Return whether users call it: a function, or a class of nothing but options."""
    if not is_dataclass(found):
        return inspect.isroutine(found)
    return not any(MISSING is it.default is it.default_factory for it in fields(found))


def _text(found: Any) -> str:
    return inspect.getdoc(found) or ""
