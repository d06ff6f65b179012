"""Bars of the user's own: what is refused and in which words, and what an answer says about itself."""

import csv
import dataclasses
import io
import json
import re
import shutil

import numpy as np
import pytest

from apps.stock_prediction import (
    bars,
    baselines,
    cautions,
    check_data,
    data,
    features,
    forecasts,
    intervals,
    options,
    pictures,
    predict,
    reading,
)
from apps.stock_prediction.config import HORIZONS, SMOKE, WARNING
from shared import InputError, MissingFileError, plots, runs
from shared.data.doctor import NOTE, PROBLEM
from shared.data.doctor import WARNING as WARNED
from tests.apps.test_stock_prediction_data import file_of, lines, walk
from tests.commands import trained

NAME = "stock_prediction"


@pytest.fixture(scope="module")
def run():
    """A finished smoke run on the S&P 500."""
    path = next(trained(NAME)[0].glob(f"{NAME}/*"))
    return runs.Run(path, NAME, json.loads((path / "config.json").read_text())["config"])


def scaled(rows, factors):
    return [
        dataclasses.replace(row, **{name: getattr(row, name) * factor for name in bars.PRICES})
        for row, factor in zip(rows, factors, strict=True)
    ]


def without(rows, names, every=1, until=None):
    """The rows with these cells empty in every n-th of them."""
    unknown = dict.fromkeys(names, np.nan)
    return [
        dataclasses.replace(row, **unknown) if n % every == 0 and n < (until or len(rows)) else row
        for n, row in enumerate(rows)
    ]


# Refused


@pytest.mark.parametrize("out", ["bars/mine.csv", "bars/new.csv"])
def test_a_forecast_is_never_written_into_the_folder_of_the_bars(out, tmp_path):
    (tmp_path / "bars").mkdir()
    path = file_of(tmp_path / "bars", lines(walk(1, 3)))
    before = path.read_bytes()
    with pytest.raises(InputError, match="--out: expected a file outside the folder of the bars"):
        options.Predict(bars=str(tmp_path / "bars"), out=str(tmp_path / out)).check()
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "names, every, said",
    [
        (("open", "high", "low"), 1, "next 1 day in training, validation and test each; received 0, 0 and 0"),
        (("high",), 20, "next 22 days in training, .* received 0, 0 and 0. Of 700 bars, 665 have Open, High and Low"),
    ],
)
def test_bars_of_too_few_known_variances_are_refused_with_their_counts(names, every, said, tmp_path, run, capsys):
    path = str(file_of(tmp_path, [re.sub("nan", "", line) for line in lines(without(walk(1, 700), names, every))]))
    with pytest.raises(InputError, match=said):
        data.load(dataclasses.replace(SMOKE, data=path))
    with pytest.raises(InputError, match=said):
        data.tested_on(data.load(SMOKE), path, SMOKE, run.path.name)
    assert capsys.readouterr().err == ""


def test_closes_alone_are_nothing_to_predict_from(run, tmp_path):
    rows = [re.sub("nan", "", line) for line in lines(without(walk(1, 100), ("open", "high", "low")))]
    with pytest.raises(InputError, match="Open, High and Low in some of the last 66 bars of mine, .* received none"):
        predict.read_bars(str(file_of(tmp_path, rows)), run)


def test_one_ticker_is_refused_by_a_run_of_several_with_what_to_do():
    found = data.laid_out(bars.bars("mine.csv", {"A": walk(1, 60)}), (), {"source": "mine.csv"})
    said = (
        "mine.csv: expected several tickers, since the run dozen was trained on X, Y; received 1 ticker: A. Give them"
    )
    with pytest.raises(InputError, match=said):
        data.check_tickers(found, {"inputs": ["other"], "tickers": ["X", "Y"]}, "dozen")


def test_a_first_year_without_variances_is_left_out_of_every_regression():
    panel = bars.bars("panel", {"A": without(walk(1, 700), ("open", "high", "low"), until=250), "B": walk(2, 700)})
    refits = data.walk(panel, SMOKE)
    found = data.laid_out(panel, refits, {})
    for method in (baselines.har, baselines.log_har_leverage_market):
        assert np.isfinite(method(found, refits[0])[:, found.asked(refits[0])]).all()


