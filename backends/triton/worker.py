"""Runs generated files where Triton is: interpreted on numpy arrays, or compiled without a GPU.

A script of its own process, for Triton reads the environment when it is imported, and its
interpreter leaves traces. It needs numpy and triton, nothing of ours and no torch. Jobs come as one
JSON object on the standard input, answers go to the standard output:

    {"mode": "interpret", "jobs": [{"source": PATH, "arrays": [{"file", "dtype", "shape",
        "is_result"}], "keywords": {name: ...}}]}
    {"mode": "compile", "jobs": [{"source", "kernel", "signature", "aligned", "target", "options"}]}
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
import traceback
from importlib import import_module
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

GUARD_BYTES = 1 << 16
"""Poison before and after every array."""
ALIGNMENT_BYTES = 256
"""Of an array; descriptors want 16."""
POISON = 0xA5
NAN_POISON = {"float16": 0x7E00, "float32": 0x7FC0_0000, "bfloat16": 0x7FC0}
"""NaN in the unsigned integer of each width."""


def main() -> None:
    """Do the jobs on the standard input."""
    request = json.load(sys.stdin)
    os.environ.setdefault("TRITON_DEFAULT_FP_FUSION", "1")
    if request["mode"] == "interpret":
        os.environ["TRITON_INTERPRET"] = "1"
        _keep_bools()
        answer = [_guarded(job) for job in request["jobs"]]
    else:
        answer = [compile_kernel(job) for job in request["jobs"]]
    print("\n" + json.dumps(answer))


def _guarded(job: Any) -> Any:
    """Interpret one job; what it raises is an answer too, for others wait behind it."""
    try:
        return interpret(job)
    except Exception:
        return {"faults": [traceback.format_exc()]}


def _keep_bools() -> None:
    """Make the interpreter spread a bool as bools.

    Triton 3.9's makes integers of it, which its own loads and stores do not take for a mask.
    """
    builder: Any = import_module("triton.runtime.interpreter").InterpreterBuilder
    spread = builder.create_splat

    def create_splat(self: Any, kind: Any, argument: Any) -> Any:
        made = spread(self, kind, argument)
        if argument.data.dtype == bool:
            made.data = made.data.astype(bool)
        return made

    builder.create_splat = create_splat


def load(path: str) -> Any:
    """Return the generated file as a module."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Interpreting ----------------------------------------------------------------------------------


class Storage:
    """What the interpreter takes for a tensor's memory."""

    def __init__(self, array: Any) -> None:
        """Hold a numpy array."""
        self.array = array

    def data_ptr(self) -> int:
        """Return the address."""
        return self.array.ctypes.data

    def size(self) -> int:
        """Return the bytes."""
        return self.array.nbytes

    def cpu(self) -> "Storage":
        """Return this: it is in main memory."""
        return self

    def copy_(self, other: "Storage") -> "Storage":
        """Return this: the kernel wrote here."""
        return self


