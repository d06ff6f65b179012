"""Bars and what is made of them: no look into the future, formulas by hand, what can be wrong with a file."""

import dataclasses
import json

import numpy as np
import pytest

from apps.stock_prediction import bars, batches, data, features, reading, rolling, sources, targets, variance
from apps.stock_prediction.bars import Row
from apps.stock_prediction.config import HORIZONS, SMOKE, Config
from shared import InputError, MissingFileError
from tests.commands import run_here

HEADER = "date,open,high,low,close,volume\n"


def walk(seed, count, start="2010-01-04", price=100.0):
    """Rows of a random walk on working days."""
    random = np.random.default_rng(seed)
    days = np.busday_offset(start, np.arange(count), roll="forward")
    close = price * np.exp(np.cumsum(0.01 * random.normal(size=count)))
    open_ = close * np.exp(0.004 * random.normal(size=count))
    high = np.maximum(open_, close) * np.exp(np.abs(0.004 * random.normal(size=count)))
    low = np.minimum(open_, close) * np.exp(-np.abs(0.004 * random.normal(size=count)))
    volume = random.integers(1000, 9000, count).astype(float)
    cells = zip(days, open_, high, low, close, volume, strict=True)
    return [Row(*cell, where=f"walk, line {line}") for line, cell in enumerate(cells, 2)]


def panel(count=300):
    """Three tickers, the second one listed later, the third with days that are missing."""
    third = walk(3, count)
    return {"A": walk(1, count), "B": walk(2, count)[100:], "C": third[:150] + third[153:]}


def file_of(folder, rows, header=HEADER, name="mine.csv"):
    path = folder / name
    path.write_text(header + "".join(f"{row}\n" for row in rows))
    return path


def lines(rows):
    return [f"{r.day},{r.open:.6f},{r.high:.6f},{r.low:.6f},{r.close:.6f},{r.volume:.0f}" for r in rows]


# Formulas


def test_variances_of_a_day_are_those_of_the_papers():
    open_, high, low, close = (np.array([x]) for x in (100.0, 104.0, 98.0, 103.0))
    wide, body = 100 * np.log(104 / 98), 100 * np.log(103 / 100)
    assert variance.parkinson(high, low) == pytest.approx(wide**2 / (4 * np.log(2)))
    assert variance.garman_klass(open_, high, low, close) == pytest.approx(
        0.5 * wide**2 - (2 * np.log(2) - 1) * body**2
    )


def test_garman_klass_that_is_not_above_zero_becomes_parkinson():
    # An Open beyond the range makes it so.
    open_, high, low, close = (np.array([x]) for x in (100.0, 103.0, 102.0, 103.0))
    wide, body = 100 * np.log(103 / 102), 100 * np.log(103 / 100)
    assert 0.5 * wide**2 - (2 * np.log(2) - 1) * body**2 < 0
    assert variance.garman_klass(open_, high, low, close) == pytest.approx(wide**2 / (4 * np.log(2)))


def test_qlike_is_zero_for_the_truth_and_punishes_too_low_most():
    y = np.array([2.0])
    assert variance.qlike(y, y) == 0
    assert variance.qlike(y, y / 2) == pytest.approx(2 - np.log(2) - 1)
    assert variance.qlike(y, y / 2) > variance.qlike(y, 2 * y) == pytest.approx(0.5 + np.log(2) - 1)


def test_both_losses_rank_forecasts_alike():
    random = np.random.default_rng(0)
    y, first, second = (np.exp(random.normal(size=50)) for _ in range(3))
    gap = variance.qlike(y, first) - variance.qlike(y, second)
    np.testing.assert_allclose(gap, variance.qlike_of_square(y, first) - variance.qlike_of_square(y, second))


def test_trailing_means_are_those_of_plain_slices_without_unknown_values():
    values = np.random.default_rng(1).normal(size=40)
    values[[0, 7, 8, 9]] = np.nan
    for span in (1, 3, 22):
        for day, found in enumerate(rolling.trailing_mean(values, span)):
            some = values[max(0, day - span + 1) : day + 1]
            some = some[np.isfinite(some)]
            assert found == pytest.approx(some.mean()) if len(some) else np.isnan(found)


