"""Winners are read back, and become defaults only when asked."""

from pathlib import Path
from typing import Any

import pytest

import tilelang as tl
from tests.sweep.model import Model
from tilelang.kernels.gemm import gemm
from tilelang.sweep import Plan

SIZES: dict[str, Any] = {"M": 16, "N": 1024, "K": 256}


@pytest.fixture
def swept(model: Model, tmp_path: Path) -> Path:
    folder = tmp_path / "swept"
    plan = Plan(check=False, out=folder, pictures=False)
    gemm.sweep(
        {"n_tile": [16, 64], "k_tile": [16, 128]},
        **SIZES,
        dtype="float16",
        backend="model",
        plan=plan,
    )
    return folder


def test_the_best_is_every_tile_parameter_of_the_winner(swept: Path):
    found = tl.best(gemm, SIZES, "float16", "ascend910", log=swept)
    assert found == {"m_tile": 16, "n_tile": 64, "k_tile": 128}
    assert tl.best(gemm, SIZES, "float16", "ascend910", backend="model", log=swept) == found


def test_there_is_no_best_of_what_was_not_swept(swept: Path, tmp_path: Path):
    assert tl.best(gemm, {**SIZES, "M": 17}, "float16", "ascend910", log=swept) is None
    assert tl.best(gemm, SIZES, "bfloat16", "ascend910", log=swept) is None
    assert tl.best(gemm, SIZES, "float16", "ascend310p", log=swept) is None
    assert tl.best(gemm, SIZES, "float16", "ascend910", backend="numpy", log=swept) is None
    assert tl.best(gemm, SIZES, "float16", "ascend910", log=tmp_path / "empty") is None
    assert not (tmp_path / "empty").exists()


@pytest.mark.parametrize(
    ("change", "more", "code"),
    [
        ({"Q": 1}, {}, "E0225"),
        ({"M": None}, {}, "E0226"),
        ({}, {"dtype": None}, "E0231"),
        ({}, {"machine": "ascend911"}, "E0603"),
        ({}, {"backend": "modell"}, "E0602"),
    ],
)
def test_a_problem_that_nobody_could_have_swept_is_an_error(
    swept: Path, change: dict[str, Any], more: dict[str, Any], code: str
):
    dims = {name: size for name, size in {**SIZES, **change}.items() if size is not None}
    settings = {"dtype": "float16", "machine": "ascend910", **more}
    with pytest.raises(tl.TileError) as caught:
        tl.best(gemm, dims, **settings, log=swept)
    assert [fault.code for fault in caught.value.diagnostics] == [code]


def test_a_kernel_uses_winners_only_when_it_is_told_to(swept: Path):
    @tl.kernel("a[M, K]: T, b[K, N]: T -> c[M, N]: acc(T)")
    def gemm_(
        a: tl.Tensor,
        b: tl.Tensor,
        c: tl.Tensor,
        *,
        m_tile: int = 16,
        n_tile: int = 16,
        k_tile: int = 16,
    ) -> None:
        gemm.function(a, b, c, m_tile=m_tile, n_tile=n_tile, k_tile=k_tile)

    def tiles_of(**more: int) -> dict[str, int]:
        program = gemm_.program(dtype="float16", machine="ascend910", **{**SIZES, **more})
        return dict(program.tiles)

    assert tiles_of() == {"m_tile": 16, "n_tile": 16, "k_tile": 16}
    gemm_.tiles(tl.best_rule(gemm, log=swept))
    assert tiles_of() == {"m_tile": 16, "n_tile": 64, "k_tile": 128}
    assert tiles_of(n_tile=32)["n_tile"] == 32
    assert tiles_of(M=17) == {"m_tile": 16, "n_tile": 16, "k_tile": 16}