class Tensor:
    """A numpy array inside poisoned margins, with what Triton's interpreter asks of a tensor."""

    def __init__(self, n_elements: int, dtype: str, shape: list[int]) -> None:
        """Allocate an array full of poison."""
        import numpy as np

        self.kind, self.shape = dtype, tuple(shape)
        storage = np.dtype("uint16" if dtype == "bfloat16" else dtype)
        n_bytes = n_elements * storage.itemsize
        raw = np.full(n_bytes + 2 * GUARD_BYTES + ALIGNMENT_BYTES, POISON, np.uint8)
        start = GUARD_BYTES + -(raw.ctypes.data + GUARD_BYTES) % ALIGNMENT_BYTES
        if dtype in NAN_POISON:
            words = raw[start % storage.itemsize :]
            words = words[: len(words) // storage.itemsize * storage.itemsize]
            words.view(f"uint{8 * storage.itemsize}")[:] = NAN_POISON[dtype]
        self.raw, self.start, self.n_bytes = raw, start, n_bytes
        self.margins = self._margins()
        self.array = raw[start : start + n_bytes].view(storage).reshape(shape)

    def _margins(self) -> bytes:
        before, after = self.raw[: self.start], self.raw[self.start + self.n_bytes :]
        return before.tobytes() + after.tobytes()

    @property
    def is_intact(self) -> bool:
        """Whether nothing beside the array was written."""
        return self.margins == self._margins()

    @property
    def dtype(self) -> Any:
        """The type, as Triton names it."""
        return getattr(import_module("triton.language"), self.kind)

    def data_ptr(self) -> int:
        """Return the address."""
        return self.array.ctypes.data

    def untyped_storage(self) -> Storage:
        """Return the memory."""
        return Storage(self.array)

    def new_empty(self, shape: Any, **_: Any) -> "Tensor":
        """Return this, for the interpreter may run on it where it is; of a shape, a new one."""
        if isinstance(shape, int):
            return self
        import numpy as np

        sizes: list[int] = list(shape)
        return Tensor(int(np.prod(sizes)), self.kind, sizes)

    def __setitem__(self, where: Any, values: "Tensor") -> None:
        """Copy another tensor into a part of this one."""
        self.array[where] = values.array

    def set_(self, *_: Any) -> "Tensor":
        """Return this."""
        return self

    def zero_(self) -> None:
        """Fill with zeros, as the launcher does for layouts with padding."""
        self.array[...] = 0

    def storage_offset(self) -> int:
        """Return 0."""
        return 0

    def size(self) -> tuple[int, ...]:
        """Return the shape."""
        return self.shape

    def element_size(self) -> int:
        """Return the bytes of an element."""
        return self.array.itemsize

    def stride(self) -> tuple[int, ...]:
        """Return the strides in elements."""
        return tuple(n // self.array.itemsize for n in self.array.strides)


def interpret(job: Any) -> Any:
    """Run `launch` of a file on arrays, and save what it made of the results."""
    import numpy as np

    tensors: list[Tensor] = []
    for one in job["arrays"]:
        tensor = Tensor(int(np.prod(one["shape"], dtype=np.int64)), one["dtype"], one["shape"])
        if not one["is_result"]:
            given = np.load(one["file"])
            tensor.array[...] = given.view(tensor.array.dtype).reshape(tensor.shape)
        tensors.append(tensor)
    workspace = {
        name: Tensor(int(np.prod(one["shape"], dtype=np.int64)), one["dtype"], one["shape"])
        for name, one in job["workspace"].items()
    }
    before = [tensor.array.copy() for tensor in tensors]
    with np.errstate(all="ignore"):
        load(job["source"]).launch(*tensors, **workspace)
    faults: list[str] = []
    for one, tensor, old in zip(job["arrays"], tensors, before, strict=True):
        if not tensor.is_intact:
            faults.append(f"{one['name']}: written beside the array")
        if one["is_result"]:
            np.save(one["file"], tensor.array)
        elif tensor.array.tobytes() != old.tobytes():
            faults.append(f"{one['name']}: an input was written")
    faults += [f"{n}: written beside the array" for n, t in workspace.items() if not t.is_intact]
    return {"faults": faults}


# Compiling -------------------------------------------------------------------------------------


def compile_kernel(job: Any) -> Any:
    """Compile one kernel of a file to machine code, and say what came out."""
    triton, compiler = import_module("triton"), import_module("triton.compiler")
    gpu_target = import_module("triton.backends.compiler").GPUTarget
    function = getattr(load(job["source"]), job["kernel"])
    attributes = {
        (function.arg_names.index(name),): [["tt.divisibility", 16]] for name in job["aligned"]
    }
    source = compiler.ASTSource(function, job["signature"], {}, attributes)
    try:
        built: Any = triton.compile(
            source, target=gpu_target(*job["target"]), options=job["options"]
        )
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    report: dict[str, Any] = {
        "triton": triton.__version__,
        "shared_bytes": built.metadata.shared,
        "n_warps": built.metadata.num_warps,
    }
    if job["target"][0] == "cuda":
        return {**report, **_nvidia(built.asm)}
    return {**report, **_amd(built.asm)}


def _nvidia(asm: Any) -> dict[str, Any]:
    """Read PTX, and the machine code by the tools that triton brings."""
    ptx = asm["ptx"]
    usage = _resources(asm["cubin"])
    return {
        "registers": usage.get("REG", 0),
        "spilled_bytes": usage.get("STACK", 0) + usage.get("LOCAL", 0),
        "matrix": sorted(set(re.findall(r"(?:wgmma|mma|tcgen05)\.[\w.:]*m\d+n\d+k\d+[\w.]*", ptx))),
        "n_matrix": len(re.findall(r"wgmma\.mma_async|\bmma\.sync", ptx)),
        "n_descriptor_loads": ptx.count("cp.async.bulk.tensor") - ptx.count("global.shared::cta"),
        "n_descriptor_stores": ptx.count("global.shared::cta"),
        "n_async_copies": len(re.findall(r"cp\.async\.c[ag]\.", ptx)),
        "n_wide_copies": len(re.findall(r"cp\.async\.cg\.", ptx)),
        "waits": sorted(
            {int(n) for n in re.findall(r"wgmma\.wait_group\.sync\.aligned (\d+)", ptx)}
        ),
        "ptx": ptx,
        "ttgir": asm["ttgir"],
    }


def _resources(cubin: bytes) -> dict[str, int]:
    tool = import_module("triton.knobs").nvidia.cuobjdump.path
    with NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        command = [tool, "-res-usage", file.name]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {name: int(n) for name, n in re.findall(r"\b(REG|STACK|SHARED|LOCAL):(\d+)", text)}


def _amd(asm: Any) -> dict[str, Any]:
    """Read AMD's assembly, whose directives say what is used."""
    text = asm["amdgcn"]

    def directive(name: str) -> int:
        found = re.search(rf"\.{name}:\s+(\d+)", text)
        return int(found[1]) if found else 0

    return {
        "registers": directive("vgpr_count"),
        "spilled_bytes": 4 * (directive("vgpr_spill_count") + directive("sgpr_spill_count")),
        "matrix": sorted(set(re.findall(r"v_w?mfma_\w+|v_wmma_\w+", text))),
        "n_matrix": len(re.findall(r"v_w?mfma_|v_wmma_", text)),
        "ttgir": asm["ttgir"],
    }


if __name__ == "__main__":
    main()
