"""What users may choose of a Triton kernel, beside its tiles; never the result."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from tilelang.diagnostics import Diagnostic, TileError


@dataclass(frozen=True, slots=True)
class Options:
    """Keywords of `compile`.

    Attributes:
        allow_tf32: multiply float32 as tf32, on the tensor cores; else in full (`ieee`).
        num_stages: loads on the way in loops around products; None: as many as fit.
        num_warps: warps a block; None: by the size of its tiles.
        descriptors: move tiles by tensor descriptors where these can, else by pointers and masks.
        persistent: as many blocks as the machine has cores, each going through several tiles; None:
            where there are more tiles than cores, and products.
        interpreter: run in Triton's interpreter, on numpy arrays, without a GPU.
    """

    allow_tf32: bool = False
    num_stages: int | None = None
    num_warps: int | None = None
    descriptors: bool = True
    persistent: bool | None = None
    interpreter: bool = False


OPTION_NAMES = frozenset(field.name for field in fields(Options))


def read_options(options: Mapping[str, object]) -> Options:
    """Return the options of a call.

    Raises:
        TileError: E1303 for one that is not known, or has a value of another kind.
    """
    faults = [fault for name, value in options.items() for fault in _faults(name, value)]
    if faults:
        raise TileError(*faults)
    return Options(**options)  # pyright: ignore[reportArgumentType] - checked above


def _faults(name: str, value: object) -> Iterator[Diagnostic]:
    if name in ("num_stages", "num_warps"):
        wanted = "a positive int (warps: 1, 2, 4, 8 or 16)"
        is_int = isinstance(value, int) and not isinstance(value, bool) and value > 0
        fine = is_int and (name == "num_stages" or value in (1, 2, 4, 8, 16))
    else:
        wanted = "True or False" if name in OPTION_NAMES else f"one of {sorted(OPTION_NAMES)}"
        fine = name in OPTION_NAMES and isinstance(value, bool)
    if not fine and value is not None:
        yield Diagnostic(
            "E1303",
            f"the backend `triton` is given the option `{name}={value!r}`, wanted {wanted}",
            hint="write `num_stages=3`, `num_warps=8`, `allow_tf32=True`, `descriptors=False` or "
            "`persistent=False`, or leave the option away",
        )
