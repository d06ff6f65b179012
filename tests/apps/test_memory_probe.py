"""The app as its user meets it: commands in processes of their own, and what must hold between its parts."""

import dataclasses
import json
import re

import keras
import numpy as np
import pytest

from apps.memory_probe import evaluate, predict, sweep
from apps.memory_probe.config import Config, Predict, Sweep
from apps.memory_probe.data import load, spread
from apps.memory_probe.model import build, units_for_budget
from apps.memory_probe.tasks import TASKS
from apps.memory_probe.train import Adam
from shared import InputError
from tests.apps.test_contract import run, run_here

APP = "apps.memory_probe"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of runs after a smoke training, and what it printed."""
    folder = tmp_path_factory.mktemp("runs")
    done = run(APP, "train", "--recipe", "smoke", GALLERY_RUNS=str(folder))
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def figures(folder):
    return json.loads(next(folder.glob("memory_probe/*/metrics.json")).read_text())


def test_training_prints_the_baseline_the_verdict_examples_and_what_to_try_next(trained):
    _, printed = trained
    assert "always_1" in printed
    assert "not solved: mse is not below 0.01" in printed  # a smoke training is too short, and says so
    assert "2,560 sequences" in printed  # 2 epochs of 40 batches of 32
    assert printed.count("expected") == printed.count("answered") == 3
    assert "apps.memory_probe predict --run" in printed


def test_a_run_holds_all_that_it_needs_to_be_used_again(trained):
    names = {path.name for path in trained[0].glob("memory_probe/*/*")}
    expected = "config.json info.json model.keras metrics.json history.csv learning_curves.png samples.txt"
    assert set(expected.split()) <= names


@pytest.mark.slow
def test_the_same_seed_trains_to_the_same_figures(trained, tmp_path):
    assert run(APP, "train", "--recipe", "smoke", GALLERY_RUNS=str(tmp_path)).returncode == 0
    assert [r["value"] for r in figures(tmp_path)] == [r["value"] for r in figures(trained[0])]


def test_a_new_process_answers_as_the_training_process_did(trained):
    folder, _ = trained
    kept = next(folder.glob("memory_probe/*/samples.txt")).read_text().split("\n\n")[0]
    asked = run(APP, "predict", "--seed", "1", GALLERY_RUNS=str(folder))
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.split(":\n", 1)[1].strip() == kept.strip()


def test_own_values_are_added(trained):
    words = ["predict", "--values", "0.5, 0.25,0.125,0.75", "--markers", "1,3"]
    done = run(APP, *words, GALLERY_RUNS=str(trained[0]))
    assert done.returncode == 0, done.stderr
    marked = "4 steps (the run was trained for 10), marked: 0.2500 at step 1, 0.7500 at step 3\nexpected 1.0000"
    assert marked in done.stdout


def test_reach_says_how_far_back_the_answer_depends_on_the_input_and_draws_it(trained):
    done = run(APP, "reach", GALLERY_RUNS=str(trained[0]))
    assert done.returncode == 0 and "Warning" not in done.stderr, done.stderr
    lags = [int(lag) for lag in re.findall(r"up to (\d+) steps back", done.stdout)]
    assert len(lags) == 2 and all(0 < lag < 10 for lag in lags)  # the smoke run reads ten steps
    for picture in ("reach.png", "gates.png"):
        assert next(trained[0].glob(f"memory_probe/*/{picture}")).stat().st_size > 5_000


@pytest.mark.slow
def test_evaluating_again_gives_the_figures_of_the_training_also_on_the_other_backend(trained):
    folder, _ = trained
    before = [record["value"] for record in figures(folder)]
    for backend in ("tensorflow", "jax"):
        done = run(APP, "evaluate", GALLERY_RUNS=str(folder), KERAS_BACKEND=backend)
        assert done.returncode == 0, done.stderr
        np.testing.assert_allclose([r["value"] for r in figures(folder)], before, atol=1e-4)


TINY = ["--params", "5000", "--steps", "5", "--epochs", "1"]


@pytest.mark.slow
@pytest.mark.parametrize("task, asked, expected", [
    ("copy", ["abcabhgfed", "--lag", "50"], "a lag of 50 (the run was trained for 5)\nexpected abcabhgfed\nanswered "),
    ("permuted_digits", ["7"], "test digit 7, read in 80 steps"),
])  # fmt: skip
def test_the_other_tasks_train_and_answer(task, asked, expected, tmp_path):
    length = "80" if task.endswith("digits") else "5"
    done = run(APP, "train", "--data", task, "--length", length, *TINY, GALLERY_RUNS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    asked = run(APP, "predict", *asked, GALLERY_RUNS=str(tmp_path))
    assert asked.returncode == 0 and expected in asked.stdout, asked.stderr


@pytest.mark.slow
def test_the_default_task_is_solved(tmp_path):
    done = run(APP, "train", GALLERY_RUNS=str(tmp_path))
    assert done.returncode == 0 and "solved after" in done.stdout and "not solved" not in done.stdout


@pytest.mark.slow
def test_a_sweep_trains_each_cell_once_and_goes_on_where_it_stopped(tmp_path):
    words = ["sweep", "--data", "copy", *TINY, "--lengths", "4", "2", "--seeds", "2"]
    first = run(APP, *words, "--archs", "gru", GALLERY_RUNS=str(tmp_path))
    assert first.returncode == 0, first.stderr
    more = run(APP, *words, "--archs", "gru", "elman", GALLERY_RUNS=str(tmp_path))
    assert more.returncode == 0, more.stderr
    assert more.stdout.count("is done") == 4 and more.stdout.count("epoch 1/1") == 4
    table = more.stdout.split("parameters each\n")[1].splitlines()
    assert table[0].split() == ["accuracy", "T=2", "T=4"]
    assert [line.split()[0] for line in table[1:4]] == ["gru", "elman", "guess"]
    assert table[1] == first.stdout.split("parameters each\n")[1].splitlines()[1]
    assert (tmp_path / "memory_probe/sweep-copy.png").stat().st_size > 1000


# Without a training


def test_the_figures_of_given_answers():
    sums = np.array([[[1.0]], [[0.5]]])
    assert evaluate.figures(np.array([[[1.1]], [[0.5]]]), sums) == {"mse": pytest.approx(0.01 / 2)}
    answers = np.log(np.array([[[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]]]))
    found = evaluate.figures(answers, np.array([[0, 2]]))
    assert found == {"accuracy": 0.5, "nats_per_answer": pytest.approx(-(np.log(0.5) + np.log(0.1)) / 2)}


def test_the_simple_methods_are_what_they_say():
    assert evaluate.baseline(load(Config(length=9)))[1]["mse"] == pytest.approx(1 / 6, rel=0.1)
    assert evaluate.baseline(load(Config(data="copy", length=9)))[1]["accuracy"] == 1 / 8
    plain, permuted = (
        evaluate.baseline(load(Config(data=f"{name}_digits", length=64))) for name in ("sequential", "permuted")
    )
    assert plain[0] == permuted[0] == "logistic_regression"
    assert plain[1]["accuracy"] > 0.9  # a method that sees all pixels at once, in whatever order
    assert permuted[1]["accuracy"] == pytest.approx(plain[1]["accuracy"], abs=0.01)


@pytest.mark.parametrize("value, said", [
    (0.009, "solved after 640 sequences: mse is below 0.01"),
    (0.02, "not solved: mse is not below 0.01; the network wins"),
    (0.2, "not solved: mse is not below 0.01; always_1 wins"),
])  # fmt: skip
def test_the_verdict(value, said):
    simple = {"name": "always_1", "value": 0.17}
    record = {"data": "adding T=9", "metric": "mse", "direction": "lower", "value": value, "baseline": simple}
    assert evaluate.verdict(record, 640) == said


@pytest.mark.parametrize("arch", ["elman", "lstm", "gru"])
@pytest.mark.parametrize("task", ["adding", "copy", "permuted_digits"])
def test_every_network_has_the_number_of_parameters_that_was_asked_for(task, arch):
    config = Config(data=task, length=100, arch=arch)
    units = units_for_budget(config, {"task": task})
    model = build(config, {"task": task, "units": units})
    assert abs(model.count_params() - 20_000) <= 0.03 * 20_000
    answers = model(np.zeros((2, 70, TASKS[task].features), np.float32))
    assert answers.shape == (2, TASKS[task].answers, TASKS[task].outputs)


def test_the_ten_answers_are_those_of_the_last_ten_steps():
    """What stands in the last input step cannot change the first nine answers, and what stands in the first does."""
    config = Config(data="copy", length=4)
    model = build(config, {"task": "copy", "units": 8})
    before = np.array(model(spread(np.zeros((1, 10), np.int32), 4)))
    for step, untouched in ((-1, 9), (0, 0)):
        inputs = spread(np.zeros((1, 10), np.int32), 4)
        inputs[0, step] = np.eye(10)[5]
        changed = np.abs(np.array(model(inputs)) - before).max(axis=(0, 2)) > 0
        assert changed.tolist() == [False] * untouched + [True] * (10 - untouched)


def after_a_step(optimizer, gradient):
    """The weight, and the optimizer's own variables."""
    weight = keras.Variable(np.zeros(2, np.float32))
    optimizer.build([weight])
    optimizer.apply([keras.ops.convert_to_tensor(gradient)])
    return [keras.ops.convert_to_numpy(variable) for variable in [weight, *optimizer.variables]]


