"""The log: one SQLite file that holds every trial from the moment it is finished.

Every write is committed at once, so a sweep that is killed loses what it was doing and no more.
"""

import json
import os
import sqlite3
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from tilelang.diagnostics import Diagnostic, TileError, callsite
from tilelang.sweep.columns import as_json
from tilelang.sweep.space import Tiles
from tilelang.sweep.trial import Status, Trial

FILE = "sweep.sqlite"
FOLDER_VARIABLE = "TILELANG_SWEEPS"
SCHEMA_VERSION = 1

_BEGUN = "begun"
_SCHEMA = """
create table if not exists sweeps (
    id text primary key, kernel text, signature text, dims text, dtypes text, attributes text,
    options text, backend text, machine text, metric text);
create table if not exists trials (
    key text primary key, sweep text references sweeps(id), tiles text, judge text, status text,
    value real, noise real, samples text, code text, reason text,
    attempts integer not null default 0, finished text);
create table if not exists finals (
    comparison text, trial text, samples text, primary key (comparison, trial));
create table if not exists verdicts (trial text primary key, verdict text);
create table if not exists winners (
    sweep text primary key references sweeps(id), tiles text, value real, verdict text,
    versions text, finished text);
"""


def user_log() -> Path:
    """Return the folder of the log of sweeps that name none: `TILELANG_SWEEPS`, or the user's."""
    asked = os.environ.get(FOLDER_VARIABLE)
    if asked:
        return Path(asked)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "tilelang"
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local/share") / "tilelang"


