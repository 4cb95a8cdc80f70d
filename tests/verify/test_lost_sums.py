"""A product in a loop adds up, or its sum is read before the next iteration starts it anew."""

from collections.abc import Callable

import pytest

import tilelang as tl


def codes(multiply: Callable[[tl.Tensor, tl.Tensor, tl.Tensor, tl.Tensor], None]) -> list[str]:
    """Return what is wrong with a kernel that `multiply(acc, out, a, b)` in float16 is all of."""

    @tl.kernel("a[M, K]: T, b[K, N]: T -> c[M, N]: acc(T)")
    def kernel(a: tl.Tensor, b: tl.Tensor, c: tl.Tensor) -> None:
        acc = tl.alloc_l0c((2, 32, 32), tl.acc(a.dtype))
        out = tl.alloc_ub((32, 32), c.dtype)
        out[:] = 0
        multiply(acc, out, a, b)
        tl.data_move(c, out)

    try:
        kernel.program(M=32, N=32, K=64, dtype="float16")
    except tl.TileError as error:
        return [fault.code for fault in error.diagnostics]
    return []


def load(a: tl.Tensor, b: tl.Tensor, k: tl.IndexLike) -> tuple[tl.Tensor, tl.Tensor]:
    a1, b1 = tl.alloc_l1((32, 16), a.dtype), tl.alloc_l1((16, 32), b.dtype)
    tl.data_move(a1, a[0, k * 16])
    tl.data_move(b1, b[k * 16, 0])
    return a1, b1


def started_anew(acc: tl.Tensor, out: tl.Tensor, a: tl.Tensor, b: tl.Tensor) -> None:
    for k in tl.for_range(4):
        tl.matmul(acc[0], *load(a, b, k))
    tl.data_move(out, acc[0])


def started_anew_and_added_to(acc: tl.Tensor, out: tl.Tensor, a: tl.Tensor, b: tl.Tensor) -> None:
    for k in tl.for_range(2):
        tl.matmul(acc[0], *load(a, b, 2 * k))
        tl.matmul(acc[0], *load(a, b, 2 * k + 1), init=False)
    tl.data_move(out, acc[0])


def started_anew_around_a_loop(acc: tl.Tensor, out: tl.Tensor, a: tl.Tensor, b: tl.Tensor) -> None:
    for _outer in tl.for_range(2):
        for k in tl.for_range(2):
            tl.matmul(acc[k], *load(a, b, k))
    tl.data_move(out, acc[0])


@pytest.mark.parametrize(
    "body", [started_anew, started_anew_and_added_to, started_anew_around_a_loop]
)
def test_a_sum_that_is_started_anew_unread_is_lost(body: Callable[..., None]):
    assert set(codes(body)) == {"E0373"}


def summed_up(acc: tl.Tensor, out: tl.Tensor, a: tl.Tensor, b: tl.Tensor) -> None:
    for k in tl.for_range(4):
        tl.matmul(acc[0], *load(a, b, k), init=k == 0)
    tl.data_move(out, acc[0])


def run_once(acc: tl.Tensor, out: tl.Tensor, a: tl.Tensor, b: tl.Tensor) -> None:
    for k in tl.for_range(1):
        tl.matmul(acc[0], *load(a, b, k))
    tl.data_move(out, acc[0])


def read_in_time(acc: tl.Tensor, out: tl.Tensor, a: tl.Tensor, b: tl.Tensor) -> None:
    for k in tl.for_range(4):
        tl.matmul(acc[0], *load(a, b, k))
        tl.data_move(out, acc[0])


def one_for_each(acc: tl.Tensor, out: tl.Tensor, a: tl.Tensor, b: tl.Tensor) -> None:
    for k in tl.for_range(2):
        tl.matmul(acc[k], *load(a, b, k))
    tl.data_move(out, acc[1])


def started_in_a_branch(acc: tl.Tensor, out: tl.Tensor, a: tl.Tensor, b: tl.Tensor) -> None:
    for k in tl.for_range(4):
        with tl.if_scope(k == 0):
            tl.matmul(acc[0], *load(a, b, k))
        with tl.else_scope():
            tl.matmul(acc[0], *load(a, b, k), init=False)
    tl.data_move(out, acc[0])


@pytest.mark.parametrize(
    "body", [summed_up, run_once, read_in_time, one_for_each, started_in_a_branch]
)
def test_a_sum_that_is_kept_or_read_is_not(body: Callable[..., None]):
    assert codes(body) == []
