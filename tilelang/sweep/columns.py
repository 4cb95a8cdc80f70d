"""A problem as columns of the log."""

import json
from collections.abc import Mapping
from typing import Any

from tilelang.dtypes import DType
from tilelang.kernel import Kernel


def columns_of(
    kernel: Kernel, dims: Mapping[str, int], dtypes: Mapping[str, DType]
) -> dict[str, str]:
    """Return what is swept, as far as it is known without attributes, backend and machine."""
    return {
        "kernel": kernel.name,
        "signature": str(kernel.signature),
        "dims": as_json(dims),
        "dtypes": as_json({name: dtype.value for name, dtype in dtypes.items()}),
    }


def as_json(values: Mapping[str, Any]) -> str:
    """Return `values` as one text, whatever their order."""
    return json.dumps(dict(values), sort_keys=True, default=str)
