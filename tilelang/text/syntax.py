"""From text to a tree by the grammar, and mistakes of syntax said in words.

Lark stays behind this module: it is imported when the first text is parsed, and the parser of each
start rule is built once.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from lark import Lark, Token, Tree, UnexpectedInput, UnexpectedToken

Start: TypeAlias = Literal["signature", "program"]

_GRAMMAR = Path(__file__).with_name("grammar.lark")

_WORDS = {
    "NAME": "a name",
    "INT": "a whole number",
    "FLOAT": "a number",
    "_NEWLINE": "the end of the line",
    "_INDENT": "an indented block",
    "_DEDENT": "the end of the block",
    "$END": "the end of the text",
}
"""Terminals that are not one fixed text, and what a user calls them."""

_COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})
_OPERATORS = _COMPARISONS | {"+", "-", "*", "/", "//", "%", "&", "|", ".", "(", "["}
_EXPRESSION = frozenset({"NAME", "INT", "FLOAT", "(", "[", "-", "~"})
_STATEMENT = _EXPRESSION | {"pass", "if", "elif", "else", "for", "_DEDENT"}
_GROUPS = (
    ({"kernel"}, {"kernel", "_NEWLINE"}, "`kernel`"),
    ({"NAME", "pass"}, _STATEMENT, "a statement"),
    ({"NAME", "("}, _EXPRESSION, "an expression"),
    ({"+", "-"}, _OPERATORS, "an operator"),
)
"""Where all of the first are possible, those of the second are said in one word."""

_PYTHON_WORDS = {"and": "(...) & (...)", "or": "(...) | (...)", "not": "~(...)"}


@dataclass(frozen=True, slots=True)
class Node:
    """A part of the text, from character `start` to before `end`.

    `kind` is the grammar's rule, or the terminal of a leaf; `text` is the text of a leaf, or of the
    one leaf below.
    """

    kind: str
    children: tuple["Node", ...]
    text: str
    start: int
    end: int

    @property
    def span(self) -> tuple[int, int]:
        """The characters of this part, first and one past the last."""
        return self.start, self.end

    def child(self, kind: str) -> "Node | None":
        """Return the first child of `kind`."""
        return next((node for node in self.children if node.kind == kind), None)

    def all(self, kind: str) -> tuple["Node", ...]:
        """Return the children of `kind`."""
        return tuple(node for node in self.children if node.kind == kind)

    def walk(self) -> Iterator["Node"]:
        """Yield this part and everything below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


_MOST_DEEP = 350
"""Parts inside each other: programs are read by recursion, and no traced one nests as deep."""


class SyntaxFault(Exception):
    """Text that the grammar does not allow, at the characters of `span`."""

    def __init__(
        self, message: str, span: tuple[int, int], *, code: str = "", hint: str | None = None
    ) -> None:
        """Hold what was expected and what was found; `code` is empty for the start's own."""
        super().__init__(message)
        self.message = message
        self.span = span
        self.code = code
        self.hint = hint


def parse_tree(start: Start, text: str) -> Node:
    """Return the tree of `text` by the rule `start`.

    Raises:
        SyntaxFault: at the first place where the grammar allows nothing like it.
    """
    from lark import UnexpectedInput

    parser = _parser(start)
    try:
        tree = parser.parse(text)  # pyright: ignore[reportUnknownMemberType]
    except UnexpectedInput as mistake:
        raise _fault(text, mistake, parser) from None
    return _node(tree)


def in_words(alternatives: Iterable[str], word: str = "or") -> str:
    """Return `alternatives` as `a, b or c`."""
    *rest, last = alternatives
    return f"{', '.join(rest)} {word} {last}" if rest else last


@cache
def _parser(start: Start) -> "Lark":
    from lark import Lark

    from tilelang.text.blocks import Blocks

    return Lark(
        _GRAMMAR.read_text(encoding="utf-8"),
        start=start,
        parser="lalr",
        propagate_positions=True,
        maybe_placeholders=False,
        postlex=Blocks() if start == "program" else None,
    )


