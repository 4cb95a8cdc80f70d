import copy

import numpy as np

from tilelang.dtypes import DType
from tilelang.ir.expression import Literal
from tilelang.ir.nodes import Move
from tilelang.ir.region import Buffer, Memory, whole
from tilelang.layouts import ND

F32 = DType.FLOAT32
TILE = whole(Buffer("t", Memory.UB, F32, (4,), ND))


def test_a_literal_is_what_is_written():
    assert Literal(0.0, F32) != Literal(-0.0, F32)
    assert Literal(1, F32) == Literal(1.0, F32)
    assert Literal(1, DType.INT32) != Literal(1, F32)
    assert Literal(float("nan"), F32) == Literal(np.nan, F32)
    assert len({Literal(float("nan"), F32), Literal(np.nan, F32)}) == 1


def test_moves_padded_with_any_nan_are_equal():
    move = Move(TILE, TILE, float("nan"))
    assert move == Move(TILE, TILE, -np.nan) == copy.deepcopy(move)
    assert hash(move) == hash(Move(TILE, TILE, np.nan))
    assert move != Move(TILE, TILE, 0.0)
