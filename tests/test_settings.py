"""Settings: ranges in types, recipes, and the command line that gives the same settings again."""

import dataclasses
from typing import Annotated

import pytest
from annotated_types import Ge, Lt

from shared import InputError, settings
from shared.settings import Count, Fraction, NotNegative, Positive, Seed, Share, Top, Whole, one_of


@dataclasses.dataclass(frozen=True)
class Some:
    """One setting of each kind."""

    data: str = "builtin"
    units: Count = 8
    patience: Whole = 0
    rate: Positive = 1e-3
    decay: NotNegative = 0.0
    dropout: Share = 0.1
    valid: Fraction = 0.1
    top_p: Top = 1.0
    fold: Annotated[int, Ge(0), Lt(5)] = 0
    arch: Annotated[str, *one_of(("lstm", "gru"))] = "gru"
    labels: tuple[str, ...] = ()
    parts: tuple[Annotated[str, *one_of("abc")], ...] = ()
    steps: tuple[Count, ...] = (1,)
    seed: Seed | None = None
    tied: bool = False

    def __post_init__(self) -> None:
        settings.check(self)


@pytest.mark.parametrize(
    "changed, line",
    [
        ({"units": 0}, "--units: expected at least 1; received 0"),
        ({"patience": -1}, "--patience: expected at least 0; received -1"),
        ({"rate": 0.0}, "--rate: expected more than 0; received 0.0"),
        ({"rate": float("nan")}, "--rate: expected a number; received nan"),
        ({"rate": float("inf")}, "--rate: expected a number; received inf"),
        ({"decay": -0.1}, "--decay: expected at least 0; received -0.1"),
        ({"dropout": 1.0}, "--dropout: expected at least 0 and less than 1; received 1.0"),
        ({"valid": 0.0}, "--valid: expected more than 0 and less than 1; received 0.0"),
        ({"top_p": 1.5}, "--top-p: expected more than 0 and at most 1; received 1.5"),
        ({"fold": 5}, "--fold: expected at least 0 and less than 5; received 5"),
        ({"arch": "transformer"}, "--arch: expected one of lstm, gru; received 'transformer'"),
        ({"parts": ("a", "x")}, "--parts: expected one of a, b, c; received 'x'"),
        ({"steps": (2, 0)}, "--steps: expected at least 1; received 0"),
        ({"seed": -1}, "--seed: expected at least 0 and at most 4294967295; received -1"),
        ({"seed": 2**32}, "--seed: expected at least 0 and at most 4294967295; received 4294967296"),
        ({"units": "8"}, "--units: expected a whole number; received '8'"),
        ({"units": True}, "--units: expected a whole number; received True"),
        ({"units": 1.5}, "--units: expected a whole number; received 1.5"),
        ({"tied": 1}, "--tied: expected true or false; received 1"),
        ({"data": 3}, "--data: expected a text; received 3"),
        ({"labels": "ab"}, "--labels: expected a list; received 'ab'"),
    ],
)
def test_a_value_outside_of_its_range_is_refused_in_one_line(changed, line):
    with pytest.raises(InputError) as refused:
        Some(**changed)
    assert str(refused.value) == line


def test_values_at_the_edges_of_their_ranges_are_taken_and_json_lists_become_tuples_again():
    found = Some(units=1, dropout=0.0, top_p=1, fold=4, labels=["a", "b"], parts=["c"], seed=0)
    assert found.labels == ("a", "b") and found.parts == ("c",) and found.top_p == 1


RECIPES = {"builtin": Some(), "toy": Some(data="toy", units=3, tied=True)}


def test_a_recipe_is_that_of_its_name_else_of_the_data_else_the_built_in_one():
    assert settings.recipe(RECIPES, "toy", "builtin").units == 3
    assert settings.recipe(RECIPES, None, "toy").units == 3
    assert settings.recipe(RECIPES, None, "my.csv").units == 8
    with pytest.raises(InputError, match="--recipe: expected one of builtin, toy; received 'huge'"):
        settings.recipe(RECIPES, "huge", "toy")


def test_the_command_names_the_data_and_what_differs_from_its_recipe():
    said = settings.command("app", Some(data="toy", units=3, labels=("a b", "c")), RECIPES, seeds=2)
    assert said == "python -m apps.app train --data toy --labels 'a b' c --no-tied --seeds 2"
    assert settings.command("app/talk", Some(), RECIPES) == "python -m apps.app train-talk --data builtin"
    assert settings.command("app", Some(data="-x"), RECIPES) == "python -m apps.app train --data=-x"
    assert settings.command("app", Some(units=9, tied=True), RECIPES, "sweep", ["units"], archs=("gru",)) == (
        "python -m apps.app sweep --data builtin --tied --archs gru"
    )


@pytest.mark.parametrize(
    "words, value",
    [
        (["train", "--data", "ptb"], "ptb"),
        (["train", "--data=ptb", "--units", "3"], "ptb"),
        (["train", "--data", "a", "--data=b"], "b"),
        (["train", "--data=b", "--data", "a"], "a"),
        (["train", "--database", "x"], "builtin"),
        (["train", "--data"], "builtin"),
        ([], "builtin"),
    ],
)
def test_an_option_can_be_read_before_the_command_line_is_parsed(words, value):
    assert settings.peek(words, "--data", "builtin") == value


def test_data_and_recipe_choose_the_defaults():
    assert settings.chosen(RECIPES, ["train", "--data=toy"]).units == 3
    assert settings.chosen(RECIPES, ["train", "--data", "x", "--recipe", "toy"]).data == "toy"


def test_settings_are_changed_by_name_and_others_are_refused():
    assert settings.changed(Some(units=4), {"rate": 1, "labels": ["a"]}) == Some(units=4, rate=1, labels=("a",))
    with pytest.raises(InputError, match="--units: expected at least 1"):
        settings.changed(Some(), {"units": 0})
    with pytest.raises(InputError, match="Expected no options but data, units, .* Received: 'more', 'unit'"):
        settings.changed(Some(), {"unit": 1, "more": 2})


def test_each_of_several_inputs_has_a_seed_of_its_own_and_the_first_keeps_it():
    assert settings.seed_of(7, 0) == 7 and settings.seed_of(None, 3) is None
    found = [settings.seed_of(seed, number) for seed in (0, 1, 2**32 - 1) for number in range(100)]
    assert len(set(found)) == len(found) and all(0 <= each <= settings.LARGEST_SEED for each in found)
