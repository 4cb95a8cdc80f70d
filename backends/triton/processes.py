"""Asks a process with Triton in it to interpret or compile generated files."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilelang.backends.triton.compiler import Generated
from tilelang.backends.triton.descriptors import Descriptor
from tilelang.backends.triton.dtype_text import SIGNATURE, variable
from tilelang.backends.triton.kernel import Kernel
from tilelang.backends.triton.names import safe
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.ir.nodes import Program
from tilelang.ir.region import Buffer

WORKER = Path(__file__).with_name("worker.py")
TIMEOUT_SECONDS = 600


def is_installed() -> bool:
    """Return whether Triton can be imported, without importing it."""
    return find_spec("triton") is not None


def ask(mode: str, jobs: Sequence[Mapping[str, Any]], python: str | None = None) -> list[Any]:
    """Return the answers of a worker to `jobs`; `python` is the interpreter that has Triton.

    Raises:
        TileError: E1304 without Triton.
        RuntimeError: if the worker fails, with what it said: the mistake is ours.
    """
    if python is None and not is_installed():
        raise TileError(
            Diagnostic(
                "E1304",
                "this needs the package `triton`, which is not installed; the source does not",
                hint="run: pip install 'tilelang-tik[triton]' (Linux)",
            )
        )
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [python or sys.executable, str(WORKER)],
        input=json.dumps({"mode": mode, "jobs": list(jobs)}),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        env=environment,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"Triton failed on generated code:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def interpret(
    program: Program,
    generated: Generated,
    arrays: Sequence[NDArray[Any]],
    python: str | None = None,
) -> list[NDArray[Any]]:
    """Return the physical results of `program` on physical inputs, by Triton's interpreter.

    Raises:
        RuntimeError: if a kernel writes beside an array, or fails.
    """
    with tempfile.TemporaryDirectory(prefix="tilelang-triton-") as name:
        folder = Path(name)
        job = interpret_job(program, generated, arrays, folder)
        (answer,) = ask("interpret", [job], python)
        if answer["faults"]:
            raise RuntimeError("; ".join(answer["faults"]))
        return read_results(program, folder)


def interpret_job(
    program: Program, generated: Generated, arrays: Sequence[NDArray[Any]], folder: Path
) -> dict[str, Any]:
    """Write the source and the inputs into `folder`, and return the job for them."""
    source = folder / f"{program.name}.py"
    source.write_text(generated.text)
    described = [*_described(program.inputs, folder, is_result=False)]
    for one, array in zip(described, arrays, strict=True):
        flat = np.ascontiguousarray(array)
        np.save(one["file"], flat.view(np.uint16) if one["dtype"] == "bfloat16" else flat)
    return {
        "source": str(source),
        "arrays": [*described, *_described(program.results, folder, is_result=True)],
        "workspace": {variable(b.name): _typed(b) for b in generated.scratch},
    }


def read_results(program: Program, folder: Path) -> list[NDArray[Any]]:
    """Return what a worker left in `folder`."""
    files = _described(program.results, folder, is_result=True)
    return [
        np.load(one["file"]).view(buffer.dtype.numpy)
        for one, buffer in zip(files, program.results, strict=True)
    ]


def _described(buffers: Sequence[Buffer], folder: Path, *, is_result: bool) -> list[dict[str, Any]]:
    return [
        {
            "name": buffer.name,
            "file": str(folder / f"{buffer.name}.npy"),
            "is_result": is_result,
            **_typed(buffer),
        }
        for buffer in buffers
    ]


def _typed(buffer: Buffer) -> dict[str, Any]:
    shape = buffer.layout.physical_shape(buffer.shape)
    return {"dtype": buffer.dtype.value, "shape": list(shape)}


def compile_job(kernel: Kernel, source: Path, target: Sequence[Any]) -> dict[str, Any]:
    """Return the job of compiling one kernel of the file `source` for `target`."""
    options: dict[str, Any] = {"num_warps": kernel.n_warps}
    if not kernel.fuses:
        options["enable_fp_fusion"] = False
    return {
        "source": str(source),
        "kernel": safe(kernel.name),
        "signature": {name: _signature(one) for name, one in kernel.parameters},
        "aligned": [name for name, one in kernel.parameters if isinstance(one, Buffer)],
        "target": list(target),
        "options": options,
    }


def _signature(parameter: Buffer | Descriptor) -> str:
    match parameter:
        case Descriptor(tensor, block, _):
            return f"tensordesc<{SIGNATURE[tensor.dtype]}{list(block)}>".replace(" ", "")
        case _:
            return f"*{SIGNATURE[parameter.dtype]}"
