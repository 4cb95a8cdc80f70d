"""What every test may use: the `golden` fixture and its option."""

import pytest

from tests.golden import FOLDER, Golden


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden`."""
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite the files under tests/golden/ that differ from what the tests produce",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare a text with a file: `golden.check("layouts/nz.txt", text)`."""
    return Golden(FOLDER, update=bool(request.config.getoption("--update-golden")))
