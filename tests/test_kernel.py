"""Calling kernels: arrays in, arrays out, keywords, layouts, caches, and what a program is of."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

import tilelang as tl
from tilelang.diagnostics import TileError
from tilelang.kernels.gemm import gemm
from tilelang.layouts import LayoutKind, layout_for

AWKWARD = [1, 15, 16, 17, 31, 130]


def random(shape: tuple[int, ...], dtype: Any, seed: int = 0) -> NDArray[Any]:
    generator = np.random.default_rng(seed)
    if np.issubdtype(dtype, np.integer):
        return generator.integers(-128, 128, shape).astype(dtype)
    return generator.uniform(-1, 1, shape).astype(dtype)


@tl.kernel("x[M, N]: T; shift -> y[M, N]: T, low[M, 1]: T")
def shifted(
    x: tl.Tensor, y: tl.Tensor, low: tl.Tensor, *, shift: int, rows: int = 16, n_tile: int = 64
) -> None:
    """Shift x, and take the row minima of x."""
    m, n = x.shape
    for i in tl.cores(tl.ceildiv(m, rows)):
        smallest = tl.alloc_ub((rows, 1), x.dtype)
        part = tl.alloc_ub((rows, 1), x.dtype)
        smallest[:] = float("inf")
        for j in tl.for_range(tl.ceildiv(n, n_tile)):
            t = tl.alloc_ub((rows, n_tile), x.dtype)
            tl.data_move(t, x[i * rows, j * n_tile], pad=float("inf"))
            part[:] = tl.reduce_min(t, 1)
            smallest[:] = tl.minimum(smallest, part)
            t += shift
            tl.data_move(y[i * rows, j * n_tile], t)
        tl.data_move(low[i * rows, 0], smallest)


def code_of(caught: pytest.ExceptionInfo[TileError]) -> list[str]:
    return [diagnostic.code for diagnostic in caught.value.diagnostics]


@pytest.mark.parametrize("m", AWKWARD)
@pytest.mark.parametrize("n", AWKWARD)
def test_several_results_come_back_as_a_tuple(m: int, n: int):
    x = random((m, n), np.float32)
    y, low = shifted(x, shift=3)
    np.testing.assert_array_equal(y, x + np.float32(3))
    np.testing.assert_array_equal(low, x.min(1, keepdims=True))


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.int8])
@pytest.mark.parametrize(("m", "n", "k"), [(1, 17, 3), (16, 16, 0), (130, 31, 65), (0, 3, 5)])
def test_gemm_on_exact_numbers_is_exact(dtype: Any, m: int, n: int, k: int):
    """Products and sums of small integers are exact in float32 and in int32."""
    generator = np.random.default_rng(7)
    a = generator.integers(-8, 9, (m, k)).astype(dtype)
    b = generator.integers(-8, 9, (k, n)).astype(dtype)
    expected = a.astype(np.int64) @ b.astype(np.int64)
    found = gemm(a, b, m_tile=32, n_tile=32, k_tile=32)
    assert found.dtype == (np.int32 if dtype is np.int8 else np.float32)
    np.testing.assert_array_equal(found, expected)


def test_strides_do_not_matter():
    a, b = random((40, 70), np.float16), random((70, 20), np.float16)
    expected = gemm(a, b)
    wide = np.zeros((80, 140), np.float16)
    wide[::2, ::2] = a
    np.testing.assert_array_equal(gemm(wide[::2, ::2], np.asfortranarray(b)), expected)
    backwards = a[::-1]
    np.testing.assert_array_equal(gemm(backwards, b), gemm(backwards.copy(), b))


class Peculiar(np.ndarray[Any, Any]):
    """An array whose parts are none of its elements."""

    def __getitem__(self, key: Any) -> Any:
        return np.zeros(3)


@pytest.mark.parametrize("backend", ["numpy", "llvm", "tik"])
def test_arrays_of_a_subclass_are_read_as_plain_numbers(backend: str):
    x = np.arange(32, dtype=np.float16).reshape(16, 2)
    wanted = gemm(x, x.T.copy(), backend=backend)
    found = gemm(x.view(Peculiar), x.T.copy().view(Peculiar), backend=backend)
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, wanted)


def test_results_may_be_given():
    x = random((20, 20), np.float32)
    y, low = np.empty_like(x), np.empty((20, 1), np.float32)
    found = shifted(x, shift=1, out=(y, low))
    assert found[0] is y
    assert found[1] is low
    np.testing.assert_array_equal(y, x + np.float32(1))


def test_a_failing_run_leaves_given_results_alone():
    @tl.kernel("x[N]: T -> y[N]: T")
    def half(x: tl.Tensor, y: tl.Tensor) -> None:
        t = tl.alloc_ub((8,), x.dtype)
        tl.data_move(t, x[0])
        tl.data_move(y[0], t)

    y = np.full(16, 7, np.float32)
    with pytest.raises(TileError):
        half(np.ones(16, np.float32), out=y)
    assert (y == 7).all()


@tl.kernel("x[M, N]: T @ NZ -> y[M, N]: T @ ZZ")
def relayout(x: tl.Tensor, y: tl.Tensor, *, rows: int = 16) -> None:
    """Copy between layouts, through the unified buffer."""
    for i in tl.cores(tl.ceildiv(x.shape[0], rows)):
        t = tl.alloc_ub((rows, x.shape[1]), x.dtype)
        tl.data_move(t, x[i * rows, 0])
        tl.data_move(y[i * rows, 0], t)


@pytest.mark.parametrize("shape", [(16, 16), (17, 33), (1, 5), (50, 40)])
@pytest.mark.parametrize("dtype", [np.float16, np.int8, np.float32])
def test_a_layout_in_the_signature_takes_the_physical_array(shape: tuple[int, int], dtype: Any):
    x = random(shape, dtype)
    element = gemm.program(M=1, N=1, K=1, dtype=np.dtype(dtype)).inputs[0].dtype
    nz, zz = (layout_for(kind, element) for kind in (LayoutKind.NZ, LayoutKind.ZZ))
    found = relayout(nz.pack(x), M=shape[0], N=shape[1])
    np.testing.assert_array_equal(found, zz.pack(x))


def test_sizes_of_a_padded_array_must_be_said():
    nz = layout_for(LayoutKind.NZ, gemm.program(M=1, N=1, K=1, dtype="float16").inputs[0].dtype)
    with pytest.raises(TileError, match=r"pass M=\.\.\."):
        relayout(nz.pack(random((17, 33), np.float16)))


def test_a_program_is_of_arrays_or_of_sizes():
    a, b = random((40, 70), np.float16), random((70, 20), np.float16)
    assert gemm.program(a=a, b=b) == gemm.program(M=40, K=70, N=20, dtype="float16")
    assert gemm.program(a=a, N=20) == gemm.program(a=a, b=b)


def test_attributes_reach_the_program_and_tiles_do_not_change_the_result():
    x = random((33, 40), np.float16)
    program = shifted.program(x=x, shift=2, rows=32)
    assert dict(program.attributes) == {"shift": 2}
    assert dict(program.tiles) == {"rows": 32, "n_tile": 64}
    for found, expected in zip(
        shifted(x, shift=2, rows=48, n_tile=16), shifted(x, shift=2), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_an_attribute_without_default_is_asked_for():
    with pytest.raises(TileError) as caught:
        shifted(random((3, 3), np.float16))
    assert code_of(caught) == ["E0813"]


def test_a_tile_rule_chooses_defaults_and_is_overruled_by_keywords():
    @tl.kernel("x[N]: T -> y[N]: T")
    def copy(x: tl.Tensor, y: tl.Tensor, *, tile: int = 16) -> None:
        for i in tl.cores(tl.ceildiv(x.shape[0], tile)):
            t = tl.alloc_ub((tile,), x.dtype)
            tl.data_move(t, x[i * tile])
            tl.data_move(y[i * tile], t)

    @copy.tiles
    def _(dims: Any, dtypes: Any, machine: str) -> dict[str, int]:
        return {"tile": dims["N"] // 2 if machine == "host" else 32}

    assert dict(copy.program(N=128, dtype="float16").tiles) == {"tile": 64}
    assert dict(copy.program(N=128, dtype="float16", machine="ascend910").tiles) == {"tile": 32}
    assert dict(copy.program(N=128, dtype="float16", tile=48).tiles) == {"tile": 48}


@pytest.mark.parametrize("chosen", [None, {"til": 32}, 32])
def test_a_tile_rule_that_chooses_no_tiles_is_a_mistake(chosen: Any):
    @tl.kernel("x[N]: T -> y[N]: T")
    def copy(x: tl.Tensor, y: tl.Tensor, *, tile: int = 16) -> None:
        t = tl.alloc_ub((tile,), x.dtype)
        tl.data_move(t, x)
        tl.data_move(y, t)

    @copy.tiles
    def _(dims: Any, dtypes: Any, machine: str) -> Any:
        return chosen

    with pytest.raises(TileError, match=r"E0820\].*returns") as caught:
        copy.program(N=16, dtype="float16")
    assert "some of its tile parameters: tile" in str(caught.value)


def test_a_tile_rule_that_cannot_be_asked_is_a_mistake():
    @tl.kernel("x[N]: T -> y[N]: T")
    def copy(x: tl.Tensor, y: tl.Tensor, *, tile: int = 16) -> None: ...

    def rule(dims: Any) -> dict[str, int]:
        return {"tile": dims["N"]}

    with pytest.raises(TileError, match=r"E0820\].*wanted \(dims, dtypes, machine\)"):
        copy.tiles(rule)  # pyright: ignore[reportArgumentType]


def test_a_second_call_traces_nothing():
    n_traces = 0

    @tl.kernel("x[N]: T -> y[N]: T")
    def copy(x: tl.Tensor, y: tl.Tensor) -> None:
        nonlocal n_traces
        n_traces += 1
        t = tl.alloc_ub(x.shape, x.dtype)
        tl.data_move(t, x)
        tl.data_move(y, t)

    for n in (8, 8, 9, 8):
        x = random((n,), np.float32)
        np.testing.assert_array_equal(copy(x), x)
    assert n_traces == 2


def test_loose_runs_give_the_same_bits():
    a, b = random((40, 70), np.float16), random((70, 20), np.float16)
    np.testing.assert_array_equal(gemm(a, b, strict=False), gemm(a, b))


def test_the_number_of_arrays_is_checked():
    with pytest.raises(TileError) as caught:
        gemm(random((3, 3), np.float16))
    assert code_of(caught) == ["E0807"]


def test_a_list_is_no_array():
    with pytest.raises(TileError) as caught:
        gemm([[1.0]], random((1, 1), np.float16))
    assert code_of(caught) == ["E0801"]


def test_source_is_the_backends_text():
    text = gemm.source("numpy", M=64, N=64, K=64, dtype="float16")
    assert text.startswith(
        "kernel gemm(a[64, 64]: float16, b[64, 64]: float16) -> c[64, 64]: float32"
    )


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def whole(x: tl.Tensor, y: tl.Tensor) -> None:
    """Copy through one tile of the tensor's own shape, which must not be empty."""
    t = tl.alloc_ub(x.shape, x.dtype)
    tl.data_move(t, x)
    tl.data_move(y, t)


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)])
def test_an_empty_result_needs_no_run(shape: tuple[int, int]):
    x = np.empty(shape, np.float16)
    assert whole(x).shape == shape
    assert whole(x).dtype == np.float16


