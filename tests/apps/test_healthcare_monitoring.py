"""The app as its user meets it, and what must hold between its parts."""

import collections
import csv
import dataclasses
import json
import shutil
import signal
import types

import keras
import numpy as np
import pytest

from apps.healthcare_monitoring import data, evaluate, metrics, monitor, predict, reading, records, steps, train
from apps.healthcare_monitoring.config import SHORT, SMOKE, Config
from apps.healthcare_monitoring.model import Nats, averaged, bent, build, by_network, probabilities, step, zero_states
from apps.healthcare_monitoring.options import Stream
from shared import InputError, runs
from tests.commands import run_here, trained

NAME = "healthcare_monitoring"
APP = f"apps.{NAME}"
SMALL = dict(units=6, summary_units=5, ensemble_size=2)
INFO = {"variables": ["x", "y"], "causes": ["death", "other"], "intervals": 3, "summaries": SHORT, "knots": [-1.0, 1.0]}


@pytest.fixture(scope="module")
def smoke():
    """The folder of runs after a smoke training, and what it printed."""
    return trained(NAME)


@pytest.fixture(scope="module")
def predictor(smoke):
    path = next(smoke[0].glob(f"{NAME}/*"))
    return predict.Predictor(runs.Run(path, NAME, json.loads((path / "config.json").read_text())["config"]))


@pytest.fixture(scope="module")
def example(smoke):
    """The path of a test patient's measurements."""
    return next(smoke[0].glob(f"{NAME}/*/example.csv"))


@pytest.fixture(scope="module")
def stays():
    """The patients of the smoke training."""
    return data.load(SMOKE)


@pytest.fixture(scope="module")
def ward(stays, tmp_path_factory):
    """The path of a file with the measurements of all test patients."""
    found = stays.test.table
    cells = zip(found.who, found.when, found.what, found.value, strict=True)
    rows = [f"{found.patients[p]},{t:.10g},{found.variables[v]},{x:.10g}" for p, t, v, x in cells]
    path = tmp_path_factory.mktemp("ward") / "ward.csv"
    path.write_text("\n".join(["patient,time,variable,value", *rows]))
    return path


def read(path, predictor):
    """The measurements in a file as the run reads them."""
    return data.as_read(reading.read_measurements(path, predictor.info["variables"]), predictor.info)


def figures(folder):
    return json.loads(next(folder.glob(f"{NAME}/*/metrics.json")).read_text())


def test_training_prints_every_baseline_the_alarm_a_patient_the_warning_and_what_to_try_next(smoke):
    _, printed = smoke
    for figure in ("auroc", "auprc", "brier", "calibration_slope"):
        line = next(line for line in printed.splitlines() if f"  {figure} " in line)
        assert "gradient_boosting" in line and "logistic_regression" in line
        tested = line.endswith("wins") or "no difference (95 % interval" in line
        assert line.endswith("no interval") if figure == "calibration_slope" else tested
    assert (
        "chosen on validation patients for 10% false alarms" in printed and "  risk of death in hospital: " in printed
    )
    assert predict.WARNING in printed and f"{APP} stream " in printed


def test_a_run_holds_all_that_it_needs_to_be_used_again(smoke):
    names = {path.name for path in smoke[0].glob(f"{NAME}/*/*")}
    expected = "config.json info.json model.keras metrics.json alarm.json history.csv example.csv"
    assert set(expected.split()) | {"learning_curves.png", "calibration.png"} <= names


def test_records_have_all_baselines_and_the_headline_what_the_alarm_does(smoke):
    records = figures(smoke[0])
    assert [(r["metric"], r["direction"]) for r in records] == [
        ("auroc", "higher"), ("auprc", "higher"), ("brier", "lower"), ("calibration_slope", "one")]  # fmt: skip
    assert all(set(r["baselines"]) == {"gradient_boosting", "logistic_regression"} for r in records)
    assert set(records[0]["details"]) == {"threshold", "stated", "false_alarms", "found", "median_time", "time_unit"}
    assert [r["headline"] for r in records] == [True, False, False, False]
    assert all((r["split"], r["n"], r["over"], r["params"]) == ("test", 1, None, records[0]["params"]) for r in records)


