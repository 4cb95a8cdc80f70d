"""A tile operation outside a kernel."""

import tilelang as tl


def run() -> None:
    tl.alloc_ub((16, 16), "float16")
