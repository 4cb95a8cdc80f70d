"""Vectors of elements in registers, and the instructions on them.

A `Value` is `n` elements of one dtype. float16 and bfloat16 are kept as their bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import pack, unpack

import numpy as np

from tilelang.backends.llvm.code import Code
from tilelang.backends.llvm.runtime.host import Host
from tilelang.backends.llvm.storage import plain
from tilelang.dtypes import DType


@dataclass(frozen=True, slots=True)
class Value:
    """A vector operand and what its elements mean."""

    dtype: DType
    text: str


@dataclass(frozen=True, slots=True)
class Lanes:
    """Where vector instructions are written: a function's code, its target, and the width."""

    code: Code
    host: Host
    n: int

    def type(self, element: str) -> str:
        """Return the vector type of LLVM type `element`."""
        return f"<{self.n} x {element}>"

    def constant(self, element: str, value: float) -> str:
        """Return the vector constant with `value` in every lane."""
        if value == 0 and not (element == "float" and str(value).startswith("-")):
            return "zeroinitializer"
        scalar = float_literal(value) if element == "float" else str(int(value))
        return f"<{', '.join([f'{element} {scalar}'] * self.n)}>"

    def op(self, operation: str, element: str, *operands: str) -> str:
        """Return `operation <n x element> operands`."""
        return self.code.pure(f"{operation} {self.type(element)} {', '.join(operands)}", *operands)

    def convert(self, operation: str, source: str, target: str, operand: str) -> str:
        """Return `operation <n x source> operand to <n x target>`."""
        text = f"{operation} {self.type(source)} {operand} to {self.type(target)}"
        return self.code.pure(text, operand)

    def call(self, name: str, element: str, *operands: str) -> str:
        """Return the result of an intrinsic whose operands and result have one vector type."""
        kind = self.type(element)
        args = ", ".join(f"{kind} {operand}" for operand in operands)
        full = f"llvm.{name}.{self.suffix(element)}"
        self.code.declare(kind, full, *[kind] * len(operands))
        return self.code.pure(f"call {kind} @{full}({args})", *operands)

    def suffix(self, element: str) -> str:
        """Return how intrinsic names spell the vector type."""
        return f"v{self.n}{'f32' if element == 'float' else element}"

    def select(self, condition: str, element: str, then: str, otherwise: str) -> str:
        """Return `then` in the lanes where `condition` holds, else `otherwise`."""
        kind = self.type(element)
        text = f"select {self.type('i1')} {condition}, {kind} {then}, {kind} {otherwise}"
        return self.code.pure(text, condition, then, otherwise)

    def compare(self, relation: str, element: str, left: str, right: str) -> str:
        """Return a mask: `fcmp` for floats, `icmp` for integers."""
        operation = "fcmp" if element == "float" else "icmp"
        return self.op(f"{operation} {relation}", element, left, right)

    def splat(self, element: str, scalar: str) -> str:
        """Return the vector with the scalar operand in every lane."""
        kind = self.type(element)
        first = self.code.pure(f"insertelement {kind} poison, {element} {scalar}, i64 0", scalar)
        zeros = f"{self.type('i32')} zeroinitializer"
        return self.code.pure(f"shufflevector {kind} {first}, {kind} poison, {zeros}", first)

    def join(self, element: str, scalars: Sequence[str]) -> str:
        """Return the vector of `n` scalar operands."""
        kind, vector = self.type(element), "poison"
        for lane, scalar in enumerate(scalars):
            text = f"insertelement {kind} {vector}, {element} {scalar}, i64 {lane}"
            vector = self.code.pure(text, vector, scalar)
        return vector

    def extract(self, element: str, vector: str, lane: int) -> str:
        """Return one lane as a scalar."""
        return self.code.pure(f"extractelement {self.type(element)} {vector}, i64 {lane}", vector)


def float_literal(value: float) -> str:
    """Return a float32 constant as LLVM writes it: the bits of the equal double."""
    try:
        rounded = unpack("f", pack("f", value))[0]
    except OverflowError:
        rounded = float("inf") if value > 0 else float("-inf")
    return f"0x{unpack('Q', pack('d', rounded))[0]:016X}"


def scalar_literal(value: float, dtype: DType) -> str:
    """Return `value` rounded to `dtype`, as one element of a `Value` is written."""
    if dtype is DType.FLOAT32:
        return float_literal(value)
    if not dtype.is_float:
        return str(int(value))
    with np.errstate(over="ignore"):
        return str(int(np.asarray(value, np.float64).astype(dtype.numpy).view(np.uint16)))


def literal(lanes: Lanes, value: float, dtype: DType) -> Value:
    """Return `value` rounded to `dtype` in every lane."""
    one = f"{register_type(dtype)} {scalar_literal(value, dtype)}"
    return Value(dtype, f"<{', '.join([one] * lanes.n)}>")


def interleave(lanes: Lanes, rows: Sequence[str], n_bits: int) -> str:
    """Return the columns of two or four vectors of integers, each as one wider element.

    Neighbours are joined pair by pair, so that two rows, then four, lie column by column.
    """
    while len(rows) > 1:
        pairs = zip(rows[::2], rows[1::2], strict=True)
        rows = [_zipped(lanes, n_bits, first, second) for first, second in pairs]
        n_bits *= 2
    return rows[0]


def _zipped(lanes: Lanes, n_bits: int, first: str, second: str) -> str:
    n, kind = lanes.n, lanes.type(f"i{n_bits}")
    order = ", ".join(f"i32 {lane}, i32 {n + lane}" for lane in range(n))
    text = f"shufflevector {kind} {first}, {kind} {second}, <{2 * n} x i32> <{order}>"
    mixed = lanes.code.pure(text, first, second)
    double = lanes.type(f"i{2 * n_bits}")
    return lanes.code.pure(f"bitcast <{2 * n} x i{n_bits}> {mixed} to {double}", mixed)


def fused(lanes: Lanes, left: str, right: str, addend: str) -> str:
    """Return `left * right + addend` on float32, rounded once where the host can."""
    if lanes.host.fma:
        return lanes.call("fma", "float", left, right, addend)
    return lanes.op("fadd", "float", lanes.op("fmul", "float", left, right), addend)


def register_type(dtype: DType) -> str:
    """Return the LLVM type of one element of a `Value`."""
    return "i1" if dtype is DType.BOOL else plain(dtype).llvm
