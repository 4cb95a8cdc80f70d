"""The peak of the multiplier: a loop of independent multiply-adds that never leaves registers."""

import ctypes
from collections.abc import Iterator

from tilelang.backends.llvm.code import Code
from tilelang.backends.llvm.products.microkernel import multiply_add
from tilelang.backends.llvm.products.panels import LANES, find_method
from tilelang.backends.llvm.runtime.compiler import Library, RunFunction, compile_text
from tilelang.backends.llvm.runtime.host import Host, find_host
from tilelang.backends.llvm.runtime.pool import find_pool
from tilelang.backends.llvm.vectors.values import Lanes
from tilelang.dtypes import DType

_CHAINS = 24
"""Independent sums: a latency of 6 cycles on 2 units wants 12 at least."""
_STEPS = 100_000
_PARTS = 2
"""Parts of the work, each a third of a millisecond: two threads take one each."""
_SINK_BYTES = 4096
"""Where each thread leaves its sums."""


class Peak:
    """The multiply-add loop of a dtype's products."""

    def __init__(self, dtype: DType, n_threads: int = 1) -> None:
        """Compile the loop for this computer; float16 is multiplied as float32."""
        host = find_host()
        multiplied = DType.FLOAT32 if dtype is DType.FLOAT16 else dtype
        method = find_method(multiplied, multiplied, host)
        self.n_operations = 2 * LANES * method.unit * _CHAINS * _STEPS * _PARTS
        self._library = Library(compile_text("\n".join(_lines(multiplied, host)), host), host)
        self._run = RunFunction(self._library.address("run"))
        self._pool = find_pool(n_threads, host) if n_threads > 1 else None
        self._sink = (ctypes.c_char * (_SINK_BYTES * n_threads))()

    def run(self) -> None:
        """Do `n_operations` on all threads together."""
        sink = ctypes.addressof(self._sink)
        if self._pool is None:
            self._run(None, sink, None, _SINK_BYTES)
        else:
            self._pool.run(self._run, 0, sink, _SINK_BYTES)


def _lines(dtype: DType, host: Host) -> Iterator[str]:
    """Yield a module like those of `tilelang.backends.llvm.module`: a stage, and what runs it."""
    method, code = find_method(dtype, dtype, host), Code()
    lanes = Lanes(code, host, LANES)
    element = "float" if method.sum_type == "float" and method.unit == 1 else "i32"
    one = lanes.splat(element, code.let(f"load {element}, ptr %scratch"))
    kind = lanes.type(method.sum_type)
    with code.loop("%first", "%last"):
        with code.loop(0, _STEPS, carried=[(kind, "zeroinitializer")] * _CHAINS) as loop:
            loop.update(*(multiply_add(lanes, method, one, one, total) for total in loop.carried))
        for number, total in enumerate(loop.results):
            code.do(f"store {kind} {total}, ptr {_slot(code, kind, number)}, align 4")
    code.do("ret void")
    yield f'target triple = "{host.triple}"'
    yield from code.declared
    yield "define void @stage(ptr %arrays, i64 %first, i64 %last, ptr %scratch) {"
    yield from code.lines()
    yield "}"
    yield from _RUN.splitlines()


_RUN = f"""
define void @run(ptr %arrays, ptr %scratch, ptr %pool, i64 %stride) {{
  %alone = icmp eq ptr %pool, null
  br i1 %alone, label %one, label %many
one:
  call void @stage(ptr %arrays, i64 0, i64 {_PARTS}, ptr %scratch)
  ret void
many:
  %share = load ptr, ptr %pool
  call void %share(ptr %pool, ptr @stage, i64 {_PARTS}, ptr null, ptr %scratch, i64 %stride)
  ret void
}}
"""


def _slot(code: Code, kind: str, number: int) -> str:
    return code.pure(f"getelementptr {kind}, ptr %scratch, i64 {number}")
