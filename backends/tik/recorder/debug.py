"""`tikdb`: runs the recorded program on fed arrays, as TIK's debugger does."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tilelang.backends.tik.recorder.session import Kernel
from tilelang.diagnostics import Diagnostic


class Debugger:
    """TIK's debugger object of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        """Debug `kernel`."""
        self._kernel = kernel
        self.warnings: tuple[Diagnostic, ...] = ()
        """What the last run warned of."""

    def start_debug(
        self,
        feed_dict: Mapping[str, npt.ArrayLike],
        interactive: bool = False,
        desc_tensor: object = None,
    ) -> list[npt.NDArray[Any]]:
        """Return the outputs, in the order of `BuildCCE`, for the inputs fed by name.

        There is no prompt: `interactive` is accepted and ignored.
        """
        from tilelang.backends.tik.emulate import emulate

        names = self._kernel.fed_names
        feed = {names.get(name, name): np.asarray(value) for name, value in feed_dict.items()}
        run = emulate(self._kernel.program, feed)
        self.warnings = run.warnings
        return list(run.outputs.values())

    def debug_print(self, expression: object) -> None:
        """Do nothing: there is no trace to print to."""