def test_missing_bars_are_named_as_such():
    with pytest.raises(MissingFileError, match="Expected a CSV file of daily bars, .* There is none at none.csv"):
        options.Predict(bars="none.csv").check()


def test_semicolons_and_decimal_commas_are_named(tmp_path):
    path = file_of(tmp_path, ["2010-01-04;1,5;2,5;1,0;2,0"], "date;open;high;low;close\n")
    with pytest.raises(InputError, match="line 2 has 5. It has semicolons .* with points in decimals"):
        reading.read(path)


def test_files_with_an_ending_in_capitals_are_read_too(tmp_path):
    for name in ("A.csv", "B.CSV", ".hidden.csv"):
        file_of(tmp_path, lines(walk(1, 3)), name=name)
    assert reading.read(tmp_path).tickers == ("A", "B")


def test_a_test_part_that_begins_too_late_names_the_day_that_was_given():
    with pytest.raises(InputError, match="received 1,000 and 0, from 2031-01-01 on, as the last day is 2018-12-31"):
        data.load(dataclasses.replace(SMOKE, test_from="2031-01-01"))


# Reported


@pytest.mark.parametrize("factor", [1.5, 2, 6, 8, 15, 25, 50, 100])
@pytest.mark.parametrize("up", [False, True])
def test_a_jump_by_a_split_s_factor_is_reported_and_misleads(factor, up):
    factors = np.where(np.arange(60) < 30, 1.0, factor if up else 1 / factor)
    found = bars.bars("walk", {"A": scaled(walk(1, 60), factors)})
    assert found.counts == {bars.JUMPS: 1} and "(line 32)" in found.notes[0]
    level, text = anomalies(found)[0]
    assert level == PROBLEM and text.startswith("1 jump of the Close")


@pytest.mark.parametrize("count, level", [(60, WARNED), (2, NOTE)])
def test_bars_without_a_range_are_counted_and_many_are_a_warning(count, level):
    rows = [
        dataclasses.replace(row, open=row.close, high=row.close, low=row.close) if n < count else row
        for n, row in enumerate(walk(1, 60))
    ]
    found = bars.bars("walk", {"A": rows})
    assert found.counts == {bars.FLAT: count}
    assert anomalies(found)[0].level == level and "closing prices only?" in found.notes[0]


def anomalies(found):
    return check_data.anomalies(data.laid_out(found, (), {}))


# What an answer says about itself


def test_without_calibration_there_is_no_interval_and_a_reason(run, tmp_path):
    shutil.copytree(run.path, tmp_path / "half")
    (tmp_path / "half" / predict.CALIBRATION).unlink()
    half = dataclasses.replace(run, path=tmp_path / "half")
    predictor = predict.Predictor(half)
    (found,) = predictor.forecasts(read := predict.read_bars(str(run.path / predict.EXAMPLE), half))
    assert found.low == found.high == (None,) * len(HORIZONS)
    assert "% a day (no interval), " in forecasts.described(found, 252)
    rows = list(csv.DictReader(io.StringIO(forecasts.table_of([found]))))
    assert {row["low_percent_a_day"] for row in rows} == {""} and float(rows[0]["volatility_percent_a_day"]) > 0
    answer = json.loads(json.dumps(forecasts.answer([found], 252, predictor.cautions(read)), allow_nan=False))
    assert answer["tickers"][0]["volatility"][0]["low"] is None
    assert answer["cautions"] == [predict.NOT_FINISHED]


