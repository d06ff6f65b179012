"""The app as its user meets it, and what must hold between its parts."""

import dataclasses
import json
import re
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from apps.memory_probe import evaluate, model, reach, sweep
from apps.memory_probe.config import RECIPES, Config
from apps.memory_probe.data import copy_inputs, load
from apps.memory_probe.model import build
from apps.memory_probe.options import Predict, Sweep, verbs
from apps.memory_probe.questions import asked, read, read_digit
from apps.memory_probe.serve import check
from apps.memory_probe.tasks import TASKS
from apps.memory_probe.train import Adam
from shared import InputError, cli, results, settings, tables
from tests import commands
from tests.commands import run_here

APP = "apps.memory_probe"
RECORDS = json.loads((Path(evaluate.__file__).parent / "results.json").read_text(encoding="utf-8"))
TINY = ["--max-examples", "40", "--params", "5000", "--steps-per-epoch", "5", "--epochs", "1"]


@pytest.fixture(scope="module")
def trained():
    """The folder of runs after a smoke training, and what it printed."""
    return commands.trained("memory_probe")


def figures(folder):
    return json.loads(next(folder.glob("memory_probe/*/metrics.json")).read_text())


def test_training_prints_the_baseline_the_verdict_examples_and_what_to_try_next(trained):
    _, printed = trained
    assert "always_1" in printed
    # a smoke training is too short, and says so: 2 epochs of 40 batches of 32
    assert "not solved after 2,560 sequences: mse is not below 0.01" in printed
    assert printed.count("expected") == printed.count("answered") == 3
    assert "apps.memory_probe predict --run" in printed


def test_a_run_holds_all_that_it_needs_to_be_used_again(trained):
    names = {path.name for path in trained[0].glob("memory_probe/*/*")}
    expected = "config.json info.json model.keras metrics.json history.csv learning_curves.png samples.txt"
    assert set(expected.split()) <= names


