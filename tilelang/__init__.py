"""Write tile-level accelerator kernels in Python, and trust them.

`import tilelang as tl`; a kernel is a function decorated with `tl.kernel`, and everything its body
calls is here too.
"""

from pathlib import Path

__version__ = "0.1.0"

# In a checkout backends/ and kernels/ lie beside this folder; a wheel holds them inside it.
_root = Path(__file__).parents[1]
if (_root / "pyproject.toml").is_file():
    __path__.append(str(_root))

from tilelang.diagnostics import Diagnostic, TileError  # noqa: E402 - after the path is complete
from tilelang.dtypes import DType  # noqa: E402
from tilelang.kernel import Kernel, kernel  # noqa: E402
from tilelang.language import (  # noqa: E402
    Tensor,
    abs,
    acc,
    alloc_gm,
    alloc_l0a,
    alloc_l0b,
    alloc_l0c,
    alloc_l1,
    alloc_ub,
    as_matrix,
    cast,
    ceildiv,
    chunks,
    cores,
    data_move,
    elif_scope,
    else_scope,
    exp,
    for_range,
    if_scope,
    ln,
    load3d,
    matmul,
    maximum,
    minimum,
    mmad,
    position,
    reduce_max,
    reduce_min,
    reduce_sum,
    relu,
    rsqrt,
    sigmoid,
    sqrt,
    tanh,
    where,
)

__all__ = [
    "DType",
    "Diagnostic",
    "Kernel",
    "Tensor",
    "TileError",
    "abs",
    "acc",
    "alloc_gm",
    "alloc_l0a",
    "alloc_l0b",
    "alloc_l0c",
    "alloc_l1",
    "alloc_ub",
    "as_matrix",
    "cast",
    "ceildiv",
    "chunks",
    "cores",
    "data_move",
    "elif_scope",
    "else_scope",
    "exp",
    "for_range",
    "if_scope",
    "kernel",
    "ln",
    "load3d",
    "matmul",
    "maximum",
    "minimum",
    "mmad",
    "position",
    "reduce_max",
    "reduce_min",
    "reduce_sum",
    "relu",
    "rsqrt",
    "sigmoid",
    "sqrt",
    "tanh",
    "where",
]
