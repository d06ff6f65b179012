"""The app as its user meets it: commands in processes of their own, and what must hold between its parts."""

import dataclasses
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from apps.healthcare_monitoring import evaluate, metrics
from apps.healthcare_monitoring.config import DEFAULT, RECIPES, SHORT, Config, command
from apps.healthcare_monitoring.data import load
from apps.healthcare_monitoring.model import Nats, answers, bent, build, step, zero_states
from apps.healthcare_monitoring.monitor import Stream, check
from apps.healthcare_monitoring.predict import Judge
from shared import InputError, runs
from tests.apps.test_contract import ROOT, run, run_here

APP = "apps.healthcare_monitoring"
SMALL = dict(units=6, summary=5, members=2)
INFO = {"variables": ["x", "y"], "causes": ["death", "other"], "intervals": 3, "summaries": SHORT, "knots": [-1.0, 1.0]}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of runs after a smoke training, and what it printed."""
    folder = tmp_path_factory.mktemp("runs")
    done = run(APP, "train", "--recipe", "smoke", GALLERY_RUNS=str(folder))
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


@pytest.fixture(scope="module")
def example(trained):
    """The path of a test patient's measurements."""
    return next(trained[0].glob("healthcare_monitoring/*/example.csv"))


@pytest.fixture
def judge(trained, monkeypatch):
    monkeypatch.setenv("GALLERY_RUNS", str(trained[0]))
    return Judge(runs.find("healthcare_monitoring"))


def figures(folder):
    return json.loads(next(folder.glob("healthcare_monitoring/*/metrics.json")).read_text())


def test_training_prints_both_baselines_the_alarm_the_warning_and_what_to_try_next(trained):
    _, printed = trained
    for figure in ("auroc", "auprc", "brier", "calibration_slope"):
        line = next(line for line in printed.splitlines() if f"  {figure} " in line)
        assert "gradient_boosting" in line and "logistic_regression" in line and line.endswith("wins")
    assert "for 10% false alarms" in printed and "of the patients without the outcome are alarmed" in printed
    assert evaluate.WARNING in printed and f"{APP} monitor " in printed


def test_a_run_holds_all_that_it_needs_to_be_used_again(trained):
    names = {path.name for path in trained[0].glob("healthcare_monitoring/*/*")}
    expected = "config.json info.json model.keras metrics.json alarm.json history.csv example.csv"
    assert set(expected.split()) | {"learning_curves.png", "calibration.png"} <= names


@pytest.mark.slow
def test_the_same_seed_trains_to_the_same_figures(trained, tmp_path):
    assert run(APP, "train", "--recipe", "smoke", GALLERY_RUNS=str(tmp_path)).returncode == 0
    assert [r["value"] for r in figures(tmp_path)] == [r["value"] for r in figures(trained[0])]


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_evaluating_again_gives_the_figures_of_the_training_on_both_backends(backend, trained, tmp_path):
    shutil.copytree(trained[0], tmp_path / "runs")
    done = run(APP, "evaluate", GALLERY_RUNS=str(tmp_path / "runs"), KERAS_BACKEND=backend)
    assert done.returncode == 0, done.stderr
    before, again = ([r["value"] for r in figures(folder)] for folder in (trained[0], tmp_path / "runs"))
    np.testing.assert_allclose(again, before, atol=1e-4)


def test_predict_names_the_risk_and_what_raised_it(trained, example):
    done = run(APP, "predict", str(example), "--reasons", "3", GALLERY_RUNS=str(trained[0]))
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert done.stdout.startswith("example: ") and "  risk of death in hospital: 0." in done.stdout
    assert 1 <= done.stdout.count(" at ") <= 3 + 2 and evaluate.WARNING in done.stdout


def test_without_the_variable_that_raised_the_risk_most_the_risk_is_lower_by_what_was_said(judge):
    random = np.random.default_rng(1)
    values = np.array(judge.scale.centre) + 2 * np.array(judge.scale.spread) * random.normal(size=(8, 11))
    values[random.random(values.shape) < 0.4] = np.nan
    times = np.arange(8) * judge.info["step"]
    variable, whole, at, part = judge.reasons(values, times, 1)[0]
    for hidden, said in (((slice(None), variable), whole), ((at, variable), part)):
        without = values.copy()
        without[hidden] = np.nan
        lower = metrics.risk(judge.chances(values[None], times)) - metrics.risk(judge.chances(without[None], times))
        assert lower[0] == pytest.approx(said, abs=1e-6)


