"""What a process of `process.py` does: jobs come in on its standard input, outcomes go out.

Both are pickles, one after the other; the first that goes out says that it is ready.
"""

import os
import pickle
import sys
from typing import BinaryIO

from tilelang.check.fuzz.execution import execute


def main() -> None:
    """Execute what comes in until nothing more does."""
    outcomes = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    with open(os.devnull, "wb") as nowhere:  # what a backend prints is no outcome
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    _send(True, outcomes)
    while True:
        try:
            job = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        _send(execute(job), outcomes)


def _send(what: object, outcomes: BinaryIO) -> None:
    pickle.dump(what, outcomes)
    outcomes.flush()


if __name__ == "__main__":
    main()
