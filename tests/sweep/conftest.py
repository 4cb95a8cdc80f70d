"""What tests of sweeps share: a log of their own, and the backend `model`."""

from pathlib import Path

import pytest

from tests.sweep.model import model

__all__ = ["log_folder", "model"]


@pytest.fixture(autouse=True)
def log_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep sweeps without a folder out of the user's log."""
    folder = tmp_path / "user"
    monkeypatch.setenv("TILELANG_SWEEPS", str(folder))
    return folder
