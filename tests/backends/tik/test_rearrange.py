"""Moves of elements in UB by offset, record, channel and window, against numpy."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tests.backends.tik.scripts import Array, emulate_in_ub, floats, run_in_ub
from tilelang.diagnostics import TileError


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_gather_reads_at_byte_offsets_from_a_base(dtype: Any):
    size, lanes = np.dtype(dtype).itemsize, 256 // np.dtype(dtype).itemsize
    table = floats(640, dtype)
    index = np.random.default_rng(1).integers(0, 600, 2 * lanes)
    offsets = (index * size).astype(np.int32)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vgather(
            lanes, ub["x"], ub["table"], ub["offsets"], 2, 8, 16 * size, 0, mask_mode="normal"
        )

    inputs = {"table": table, "offsets": offsets}
    got = run_in_ub(body, inputs, {"x": np.zeros(2 * lanes, dtype)}, soc="Ascend310P3")["x"]
    np.testing.assert_array_equal(got, table[index + 16])


def test_gather_leaves_lanes_outside_the_mask():
    table, old = floats(128), floats(128, seed=1)
    offsets = np.arange(254, -2, -2, dtype=np.int32)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vgather(17, ub["x"], ub["table"], ub["offsets"], 1, 8)

    got = run_in_ub(body, {"table": table, "offsets": offsets}, {"x": old}, soc="Ascend310P3")["x"]
    np.testing.assert_array_equal(got, [*table[::-1][:17], *old[17:]])


def test_scatter_is_the_inverse_of_gather():
    x = floats(64, np.float32)
    order = np.random.default_rng(2).permutation(64)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vscatter(64, ub["y"], ub["x"], ub["offsets"], 1, 8)

    inputs = {"x": x, "offsets": (4 * order).astype(np.int32)}
    got = run_in_ub(body, inputs, {"y": np.zeros(64, np.float32)}, soc="Ascend310P3")["y"]
    np.testing.assert_array_equal(got[order], x)


@pytest.mark.parametrize(("offset", "code"), [(1, "E1204"), (-2, "E1203"), (256, "E1203")])
def test_an_offset_outside_the_tensor_or_between_elements_is_told(offset: int, code: str):
    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vgather(16, ub["x"], ub["table"], ub["offsets"], 1, 8)

    offsets = np.array([0] * 15 + [offset], np.int32)
    with pytest.raises(TileError, match=rf"{code}.*vgather: src .*`table_ub`"):
        run_in_ub(
            body, {"table": floats(128), "offsets": offsets}, {"x": floats(16)}, soc="Ascend310P3"
        )


def test_the_first_generation_has_no_gather():
    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vgather(16, ub["x"], ub["x"], ub["offsets"], 1, 8)

    offsets = np.zeros(16, np.int32)
    with pytest.raises(TileError, match=r"E1213.*Ascend910A has no vgather"):
        run_in_ub(body, {"offsets": offsets}, {"x": floats(16)})


def proposals(count: int, seed: int = 0) -> Array:
    """Return records whose scores repeat, so that the order of equal ones shows."""
    records = floats((count, 8), seed=seed)
    records[:, 4] = np.random.default_rng(seed).integers(-3, 4, count)
    return records


def by_score(records: Array) -> Array:
    """Return records by descending score, equal ones in their order."""
    return np.array(sorted(records.tolist(), key=lambda record: -record[4]), np.float16)


@pytest.mark.parametrize("field", [0, 4, 5])
def test_a_field_goes_into_proposals_and_out_of_them(field: int):
    values, old = floats(32), floats((32, 8), seed=1)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vconcat(ub["records"], ub["values"], 2, field)
        t.vextract(ub["back"], ub["records"], 2, field)

    outputs = {"records": old, "back": np.zeros(32, np.float16)}
    got = run_in_ub(body, {"values": values}, outputs)
    wanted = old.copy()
    wanted[:, field] = values
    np.testing.assert_array_equal(got["records"], wanted)
    np.testing.assert_array_equal(got["back"], values)


def test_every_sixteen_proposals_are_sorted_and_merged():
    records = proposals(256)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vrpsort16(ub["sorted"], ub["records"], 16)
        lists = [ub["sorted"][16 * at * 8] for at in range(4)]
        t.vmrgsort4(ub["merged"], lists, [16] * 4, False, 15, 4)

    outputs = {"sorted": np.zeros_like(records), "merged": np.zeros_like(records)}
    got = run_in_ub(body, {"records": records}, outputs)
    for name, length in (("sorted", 16), ("merged", 64)):
        wanted = [by_score(part) for part in records.reshape(-1, length, 8)]
        np.testing.assert_array_equal(got[name].reshape(-1, length, 8), wanted)


@pytest.mark.parametrize(("valid", "lengths"), [("0011", (5, 16)), (7, (1, 2, 3)), (15, 7)])
def test_lists_of_any_length_are_merged_once(valid: int | str, lengths: tuple[int, ...] | int):
    counts = lengths if isinstance(lengths, tuple) else (lengths,) * 4
    lists = {f"list_{at}": by_score(proposals(16, at)) for at in range(len(counts))}

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.vmrgsort4(ub["merged"], [ub[name] for name in lists], lengths, False, valid_bit=valid)

    total = sum(counts)
    got = run_in_ub(body, lists, {"merged": np.zeros((64, 8), np.float16)})["merged"]
    parts = [part[:count] for part, count in zip(lists.values(), counts, strict=True)]
    np.testing.assert_array_equal(got[:total], by_score(np.concatenate(parts)))
    assert not got[total:].any()


@pytest.mark.parametrize(
    ("n_lists", "lengths", "valid", "repeat", "message"),
    [
        (2, (16, 16), 15, 1, "valid_bit 0b1111 does not fit 2 lists"),
        (4, (16, 16, 16, 16), 5, 1, "valid_bit 0b101 does not fit"),
        (4, (16, 16, 16, 8), 15, 2, "2 repeats want four lists of one length"),
        (4, (16, 16, 16, 0), 15, 1, "element_lengths is 0"),
    ],
)
def test_lists_that_cannot_be_merged_are_told(
    n_lists: int, lengths: tuple[int, ...], valid: int, repeat: int, message: str
):
    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        lists = [ub["records"][128 * at] for at in range(n_lists)]
        t.vmrgsort4(ub["merged"], lists, lengths, False, valid, repeat)

    with pytest.raises(TileError, match=rf"E1202.*vmrgsort4: {message}"):
        run_in_ub(body, {"records": proposals(64)}, {"merged": proposals(64)})


def test_undefined_scores_make_the_sorted_proposals_undefined():
    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        empty = t.Tensor("float16", (16, 8), tik.scope_ubuf, "empty")
        t.vconcat(empty, ub["values"], 1, 0)
        t.vrpsort16(ub["sorted"], empty, 1)

    with pytest.raises(TileError, match=r"E1207.*vrpsort16: src reads undefined bytes of `empty`"):
        run_in_ub(body, {"values": floats(16)}, {"sorted": floats((16, 8))})


@pytest.mark.parametrize("dtype", [np.int8, np.float16, np.float32])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels_go_last_and_first_again(dtype: Any, channels: int):
    x = (100 * floats((channels, 96), np.float32)).astype(dtype)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.v4dtrans(True, ub["last"], ub["x"], 96, channels)
        t.v4dtrans(False, ub["first"], ub["last"], 96, channels)

    outputs = {"last": np.zeros((96, channels), dtype), "first": np.zeros_like(x)}
    got = run_in_ub(body, {"x": x}, outputs)
    np.testing.assert_array_equal(got["last"], x.T)
    np.testing.assert_array_equal(got["first"], x)


def test_channels_of_broken_blocks_are_told():
    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        t.v4dtrans(True, ub["y"], ub["x"], 17, 2)

    with pytest.raises(TileError, match=r"E1205.*v4dtrans: 17 elements of float16.*whole blocks"):
        run_in_ub(body, {"x": floats(64)}, {"y": floats(64)})


@pytest.mark.parametrize(
    ("height", "width", "kernel", "stride", "pad"),
    [(7, 9, 3, 2, 0), (8, 8, 2, 2, 0), (5, 6, 3, 1, 1)],
)
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_windows_are_added_to_the_map(
    height: int, width: int, kernel: int, stride: int, pad: int, dtype: Any
):
    rows, columns = ((size + 2 * pad - kernel) // stride + 1 for size in (height, width))
    n_windows = rows * columns
    repeat = -(-n_windows // 16)
    gradients = np.random.default_rng(0).integers(-4, 5, (kernel**2, 16 * repeat, 16))
    wanted = np.zeros((height + 2 * pad, width + 2 * pad, 16), dtype)
    for tap, windows in enumerate(gradients[:, :n_windows].reshape(-1, rows, columns, 16)):
        y, x = divmod(tap, kernel)
        wanted[
            y : y + stride * (rows - 1) + 1 : stride, x : x + stride * (columns - 1) + 1 : stride
        ] += windows.astype(dtype)

    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        for tap in range(kernel**2):
            t.col2img(
                ub["map"], ub["x"][tap * 16 * repeat * 16], [pad] * 4, height, width,
                tap % kernel, tap // kernel, -pad, -pad, stride, stride, kernel, kernel, 1, 1,
                repeat,
            )  # fmt: skip

    outputs = {"map": np.zeros((height, width, 16), dtype)}
    got = run_in_ub(body, {"x": gradients.astype(dtype)}, outputs)["map"]
    np.testing.assert_array_equal(got, wanted[pad : pad + height, pad : pad + width])


def test_adding_to_an_undefined_map_is_told():
    def body(t: Any, tik: Any, ub: Mapping[str, Any]) -> None:
        empty = t.Tensor("float16", (4, 4, 16), tik.scope_ubuf, "empty")
        t.col2img(empty, ub["x"], [0] * 4, 4, 4, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1)
        t.data_move(ub["y"], empty, 0, 1, 16, 0, 0)

    with pytest.raises(TileError, match=r"E1207.*col2img: dst reads undefined bytes of `empty`"):
        emulate_in_ub(body, {"x": floats((16, 16))}, {"y": floats((16, 16))})