def test_the_season_is_the_largest_value_about_a_quarter_before_the_next_days():
    values = np.random.default_rng(2).normal(size=300)
    # The bar after day 120 is 121; a quarter before it is 58, and a day to each side counts too.
    assert features.season(values, 1)[120] == values[57:60].max()
    # Of the second quarter before the five bars 121 to 125 day 0 is known alone.
    assert features.season(values, 5)[120] == pytest.approx((values[57:64].max() + values[0]) / 2)
    quarters = [values[137:140].max(), values[74:77].max(), values[10:15].max()]
    assert features.season(values, 1)[200] == pytest.approx(np.mean(quarters))
    assert np.isnan(features.season(values, 1)[60])


# No look into the future


def test_poisoning_the_future_changes_no_input_before_it_and_no_target_that_ends_before_it():
    at, rows = 200, panel()
    day = np.busday_offset("2010-01-04", at)
    poison = {
        name: [r if r.day <= day else dataclasses.replace(r, open=7.0, high=9.0, low=5.0, close=8.0 - n % 2, volume=1.0)
               for n, r in enumerate(listed)]
        for name, listed in rows.items()
    }  # fmt: skip
    found = []
    for listed in (rows, poison):
        read = bars.bars("walk", listed)
        series = features.measured(read)
        found.append((read, features.inputs(read, series)[1], targets.targets(series)))
    (read, clean, first), (_, dirty, second) = found
    until = int(np.searchsorted(read.days, day)) + 1
    np.testing.assert_array_equal(clean[:, :until], dirty[:, :until])
    assert (clean[:, until:] != dirty[:, until:]).any()
    for place in range(len(HORIZONS)):
        ended = first.last[place] < until
        np.testing.assert_array_equal(first.variance[place][ended], second.variance[place][ended])
        assert ended.any()


def test_an_input_of_a_day_does_not_know_that_a_ticker_ends_there():
    rows = panel()
    read = bars.bars("walk", rows)
    whole = features.inputs(read, features.measured(read))[1]
    cut = bars.bars("walk", {name: [r for r in listed if r.day <= read.days[180]] for name, listed in rows.items()})
    np.testing.assert_array_equal(features.inputs(cut, features.measured(cut))[1], whole[:, :181])


def test_targets_count_the_ticker_s_own_next_bars():
    read = bars.bars("walk", panel())
    series = features.measured(read)
    found = targets.targets(series)
    own = np.flatnonzero(series.traded[2])  # without the three days that are missing
    for place, horizon in enumerate(HORIZONS):
        for number in (features.WARM_UP, 148, 149, 200):
            after = own[number + 1 : number + 1 + horizon]
            assert found.variance[place, 2, own[number]] == pytest.approx(series.variance[2, after].mean())
            assert found.last[place, 2, own[number]] == after[-1]
    assert np.isnan(found.variance[0, 2, own[-1]]) and np.isnan(found.variance[0, 1, : 100 + features.WARM_UP]).all()
    assert found.returns[2, own[149]] == pytest.approx(series.returns[2, own[150]])


def test_the_return_over_missing_days_is_from_the_last_close():
    rows = panel()
    series = features.measured(bars.bars("walk", rows))
    assert series.returns[2, 153] == pytest.approx(100 * np.log(rows["C"][150].close / rows["C"][149].close))
    assert np.isnan(series.returns[2, 150:153]).all()


def test_the_parts_of_all_refits_are_apart_and_every_test_day_is_predicted_once():
    config = dataclasses.replace(SMOKE, data="builtin")
    found = data.load(config)
    asked = np.sum([found.asked(refit) for refit in found.refits], axis=0)
    assert asked.max() == 1 and asked[0, found.refits[0].test - 1 : -1].all()
    for refit in found.refits:
        train, valid = found.train(refit), found.valid(refit)
        assert not (train & valid).any() and not (valid & found.test(refit)).any()
        assert max(found.targets.last[train].max(), found.targets.last[valid].max()) < refit.test
        assert found.targets.first[found.test(refit)[0]].min() == refit.test
        # No day that a training target counts is one of validation, or less than the embargo away from one.
        counted = np.zeros(len(found.bars.days), bool)
        for place, ticker, day in zip(*np.nonzero(train), strict=True):
            counted[found.targets.first[ticker, day] : found.targets.last[place, ticker, day] + 1] = True
        for start, end in refit.blocks:
            assert not counted[start - config.embargo : end + config.embargo].any()
        assert counted[refit.test - 1] and len(refit.blocks) > 1


