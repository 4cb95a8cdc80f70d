"""Indices and conditions as the text form writes them."""

from collections.abc import Iterable
from typing import assert_never

from tilelang.ir import index as ix
from tilelang.ir.condition import And, Compare, Condition, Not, Or, Relation, Truth
from tilelang.ir.index import Atom, FloorDiv, Index, Max, Min, Mod, Var
from tilelang.text.precedence import Level, bracketed


def print_index(index: Index, place: Level = Level.SUM) -> str:
    """Return `index` as text, in brackets if its operators bind less tightly than `place`."""
    text, level = _sum(index)
    return bracketed(text, level, place)


def print_condition(condition: Condition, place: Level = Level.COMPARISON) -> str:
    """Return `condition` as text, in brackets if its operators bind less tightly than `place`."""
    text, level = _condition(condition)
    return bracketed(text, level, place)


def _sum(index: Index) -> tuple[str, Level]:
    """Return the terms that are added, then those that are subtracted."""
    terms = index.terms
    if len(terms) == 1 and index.constant == 0:
        return _product(*terms[0])
    added = [_product(*term)[0] for term in terms if term[1] > 0]
    subtracted = [_product(atom, -factor)[0] for atom, factor in terms if factor < 0]
    if index.constant > 0 or not terms:
        added.append(str(index.constant))
    elif index.constant < 0:
        subtracted.append(str(-index.constant))
    if not added:
        added.append(_product(*terms[0])[0])
        del subtracted[0]
    level = Level.SUM if len(added) + len(subtracted) > 1 else _number_level(index.constant)
    return " - ".join([" + ".join(added), *subtracted]), level


def _number_level(value: int) -> Level:
    return Level.UNARY if value < 0 else Level.ATOM


def _product(atom: Atom, factor: int) -> tuple[str, Level]:
    """Return `factor` times `atom`; `-3*i` is read as (-3)*i, which is the same index."""
    text, level = _atom(atom)
    if factor == 1:
        return text, level
    operand = bracketed(text, level, Level.UNARY)
    if factor == -1:
        return f"-{operand}", Level.UNARY
    return f"{factor}*{operand}", Level.PRODUCT


def _atom(atom: Atom) -> tuple[str, Level]:
    match atom:
        case Var(name):
            return name, Level.ATOM
        case FloorDiv(index, divisor):
            return f"{print_index(index, Level.UNARY)}//{divisor}", Level.PRODUCT
        case Mod(index, divisor):
            return f"{print_index(index, Level.UNARY)}%{divisor}", Level.PRODUCT
        case Min(args):
            return f"minimum({_joined(args)})", Level.ATOM
        case Max(args):
            return f"maximum({_joined(args)})", Level.ATOM
        case _:
            assert_never(atom)


def _joined(args: Iterable[Index]) -> str:
    return ", ".join(print_index(arg) for arg in args)


def _condition(condition: Condition) -> tuple[str, Level]:
    match condition:
        case Truth(value):
            return str(value), Level.ATOM
        case Compare(relation, index):
            return _comparison(relation, index), Level.COMPARISON
        case And(args):
            return _chain(" & ", args, Level.AND), Level.AND
        case Or(args):
            return _chain(" | ", args, Level.OR), Level.OR
        case Not(arg):
            return f"~{print_condition(arg, Level.UNARY)}", Level.UNARY
        case _:
            assert_never(condition)


def _chain(operator: str, args: Iterable[Condition], level: Level) -> str:
    return operator.join(print_condition(arg, level.tighter) for arg in args)


def _comparison(relation: Relation, index: Index) -> str:
    """Return `index relation 0` with what is subtracted on the other side: `i < j + 4`."""
    left = Index(tuple(term for term in index.terms if term[1] > 0), max(index.constant, 0))
    right = ix.subtract(left, index)
    if relation is not Relation.LESS or right.is_constant:
        return f"{print_index(left)} {relation.value} {print_index(right)}"
    or_equal = ""
    if right.constant == 1:
        right, or_equal = ix.add(right, ix.constant(-1)), "="
    if left.is_constant:
        return f"{print_index(right)} >{or_equal} {print_index(left)}"
    return f"{print_index(left)} <{or_equal} {print_index(right)}"
