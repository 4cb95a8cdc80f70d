"""What Python asks of values and a tile cannot answer, as it has none while the kernel is traced.

Each question is refused with what to write instead; unanswered, `for x in tile` would never end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from tilelang.language import mistakes, questions


class NoValues:
    """Something that stands for numbers which nobody has computed yet."""

    __slots__ = ()

    def __hash__(self) -> NoReturn:
        """Refuse: equality of tiles is a mask."""
        raise mistakes.key("a tile")

    def __bool__(self) -> NoReturn:
        """Refuse: there is no value yet."""
        raise questions.truth_value("a tile")

    def __iter__(self) -> NoReturn:
        """Refuse: Python would ask for elements without end."""
        raise questions.elements_of_tile()

    def __contains__(self, _: object) -> NoReturn:
        """Refuse: Python would compare elements without end."""
        raise questions.no_values("`in`", "compare it with `==`, which gives a mask")

    def __len__(self) -> NoReturn:
        """Refuse, and say what to write."""
        raise questions.no_values("`len`", "write `x.shape[0]`")

    def __float__(self) -> NoReturn:
        """Refuse: there is no value yet."""
        raise questions.number_of_tile()

    __int__ = __round__ = __trunc__ = __floor__ = __ceil__ = __float__

    def __call__(self, *_: object, **__: object) -> NoReturn:
        """Refuse: parts are named by brackets, and properties are no methods."""
        raise mistakes.error(
            "E0144",
            f"`{self!r}` is called",
            "name a part with brackets, `t[i, 0]`; `.T`, `.shape` and `.dtype` take no parentheses",
        )

    def __format__(self, spec: str) -> str:
        """Return the text that it prints as; refuse a format for numbers."""
        if spec:
            raise questions.format_of_tile(spec)
        return str(self)

    def __array_function__(self, function: Callable[..., object], *_: object) -> NoReturn:
        """Refuse a function of numpy, by its name."""
        raise questions.numpy_function(function.__name__)

    def __array__(self, *_: object, **__: object) -> NoReturn:
        """Refuse: there is no value yet."""
        raise questions.no_values("a numpy array", "use numpy outside the kernel, on its results")


def _refused(operator: str, hint: str) -> Callable[[NoValues, object], NoReturn]:
    """Return the method of an operator that tiles do not have."""

    def refuse(_: NoValues, __: object) -> NoReturn:
        raise mistakes.error("E0115", f"`{operator}` is not an operation on tiles", hint)

    return refuse


_NOT_ON_TILES = {
    "pow": ("**", "write `x * x`, or `tl.exp(n * tl.ln(x))`"),
    "floordiv": ("//", 'write `/` on floats, or `tl.cast(x / y, "int32", round="floor")`'),
    "mod": ("%", "compute it in Python before the kernel, or from `tl.cast(x / y, ...)`"),
    "matmul": ("@", "write `tl.matmul(acc, a1, b1)` with operands in L1"),
    "xor": ("^", "write `(a & ~b) | (~a & b)` for masks `a` and `b`"),
    "lshift": ("<<", "multiply by a power of two"),
    "rshift": (">>", "divide by a power of two, on floats"),
}
for _name, _said in _NOT_ON_TILES.items():
    setattr(NoValues, f"__{_name}__", _refused(*_said))
    setattr(NoValues, f"__r{_name}__", _refused(*_said))
