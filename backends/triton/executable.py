"""The backend `triton`, and what it compiles programs to."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from tilelang.backends.triton import arguments, gpu
from tilelang.backends.triton.compiler import Generated, generate
from tilelang.backends.triton.options import OPTION_NAMES, Options, read_options
from tilelang.backends.triton.processes import interpret, is_installed
from tilelang.backends.triton.promises import IN_THE_INTERPRETER, ON_A_GPU
from tilelang.backends.triton.reports import report_kernels
from tilelang.backends.triton.targets import find_target
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.ir.nodes import Program
from tilelang.machines import Machine
from tilelang.numerics import Numerics


class TritonBackend:
    """Makes Triton source, and runs it where there is a GPU."""

    name = "triton"
    machine = "sm90"
    options = OPTION_NAMES

    @property
    def runs_here(self) -> str | None:
        """None with a CUDA device that torch sees, else what is missing."""
        return gpu.missing()

    @property
    def check_mode(self) -> str | None:
        """The option that `check` compiles with here: without a GPU, Triton's interpreter."""
        return "interpreter" if self.runs_here and is_installed() else None

    @property
    def numerics(self) -> Numerics:
        """What `check` may assume of the way that it runs kernels here."""
        return IN_THE_INTERPRETER if self.check_mode else ON_A_GPU

    def compile(self, program: Program, machine: Machine, **options: object) -> "TritonExecutable":
        """Return Triton source for `program`, which runs when it is called; see `Options`.

        Raises:
            TileError: E1303 for an option that is not known; broken rules; E1301, E1302 and E1305
                for what Triton cannot hold.
        """
        chosen = read_options(options)
        return TritonExecutable(program, generate(program, machine, chosen), chosen)

    def compile_for(
        self, program: Program, machine: Machine, arch: str, **options: object
    ) -> list[dict[str, Any]]:
        """Return what each kernel takes on the GPU `arch`, compiled without one (`KernelReport`).

        Raises:
            TileError: E1304 without Triton, E1308 for a GPU that is not known; as `compile`.
        """
        target = find_target(arch)
        generated = generate(program, machine, target.options(read_options(options)))
        return [report.to_json() for report in report_kernels(generated, target)]


class TritonExecutable:
    """Generated source, and a way to run it."""

    def __init__(self, program: Program, generated: Generated, options: Options) -> None:
        """Hold what was generated for `program`."""
        self._program, self._options = program, options
        self.generated = generated

    @property
    def source(self) -> str:
        """The generated file: kernels, and `launch`."""
        return self.generated.text

    def __call__(self, *arrays: Any) -> None:
        """Run on the inputs, then the results to fill.

        They are CUDA tensors, numpy arrays, or anything with DLPack.

        Raises:
            TileError: E1306 if an array is not what the program takes, E1304 without Triton, E1307
                without a GPU.
        """
        arguments.check_arrays(self._program, arrays)
        if self._options.interpreter:
            self._interpret(arrays)
            return
        reason = gpu.missing()
        if reason is not None:
            raise TileError(_no_gpu(self._program.name, reason))
        gpu.run(self._launcher, self._program, arrays)

    @cached_property
    def _launcher(self) -> Any:
        return gpu.load(self.generated.text, self._program.name)

    def _interpret(self, arrays: Sequence[Any]) -> None:
        n_inputs = len(self._program.inputs)
        given = [arguments.as_numpy(array) for array in arrays[:n_inputs]]
        found = interpret(self._program, self.generated, given)
        for array, result in zip(arrays[n_inputs:], found, strict=True):
            arguments.fill(array, result)


def _no_gpu(kernel: str, reason: str) -> Diagnostic:
    hint = (
        f"two checks work without a GPU: `tilelang check {kernel} --backends triton ...` (or "
        f"interpreter=True) runs it in Triton's interpreter, and `tilelang compile {kernel} "
        "--backend triton --arch sm_90 ...` compiles it to machine code"
    )
    if not is_installed():
        hint = "install it, or run on the backends that `tilelang backends` says run here"
    message = f"`{kernel}` cannot run on the backend 'triton' here: {reason}"
    return Diagnostic("E1307", message, hint=hint)
