"""What bytecode says about variables and blocks: every way to leave one, and what lives on."""

import sys
from collections.abc import Iterator
from types import SimpleNamespace, TracebackType

import pytest

from tilelang.diagnostics import flow

Seen = list[object]


class Block:
    """A context manager that notes what `flow` says when its block ends."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.before = flow.Snapshot({}, {})
        self.begin = 0

    def __enter__(self) -> None:
        frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
        self.before, self.begin = flow.read_locals(frame), frame.f_lasti

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
        if flow.is_left_early(frame, self.begin):
            self.seen.append("early")
        changes = flow.left_behind(frame, self.before, self.begin)
        self.seen.extend((change.name, change.before, change.after) for change in changes)


def once(seen: Seen) -> Iterator[int]:
    """Yield one value, and note what the body of the `for` around leaves for a next one."""
    before = flow.read_locals(sys._getframe(1))  # pyright: ignore[reportPrivateUsage]
    yield 0
    after = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    seen.extend((it.name, it.before, it.after) for it in flow.carried(after, before))


def dropped(seen: Seen) -> int:
    seen.append(flow.is_dropped(sys._getframe(1)))  # pyright: ignore[reportPrivateUsage]
    return 1


def test_a_variable_that_the_body_reads_before_it_stores_it_is_carried():
    seen: Seen = []
    offset, first, second = 0, 1, 2
    for _ in once(seen):
        offset += 16
        first, second = second, first
    assert sorted(map(str, seen)) == ["('first', 1, 2)", "('offset', 0, 16)", "('second', 2, 1)"]
    assert (offset, first, second) == (16, 2, 1)


def test_a_variable_that_the_body_stores_first_or_leaves_as_it_is_is_not_carried():
    seen: Seen = []
    size, same = 1, [1]
    for _ in once(seen):
        size = 5
        for number in range(3):
            size = size + number
        same += [2]
        size = size - 3
    assert seen == []
    assert (size, same) == (5, [1, 2])


@pytest.mark.parametrize("flag", [True, False])
def test_continue_in_a_block_leaves_it_early(flag: bool):
    seen: Seen = []
    for _ in range(1):
        with Block(seen):
            if flag:
                continue
        seen.append("below")
    assert seen == (["early"] if flag else ["below"])


def test_return_in_a_block_leaves_it_early_unless_nothing_stands_below():
    def leave(seen: Seen) -> None:
        with Block(seen):
            return
        seen.append("below")

    def end(seen: Seen) -> None:
        with Block(seen):
            seen.append("inside")
            return

    seen: Seen = []
    leave(seen)
    end(seen)
    assert seen == ["early", "inside"]


def test_blocks_in_blocks_loops_and_try_are_left_at_their_end():
    seen: Seen = []
    for number in range(2):
        with Block(seen), Block(seen):
            with Block(seen):
                pass
            try:
                for other in range(3):
                    if other > number:
                        break
            finally:
                with Block(seen):
                    pass
        while number < 0:
            with Block(seen):
                break
    with Block(seen):
        pass
    assert seen == []


def test_continue_leaves_the_outer_of_two_blocks_early():
    seen: Seen = []
    for number in range(1):
        with Block(seen), Block(seen):
            if number == 0:
                continue
        seen.append("below")
    assert seen == ["early"]


def test_what_a_block_stores_and_the_next_statements_read_is_left_behind():
    seen: Seen = []
    inner = 0
    with Block(seen):
        size = 3
        inner = 1
    with Block(seen):
        size = 4
        inner = 1
        seen.append(inner)
    assert seen == [1, ("size", 3, 4)]
    assert size == 4


def test_a_value_on_a_line_of_its_own_is_dropped():
    seen: Seen = []
    dropped(seen)
    kept = dropped(seen)
    kept += dropped(seen)
    assert [dropped(seen)] == [1]
    assert seen == [True, False, False, False]


def test_an_item_that_is_set_anew_is_carried_and_one_that_is_added_is_not():
    seen: Seen = []
    offsets, names = [0, 7], ["a"]
    for _ in once(seen):
        offsets[0] += 16
        names.append("b")
    assert seen == [("offsets[0]", 0, 16)]


def test_a_number_that_an_object_holds_is_carried_and_what_else_it_holds_is_not():
    seen: Seen = []
    state = SimpleNamespace(offset=0, tiles=["a"], same=7)
    for _ in once(seen):
        state.offset += 16
        state.tiles = ["b"]
        state.same = 7
    assert seen == [("state.offset", 0, 16)]


def test_a_number_that_an_inner_function_sets_is_carried_and_left_behind():
    seen: Seen = []
    size = name = 1

    def grow() -> None:
        nonlocal size
        size += 1

    def read() -> int:
        return name

    for _ in once(seen):
        grow()
        with Block(seen):
            grow()
    assert seen == [("size", 2, 3), ("size", 1, 3)]
    assert read() == 1


def test_a_variable_without_a_value_before_the_loop_cannot_be_carried():
    seen: Seen = []
    sums: list[int] = []
    for _ in once(seen):
        for number in range(3):
            if number > 0:
                sums.append(last + number)  # noqa: F821  # pyright: ignore[reportPossiblyUnboundVariable]
            last = number  # noqa: F841
    assert seen == []
    assert sums == [1, 3]


def test_what_only_the_other_way_reads_is_not_left_behind():
    seen: Seen = []
    size = 1
    for flag in (True,):
        if flag:
            with Block(seen):
                size = 2
            size = 3
        else:
            seen.append(size)
    assert seen == []


def test_what_the_next_turn_of_a_loop_reads_is_left_behind():
    seen: Seen = []
    size, sizes = 1, list[int]()
    for _ in range(2):
        sizes.append(size)
        with Block(seen):
            size = 2
    assert seen == [("size", 1, 2)]
    assert sizes == [1, 2]


class Named(int):
    """An int of another type, as tile parameters are."""


def test_an_equal_int_of_another_type_is_no_change():
    seen: Seen = []
    size: int = 16
    for _ in once(seen):
        size = Named(size)
    assert seen == []
    assert size == 16


def test_the_one_place_that_returns_something_is_found():
    def once(number: int) -> int | None:
        if number > 1:
            return None
        return number + 1

    def twice(number: int) -> int:
        if number:
            return 1
        return 2

    def never(_: int) -> None:
        return

    place = flow.place_of_return(once.__code__)
    assert place is not None
    assert place.line == once.__code__.co_firstlineno + 3
    assert flow.place_of_return(twice.__code__) is None
    assert flow.place_of_return(never.__code__) is None


def test_the_place_that_sets_an_attribute_or_a_global_is_found():
    frame = sys._getframe()  # pyright: ignore[reportPrivateUsage]
    state = SimpleNamespace()
    state.size = 1
    place = flow.place_of_store(frame, "size")
    assert place is not None
    assert place.line == frame.f_code.co_firstlineno + 3
    assert flow.place_of_store(frame, "other") is None
    assert state.size == 1
