"""What must hold of a signature beyond its grammar, each rule a generator of diagnostics."""

from collections.abc import Iterator
from difflib import get_close_matches

from tilelang.diagnostics import Diagnostic
from tilelang.dtypes import ELEMENT_TYPES, ELSEWHERE, find_dtype
from tilelang.layouts import Layout, LayoutKind
from tilelang.text.quoted import Quoted, Text
from tilelang.text.syntax import Node

_EXAMPLE = "`a[M, K]: T, b[K, N]: T -> c[M, N]: acc(T)`"
_DTYPES = [dtype.value for dtype in ELEMENT_TYPES]
_LAYOUTS = [kind.value for kind in LayoutKind]


def signature_faults(tree: Node, quoted: Quoted) -> Iterator[Diagnostic]:
    """Yield the mistakes of the signature in `tree`; those of names only if each part is right."""
    faults = [*_missing_parts(tree, quoted), *_value_faults(tree, quoted)]
    for tensor in _tensors(tree, "inputs", "results"):
        faults += (*tensor_faults(tensor, quoted), *_width_faults(tensor, quoted))
    yield from faults
    if not faults:
        yield from _name_faults(tree, quoted)
        yield from _unbound_dims(tree, quoted)
        yield from _unbound_dtypes(tree, quoted)


def tensor_faults(tensor: Node, quoted: Text) -> Iterator[Diagnostic]:
    """Yield the mistakes in one tensor, of a signature or of the first line of a program."""
    yield from _division_faults(tensor, quoted)
    yield from _suffix_faults(tensor, quoted)
    yield from _layout_faults(tensor, quoted)
    yield from _dtype_faults(tensor, quoted)


def _missing_parts(tree: Node, quoted: Quoted) -> Iterator[Diagnostic]:
    arrow = quoted.text.find("->")
    end = len(quoted.text.rstrip())
    if tree.child("inputs") is None:
        where = "before `->`" if arrow >= 0 else "in it"
        message = f"the signature has no inputs: no tensor stands {where}"
        span = (max(arrow, 0), max(arrow, 0) + 2) if arrow >= 0 else (0, end)
        yield quoted.fault("E0202", message, span, hint=f"write them before `->`: {_EXAMPLE}")
    if tree.child("results") is None:
        message = "the signature has no results: nothing stands after `->`"
        if arrow < 0:
            message = "the signature has no results: there is no `->`"
        span = (end, end + 1) if arrow < 0 else (arrow, arrow + 2)
        yield quoted.fault("E0203", message, span, hint=f"write them after `->`: {_EXAMPLE}")


def _suffix_faults(tensor: Node, quoted: Text) -> Iterator[Diagnostic]:
    """Check that there is at most one dtype, then at most one layout."""
    name = tensor.children[0].text
    dtypes, layouts = tensor.all("dtype_part"), tensor.all("layout_part")
    for part in (*dtypes[1:], *layouts[1:]):
        what = "dtype" if part.kind == "dtype_part" else "layout"
        message = f"`{name}` has two {what}s, and a tensor has one"
        yield quoted.fault("E0210", message, part.span, hint="remove one of them")
    if dtypes and layouts and layouts[0].start < dtypes[0].start:
        message = f"the layout of `{name}` stands before its dtype"
        dtype, layout = (quoted.text[slice(*part.span)] for part in (dtypes[0], layouts[0]))
        hint = f"write `{name}[...]{dtype} {layout}`"
        yield quoted.fault("E0210", message, layouts[0].span, hint=hint)


def _layout_faults(tensor: Node, quoted: Text) -> Iterator[Diagnostic]:
    for part in tensor.all("layout_part"):
        kind, *_ = part.children[0].children
        if kind.text not in _LAYOUTS:
            yield _unknown_layout(kind, quoted)
            continue
        n_dims = len(_dims(tensor))
        needed = Layout(LayoutKind(kind.text)).logical_rank
        if n_dims < needed:
            name = tensor.children[0].text
            message = f"{kind.text} orders {needed} dimensions, and `{name}` has {n_dims}"
            hint = f"give the logical dimensions of `{name}`, not those of the physical array"
            yield quoted.fault("E0206", message, tensor.span, hint=hint)


def _width_faults(tensor: Node, quoted: Quoted) -> Iterator[Diagnostic]:
    for part in tensor.all("layout_part"):
        kind, *width = part.children[0].children
        if width:
            message = "in a signature the dtype says how wide the blocks of a layout are"
            hint = f"write `@ {kind.text}`"
            yield quoted.fault("E0211", message, part.children[0].span, hint=hint)


def _unknown_layout(kind: Node, quoted: Text) -> Diagnostic:
    close = get_close_matches(kind.text.upper(), _LAYOUTS, n=1)
    hint = f"write `@ {close[0]}`" if close else f"use one of: {', '.join(_LAYOUTS)}"
    return quoted.fault("E0205", f"there is no layout `{kind.text}`", kind.span, hint=hint)


def _dtype_faults(tensor: Node, quoted: Text) -> Iterator[Diagnostic]:
    for dtype in _dtypes(tensor):
        name, *inner = dtype.children
        if inner and name.text != "acc":
            message = f"`{name.text}(...)` is not a dtype; the one function of a dtype is `acc`"
            yield quoted.fault("E0207", message, dtype.span, hint="write `acc(T)` or a dtype")
        if not inner and name.text == "acc":
            message = "`acc` needs the dtype that is summed"
            yield quoted.fault("E0207", message, dtype.span, hint="write `acc(T)`")
        elif not inner and find_dtype(name.text) is None and not _is_variable(name.text):
            yield _unknown_dtype(name, quoted)


