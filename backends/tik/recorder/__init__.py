"""Records TIK scripts: calls of TIK's own Python API become an instruction program.

`record(function, ...)` runs a kernel's entry function under the import shims; `record_source` does
so with text.
"""

import linecache
from collections.abc import Callable
from itertools import count

from tilelang.backends.tik.instructions import InstructionProgram
from tilelang.backends.tik.recorder.session import session
from tilelang.backends.tik.recorder.tik import Tik
from tilelang.backends.tik.soc import DEFAULT_SOC
from tilelang.diagnostics import Diagnostic, TileError

__all__ = ["Tik", "record", "record_source"]

_text_numbers = count(1)


def record(
    entry: Callable[..., object], *args: object, soc: str = DEFAULT_SOC, **kwargs: object
) -> InstructionProgram:
    """Return what `entry(*args, **kwargs)` builds: the last `BuildCCE` counts.

    Raises:
        TileError: E1216 if nothing is built; whatever the recorded calls raise.
    """
    from tilelang.backends.tik.shims import installed

    with session(soc) as opened, installed():
        entry(*args, **kwargs)
    if not opened.built:
        name = getattr(entry, "__name__", "the entry function")
        message = f"{name} returned without calling BuildCCE"
        raise TileError(Diagnostic("E1216", message, hint="call tik_instance.BuildCCE(...)"))
    return opened.built[-1].program


def record_source(
    text: str, entry: str, *args: object, soc: str = DEFAULT_SOC, **kwargs: object
) -> InstructionProgram:
    """Return what the function `entry` of the script `text` builds; lines are those of `text`."""
    file = f"<tik {next(_text_numbers)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)

    def run() -> None:
        namespace: dict[str, object] = {"__name__": "tik_script"}
        exec(compile(text, file, "exec"), namespace)
        function = namespace.get(entry)
        if not callable(function):
            names = [name for name, value in namespace.items() if callable(value)]
            message = f"the script has no function {entry!r}"
            raise TileError(
                Diagnostic("E1216", message, hint=f"its functions are: {', '.join(names)}")
            )
        function(*args, **kwargs)

    return record(run, soc=soc)
