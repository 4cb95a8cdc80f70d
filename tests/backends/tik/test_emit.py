import ast
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.backends.tik import conv_scripts, gemm_scripts
from tests.backends.tik.programs import programs
from tests.backends.tik.scripts import floats
from tests.golden import Golden
from tilelang.backends.tik.emit import emit
from tilelang.backends.tik.emulate import emulate
from tilelang.backends.tik.instructions import (
    Constant,
    DataMove,
    ForRange,
    InstructionProgram,
    Name,
    Operand,
    Scope,
    Tensor,
    TikType,
    multiply,
)
from tilelang.backends.tik.recorder import record, record_source
from tilelang.diagnostics import Location

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)


# Shrinking a nested program takes minutes; the printed difference says enough.
@settings(
    max_examples=40,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[*SLOW],
    deadline=None,
)
@given(programs())
def test_recording_the_text_gives_back_the_program(program: InstructionProgram):
    assert record_source(emit(program), "program") == program


SCRIPTS: dict[str, tuple[Callable[..., None], tuple[object, ...]]] = {
    "gemm": (gemm_scripts.gemm, (64, 96, 128, (32, 48, 64))),
    "ragged_gemm": (gemm_scripts.ragged_gemm, (17, 15, 33)),
    "gemm_bias_relu": (gemm_scripts.gemm_bias_relu, (32, 64, 48)),
    "conv": (conv_scripts.conv_load3d, (conv_scripts.Case(1, 8, 8, 16, (3, 3), pad=1), 0)),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_text_of_hand_written_scripts(name: str, golden: Golden):
    entry, args = SCRIPTS[name]
    program = record(entry, *args)
    text = emit(program)
    golden.check(f"tik/{name}.txt", text)
    assert record_source(text, program.name) == program
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_text_computes_what_the_script_computes(name: str):
    entry, args = SCRIPTS[name]
    program = record(entry, *args)
    feed = {name: _array(program, name, seed) for seed, name in enumerate(program.inputs)}
    again = record_source(emit(program), program.name)
    wanted, got = (emulate(item, feed).outputs for item in (program, again))
    for output in wanted:
        np.testing.assert_array_equal(got[output], wanted[output])


def _array(program: InstructionProgram, name: str, seed: int) -> Any:
    tensor = next(t for t in program.body if isinstance(t, Tensor) and t.name == name)
    shape = tuple(extent for extent in tensor.shape if isinstance(extent, int))
    return floats(shape, tensor.dtype.numpy, seed)


def named_constants() -> InstructionProgram:
    """Return a program as the lowering builds one: named tile sizes, lines it came from."""
    tile = Constant(64, "N_TILE")
    x = Tensor("x", TikType.FLOAT16, (256,), Scope.GM)
    ub = Tensor("ub", TikType.FLOAT16, (tile,), Scope.UB, loc=Location(__file__, 1))
    start = multiply(Name("i"), tile)
    move = DataMove(
        Operand("ub", TikType.FLOAT16),
        Operand("x", TikType.FLOAT16, start),
        1,
        Constant(4, "N_TILE // 16"),
        loc=Location(__file__, 2),
    )
    loop = ForRange("i", 0, 4, (ub, move))
    return InstructionProgram(
        "constants", "Ascend910A", (x, loop), ("x",), (), constants=(("N_TILE", 64),)
    )


def test_tile_sizes_are_named_and_lines_quoted(golden: Golden):
    program = named_constants()
    text = emit(program, comments=True)
    golden.check("tik/constants.txt", text)
    assert "# import ast" in text
    assert record_source(text, "constants") == program


def test_the_text_is_python_that_imports_only_tik():
    tree = ast.parse(emit(record(gemm_scripts.gemm, 16, 16, 16, (16, 16, 16))))
    imports = [ast.unparse(n) for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert imports == ["from tbe import tik"]
