"""How tightly the operators of the text form bind, which is as in Python."""

from enum import IntEnum


class Level(IntEnum):
    """The loosest operator of a piece of text; a looser piece goes in brackets."""

    COMPARISON = 0
    OR = 1
    AND = 2
    SUM = 3
    PRODUCT = 4
    UNARY = 5
    ATOM = 6

    @property
    def tighter(self) -> "Level":
        """The next tighter level, which a right operand has: `a - (b - c)`."""
        return Level(self + 1)


def bracketed(text: str, level: Level, place: Level) -> str:
    """Return `text`, whose loosest operator is of `level`, fit for a place that takes `place`."""
    return text if level >= place else f"({text})"
