"""`python -m tilelang` is the command line."""

import subprocess
import sys

from tilelang import __version__


def test_the_package_runs_as_a_module():
    command = [sys.executable, "-m", "tilelang", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"tilelang-tik {__version__}\n"
