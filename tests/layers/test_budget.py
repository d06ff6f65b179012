"""Widths for a budget of parameters."""

import dataclasses
import re

import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import InputError
from shared.layers import SEQUENCE_ARCHITECTURES, recurrent
from shared.layers.budget import non_embedding, parameters, sized, solve_units, units_for, width_step
from tests.layers.kinds import checked_here

FEATURES = 10
every_arch = pytest.mark.parametrize(
    "arch",
    checked_here(SEQUENCE_ARCHITECTURES),
)


def stack(arch, units, layers=1):
    sequential = [recurrent(arch, units, return_sequences=True) for _ in range(layers)]
    return keras.Sequential([keras.Input((None, FEATURES)), *sequential])


def counted(arch, units, layers=1):
    return parameters(lambda: stack(arch, units, layers))


@every_arch
def test_what_is_counted_without_weights_is_what_a_real_network_has(arch):
    units = units_for(arch, 50_000, FEATURES, layers=2, tolerance=0.05)
    real = stack(arch, units, layers=2).count_params()
    assert counted(arch, units, layers=2) == real
    assert abs(real - 50_000) <= 0.05 * 50_000


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("budget", [5_000, 50_000, 500_000])
@every_arch
def test_the_width_is_within_one_percent_and_the_nearest_or_refused_with_the_nearest(arch, budget, layers):
    try:
        units = units_for(arch, budget, FEATURES, layers)
    except InputError as refusal:
        assert budget < 500_000, "from about 100 units on there is always one"
        named = re.findall(r"([\d,]+) \((\d+) units\)", str(refusal))
        assert len(named) == 2
        for number, units in ((int(number.replace(",", "")), int(units)) for number, units in named):
            assert counted(arch, units, layers) == number
            assert abs(number - budget) > 0.01 * budget
        return
    step = width_step(arch)
    distance = abs(counted(arch, units, layers) - budget)
    assert distance <= 0.01 * budget
    assert all(distance <= abs(counted(arch, n, layers) - budget) for n in (units - step, units + step))


def test_a_wider_tolerance_accepts_what_is_refused_at_one_percent():
    with pytest.raises(InputError, match=r"No width comes within 1% of 5,000 parameters"):
        units_for("lstm", 5_000, FEATURES)
    units = units_for("lstm", 5_000, FEATURES, tolerance=0.02)
    assert abs(counted("lstm", units) - 5_000) <= 0.02 * 5_000


@every_arch
def test_a_hopeless_budget_is_refused_with_the_smallest_counts(arch):
    nearest = rf"The nearest are [\d,]+ \({width_step(arch)} units\) or "
    with pytest.raises(InputError, match=rf"within 1% of 10 parameters\. {nearest}"):
        units_for(arch, 10, features=100)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (dict(arch="transformer", params=1000, features=3), "Expected one of the architectures"),
        (dict(arch="gru", params=0, features=3), "params=0"),
        (dict(arch="gru", params=1000, features=0), "Received: 0 and 1"),
        (dict(arch="gru", params=1000, features=3, layers=0), "Received: 3 and 0"),
    ],
)
def test_what_cannot_be_solved_is_refused(words, message):
    with pytest.raises(InputError, match=message):
        units_for(**words)


def test_options_of_the_layer_count():
    """Without bias an LSTM has 4 units (features + units) weights."""
    units = units_for("lstm", 50_000, FEATURES, use_bias=False)
    assert abs(4 * units * (FEATURES + units) - 50_000) <= 500


@settings(deadline=None)
@given(st.integers(1, 400), st.integers(0, 3), st.integers(0, 9), st.integers(1, 16))
def test_of_any_rising_count_the_nearest_multiple_is_found(target, square, line, step):
    def count(units):
        return square * units * units + (line + 1) * units + 7

    budget = count(target)
    units = solve_units(count, budget, step, tolerance=1e9)
    assert units % step == 0
    best = min(abs(count(n) - budget) for n in range(step, target + 2 * step, step))
    assert abs(count(units) - budget) == best


def test_a_count_that_never_grows_is_refused():
    with pytest.raises(InputError, match="Expected a count that grows with the width. It is 5 at"):
        solve_units(lambda units: 5, 1_000)


def test_a_large_budget_is_solved_and_nothing_is_allocated(monkeypatch):
    """Orthogonal matrices of this size alone would take many seconds."""
    monkeypatch.setattr(keras.initializers.OrthogonalInitializer, "__call__", None)
    units = units_for("lstm", 10_000_000, FEATURES, layers=2)
    assert abs(3 * 4 * units * units - 10_000_000) < 0.02 * 10_000_000


def test_what_was_only_counted_never_starts_and_real_layers_still_do():
    made = []
    parameters(lambda: made.append(keras.layers.Dense(5)) or made[0].build((None, 3)) or made[0])
    layer = keras.layers.Dense(4)
    layer(keras.Input((3,)))  # Keras starts all noted weights after such a symbolic call
    assert layer.kernel.shape == (3, 4) and abs(layer.get_weights()[0]).sum() > 0
    assert made[0].kernel._value is None


def test_an_error_inside_the_building_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        parameters(lambda: 1 / 0)


@dataclasses.dataclass(frozen=True)
class Settings:
    """As much of an app's settings as is needed."""

    params: int
    units: int = 1
    arch: str = "gru"


def reader(settings, words=20_000):
    """A network whose embedding table alone is larger than any budget here."""
    embedding = keras.layers.Embedding(words, 8)
    return keras.Sequential([keras.Input((None,)), embedding, recurrent(settings.arch, settings.units)])


@pytest.mark.parametrize("arch", checked_here(("gru", "elman", "mingru")))
def test_a_vocabulary_leaves_the_recurrent_layers_the_whole_budget(arch, capsys):
    chosen = sized(Settings(30_000, arch=arch), reader)
    network = reader(chosen)
    assert abs(non_embedding(network) - 30_000) < 300 and network.count_params() == non_embedding(network) + 160_000
    assert sized(Settings(30_000, arch=arch), lambda one: reader(one, words=50)) == chosen
    nested = keras.Sequential([keras.Input((None,)), network])
    assert non_embedding(nested) == non_embedding(network) and "No width" not in capsys.readouterr().out


def test_tables_that_are_shared_or_inside_another_layer_are_not_counted_once_more():
    shared = keras.layers.Embedding(100, 4)
    inner = keras.Sequential([keras.Input((None,)), shared, keras.layers.Dense(2)])
    ids = keras.Input((None,))
    both = keras.Model(ids, keras.layers.Concatenate()([inner(ids), shared(ids)]))
    assert non_embedding(both) == 10 and both.count_params() == 410
    steps = keras.Sequential([keras.Input((None, 3)), keras.layers.TimeDistributed(keras.layers.Embedding(100, 4))])
    assert non_embedding(steps) == 0


def test_a_budget_below_the_narrowest_network_is_refused():
    with pytest.raises(InputError, match=r"--params: expected at least 33, the size of the narrowest .* received 10"):
        sized(Settings(10), reader)
