import ast
from collections.abc import Callable, Sequence
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
    DataMove,
    Elementwise,
    Expr,
    ForRange,
    InstructionProgram,
    Lanes,
    Name,
    Operand,
    Scope,
    Tensor,
    TikType,
    TransposeBlocks,
    VectorOp,
    add,
    multiply,
)
from tilelang.backends.tik.lower import lower_program
from tilelang.backends.tik.recorder import record, record_source
from tilelang.diagnostics import Location, TileError
from tilelang.ir.named import called
from tilelang.kernel import Kernel
from tilelang.kernels.batch_norm import batch_norm, batch_norm_training
from tilelang.kernels.conv2d import conv2d_nc1hwc0
from tilelang.kernels.gemm import gemm
from tilelang.kernels.layer_norm import layer_norm
from tilelang.kernels.linear import linear
from tilelang.kernels.lstm import lstm
from tilelang.kernels.lstm_cell import lstm_cell
from tilelang.kernels.softmax import softmax
from tilelang.kernels.split_k_gemm import split_k_gemm
from tilelang.machines import find_machine

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
    tile = called(64, "n_tile")
    x = Tensor("x", TikType.FLOAT16, (256,), Scope.GM)
    ub = Tensor("ub", TikType.FLOAT16, (tile,), Scope.UB, loc=Location(__file__, 1))
    start = multiply(Name("i"), tile)
    move = DataMove(
        Operand("ub", TikType.FLOAT16),
        Operand("x", TikType.FLOAT16, start),
        1,
        tile // 16,
        loc=Location(__file__, 2),
    )
    loop = ForRange("i", 0, 4, (ub, move))
    return InstructionProgram("constants", "Ascend910A", (x, loop), ("x",), ())


def test_tile_sizes_are_named_and_lines_quoted(golden: Golden):
    program = named_constants()
    text = emit(program, comments=True)
    golden.check("tik/constants.txt", text)
    assert "# import ast" in text
    assert record_source(text, "constants") == program


SHIPPED: list[tuple[Kernel, dict[str, Any]]] = [
    (gemm, {"M": 300, "N": 1000, "K": 250, "dtype": "float16"}),
    (gemm, {"M": 17, "N": 48, "K": 0, "dtype": "float16"}),
    (gemm, {"M": 128, "N": 128, "K": 128, "dtype": "int8"}),
    (softmax, {"M": 33, "N": 1000, "dtype": "float32"}),
    (layer_norm, {"M": 16, "N": 15, "dtype": "float16"}),
    (batch_norm, {"N": 2, "C": 17, "H": 5, "W": 7, "dtype": "float16"}),
    (batch_norm_training, {"N": 2, "C": 16, "H": 4, "W": 8, "dtype": "float32"}),
    (linear, {"M": 64, "N": 80, "K": 100, "dtype": "float16"}),
    (lstm, {"S": 2, "B": 16, "I": 32, "H": 64, "dtype": "float16"}),
    (lstm_cell, {"B": 32, "I": 48, "H": 64, "dtype": "float16"}),
    (split_k_gemm, {"M": 64, "N": 128, "K": 500, "dtype": "float16"}),
    (
        conv2d_nc1hwc0,
        {"N": 1, "C": 16, "H": 9, "W": 7, "O": 32, "R": 3, "S": 3, "dtype": "float16"},
    ),
]


@pytest.mark.parametrize("machine", ["ascend310p", "ascend910"])
@pytest.mark.parametrize(("kernel", "sizes"), SHIPPED, ids=lambda value: getattr(value, "name", ""))
def test_shipped_kernels_come_back_from_their_text(
    kernel: Kernel, sizes: dict[str, Any], machine: str
):
    try:
        program = kernel.program(machine=machine, **sizes)
        lowered = lower_program(program, find_machine(machine))
    except TileError as refusal:
        pytest.skip(str(refusal).partition("\n")[0])
    text = emit(lowered, comments=True)
    assert record_source(text, lowered.name, soc=lowered.soc) == lowered
    for line in text.splitlines():  # one argument is never broken
        assert len(line) <= 100 or line.lstrip().startswith("#") or ", " not in line.strip()


def test_names_that_mean_two_things_stand_as_numbers():
    x = Tensor("N", TikType.FLOAT16, (called(48, "n"), called(16, "k")), Scope.GM)
    y = Tensor("y", TikType.FLOAT16, (called(32, "k"), called(64, "m")), Scope.GM)
    text = emit(InstructionProgram("names", "Ascend910A", (x, y), ("N",), ("y",)))
    assert '"float16", (48, 16), name="N"' in text
    assert '"float16", (32, M), name="y"' in text
    assert "M = 64" in text


def test_views_that_repeat_have_a_name():
    ub = Tensor("ub", TikType.FLOAT16, (64,), Scope.UB)
    lanes = Lanes(Operand("ub", TikType.INT16))
    twice = Elementwise(VectorOp.OR, 64, lanes, (lanes, lanes), 1)
    program = InstructionProgram("views", "Ascend910A", (ub, twice), (), ())
    text = emit(program)
    assert 'ub_int16 = ub.reinterpret_cast_to("int16")' in text
    assert "tik_instance.vec_or(64, ub_int16, ub_int16, ub_int16, 1, 8, 8, 8)" in text
    assert record_source(text, "views") == program


@pytest.mark.parametrize(
    ("numbers", "formula"),
    [
        (range(0, 512, 32), "32 * entry"),
        (range(64, 80), "64 + 1 * entry"),
        ([(8 * at + 40) % 128 for at in range(16)], "(8 * entry + 40) % 128"),
        ([16 + (16 * at + 128) % 256 for at in range(16)], "16 + (16 * entry + 128) % 256"),
    ],
)
@pytest.mark.parametrize("base", [0, Name("i")])
def test_lists_of_starts_are_comprehensions(base: Expr, numbers: Sequence[int], formula: str):
    ub = Tensor("ub", TikType.FLOAT16, (4096,), Scope.UB)
    starts = tuple(Operand("ub", TikType.FLOAT16, add(base, number)) for number in numbers)
    work = TransposeBlocks(False, False, starts, starts, 1, 0, 0)
    loop = ForRange("i", 0, 2, (work,))
    program = InstructionProgram("lists", "Ascend910A", (ub, loop), (), ())
    text = emit(program)
    if base != 0:
        formula = f"i + {formula}" if min(numbers) == 0 else f"i + ({formula})"
    assert f"ub[{formula}] for entry in range(16)]" in text
    assert record_source(text, "lists") == program


def test_the_text_is_python_that_imports_only_tik():
    tree = ast.parse(emit(record(gemm_scripts.gemm, 16, 16, 16, (16, 16, 16))))
    imports = [ast.unparse(n) for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert imports == ["from tbe import tik"]
