"""Every app that measures a run on data of the user's own does so in one way, and leaves the run as it was."""

import dataclasses
import importlib
import json
import re
import shlex

import imageio.v3 as iio
import numpy as np
import pytest
import soundfile

from shared import cli
from tests.commands import APPS, contents, run_here, trained


def verbs(app, words=()):
    return importlib.import_module(f"apps.{app}.options").verbs(list(words))


def measures_own_data(app):
    """Whether the app's evaluate has the option --data."""
    options, *_ = verbs(app)["evaluate"]
    return "data" in {field.name for field in dataclasses.fields(options)}


def text(folder):
    """More of what the run was trained on, in other words."""
    (folder / "mine.txt").write_text("A statement is a line of its own.\n" * 30)
    return folder / "mine.txt"


def pairs(folder):
    (folder / "mine.tsv").write_text("".join(f"{day} January 2011\t{day}. Januar 2011\n" for day in range(1, 21)))
    return folder / "mine.tsv"


def music(folder):
    scale = "|".join(["C D E F", "G A B c", "c B A G", "F E D C"])
    (folder / "mine.abc").write_text(
        "".join(f"X:{n}\nM:4/4\nL:1/4\nK:{key}\n{scale}|]\n\n" for n, key in enumerate("CGF"))
    )
    return folder / "mine.abc"


def patients(folder):
    rows = [f"p{n},{hour},HeartRate,{70 + 20 * (n % 2) + hour}\n" for n in range(20) for hour in range(9)]
    (folder / "mine.csv").write_text("patient,time,variable,value\n" + "".join(rows))
    (folder / "outcomes.csv").write_text("patient,outcome\n" + "".join(f"p{n},{n % 2}\n" for n in range(20)))
    return folder / "mine.csv"


def sentences(folder):
    rows = [f"I {word} this\t{label}\n" for label, word in (("negative", "hate"), ("positive", "love")) for _ in "1234"]
    (folder / "mine.tsv").write_text("text\tlabel\n" + "".join(rows))
    return folder / "mine.tsv"


def requests(folder):
    rows = [{"text": "set a timer for ten minutes", "intent": "set_timer", "slots": {}}] * 4
    (folder / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "mine.jsonl"


def recordings(folder):
    noise = np.random.default_rng(0)
    for name in "ab":
        soundfile.write(folder / f"{name}.wav", 0.1 * noise.normal(size=8000), 8000)
    (folder / "mine.csv").write_text("path,text\na.wav,one two\nb.wav,three\n")
    return folder / "mine.csv"


def shares(folder):
    random = np.random.default_rng(0)
    close = 100 * np.exp(np.cumsum(0.01 * random.normal(size=420)))
    days = np.busday_offset("2015-01-05", np.arange(420))
    rows = [
        f"{day},{c:.4f},{1.01 * c * (1 + 0.01 * wild):.4f},{0.99 * c:.4f},{1.002 * c:.4f},1000\n"
        for day, c, wild in zip(days, close, random.random(420), strict=True)
    ]
    (folder / "shares.csv").write_text("date,open,high,low,close,volume\n" + "".join(rows))
    return folder / "shares.csv"


def months(folder):
    rows = [f"{2000 + n // 12}-{n % 12 + 1:02},{10 + n % 12}\n" for n in range(60)]
    (folder / "mine.csv").write_text("ds,y\n" + "".join(rows))
    return folder / "mine.csv"


def frames(folder):
    (folder / "mine").mkdir()
    for t in range(12):
        picture = np.zeros((32, 32), np.uint8)
        picture[4:12, t : t + 8] = 200
        iio.imwrite(folder / f"mine/{t}.png", picture)
    return folder / "mine"


OWN = {
    "text_generation": text,
    "translation": pairs,
    "music_composition": music,
    "healthcare_monitoring": patients,
    "sentiment_analysis": sentences,
    "chatbot": requests,
    "speech_recognition": recordings,
    "stock_prediction": shares,
    "time_series_forecasting": months,
    "video_prediction": frames,
}
MEASURING = [app for app in APPS if measures_own_data(app) and app in OWN]  # a copy has tests of its own
every_measuring_app = pytest.mark.parametrize("app", MEASURING)


@every_measuring_app
def test_a_run_is_measured_on_a_file_of_ones_own_and_stays_as_it_was(app, tmp_path):
    folder, path = trained(app)[0], OWN[app](tmp_path)
    before = contents(folder)
    done = run_here(f"apps.{app}", "evaluate", "--data", str(path), GALLERY_RUNS=str(folder))
    assert done.returncode == 0, done.stderr
    after = contents(folder)
    assert {name: after[name] for name in before} == before
    metrics = json.loads(next(folder.glob(f"{app}/*/metrics.json")).read_text())
    rows = re.findall(r"^  (\w+) +(\w+) .*?[\d.]+   ([\w+ ]+?) [\d.]", done.stdout, re.MULTILINE)
    assert "as published" not in done.stdout
    heading = next(line for line in done.stdout.splitlines() if " of training" in line)
    assert heading.startswith(metrics[0]["data"]) and heading.endswith(f" of training; tested on {path.name}")
    assert {split for split, *_ in rows} == {"test"}
    assert metrics[0]["metric"] in {metric for _, metric, _ in rows}
    assert set(metrics[0]["baselines"]) & {baseline for *_, baseline in rows}


@every_measuring_app
def test_figures_of_ones_own_file_are_not_recorded(app, tmp_path):
    path = OWN[app](tmp_path)
    words = ["evaluate", "--data", str(path), "--record"]
    done = run_here(f"apps.{app}", *words, GALLERY_RUNS=str(tmp_path / "runs"))
    assert (done.returncode, done.stdout) == (2, "") and len(done.stderr.splitlines()) == 1
    assert "--record" in done.stderr and "--data" in done.stderr


@every_measuring_app
def test_a_file_that_is_not_there_is_named_in_one_line(app, tmp_path):
    folder, path = trained(app)[0], tmp_path / "nowhere.txt"
    done = run_here(f"apps.{app}", "evaluate", "--data", str(path), GALLERY_RUNS=str(folder))
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1
    assert str(path) in done.stderr


@pytest.mark.parametrize("app", APPS)
def test_the_commands_that_a_training_prints_at_its_end_are_ones_that_the_app_has(app):
    printed = [line.strip() for line in trained(app)[1].splitlines() if line.startswith(f"  python -m apps.{app} ")]
    assert len(printed) >= 3
    for line in printed:
        words = shlex.split(line, comments=True)[3:]
        assert cli.parse(f"apps.{app}", verbs(app, words), words)
