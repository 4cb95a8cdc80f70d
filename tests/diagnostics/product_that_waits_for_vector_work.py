"""A product of what vector work left, in one stage, where these are different cores."""

import tilelang as tl


@tl.kernel("a[M, K]: float16, b[K, N]: float16 -> c[M, N]: float16")
def product(a: tl.Tensor, b: tl.Tensor, c: tl.Tensor) -> None:
    for _ in tl.cores(1):
        acc = tl.alloc_l0c((16, 16), "float32")
        a1, b1 = tl.alloc_l1((16, 16), "float16"), tl.alloc_l1((16, 16), "float16")
        out = tl.alloc_ub((16, 16), "float16")
        tl.data_move(a1, a)
        tl.data_move(b1, b)
        for _ in tl.for_range(3):
            tl.matmul(acc, a1, b1, init=True)
            tl.data_move(out, acc)
            out[:] = tl.relu(out)
            tl.data_move(a1, out)
        tl.data_move(c, out)


def run() -> None:
    product.source("tik", machine="ascend910b", M=16, N=16, K=16)
