"""Reads a machine from its TOML file.

A number is `{ value = 512, unit = "B/cycle", source = "cfg INI" }`. `unit` and `source` may stand
once in a table, for every number below that does not say its own; then a bare number will do.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from tilelang.dtypes import DType
from tilelang.ir.region import Memory
from tilelang.machines.description import CubeForm, Fact, Machine, Path, Table

_TABLES_OF_NUMBERS = ("chip", "capacity", "alignment", "rates")


def read_machine(file: FilePath) -> Machine:
    """Return the machine that `file` describes, named after the file."""
    raw = tomllib.loads(file.read_text(encoding="utf-8"))
    facts = {
        f"{table}.{name}": fact
        for table in _TABLES_OF_NUMBERS
        for name, fact in _facts(raw[table], "", "")
    }
    return Machine(
        name=file.stem,
        title=raw["title"],
        n_cores=int(facts["chip.n_cores"].value),
        clock_hz=facts["chip.clock_hz"].value,
        is_split=raw["is_split"],
        dtypes=tuple(map(DType, raw["dtypes"])),
        paths=tuple(_paths(raw["paths"])),
        cube=tuple(CubeForm(*map(DType, form["form"])) for form in raw["cube"]),
        img2col_targets=tuple(map(Memory, raw["img2col_targets"])),
        capacity=_by_memory(facts, "capacity"),
        alignment={Memory.GM: 1} | _by_memory(facts, "alignment"),
        facts=facts,
        tables={name: _table(entry) for name, entry in raw.get("tables", {}).items()},
    )


def _facts(table: Mapping[str, Any], unit: str, source: str) -> Iterator[tuple[str, Fact]]:
    """Yield every number of `table` under its dotted name."""
    unit, source = table.get("unit", unit), table.get("source", source)
    for name, entry in table.items():
        match entry:
            case int() | float():
                yield name, Fact(entry, unit, source)
            case {"value": value}:
                yield name, Fact(value, entry.get("unit", unit), entry.get("source", source))
            case dict():
                inner: Iterator[tuple[str, Fact]] = _facts(entry, unit, source)  # pyright: ignore[reportUnknownArgumentType]
                yield from ((f"{name}.{rest}", fact) for rest, fact in inner)
            case _:
                assert name in ("unit", "source"), f"{name} is not a number"


def _table(entry: Mapping[str, Any]) -> Table:
    return Table(tuple(entry["columns"]), tuple(map(tuple, entry["rows"])), entry["source"])


def _by_memory(facts: Mapping[str, Fact], table: str) -> dict[Memory, int]:
    return {
        memory: int(facts[f"{table}.{memory.value}"].value)
        for memory in Memory
        if memory is not Memory.GM
    }


def _paths(entries: list[dict[str, Any]]) -> Iterator[Path]:
    for entry in entries:
        casts = tuple((DType(source), DType(target)) for source, target in entry.get("casts", ()))
        yield Path(
            Memory(entry["from"]),
            Memory(entry["to"]),
            entry["pipe"],
            casts,
            tuple(map(DType, entry.get("transposes", ()))),
        )