@pytest.mark.slow
def test_several_seeds_are_trained_once_each_and_reported_as_their_mean(trained, tmp_path):
    shutil.copytree(trained[0], tmp_path / "runs")
    words = ["train", "--recipe", "smoke", "--seeds", "2"]
    done = run_here(APP, *words, GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("is finished") == 1 and done.stdout.count("epoch 2/2") == 1
    values = [json.loads(path.read_text())[0]["value"] for path in tmp_path.glob("runs/*/*/metrics.json")]
    summary = done.stdout.split("mean of 2 seeds")[1]
    assert values[0] != values[1]
    assert f"mse {np.mean(values):.4f} ± {np.std(values, ddof=1):.4f}" in summary
    assert "not solved after 2,560 sequences" in summary


@pytest.mark.slow
def test_a_saved_run_answers_as_the_training_process_did(trained):
    folder, _ = trained
    kept = next(folder.glob("memory_probe/*/samples.txt")).read_text().split("\n\n")[0]
    asked = run_here(APP, "predict", "--seed", "1", GALLERY_RUNS=str(folder))
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.split(":\n", 1)[1].strip() == kept.strip()


def test_own_values_are_added(trained):
    words = ["predict", "--values", "0.5, 0.25,0.125,0.75", "--markers", "1,3"]
    done = run_here(APP, *words, GALLERY_RUNS=str(trained[0]))
    assert done.returncode == 0, done.stderr
    marked = "4 steps (the run was trained for 10), marked: 0.2500 at step 1, 0.7500 at step 3\nexpected 1.0000"
    assert marked in done.stdout


def test_reach_says_how_far_back_the_answer_depends_on_the_input_and_draws_it(trained, tmp_path):
    shutil.copytree(trained[0], tmp_path / "runs")
    done = run_here(APP, "reach", GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 0, done.stderr
    lags = [int(lag) for lag in re.findall(r"up to (\d+) steps? back", done.stdout)]
    assert len(lags) == 2 and all(0 < lag < 10 for lag in lags)  # the smoke run reads ten steps
    for picture in ("reach.png", "gates.png"):
        assert next(tmp_path.glob(f"runs/memory_probe/*/{picture}")).stat().st_size > 5_000


def test_the_picture_of_the_gates_says_what_each_is():
    values = np.zeros((5, 3))
    figure = reach.maps({"output": values, "z": values, "o": values}, values, "gru")
    assert figure.get_suptitle().startswith("gru, first layer: states and gates")
    titles = [axes.get_title("left") for axes in figure.axes[:4]]
    assert titles[:2] == ["input", "output"] and titles[3] == "output gate o: 1 lets the state out"
    assert titles[2] == "update gate z: 1 keeps the state, 0 replaces it by the candidate"
    assert [axes.images[0].get_clim() for axes in figure.axes[:4]] == [(-1, 1)] * 2 + [(0, 1)] * 2
    assert "one row for each unit, one column for each step" in figure.get_suptitle()


def test_evaluating_again_gives_the_figures_of_the_training(trained):
    done = run_here(APP, "evaluate", GALLERY_RUNS=str(trained[0]))
    assert done.returncode == 0, done.stderr
    figures, verdict = trained[1].split("minutes of training")[1].splitlines()[1:3]
    assert figures in done.stdout and verdict in done.stdout


@pytest.mark.slow
def test_letters_are_copied_and_the_main_one_of_two_figures_is_recorded(tmp_path, monkeypatch):
    words = ["--data", "copy", "--length", "5", *TINY]
    done = run_here(APP, "train", *words, GALLERY_RUNS=str(tmp_path))
    assert done.returncode == 0 and "nats_per_answer" in done.stdout, done.stderr
    asked = run_here(APP, "predict", "abcabhgfed", "--lag", "50", GALLERY_RUNS=str(tmp_path))
    answer = "a lag of 50 (the run was trained for 5)\nexpected abcabhgfed\nanswered "
    assert asked.returncode == 0 and answer in asked.stdout, asked.stderr
    monkeypatch.setattr(evaluate, "__file__", str(tmp_path / "evaluate.py"))
    (tmp_path / "README.md").write_text(f"{tables.BEGIN}\n{tables.END}\n")
    done = run_here(APP, "evaluate", "--record", GALLERY_RUNS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    (record,) = json.loads((tmp_path / "results.json").read_text())
    assert (record["metric"], record["task"]) == ("accuracy", {"length": 5})
    assert record["command"] == f"python -m {APP} train {' '.join(words)}"


@pytest.mark.slow
def test_digits_are_recognised_pixel_by_pixel(tmp_path):
    words = ["--data", "permuted_digits", "--length", "80", *TINY]
    done = run_here(APP, "train", *words, GALLERY_RUNS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    asked = run_here(APP, "predict", "7", GALLERY_RUNS=str(tmp_path))
    assert asked.returncode == 0 and "test digit 7, read in 80 steps" in asked.stdout, asked.stderr


@pytest.mark.slow
def test_the_default_task_is_learned(tmp_path):
    done = run_here(APP, "train", GALLERY_RUNS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    record = figures(tmp_path)[0]
    assert record["value"] < record["baselines"]["always_1"] / 3


@pytest.mark.slow
def test_a_sweep_trains_each_cell_once_and_goes_on_where_it_stopped(tmp_path):
    words = ["sweep", "--data", "copy", *TINY, "--lengths", "2"]
    first = run_here(APP, *words, "--archs", "gru", GALLERY_RUNS=str(tmp_path))
    assert first.returncode == 0, first.stderr
    more = run_here(APP, *words, "--archs", "gru", "elman", GALLERY_RUNS=str(tmp_path))
    assert more.returncode == 0, more.stderr
    assert more.stdout.count("is finished") == 1 and more.stdout.count("epoch 1/1") == 1
    table = more.stdout.split("parameters each\n")[1].splitlines()
    assert [line.split()[0] for line in table[:4]] == ["accuracy", "gru", "elman", "guess"]
    assert table[1] == first.stdout.split("parameters each\n")[1].splitlines()[1]
    assert (tmp_path / "memory_probe/sweep-copy.png").stat().st_size > 1000


# Without a training


def test_the_figures_of_given_answers():
    sums = np.array([[[1.0]], [[0.5]]])
    assert evaluate.figures(np.array([[[1.1]], [[0.5]]]), sums)["mse"] == pytest.approx([0.01, 0])
    answers = np.log(np.array([[[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]]]))
    found = evaluate.figures(answers, np.array([[0, 2]]))
    assert found["accuracy"] == [0.5]
    assert found["nats_per_answer"] == pytest.approx([-(np.log(0.5) + np.log(0.1)) / 2])


def baseline(task, length):
    name, figures = evaluate.baseline_figures(load(Config(data=task, length=length)), task)
    return name, {metric: values.mean() for metric, values in figures.items()}


def test_the_baselines_have_the_figures_that_theory_gives():
    assert baseline("adding", 9)[1]["mse"] == pytest.approx(1 / 6, rel=0.1)
    assert baseline("copy", 9)[1]["accuracy"] == 1 / 8
    plain, permuted = (baseline(f"{name}_digits", 64) for name in ("sequential", "permuted"))
    assert plain[0] == permuted[0] == "logistic_regression"
    assert plain[1]["accuracy"] > 0.9  # a method that sees all pixels at once, in whatever order
    assert permuted[1]["accuracy"] == pytest.approx(plain[1]["accuracy"], abs=0.01)


@pytest.mark.parametrize("data, value, said", [
    ("adding", 0.009, "solved after 640 sequences: mse is below 0.01"),
    ("adding", 0.02, "not solved after 640 sequences: mse is not below 0.01"),
    ("copy", 0.991, "solved after 640 sequences: accuracy is above 0.99"),
    ("permuted_digits", 1.0, "trained on 640 sequences"),
])  # fmt: skip
def test_the_verdict(data, value, said):
    metric = TASKS[data].metric
    record = {"data": data, "metric": metric, "direction": evaluate.direction(metric), "value": value}
    assert evaluate.verdict(record | {"details": {"sequences": 640}}) == said


@pytest.mark.parametrize("task, arch", [("adding", "elman"), ("copy", "lstm"), ("permuted_digits", "gru")])
def test_every_network_has_the_number_of_parameters_that_was_asked_for(task, arch):
    config = Config(data=task, length=100, arch=arch)
    network = build(config, {"units": model.width(config)})
    assert abs(network.count_params() - 20_000) <= 0.03 * 20_000
    answers = network(np.zeros((2, 70, TASKS[task].features), np.float32))
    assert answers.shape == (2, TASKS[task].answers, TASKS[task].outputs)


def test_a_given_width_counts_more_than_the_number_of_parameters():
    config = Config(units=7)
    assert model.width(config) == 7
    for info in ({}, {"units": 9}):
        assert build(config, info).get_layer("recurrent_0").units == 7


def test_a_budget_that_no_width_meets_gets_the_nearest_and_says_so_but_no_place_in_a_sweep(capsys):
    config = Config(params=1_500)  # a GRU has 1,427 with 10 units and 1,593 with 11
    assert model.width(config) == 10
    said = capsys.readouterr().out
    assert "No width comes within 3% of 1,500 parameters, embedding tables not counted: 1,427 with 10 units" in said
    with pytest.raises(InputError, match="No width comes within 3% of 1,500 parameters"):
        model.check_budget(config)
    model.check_budget(dataclasses.replace(config, arch="elman"))


def test_the_ten_answers_are_those_of_the_last_ten_steps():
    """What stands in the last input step cannot change the first nine answers, and what stands in the first does."""
    config = Config(data="copy", length=4)
    network = build(config, {"units": 8})
    before = np.array(network(copy_inputs(np.zeros((1, 10), np.int32), 4)))
    for step, untouched in ((-1, 9), (0, 0)):
        inputs = copy_inputs(np.zeros((1, 10), np.int32), 4)
        inputs[0, step] = np.eye(10)[5]
        changed = np.abs(np.array(network(inputs)) - before).max(axis=(0, 2)) > 0
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


def test_a_sweep_plans_the_shortest_first():
    planned = sweep.cells(Sweep(archs=("lstm", "gru", "lstm"), lengths=(20, 10)))
    assert [(c.length, c.arch) for c in planned] == [(10, "lstm"), (10, "gru"), (20, "lstm"), (20, "gru")]
    assert [c.length for c in sweep.cells(Sweep(archs=("gru",)))] == list(TASKS["adding"].lengths)


def test_every_command_of_the_records_is_the_one_that_its_options_are_written_as():
    for line in dict.fromkeys(record["command"] for record in RECORDS):
        words = line.split()[3:]
        options = cli.parse(APP, verbs(words), words)
        sweeps = isinstance(options, Sweep)
        assert line == (
            sweep.command_line(options) if sweeps else settings.command("memory_probe", options.config, RECIPES)
        )


def pretend(config, run):
    """A training that takes no time; that of seed 2 over 12 steps diverges."""
    if (config.length, config.seed) == (12, 2):
        raise InputError("The loss is nan")
    run.begin({})
    copied = {"arch": config.arch, "task": {"length": config.length}, "command": run.command}
    record = RECORDS[0] | copied | {"value": config.seed / 100, "std": None, "n": 1, "over": None}
    run.save_metrics([record, record | {"metric": "nats_per_answer", "headline": False}])


@pytest.mark.slow
def test_a_sweep_leaves_out_only_what_has_no_width_or_diverges(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GALLERY_RUNS", str(tmp_path))
    monkeypatch.setattr(sweep, "train_one", pretend)
    kept = []
    monkeypatch.setattr(results, "keep", lambda records, folder: kept.extend(records))
    words = "sweep --params 1500 --archs gru elman --lengths 12 10 --seeds 2"  # no GRU is near to 1,500
    sweep.sweep(cli.parse(APP, verbs([]), [*words.split(), "--record"]))
    printed = capsys.readouterr().out.split("parameters each\n")[1]
    table = [line.split() for line in printed.splitlines()[:3]]
    assert table[:2] == [["mse", "length", "10"], ["elman", "0.0150", "±", "0.0071"]] and table[2][0] == "always_1"
    assert [line.split(":")[1].strip() for line in printed.splitlines() if line.startswith("left out")] == [
        "gru, length 10", "gru, length 12", "elman, length 12"
    ]  # fmt: skip
    (record,) = kept
    assert (record["value"], record["n"], record["over"]) == (0.015, 2, "seeds")
    assert record["command"] == f"python -m {APP} {words.replace('sweep', 'sweep --data adding')}"


# Bad input


BAD = {
    "an unknown task": (["train", "--data", "coppy"], "--data: expected one of builtin, adding, copy"),
    "lags of sums": (["train", "--curriculum"], "--curriculum: expected with --data copy only; received with adding"),
    "one step": (["train", "--length", "1"], "--length: expected at least 2 for adding; received 1"),
    "half a digit": (["train", "--data", "permuted_digits", "--length", "32"], "expected at least 64"),
    "negative parameters": (["train", "--params", "-5"], "--params: expected at least 1; received -5"),
    "less than a batch of digits": (
        ["train", "--data", "permuted_digits", "--max-examples", "31"],
        "--max-examples: expected at least 32 digits",
    ),
    "an unknown run": (["predict", "--run", "none"], "There is no run"),
    "a negative seed": (["predict", "--seed", "-1"], "--seed: expected at least 0 and at most"),
    "one architecture for a sweep": (["sweep", "--arch", "lstm"], "Expected --archs and --lengths"),
    "no architectures": (["sweep", "--archs"], "Expected --archs and --lengths"),
    "an unknown architecture in a sweep": (["sweep", "--archs", "gru", "lsttm"], "received 'lsttm'"),
    "one width for a sweep": (["sweep", "--units", "8"], "--units: expected with train only"),
    "a sweep too short": (["sweep", "--lengths", "1"], "--lengths: expected at least 2"),
    "a sweep without seeds": (["sweep", "--seeds", "0"], "--seeds: expected at least 1; received 0"),
    "a sweep in which nothing fits": (
        ["sweep", "--params", "10", "--archs", "gru", "--lengths", "5"],
        "No run was trained to its end. gru, length 5: No width comes within 3% of 10 parameters. The nearest are",
    ),
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
    "a marker of 5000 digits": (
        "adding",
        dict(values="0.5,0.5", markers="0," + "5" * 5000),
        "two different positions, such as 3,17; received",
    ),
    "a negative marker": ("adding", dict(values="0.5,0.5", markers="0,-1"), "--markers: expected two different"),
    "letters for sums": ("adding", dict(input="abcabhgfed"), "Expected --values, --markers or --seed"),
    "symbols outside the alphabet": ("copy", dict(input="abcxyhgfed"), "out of abcdefgh. Received: 'x', 'y'"),
    "nine letters": ("copy", dict(input="abcabhgfe"), "Expected 10 letters out of abcdefgh. Received: 9 letters"),
    "no lag": ("copy", dict(lag=0), "--lag: expected at least 1; received 0"),
    "values for letters": ("copy", dict(values="0.5,0.5"), "Expected an input, --lag or --seed"),
    "a row that is not there": ("permuted_digits", dict(input="360"), "0 to 359. Received: 360"),
    "a row of 5000 digits": ("permuted_digits", dict(input="5" * 5000), "0 to 359. Received: 5"),
    "a file that is not there": ("permuted_digits", dict(input="none.txt"), "none.txt"),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_a_run_cannot_be_asked_is_refused(name):
    task, words, expected = ASKED[name]
    with pytest.raises((InputError, FileNotFoundError), match=re.escape(expected)) as error:
        read(Predict(**words), {"data": task, "length": 64}, None, seed=1)
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
        read_digit(str(path))
    assert "digit.txt" in str(error.value)


def test_a_digit_is_read_row_by_row_from_numbers_with_blanks_or_commas(tmp_path):
    rows = np.arange(64).reshape(8, 8) % 17
    path = tmp_path / "digit.txt"
    for separator in (" ", ", "):
        path.write_text("\n".join(separator.join(map(str, row)) for row in rows) + "\n")
        assert (read_digit(str(path)) * 16 == rows.ravel()).all()


# A question of another program


def test_a_program_asks_by_the_options_of_predict_and_may_give_numbers_as_lists():
    pixels = [n % 17 for n in range(64)]
    config = {"data": "permuted_digits", "length": 64}
    found = asked({"input": pixels}, config, list(range(64)))
    assert found.expected is None and np.allclose(found.inputs[0, :, 0] * 16, pixels)
    assert asked({"input": "7"}, config, list(range(64))).expected is not None
    copied = asked({"input": "abcabhgfed", "lag": 3}, {"data": "copy", "length": 5}, None)
    assert "a lag of 3 (the run was trained for 5)" in copied.text
    one, other = (asked({"seed": 5}, {"data": "adding", "length": 9}, None) for _ in range(2))
    assert (one.inputs == other.inputs).all()


@pytest.mark.parametrize("given, said", [
    ({"run": "other"}, "Expected some of input, values, markers, lag, seed. Received: 'run'"),
    ({"values": ["x"], "markers": [0, 1]}, "expected numbers; received 'x'"),
    ({"input": "abc"}, "the run was trained on adding"),
    ({"seed": -1}, "--seed: expected at least 0"),
])  # fmt: skip
def test_a_question_that_is_none_is_refused(given, said):
    with pytest.raises(InputError, match=said):
        asked(given, {"data": "adding", "length": 9}, None)


def test_another_program_reads_no_file_and_takes_no_endless_lag():
    for fine in ({"input": "7"}, {"input": "1 2.5, 3"}, {"input": [1, 2]}, {}):
        check(fine, "permuted_digits")
    with pytest.raises(InputError, match="files are read by predict only"):
        check({"input": "/etc/hostname"}, "permuted_digits")
    with pytest.raises(InputError, match="lag: expected at most 100,000"):
        check({"lag": 10**9}, "copy")
