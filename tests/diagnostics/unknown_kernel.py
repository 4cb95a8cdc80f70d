"""A shipped kernel with a slip of the pen."""

from tilelang.shipped import find_kernel


def run() -> None:
    find_kernel("gem")
