"""The language of kernels: what a kernel's body may call. `tilelang` exports all of it.

A body is traced: it runs once, its loops yield symbolic indices, and every operation records a
statement of the program.
"""

from tilelang.language.allocations import (
    alloc_gm,
    alloc_l0a,
    alloc_l0b,
    alloc_l0c,
    alloc_l1,
    alloc_ub,
)
from tilelang.language.branches import elif_scope, else_scope, if_scope
from tilelang.language.functions import (
    abs,
    cast,
    exp,
    ln,
    maximum,
    minimum,
    position,
    relu,
    rsqrt,
    sigmoid,
    sqrt,
    tanh,
    where,
)
from tilelang.language.handles import Condition, Index, IndexLike
from tilelang.language.loops import chunks, cores, for_range
from tilelang.language.operations import (
    acc,
    as_matrix,
    ceildiv,
    data_move,
    load3d,
    matmul,
    mmad,
    reduce_max,
    reduce_min,
    reduce_sum,
)
from tilelang.language.requirements import require
from tilelang.language.spellings import spelt
from tilelang.language.tensors import Tensor, Tile
from tilelang.language.vector import Expression

__all__ = [
    "Condition",
    "Expression",
    "Index",
    "IndexLike",
    "Tensor",
    "Tile",
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
    "require",
    "rsqrt",
    "sigmoid",
    "sqrt",
    "tanh",
    "where",
]

for _name in __all__:
    if callable(globals()[_name]) and not isinstance(globals()[_name], type):
        globals()[_name] = spelt(globals()[_name])  # here, so that no operation is forgotten