def test_means_and_deviations_come_from_the_training_days_alone():
    found = data.load(SMOKE)
    refit = found.refits[0]
    rows = found.inputs[found.train(refit)[0]]
    np.testing.assert_allclose(found.info["refits"][0]["mean"], rows.mean(axis=0))
    assert np.abs(found.scaled(0)).max() <= features.CLIPPED


def test_every_training_day_counts_once_an_epoch_whatever_its_offset():
    days, count = 100, 3
    numbers = np.arange(count * days, dtype=np.float32).reshape(count, days, 1) + 1
    weights = np.ones((count, days), np.float32)
    weights[:, :9] = 0
    config = Config(chunk_days=16, context_days=5, batch_size=4)
    made = batches.Chunks(numbers, np.repeat(numbers, 5, axis=-1), weights, config)
    for epoch in (0, 1):
        seen = []
        for step in range(made.steps):
            inputs, goals, weight = made.batch(epoch, step)
            assert inputs.shape == (4, 21, 1) and (weight[:, :5] == 0).all()
            np.testing.assert_array_equal(inputs[..., 0], goals[..., 0])
            seen += inputs[..., 0][weight > 0].tolist()
        assert sorted(seen) == numbers[weights > 0].ravel().tolist()
    assert not np.array_equal(made.batch(0, 0)[0], made.batch(1, 0)[0])
    np.testing.assert_array_equal(made.batch(1, 2)[0], made.batch(1, 2)[0])


# The files of the public data


@pytest.mark.data
def test_the_bad_rows_of_djia_are_found_and_real_crashes_kept():
    found = sources.djia()
    assert found.tickers == tuple(str.split("AAPL BA CAT DIS GE IBM INTC JNJ JPM KO MSFT XOM"))

    def cell(column, ticker, day):
        at = np.searchsorted(found.days, np.datetime64(day))
        return getattr(found, column)[found.tickers.index(ticker), at]

    assert cell("open", "BA", "2007-02-08") == 90.36  # 200.00, which no trade of the day was near
    assert np.isnan(cell("high", "GE", "2011-08-19"))
    assert np.isnan(cell("low", "JNJ", "2012-01-26")) and np.isnan(cell("low", "MSFT", "2008-07-01"))
    assert np.isnan(cell("volume", "DIS", "2012-08-01"))
    misprints = [n for kind, n in found.counts.items() if "misprints" in kind]
    assert sum(misprints) == 3
    # What is real, though as large: the morning of 2015-08-24, and October 2008.
    assert cell("low", "JPM", "2015-08-24") == 50.07 and cell("low", "GE", "2015-08-24") == 19.37
    assert cell("low", "AAPL", "2008-10-17") == 12.27
    outside = next(n for kind, n in found.counts.items() if kind.startswith("Opens outside"))
    empty = next(n for kind, n in found.counts.items() if kind.startswith("bars without"))
    assert (outside, empty) == (55, 10)
    assert any("BA, line 278" in note or "Opens outside" in note for note in found.notes)


@pytest.mark.data
def test_garman_klass_of_djia_is_above_zero_everywhere():
    series = features.measured(sources.djia())
    assert (series.ranges[np.isfinite(series.ranges)] > 0).all()
    assert np.isfinite(series.variance[series.traded]).mean() > 0.999


def test_the_built_in_bars_are_those_of_the_package():
    found = sources.sp500()
    assert (found.tickers, len(found.days), str(found.days[0])) == (("SP500",), 5031, "1999-01-04")
    assert dict(found.counts) == {}


# What can be wrong with a file


