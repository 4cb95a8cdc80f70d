"""Winners of earlier sweeps, read back from the log."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from tilelang.backend import backend_names, find_backend
from tilelang.binding.sizes import dim_names_of
from tilelang.diagnostics import Diagnostic, Location, TileError, callsite
from tilelang.diagnostics.boundary import boundary
from tilelang.dtypes import DType, DTypeLike
from tilelang.kernel import Kernel, TileRule
from tilelang.machines import find_machine
from tilelang.parameters import read_dtypes
from tilelang.sweep.columns import columns_of


@boundary
def best(
    kernel: Kernel,
    dims: Mapping[str, int],
    dtype: DTypeLike | Mapping[str, DTypeLike] | None = None,
    machine: str = "host",
    *,
    backend: str | None = None,
    log: str | Path | None = None,
) -> dict[str, int] | None:
    """Return the tile parameters that won the latest sweep of a problem; None without a sweep.

    `gemm(x, y, **(tl.best(gemm, {"M": 16, "K": 256, "N": 1024}, "float16") or {}))`.

    Args:
        kernel: the kernel; it is known by its name and signature.
        dims: every dimension that the signature names.
        dtype: of every dtype variable, or of each by name.
        machine: the machine swept for: `host` stands for numpy and llvm alike.
        backend: the backend swept on; None: whichever was swept last.
        log: the folder that the sweep was given (`out=`); None: the user's.

    Raises:
        TileError: E0906 for a log that cannot be read; E0225, E0226, E0231 for dimensions and
            dtypes that are not those of the signature; E0602, E0603 for an unknown backend or
            machine.
    """
    location = callsite.location(None)
    dtypes = read_dtypes(kernel.signature, dtype, location)
    faults = list(_name_faults(kernel, dims, dtypes, location))
    if faults:
        raise TileError(*faults)
    find_machine(machine)
    if backend is not None and backend not in backend_names():
        find_backend(backend)  # which says what there is
    return _find(kernel, dims, dtypes, (machine, backend, log))


def _name_faults(
    kernel: Kernel, dims: Mapping[str, int], dtypes: Mapping[str, DType], location: Location
) -> Iterator[Diagnostic]:
    """Report what would find nothing, whatever was swept."""
    signature = kernel.signature
    every = dict.fromkeys(dim_names_of(signature.tensors))
    wanted = [name for name in every if name not in signature.attributes]
    names = ", ".join(wanted)
    for name in dims:
        if name not in wanted:
            message = f"`{kernel.name}` has no dimension `{name}`"
            yield Diagnostic("E0225", message, location, f"give its dimensions: {names}")
    for name in wanted:
        if name not in dims:
            message = f"the size {name} of `{kernel.name}` is not given"
            yield Diagnostic("E0226", message, location, f"give all of {names}")
    for name in signature.dtype_variables:
        if name not in dtypes:
            message = f"the dtype {name} of `{kernel.name}` is not given"
            yield Diagnostic("E0231", message, location, "give the dtype after the sizes")


def best_rule(
    kernel: Kernel, *, backend: str | None = None, log: str | Path | None = None
) -> TileRule:
    """Return a rule that chooses the winners of sweeps: `gemm.tiles(tl.best_rule(gemm))`.

    A problem that was never swept has the defaults of the kernel. Nothing is looked up unless a
    kernel is given such a rule.
    """

    def rule(
        dims: Mapping[str, int], dtypes: Mapping[str, DType], machine: str
    ) -> Mapping[str, int]:
        return _find(kernel, dims, dtypes, (machine, backend, log)) or {}

    return rule


def _find(
    kernel: Kernel,
    dims: Mapping[str, int],
    dtypes: Mapping[str, DType],
    place: tuple[str, str | None, str | Path | None],
) -> dict[str, int] | None:
    from tilelang.sweep.log import FILE, Log, user_log

    machine, backend, folder = place
    path = (Path(folder) if folder is not None else user_log()) / FILE
    if not path.is_file():  # nothing was ever swept; looking must not make a log
        return None
    wanted = {**columns_of(kernel, dims, dtypes), "machine": machine}
    if backend is not None:
        wanted["backend"] = backend
    with Log(path.parent) as log:
        found = log.winners(wanted)
    usable = (row["tiles"] for row in found if set(row["tiles"]) <= set(kernel.tile_parameters))
    return next(usable, None)
