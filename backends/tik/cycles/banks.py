"""Conflicts of banks of UB, where a machine's file says what they cost.

Blocks of 32 bytes lie in 16 groups in turn. A repeat touches eight of them: two operands whose
groups overlap cannot be read in one cycle; and a result that is written into the banks that are
being read waits as well, unless it replaces them in place (ADK, sample of conflicts; the two do
not add up in what was measured: PTO).
"""

from collections.abc import Sequence

from tilelang.backends.tik.cycles.charges import Scene, start_of
from tilelang.backends.tik.instructions import BLOCK_BYTES, BLOCKS_PER_REPEAT, Lanes


def conflict_cycles(scene: Scene, dst: Lanes, srcs: Sequence[Lanes]) -> float:
    """Return the cycles by which conflicts lengthen each repeat."""
    rates = scene.rates
    reads = rates.get("vector.read_read_conflict", 0.0)
    writes = rates.get("vector.read_write_conflict", 0.0)
    if not reads and not writes:
        return 0.0
    starts = [_address(scene, lanes) for lanes in srcs]
    target = _address(scene, dst)
    cost = 0.0
    if len(set(starts)) == 2 and _groups_overlap(scene, *sorted(set(starts))):
        cost = reads
    others = [start for start in starts if start != target]
    if any(_in_one_bank(scene, start, target) for start in others):
        cost = max(cost, writes)
    return cost


def _address(scene: Scene, lanes: Lanes) -> int:
    return scene.starts.get(lanes.operand.tensor, 0) + (start_of(lanes.operand) or 0)


def _in_one_bank(scene: Scene, first: int, second: int) -> bool:
    """Return whether eight blocks from either address meet in a bank; a group has several."""
    rates = scene.rates
    n_bytes = rates.whole("vector.bank_bytes") * rates.whole("vector.bank_groups")
    return first // n_bytes == second // n_bytes and _groups_overlap(scene, first, second)


def _groups_overlap(scene: Scene, first: int, second: int) -> bool:
    """Return whether eight blocks from either address share a group."""
    n_groups = scene.rates.whole("vector.bank_groups")
    distance = (second - first) // BLOCK_BYTES % n_groups
    return min(distance, n_groups - distance) < BLOCKS_PER_REPEAT
