"""What lives in a memory at one time fits into it."""

import pytest

import tilelang as tl
from tests.golden import Golden
from tests.verify.gemm_program import gemm
from tests.verify.writing import (
    F16,
    F32,
    I8,
    Source,
    alloc,
    check_message,
    codes,
    message,
    program,
    serial,
    tile,
)
from tilelang.diagnostics import TileError
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.nodes import If, Program
from tilelang.ir.region import Buffer, Memory
from tilelang.machines import find_machine
from tilelang.verify.fitting import Overflow, Tenant, largest_sizes, total_bytes

HALF = 128 * 1024
"""Half of UB on the 910, in bytes."""
K = cond.less(ix.variable("k"), ix.constant(2))


def bytes_of_ub(name: str, n_bytes: int, source: Source | None = None) -> Buffer:
    shape = (n_bytes,)
    if source is None:
        return tile(name, Memory.UB, shape, I8)
    loc = source.line(f"{name} = tl.alloc_ub({shape}, tl.int8)")
    return tile(name, Memory.UB, shape, I8, loc=loc)


def over(made: Program) -> bool:
    """Return whether capacity is all that is wrong with `made`, or nothing is."""
    found = codes(made)
    assert set(found) <= {"E0350"}
    return bool(found)


def test_an_accumulator_that_is_too_large_names_the_largest_that_fits(golden: Golden):
    check_message(golden, "E0350-accumulator", gemm(tiles=(512, 384, 64)))


def test_double_buffering_counts(golden: Golden):
    wrong = gemm(tiles=(256, 256, 1024))
    check_message(golden, "E0350-double-buffered", wrong)
    assert over(gemm(tiles=(256, 256, 1024), stages=2))
    assert not over(gemm(tiles=(256, 256, 1024), stages=1))
    assert over(gemm(tiles=(256, 256, 512), stages=3))


def test_what_is_proposed_fits_into_every_memory(golden: Golden):
    check_message(golden, "E0350-three-memories", gemm(tiles=(512, 512, 512)))
    assert not codes(gemm(tiles=(256, 256, 256)))


def test_a_size_that_two_parameters_have_is_said_by_shape(golden: Golden):
    check_message(golden, "E0350-by-shape", gemm(tiles=(512, 512, 512), stages=1))


def test_the_largest_tile_that_is_named_does_fit():
    for tiles in ((512, 384, 64), (512, 512, 32), (480, 480, 16), (2048, 64, 16), (784, 368, 16)):
        said = message(gemm(tiles=tiles))
        hint = next(line for line in said.splitlines() if "hint" in line and "m_tile" in line)
        words = hint.replace(":", " ").replace(",", " ").split()
        named = dict(word.split("=") for word in words if "_tile=" in word)
        m, n = int(named["m_tile"]), int(named["n_tile"])
        assert not codes(gemm(tiles=(m, n, 16)))
        assert m * n >= 65536 / 2


def test_buffers_without_parameters_are_told_by_shape(golden: Golden):
    source = Source()
    loc = source.line("one = tl.alloc_ub((300, 320), tl.float16)")
    one = tile("one", Memory.UB, (300, 320), loc=loc)
    loc = source.line("two = tl.alloc_ub((300, 320), tl.float16)")
    two = tile("two", Memory.UB, (300, 320), loc=loc)
    check_message(golden, "E0350-no-parameters", program(*alloc(one, two)))


def test_where_nothing_smaller_fits_there_is_too_much_at_once(golden: Golden):
    source = Source()
    many = [
        tile(f"t{i}", Memory.L0C, (16, 16), F32, loc=source.line(f"t{i} = tl.alloc_l0c((16, 16))"))
        for i in range(3)
    ]
    loop = serial("k", 2, *alloc(*many), stages=100)
    check_message(golden, "E0350-too-many", program(loop))


