"""The app as its user meets it: commands in processes of their own, and what must hold between its parts."""

import json
import re
import shutil

import numpy as np
import pytest

from apps.sentiment_analysis import calibrate, evaluate, explain, predict, train
from apps.sentiment_analysis.config import Config, Train, command
from apps.sentiment_analysis.model import build
from shared import InputError, runs
from shared.data.text import SPECIALS
from tests.apps.test_contract import run, run_here

APP = "apps.sentiment_analysis"
TEXT = "Although the film was brilliant, the ending was dull."


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of runs after a smoke training, and what it printed."""
    folder = tmp_path_factory.mktemp("runs")
    done = run(APP, "train", "--recipe", "smoke", GALLERY_RUNS=str(folder))
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


@pytest.fixture
def judge(trained):
    return predict.Judge(runs.Run(next(trained[0].glob("sentiment_analysis/*")), "sentiment_analysis", {}))


def figures(folder):
    return json.loads(next(folder.glob("sentiment_analysis/*/metrics.json")).read_text())


def test_training_prints_every_baseline_answers_and_what_to_try_next(trained):
    _, printed = trained
    assert all(name in printed for name in ("majority", "tfidf_logreg", "nb_svm", "vader"))
    assert "wins" in printed and "not sure of" in printed and "texts a second" in printed
    assert all(text in printed for text in predict.EXAMPLES)
    assert "apps.sentiment_analysis explain --run" in printed


def test_a_run_holds_all_that_it_needs_to_be_used_again(trained):
    names = {path.name for path in trained[0].glob("sentiment_analysis/*/*")}
    expected = "config.json info.json model.keras metrics.json calibration.json history.csv samples.txt"
    assert set(expected.split()) | {"learning_curves.png", "reliability.png"} <= names


@pytest.mark.slow
def test_the_same_seed_trains_to_the_same_figures(trained, tmp_path):
    assert run(APP, "train", "--recipe", "smoke", GALLERY_RUNS=str(tmp_path)).returncode == 0
    assert [r["value"] for r in figures(tmp_path)] == [r["value"] for r in figures(trained[0])]


def test_a_new_process_answers_as_the_training_process_did_also_from_standard_input(trained):
    folder, _ = trained
    kept = next(folder.glob("sentiment_analysis/*/samples.txt")).read_text()
    asked = run(APP, "predict", "-", GALLERY_RUNS=str(folder), stdin="\n".join(predict.EXAMPLES))
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout == kept


def test_stream_answers_each_line_and_says_how_long_it_took(trained):
    lines = "The soup was good.\n\nThe soup was bad.\n"
    done = run(APP, "stream", GALLERY_RUNS=str(trained[0]), stdin=lines)
    assert done.returncode == 0, done.stderr
    answers = done.stdout.splitlines()
    assert len(answers) == 3 and answers[1] == "" and answers[2].endswith("The soup was bad.")
    assert re.search(r"2 texts: p50 [\d.]+ ms, p99 [\d.]+ ms", done.stderr)


def test_explain_prints_the_words_and_draws_them(trained):
    done = run(APP, "explain", TEXT, "--label", "negative", GALLERY_RUNS=str(trained[0]))
    assert done.returncode == 0, done.stderr
    assert "although the film was brilliant , the ending was dull ." in done.stdout
    assert "speaks for negative" in done.stdout
    assert next(trained[0].glob("sentiment_analysis/*/explanation.png")).stat().st_size > 5_000


@pytest.mark.slow
def test_evaluating_again_gives_the_figures_of_the_training_also_on_the_other_backend(trained):
    folder, _ = trained
    before = [record["value"] for record in figures(folder)]
    for backend in ("tensorflow", "jax"):
        done = run(APP, "evaluate", GALLERY_RUNS=str(folder), KERAS_BACKEND=backend)
        assert done.returncode == 0, done.stderr
        np.testing.assert_allclose([r["value"] for r in figures(folder)], before, atol=2e-3)


@pytest.mark.slow
def test_seeds_and_folds_are_trained_once_each_and_averaged(tmp_path, monkeypatch):
    opinions = (("good", "yes"), ("bad", "no"), ("very good", "yes"), ("very bad", "no"))
    rows = [f"the {thing} was {word},{label}" for thing in "abcdefghijklmnop" for word, label in opinions]
    (tmp_path / "own.csv").write_text("\n".join(["text,label", *rows]))
    words = ["train", "--recipe", "smoke", "--data", str(tmp_path / "own.csv"), "--seeds", "2", "--folds", "2"]
    first = run(APP, *words, GALLERY_RUNS=str(tmp_path))
    assert first.returncode == 0, first.stderr
    assert first.stdout.count("epoch 1/1") == 4 and "Mean and deviation over 2 seeds, 2 folds" in first.stdout
    again = run(APP, *words, GALLERY_RUNS=str(tmp_path))
    assert again.stdout.count("is done") == 4 and "epoch 1/1" not in again.stdout
    monkeypatch.setenv("GALLERY_RUNS", str(tmp_path))
    done, seeds, folds = evaluate.siblings(runs.find("sentiment_analysis"))
    assert (len(done), seeds, folds) == (4, 2, 2)


@pytest.mark.slow
def test_the_default_recipe_beats_every_simple_method(tmp_path):
    done = run(APP, "train", GALLERY_RUNS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    recall = figures(tmp_path)[0]
    assert recall["value"] > 0.95 > recall["baseline"]["value"] + 0.1


# Without a training of its own


def test_extra_padding_never_changes_an_answer(judge):
    ids = judge.encoder.encode(TEXT.lower().split())
    for arch in ("gru", "lstm", "mingru", "tcn", "attention"):
        model = build(Config(arch=arch, units=8, embedding=8), {"words": range(9), "learned": 9, "pieces": SPECIALS,
                                                               "labels": ["no", "yes"]})  # fmt: skip
        answers = []
        for extra in (0, 1, 30):
            row = np.pad(np.minimum(ids, 8), ((0, extra), (0, 0)), constant_values=extra % 7)
            mask = np.arange(len(row)) < len(ids)
            answers.append(np.array(model([row[None], mask[None]], training=False)))
        np.testing.assert_allclose(answers[1], answers[0], atol=1e-5)
        np.testing.assert_allclose(answers[2], answers[0], atol=1e-5)


def test_an_answer_does_not_depend_on_the_texts_beside_it(judge):
    alone = [judge.judge([text])[0] for text in predict.EXAMPLES]
    together = judge.judge(list(predict.EXAMPLES) * 5)
    np.testing.assert_allclose(together, np.tile(alone, (5, 1)), atol=1e-5)


@pytest.mark.parametrize("pooling", ["attention", "max", "both"])
def test_given_vectors_are_read_and_not_trained(pooling):
    info = {"words": list("abcdef"), "learned": 5, "pieces": [*SPECIALS, "<ab"], "labels": ["no", "yes"]}
    vectors = np.arange(18, dtype=np.float32).reshape(6, 3)
    model = build(Config(units=4, embedding=4, pooling=pooling), info, vectors)
    assert [w.shape for w in model.non_trainable_weights if "seed" not in w.path] == [(6, 3)]
    ids, mask = np.zeros((1, 2, 13), np.int32), np.ones((1, 2), bool)
    ids[0, :, 0] = 1, 5  # the last word has a given vector alone: it differs from an unknown one by that
    unknown = ids.copy()
    unknown[0, 1, 0] = 1
    assert np.abs(np.array(model([ids, mask])) - np.array(model([unknown, mask]))).max() > 1e-4


def test_a_word_s_effect_is_the_log_odds_it_adds(judge):
    tokens, effects = explain.occlusion(judge, "good soup", 0)
    chances = judge.judge(["good soup", "soup", "good"])[:, 0]
    assert tokens == ["good", "soup"]
    odds = np.log(chances / (1 - chances))
    np.testing.assert_allclose(effects, odds[0] - odds[1:], atol=1e-4)
    assert explain.occlusion(judge, "good", 0)[1].shape == (1,)


def test_a_temperature_makes_overconfident_logits_believable():
    random = np.random.default_rng(1)
    logits = random.normal(size=(20_000, 3))
    labels = np.array([random.choice(3, p=row) for row in calibrate.probabilities(logits)])
    assert calibrate.temperature(3 * logits, labels) == pytest.approx(3, rel=0.1)
    error = [calibrate.expected_calibration_error(calibrate.probabilities(3 * logits, t), labels) for t in (1, 3)]
    assert error[0] > 0.1 > 0.02 > error[1]


def test_the_least_confidence_is_that_above_which_enough_answers_are_right():
    chances = np.array([[c, 1 - c] for c in (0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.51)])
    labels = np.array([0, 0, 0, 0, 1, 0, 1, 1, 0, 1])  # right: yes yes yes yes no yes no no yes no
    assert calibrate.least_confidence(chances, labels, 0.8) == pytest.approx(0.7)
    assert calibrate.least_confidence(chances, labels, 0.5) == 0.0
    assert calibrate.least_confidence(chances, 1 - labels, 0.99) == pytest.approx(0.95)


def test_several_runs_are_planned_seed_by_seed_and_their_command_says_so():
    planned = [(c.fold, c.seed) for c in train.plan(Train(seeds=2, folds=2))]
    assert planned == [(0, 1), (0, 2), (1, 1), (1, 2)]
    with pytest.raises(InputError, match="--folds: expected at most 10"):
        train.plan(Train(folds=11))
    config = Config(labels=("negative", "positive"), pieces=7)
    assert command(config) == f"python -m {APP} train --data builtin --labels negative positive --pieces 7"
    assert Config(**json.loads(json.dumps({"labels": ["a", "b"]}))).labels == ("a", "b")


def test_a_record_over_runs_is_their_mean():
    one = {"metric": "accuracy", "direction": "higher", "data": "own", "minutes": 1.0, "command": "train"}
    done = [[one | {"value": v, "baselines": {"x": v, "y": 0.5}}] for v in (0.2, 0.4)]
    (found,) = evaluate.summary(done, 1, 2)
    assert (found["value"], found["std"], found["seeds"]) == (0.3, 0.14142, 1)
    assert found["data"] == "own 2 folds" and found["command"] == "train --folds 2"
    assert found["baseline"] == {"name": "y", "value": 0.5}


# Bad input


BAD = {
    "an unknown architecture": (["train", "--arch", "transformer"], "--arch: expected one of elman, lstm"),
    "an unknown pooling": (["train", "--pooling", "mean"], "--pooling: expected one of attention, max, both"),
    "an unknown data set": (["train", "--data", "tweeteva"], "Did you mean tweeteval?"),
    "an unknown recipe": (["train", "--recipe", "huge"], "--recipe: expected one of builtin"),
    "one label": (["train", "--labels", "positive"], "--labels: expected two or more"),
    "a label that is not there": (["train", "--labels", "positive", "angry"], "--labels: there is no 'angry'"),
    "a share of one": (["train", "--dropout", "1"], "--dropout: expected 0 <= share < 1; received 1"),
    "an eleventh fold": (["train", "--fold", "10"], "--fold: expected 0 to 9; received 10"),
    "no vectors": (["train", "--vectors", "no/where"], "--vectors: expected vader or a file"),
    "an unknown run": (["predict", "good", "--run", "none"], "There is no run"),
    "an empty text": (["predict", " \n"], "Received an empty text"),
    "an unknown label": (["explain", "good", "--label", "angry"], "--label: expected one of negative, neutral"),
    "nothing to explain": (["explain", ""], "Received an empty one"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gives_one_line_and_status_2(name, trained):
    words, expected = BAD[name]
    done = run_here(APP, *words, GALLERY_RUNS=str(trained[0]))
    assert done.returncode == 2
    assert expected in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_a_table_is_judged_by_its_column_of_texts_and_a_missing_file_is_no_text(tmp_path):
    table = tmp_path / "reviews.csv"
    table.write_text('stars,review\n5,"good, really"\n1,"bad\nall of it"\n')
    assert predict._texts(str(table), "review") == ["good, really", "bad\nall of it"]
    with pytest.raises(InputError, match="column 'text'. .*reviews.csv, row 2 has none; its columns: stars, review"):
        predict._texts(str(table), "text")
    for name in ("reviews.tsv", "reviews.txt"):
        with pytest.raises(InputError, match=f"There is (none|nothing) at {tmp_path / name}"):
            predict._texts(str(tmp_path / name), "text")


def test_long_strange_and_binary_texts_are_answered(judge):
    texts = [
        "word " * 100_000,
        "\U0001f600\U0001f44d",
        "\u0634\u0643\u0631\u0627 \u062c\u0632\u064a\u0644\u0627",
        "a\0b",
    ]
    found = judge.judge(texts)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    long = judge.encoder.cut([str(n) for n in range(100_000)])
    assert len(long) == 64 and long[0] == "0" and long[-1] == "99999"


def test_a_corrupt_model_is_named_and_nothing_is_lost(trained, tmp_path):
    shutil.copytree(trained[0], tmp_path / "runs")
    model = next((tmp_path / "runs").glob("sentiment_analysis/*/model.keras"))
    model.write_bytes(model.read_bytes()[:-200])
    before = model.read_bytes()
    done = run(APP, "predict", "good", GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 2 and "model.keras is damaged" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert model.read_bytes() == before
