"""`tl.kernel`: the decorator that makes a kernel of a function, and what a signature says."""

from collections.abc import Callable
from functools import update_wrapper
from types import FunctionType

from tilelang.definition import check_is_plain_function, check_signature_is_text
from tilelang.diagnostics import callsite
from tilelang.diagnostics.boundary import boundary
from tilelang.kernel import Kernel
from tilelang.text.signature import parse_signature


@boundary
def kernel(signature: str, *, name: str | None = None) -> Callable[[Callable[..., None]], Kernel]:
    """Make a kernel of the function below, whose parameters the signature describes.

    A signature is `inputs; attributes -> results`, and a tensor `name[dimensions]: dtype @ LAYOUT`:

    * Dimensions are names, which stand for one size throughout, numbers, or expressions:
      `c[(M + 2*pad - R) // stride + 1]`. Those of results follow from the inputs and attributes.
    * The dtype is float16, bfloat16, float32, int8, uint8, int32, a variable with a capital, `T`,
      which the arrays of a call decide, or `acc(T)`, what the cube sums `T` in. Left out: `T`.
    * The layout is that of the array which is passed (`tilelang layout --list`); left out, it is
      row-major.
    * Attributes change the meaning: the function's keywords of those names, each a `bool`, `int` or
      `float`, as it is annotated. All other keywords are tile parameters: positive ints, with
      defaults, which never change a result.

    The body is traced: it runs once for each kind of arguments, and what it calls is recorded.
    `name` is the kernel's where one function makes several of them.

    Example:
        @tl.kernel("x[M, N]: T; scale -> y[M, N]: T")
        def scaled(x: tl.Tensor, y: tl.Tensor, *, scale: float, m_tile: int = 16) -> None:
            M, N = x.shape
            for i in tl.cores(tl.ceildiv(M, m_tile)):
                t = tl.alloc_ub((m_tile, N), x.dtype)
                tl.data_move(t, x[i * m_tile, 0])
                t *= scale
                tl.data_move(y[i * m_tile, 0], t)

        @scaled.reference
        def scaled_meaning(x, scale):
            return x * scale

        scaled(np.ones((20, 8), np.float32), scale=0.5, m_tile=8)
        scaled.check(M=20, N=8, scale=0.5, dtype="float16", backends=["numpy"])

    Raises:
        TileError: E02xx for a signature, E0810 to E0812, E0814 and E0821 for parameters that do not
            match it, E0816 for something else than a text above a plain function.
    """
    location = callsite.location(None)
    check_signature_is_text(signature, location)

    @boundary
    def decorate(function: Callable[..., None]) -> Kernel:
        parsed = parse_signature(signature, location)
        check_is_plain_function(function, location)
        return Kernel(function if name is None else _renamed(function, name), parsed)

    return decorate


def _renamed(function: Callable[..., None], name: str) -> Callable[..., None]:
    """Return a function of the same code that is called `name`."""
    assert isinstance(function, FunctionType)
    copy = FunctionType(
        function.__code__, function.__globals__, name, function.__defaults__, function.__closure__
    )
    return update_wrapper(copy, function, ("__module__", "__doc__", "__kwdefaults__"), ())