def test_numpys_ints_and_bools_are_parameters_like_pythons():
    x = np.ones((20, 30), np.float16)
    plain = gemm(x, x.T, m_tile=16)
    np.testing.assert_array_equal(gemm(x, x.T, m_tile=np.int64(16)), plain)


def test_a_size_is_no_truth_value():
    with pytest.raises(TileError, match="E0227"):
        gemm.program(M=True, K=3, N=3, dtype="float16")


def test_results_that_no_memory_holds_are_said():
    @tl.kernel("x[N]: T; M -> y[M]: T")
    def fill(x: tl.Tensor, y: tl.Tensor, *, M: int) -> None:
        t = tl.alloc_ub((16,), x.dtype)
        t[:] = 0
        for i in tl.for_range(tl.ceildiv(M, 16)):
            tl.data_move(y[i * 16], t)

    with pytest.raises(TileError, match="E0818") as caught:
        fill(np.ones(3, np.float32), M=10**17)
    assert "float32[100000000000000000]" in str(caught.value)


@pytest.mark.parametrize("decorated", [print, int, 3, staticmethod(len)])
def test_only_a_plain_function_becomes_a_kernel(decorated: Any):
    with pytest.raises(TileError, match="E0816"):
        tl.kernel("x[N]: T -> y[N]: T")(decorated)


