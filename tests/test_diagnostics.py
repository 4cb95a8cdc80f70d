"""Each mistake that a user can make, as the whole message it gets."""

import runpy
from pathlib import Path

import pytest

from tests.golden import Golden
from tilelang.diagnostics import TileError

ROOT = Path(__file__).parents[1]
WRONG = sorted((Path(__file__).parent / "diagnostics").glob("*.py"))


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_message(path: Path, golden: Golden, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(path.parent)
    run = runpy.run_path(path.name)["run"]
    with pytest.raises(TileError) as caught:
        run()
    message = str(caught.value).replace(f"{ROOT}/", "")
    golden.check(f"diagnostics/{path.stem}.txt", f"{message}\n")
