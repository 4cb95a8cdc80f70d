"""Indentation of the text form; imported with lark, when the first program is parsed."""

from collections.abc import Iterator

from lark import Token
from lark.indenter import PythonIndenter

from tilelang.text.syntax import SyntaxFault, in_words


class Blocks(PythonIndenter):
    """Turns the white space that begins a line into tokens, as Python does."""

    def handle_NL(self, token: Token) -> Iterator[Token]:
        """Yield `token` and the indents or dedents after it; refuse a dedent between two levels."""
        width = len(token.rpartition("\n")[2].expandtabs(self.tab_len))
        levels = self.indent_level
        if self.paren_level == 0 and width < levels[-1] and width not in levels:
            known = in_words(map(str, levels))
            message = f"this line is indented by {width}, and blocks above it by {known}"
            end = token.end_pos or 0
            raise SyntaxFault(message, (end - 1, end), code="E0502")
        yield from super().handle_NL(token)
