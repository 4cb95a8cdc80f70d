"""Signature strings: `"a[M, K]: T, b[K, N]: T -> c[M, N]: acc(T)"`.

A tensor is `name[dimensions]: dtype @ LAYOUT`, in this order; no dtype is the variable `T`, and no
layout is ND. Inputs stand before `->` and results after it; names after `;` are attributes.
"""

import re

from tilelang.diagnostics import Location, TileError
from tilelang.dtypes import find_dtype
from tilelang.layouts import LayoutKind
from tilelang.text.dimension import (
    Dim,
    DimArithmetic,
    DimName,
    DimNegative,
    DimOp,
    DimSize,
    dim_names,
    dim_text,
    evaluate_dim,
    read_dim,
)
from tilelang.text.quoted import Quoted
from tilelang.text.signature_rules import signature_faults
from tilelang.text.syntax import Node, SyntaxFault, parse_tree
from tilelang.text.tensors import (
    DEFAULT_DTYPE,
    AccumulatorOf,
    DTypeExpr,
    DTypeVariable,
    Signature,
    TensorSpec,
    dtype_text,
    dtype_variable,
)

__all__ = [
    "AccumulatorOf",
    "DTypeExpr",
    "DTypeVariable",
    "Dim",
    "DimArithmetic",
    "DimName",
    "DimNegative",
    "DimOp",
    "DimSize",
    "Signature",
    "TensorSpec",
    "dim_names",
    "dim_text",
    "dtype_text",
    "dtype_variable",
    "evaluate_dim",
    "parse_signature",
]


def parse_signature(text: str, location: Location) -> Signature:
    """Return what the signature `text` says; `location` is the place of the call that holds it.

    Raises:
        TileError: with every mistake in `text`, each with a caret inside it.
    """
    quoted = Quoted(text, location)
    try:
        tree = parse_tree("signature", re.sub(r"\s", " ", text))
    except SyntaxFault as fault:
        raise TileError(quoted.fault("E0201", fault.message, fault.span)) from None
    faults = list(signature_faults(tree, quoted))
    if faults:
        raise TileError(*faults)
    return Signature(
        _read_tensors(tree.child("inputs"), quoted),
        _read_attributes(tree.child("attributes")),
        _read_tensors(tree.child("results"), quoted),
        text,
        location,
    )


def _read_tensors(node: Node | None, quoted: Quoted) -> tuple[TensorSpec, ...]:
    return tuple(_read_tensor(child, quoted) for child in node.children) if node else ()


def _read_attributes(node: Node | None) -> tuple[str, ...]:
    return tuple(child.children[0].text for child in node.children) if node else ()


def _read_tensor(node: Node, quoted: Quoted) -> TensorSpec:
    name, *parts = node.children
    dtype, layout = node.child("dtype_part"), node.child("layout_part")
    return TensorSpec(
        name.text,
        tuple(read_dim(part) for part in parts if part.kind.startswith("dim_")),
        _read_dtype(dtype.children[0]) if dtype else DEFAULT_DTYPE,
        LayoutKind(layout.children[0].children[0].text) if layout else LayoutKind.ND,
        quoted.place(node.start, node.end),
    )


def _read_dtype(node: Node) -> DTypeExpr:
    name, *inner = node.children
    if inner:
        return AccumulatorOf(_read_dtype(inner[0]))
    return find_dtype(name.text) or DTypeVariable(name.text)
