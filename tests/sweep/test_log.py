"""The log on its own."""

import sqlite3
from pathlib import Path

import pytest

from tilelang.diagnostics import TileError
from tilelang.sweep.log import FILE, Log, user_log
from tilelang.sweep.trial import Status, Trial

TILES = {"n_tile": 16}
COLUMNS = {"kernel": "gemm", "backend": "numpy", "machine": "host", "metric": "time"}


def test_a_trial_comes_back_as_it_was_kept(tmp_path: Path):
    trial = Trial(TILES, Status.RANKED, 0.25, 0.01, (0.2, 0.25, 0.3))
    with Log(tmp_path) as log:
        log.finish("key", "sweep", "time x3", TILES, trial)
    with Log(tmp_path) as log:
        found = log.find("key", TILES)
        assert found == Trial(TILES, Status.RANKED, 0.25, 0.01, (0.2, 0.25, 0.3), reused=True)
        assert log.find("another key", TILES) is None


def test_a_trial_that_was_begun_is_not_a_result_and_is_counted(tmp_path: Path):
    with Log(tmp_path) as log:
        log.begin("sweep", ["a", "b"])
        log.begin("sweep", ["a"])
        assert (log.attempts("a"), log.attempts("b"), log.attempts("c")) == (2, 1, 0)
        assert log.find("a", TILES) is None
        log.finish("a", "sweep", "cycles", TILES, Trial(TILES, Status.RANKED, 1.0))
        assert log.attempts("a") == 0


def test_a_worse_winner_of_the_same_versions_does_not_replace_a_better_one(tmp_path: Path):
    with Log(tmp_path) as log:
        log.enter_sweep("sweep", COLUMNS)
        for n_tile, value, versions in ((16, 2.0, "1"), (32, 3.0, "1"), (48, 1.0, "1")):
            winner = Trial({}, Status.RANKED, value)
            log.keep_winner("sweep", winner, {"n_tile": n_tile}, ("ok", versions))
        assert [row["tiles"] for row in log.winners(COLUMNS)] == [{"n_tile": 48}]
        log.keep_winner("sweep", Trial({}, Status.RANKED, 9.0), {"n_tile": 64}, ("ok", "2"))
        assert [row["tiles"] for row in log.winners(COLUMNS)] == [{"n_tile": 64}]


def test_a_comparison_counts_only_when_all_of_it_is_there(tmp_path: Path):
    with Log(tmp_path) as log:
        log.keep_final("comparison", {"a": [1.0, 2.0], "b": [3.0]})
        assert log.final("comparison", ["b", "a"]) == [(3.0,), (1.0, 2.0)]
        assert log.final("comparison", ["a", "c"]) is None


def test_a_file_that_is_no_log_is_refused(tmp_path: Path):
    (tmp_path / FILE).write_text("not a database, though long enough to be looked at" * 20)
    with pytest.raises(TileError, match=r"E0906\]: the log of sweeps .* cannot be used"):
        Log(tmp_path)


def test_a_log_of_another_version_is_refused(tmp_path: Path):
    with sqlite3.connect(tmp_path / FILE) as database:
        database.execute("pragma user_version = 99")
    with pytest.raises(TileError, match=r"E0906\].*version is 99, wanted 1"):
        Log(tmp_path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TileError, match="E0906"):
        Log(tmp_path / "file/folder")


def test_the_users_log_lies_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("TILELANG_SWEEPS", str(tmp_path / "here"))
    assert user_log() == tmp_path / "here"
    monkeypatch.delenv("TILELANG_SWEEPS")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert user_log() == tmp_path / "tilelang"
