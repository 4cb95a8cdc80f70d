"""What tests of the command line share: running a command in this process."""

import pytest

from tests.cli.command import Command


@pytest.fixture
def tilelang(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command: `tilelang("layout", "NZ", "--shape", "32x48")`."""
    return Command(capsys)