class Log:
    """The log in a folder; a context manager that closes it."""

    def __init__(self, folder: str | Path | None) -> None:
        """Open the log in `folder` (the user's if None), made if need be.

        Raises:
            TileError: E0906 if it cannot be opened, or is another program's or version's.
        """
        self.path = (Path(folder) if folder is not None else user_log()) / FILE
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            self._open()
        except (OSError, sqlite3.Error) as error:
            raise TileError(_unusable(self.path, str(error))) from None

    def _open(self) -> None:
        (found,) = self._db.execute("pragma user_version").fetchone()
        if found not in (0, SCHEMA_VERSION):
            message = f"its version is {found}, wanted {SCHEMA_VERSION}"
            raise TileError(_unusable(self.path, message))
        self._db.execute("pragma journal_mode = wal")  # a commit then costs no wait for the disk
        self._db.execute("pragma synchronous = normal")
        self._db.executescript(_SCHEMA)
        self._db.execute(f"pragma user_version = {SCHEMA_VERSION}")

    def __enter__(self) -> "Log":
        """Return the log."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._db.close()

    def enter_sweep(self, key: str, columns: Mapping[str, str]) -> None:
        """Note what is swept, once."""
        names = ", ".join(("id", *columns))
        marks = ", ".join("?" * (len(columns) + 1))
        sql = f"insert or ignore into sweeps ({names}) values ({marks})"
        self._db.execute(sql, (key, *columns.values()))

    def find(self, key: str, tiles: Tiles) -> Trial | None:
        """Return the finished trial with this key, as one of `tiles`; None if there is none."""
        sql = "select status, value, noise, samples, code, reason from trials where key = ?"
        row = self._db.execute(sql, (key,)).fetchone()
        if row is None or row[0] == _BEGUN:
            return None
        status, value, noise, samples, code, reason = row
        times = tuple(json.loads(samples))
        return Trial(tiles, Status(status), value, noise, times, code, reason, reused=True)

    def attempts(self, key: str) -> int:
        """Return how often a trial was begun and not finished."""
        sql = "select attempts from trials where key = ? and status = ?"
        row = self._db.execute(sql, (key, _BEGUN)).fetchone()
        return row[0] if row else 0

    def begin(self, sweep: str, keys: Iterable[str]) -> None:
        """Note that the trials are being run."""
        sql = (
            "insert into trials (key, sweep, status, attempts) values (?, ?, ?, 1) "
            "on conflict (key) do update set status = excluded.status, attempts = attempts + 1"
        )
        self._db.execute("begin")
        self._db.executemany(sql, [(key, sweep, _BEGUN) for key in keys])
        self._db.execute("commit")

    def finish(self, key: str, sweep: str, judge: str, tiles: Tiles, trial: Trial) -> None:
        """Keep a trial; `tiles` are all of the program's, not only those swept."""
        sql = (
            "insert or replace into trials (key, sweep, tiles, judge, status, value, noise, "
            "samples, code, reason, attempts, finished) values (?,?,?,?,?,?,?,?,?,?,0,?)"
        )
        result = (trial.status.value, trial.value, trial.noise, json.dumps(trial.samples))
        row = (key, sweep, as_json(tiles), judge, *result, trial.code, trial.reason, _now())
        self._db.execute(sql, row)

    def final(self, comparison: str, trials: Sequence[str]) -> list[tuple[float, ...]] | None:
        """Return the samples of `trials` in a comparison, None if it was never finished."""
        sql = "select trial, samples from finals where comparison = ?"
        found = {key: json.loads(text) for key, text in self._db.execute(sql, (comparison,))}
        return [tuple(found[key]) for key in trials] if set(trials) <= set(found) else None

    def keep_final(self, comparison: str, samples: Mapping[str, Sequence[float]]) -> None:
        """Keep what a comparison measured, all of it at once."""
        rows = [(comparison, key, json.dumps(times)) for key, times in samples.items()]
        self._db.execute("begin")
        self._db.executemany("insert or replace into finals values (?, ?, ?)", rows)
        self._db.execute("commit")

    def verdict(self, key: str) -> str | None:
        """Return what a check said of the trial with this key."""
        row = self._db.execute("select verdict from verdicts where trial = ?", (key,)).fetchone()
        return row[0] if row else None

    def keep_verdict(self, key: str, verdict: str) -> None:
        """Keep what a check said."""
        self._db.execute("insert or replace into verdicts values (?, ?)", (key, verdict))

    def keep_winner(self, sweep: str, winner: Trial, tiles: Tiles, rest: tuple[str, str]) -> None:
        """Keep the best trial; a better one of the same versions stays. `rest`: verdict, versions.

        A sweep of fewer tiles does not replace the winner of one of more.
        """
        sql = (
            "insert into winners values (?, ?, ?, ?, ?, ?) on conflict (sweep) do update set "
            "tiles = excluded.tiles, value = excluded.value, verdict = excluded.verdict, "
            "versions = excluded.versions, finished = excluded.finished "
            "where winners.versions != excluded.versions or winners.value >= excluded.value"
        )
        self._db.execute(sql, (sweep, as_json(tiles), winner.value, *rest, _now()))

    def winners(self, wanted: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return the winners of sweeps with these columns, the latest first."""
        return self._select(
            "select tiles, value, verdict, finished, backend, machine, metric from winners "
            "join sweeps on sweep = id",
            wanted,
        )

    def ranked(self, wanted: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return every ranked trial of sweeps with these columns, the latest first."""
        return self._select(
            "select tiles, value, judge, finished, backend, machine, metric from trials "
            "join sweeps on sweep = id",
            {**wanted, "status": Status.RANKED.value},
        )

    def _select(self, sql: str, wanted: Mapping[str, str]) -> list[dict[str, Any]]:
        where = " and ".join(f"{name} = ?" for name in wanted)
        cursor = self._db.execute(
            f"{sql} where {where} order by finished desc", tuple(wanted.values())
        )
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor]
        return [{**row, "tiles": json.loads(row["tiles"])} for row in rows]


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _unusable(path: Path, reason: str) -> Diagnostic:
    return Diagnostic(
        "E0906",
        f"the log of sweeps {path} cannot be used: {reason}",
        callsite.location(None),
        f"name another folder, out=... (--out DIR); without one it is {FOLDER_VARIABLE}",
    )
