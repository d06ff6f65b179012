"""Dates, files, repairs, parts and windows: everything before a network sees a number."""

import csv
import dataclasses
import datetime
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.time_series_forecasting import clock, data, dates, panel, reading, sources, step_check, steps
from apps.time_series_forecasting.config import RECIPES, SMOKE, Config
from apps.time_series_forecasting.windows import WindowBatches
from shared import InputError

HOURLY = clock.Clock("seconds", 3600)
SMALL = dict(horizon=4, lookback=8, segment=4)


def written(folder, text, name="series.csv"):
    path = folder / name
    path.write_text(text)
    return path


def long(rows):
    return "unique_id,ds,y\n" + "".join(f"{name},{date},{value}\n" for name, date, value in rows)


def days(count, first="2026-01-01"):
    start = datetime.date.fromisoformat(first)
    return [str(start + datetime.timedelta(days=number)) for number in range(count)]


def parsed(*texts):
    return dates.parse(texts, [f"line {number}" for number in range(2, 2 + len(texts))])


# Dates


@pytest.mark.parametrize(
    "rule, step",
    [
        ("h", clock.Clock("seconds", 3600)),
        ("15min", clock.Clock("seconds", 900)),
        ("D", clock.Clock("seconds", 86_400)),
        ("W-SAT", clock.Clock("seconds", 7 * 86_400, 2 * 86_400)),
        ("MS", clock.Clock("months", 1)),
        ("ME", clock.Clock("months", 1)),
        ("QS", clock.Clock("months", 3)),
        ("B", clock.Clock("weekdays", 1)),
    ],
)
def test_the_step_of_dates_is_found_and_each_date_is_said_again(rule, step):
    days = pd.date_range("2021-01-02", periods=60, freq=rule)
    texts = [str(date) if rule in ("h", "15min") else f"{date:%Y-%m-%d}" for date in days]
    unit, moments = parsed(*texts)
    found, moments = steps.fit(unit, moments, "file")
    assert found == step
    k = found.place(moments)
    assert (np.diff(k) == 1).all()
    assert [found.text(number).removesuffix(" 00:00") for number in k.tolist()] == [
        text.removesuffix(":00").removesuffix(" 00:00") for text in texts
    ]


def grid(dates_):
    """The series of a file with these dates as they are written."""
    unit, moments = parsed(*dates_)
    found, moments = steps.fit(unit, dates.local(moments, dates_), "file")
    return found, found.place(moments)


