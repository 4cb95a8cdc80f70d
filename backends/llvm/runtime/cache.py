"""Compiled programs, kept in memory and on disk.

A key is the program, what the host can do, and the version of everything that makes code of it, so
an entry never goes stale. Entries are written to the side and renamed, carry a digest of their
contents, and belong to one user; one that is damaged is made again. `TILELANG_CACHE` names the
folder (default: `tilelang` in the user's cache folder); the oldest entries go when it is full.
"""

import contextlib
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm

import tilelang
from tilelang.backends.llvm.runtime.host import Host
from tilelang.ir.nodes import Program
from tilelang.machines import Machine

CACHE_VARIABLE = "TILELANG_CACHE"
_MAX_BYTES = 64 << 20
_SOURCES = (".", "ir", "passes", "layouts", "machines", "backends/llvm/**")
"""Folders under `tilelang` whose files decide what code is made."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Machine code, and the memory that it wants (see `module.Module`)."""

    code: bytes
    n_scratch_bytes: int
    workspace_bytes: tuple[int, ...]
    n_cores: int


def key_of(program: Program, machine: Machine, host: Host) -> str:
    """Return the key of a program as a hexadecimal number.

    Locations are no part of it: `repr` leaves them out.
    """
    text = f"{program!r}|{machine.name}|{host.key}|{_versions()}"
    return hashlib.sha256(text.encode()).hexdigest()


def read_entry(key: str) -> Entry | None:
    """Return the entry on disk, None if there is none that is whole."""
    folder = _folder()
    if folder is None:
        return None
    try:
        data = (folder / key).read_bytes()
    except OSError:
        return None
    return _parsed(data)


def write_entry(key: str, entry: Entry) -> None:
    """Keep an entry on disk; where that cannot be, it is only made again next time."""
    folder = _folder()
    if folder is None:
        return
    with contextlib.suppress(OSError):
        handle, name = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(_packed(entry))
        os.replace(name, folder / key)
        _prune(folder)


def _packed(entry: Entry) -> bytes:
    """Return the bytes of a file: the digest of the rest, a line of JSON, the machine code."""
    about = {name: value for name, value in asdict(entry).items() if name != "code"}
    body = json.dumps(about).encode() + b"\n" + entry.code
    return hashlib.sha256(body).digest() + body


def _parsed(data: bytes) -> Entry | None:
    digest, body = data[:32], data[32:]
    if hashlib.sha256(body).digest() != digest:
        return None
    line, code = body.split(b"\n", 1)
    about = json.loads(line)
    return Entry(code, about["n_scratch_bytes"], tuple(about["workspace_bytes"]), about["n_cores"])


def _folder() -> Path | None:
    """Return the folder of entries, made if need be; None if it is not this user's alone."""
    asked = os.environ.get(CACHE_VARIABLE)
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = (Path(asked) if asked else home / "tilelang") / "llvm"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = folder.stat()
    except OSError:
        return None
    if not hasattr(os, "getuid"):
        return folder
    is_private = about.st_uid == os.getuid() and not about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return folder if is_private else None


def _prune(folder: Path) -> None:
    """Remove the oldest entries until the rest fits."""
    files = sorted(folder.iterdir(), key=lambda file: -file.stat().st_mtime)
    n_bytes = 0
    for file in files:
        n_bytes += file.stat().st_size
        if n_bytes > _MAX_BYTES:
            file.unlink()


@lru_cache
def _versions() -> str:
    """Return what tells this installation's code generator from any other."""
    files = ",".join(fingerprints())
    return f"{tilelang.__version__}|{llvmlite.__version__}|{llvm.llvm_version_info}|{files}"


def fingerprints() -> Iterator[str]:
    """Yield name, size and time of every file that decides what code is made."""
    for folders in _SOURCES:
        for root in tilelang.__path__:
            for file in sorted(Path(root).glob(f"{folders}/*.*")):
                if file.suffix in (".py", ".toml"):
                    about = file.stat()
                    yield f"{file.relative_to(root)}:{about.st_size}:{about.st_mtime_ns}"
