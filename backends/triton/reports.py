"""What the machine code of a kernel takes and uses, from compiling it without a GPU."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tilelang.backends.triton.compiler import Generated
from tilelang.backends.triton.processes import ask, compile_job
from tilelang.backends.triton.targets import Target


@dataclass(frozen=True, slots=True)
class KernelReport:
    """One kernel on one GPU.

    Attributes:
        registers: of a thread.
        spilled_bytes: of a thread, kept in memory because registers ran out.
        shared_bytes: of a block, of which there are `shared_limit`.
        matrix: the matrix instructions in the code, each once; empty without products.
        pipeline: how operands get there, and how far ahead.
        error: what the compiler said instead; the rest is zero then.
    """

    kernel: str
    arch: str
    triton: str
    n_warps: int
    registers: int
    spilled_bytes: int
    shared_bytes: int
    shared_limit: int
    matrix: tuple[str, ...]
    pipeline: str
    error: str | None = None

    @property
    def fits(self) -> bool:
        """Whether a GPU of this kind could launch the kernel."""
        return self.error is None and self.shared_bytes <= self.shared_limit

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return {**fields, "matrix": list(self.matrix), "fits": self.fits}


def report_kernels(
    generated: Generated, target: Target, python: str | None = None
) -> list[KernelReport]:
    """Return a report on each kernel; `python` is an interpreter that has Triton.

    Raises:
        TileError: E1304 without Triton.
    """
    with tempfile.TemporaryDirectory(prefix="tilelang-triton-") as name:
        source = Path(name) / "generated.py"
        source.write_text(generated.text)
        kernels = [kernel for kernel in generated.kernels if kernel.n_programs]
        jobs = [compile_job(kernel, source, target.triton) for kernel in kernels]
        answers: Sequence[Any] = ask("compile", jobs, python)
    return [
        _report(kernel.name, target, answer)
        for kernel, answer in zip(kernels, answers, strict=True)
    ]


def _report(kernel: str, target: Target, answer: dict[str, Any]) -> KernelReport:
    return KernelReport(
        kernel,
        target.name,
        answer.get("triton", ""),
        answer.get("n_warps", 0),
        answer.get("registers", 0),
        answer.get("spilled_bytes", 0),
        answer.get("shared_bytes", 0),
        target.shared_bytes,
        tuple(answer.get("matrix", ())),
        _pipeline(answer),
        answer.get("error"),
    )


def _pipeline(answer: dict[str, Any]) -> str:
    parts = [
        f"{answer[key]} {what}"
        for key, what in (
            ("n_descriptor_loads", "descriptor loads"),
            ("n_descriptor_stores", "descriptor stores"),
            ("n_wide_copies", "16-byte copies"),
        )
        if answer.get(key)
    ]
    narrow = answer.get("n_async_copies", 0) - answer.get("n_wide_copies", 0)
    parts += [f"{narrow} narrow copies"] if narrow else []
    if answer.get("waits"):
        parts.append(f"{max(answer['waits'])} products in flight")
    return ", ".join(parts)
