"""`check-data` in every app: what it says of the smoke data, and of data with a fault that was put into it."""

import dataclasses
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from apps.stock_prediction import check_data as stocks
from apps.text_generation import check_data as texts
from apps.time_series_forecasting import check_data as forecasts
from apps.translation import check_data as translations
from shared.data.doctor import LEVELS, OK, PROBLEM, WARNING
from shared.inspection import Amount, effort
from tests.commands import APPS, run_here


@pytest.mark.parametrize("app", APPS)
def test_the_smoke_data_has_no_problem_and_only_a_picture_is_written(app, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run_here(f"apps.{app}", "check-data", "--recipe", "smoke", "--json", GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["app"] == app and found["problems"] == 0
    assert found["findings"] and all(finding["level"] in LEVELS for finding in found["findings"])
    assert any(finding["text"].startswith("training takes at most ") for finding in found["findings"])
    assert [path.name for path in tmp_path.iterdir()] == [found["picture"]] == [f"check-data-{app}.png"]


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings of an app."""

    data: str = "builtin"
    arch: str = "gru"
    units: int = 8
    epochs: int = 4


def said(folder, amount=None, records=None, **settings):
    """What is said of the training of an app in this folder; the recorded one took 3 minutes for 4 x 100 words."""
    record = {"command": "python -m apps.toy train --data builtin --seeds 3", "minutes": 3.0, "hardware": "2 x CPU"}
    (folder / "toy").mkdir(exist_ok=True)
    (folder / "toy/results.json").write_text(json.dumps([record] if records is None else records))
    config = Settings(**settings)
    amount = amount or Amount(250, "words", 100)
    return effort(folder / "toy/check_data.py", config, {"builtin": Settings()}, 5, config.epochs, amount).text


def test_the_minutes_of_a_training_are_those_recorded_or_estimated_in_proportion_to_what_it_reads(tmp_path):
    assert said(tmp_path).endswith("; it took 3 minutes on 2 x CPU")
    mine = said(tmp_path, data="mine.txt", epochs=8)
    assert "at most 8 epochs of about 5 batches, 40 steps; an estimate: about 15 minutes" in mine
    assert "as that of builtin took 3 minutes on 2 x CPU, and this one reads 5 times as many words" in mine
    assert "less than a minute" in said(tmp_path, Amount(20, "words", 100), data="mine.txt")
    assert "reads 10 times as many" in said(tmp_path, Amount(250, "words", 100, epochs=1), data="mine.txt")


def test_where_the_minutes_cannot_be_estimated_the_reason_is_said(tmp_path):
    assert "no estimate of the minutes: the recorded training has --units 8, not 9" in said(tmp_path, units=9)
    assert "no estimate of the minutes: no training" in said(tmp_path, records=[], data="mine.txt")
    assert said(tmp_path, "it ends when it is solved", data="mine.txt").endswith("minutes: it ends when it is solved")


def test_your_own_text_is_compared_with_the_built_in_one_that_is_as_long_as_recorded(tmp_path):
    assert len(texts.load(texts.Config()).train) == texts.RECORDED
    (tmp_path / "mine.txt").write_text("".join(f"line {n} of a text\n" for n in range(3000)))
    found = [text for _, text in texts.look(texts.Config(data=str(tmp_path / "mine.txt"))).findings]
    (time,) = [text for text in found if text.startswith("training takes")]
    assert re.search(r"an estimate: less than a minute, as that of builtin took .* reads 0.14 times as many char", time)


def checked(app, tmp_path, *words):
    """The exit status and what was printed."""
    done = run_here(f"apps.{app}", "check-data", *map(str, words), "--out", str(tmp_path / "picture.png"))
    assert (tmp_path / "picture.png").exists(), done.stderr
    return done.returncode, done.stdout


def sentences(path, numbers, labels="good bad"):
    rows = [f"sentence {n} is {label},{label}\n" for n in numbers for label in labels.split()]
    path.write_text("text,label\n" + "".join(rows))
    return path


def test_a_text_of_the_test_file_that_is_in_training_is_named_and_a_test_file_of_one_label_is_a_problem(tmp_path):
    data = sentences(tmp_path / "data.csv", range(40))
    mixed = sentences(tmp_path / "mixed.csv", range(39, 60))
    status, said = checked("sentiment_analysis", tmp_path, "--data", data, "--test", mixed)
    assert status == 0 and "2 of 42 test texts (4.8 %) are also in the training part as given" in said
    assert f"{mixed}, line 2: 'sentence 39 is good'" in said
    alike = sentences(tmp_path / "alike.csv", range(60, 90), "good")
    status, said = checked("sentiment_analysis", tmp_path, "--data", data, "--test", alike)
    assert status == 1 and "  problem  all 30 test examples are 'good'" in said


def records(folder, patients, more=""):
    """Measurements and outcomes; every second patient has the outcome."""
    random = np.random.default_rng(0)
    values = {name: 70 + 5 * random.normal(size=6) for name in dict.fromkeys(patients.values())}
    rows = [f"{new},{hour},HeartRate,{values[old][hour]:.3f}\n" for new, old in patients.items() for hour in range(6)]
    rows += [f"{new},0,{more},{int(old[1:]) % 2 + 0.001 * int(new[1:])}\n" for new, old in patients.items() if more]
    (folder / "mine.csv").write_text("patient,time,variable,value\n" + "".join(rows))
    ends = [f"{new},{int(old[1:]) % 2}\n" for new, old in patients.items()]
    (folder / "outcomes.csv").write_text("patient,outcome\n" + "".join(ends))
    return folder / "mine.csv"


def test_a_patient_under_two_names_and_a_variable_that_states_the_outcome_are_problems(tmp_path):
    words = ["--fold-count", 3, "--window", 0]
    apart = records(tmp_path, {f"p{n}": f"p{n}" for n in range(60)})
    status, said = checked("healthcare_monitoring", tmp_path, "--data", apart, *words)
    assert status == 0 and "none of 20 test patients' records is also in the training set" in said
    twice = records(tmp_path, {f"p{n}": f"p{n // 2}" for n in range(60)})
    status, said = checked("healthcare_monitoring", tmp_path, "--data", twice, *words)
    assert status == 1
    assert re.search(
        r"^  problem  \d+ of \d+ test patients' records .* e.g. .*mine.csv, line \d+: 'p\d+'", said, re.MULTILINE
    )
    telling = records(tmp_path, {f"p{n}": f"p{n}" for n in range(60)}, "LengthOfStay")
    status, said = checked("healthcare_monitoring", tmp_path, "--data", telling, *words)
    assert status == 1 and "  problem  LengthOfStay (its value) tells the outcome" in said


def test_a_clipped_recording_is_named_and_the_same_recording_of_two_speakers_is_a_problem(tmp_path):
    random, rows = np.random.default_rng(0), []
    for number in range(12):
        sound = 0.1 * random.normal(size=8000)
        soundfile.write(tmp_path / f"{number}.wav", np.clip(40 * sound, -1, 1) if number == 3 else sound, 8000)
        rows.append(f"{number}.wav,one two,speaker{number}\n")
    (tmp_path / "list.csv").write_text("path,text,speaker\n" + "".join(rows))
    words = ["--data", tmp_path, "--test-fraction", "0.2"]
    status, said = checked("speech_recognition", tmp_path, *words)
    assert "1 of 12 recordings (8.3 %) is clipped, e.g." in said and "list.csv, line 5: 3.wav" in said
    for number in range(12):
        (tmp_path / f"{number}.wav").write_bytes((tmp_path / "0.wav").read_bytes())
    status, said = checked("speech_recognition", tmp_path, *words)
    assert status == 1 and "test recordings (100 %)" in said.split("  warning")[0]


def test_a_known_column_that_is_the_value_itself_is_a_problem(tmp_path):
    days = np.datetime64("2020-01-01") + np.arange(200)
    values = np.random.default_rng(0).normal(size=200).cumsum()
    for name, known in (("price", np.arange(200) % 7), ("total", 2 * values)):
        rows = [f"{day},{value:.4f},{other:.4f}\n" for day, value, other in zip(days, values, known, strict=True)]
        (tmp_path / f"{name}.csv").write_text(f"ds,y,{name}\n" + "".join(rows))
    words = ["--horizon", 5, "--lookback", 20]
    status, _ = checked(
        "time_series_forecasting", tmp_path, "--data", tmp_path / "price.csv", "--known", "price", *words
    )
    assert status == 0
    status, said = checked(
        "time_series_forecasting", tmp_path, "--data", tmp_path / "total.csv", "--known", "total", *words
    )
    assert status == 1 and "  problem  the known column total correlates 1.000 with the values" in said
    status, said = checked("time_series_forecasting", tmp_path, "--data", tmp_path / "price.csv", "--lookback", 100)
    assert status == 1 and "training part has 5 windows of 100 + 26 steps, too few to train on" in said


@pytest.mark.parametrize("words, line", [(["--data", "nosuch.csv"], "nosuch.csv"), (["--out", "no/such.png"], "--out")])
def test_what_is_not_there_is_refused_in_one_line(words, line):
    done = run_here("apps.sentiment_analysis", "check-data", "--recipe", "smoke", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert line in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_returns_are_said_as_changes_of_the_price_and_a_price_that_stands_still_in_test_is_a_problem():
    random = np.random.default_rng(0)
    returns = random.normal(size=(2, 400))
    returns[0, 7], returns[1, 320:] = 100 * np.log(0.25), 0
    bars = SimpleNamespace(tickers=("A", "B"), days=np.datetime64("2020-01-01") + np.arange(400))
    data = SimpleNamespace(bars=bars, series=SimpleNamespace(returns=returns), refits=[SimpleNamespace(test=300)])
    (found,) = stocks.largest(data)
    assert "A -75.0 % on 2020-01-08" in found.text
    assert [level for level, _ in stocks.stale(data)] == [WARNING, PROBLEM]
    assert "B on 80 %" in stocks.stale(data)[1].text


def test_bars_are_not_said_to_be_complete_where_rows_without_a_close_were_left_out():
    closes = {"A": np.arange(1.0, 9.0)}
    assert [level for level, _ in stocks.gaps(closes, {})] == [OK]
    assert stocks.gaps(closes, {"rows without a Close, left out": 76}) == []


def test_a_series_that_keeps_one_value_in_test_is_a_warning():
    values = np.random.default_rng(0).normal(size=200)
    moving = SimpleNamespace(name="a", values=values)
    stopped = SimpleNamespace(name="b", values=np.where(np.arange(200) < 170, values, 1.0))
    (found,) = forecasts.standing((moving, stopped), ((100, 150, 200),) * 2)
    assert found.level == WARNING and found.text.endswith(": b for 30 of 50 steps")


def test_intervals_calibrated_on_two_forecasts_are_a_warning_and_on_three_are_not():
    (found,) = forecasts.calibrated(2, 720)
    assert (found.level, forecasts.calibrated(3, 720)) == (WARNING, [])
    assert found.text.startswith("the validation part has 2 forecasts of 720 steps that do not overlap")


def test_repetitions_of_pairs_are_counted_where_they_remain():
    pairs = [SimpleNamespace(source=text, target=text) for text in "abbccc"]
    parts = {"train": SimpleNamespace(pairs=pairs), "test": SimpleNamespace(pairs=pairs[:3])}
    assert translations.kept(parts) == (
        "repetitions that each split keeps: train 3, test 1; of its pairs, 2 are in another split too"
    )
