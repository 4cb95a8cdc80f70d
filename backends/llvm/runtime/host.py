"""What the computer that runs the code can do, decided here and never left to LLVM.

LLVM aborts the process when it meets a dot-product instruction that the target lacks, and calls
functions that may not exist for narrow floats, so every special instruction is asked for here.
`TILELANG_LLVM_FEATURES` (`avx512`, `avx2`, `baseline`) pretends to be a smaller computer.
"""

import os
import platform
from dataclasses import dataclass
from functools import lru_cache

import llvmlite.binding as llvm

from tilelang.diagnostics import Diagnostic, TileError

FEATURES_VARIABLE = "TILELANG_LLVM_FEATURES"


@dataclass(frozen=True, slots=True)
class Host:
    """A target of code generation: what LLVM is told, and what the backend may use."""

    triple: str
    cpu: str
    features: str
    is_x86: bool
    fma: bool
    """Fused multiply-add on float32 vectors."""
    half: bool
    """Conversions between float16 and float32 vectors."""
    rounding: bool
    """Vector instructions that round a float32 to an integral value."""
    avx512: bool
    """512-bit vectors with byte and word operations and masks."""
    dot_bf16: bool
    """`dpbf16ps` on 512-bit vectors."""
    dot_int8: bool
    """`vpdpbusd` on 512-bit vectors."""

    @property
    def key(self) -> str:
        """What distinguishes machine code for this host from that for another."""
        return f"{self.triple}/{self.cpu}/{self.features}"


_LEVELS = {
    "avx512": "skylake-avx512",
    "avx2": "x86-64-v3",
    "baseline": "x86-64",
}
"""Smaller computers, by the name users force them with, and LLVM's name of each."""


def find_host() -> Host:
    """Return this computer, or the smaller one that the environment asks for.

    Raises:
        TileError: E1101 if the environment names an unknown one.
    """
    return _host(os.environ.get(FEATURES_VARIABLE, "native"))


def foreign_host(triple: str, cpu: str) -> Host:
    """Return a non-x86 target with FMA and narrow-float conversions, to compile for only."""
    return Host(triple, cpu, "", False, True, True, True, False, False, False)


@lru_cache
def _host(level: str) -> Host:
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return _native_other()
    if level == "native":
        return _native_x86()
    if level not in _LEVELS:
        names = ", ".join(("native", *_LEVELS))
        raise TileError(
            Diagnostic(
                "E1101",
                f"{FEATURES_VARIABLE} is {level!r}, which names no set of processor features",
                hint=f"use one of: {names}",
            )
        )
    return Host(
        triple=llvm.get_default_triple(),
        cpu=_LEVELS[level],
        features="",
        is_x86=True,
        fma=level != "baseline",
        half=level != "baseline",
        rounding=level != "baseline",
        avx512=level == "avx512",
        dot_bf16=False,
        dot_int8=False,
    )


def _native_x86() -> Host:
    found = llvm.get_host_cpu_features()
    has = {name for name, present in found.items() if present}
    avx512 = {"avx512f", "avx512bw", "avx512vl", "avx512dq", "fma", "f16c"} <= has
    return Host(
        triple=llvm.get_default_triple(),
        cpu=llvm.get_host_cpu_name(),
        features=found.flatten(),
        is_x86=True,
        fma="fma" in has,
        half="f16c" in has,
        rounding="sse4.1" in has,
        avx512=avx512,
        dot_bf16=avx512 and "avx512bf16" in has,
        dot_int8=avx512 and "avx512vnni" in has,
    )


def _native_other() -> Host:
    """Return a host of another family: 64-bit ARM has FMA and conversions, others are not asked."""
    arm = platform.machine().lower() in ("aarch64", "arm64")
    triple = llvm.get_default_triple()
    return Host(triple, llvm.get_host_cpu_name(), "", False, arm, arm, arm, False, False, False)
