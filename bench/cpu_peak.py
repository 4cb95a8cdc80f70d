"""The peak of one core: a loop of independent multiply-adds that never leaves the registers."""

import ctypes
import time
from collections.abc import Iterator

from tilelang.backends.llvm.code import Code
from tilelang.backends.llvm.compiler import Library, compile_text
from tilelang.backends.llvm.host import Host, find_host
from tilelang.backends.llvm.microkernel import multiply_add
from tilelang.backends.llvm.panels import LANES, find_method
from tilelang.backends.llvm.values import Lanes
from tilelang.dtypes import DType

_CHAINS = 24
"""Independent sums: a latency of 6 cycles on 2 units wants 12 at least."""
_STEPS = 100_000

_Loop = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_void_p)


class Peak:
    """The multiply-add loop of a dtype's products."""

    def __init__(self, dtype: DType) -> None:
        """Compile the loop for this computer."""
        host = find_host()
        method = find_method(dtype, dtype, host)
        self._operations = 2 * LANES * method.unit * _CHAINS * _STEPS
        self._library = Library(compile_text("\n".join(_lines(dtype, host)), host), host)
        self._run = _Loop(self._library.address("peak"))
        self._sink = (ctypes.c_int64 * (16 * _CHAINS))()

    def measure(self) -> float:
        """Return operations a second of one run, in 1e9; about a millisecond."""
        start = time.perf_counter()
        self._run(_STEPS, ctypes.addressof(self._sink))
        return self._operations / (time.perf_counter() - start) / 1e9


def _lines(dtype: DType, host: Host) -> Iterator[str]:
    method, code = find_method(dtype, dtype, host), Code()
    lanes = Lanes(code, host, LANES)
    element = "float" if method.sum_type == "float" and method.unit == 1 else "i32"
    one = lanes.splat(element, code.let(f"load {element}, ptr %sink"))
    kind = lanes.type(method.sum_type)
    with code.loop(0, "%n", carried=[(kind, "zeroinitializer")] * _CHAINS) as loop:
        loop.update(*(multiply_add(lanes, method, one, one, total) for total in loop.carried))
    for number, total in enumerate(loop.results):
        code.do(f"store {kind} {total}, ptr {_slot(code, kind, number)}, align 4")
    code.do("ret void")
    yield f'target triple = "{host.triple}"'
    yield from code.declared
    yield "define void @peak(i64 %n, ptr %sink) {"
    yield from code.lines()
    yield "}"


def _slot(code: Code, kind: str, number: int) -> str:
    return code.pure(f"getelementptr {kind}, ptr %sink, i64 {number}")