@pytest.mark.parametrize("zone", [None, "Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize("time", ["00:00", "12:00", "23:30"])
@pytest.mark.parametrize("days", ["1", "15", "28", "29", "30", "ME", "BME", "BMS"])
def test_months_are_found_at_any_time_of_day_and_in_any_zone(days, time, zone):
    start = pd.date_range("2024-01-01", periods=30, freq="MS")
    if days.isdigit():
        start = [date.replace(day=min(int(days), date.days_in_month)) for date in start]
    else:
        start = pd.date_range("2024-01-01", periods=30, freq=days)
    each = [pd.Timestamp(f"{date:%Y-%m-%d} {time}", tz=zone) for date in start]
    found, k = grid([date.isoformat(sep=" ") for date in each])
    assert found == clock.Clock("months", 1) and (np.diff(k) == 1).all()
    assert [found.text(one)[:7] for one in k.tolist()] == [f"{date:%Y-%m}" for date in each]
    assert found.text(int(k[0])).endswith(time if time != "00:00" else found.text(int(k[0]))[-2:])


@pytest.mark.parametrize("freq", ["28D", "7D", "30D"])
def test_steps_of_days_are_not_months(freq):
    dates_ = [f"{date:%Y-%m-%d}" for date in pd.date_range("2025-01-31", periods=30, freq=freq)]
    assert grid(dates_)[0].unit == "seconds"


@pytest.mark.parametrize("time", ["", " 17:30", " 00:00+02:00"])
def test_working_days_are_found_at_any_time_of_day_and_one_saturday_does_not_change_them(time, tmp_path):
    each = [f"{date:%Y-%m-%d}{time}" for date in pd.date_range("2025-01-01", periods=300, freq="B")]
    found = reading.read(written(tmp_path, long(("a", date, n) for n, date in enumerate(each))))
    assert found.series[0].clock == clock.Clock("weekdays", 1) and len(found.series[0]) == 300
    assert not any("moved" in note for note in found.notes)
    rows = [*(("a", date, n) for n, date in enumerate(each)), ("a", f"2025-02-08{time}", 7)]
    found = reading.read(written(tmp_path, long(rows)))
    assert found.series[0].clock == clock.Clock("weekdays", 1) and len(found.series[0]) == 300
    assert "on a Saturday or Sunday, moved to the Friday before: 1" in "\n".join(found.notes)


def test_each_series_has_a_step_of_its_own(tmp_path):
    kinds = {"monday": "W-MON", "wednesday": "W-WED", "hourly": "h", "month": "MS"}
    rows = [(name, date, n) for name, freq in kinds.items()
            for n, date in enumerate(pd.date_range("2026-01-01", periods=20, freq=freq))]  # fmt: skip
    rows += [("few", date, 1) for date in ("2026-01-02", "2026-01-16")]
    found = {series.name: series for series in reading.read(written(tmp_path, long(rows))).series}
    assert {name: series.clock.step_text() for name, series in found.items()} == {
        "monday": "1 week", "wednesday": "1 week", "hourly": "1 hour", "month": "1 month", "few": "1 week"}  # fmt: skip
    assert all(found[name].observed.all() and len(found[name]) == 20 for name in kinds)
    assert len(found["few"]) == 3


def test_a_series_with_dates_here_and_there_takes_the_step_of_the_others(tmp_path):
    rows = [("daily", date, n) for n, date in enumerate(days(40))]
    rows += [("seldom", f"2026-01-{day:02}", day) for day in (1, 4, 5, 8, 10, 13, 20, 22)]
    found = reading.read(written(tmp_path, long(rows))).series
    assert {series.clock.step_text() for series in found} == {"1 day"}


TRAINED = {"names": ["a", "b"], "clocks": [{"unit": "seconds", "step": 86_400, "origin": 0}] * 2, "horizon": 4}


def test_a_step_that_the_run_was_not_trained_on_is_refused_for_its_series_and_a_caution_for_others(tmp_path):
    hours = pd.date_range("2026-01-01", periods=9, freq="h")
    same = reading.read(written(tmp_path, long([("new", date, 1) for date in days(9)])))
    assert not step_check.other_steps(same.clocks, same.source, TRAINED)
    new = reading.read(written(tmp_path, long([("new", date, n) for n, date in enumerate(hours)])))
    step_check.refuse_other_steps(new.clocks, new.source, TRAINED)
    (said,) = step_check.other_steps(new.clocks, new.source, TRAINED)
    assert said.startswith("new: in steps of 1 hour, but the run was trained on steps of 1 day")
    assert f"time_series_forecasting train --data {tmp_path}/series.csv --horizon 4" in said
    known = reading.read(written(tmp_path, long([("b", date, n) for n, date in enumerate(hours)])))
    with pytest.raises(InputError, match="expected b in steps of 1 day, as in training; received steps of 1 hour"):
        step_check.refuse_other_steps(known.clocks, known.source, TRAINED)


def test_a_known_series_with_few_dates_has_the_step_of_training(tmp_path):
    path = written(tmp_path, long([("b", "2026-01-01", 1), ("b", "2026-01-08", 2)]))
    assert len(reading.read(path, usual=step_check.clocks_of(TRAINED)).series[0]) == 8
    rows = [("b", f"{date:%Y-%m-%d}", n) for n, date in enumerate(pd.date_range("2026-01-01", periods=7, freq="B"))]
    working = {"b": clock.Clock("weekdays", 1)}
    assert reading.read(written(tmp_path, long(rows)), usual=working).series[0].clock == working["b"]


def test_dates_with_a_time_zone_are_read_as_utc():
    assert parsed("2026-03-29 01:30+01:00", "2026-03-29T03:30:00+02:00")[1].tolist() == [
        int(pd.Timestamp("2026-03-29 00:30").timestamp()),
        int(pd.Timestamp("2026-03-29 01:30").timestamp()),
    ]


def test_that_dates_with_a_time_zone_become_utc_is_said(tmp_path):
    rows = "".join(f"2026-01-01 {hour:02}:00+05:00,{hour}\n" for hour in range(9))
    found = reading.read(written(tmp_path, "ds,y\n" + rows))
    assert "as UTC" in found.notes[0] and found.series[0].clock.text(found.series[0].first) == "2025-12-31 19:00"


def test_eight_digits_are_a_date_and_other_whole_numbers_are_steps():
    assert parsed("20260131", "20260201")[0] == "seconds"
    assert parsed("1", "2")[0] == parsed("1999", "2000")[0] == "steps"


@pytest.mark.parametrize(
    "texts, said",
    [
        (("2026-01-01", "01/02/2026"), "line 3: expected a date such as"),
        (("2026-01-01", "2026-01"), "line 3: expected a date as in line 2 (2026-01-01)"),
        (("2026-01-01 00:00Z", "2026-01-01 01:00"), "line 3: expected a time zone in every date or in none"),
        (("2026-02-30",), "line 2: expected a date such as"),
        (("soon",), "line 2: expected a date such as"),
    ],
)
def test_a_date_that_cannot_be_right_is_named_with_its_line(texts, said):
    with pytest.raises(InputError) as error:
        parsed(*texts)
    assert said in str(error.value)


def test_phases_turn_once_a_day_a_week_and_a_year():
    k = np.arange(24 * 366)
    phases = HOURLY.phases(k)
    assert np.allclose(phases[0, :4], phases[7 * 24, :4], atol=1e-6)
    assert not np.allclose(phases[0, :2], phases[12, :2], atol=1)
    np.testing.assert_allclose(np.hypot(phases[:, 4], phases[:, 5]), 1, atol=1e-6)
    assert not clock.Clock("months", 1).phases(k)[:, :4].any()
    assert not clock.Clock("steps", 1).phases(k).any()


@given(st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=30, unique=True), st.integers(1, 10**5))
def test_moments_on_a_grid_come_back(places, step):
    found = clock.Clock("seconds", step, step // 3)
    assert found.place(found.moment(np.array(places))).tolist() == places


# Files


def test_a_long_and_a_wide_file_hold_the_same_series(tmp_path):
    values = {"a": [1.0, 2.5, 3.0], "b": [7.0, 8.0, 9.5]}
    first = reading.read(
        written(tmp_path, long((n, d, v) for n in values for d, v in zip(days(3), values[n], strict=True)), "long.csv")
    )
    rows = zip(days(3), *values.values(), strict=True)
    second = reading.read(written(tmp_path, "date,a,b\n" + "".join(f"{d},{a},{b}\n" for d, a, b in rows), "wide.csv"))
    for found in (first, second):
        assert found.names == ("a", "b")
        for series in found.series:
            assert series.values.tolist() == values[series.name] and series.observed.all() and series.season == 7


def test_what_is_irregular_is_repaired_and_reported_and_nothing_is_lost(tmp_path):
    hours = ["2026-01-01 03:00", "2026-01-01 00:00", "2026-01-01 01:00", "2026-01-01 01:00", "2026-01-01 02:05",
             "2026-01-01 06:00", "2026-01-01 07:00", "2026-01-01 08:00"]  # fmt: skip
    found = reading.read(written(tmp_path, long(zip("aaaaaaaa", hours, [3, 0, 1, 2, 2.5, "", 7, 8], strict=True))))
    (series,) = found.series
    assert series.values.tolist() == [0, 1.5, 2.5, 3, 3, 3, 3, 7, 8]
    assert series.observed.tolist() == [True] * 4 + [False] * 3 + [True] * 2
    said = "\n".join(found.notes)
    for kind in ("out of order, sorted: 1", "several at one moment, averaged: 1", "moved to the nearer one: 1",
                 "missing, filled with the value before: 3"):  # fmt: skip
        assert kind in said


def test_repairs_count_values_of_how_many_series_since_a_row_of_a_wide_file_has_one_of_each(tmp_path):
    first, second, third, fourth = days(4)
    text = f"date,a,b\n{first},3,3\n{third},,2\n{second},2,2\n{fourth},4,4\n"
    assert [note.split(": ", 1)[1] for note in reading.read(written(tmp_path, text)).notes] == [
        "values out of order, sorted: 2, in 2 of 2 series",
        "values missing, filled with the value before: 1, in 1 of 2 series",
    ]


def test_a_missing_value_is_filled_with_one_before_it_and_never_with_one_after():
    values = np.array([1.0, np.nan, np.nan, 4.0, np.nan])
    assert panel.forward(values).tolist() == [1, 1, 1, 4, 4]


def test_constant_series_and_jumps_are_reported(tmp_path):
    rows = [("flat", date, 5) for date in days(30)]
    rows += [("split", date, (100 if n < 15 else 25) + n % 3) for n, date in enumerate(days(30))]
    said = "\n".join(reading.read(written(tmp_path, long(rows))).notes)
    assert "flat is constant" in said and "split jumps from 102 to 25 at 2026-01-16" in said


def test_rows_without_a_value_give_the_known_columns_of_the_future(tmp_path):
    text = "ds,y,price,note\n" + "".join(f"{date},{n if n < 5 else ''},{10 + n},x\n" for n, date in enumerate(days(8)))
    found = reading.read(written(tmp_path, text), known=("price",))
    (series,) = found.series
    assert len(series) == 5 and series.known[:, 0].tolist() == list(range(10, 18))
    assert "columns that are not read: note" in "\n".join(found.notes)


def test_missing_values_of_known_columns_are_reported_and_filled(tmp_path):
    text = "ds,y,price\n" + "".join(f"{date},{n},{'' if n in (3, 4) else n}\n" for n, date in enumerate(days(8)))
    found = reading.read(written(tmp_path, text), known=("price",))
    assert found.series[0].known[:, 0].tolist() == [0, 1, 2, 2, 2, 5, 6, 7]
    assert any("values of known columns missing, filled with the ones before: 2" in note for note in found.notes)


FINE = "unique_id,ds,y\na,2026-01-01,1\na,2026-01-02,2\n"


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "expected a header and rows; received an empty file"),
        ("unique_id,ds,y\n", "expected rows below the header; received none"),
        (FINE + "a,2026-01-03,high\n", "line 4: expected a number as y; received 'high'"),
        (FINE + "a,2026-01-03,inf\n", "line 4: expected a number from -1e+30 to 1e+30 as y; received inf"),
        (FINE + "a,2026-01-03,1e308\n", "line 4: expected a number from -1e+30 to 1e+30 as y; received 1e308"),
        (FINE + "a,2026-01-03,1,5\n", "line 4: expected 3 cells; received 4. Decimals need a point."),
        (FINE + 'a,2026-01-03,"1,5"\n', "line 4: expected a number as y (decimals need a point)"),
        (FINE + ",2026-01-03,1\n", "line 4: expected a unique_id; received an empty cell"),
        (FINE + "a,,1\n", "line 4: expected a date as ds; received an empty cell"),
        (FINE + "a,3.1.2026,1\n", "line 4: expected a date such as"),
        (FINE + "b,2026-01-03,\n", "line 4: expected values of b; received none"),
        ("unique_id,ds,y\na,2026-01-01,1\n", "expected two or more different dates; received 1"),
        ("ds;y\n2026-01-01;1\n", "line 1: expected commas between the cells"),
        ("when,y\n2026-01-01,1\n", "line 1: expected a column of dates called ds or date"),
        ("ds,y,y\n2026-01-01,1,2\n", "line 1: expected one column y"),
        (
            "store,ds,value\na,2026-01-01,1\n",
            "line 2: expected a number as store (the file is taken as wide; long format",
        ),
        ("ds\n2026-01-01\n", "line 1: expected a column for each series besides ds"),
        ("unique_id,ds,value\na,2026-01-01,1\n", "line 1: expected a column y besides unique_id and ds"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_with_its_line(text, said, tmp_path):
    path = written(tmp_path, text)
    with pytest.raises(InputError) as error:
        reading.read(path)
    assert said in str(error.value) and str(path) in str(error.value) and "\n" not in str(error.value)


def test_a_date_far_from_all_others_is_an_error_and_no_gap_of_millions_of_steps(tmp_path):
    dates = [*days(20), "2906-01-01"]
    with pytest.raises(InputError, match="line 22: expected steps like those of the other rows; 2906-01-01"):
        reading.read(written(tmp_path, long(("a", date, n) for n, date in enumerate(dates))))


def test_bytes_that_are_no_text_and_a_file_that_is_not_there_are_named(tmp_path):
    (tmp_path / "bytes.csv").write_bytes(b"ds,y\n\xff\xfe,1\n")
    with pytest.raises(InputError, match="is not a CSV file in UTF-8"):
        reading.read(tmp_path / "bytes.csv")
    with pytest.raises(InputError, match="There is none at"):
        reading.read(tmp_path / "nowhere.csv")
    (tmp_path / "cell.csv").write_text(f"ds,y\n2020-01-01,{'1' * 2_000}\n")
    before = csv.field_size_limit(1_000)
    try:
        with pytest.raises(InputError, match=r"cell\.csv, line 2: field larger than field limit"):
            reading.read(tmp_path / "cell.csv")
    finally:
        csv.field_size_limit(before)


# Parts and windows


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """The path of a ragged long file: 40, 60 and 90 days of three series."""
    counts = {"a": 40, "b": 60, "c": 90}
    rows = [
        (name, date, f"{10 * n + np.sin(k):.6f}")
        for n, (name, count) in enumerate(counts.items())
        for k, date in enumerate(days(count))
    ]
    return written(tmp_path_factory.mktemp("mine"), long(rows))


@pytest.fixture(scope="module")
def loaded(mine):
    return data.load(Config(data=str(mine), **SMALL))


def test_parts_follow_each_other_in_time_and_no_future_crosses_into_the_next(loaded):
    for number, count in enumerate((40, 60, 90)):
        test, valid = max(4, int(0.2 * count)), max(4, int(0.15 * count))
        train = count - test - valid
        bounds = {"train": (8, train), "valid": (train, train + valid), "test": (train + valid, count)}
        for part, (low, high) in bounds.items():
            some = getattr(loaded, part)
            assert some.at[some.who == number].tolist() == list(range(low, high - 4 + 1))


def test_scales_come_from_the_training_part_alone(mine, tmp_path):
    rows = list(csv.reader(io.StringIO(mine.read_text())))
    last = {name: n for n, (name, *_) in enumerate(rows)}
    first = data.load(Config(data=str(mine), **SMALL))
    for name in "abc":
        rows[last[name]][2] = "1e6"
    poisoned = data.load(Config(data=str(written(tmp_path, "\n".join(map(",".join, rows)) + "\n")), **SMALL))
    for what in ("shift", "scale", "error_scale"):
        assert first.info[what] == poisoned.info[what]
    assert np.array_equal(first.train.past(), poisoned.train.past())
    assert np.array_equal(first.train.future(), poisoned.train.future())
    assert first.info["fingerprint"] != poisoned.info["fingerprint"]


def test_a_window_is_what_came_before_and_a_target_what_came_after(loaded):
    rows = np.flatnonzero(loaded.test.who == 1)[:1]
    at, scale, shift = int(loaded.test.at[rows][0]), loaded.info["scale"][1], loaded.info["shift"][1]
    values = loaded.panel.series[1].values
    np.testing.assert_allclose(loaded.test.past(rows)[0] * scale + shift, values[at - 8 : at], atol=1e-4)
    np.testing.assert_allclose(loaded.test.future(rows)[0] * scale + shift, values[at : at + 4], atol=1e-4)


def test_a_series_shorter_than_a_window_is_filled_up_and_its_filling_is_no_target(tmp_path):
    rows = [("short", date, n) for n, date in enumerate(days(20))]
    found = data.load(Config(data=str(written(tmp_path, long(rows))), horizon=4, lookback=32, segment=4))
    assert len(found.train) == 1 and len(found.test) == 1
    assert found.train.past()[0, 0] == found.train.past()[0, 20]
    assert found.train.observed().all() and not found.test.store.observed[:20].any()


def test_a_series_too_short_for_three_parts_is_refused_by_name(tmp_path):
    rows = [("short", date, n) for n, date in enumerate(days(11))]
    with pytest.raises(InputError, match="expected more than 12 steps of short"):
        data.load(Config(data=str(written(tmp_path, long(rows))), **SMALL))


def test_a_batch_is_the_same_whenever_it_is_asked_for_and_each_window_comes_once_an_epoch(loaded):
    batches = WindowBatches(loaded.train, 16, seed=3, lookback=8, unknown=3)
    inputs, targets, weights = batches.batch(1, 2)
    again = WindowBatches(loaded.train, 16, seed=3, lookback=8, unknown=3).batch(1, 2)
    assert all(np.array_equal(inputs[name], again[0][name]) for name in inputs) and np.array_equal(targets, again[1])
    total = sum(batches.batch(0, step)[2].sum() for step in range(batches.steps))
    assert total == len(loaded.train) * 4
    hidden = np.concatenate([batches.batch(epoch, 0)[0]["series"] for epoch in range(20)])
    assert 0 < (hidden == 3).mean() < 0.3


def test_values_that_were_filled_in_are_no_targets(tmp_path):
    rows = [("a", date, "" if 10 <= n < 13 else n) for n, date in enumerate(days(40))]
    found = data.load(Config(data=str(written(tmp_path, long(rows))), **SMALL))
    _, _, weights = WindowBatches(found.train, len(found.train), 0, 8, 1, shuffle=False).batch(0, 0)
    for row, at in enumerate(found.train.at.tolist()):
        assert weights[row].tolist() == [float(not 10 <= step < 13) for step in range(at, at + 4)]


def test_weighted_as_in_mase_a_regular_series_counts_more_and_the_mean_weight_is_one(tmp_path):
    noise = np.random.default_rng(0).normal(size=(2, 60))
    dates = list(enumerate(days(60)))
    rows = [("even", date, n % 7 + 0.1 * noise[0, n]) for n, date in dates]
    rows += [("noisy", date, n % 7 + 2.0 * noise[1, n]) for n, date in dates]
    path = str(written(tmp_path, long(rows)))
    found = data.load(Config(data=path, weighting="mase", season=7, **SMALL))
    even, noisy = found.train.store.weight
    assert even > 5 * noisy and np.isclose(even + noisy, 2)
    assert set(found.train.weights(found.train.who == 0).ravel()) == {even}
    assert set(data.load(Config(data=path, season=7, **SMALL)).train.store.weight) == {1.0}


def test_counts_are_whole_numbers_from_zero_on(tmp_path):
    path = written(tmp_path, long(("a", date, n % 5 - 1) for n, date in enumerate(days(40))))
    with pytest.raises(InputError, match="expected whole numbers from 0 on; .* has -1 of a at 2026-01-01"):
        data.load(Config(data=str(path), head="negative_binomial", **SMALL))


def test_static_texts_and_numbers_are_coded_from_training():
    assert data.coded("b", data.coding(["a", "b", "a"])) == [0.0, 1.0]
    assert data.coded("new", data.coding(["a", "b"])) == [0.0, 0.0]
    assert data.coded("3", data.coding(["1", "5"])) == [0.0]


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity"])
def test_a_static_number_that_is_none_is_refused_with_its_line(text, tmp_path):
    path = written(tmp_path, f"unique_id,ds,y,size\na,2026-01-01,1,2\nb,2026-01-02,1,{text}\n")
    with pytest.raises(InputError, match="line 3: expected a text or a finite number as size"):
        reading.read(path, static=("size",))


def test_the_scale_of_small_values_is_their_own_and_that_of_a_constant_is_small():
    def scale(values):
        return data.scaled(panel.of_values("a", values, HOURLY), len(values))

    wave = np.sin(np.arange(50))
    for size in (3e-7, 1e-12, 1.0, 1e9):
        assert scale(size * (2 + wave))[1] == pytest.approx(size * wave.std())
        assert data.error_scale(size * wave, 1) == pytest.approx(size * np.abs(np.diff(wave)).mean())
        assert scale(np.full(50, size))[1] == pytest.approx(0.01 * size)
    assert scale(np.zeros(50)) == (0, 1) and data.error_scale(np.zeros(50), 1) == 1


def test_a_part_without_values_is_named(tmp_path):
    rows = [("a", date, "" if 64 <= n < 82 else n % 7) for n, date in enumerate(days(100))]
    with pytest.raises(InputError, match="expected values in the valid part; all are missing. Change --valid-fraction"):
        data.load(Config(data=str(written(tmp_path, long(rows))), **SMALL))


def test_an_unknown_source_is_named_with_what_may_have_been_meant():
    with pytest.raises(InputError, match="Did you mean etth1?"):
        sources.load(dataclasses.replace(SMOKE, data="etth"))


def test_the_built_in_series_are_weekly_and_yearly_with_their_missing_weeks():
    co2, sunspots = sources.load(SMOKE).panel.series
    assert (len(co2), int((~co2.observed).sum()), co2.season) == (2284, 59, 52)
    assert co2.clock.text(co2.first) == "1958-03-29" and sunspots.clock.text(sunspots.first) == "1700"
    assert (len(sunspots), sunspots.season) == (309, 11)


@pytest.mark.data
@pytest.mark.parametrize("name", ["etth1", "etth2"])
@pytest.mark.parametrize("horizon, count", [(96, 2785), (192, 2689), (336, 2545), (720, 2161)])
def test_no_window_of_the_standard_split_is_dropped(name, horizon, count):
    found = data.load(dataclasses.replace(RECIPES[name], horizon=horizon, ridge_lookbacks=()))
    assert len(found.test) == 7 * count and found.info["aligned"]
    values = np.stack([series.values[:8640] for series in found.panel.series])
    np.testing.assert_allclose(found.info["shift"], values.mean(axis=1))
    np.testing.assert_allclose(found.info["scale"], values.std(axis=1))
    assert found.panel.series[0].clock.text(found.panel.series[0].first) == "2016-07-01 00:00"


@pytest.mark.data
def test_m4_is_tested_on_the_48_steps_of_the_competition():
    found = data.load(RECIPES["m4_hourly"])
    assert len(found.test) == len(found.valid) == 414 and set(found.info["seasons"]) == {24}
    exchange = data.load(RECIPES["exchange_rate"])
    assert len(exchange.test) == 8 * (int(0.2 * 7588) - 96 + 1)
