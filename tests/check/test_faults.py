"""The bound is tight: every seeded fault leaves it on some family of inputs, for K up to 4096."""

import pytest

from tests.check.faults import FAULTS, Victim, victims
from tests.check.margins import margins

CASES = [victim for depth in (108, 4096) for victim in victims(depth)]


@pytest.mark.parametrize("victim", CASES, ids=lambda one: f"{one.kernel}-{one.depth}")
def test_every_fault_is_caught_on_some_family(victim: Victim):
    found = list(margins(victim))
    missed = [margin.fault for margin in found if max(margin.shares.values()) <= 1]
    assert not missed
    assert len(found) == sum(victim.can_have(fault) for fault in FAULTS)
