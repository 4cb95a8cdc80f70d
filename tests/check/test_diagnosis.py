"""A wrong result is explained: where it is wrong, in what order, by which mistake, since when."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.check.devices import Device, run_on
from tests.check.faults import FAULTS, Fault
from tests.check.running import Executable, results_of
from tilelang.check.compare import compare
from tilelang.check.diagnosis import Case, Picture, explain
from tilelang.check.families import families
from tilelang.check.oracle import enclose
from tilelang.ir.nodes import Program
from tilelang.kernels.gemm import gemm
from tilelang.kernels.softmax import softmax
from tilelang.layouts import LayoutKind, layout_for
from tilelang.numerics import IEEE, Numerics

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Trial:
    """A backend with a fault."""

    fault: Fault
    program: Program
    numerics: Numerics = IEEE

    def __call__(self, inputs: Sequence[Array]) -> list[Array]:
        """Return the logical results."""
        return results_of(self.program, inputs, self.fault(self.program))

    def compile(self, program: Program) -> Trial:
        """Return the same with another program."""
        return Trial(self.fault, program, self.numerics)


def explained(fault: Fault, program: Program, family: str = "exact") -> tuple[str, ...]:
    """Return the sentences on the result of a faulty backend."""
    return explain(case_of(fault, program, family))[0]


def case_of(fault: Fault, program: Program, family: str) -> Case:
    """Return the case of a faulty backend, whose first result is wrong."""
    drawn = next(one for one in families(program, 0) if one.name == family)
    trial = Trial(fault, program)
    found = trial(drawn.inputs)
    enclosures = enclose(program, drawn.inputs, IEEE, found=found)
    comparison = compare(found[0], enclosures[0], program.results[0].dtype)
    assert comparison.wrong.any()
    return Case(program, drawn, 0, comparison, trial)


def changed(change: Callable[[Array], None]) -> Fault:
    """Return the fault that changes the first result after the run."""

    def fault(program: Program) -> Executable:
        run = run_on(program, Device())

        def faulty(*arrays: Array) -> None:
            run(*arrays)
            change(arrays[len(program.inputs)])

        return faulty

    return fault


def product(m: int = 64, n: int = 64, k: int = 96) -> Program:
    """Return a product of several tiles and steps."""
    return gemm.program(M=m, N=n, K=k, m_tile=32, n_tile=32, k_tile=32, dtype="float16")


def test_a_dropped_step_is_named_with_its_line_and_found_where_it_happens():
    sentences = explained(FAULTS["one k-step dropped"], product())
    assert any(said.startswith("as if the step `k` = 2 (line ") for said in sentences)
    (said,) = [said for said in sentences if said.startswith("first divergence")]
    assert "the product of `a1` and `b1` into `acc` at " in said
    assert "in iteration k = 2 on core i = 0, j = 0" in said


def test_a_step_taken_twice_is_told_from_one_that_is_missing():
    sentences = explained(FAULTS["one product added twice"], product())
    assert not any("as if" in said for said in sentences)
    (said,) = [said for said in sentences if said.startswith("first divergence")]
    assert "in iteration k = 0" in said
    assert "`acc[0, 0]`" in said


def test_a_transposed_fractal_of_an_operand_is_recognised():
    def fault(program: Program) -> Executable:
        run = run_on(program, Device())

        def faulty(a: Array, b: Array, *results: Array) -> None:
            blocks = b.reshape(b.shape[0] // 16, 16, b.shape[1] // 16, 16)
            run(a, np.ascontiguousarray(blocks.swapaxes(1, 3)).reshape(b.shape), *results)

        return faulty

    sentences = explained(fault, product())
    assert "as if of `b` each fractal of 16 x 16 is transposed" in sentences


@pytest.mark.parametrize("kind", [LayoutKind.NZ, LayoutKind.ZZ])
def test_a_result_in_another_layout_is_recognised(kind: LayoutKind):
    def change(c: Array) -> None:
        layout = layout_for(kind, gemm.program(M=1, N=1, K=1, dtype="float16").results[0].dtype)
        c[...] = layout.pack(c.copy()).reshape(c.shape)

    sentences = explained(changed(change), product())
    said = "the numbers are right, but in another order: it is laid out"
    assert f"{said} {kind.value} where ND is wanted" in sentences


def test_a_transposed_result_is_recognised():
    def change(c: Array) -> None:
        c[...] = c.T.copy()

    sentences = explained(changed(change), product())
    assert any(said.endswith("order: it is transposed") for said in sentences)


def test_a_doubled_accumulator_is_recognised():
    def change(c: Array) -> None:
        c[:32] *= 2

    sentences = explained(changed(change), product())
    assert any("twice what it should be" in said for said in sentences)
    assert "2 of 4 tiles of 32 x 32 are wrong as a whole, first tile [0, 0]" in sentences


def test_a_stale_tile_and_a_stale_accumulator_are_told_apart():
    def stale(c: Array) -> None:
        c[:, 32:] = c[:, :32].copy()

    def added(c: Array) -> None:
        c[:, 32:] += c[:, :32]

    assert any(said.startswith("a stale tile") for said in explained(changed(stale), product()))
    assert any(
        said.startswith("a stale accumulator") for said in explained(changed(added), product())
    )


@pytest.mark.parametrize(
    ("rows", "columns", "said"),
    [
        (slice(64, None), slice(None), "only the tail is wrong: rows 64 to 69, past"),
        (slice(None), slice(64, None), "only the tail is wrong: columns 64 to 66, past"),
        (slice(None), slice(66, None), "only the tail is wrong: columns 66 to 66, past"),
        (slice(None), slice(5, None, 16), "stripes: columns 5 of every 16 are wrong"),
        (slice(8, None, 32), slice(None), "stripes: rows 8 of every 32 are wrong"),
    ],
)
def test_tails_and_stripes_are_named(rows: slice, columns: slice, said: str):
    def change(c: Array) -> None:
        c[rows, columns] = 0.3

    sentences = explained(changed(change), product(70, 67))
    assert any(sentence.startswith(said) for sentence in sentences), sentences


def test_numbers_that_are_none_are_counted():
    def change(c: Array) -> None:
        c[3, 5:7] = np.nan

    sentences = explained(changed(change), product())
    assert "2 of them are NaN, which the program does not make" in sentences


def test_a_backend_that_differs_from_run_to_run_is_told():
    generator = np.random.default_rng(0)

    def change(c: Array) -> None:
        c += generator.normal(size=c.shape).astype(c.dtype)

    sentences = explained(changed(change), product())
    assert any("differs from run to run" in said for said in sentences)


def test_a_wrong_expression_is_found_with_its_line():
    def fault(program: Program) -> Executable:
        class Wrong(Device):
            def unary(self, op: Any, dtype: Any) -> Callable[..., Array]:
                function = super().unary(op, dtype)

                def compute(x: Array) -> Array:
                    return function(x) + np.float32(0.01) * x

                return compute

        return run_on(program, Wrong())

    program = softmax.program(M=17, N=40, dtype="float32")
    (said,) = [
        said for said in explained(fault, program, "signed") if said.startswith("first divergence")
    ]
    assert "the expression for `wide` at " in said
    assert "softmax.py:" in said


def test_the_picture_has_the_tile_grid_and_the_wrong_elements(tmp_path: Path):
    def change(c: Array) -> None:
        c[0, 0] += 1

    case = case_of(changed(change), product(), "exact")
    picture = explain(case)[1]
    assert picture.tile == (32, 32)
    root = ElementTree.fromstring(picture.svg())
    names = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert names.count("line") == 2
    red = [element for element in root.iter() if element.get("fill", "").startswith("rgb")]
    assert [(one.get("x"), one.get("y")) for one in red] == [("0", "0")]
    picture.save(tmp_path / "error.svg")
    assert (tmp_path / "error.svg").read_text() == picture.svg()


def test_tiles_of_more_than_two_dimensions_have_lines_and_indices():
    picture = Picture("three", np.zeros((2, 20, 40)), (1, 16, 32))
    assert picture.starts == (
        [(0, "0, 0"), (16, "0, 16"), (20, "1, 0"), (36, "1, 16")],
        [(0, "0"), (32, "32")],
    )
    assert picture.legend.endswith("lines: tiles of 1 x 16 x 32")
    drawn = picture.svg()
    assert drawn.count("<line ") == 4
    assert ">1, 16</text>" in drawn


@pytest.mark.parametrize(
    ("shape", "tile", "starts"),
    [
        ((40,), (32,), ([(0, "0")], [(0, "0"), (32, "32")])),
        ((), (), ([(0, "0")], [(0, "0")])),
        ((3, 0), (2, 2), ([(0, "0"), (2, "2")], [(0, "0")])),
        ((3, 4), (0, 0), ([(0, "0")], [(0, "0")])),
        ((2, 2, 2, 3), (1, 2, 2, 3), ([(0, "0, 0, 0"), (4, "1, 0, 0")], [(0, "0")])),
    ],
)
def test_lines_lie_where_tiles_begin(shape: tuple[int, ...], tile: tuple[int, ...], starts: Any):
    picture = Picture("any", np.zeros(shape), tile)
    assert picture.starts == starts
    ElementTree.fromstring(picture.svg())


def test_a_picture_may_be_png(tmp_path: Path):
    pytest.importorskip("matplotlib")
    case = case_of(FAULTS["missing tail column"], product(), "exact")
    explain(case)[1].save(tmp_path / "error.png")
    assert (tmp_path / "error.png").read_bytes().startswith(b"\x89PNG")