def test_results_may_lie_in_any_strides_that_do_not_meet():
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    room = np.zeros((9, 8), np.float32)
    for out in (room[::-3, ::2], room.T[::2, ::3].T, room[:3, :4]):
        np.testing.assert_array_equal(gemm(x.T, x, out=np.zeros((4, 4), np.float32)), x.T @ x)
        np.testing.assert_array_equal(gemm(np.eye(3, dtype=np.float32), x, out=out), x)


def test_one_function_may_make_kernels_of_several_names():
    def doubled(x: tl.Tensor, y: tl.Tensor, *, n_tile: int = 16) -> None:
        """Double."""
        t = tl.alloc_ub((n_tile,), x.dtype)
        tl.data_move(t, x[0])
        t *= 2
        tl.data_move(y[0], t)

    plain = tl.kernel("x[N]: T -> y[N]: T", name="plain")(doubled)
    wide = tl.kernel("x[N]: T -> y[N]: T", name="wide")(doubled)
    assert (plain.name, wide.name, doubled.__name__) == ("plain", "wide", "doubled")
    assert wide.__doc__ == "Double."
    program = wide.program(N=16, dtype="float16")
    assert (program.name, dict(program.tiles)) == ("wide", {"n_tile": 16})
    np.testing.assert_array_equal(plain(np.arange(16, dtype=np.float32)), 2.0 * np.arange(16))
