"""What the cores of a block loop start from, and what comes back after it."""

import numpy as np
import numpy.typing as npt

from tilelang.backends.tik.emulate.memory import Buffer
from tilelang.backends.tik.emulate.state import State
from tilelang.backends.tik.instructions import Scope


class Snapshot:
    """The on-chip tensors and scalars before a block loop."""

    def __init__(self, state: State, declared_inside: frozenset[str]) -> None:
        """Copy what `state` holds, but for the tensors that the loop declares itself."""
        self._state = state
        self._variables = dict(state.variables)
        self._arrays = {name: list(values) for name, values in state.arrays.items()}
        self._memory: list[tuple[Buffer, npt.NDArray[np.uint8], npt.NDArray[np.uint8]]] = [
            (buffer, buffer.data.copy(), buffer.shadow.copy())
            for name, buffer in state.buffers.items()
            if buffer.scope is not Scope.GM and name not in declared_inside
        ]

    def restore(self) -> None:
        """Put everything back."""
        self._state.variables.clear()
        self._state.variables.update(self._variables)
        self._state.arrays.update((name, list(old)) for name, old in self._arrays.items())
        for buffer, data, shadow in self._memory:
            buffer.data[...] = data
            buffer.shadow[...] = shadow
