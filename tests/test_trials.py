"""Seeds and folds: the plan, what is finished, and the figures of several runs together."""

import dataclasses
import types

import pytest

from shared import InputError, files, results, trials
from shared.trials import Folds, Seeds


@dataclasses.dataclass(frozen=True)
class Toy:
    """The settings of an app with folds."""

    data: str = "builtin"
    arch: str = "gru"
    units: int = 8
    fold: int = 0
    seed: int = 1


RECIPES = {"builtin": Toy()}
NETWORK = types.SimpleNamespace(count_params=lambda: 10, _flatten_layers=lambda: [])


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GALLERY_RUNS", str(tmp_path))
    return tmp_path


def train(options, config=Toy(), stop_after=99):
    """Carries a plan out; the figure of a run is made of its fold and seed. Gives plan and count."""
    planned = trials.plan("toy", config, RECIPES, options, fold_count=3)
    trained = 0
    for one, run in trials.unfinished(planned):
        if trained == stop_after:
            break
        run.begin({})
        files.write_json(run.file("timing.json"), {"seconds": 60.0 * one.seed})
        run.file("model.keras").write_bytes(b"")
        figure = results.record(
            run, NETWORK, split="test", metric="f1", value=one.fold + one.seed / 10, baselines={"a": 0.5}
        )
        run.save_metrics(results.headed([figure], ["f1"]))
        trained += 1
    return planned, trained


def test_a_plan_goes_fold_by_fold_and_seed_by_seed():
    planned = trials.plan("toy", Toy(), RECIPES, Folds(seeds=2, folds=2), 3)
    assert [(t.config.fold, t.config.seed) for t in planned] == [(0, 1), (0, 2), (1, 1), (1, 2)]
    assert planned[-1].command == "python -m apps.toy train --data builtin --fold 1 --seed 2"


@pytest.mark.parametrize(
    "make, line",
    [
        (lambda: Seeds(seeds=0), "--seeds: expected at least 1; received 0"),
        (lambda: Folds(folds=0), "--folds: expected at least 1; received 0"),
        (lambda: trials.plan("toy", Toy(), RECIPES, Folds(folds=4), 3), "--folds: expected at most 3 from fold 0"),
        (
            lambda: trials.plan("toy", Toy(fold=2), RECIPES, Folds(folds=2), 3),
            "--folds: expected at most 1 from fold 2",
        ),
        (
            lambda: trials.plan("toy", Toy(seed=2**32 - 2), RECIPES, Seeds(seeds=3)),
            "--seeds: expected at most 2 from seed 4294967294 on; received 3",
        ),
        (lambda: trials.plan("toy", Toy(), RECIPES, Seeds(run="x", seeds=2)), "--run: expected with one seed and one"),
    ],
)
def test_what_cannot_work_is_refused_before_any_work(make, line, folder):
    with pytest.raises(InputError, match=line):
        make()
    assert not list(folder.iterdir())


def test_what_is_finished_is_not_trained_again_unless_it_is_to_be_fresh(capsys):
    assert train(Seeds(seeds=3), stop_after=2)[1] == 2
    assert train(Seeds(seeds=3))[1] == 1
    assert capsys.readouterr().out.count("is finished; --fresh trains it again") == 2
    assert train(Seeds(seeds=3, fresh=True))[1] == 3


def test_the_figures_of_seeds_are_averaged_under_one_command():
    planned, _ = train(Seeds(seeds=3))
    (record,) = trials.summary(trials.finished(planned))
    assert (record["value"], record["std"], record["n"], record["over"]) == (0.2, 0.1, 3, "seeds")
    assert record["minutes"] == 2.0  # of one run
    assert record["command"] == "python -m apps.toy train --data builtin --seeds 3"


def test_folds_are_averaged_over_the_means_of_their_seeds():
    planned, _ = train(Folds(seeds=2, folds=3))
    (record,) = trials.summary(trials.finished(planned))
    assert (record["value"], record["std"], record["n"], record["over"]) == (1.15, 1.0, 3, "folds")
    assert record["command"] == "python -m apps.toy train --data builtin --seeds 2 --folds 3"


def test_siblings_differ_in_seed_and_fold_alone():
    train(Folds(seeds=2, folds=2))
    train(Seeds(), Toy(units=9))
    run = trials.finished(trials.plan("toy", Toy(), RECIPES, Seeds()))[0]
    assert sorted((r.config["fold"], r.config["seed"]) for r in trials.siblings(run)) == [
        (0, 1),
        (0, 2),
        (1, 1),
        (1, 2),
    ]


def test_data_is_read_once_for_all_seeds_and_again_when_its_file_has_changed(folder):
    calls = []

    @trials.same_for_every_seed
    def load(config):
        calls.append(config)
        return len(calls)

    assert [load(Toy(seed=seed)) for seed in (1, 2, 3)] == [1, 1, 1]
    assert load(Toy(units=9)) == 2
    own = folder / "own.csv"
    own.write_text("a")
    assert [load(Toy(data=str(own), seed=seed)) for seed in (1, 2)] == [3, 3]
    own.write_text("ab")
    assert load(Toy(data=str(own))) == 4


def test_a_finished_run_whose_own_file_has_changed_is_refused_and_not_called_finished(folder, capsys):
    own = folder / "own.csv"
    own.write_text("a\n")
    toy = Toy(data=str(own))
    assert train(Seeds(), toy)[1] == 1
    own.touch()
    assert train(Seeds(), toy)[1] == 0  # the same content
    own.write_text("a\nb\n")
    with pytest.raises(InputError, match=r"The data has changed since .* \(--data\).*--fresh"):
        train(Seeds(), toy)
    assert train(Seeds(fresh=True), toy)[1] == 1
    own.unlink()
    assert train(Seeds(), toy)[1] == 0  # a trained run does not need its file


def test_a_folder_is_walked_only_once_it_is_known_to_hold_data(folder, monkeypatch):
    @trials.same_for_every_seed
    def load(config):
        if not (folder / "data/part").exists():
            raise InputError("Expected the file part")
        return (folder / "data/part").read_text()

    (folder / "data").mkdir()
    (folder / "data/gone").symlink_to(folder / "nowhere")
    monkeypatch.setattr(trials, "files_of", lambda path: pytest.fail("walked"))
    with pytest.raises(InputError, match="Expected the file part"):
        load(Toy(data=str(folder / "data")))
    monkeypatch.undo()
    (folder / "data/part").write_text("a")
    assert [load(Toy(data=str(folder / "data"), seed=seed)) for seed in (1, 2)] == ["a", "a"]
    (folder / "data/part").write_text("bc")
    assert load(Toy(data=str(folder / "data"))) == "bc"