def test_a_buffer_lives_to_the_end_of_its_body():
    one, two, three = (bytes_of_ub(name, HALF) for name in ("one", "two", "three"))
    assert not over(program(*alloc(one, two)))
    assert over(program(*alloc(one, two, three)))
    assert not over(program(*alloc(one), serial("k", 2, *alloc(two)), *alloc(three)))
    assert over(program(*alloc(one), *alloc(two), serial("k", 2, *alloc(three))))


def test_the_two_sides_of_a_condition_do_not_add_up():
    one, two, three = (bytes_of_ub(name, HALF) for name in ("one", "two", "three"))
    either = If(K, alloc(two), alloc(three))
    assert not over(program(*alloc(one), serial("k", 4, either)))
    for branches in ((alloc(two, three), ()), ((), alloc(two, three))):
        assert over(program(*alloc(one), serial("k", 4, If(K, *branches))))
    both = If(K, alloc(two), alloc(three))
    assert over(program(*alloc(one), serial("k", 4, both, stages=2)))


def test_stages_of_nested_loops_multiply():
    small = bytes_of_ub("small", HALF // 2)
    assert not over(program(serial("j", 2, serial("k", 2, *alloc(small), stages=2), stages=2)))
    assert over(program(serial("j", 2, serial("k", 2, *alloc(small), stages=3), stages=2)))


def test_a_byte_takes_an_aligned_block():
    many = [bytes_of_ub(f"t{i}", 1) for i in range(9)]
    room = 2 * HALF - 32 * len(many)
    assert not over(program(*alloc(*many, bytes_of_ub("rest", room))))
    assert over(program(*alloc(*many, bytes_of_ub("rest", room + 1))))


def test_padding_of_a_blocked_layout_counts():
    layout = tile("acc", Memory.L0C, (16, 16), F32).layout
    ragged = tile("ragged", Memory.UB, (1, 65536), F16, layout=layout)
    assert over(program(*alloc(ragged)))


@pytest.mark.parametrize(
    ("machine", "fine"), [("ascend910", True), ("ascend910b", False), ("host", True)]
)
def test_each_machine_has_its_own_limits(machine: str, fine: bool):
    acc = tile("acc", Memory.L0C, (256, 256), F32)
    assert codes(program(*alloc(acc)), machine) == ([] if fine else ["E0350"])


def tenant(shape: tuple[int, ...], stages: int = 1) -> Tenant:
    buffer = tile("t", Memory.UB, shape, F32)
    return Tenant(buffer, stages, 32, buffer.loc)


def largest(tenants: list[Tenant], limit: int, tiles: dict[str, int]) -> dict[int, int] | None:
    return largest_sizes([Overflow(tuple(tenants), limit)], tiles)


def test_proportions_stay_if_a_smaller_tile_has_them():
    assert largest([tenant((512, 384))], 262144, {}) == {512: 288, 384: 216}
    assert largest([tenant((7, 416))], 4096, {}) == {7: 4, 416: 256}


def test_only_sizes_of_parameters_shrink_if_that_is_enough():
    tiles = {"n_tile": 512}
    assert largest([tenant((64, 512))], 65536, tiles) == {512: 256}
    assert largest([tenant((64, 512))], 300, tiles) == {64: 3, 512: 24}


def test_vectors_stay_vectors():
    assert largest([tenant((1, 512)), tenant((512, 1))], 2048, {}) == {512: 256}


def test_nothing_smaller_than_a_block_is_proposed():
    assert largest([tenant((1, 8))], 16, {}) is None
    assert total_bytes([tenant((1, 1), 3)]) == 96


def test_the_largest_of_very_many_sizes_is_found_at_once():
    @tl.kernel("x[N]: T -> y[N]: T")
    def copy(x: tl.Tensor, y: tl.Tensor, *, tile: int = 16) -> None:
        t = tl.alloc_ub((tile,), x.dtype)
        tl.data_move(t, x[0])
        tl.data_move(y[0], t)

    limit = find_machine("host").capacity[Memory.UB] // 4
    with pytest.raises(TileError, match=f"write tile={limit}: the largest"):
        copy.program(N=64, dtype="float32", tile=10**30)
