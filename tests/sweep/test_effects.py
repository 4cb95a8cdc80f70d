"""The regression finds the exponents that values were made with."""

import pytest

from tilelang.sweep.effects import find_effects
from tilelang.sweep.trial import Status, Trial


def trials_of(values: dict[tuple[int, int], float]) -> list[Trial]:
    return [
        Trial({"n_tile": n, "k_tile": k}, Status.RANKED, value) for (n, k), value in values.items()
    ]


def test_exponents_are_found_and_explain_everything_without_noise():
    trials = trials_of({(n, k): 3 * n**-0.5 * k**0.25 for n in (16, 48, 80) for k in (16, 17, 32)})
    effects = find_effects(trials)
    assert effects is not None
    assert [effect.parameter for effect in effects.each] == ["n_tile", "k_tile"]
    assert [effect.exponent for effect in effects.each] == pytest.approx([-0.5, 0.25])
    assert effects.each[0].per_doubling == pytest.approx(2**-0.5)
    assert effects.explained == pytest.approx(1)


def test_a_parameter_without_an_effect_has_exponent_zero():
    effects = find_effects(trials_of({(n, k): float(n) for n in (1, 2, 4) for k in (3, 5)}))
    assert effects is not None
    assert [effect.exponent for effect in effects.each] == pytest.approx([1, 0])


def test_a_parameter_with_one_value_is_left_out():
    effects = find_effects(trials_of({(n, 16): 1 / n for n in (16, 32, 64)}))
    assert effects is not None
    assert [effect.parameter for effect in effects.each] == ["n_tile"]


def test_parameters_that_go_together_cannot_be_told_apart():
    assert find_effects(trials_of({(n, 2 * n): 1 / n for n in (16, 32, 64, 128)})) is None


def test_too_few_trials_say_nothing():
    assert find_effects([]) is None
    assert find_effects(trials_of({(16, 16): 1.0, (32, 32): 2.0})) is None
