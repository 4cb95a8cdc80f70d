"""Which bytes come from DDR or HBM, and which from L2."""

from typing import Any

import numpy as np
import pytest

from tests.backends.tik.cycles.scripts import count
from tilelang.backends.tik.cycles.gm_accesses import Access
from tilelang.backends.tik.cycles.gm_reuse import miss_shares

KIB = 1024


def share(addresses: Any, *, n_bytes: int = KIB, n_active: int = 1, l2: float = 1e9) -> float:
    access = Access("t", np.asarray(addresses, np.int64), n_bytes)
    return miss_shares([access], {"t": 1 << 40}, n_active, l2)["t"]


def test_everything_comes_from_memory_the_first_time():
    assert share([[0, 1, 2, 3]]) == 1.0


def test_what_is_read_again_comes_from_l2_if_it_is_still_there():
    twice = [[0, 1, 2, 3, 0, 1, 2, 3]]
    assert share(twice) == 0.5
    assert share(twice, l2=3 * KIB) == 1.0, "four were moved in between, three fit"
    assert share(twice, l2=4 * KIB) == 0.5


def test_cores_that_read_together_share_what_they_read():
    assert share([[0, 1], [0, 1], [0, 1], [0, 1]], n_active=4) == 0.25


def test_blocks_in_waves_come_one_after_another():
    blocks = [[0, 1], [2, 3], [0, 1], [2, 3]]
    assert share(blocks, n_active=4) == 0.5
    assert share(blocks, n_active=2) == 0.5
    assert share(blocks, n_active=2, l2=2 * KIB) == 1.0


def test_a_tensor_does_not_come_from_memory_more_often_than_it_is_large():
    access = Access("t", np.arange(0, 64, 8)[None], KIB)  # moves that overlap
    assert miss_shares([access], {"t": 2 * KIB}, 1, 1e9)["t"] == pytest.approx(0.25)


def test_bytes_of_a_loop_are_counted_where_they_come_from():
    def body(t: Any, tik: Any) -> None:
        with t.for_range(0, 4), t.for_range(0, 8) as i:
            ub = t.Tensor("float16", (8192,), name="ub", scope=tik.scope_ubuf)
            t.data_move(ub, t.x[i * 8192], 0, 1, 512, 0, 0)

    cycles = count(body)
    assert cycles.moved == {"gm-ub": 32 * 16384}
    assert cycles.memory_bytes == pytest.approx(8 * 16384)


def test_scalars_that_hold_addresses_are_followed():
    def body(t: Any, tik: Any) -> None:
        with t.for_range(0, 8) as i:
            start = t.Scalar("int64", "start", i * 8192)
            t.scalar_min(start, start, 3 * 8192)
            ub = t.Tensor("float16", (8192,), name="ub", scope=tik.scope_ubuf)
            t.data_move(ub, t.x[start], 0, 1, 512, 0, 0)

    assert count(body).memory_bytes == pytest.approx(4 * 16384)