def test_a_ticker_unlike_those_of_training_is_named_with_how_much(run):
    info = run.info()
    place = info["inputs"].index("log_variance_66")
    mean = info["refits"][-1]["mean"][place]
    rows = walk(1, 100)
    calm = features.inputs(plain := bars.bars("x", {"A": rows}), features.measured(plain))[1][0, -1, place]
    told = []
    for factor in (1.0, 6.0, 1 / 6):
        # Prices whose logs move by a factor are as much more volatile.
        power = factor * np.exp((mean - calm) / 2)
        wild = [dataclasses.replace(r, **{c: getattr(r, c) ** power for c in bars.PRICES}) for r in rows]
        read = data.laid_out(bars.bars("/tmp/secret.csv", {"A": wild}), (), {})
        told.append(cautions.cautions(read, info))
    assert told[0] == [] and len(told[1]) == len(told[2]) == 1
    assert told[1][0].startswith("A is 6.0 times as volatile as the bars that the run was trained on, S&P 500 (")
    assert told[2][0].startswith("A is 6.0 times less volatile than the bars")
    answer = forecasts.answer([], 252, told[1])
    assert answer["cautions"] == told[1] and answer["notice"] == WARNING
    assert (answer["unit"], answer["coverage"], answer["bars_per_year"]) == ("per cent a day", 0.9, 252)


def moving(powers):
    """Bars of a random walk whose moves, from one Close to the next, have these powers."""
    rows, close = [], 100.0
    walked = walk(1, len(powers) + 1)
    for before, row, power in zip(walked, walked[1:], powers, strict=False):
        rows.append(
            dataclasses.replace(row, **{c: close * (getattr(row, c) / before.close) ** power for c in bars.PRICES})
        )
        close = rows[-1].close
    return rows


def test_a_ticker_that_has_lately_become_more_volatile_or_less_is_named(run):
    """By 3 within the last 20 of 100 days: the quarter alone is still like those of training."""
    info = run.info()
    place = info["inputs"].index("log_variance_66")
    plain = bars.bars("x", {"A": moving(np.ones(100))})
    calm = features.inputs(plain, features.measured(plain))[1][0, -1, place]
    usual = np.exp((info["refits"][-1]["mean"][place] - calm) / 2)
    told = []
    for factor in (1.0, 3.0, 1 / 3):
        powers = usual * np.where(np.arange(100) < 80, 1.0, factor)
        read = data.laid_out(bars.bars("x.csv", {"A": moving(powers)}), (), {})
        told.append(cautions.cautions(read, info))
    assert told[0] == [] and len(told[1]) == len(told[2]) == 1
    times = r"A in the last month is [23]\.\d times"
    assert re.match(f"{times} as volatile as in the two months before .* S&P 500, have few such changes", told[1][0])
    assert re.match(f"{times} less volatile than in the two months before ", told[2][0])


def test_what_was_corrected_in_the_bars_is_a_caution_without_the_path(run, tmp_path):
    rows = lines(walk(1, 100))
    read = predict.read_bars(str(file_of(tmp_path, [*rows, rows[3]])), run)
    out_of_order, twice, *_ = cautions.cautions(read, run.info())
    assert out_of_order == "1 row out of order, sorted by day (line 102)" and twice.startswith("1 duplicate row, ")


def test_a_year_has_as_many_bars_as_the_file_says():
    every_day = [dataclasses.replace(row, day=np.datetime64("2010-01-01") + n) for n, row in enumerate(walk(1, 60))]
    assert bars.bars("x", {"A": every_day}).per_year == 365 and bars.bars("x", {"A": walk(1, 60)}).per_year == 252


def test_the_coverage_of_the_intervals_is_measured_on_the_test_days(run):
    index = data.load(SMOKE)
    # Forecasts that are the truth up to noise, which is the same in validation and in test.
    noise = np.exp(0.3 * np.random.default_rng(0).normal(size=index.targets.variance.shape))
    raw = {refit.number: index.targets.variance * noise for refit in index.refits}
    np.testing.assert_allclose(intervals.coverage(index, raw), 0.9, atol=0.07)
    for record in run.metrics()[:3]:
        assert 0.5 < record["details"]["interval_coverage_90"] < 1
    assert re.search(r"The 90 % intervals of the volatility hold on \d+\.\d % \(1-day\)", trained(NAME)[1])


@pytest.mark.parametrize("ends, said", [((0.95, 1.4), "1.1"), ((3, 90), "50")])
def test_a_logarithmic_axis_has_plain_numbers(ends, said):
    figure, axes = plots.new_figure("")
    axes.plot([0, 1], ends)
    pictures.logarithmic(axes)
    figure.canvas.draw()
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert said in labels and not any("10^" in label for label in labels)
