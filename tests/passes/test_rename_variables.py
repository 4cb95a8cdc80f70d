"""Variables under other names: everywhere, and nowhere else."""

from hypothesis import given

from tests.programs import programs
from tests.verify.writing import tile
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.expression import IndexValue
from tilelang.ir.nodes import If, Loop, LoopKind, Map, Program
from tilelang.ir.region import Memory, whole
from tilelang.ir.walk import walk
from tilelang.passes.rename_variables import rename_variables

U = tile("u", Memory.UB, (16, 16))
ROW, COLUMN = ix.variable("i"), ix.variable("j")


def test_loops_conditions_and_values_take_the_name() -> None:
    use = Map(whole(U), IndexValue(ix.add(ROW, COLUMN)))
    body = (Loop("i", COLUMN, LoopKind.SERIAL, 1, (If(cond.equal(ROW, COLUMN), (use,), ()),)),)
    (loop,) = rename_variables(body, {"i": "k"})
    k = ix.variable("k")
    renamed = Map(whole(U), IndexValue(ix.add(k, COLUMN)))
    assert loop == Loop(
        "k", COLUMN, LoopKind.SERIAL, 1, (If(cond.equal(k, COLUMN), (renamed,), ()),)
    )


@given(programs())
def test_names_there_and_back_change_nothing(program: Program) -> None:
    for stage in program.stages:
        names = {s.var: f"{s.var}_new" for s in walk(stage.body) if isinstance(s, Loop)}
        names |= {core.var: f"{core.var}_new" for core in stage.grid}
        there = rename_variables(stage.body, names)
        assert rename_variables(there, {new: old for old, new in names.items()}) == stage.body
        assert there == stage.body or names