@pytest.mark.parametrize(
    "row, said",
    [
        ("2010-02-01,1,2,0.5,abc,5", "line 4: expected a number as close; received 'abc'"),
        ("2010-02-01,1,2,0.5,1.000,5,9", "line 4 has 7"),
        ("2010-02-01,1,2,0.5,-1,5", "line 4: expected a price above 0 as close; received -1"),
        ("2010-02-01,0,2,0.5,1,5", "line 4: expected a price above 0 as open; received 0"),
        ("2010-02-01,1,0.5,2,1,5", "line 4: expected a High of at least the Low; received 0.5 and 2"),
        ("2010-02-01,1,2,0.5,inf,5", "line 4: expected a finite number as close"),
        ("2010-02-01,1,2,0.5,1,-5", "line 4: expected a volume of at least 0; received -5"),
        ("01/02/2010,1,2,0.5,1,5", "line 4: expected a date as YYYY-MM-DD; received '01/02/2010'"),
        ("2010-13-01,1,2,0.5,1,5", "line 4: expected a date as YYYY-MM-DD"),
        (",1,2,0.5,1,5", "line 4: expected a date as YYYY-MM-DD; received ''"),
        ("2010-01-05,1,2,0.5,1,5", "line 4: expected one bar a day; 2010-01-05 has another one in"),
        ("2010-02-01T00:00:00+09:00,1,2,0.5,1,5", "line 4: expected all times in one zone"),
    ],
)
def test_a_row_that_cannot_be_right_is_named_by_its_line(row, said, tmp_path):
    path = file_of(tmp_path, [*lines(walk(1, 2)), row])
    with pytest.raises(InputError) as error:
        reading.read(path)
    assert said in str(error.value) and str(path) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "line of"),
        (HEADER, "expected bars below the header; received none"),
        (HEADER + "2010-01-04,1,2,0.5,1,5\n", "line 2: expected two or more bars with a Close of mine; received 1"),
        (HEADER + "2010-01-04,1,2,0.5,,5\n2010-01-05,,,,NaN,\n", "expected two or more bars with a Close"),
        ("date,close\n2010-01-04,1\n", "line 1: expected the columns date, open, high, low, close"),
        ("date;open;high;low;close\n2010-01-04;1;2;1;1\n", "It has semicolons between the cells: save it"),
        ("date,open,high,low,close,time\n2010-01-04,1,2,1,1,x\n", "line 1: expected one column date"),
        (
            HEADER + "".join(f"2010-01-{day:02},5,5,5,5,1\n" for day in (4, 5, 6)),
            "line 2: expected prices that change; every Close of mine is 5",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(text, said, tmp_path):
    (tmp_path / "mine.csv").write_text(text)
    with pytest.raises(InputError) as error:
        reading.read(tmp_path / "mine.csv")
    assert said in str(error.value) and "mine.csv" in str(error.value) and "\n" not in str(error.value)


def test_a_folder_without_files_is_named(tmp_path):
    with pytest.raises(MissingFileError, match="There are none in"):
        reading.read(tmp_path)


def test_rows_out_of_order_and_twice_are_put_right_and_counted(tmp_path):
    rows = lines(walk(1, 30))
    mixed = [*rows[10:], *rows[:10], rows[3]]
    found, plain = (reading.read(file_of(tmp_path, each)) for each in (mixed, rows))
    np.testing.assert_array_equal(found.close, plain.close)
    assert found.counts == {"rows out of order, sorted by day": 2, "duplicate rows, read once": 1}
    assert found.notes[0].startswith("2 rows out of order, sorted by day (line 22") and "line 32" in found.notes[1]


def test_unknown_cells_lose_their_day_only_and_are_counted(tmp_path):
    rows = lines(walk(1, 120))
    day = rows[100].split(",")
    rows[100] = f"{day[0]},,NaN,,{day[4]},0"
    rows[101] = ",".join([rows[101].split(",")[0], "", "", "", "", ""])
    found = reading.read(file_of(tmp_path, rows))
    series = features.measured(found)
    assert (
        found.close.shape == (1, 119)
        and np.isnan(series.variance[0, 100])
        and np.isfinite(series.returns[0]).sum() == 118
    )
    assert sorted(found.counts.values()) == [1, 1, 1]
    assert np.isfinite(features.inputs(found, series)[1][0, 70:]).all()


def test_a_run_of_unknown_ranges_keeps_inputs_finite_and_has_no_target():
    rows = walk(1, 300)
    rows[150:250] = [dataclasses.replace(r, open=np.nan, high=np.nan, low=np.nan) for r in rows[150:250]]
    series = features.measured(read := bars.bars("walk", {"A": rows}))
    assert np.isfinite(features.inputs(read, series)[1][0, 70:]).all()
    assert np.isnan(targets.targets(series).variance[:, 0, 150:249]).all()


def test_a_jump_that_looks_like_a_split_and_a_gap_are_noted(tmp_path):
    rows = walk(1, 60)
    half = [dataclasses.replace(r, open=r.open / 2, high=r.high / 2, low=r.low / 2, close=r.close / 2) for r in rows]
    found = reading.read(file_of(tmp_path, lines(rows[:30] + half[40:])))
    split, gap = (next(note for note in found.notes if word in note) for word in ("split", "gap of"))
    assert "line 32" in split and "line 32" in gap and split.startswith("1 jump of")


def test_a_plain_fall_is_not_taken_for_a_split():
    rows = walk(1, 60)
    fall = [dataclasses.replace(r, **{c: getattr(r, c) * 0.75 for c in bars.PRICES}) for r in rows[30:]]
    assert dict(bars.bars("walk", {"A": rows[:30] + fall}).counts) == {}


def test_times_with_the_summer_and_winter_offset_of_one_zone_are_days_of_the_exchange(tmp_path):
    rows = [f"2010-0{month}-02 00:00:00-0{5 if month < 4 else 4}:00,1,2,0.5,{month},5" for month in (2, 3, 6, 7)]
    found = reading.read(file_of(tmp_path, rows))
    assert found.days.astype(str).tolist() == ["2010-02-02", "2010-03-02", "2010-06-02", "2010-07-02"]


def test_tickers_of_one_file_and_of_a_folder_are_the_same_panel(tmp_path):
    rows = panel()
    together = [f"{line},{name}" for name, listed in rows.items() for line in lines(listed)]
    one = reading.read(file_of(tmp_path, together, "Date,Open,High,Low,Close,Volume,Ticker\n", "all.csv"))
    (tmp_path / "many").mkdir()
    for name, listed in rows.items():
        file_of(tmp_path / "many", lines(listed), name=f"{name}.csv")
    many = reading.read(tmp_path / "many")
    assert one.tickers == many.tickers == ("A", "B", "C")
    np.testing.assert_array_equal(one.close, many.close)
    assert np.isnan(one.close[1, :100]).all() and np.isfinite(one.close[0]).all()


def test_bars_without_a_volume_are_enough(tmp_path):
    rows = [line.rpartition(",")[0] for line in lines(walk(1, 700))]
    path = file_of(tmp_path, rows, "date,open,high,low,close\n")
    found = data.load(dataclasses.replace(SMOKE, data=str(path)))
    assert np.isfinite(found.scaled(0)).all()
    # JSON knows no NaN that equals itself: a run could not go on with it.
    assert json.loads(json.dumps(found.info)) == found.info
    volume = found.info["inputs"].index("volume_5")
    assert (found.scaled(0)[..., volume] == 0).all()


def test_too_few_days_are_refused_with_what_is_needed(tmp_path):
    path = file_of(tmp_path, lines(walk(1, 300)))
    done = run_here("apps.stock_prediction", "train", "--data", str(path), GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1
    assert "expected at least" in done.stderr and "--block-days" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_test_part_that_begins_after_the_last_day_is_refused():
    with pytest.raises(InputError, match="--test-from"):
        data.load(dataclasses.replace(SMOKE, test_from="2031-01-01"))
    with pytest.raises(InputError, match="--test-from: expected a day as YYYY-MM-DD; received 'soon'"):
        Config(test_from="soon")
