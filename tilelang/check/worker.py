"""What a process of `process.py` does: calls come in on its standard input, results go out.

Both are pickles, one after the other; the first that goes out says that it is ready.
"""

import os
import pickle
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from threadpoolctl import threadpool_limits


def main() -> None:
    """Make the calls that come in until nothing more does."""
    results = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    with open(os.devnull, "wb") as nowhere:  # what a backend prints is no result
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    _send(True, results)
    # Products of tiles are too small to share among threads, as in `tilelang.check.check`.
    with threadpool_limits(limits=1, user_api="blas"):
        while (call := _next_call()) is not None:
            function, args, keywords = call
            _send(function(*args, **keywords), results)


def _next_call() -> tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]] | None:
    try:
        return pickle.load(sys.stdin.buffer)
    except EOFError:
        return None


def _send(what: object, results: BinaryIO) -> None:
    pickle.dump(what, results)
    results.flush()


if __name__ == "__main__":
    main()
