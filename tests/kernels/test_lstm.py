"""`lstm_cell` and `lstm`, against their references, one step at a time."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.lstm_traffic import Layer
from tests.correctness import checked
from tests.kernels.arrays import FLOATS, draw
from tilelang.ir.nodes import Program
from tilelang.kernels.lstm import lstm, residence
from tilelang.kernels.lstm_cell import lstm_cell, lstm_cell_tiles
from tilelang.traffic import Traffic, gm_traffic, total_traffic

Array = NDArray[Any]
SIZES = [(1, 1, 1), (7, 100, 65), (17, 15, 16), (130, 17, 64), (3, 65, 129)]


def cell_inputs(sizes: tuple[int, int, int], dtype: str) -> list[Array]:
    """Return x, h, c, w, u and b; sums over I and H have a spread of about 1."""
    batch, inputs, hidden = sizes
    return [
        draw((batch, inputs), dtype, 0),
        draw((batch, hidden), dtype, 1, scale=0.5),
        draw((batch, hidden), "float32", 2),
        draw((inputs, 4 * hidden), dtype, 3, scale=inputs**-0.5),
        draw((hidden, 4 * hidden), dtype, 4, scale=hidden**-0.5),
        draw((4 * hidden,), "float32", 5),
    ]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("sizes", SIZES)
def test_a_cell_is_within_the_bound_of_its_gates(dtype: str, sizes: tuple[int, int, int]):
    checked(lstm_cell, *cell_inputs(sizes, dtype))


@pytest.mark.parametrize("batch", [0, 1, 15, 16, 17, 127, 128, 129, 1000])
@pytest.mark.parametrize(("inputs", "hidden"), [(1, 1), (100, 65), (512, 512), (1024, 997)])
def test_tiles_of_a_cell_on_a_computer_hold_its_rows_in_fractals(
    batch: int, inputs: int, hidden: int
):
    tiles = lstm_cell_tiles({"B": batch, "I": inputs, "H": hidden}, {}, "host")
    assert tiles["m_tile"] == next(m for m in range(16, 129, 16) if m >= min(batch, 128))
    assert tiles["n_tile"] == next(n for n in range(16, 129, 16) if n >= min(hidden, 128))
    assert tiles["k_tile"] % 16 == 0
    assert 16 <= tiles["k_tile"] <= 128


@pytest.mark.parametrize(("size", "k_tile"), [(16, 16), (17, 32), (200, 112), (512, 128)])
def test_a_cell_on_a_computer_takes_equal_steps_that_the_caches_hold_twice(size: int, k_tile: int):
    assert lstm_cell_tiles({"B": 1, "I": size, "H": size}, {}, "host")["k_tile"] == k_tile


def test_a_cell_on_a_chip_keeps_the_tiles_of_its_signature():
    assert lstm_cell_tiles({"B": 128, "I": 512, "H": 512}, {}, "ascend910") == {}


@pytest.mark.parametrize("l1_bytes", [1, 160_000, 1 << 26], ids=["streamed", "in part", "resident"])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("sizes", [(1, 1, 1), (7, 100, 65), (33, 17, 64)])
def test_every_step_follows_from_the_state_before(
    l1_bytes: int, dtype: str, sizes: tuple[int, int, int]
):
    _, *rest = cell_inputs(sizes, dtype)
    checked(lstm, draw((4, *sizes[:2]), dtype, seed=6), *rest, l1_bytes=l1_bytes)


def test_a_long_sequence_is_judged_step_by_step():
    _, *rest = cell_inputs((5, 9, 20), "float32")
    checked(lstm, draw((50, 5, 9), "float32", seed=6), *rest)


@pytest.mark.parametrize(
    "tiles", [{"m_tile": 32, "n_tile": 16, "k_tile": 32}, {"l1_bytes": 1, "n_tile": 32}]
)
def test_tiles_and_residence_change_nothing_but_the_order_of_sums(tiles: dict[str, Any]):
    _, *rest = cell_inputs((40, 70, 50), "float32")
    checked(lstm, draw((3, 40, 70), "float32", seed=6), *rest, **tiles)


def test_no_steps_give_no_states():
    _, *rest = cell_inputs((2, 3, 4), "float32")
    hs, cs = lstm(np.zeros((0, 2, 3), np.float32), *rest)
    assert hs.shape == cs.shape == (0, 2, 4)


def sequence(inputs: int, hidden: int) -> Program:
    return lstm.program(S=32, B=128, I=inputs, H=hidden, dtype="float16", machine="ascend910")


def test_it_says_which_weights_stay_on_the_core():
    assert residence(sequence(128, 256)) == (
        "u stays in L1 (524,288 bytes); w stays in L1 (262,144 bytes)"
    )
    assert residence(sequence(256, 256)) == (
        "u stays in L1 (524,288 bytes); 3 of 4 column tiles of w stay in L1 (393,216 bytes), the "
        "others are read from GM in each of 32 steps"
    )
    assert residence(sequence(1024, 1024)) == (
        "u does not fit L1, and is read from GM in each of 32 steps; "
        "w does not fit L1, and is read from GM in each of 32 steps"
    )


def both(traffic: Traffic) -> int:
    return traffic.read + traffic.written


def test_a_cell_moves_less_than_the_unfused_step():
    cell = lstm_cell.program(B=128, I=1024, H=1024, dtype="float16", machine="ascend910")
    found, unfused = total_traffic(gm_traffic(cell)), Layer(1, 128, 1024, 1024).unfused_step()
    assert found.written == 128 * 1024 * (2 + 4)  # h and c alone
    # the gates, written and read: what fusing saves
    assert both(unfused) - both(found) > 1.5 * 128 * 4 * 1024 * 4


@pytest.mark.parametrize(
    ("inputs", "hidden", "least"), [(128, 256, 6.8), (256, 256, 2.2), (1024, 1024, 1.1)]
)
def test_a_sequence_moves_a_fraction_of_the_unfused_form(inputs: int, hidden: int, least: float):
    fused = total_traffic(gm_traffic(sequence(inputs, hidden)))
    unfused = 32 * both(Layer(32, 128, inputs, hidden).unfused_step())
    assert fused.written == 32 * 128 * hidden * (2 + 4)  # no gates
    assert unfused / both(fused) > least


def test_resident_weights_are_read_once_by_every_core():
    found, n_cores = gm_traffic(sequence(256, 256)), 8
    n_bytes = 256 * 1024 * 2
    assert found["u"].read == n_cores * n_bytes
    assert found["w"].read == n_cores * n_bytes * (3 + 32) // 4  # one tile of four in every step


def test_what_it_calls_in_part_is_in_part():
    program = lstm.program(S=4, B=7, I=100, H=65, dtype="float16", l1_bytes=160_000)
    assert residence(program).startswith("1 of 2 column tiles of u stay in L1 (65,536 bytes)")
