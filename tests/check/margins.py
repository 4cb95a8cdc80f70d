"""By how much each fault leaves the bound, on each family of inputs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.check.faults import FAULTS, Victim
from tests.check.running import results_of
from tilelang.check.compare import compare
from tilelang.check.families import Family, families
from tilelang.check.oracle import Enclosure, enclose
from tilelang.ir.nodes import Program
from tilelang.numerics import IEEE
from tilelang.shipped import find_kernel


@dataclass(frozen=True, slots=True)
class Margin:
    """The share of the bound that a fault reaches, by family: above 1 it is caught."""

    victim: Victim
    fault: str
    shares: Mapping[str, float]


def margins(victim: Victim, seed: int = 0) -> Iterator[Margin]:
    """Yield the margins of every fault that a kernel can have."""
    kernel = find_kernel(victim.kernel)
    for keywords, narrow in ((victim.keywords, False), (dict(victim.narrow), True)):
        if narrow and not keywords:
            continue
        program = kernel.program(**{**victim.keywords, **keywords})
        drawn = [(family, _enclosed(program, family)) for family in families(program, seed)]
        for fault in FAULTS:
            if victim.can_have(fault) and (fault == "bfloat16 truncated") is narrow:
                yield Margin(victim, fault, dict(_shares(program, fault, drawn)))


def _enclosed(program: Program, family: Family) -> list[Enclosure]:
    return enclose(program, family.inputs, IEEE, is_random=family.is_random)


def _shares(
    program: Program, fault: str, drawn: list[tuple[Family, list[Enclosure]]]
) -> Iterator[tuple[str, float]]:
    for family, enclosures in drawn:
        found = results_of(program, family.inputs, FAULTS[fault](program))
        compared = [
            compare(array, one, buffer.dtype)
            for array, one, buffer in zip(found, enclosures, program.results, strict=True)
        ]
        yield family.name, max(one.max_share for one in compared)
