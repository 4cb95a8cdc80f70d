"""What a kernel asks of its arguments beyond what its signature says."""

from tilelang.language import mistakes
from tilelang.language import trace as tracing


def require(holds: bool, wanted: str, hint: str) -> None:
    """Refuse the arguments of the running kernel unless `holds`, which is known while tracing.

    `wanted` says what was found and what is wanted, with the arguments' names; `hint` says what to
    write instead.

    Example:
        tl.require(x.shape[1] <= 4096, f"`x` has {x.shape[1]} columns, wanted at most 4,096",
                   "split the rows")

    Raises:
        TileError: E0142.
    """
    tracing.current("tl.require")
    if not holds:
        raise mistakes.error("E0142", wanted, hint)