def stream_of(judge, example):
    stream = Stream(judge)
    rows = [line.split(",") for line in example.read_text().splitlines()[1:]]
    return stream, rows


def test_monitoring_ends_at_the_risk_that_predict_gives(trained, example):
    environment = {"GALLERY_RUNS": str(trained[0])}
    predicted = run(APP, "predict", str(example), "--reasons", "0", **environment).stdout
    watched = run(APP, "monitor", str(example), **environment)
    assert watched.returncode == 0, watched.stderr
    lines = [line for line in watched.stdout.splitlines() if "   risk " in line]
    risk = float(lines[-1].split("risk ")[1].split()[0])
    assert f"death in hospital: {risk:.3f}" in predicted
    assert f"{len(lines):,} measurements; " in watched.stdout and "ms (p99)" in watched.stdout
    assert next(trained[0].glob("healthcare_monitoring/*/alarm-example.png")).stat().st_size > 5_000


def test_each_risk_of_a_stream_is_that_of_the_record_so_far_and_memory_does_not_grow(judge, example):
    stream, rows = stream_of(judge, example)
    kept = len(stream.states), stream.running.total.size
    for n, (when, name, value) in enumerate(rows[:40], 1):
        now = stream.measure(float(when), name, float(value))
        if n % 13 == 0:
            found = np.full((1, 12, 11), np.nan)
            cells: dict = {}
            for t, v, x in rows[:n]:
                cells.setdefault((int(float(t) // 2), stream.columns[v]), []).append(float(x))
            for (t, v), values in cells.items():
                found[0, t, v] = np.mean(values)
            end = int(float(when) // 2) + 1
            whole = metrics.risk(judge.chances(found[:, :end], np.arange(end) * 2.0))
            assert now == pytest.approx(float(whole[0]), abs=1e-5)
    assert (len(stream.states), stream.running.total.size) == kept and len(stream.curve) <= 12


def test_a_feed_from_standard_input_goes_on_after_lines_that_cannot_be_right(trained):
    wrong = ["1,HeartRat,90", "1,HeartRate,nan", "1,HeartRate,90000", "-1,HeartRate,9", "0.2,SpO2,97", "30,SpO2,97"]
    feed = "\n".join(["0.5,HeartRate,90", *wrong, "2,SpO2", "2,SpO2,97"])
    done = run(APP, "monitor", GALLERY_RUNS=str(trained[0]), stdin=feed)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("   risk ") == 2 and "2 measurements, 7 lines left out" in done.stdout
    said = done.stderr.splitlines()
    assert len(said) == 7 and all(f"standard input, line {n}: " in line for n, line in enumerate(said, 2))


def test_a_time_in_another_unit_is_left_out_before_a_step_is_made_for_each_of_its_hours(judge):
    judge.info["window"] = 0.0
    cells = {"time": "172800", "variable": "SpO2", "value": "97"}
    with pytest.raises(InputError, match=r"line 3: time 172800 is more than 10,000 steps after the one before"):
        check(cells, judge, Stream(judge), "line 3")


@pytest.mark.slow
def test_a_file_that_grows_is_followed_until_ctrl_c(trained, tmp_path):
    path = tmp_path / "bed7.csv"
    path.write_text("time,variable,value\n1,HeartRate,90\n2,Spo")
    words = [sys.executable, "-u", "-m", APP, "monitor", str(path), "--follow"]
    process = subprocess.Popen(
        words, cwd=ROOT, env=os.environ | {"GALLERY_RUNS": str(trained[0])}, stdout=subprocess.PIPE, text=True
    )
    assert any("HeartRate" in line for line in iter(process.stdout.readline, ""))
    with path.open("a") as file:
        file.write("2\n2,SpO2,95\n")
    assert any("SpO2" in line for line in iter(process.stdout.readline, ""))
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=60)[0]
    assert process.returncode == 0 and "2 measurements, 1 lines left out" in rest


def test_alarms_begin_and_end_at_the_given_line(trained, example):
    words = ["monitor", str(example), "--alarm"]
    always, never = (run(APP, *words, line, GALLERY_RUNS=str(trained[0])).stdout for line in ("0.000001", "0.999999"))
    assert always.count("  ALARM") == 1 and "first alarm at" in always
    assert "ALARM" not in never and "no alarm" in never


@pytest.mark.parametrize(  # one of each kind of scan
    "arch", ["gru", "grud", *(pytest.param(a, marks=pytest.mark.slow) for a in ("slstm", "lru", "tcn", "attention"))]
)
def test_architectures_step_to_what_it_gives_for_the_whole_sequence(arch):
    keras.utils.set_random_seed(1)
    _, used = build(Config(arch=arch, **(SMALL | {"units": 8})), INFO)
    random = np.random.default_rng(1)
    inputs, summary = (random.normal(size=(1, 5, width)).astype("float32") for width in (6, 11))
    whole, states, one_step = answers(used, inputs, summary), zero_states(used), step(used, INFO["knots"])
    for t in range(5):
        chances, states = one_step(inputs[:, t], summary[:, t], states)
        np.testing.assert_allclose(np.array(chances), whole[:, t], atol=1e-4)
    np.testing.assert_allclose(whole.sum(axis=-1), 1, rtol=1e-5)


def test_a_risk_straight_from_the_summary_rises_for_too_low_and_for_too_high():
    x = np.array([[-2.0, 0.5], [0.0, 3.0]], "float32")
    pieces = np.array(bent(x, [-1.0, 1.0]))
    np.testing.assert_allclose(pieces, np.concatenate([x, np.maximum(x + 1, 0), np.maximum(x - 1, 0)], axis=1))
    assert np.array_equal(bent(x, []), x)
    used = build(Config(**SMALL, knots=(-1.0, 1.0)), INFO | {"intervals": 1, "causes": ["death"]})[1]
    for member in range(2):
        weights = np.zeros(used.get_layer(f"direct_{member}").kernel.shape)
        weights[0, 1], weights[11, 1], weights[22, 1] = -1, 1, 1  # of the first feature: falls, is level, rises
        used.get_layer(f"direct_{member}").set_weights([weights])
        for name in (f"summary_{member}", f"scores_{member}"):
            used.get_layer(name).set_weights([0 * w for w in used.get_layer(name).get_weights()])
    summary = np.zeros((1, 3, 11), "float32")
    summary[0, :, 0] = -2, 0, 2
    low, middle, high = answers(used, np.zeros((1, 3, 6), "float32"), summary)[0, :, 0, 1]
    assert low == pytest.approx(1 / (1 + np.exp(-2))) and middle == pytest.approx(1 / (1 + np.exp(-1)))
    assert high == pytest.approx(1 / (1 + np.exp(-2)))


def test_extra_padding_never_changes_an_answer():
    model = build(Config(**SMALL), INFO)[1]
    random = np.random.default_rng(1)
    inputs = [random.normal(size=(3, 9, width)).astype("float32") for width in (6, 11)]
    whole = answers(model, *inputs)
    padded = answers(model, *(np.pad(x, ((0, 0), (0, 4), (0, 0)), constant_values=7) for x in inputs))
    np.testing.assert_allclose(padded[:, :9], whole, atol=1e-6)
    assert np.abs(padded[:, 9:]).max() > 0


def test_the_loss_is_the_mean_over_members_of_the_nats_of_the_known_intervals():
    random = np.random.default_rng(1)
    logits = random.normal(size=(2, 3, 4, 5, 2)).astype("float32")
    targets, weights = random.integers(0, 2, (2, 3, 5)), random.integers(0, 2, (2, 3, 5)).astype("float32")
    picked = np.take_along_axis(logits, targets[:, :, None, :, None].repeat(4, axis=2), axis=-1)[..., 0]
    nats = np.logaddexp.reduce(logits, axis=-1) - picked
    expected = (nats.mean(axis=2) * weights).sum() / weights.sum()
    assert float(Nats()(targets, logits, sample_weight=weights)) == pytest.approx(expected, rel=1e-5)


def test_the_alarm_is_set_for_the_stated_share_of_validation_patients():
    found = load(dataclasses.replace(DEFAULT, step=6.0))
    random = np.random.default_rng(1)
    valid, test = (random.random((len(part.patients), 4)) for part in (found.valid, found.test))
    line = evaluate.alarm(found, valid, test, 0.2)
    highest = valid.max(axis=1)[found.valid.outcomes.label != 1]
    assert (highest >= line["threshold"]).mean() <= 0.2 < (highest >= line["threshold"] - 1e-9).mean()
    alarmed = test.max(axis=1) >= line["threshold"]
    assert line["found"] == pytest.approx(alarmed[found.test.outcomes.label == 1].mean())


def test_all_folds_are_found_again_on_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("GALLERY_RUNS", str(tmp_path))
    config = Config(folds=3, summaries=("last", "recent"), knots=(-1.0, 1.0))
    for fold in range(3):
        assert evaluate.all_folds(config) == []
        settings = dataclasses.asdict(dataclasses.replace(config, fold=fold))
        made = runs.start("healthcare_monitoring", settings, None, False)
        made.save_metrics([{"value": fold}])
        made.file("model.keras").touch()  # without it the run does not count
    assert evaluate.all_folds(config) == [[{"value": 0}], [{"value": 1}], [{"value": 2}]]
    assert evaluate.all_folds(dataclasses.replace(config, seed=2)) == []


def test_folds_are_averaged_and_the_simple_method_with_the_best_mean_stands_beside():
    base = {"metric": "auroc", "minutes": 1.0, "command": "python -m apps.x train --data y --fold 1"}
    folds = [
        [base | {"value": 0.7, "baseline": {}, "simple": {"a": 0.9, "b": 0.7}}],
        [base | {"value": 0.9, "baseline": {}, "simple": {"a": 0.5, "b": 0.8}}],
    ]
    (record,) = evaluate.mean(folds)
    assert record["value"] == 0.8 and record["std"] == pytest.approx(math.sqrt(0.02), abs=1e-4)
    assert record["baseline"] == {"name": "b", "value": 0.75} and record["minutes"] == 2
    assert record["command"] == "python -m apps.x train --data y --all-folds"


def test_the_recorded_command_has_the_settings_that_differ_from_the_recipe():
    config = dataclasses.replace(RECIPES["pbc2"], arch="grud", fold=2, summaries=["last", "mean"])
    assert command(config) == f"python -m {APP} train --data pbc2 --fold 2 --arch grud --summaries last mean"


BAD = {
    "an unknown architecture": (["train", "--arch", "transformer"], "--arch: expected one of elman"),
    "an unknown summary": (["train", "--summaries", "last", "slope"], "--summaries: expected some of last mean low"),
    "a fold too many": (["train", "--fold", "5"], "--folds, --fold: expected at least 3 and a number below it"),
    "an unknown data set": (["train", "--data", "mimic"], "Expected --data builtin, physionet2012, pbc2"),
    "an unknown recipe": (["train", "--recipe", "huge"], "--recipe: expected one of builtin"),
    "an unknown run": (["predict", "x.csv", "--run", "none"], "There is no run"),
    "no such patient": (["predict", "nowhere.csv"], "There is none at nowhere.csv"),
    "an impossible alarm": (["monitor", "x.csv", "--alarm", "2"], "--alarm: expected a risk between 0 and 1"),
    "an empty feed": (["monitor", "-"], "standard input: expected measurements"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gives_one_line_and_status_2(name, trained):
    words, expected = BAD[name]
    done = run_here(APP, *words, GALLERY_RUNS=str(trained[0]))
    assert done.returncode == 2
    assert expected in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["grud", "lstm", "tcn"])
def test_own_data_with_times_of_events_trains_by_any_architecture(arch, tmp_path):
    random = np.random.default_rng(1)
    measured, ended = ["patient,time,variable,value"], ["patient,outcome,time"]
    for who in range(90):
        level = random.normal()
        until = float(np.clip(random.exponential(6 * np.exp(-level)), 0.5, 20))
        ended.append(f"p{who},{who % 3 if until < 20 else 0},{until}")
        visits = np.arange(0, until, 2.0)
        measured += [f"p{who},{t},level,{level + 0.1 * random.normal()}" for t in visits]
    (tmp_path / "m.csv").write_text("\n".join(measured))
    (tmp_path / "outcomes.csv").write_text("\n".join(ended))
    words = ["--data", str(tmp_path / "m.csv"), "--arch", arch, "--step", "0", "--window", "0", "--intervals", "6"]
    words += ["--interval", "2", "--epochs", "3", "--members", "1", "--valid-fraction", "0.2"]
    done = run(APP, "train", *words, GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 0, done.stderr
    assert "c_index_td" in done.stdout and "cox_last_visit" in done.stdout
    example = next((tmp_path / "runs").glob("*/*/example.csv"))
    asked = run(APP, "predict", str(example), GALLERY_RUNS=str(tmp_path / "runs"))
    assert asked.returncode == 0, asked.stderr
    assert "risk of outcome 1 within 10" in asked.stdout and "risk of outcome 2" in asked.stdout


@pytest.mark.slow
def test_the_network_beats_the_simple_methods_on_the_simulated_stays(tmp_path):
    done = run(APP, "train", GALLERY_RUNS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("the network wins") >= 3, done.stdout