def test_a_gradient_whose_squares_overflow_is_clipped_as_any_other():
    gradient = np.array([3, -4], np.float32)  # its norm is 5
    large, small = (after_a_step(Adam(0.1, global_clipnorm=1.0), scale * gradient) for scale in (1e22, 1))
    for one, other in zip(large, small, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_any_other_gradient_is_used_as_keras_uses_it_and_one_that_is_not_finite_is_not_hidden():
    for gradient in ([3, -4], [3e-3, 0], [0, 0]):
        given = np.array(gradient, np.float32)
        ours, kerass = (after_a_step(kind(0.1, global_clipnorm=1.0), given) for kind in (Adam, keras.optimizers.Adam))
        assert all(np.array_equal(one, other) for one, other in zip(ours, kerass, strict=True))
    for wrong in (np.inf, np.nan):
        assert np.isnan(after_a_step(Adam(0.1, global_clipnorm=1.0), np.array([wrong, 1], np.float32))[0]).all()


def test_the_curriculum_doubles_its_lags_until_half_way_and_is_measured_at_the_whole():
    config = Config(data="copy", length=50, curriculum=True, epochs=8)
    data = load(config)
    assert [data.train.bound(epoch) for epoch in range(8)] == [12, 12, 25, 25, 50, 50, 50, 50]
    assert [data.train.batch(epoch, 0)[0].shape[1] for epoch in (0, 2, 4)] == [32, 45, 70]
    assert (data.test[0] == load(Config(data="copy", length=50)).test[0]).all()
    for length, first in ((1, 1), (10, 10), (12, 12), (23, 23), (24, 12), (200, 12)):
        train = load(dataclasses.replace(config, length=length)).train
        assert (train.bound(0), train.bound(4), train.bound(7)) == (first, length, length)


def test_a_sequence_of_the_curriculum_has_a_lag_of_its_own_and_ends_as_all_do():
    inputs, messages = load(Config(data="copy", length=6, curriculum=True, batch_size=200)).train.batch(0, 0)
    ids = inputs.argmax(axis=-1)
    starts = (ids != 8).argmax(axis=1)  # 8 is the blank, 9 the delimiter
    assert set(starts) == set(range(6))
    for row, start, message in zip(ids, starts, messages, strict=True):
        assert row.tolist() == [8] * start + message.tolist() + [8] * (5 - start) + [9] + [8] * 10


def test_a_sweep_plans_the_shortest_first_and_its_command_says_what_was_asked():
    options = Sweep(archs=("lstm", "gru"), lengths=(20, 10), seeds=2)
    planned = [(c.length, c.arch, c.seed) for c in sweep.plan(options)]
    assert planned == [(n, arch, seed) for n in (10, 20) for arch in ("lstm", "gru") for seed in (1, 2)]
    assert sweep.command(options) == (
        "python -m apps.memory_probe sweep --data adding --archs lstm gru --lengths 20 10 --seeds 2"
    )
    assert [c.length for c in sweep.plan(Sweep(archs=("gru",)))] == list(TASKS["adding"].lengths)


def test_a_record_of_a_sweep_is_the_mean_over_its_seeds():
    one = {"data": "adding T=9", "value": 0.1, "minutes": 1.0, "seeds": 1}
    found = sweep.summary([[one], [one | {"value": 0.3, "minutes": 2.0}]], "command")
    assert found == one | {"value": 0.2, "std": 0.14142, "minutes": 1.5, "seeds": 2, "command": "command"}


def test_a_new_record_replaces_that_of_the_same_network_whatever_its_command(tmp_path, monkeypatch):
    monkeypatch.setattr(evaluate, "HERE", tmp_path)
    (tmp_path / "README.md").write_text(f"{evaluate.results.BEGIN}\n{evaluate.results.END}\n")
    record = json.loads((sweep.Path(evaluate.__file__).parent / "results.json").read_text())[0]
    evaluate.keep([record, record | {"arch": "other"}])
    evaluate.keep([record | {"value": 0.5, "command": "another"}])
    kept = {r["arch"]: r["value"] for r in json.loads((tmp_path / "results.json").read_text())}
    assert kept == {record["arch"]: 0.5, "other": record["value"]}
    assert "another" in (tmp_path / "README.md").read_text()


# Bad input


BAD = {
    "an unknown task": (["train", "--data", "coppy"], "received 'coppy'; did you mean copy?"),
    "an unknown recipe": (["train", "--recipe", "huge"], "--recipe: expected one of builtin"),
    "an unknown architecture": (["train", "--arch", "transformer"], "--arch: expected one of elman, lstm"),
    "lags of sums": (["train", "--curriculum"], "--curriculum: expected with --data copy only; received with adding"),
    "one step": (["train", "--length", "1"], "--length: expected at least 2 for adding; received 1"),
    "half a digit": (["train", "--data", "permuted_digits", "--length", "32"], "expected at least 64"),
    "negative parameters": (["train", "--params", "-5"], "--params: expected at least 1; received -5"),
    "a hopeless budget": (["train", "--params", "10"], "No width comes within 3% of 10 parameters. The nearest are"),
    "an unknown run": (["predict", "--run", "none"], "There is no run"),
    "one architecture for a sweep": (["sweep", "--arch", "lstm"], "Expected --archs and --lengths"),
    "a sweep too short": (["sweep", "--lengths", "1"], "--length: expected at least 2"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gives_one_line_and_status_2(name, trained):
    words, expected = BAD[name]
    done = run_here(APP, *words, GALLERY_RUNS=str(trained[0]))
    assert done.returncode == 2
    assert expected in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert len(list(trained[0].glob("memory_probe/*"))) == 1, "nothing is begun"


ASKED = {
    "one value": ("adding", dict(values="0.5", markers="0,1"), "--values: expected at least 2 numbers"),
    "no number": ("adding", dict(values="0.5,x", markers="0,1"), "--values: expected numbers; received 'x'"),
    "a value too large": ("adding", dict(values="0.5,1.5", markers="0,1"), "from 0 to 1; received 1.5"),
    "a value that is none": ("adding", dict(values="0.5,nan", markers="0,1"), "from 0 to 1; received nan"),
    "no markers": ("adding", dict(values="0.5,0.5"), "--markers: expected two different positions"),
    "three markers": ("adding", dict(values="0.5,0.5,1", markers="0,1,2"), "--markers: expected two different"),
    "the same marker twice": ("adding", dict(values="0.5,0.5", markers="1,1"), "--markers: expected two different"),
    "a marker out of range": ("adding", dict(values="0.5,0.5", markers="0,2"), "positions from 0 to 1"),
    "a negative marker": ("adding", dict(values="0.5,0.5", markers="0,-1"), "--markers: expected two different"),
    "letters for sums": ("adding", dict(input="abcabhgfed"), "Expected --values or --markers or --seed"),
    "symbols outside the alphabet": ("copy", dict(input="abcxyhgfed"), "out of abcdefgh. Received: 'x', 'y'"),
    "nine letters": ("copy", dict(input="abcabhgfe"), "Expected 10 letters out of abcdefgh. Received: 9 letters"),
    "no lag": ("copy", dict(lag=0), "--lag: expected at least 1; received 0"),
    "values for letters": ("copy", dict(values="0.5,0.5"), "Expected an input or --lag or --seed"),
    "a row that is not there": ("permuted_digits", dict(input="360"), "0 to 359. Received: 360"),
    "a file that is not there": ("permuted_digits", dict(input="none.txt"), "none.txt"),
    "a negative seed": ("copy", dict(seed=-1), "--seed: expected 0 or more; received -1"),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_a_run_cannot_be_asked_is_refused(name):
    task, words, expected = ASKED[name]
    with pytest.raises((InputError, FileNotFoundError), match=re.escape(expected)) as error:
        predict.ask(None, {"task": task, "length": 64, "order": None}, Predict(**words))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content, expected", [
    (b"1 " * 63, "expected 64 numbers, 8 rows of 8 pixels; received 63"),
    (b"17 " * 64, "expected numbers from 0 to 16; received 17"),
    (b"", "received 0"),
    (b"one two", "expected numbers; received 'one'"),
    (b"\xff\xfe\x00", "is not text"),
], ids=["63 numbers", "too dark", "empty", "words", "binary"])  # fmt: skip
def test_a_file_that_is_no_digit_is_named(content, expected, tmp_path):
    path = tmp_path / "digit.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=expected) as error:
        predict.read_digit(str(path))
    assert "digit.txt" in str(error.value)


def test_a_digit_is_read_row_by_row_from_numbers_with_blanks_or_commas(tmp_path):
    rows = np.arange(64).reshape(8, 8) % 17
    path = tmp_path / "digit.txt"
    for separator in (" ", ", "):
        path.write_text("\n".join(separator.join(map(str, row)) for row in rows) + "\n")
        assert (predict.read_digit(str(path)) * 16 == rows.ravel()).all()