def _unknown_dtype(name: Node, quoted: Text) -> Diagnostic:
    known = ELSEWHERE.get(name.text)
    close = [known] if known else get_close_matches(name.text, _DTYPES, n=1)
    hint = f"use one of {', '.join(_DTYPES)}, or a variable, which starts with a capital"
    if close:
        hint = f"write `{close[0]}`; a variable starts with a capital"
    return quoted.fault("E0207", f"there is no dtype `{name.text}`", name.span, hint=hint)


def _division_faults(tensor: Node, quoted: Text) -> Iterator[Diagnostic]:
    for node in tensor.walk():
        if node.kind == "dim_floor_divide" and _is_zero(node.children[1]):
            message = "a dimension is divided by 0"
            yield quoted.fault("E0212", message, node.span, hint="divide by a positive number")


def _value_faults(tree: Node, quoted: Quoted) -> Iterator[Diagnostic]:
    for attribute in _attributes(tree):
        if len(attribute.children) > 1:
            name = attribute.children[0].text
            message = f"the attribute `{name}` has a value, and a signature gives only its name"
            hint = f"write `{name}` here and the default in the `def`: `*, {name}: int = ...`"
            yield quoted.fault("E0211", message, attribute.span, hint=hint)


def _name_faults(tree: Node, quoted: Quoted) -> Iterator[Diagnostic]:
    """Check that a name has one meaning, since all of them are keywords of a call."""
    first: dict[str, str] = {}
    for what, name in _names(tree):
        if name.text not in first:
            first[name.text] = what
            continue
        other = first[name.text]
        if not _may_share(what, other):
            yield _name_clash(name, what, other, quoted)


def _may_share(what: str, other: str) -> bool:
    """Return whether one name may be both; attributes occur in dimensions."""
    if what == other:
        return what in ("dimension", "dtype")
    return {what, other} == {"attribute", "dimension"}


def _name_clash(name: Node, what: str, other: str, quoted: Quoted) -> Diagnostic:
    message = f"`{name.text}` is the name of a {what} and of a {other}".replace("a at", "an at")
    if what == other:
        message = f"two {what}s are called `{name.text}`"
    return quoted.fault("E0204", message, name.span, hint=f"give the {what} another name")


def _names(tree: Node) -> Iterator[tuple[str, Node]]:
    tensors = list(_tensors(tree, "inputs", "results"))
    yield from (("tensor", tensor.children[0]) for tensor in tensors)
    yield from (("attribute", attribute.children[0]) for attribute in _attributes(tree))
    for tensor in tensors:
        yield from (("dimension", name) for name in _dim_names(tensor))
        yield from (("dtype", name) for name in _variables(tensor))


def _unbound_dims(tree: Node, quoted: Quoted) -> Iterator[Diagnostic]:
    """Check that every name in a result's sizes occurs in an input or is an attribute."""
    bound = {name.text for tensor in _tensors(tree, "inputs") for name in _dim_names(tensor)}
    bound |= {attribute.children[0].text for attribute in _attributes(tree)}
    for tensor in _tensors(tree, "results"):
        for name in _dim_names(tensor):
            if name.text not in bound:
                message = f"the size `{name.text}` of a result occurs in no input"
                close = get_close_matches(name.text, bound, n=1)
                hint = f"write `{close[0]}`, or " if close else ""
                hint += f"make it an attribute: `; {name.text} ->`"
                yield quoted.fault("E0208", message, name.span, hint=hint)


def _unbound_dtypes(tree: Node, quoted: Quoted) -> Iterator[Diagnostic]:
    """Check that every dtype variable is the dtype of some input, so that a call binds it."""
    inputs = list(_tensors(tree, "inputs"))
    bound = {_plain_variable(tensor) for tensor in inputs}
    for tensor in (*inputs, *_tensors(tree, "results")):
        name = tensor.children[0]
        for variable in _variables(tensor):
            if variable.text not in bound:
                message = f"no input has the dtype `{variable.text}` that `{name.text}` is made of"
                hint = f"give an input this dtype, or `{name.text}` a fixed one: `: float32`"
                yield quoted.fault("E0209", message, variable.span, hint=hint)
        if not tensor.child("dtype_part") and "T" not in bound:
            message = f"`{name.text}` states no dtype, so it has the dtype `T` of no input"
            hint = f"write one, as in `{name.text}[...]: float32`"
            yield quoted.fault("E0209", message, tensor.span, hint=hint)


def _plain_variable(tensor: Node) -> str:
    """Return the dtype of an input if it is a variable alone (a fixed dtype binds nothing)."""
    parts = tensor.all("dtype_part")
    if not parts:
        return "T"
    name, *inner = parts[0].children[0].children
    return "" if inner else name.text


def _tensors(tree: Node, *groups: str) -> Iterator[Node]:
    for group in groups:
        node = tree.child(group)
        yield from node.children if node else ()


def _attributes(tree: Node) -> tuple[Node, ...]:
    node = tree.child("attributes")
    return node.children if node else ()


def _dims(tensor: Node) -> list[Node]:
    return [part for part in tensor.children if part.kind.startswith("dim_")]


def _dim_names(tensor: Node) -> Iterator[Node]:
    return (node.children[0] for node in tensor.walk() if node.kind == "dim_name")


def _dtypes(tensor: Node) -> Iterator[Node]:
    return (node for node in tensor.walk() if node.kind == "dtype")


def _variables(tensor: Node) -> Iterator[Node]:
    for dtype in _dtypes(tensor):
        name, *inner = dtype.children
        if not inner and _is_variable(name.text):
            yield name


def _is_variable(name: str) -> bool:
    return name[0].isupper()


def _is_zero(dim: Node) -> bool:
    return dim.kind == "dim_size" and int(dim.children[0].text) == 0