def _node(part: "Tree[Token] | Token", depth: int = 0) -> Node:
    from lark import Token

    if depth > _MOST_DEEP:
        start = 0 if isinstance(part, Token) or part.meta.empty else part.meta.start_pos
        hint = "store a part of the expression in a tile, and go on with that"
        message = "the expression is nested too deep here to be read"
        raise SyntaxFault(message, (start, start + 1), code="E0513", hint=hint)
    if isinstance(part, Token):
        return Node(part.type, (), str(part), part.start_pos or 0, part.end_pos or 0)
    start, end = (0, 0) if part.meta.empty else (part.meta.start_pos, part.meta.end_pos)
    children = tuple([_node(child, depth + 1) for child in part.children])
    text = children[0].text if len(children) == 1 and not children[0].children else ""
    return Node(str(part.data), children, text, start, end)


def _fault(text: str, mistake: "UnexpectedInput", parser: "Lark") -> SyntaxFault:
    span, found = _found(text, mistake)
    if found == "an indented line":
        return SyntaxFault("this line is indented, and it opens no block", span, code="E0502")
    code = re.sub(r"#[^\n]*", "", text[: span[0]])
    before = re.findall(r"\w+|->|//|:\+|[<>=!]=|\S", code)
    after = f"after `{before[-1]}`" if before else "at the start"
    expected = _expected(mistake, parser)
    if found.strip("`") in _COMPARISONS and {"an operator", "`|`"} & set(expected):
        hint = "compare two at a time: `(0 <= i) & (i < 3)`"
        return SyntaxFault("a comparison has two sides, and here begins a third", span, hint=hint)
    message = f"expected {in_words(expected)} {after}, found {found}"
    return SyntaxFault(message, span, hint=_hint([*before[-1:], text[slice(*span)]], expected))


def _found(text: str, mistake: "UnexpectedInput") -> tuple[tuple[int, int], str]:
    """Return the place of what was not expected, and what it is."""
    from lark import UnexpectedToken

    if not isinstance(mistake, UnexpectedToken):
        start = mistake.pos_in_stream or 0
        return (start, start + 1), f"`{text[start]}`"
    token = _token(mistake)
    end_of_text = len(text.rstrip())
    start, end = token.start_pos, token.end_pos
    match token.type:
        case "$END":
            return (end_of_text, end_of_text), _WORDS["$END"]
        case "_NEWLINE":
            start = end_of_text if start is None else min(start, end_of_text)
            return (start, start), _WORDS["$END" if start == end_of_text else "_NEWLINE"]
        case "_INDENT" | "_DEDENT":
            start = end_of_text if end is None else min(end, end_of_text)
            line = text[start:].partition("\n")[0]
            word = "an indented line" if token.type == "_INDENT" else _WORDS["_DEDENT"]
            return (start, start + len(line)), word if line else _WORDS["$END"]
        case _:
            return (start or 0, end or 0), f"`{token}`"


def _expected(mistake: "UnexpectedInput", parser: "Lark") -> list[str]:
    """Return how a user would call each terminal that could have stood there."""
    possible = {
        name if name in _WORDS else parser.get_terminal(name).pattern.value
        for name in _accepted(mistake)
    }
    if len(possible) > 1:
        possible -= {"$END"}
    words: list[str] = []
    for witnesses, group, word in _GROUPS:
        if witnesses <= possible:
            possible -= group
            words.append(word)
    words += [word for name, word in _WORDS.items() if name in possible]
    return words + [f"`{literal}`" for literal in sorted(possible - _WORDS.keys())]


def _hint(words: list[str], expected: list[str]) -> str | None:
    """Return what to write instead of `words`: the last good one and the first bad one."""
    for word in words:
        if word in _PYTHON_WORDS:
            return f"write `{_PYTHON_WORDS[word]}`"
    if expected == [_WORDS["_DEDENT"]]:
        return "write it at the left margin"
    return None


def _token(mistake: "UnexpectedToken") -> "Token":
    return mistake.token  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def _accepted(mistake: "UnexpectedInput") -> set[str]:
    return mistake.interactive_parser.accepts()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
