"""`tilelang machine`: the chips that kernels are verified for, with every number and its source."""

from collections.abc import Iterator
from typing import Annotated

import typer

from tilelang.cli.options import JsonOption
from tilelang.cli.tables import Row, Value, console, print_json, show
from tilelang.machines import Machine, find_machine, machine_names


def machine(
    name: Annotated[str | None, typer.Argument(help="A machine, such as ascend910.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Print a machine: memories, legal moves, the cube, rates; without a name, list them."""
    if name is None:
        _list(as_json)
    elif as_json:
        print_json(_as_data(find_machine(name)))
    else:
        _print(find_machine(name))


def _list(as_json: bool) -> None:
    columns = {"name": "machine", "title": "is", "n_cores": "cores", "cube": "the cube multiplies"}
    rows = [_summary(find_machine(name)) for name in machine_names()]
    show(rows, columns, as_json=as_json)


def _summary(machine: Machine) -> Row:
    return {
        "name": machine.name,
        "title": machine.title,
        "n_cores": machine.n_cores,
        "clock_hz": machine.clock_hz,
        "cube": [str(form) for form in machine.cube],
    }


def _as_data(machine: Machine) -> Value:
    memories: Value = {
        memory.value: {
            "capacity_bytes": machine.capacity.get(memory),
            "alignment_bytes": alignment,
        }
        for memory, alignment in machine.alignment.items()
    }
    return {
        **_summary(machine),
        "memories": memories,
        "paths": list(_paths(machine)),
        "facts": list(_facts(machine)),
    }


def _paths(machine: Machine) -> Iterator[Row]:
    for path in machine.paths:
        yield {
            "from": path.source.value,
            "to": path.target.value,
            "pipe": path.pipe,
            "casts": [f"{source} -> {target}" for source, target in path.casts],
            "transposes": [str(dtype) for dtype in path.transposes],
        }


def _facts(machine: Machine) -> Iterator[Row]:
    for name, fact in machine.facts.items():
        yield {"name": name, "value": fact.value, "unit": fact.unit, "source": fact.source}


def _print(machine: Machine) -> None:
    out = console()
    clock = f"{machine.clock_hz / 1e9:g} GHz"
    out.print(f"{machine.name}: {machine.title}", style="bold")
    out.print(f"{machine.n_cores} cores at {clock}\n")
    out.print("The cube multiplies " + (", ".join(map(str, machine.cube)) or "nothing") + ".\n")
    path_columns = {"from": "from", "to": "to", "pipe": "pipe", "casts": "casts on the way"}
    show(list(_paths(machine)), path_columns | {"transposes": "transposes"}, as_json=False)
    out.print()
    fact_columns = {"name": "number", "value": "value", "unit": "unit", "source": "source"}
    show(list(_facts(machine)), fact_columns, as_json=False)