@pytest.mark.slow
def test_a_saved_run_describes_the_patient_as_the_training_process_did(smoke, example):
    done = run_here(APP, "predict", str(example), GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 0 and not done.stderr, done.stderr
    described = done.stdout.removesuffix(f"{predict.WARNING}\n").partition("\n")[2]
    assert "risk of death in hospital: 0." in described and described in smoke[1]


@pytest.mark.slow
def test_folds_are_trained_once_each_and_averaged(tmp_path):
    random = np.random.default_rng(1)
    cells = [(f"p{n}", hour, random.normal() + n % 2) for n in range(40) for hour in range(3)]
    (tmp_path / "m.csv").write_text("patient,time,variable,value\n" + "".join(f"{p},{t},x,{x}\n" for p, t, x in cells))
    (tmp_path / "outcomes.csv").write_text("patient,outcome\n" + "".join(f"p{n},{n % 2}\n" for n in range(40)))
    words = ["train", "--recipe", "smoke", "--data", str(tmp_path / "m.csv"), "--max-examples", "0", "--folds", "2"]
    first = run_here(APP, *words, GALLERY_RUNS=str(tmp_path))
    assert first.returncode == 0, first.stderr
    assert first.stdout.count("epoch 1/2") == 2 and "mean of 2 folds" in first.stdout
    assert "fold 0 of 5, by patient" in first.stdout and "fold 1 of 5, by patient" in first.stdout
    again = run_here(APP, *words, GALLERY_RUNS=str(tmp_path))
    assert again.stdout.count("is finished") == 2 and "epoch 1/2" not in again.stdout


# Prediction


def test_evaluation_and_prediction_from_a_file_judge_the_same_patients_at_the_same_moment(
    smoke, predictor, stays, ward, tmp_path
):
    """The figures of the record follow from the table that predict writes."""
    done = run_here(APP, "predict", str(ward), "--out", str(tmp_path / "out.csv"), GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    assert [row["patient"] for row in rows] == list(stays.test.patients)
    risks, alarmed = (np.array([float(row[name]) for row in rows]) for name in ("risk", "alarm"))
    evaluated = stays.test.steps.at_last(metrics.risk(predictor.chances(stays.test.steps)))
    np.testing.assert_allclose(risks, evaluated, atol=2e-6)
    happened = stays.test.outcomes.label == 1
    main = figures(smoke[0])[0]
    assert main["value"] == pytest.approx(metrics.auroc(happened, risks), abs=1e-3)
    shares = alarmed[~happened].mean(), alarmed[happened].mean()
    assert (main["details"]["false_alarms"], main["details"]["found"]) == pytest.approx(shares)


def test_many_patients_get_a_line_each_and_reasons_only_when_asked_for(smoke, stays, ward):
    brief = run_here(APP, "predict", str(ward), GALLERY_RUNS=str(smoke[0])).stdout.splitlines()
    assert [text.split()[0] for text in brief[:-1]] == list(stays.test.patients) and brief[-1] == predict.WARNING
    long = run_here(APP, "predict", str(ward), "--reasons", "1", GALLERY_RUNS=str(smoke[0])).stdout
    assert long.count("risk of death in hospital") == 60 and 0 < long.count("without it   most at") <= 60
    for text in brief[:-1]:
        name, risk = text.split()[0], text.split("risk ")[1][:5]
        assert f"hospital: {risk}" in long.split(f"{name}: ")[1].splitlines()[1]


def test_a_prediction_does_not_depend_on_the_patients_beside_it(predictor, ward, monkeypatch):
    found = read(ward, predictor)
    together = list(predictor.predictions(found))
    monkeypatch.setattr(predict, "AT_A_TIME", 7)
    apart = list(predictor.predictions(found))
    alone = [next(predictor.predictions(found.among(np.array([n])))) for n in range(5)]
    for one, other in [*zip(together, apart, strict=True), *zip(alone, together, strict=False)]:
        assert (one.patient, one.alarm) == (other.patient, other.alarm)
        np.testing.assert_allclose(one.chances, other.chances, atol=1e-6)


def test_the_answer_to_a_short_stay_does_not_depend_on_the_window_nor_on_longer_stays(predictor, monkeypatch, tmp_path):
    path = tmp_path / "ward.csv"
    short = "".join(f"short,{hour},HeartRate,{90 + hour}\nshort,{hour},SpO2,95\n" for hour in range(5))
    path.write_text("patient,time,variable,value\n" + short + "long,0,HeartRate,80\nlong,23.5,SpO2,97\n")
    found = read(path, predictor)
    before, _ = predictor.predictions(found)
    assert predictor.steps(found).lengths.tolist() == [3, 12]  # two hours each
    monkeypatch.setitem(predictor.info, "window", 96.0)
    assert predictor.steps(found).real().sum(axis=1).tolist() == [3, 12]
    after, _ = predictor.predictions(found)
    alone = next(predictor.predictions(found.among(np.array([0]))))
    for other in (after, alone):
        assert (other.risk, other.alarm) == (pytest.approx(before.risk, abs=1e-6), before.alarm)


def test_of_a_patient_unlike_those_trained_on_every_verb_says_so(smoke, tmp_path):
    path, out = tmp_path / "p.csv", tmp_path / "out.csv"
    path.write_text("time,variable,value\n1,HeartRate,600\n")
    said = (
        "unlike the training patients: based on 1 of 11 variables; HeartRate 600 (plausible: 20 to 300)\n  so this risk"
    )
    done = run_here(APP, "predict", str(path), "--out", str(out), GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 0 and f"\n  {said}" in done.stdout, done.stderr
    assert "based on 1 of 11 variables; HeartRate 600" in out.read_text()
    watched = run_here(APP, "stream", str(path), GALLERY_RUNS=str(smoke[0]))
    assert "   unlike the training patients: HeartRate 600 (plausible: 20 to 300)" in watched.stdout
    assert "     1.00 hours  HeartRate" in watched.stdout and "Of the training patients " in watched.stderr
    assert watched.stdout.rstrip().endswith("based on 1 of 11 variables")
    path.write_text("patient,time,variable,value\n" + "".join(f"p{n},1,HeartRate,80\n" for n in range(21)))
    many = run_here(APP, "predict", str(path), GALLERY_RUNS=str(smoke[0]))
    assert many.stdout.count("   unlike the training patients: based on 1 of 11 variables\n") == 21


def test_of_many_patients_one_who_cannot_be_read_is_named_and_gets_an_empty_row(smoke, tmp_path):
    path, out = tmp_path / "p.csv", tmp_path / "out.csv"
    path.write_text("patient,time,variable,value\na,1,SpO2,97\nb,2,SpO2,97000\nc,3,SpO2,96\n")
    done = run_here(APP, "predict", str(path), "--out", str(out), GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 0 and f"{path}: patient b has no readable measurement" in done.stderr
    assert [row.split(",")[0] for row in out.read_text().splitlines()] == ["patient", "a", "b", "c"]
    assert "\nb,,,\n" in out.read_text() and "\nb                    no readable measurement" in done.stdout
    path.write_text("time,variable,value\n2,SpO2,97000\n")
    alone = run_here(APP, "predict", str(path), GALLERY_RUNS=str(smoke[0]))
    assert alone.returncode == 2 and alone.stderr.endswith("patient p has no readable measurement\n")


def test_a_table_that_cannot_be_written_is_refused_before_any_work_and_no_input_is_overwritten(smoke, tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("time,variable,value\n1,SpO2,97\n")
    for out in (path, tmp_path / "none" / "out.csv", tmp_path):
        done = run_here(APP, "predict", str(path), "--out", str(out), GALLERY_RUNS=str(smoke[0]))
        assert (done.returncode, done.stdout) == (2, "") and done.stderr.startswith("error: --out: expected")
    assert path.read_text() == "time,variable,value\n1,SpO2,97\n"


def test_without_the_variable_that_raised_the_risk_most_the_risk_is_lower_by_what_is_printed(predictor):
    random = np.random.default_rng(1)
    values = np.array(predictor.scale.centre) + 2 * np.array(predictor.scale.spread) * random.normal(size=(1, 8, 11))
    values[random.random(values.shape) < 0.4] = np.nan
    times, lengths = np.arange(8)[None] * predictor.info["step"], np.array([8])

    def risk(values):
        laid_out = steps.Steps.laid_out(values, times, lengths, predictor.scale, predictor.info)
        return laid_out, metrics.risk(predictor.chances(laid_out))[0, -1]

    whole, before = risk(values)
    first, second = predictor.reasons(whole, 2)
    assert first.raised >= second.raised > 0
    for hidden, raised in (((slice(None), first.variable), first.raised), ((first.step, first.variable), first.part)):
        without = values.copy()
        without[0][hidden] = np.nan
        assert before - risk(without)[1] == pytest.approx(raised, abs=1e-6)


# The alarm


def chances(risks):
    """Probabilities (patients, steps, 1 interval, nothing and one cause) of risks (patients, steps)."""
    return np.stack([1 - risks, risks], axis=-1)[:, :, None]


def test_the_alarm_threshold_is_learned_on_validation_patients_and_saved(predictor, stays, tmp_path, monkeypatch):
    own = predict.Predictor(predictor.run)
    own.run = runs.Run(tmp_path, NAME, {})
    random = np.random.default_rng(1)
    valid = random.random(stays.valid.steps.times.shape)
    valid[~stays.valid.steps.real()] = 1.0
    monkeypatch.setattr(own, "chances", lambda steps: chances(valid))
    own.choose_threshold(stays.valid, 0.2)
    saved = json.loads((tmp_path / "alarm.json").read_text())
    assert saved == own.alarm and saved["stated"] == 0.2
    highest = np.where(stays.valid.steps.real(), valid, 0).max(axis=1)[stays.valid.outcomes.label != 1]
    assert (highest >= saved["threshold"]).mean() <= 0.2 < (highest >= saved["threshold"] - 1e-9).mean()


def test_evaluation_measures_the_saved_threshold_and_changes_it_not(predictor, stays):
    test, random = stays.test, np.random.default_rng(1)
    risks = random.random(test.steps.times.shape) ** 4
    before = dict(predictor.alarm)
    measured = evaluate.alarms(predictor, test, risks)
    reached = np.where(test.steps.real(), risks, 0) >= before["threshold"]
    alarmed, happened = reached.any(axis=1), test.outcomes.label == 1
    assert measured["found"] == pytest.approx(alarmed[happened].mean())
    assert measured["false_alarms"] == pytest.approx(alarmed[~happened].mean())
    begins = test.steps.times[0] + predictor.info["step"]
    first = [begins[row.argmax()] for row in reached[alarmed & happened]]
    assert measured["median_time"] == np.median(first) and measured["threshold"] == before["threshold"]
    assert predictor.alarm == before


def test_a_run_that_was_stopped_before_its_threshold_was_chosen_predicts_without_an_alarm(
    smoke, example, tmp_path, capsys
):
    shutil.copytree(smoke[0], tmp_path / "runs")
    next((tmp_path / "runs").glob(f"{NAME}/*/alarm.json")).unlink()
    done = run_here(APP, "predict", str(example), "--reasons", "0", GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 0 and "ALARM" not in done.stdout
    assert "no alarm threshold: training was stopped" in done.stdout and "1.000" not in done.stdout
    assert "No alarm is raised" in monitor.announced(1.0) and "risk of 0.730" in monitor.announced(0.73)
    record = json.loads(next(smoke[0].glob(f"{NAME}/*/metrics.json")).read_text())[0]
    evaluate.report([record | {"details": record["details"] | predict.NO_ALARM}])
    assert "no alarm threshold" in (said := capsys.readouterr().out) and "raises an alarm" not in said


# The stream


def test_streaming_ends_at_the_risk_that_predict_gives(smoke, example):
    predicted = run_here(APP, "predict", str(example), "--reasons", "0", GALLERY_RUNS=str(smoke[0])).stdout
    watched = run_here(APP, "monitor", str(example), GALLERY_RUNS=str(smoke[0]))
    assert watched.returncode == 0, watched.stderr
    answers = watched.stdout.splitlines()
    assert len(answers) == len(example.read_text().splitlines()) - 1 and all("   risk " in text for text in answers)
    assert f"death in hospital: {float(answers[-1].split('risk ')[1].split()[0]):.3f}" in predicted
    assert f"{len(answers):,} answered: " in watched.stderr and "p99" in watched.stderr
    assert predict.WARNING in watched.stderr
    assert next(smoke[0].glob(f"{NAME}/*/alarm-example.png")).stat().st_size > 5_000


def test_each_risk_of_a_stream_is_that_of_the_record_so_far_and_memory_does_not_grow(predictor, example):
    watch = monitor.Monitor(predictor)
    watch.warm_up()
    rows = [text.split(",") for text in example.read_text().splitlines()[1:]]
    kept = len(watch.states), watch.running.total.size
    for n, (when, name, value) in enumerate(rows[:40], 1):
        now = watch.measure(float(when), name, float(value))
        if n % 13 == 0:
            found = np.full((1, 12, 11), np.nan)
            cells: dict = {}
            for t, v, x in rows[:n]:
                cells.setdefault((int(float(t) // 2), watch.columns[v]), []).append(float(x))
            for (t, v), values in cells.items():
                found[0, t, v] = np.mean(values)
            end = np.array([int(float(when) // 2) + 1])
            whole = steps.Steps.laid_out(found, np.arange(12)[None] * 2.0, end, predictor.scale, predictor.info)
            assert now == pytest.approx(whole.at_last(metrics.risk(predictor.chances(whole)))[0], abs=1e-5)
    assert (len(watch.states), watch.running.total.size) == kept and watch.curve.maxlen == monitor.KEPT


def test_a_feed_has_an_answer_for_each_line_and_goes_on_after_those_that_cannot_be_right(smoke):
    wrong = ["1,HeartRat,90", "1,HeartRate,nan", "1,HeartRate,90000", "-1,HeartRate,9", "0.2,SpO2,97", "30,SpO2,97"]
    wrong += ["2,SpO2", "2,SpO2,96,5"]
    feed = "\n".join(["time,variable,value", "0.5,HeartRate,90", *wrong, "", "2,SpO2,97"])
    done = run_here(APP, "stream", GALLERY_RUNS=str(smoke[0]), stdin=feed)
    assert done.returncode == 0, done.stderr
    answers = done.stdout.split("\n")[:-1]
    assert len(answers) == 2 + 8 + 1 and [bool(text) for text in answers] == [True, *[False] * 9, True]
    assert "2 answered, 8 lines left out: " in done.stderr
    named = [text for text in done.stderr.splitlines() if text.startswith("left out: ")]
    assert len(named) == 8 and all(f"standard input, line {n}: " in text for n, text in enumerate(named, 3))
    assert "decimals need a point" in named[-1]


def fed(text, tmp_path):
    """The (place, cells by column) that a stream reads of this text."""
    (tmp_path / "feed.csv").write_text(text)
    return list(monitor.feed(Stream(feed=str(tmp_path / "feed.csv"))))


def test_a_second_patient_in_a_feed_is_refused_with_the_line(tmp_path):
    rows = "patient,time,variable,value\nA,0,Age,70\nA,1,HR,90\n"
    assert [cells["patient"] for _, cells in fed(rows, tmp_path)] == ["A", "A"]
    for name, received in (("B", "received B"), ("", "received no name")):
        with pytest.raises(InputError, match=rf"line 5: expected the measurements of one patient, A; {received}\."):
            fed(f"{rows}\n{name},2,HR,91\n", tmp_path)


def test_a_feed_may_quote_its_cells_as_other_programs_write_them(tmp_path):
    quoted = '"","patient","time","variable","value"\n"1","A",0.5,"Pressure, arterial","90"\n'
    ((where, cells),) = fed(quoted, tmp_path)
    assert where.endswith("feed.csv, line 2")
    assert [cells[name] for name in ("time", "variable", "value")] == ["0.5", "Pressure, arterial", "90"]
    huge = fed(f"time,variable,value\n1,{'x' * 200_000},2\n2,HR,90\n", tmp_path)
    assert [cells["value"] for _, cells in huge] == ["2", "90"]


def test_what_a_training_saves_of_a_patient_is_read_again_whatever_its_variables_are_called(tmp_path):
    names = ["Pressure, arterial", 'the "Age"']
    found = records.table("x", ["a", "a"], [0.5, 1.0], names, [90.0, 70.0])
    text = train.measured(found)
    assert [cells["variable"] for _, cells in fed(text, tmp_path)] == names
    again = reading.read_measurements(tmp_path / "feed.csv", found.variables)
    assert again.variables == found.variables and again.value.tolist() == found.value.tolist()


def test_the_picture_of_a_stream_has_every_risk_that_was_printed(predictor, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(monitor.plots, "save", lambda figure, path: drawn.append(figure.axes[0]))
    watch = monitor.Monitor(predictor)
    printed = [watch.measure(when, "HeartRate", value) for when, value in ((0.1, 150), (0.2, 60), (0.3, 90), (9, 80))]
    assert [risk for _, risk in watch.curve] == printed
    watch.curve = collections.deque([(0.0, 0.1), (1.0, 0.9), (1.5, 0.1), (2.0, 0.1)])  # an alarm of one answer
    monitor.draw(watch, 0.5, "bed", tmp_path / "alarm.png")
    assert drawn[0].lines[0].get_ydata().tolist() == [0.1, 0.9, 0.1, 0.1]
    (shaded,) = drawn[0].collections[0].get_paths()
    assert shaded.vertices.max(axis=0).tolist()[1] == 0.9 and shaded.contains_point((1.2, 0.7))


def test_a_time_in_another_unit_is_left_out_before_a_step_is_made_for_each_of_its_hours(predictor, monkeypatch):
    monkeypatch.setitem(predictor.info, "window", 0.0)
    cells = {"time": "172800", "variable": "SpO2", "value": "97"}
    with pytest.raises(InputError, match=r"line 3: time 172800 is more than 10,000 steps after the previous one"):
        monitor.check(cells, monitor.Monitor(predictor), "line 3")


def test_a_file_that_grows_is_followed_until_ctrl_c(smoke, tmp_path, monkeypatch):
    path = tmp_path / "bed7.csv"
    path.write_text("time,variable,value\n1,HeartRate,90\n2,Spo")

    def sleep(seconds):
        """The first time that nothing more is there the file grows, the second time Ctrl-C is pressed."""
        if "SpO2,95" in path.read_text():
            signal.raise_signal(signal.SIGINT)
        with path.open("a") as file:
            file.write("2\n2,SpO2,95\n")

    monkeypatch.setattr(monitor.time, "sleep", sleep)
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    done = run_here(APP, "stream", str(path), "--follow", GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 0 and "2 answered, 1 line left out" in done.stderr
    assert ["HeartRate" in text or "SpO2" in text for text in done.stdout.splitlines()] == [True, False, True]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_alarms_begin_and_end_at_the_given_threshold(smoke, example):
    words = ["stream", str(example), "--threshold"]
    always, never = (run_here(APP, *words, at, GALLERY_RUNS=str(smoke[0])) for at in ("0.000001", "0.999999"))
    assert always.stdout.count("  ALARM") == 1 and "first alarm at" in always.stderr
    assert "ALARM" not in never.stdout and "no alarm" in never.stderr
    alarms = monitor.Alarms(0.5)
    said = [alarms.said(when, now) for when, now in enumerate((0.4, 0.5, 0.6, 0.4, 0.4, 0.9))]
    assert said == ["", "  ALARM", "  alarm", "  alarm ends", "", "  ALARM"] and alarms.first == 1


# The network


@pytest.mark.parametrize(  # one of each kind of scan
    "arch", ["gru", "grud", *(pytest.param(a, marks=pytest.mark.slow) for a in ("slstm", "lru", "tcn", "attention"))]
)
def test_architectures_step_to_what_they_give_for_the_whole_sequence(arch):
    keras.utils.set_random_seed(1)
    used = averaged(build(Config(arch=arch, **(SMALL | {"units": 8})), INFO))
    random = np.random.default_rng(1)
    inputs, summary = (random.normal(size=(1, 5, width)).astype("float32") for width in (6, 11))
    whole, states, one_step = probabilities(used, inputs, summary), zero_states(used), step(used, INFO["knots"])
    for t in range(5):
        found, states = one_step(inputs[:, t], summary[:, t], states)
        np.testing.assert_allclose(np.array(found), whole[:, t], atol=1e-4)
    np.testing.assert_allclose(whole.sum(axis=-1), 1, rtol=1e-5)


def test_the_direct_path_rises_for_too_low_and_for_too_high():
    x = np.array([[-2.0, 0.5], [0.0, 3.0]], "float32")
    pieces = np.array(bent(x, [-1.0, 1.0]))
    np.testing.assert_allclose(pieces, np.concatenate([x, np.maximum(x + 1, 0), np.maximum(x - 1, 0)], axis=1))
    assert np.array_equal(bent(x, []), x)
    used = averaged(build(Config(**SMALL, knots=(-1.0, 1.0)), INFO | {"intervals": 1, "causes": ["death"]}))
    for network in range(2):
        weights = np.zeros(used.get_layer(f"direct_{network}").kernel.shape)
        weights[0, 1], weights[11, 1], weights[22, 1] = -1, 1, 1  # of the first feature: falls, is level, rises
        used.get_layer(f"direct_{network}").set_weights([weights])
        for name in (f"summary_{network}", f"scores_{network}"):
            used.get_layer(name).set_weights([0 * w for w in used.get_layer(name).get_weights()])
    summary = np.zeros((1, 3, 11), "float32")
    summary[0, :, 0] = -2, 0, 2
    low, middle, high = probabilities(used, np.zeros((1, 3, 6), "float32"), summary)[0, :, 0, 1]
    assert low == pytest.approx(1 / (1 + np.exp(-2))) and middle == pytest.approx(1 / (1 + np.exp(-1)))
    assert high == pytest.approx(1 / (1 + np.exp(-2)))


def test_the_average_of_the_networks_is_what_the_ensemble_predicts_and_they_differ():
    used = averaged(build(Config(**SMALL), INFO))
    inputs = [np.random.default_rng(1).normal(size=(1, 8, width)).astype("float32") for width in (6, 11)]
    single = probabilities(by_network(used), *inputs)
    np.testing.assert_allclose(single.mean(axis=2), probabilities(used, *inputs), atol=1e-6)
    assert single.shape[2] == 2 and np.ptp(single, axis=2).max() > 1e-3
    patient = types.SimpleNamespace(inputs=inputs[0], summary=inputs[1], at_last=lambda values: values[:, -1])
    low, high = predict.Predictor.span(types.SimpleNamespace(networks=by_network(used)), patient)
    assert low < metrics.risk(single.mean(axis=2))[0, -1] < high


def test_extra_padding_and_other_patients_never_change_a_prediction():
    used = averaged(build(Config(**SMALL), INFO))
    random = np.random.default_rng(1)
    inputs = [random.normal(size=(3, 9, width)).astype("float32") for width in (6, 11)]
    whole = probabilities(used, *inputs)
    padded = probabilities(used, *(np.pad(x, ((0, 0), (0, 4), (0, 0)), constant_values=7) for x in inputs))
    np.testing.assert_allclose(padded[:, :9], whole, atol=1e-6)
    many = probabilities(used, *(np.tile(x, (100, 1, 1)) for x in inputs))  # more than one batch
    np.testing.assert_allclose(many, np.tile(whole, (100, 1, 1, 1)), atol=1e-6)


def test_the_loss_is_the_mean_over_the_ensemble_of_the_nats_of_the_known_intervals():
    random = np.random.default_rng(1)
    logits = random.normal(size=(2, 3, 4, 5, 2)).astype("float32")
    targets, weights = random.integers(0, 2, (2, 3, 5)), random.integers(0, 2, (2, 3, 5)).astype("float32")
    picked = np.take_along_axis(logits, targets[:, :, None, :, None].repeat(4, axis=2), axis=-1)[..., 0]
    nats = np.logaddexp.reduce(logits, axis=-1) - picked
    expected = (nats.mean(axis=2) * weights).sum() / weights.sum()
    assert float(Nats()(targets, logits, sample_weight=weights)) == pytest.approx(expected, rel=1e-5)


def test_the_saved_network_has_the_parameters_of_the_whole_ensemble():
    config, info = Config(**SMALL, knots=(-1.0, 1.0)), INFO | {"intervals": 1}
    one, three = (build(dataclasses.replace(config, ensemble_size=size), info).count_params() for size in (1, 3))
    assert three == 3 * one == averaged(build(dataclasses.replace(config, ensemble_size=3), info)).count_params()


# Bad input, and your own data


def test_a_feed_that_is_not_there_is_refused_before_the_network_is_loaded(smoke, monkeypatch):
    monkeypatch.setattr(runs.Run, "load_model", lambda run: pytest.fail("loaded"))
    done = run_here(APP, "stream", "nowhere.csv", GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 2 and "None at nowhere.csv" in done.stderr
    assert done.stderr.count("\n") == 1


BAD = {
    "an unknown architecture": (["train", "--arch", "transformer"], "--arch: expected one of elman, lstm"),
    "an unknown statistic": (["train", "--summaries", "last", "slope"], "--summaries: expected one of last, mean, low"),
    "a fold too many": (["train", "--fold", "5"], "--fold: expected less than --fold-count 5; received 5"),
    "too many folds to train": (["train", "--folds", "6"], "--folds: expected at most 5 from fold 0"),
    "too few folds": (["train", "--fold-count", "2"], "--fold-count: expected at least 3; received 2"),
    "intervals without a width": (["train", "--intervals", "3"], "--intervals: expected 1 without --interval"),
    "an unknown data set": (["train", "--data", "mimic"], "--data: expected builtin, physionet2012, pbc2, or the path"),
    "too few examples": (["train", "--max-examples", "40"], "expected at least 15 patients of each outcome for 5 fold"),
    "an unknown recipe": (["train", "--recipe", "huge"], "--recipe: expected one of builtin"),
    "figures of others to be recorded": (
        ["evaluate", "--data", "x.csv", "--record"],
        "--record: expected without --data",
    ),
    "outcomes of nobody": (["evaluate", "--outcomes", "x.csv"], "--outcomes: expected with --data"),
    "no such cohort": (["evaluate", "--data", "nowhere.csv"], "There is none at nowhere.csv"),
    "a fold of other patients": (["train", "--test", "x.csv", "--fold", "1"], "--fold: expected 0 with --test"),
    "an unknown run": (["predict", "x.csv", "--run", "none"], "There is no run"),
    "no such patient": (["predict", "nowhere.csv"], "There is none at nowhere.csv"),
    "a negative number of reasons": (["predict", "x.csv", "--reasons", "-1"], "--reasons: expected at least 0"),
    "an impossible alarm": (["stream", "x.csv", "--threshold", "2"], "--threshold: expected more than 0 and less than"),
    "no such feed": (["stream", "nowhere.csv"], "None at nowhere.csv"),
    "an empty feed": (["stream", "-"], "standard input: expected measurements; received none\n"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gives_one_line_and_status_2(name, smoke):
    words, expected = BAD[name]
    done = run_here(APP, *words, GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 2
    assert expected in done.stderr
    noted = done.stderr.replace(predict.WARNING, "").strip().splitlines()
    assert [text for text in noted if not text.startswith("The alarm is raised")] == noted[-1:], done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["grud", "tcn"])
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
    words += ["--interval", "2", "--epochs", "2", "--ensemble-size", "1", "--units", "8", "--valid-fraction", "0.2"]
    done = run_here(APP, "train", *words, GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 0, done.stderr
    records = figures(tmp_path / "runs")
    assert [(r["metric"], r["headline"]) for r in records] == [("c_index_td", True), ("brier_td", False)]
    assert set(records[0]["baselines"]) == {"cox_last_visit"} and records[0]["details"]["stated"] == 0.1
    example = next((tmp_path / "runs").glob("*/*/example.csv"))
    asked = run_here(APP, "predict", str(example), "--reasons", "1", GALLERY_RUNS=str(tmp_path / "runs"))
    assert asked.returncode == 0, asked.stderr
    assert "risk of outcome 1 within 10" in asked.stdout and "risk of outcome 2" in asked.stdout
    watched = run_here(APP, "stream", str(example), GALLERY_RUNS=str(tmp_path / "runs"))
    assert watched.returncode == 0, watched.stderr


@pytest.mark.slow
def test_the_network_learns_from_what_happens_together_what_the_baselines_cannot(tmp_path):
    done = run_here(APP, "train", "--ensemble-size", "1", GALLERY_RUNS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    auroc = figures(tmp_path)[0]
    assert auroc["value"] > max(auroc["baselines"].values())
