"""The app as its user meets it, and what must hold between its parts."""

import csv
import dataclasses
import itertools
import json
import types

import keras
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from apps.time_series_forecasting import (
    adapt,
    backtest,
    conformal,
    data,
    early,
    evaluate,
    heads,
    metrics,
    panel,
    predict,
    reading,
    ridge,
    stream,
    streamer,
    train,
    unseen,
)
from apps.time_series_forecasting.cautions import cautions, outlying
from apps.time_series_forecasting.clock import Clock
from apps.time_series_forecasting.config import HEADS, NETWORKS, RECIPES, Config
from apps.time_series_forecasting.heads import LEVELS, Loss
from apps.time_series_forecasting.model import Normalise, build, set_gate, set_linear, set_start
from apps.time_series_forecasting.options import Backtest, Evaluate, Predict, Stream
from shared import InputError, feeds, runs
from shared.layers import SEQUENCE_ARCHITECTURES
from tests.commands import run_here, trained

NAME = "time_series_forecasting"
APP = f"apps.{NAME}"
SMALL = dict(horizon=6, lookback=12, segment=4, units=4, embedding=3, dropout=0.0)
INFO = {"reach": 16, "known_columns": 2, "static_columns": 1, "names": ["a", "b"]}


@pytest.fixture(scope="module")
def smoke():
    """The folder of runs after a smoke training, and what it printed."""
    return trained(NAME)


@pytest.fixture(scope="module")
def predictor(smoke):
    path = next(path for path in smoke[0].glob(f"{NAME}/*") if not path.name.startswith("."))
    return predict.Predictor(runs.Run(path, NAME, json.loads((path / "config.json").read_text())["config"]))


@pytest.fixture(scope="module")
def example(predictor):
    """The path of the CO2 series before its last window."""
    return predictor.run.path / "example.csv"


@pytest.fixture(scope="module")
def waves(tmp_path_factory):
    """A wide file: 300 hours of two series with a daily wave."""
    noise = np.random.default_rng(0).normal(size=(300, 2))
    dates = pd.date_range("2026-01-01", periods=300, freq="h")
    rows = [f"{date},{10 + np.sin(n / 4) + 0.1 * x:.5f},{5 + np.cos(n / 4) + 0.2 * y:.5f}"
            for n, (date, (x, y)) in enumerate(zip(dates, noise, strict=True))]  # fmt: skip
    path = tmp_path_factory.mktemp("waves") / "waves.csv"
    path.write_text("date,north,south\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="module")
def hours(waves):
    """These as training data."""
    return data.load(Config(data=str(waves), **SMALL))


def verb(smoke, *words, stdin=""):
    return run_here(APP, *words, stdin=stdin, GALLERY_RUNS=str(smoke[0]))


# The linear forecast


def test_the_ridge_solves_its_normal_equations_and_its_penalty_is_the_best_on_validation(hours):
    fitted = ridge.fit(hours.linear, hours.valid, 12)

    def windows(part):
        rows = np.flatnonzero(part.at >= 12)
        past = part.past(rows, 12).astype(float)
        return past - past[:, -1:], part.future(rows) - past[:, -1:]

    x, y = windows(hours.linear)
    x, y, middle = x - x.mean(axis=0), y - y.mean(axis=0), (x.mean(axis=0), y.mean(axis=0))
    unit = (x**2).sum() / 12
    errors = {}
    for strength in ridge.STRENGTHS:
        kernel = np.linalg.solve(x.T @ x + strength * unit * np.eye(12), x.T @ y)
        bias = middle[1] - middle[0] @ kernel
        a, b = windows(hours.valid)
        errors[strength] = ((b - a @ kernel - bias) ** 2).mean()
        if strength == fitted.strength:
            np.testing.assert_allclose(fitted.kernel, kernel, atol=1e-6)
            np.testing.assert_allclose(fitted.bias, bias, atol=1e-6)
    assert fitted.strength == min(errors, key=errors.get)
    assert fitted.error == pytest.approx(min(errors.values()), rel=1e-6)


def test_the_mean_of_several_lookbacks_is_one_linear_forecast():
    generator = np.random.default_rng(1)
    fits = [ridge.Ridge(generator.normal(size=(n, 3)), generator.normal(size=3), 0, 0) for n in (4, 6, 9)]
    x = generator.normal(size=(5, 9))
    np.testing.assert_allclose(ridge.mean(fits, 9)(x), np.mean([fit(x) for fit in fits], axis=0))


@pytest.mark.parametrize("how", ["last", "window", "none"])
def test_the_model_normalises_as_the_linear_forecast_does(how):
    past = np.random.default_rng(2).normal(size=(4, 16)).astype(np.float32)
    for ours, theirs in zip(Normalise(how, 12)(past), ridge.normalised(past, how, 12), strict=True):
        np.testing.assert_allclose(np.array(ours), theirs, atol=1e-5)


# The network


def inputs(count=5):
    generator = np.random.default_rng(3)
    return {
        "window": generator.normal(size=(count, 16)).astype(np.float32),
        "series": np.arange(count).astype(np.int32) % 3,
        "known": generator.normal(size=(count, 18, 2)).astype(np.float32),
        "static": generator.normal(size=(count, 1)).astype(np.float32),
    }


@pytest.mark.parametrize("head, network, how", [(h, n, "last") for h, n in itertools.product(HEADS, NETWORKS)] +
                         [("student_t", "segments", "window")])  # fmt: skip
def test_training_starts_from_the_linear_forecast_and_without_the_gate_it_stays_there(head, network, how):
    keras.utils.set_random_seed(0)
    model = build(Config(head=head, network=network, normalise=how, **SMALL), INFO)
    generator = np.random.default_rng(4)
    kernel, bias = generator.normal(size=(16, 6)), generator.normal(size=6)
    set_linear(model, kernel, bias)
    residuals, width = generator.normal(size=(500, 6)), np.array([1.0, 2.0, 0.5])
    set_start(model, heads.start(head, residuals), width)
    some = inputs()
    x, shift, scale = ridge.normalised(some["window"], how, 12)
    linear = shift + scale * (x @ kernel + bias)
    found = np.array(model(some))
    middle = found[..., LEVELS.index(0.5) if head == "quantiles" else 0]
    if head == "quantiles":
        offsets = np.median(residuals, axis=0) * width[some["series"]][:, None]
        np.testing.assert_allclose(middle - scale * offsets, linear, atol=1e-4)
        spread = np.diff(found[..., [1, -2]], axis=-1)[..., 0]
        wanted = np.diff(np.quantile(residuals, [0.05, 0.95], axis=0), axis=0) * width[some["series"]][:, None]
        np.testing.assert_allclose(spread, wanted, atol=1e-4)
    else:
        np.testing.assert_allclose(middle, linear, atol=1e-4)
    if head == "student_t":
        wanted = np.log(scale * residuals.std(axis=0) * width[some["series"]][:, None])
        np.testing.assert_allclose(found[..., 1], wanted, atol=1e-4)
    answer = model.get_layer("answer")
    answer.set_weights([generator.normal(size=weight.shape) for weight in answer.get_weights()])
    assert not np.allclose(np.array(model(some)), found, atol=1e-3)
    set_gate(model, 0.0)
    np.testing.assert_allclose(np.array(model(some)), found, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("arch", SEQUENCE_ARCHITECTURES)
def test_every_architecture_reads_the_window_and_its_covariates(arch, network):
    keras.utils.set_random_seed(0)
    config = Config(arch=arch, network=network, **{**SMALL, "units": 8})
    model = build(config, INFO)
    answer = model.get_layer("answer")
    answer.set_weights([np.random.default_rng(5).normal(size=w.shape) for w in answer.get_weights()])
    some = inputs()
    before = np.array(model(some))
    # In several rows: units that are rectified may be silent in one.
    for name, steps in (("window", slice(15)), ("known", 2), ("known", 15), ("static", 0)):
        changed = {key: array.copy() for key, array in some.items()}
        changed[name][:4, steps] += 1.0
        after = np.array(model(changed))
        assert np.abs(after[:4] - before[:4]).max() > 1e-7 and np.allclose(after[4:], before[4:], atol=1e-5), name


# Heads


def test_the_losses_are_those_of_the_distributions():
    generator = np.random.default_rng(6)
    y = generator.normal(size=(3, 4, 1)).astype(np.float32)
    numbers = generator.normal(size=(3, 4, 3)).astype(np.float32)
    freedom = 2 + np.logaddexp(0, numbers[..., 2])
    wanted = -stats.t.logpdf(y[..., 0], freedom, numbers[..., 0], np.exp(numbers[..., 1]))
    np.testing.assert_allclose(np.array(Loss("student_t").call(y, numbers)), wanted, rtol=2e-4, atol=1e-4)
    counts, scale = generator.integers(0, 50, (3, 4)), np.full((3, 4), 8.0)
    both = np.stack([counts / scale, scale], axis=-1).astype(np.float32)
    numbers = generator.normal(1, 0.5, (3, 4, 2)).astype(np.float32)
    mean = scale * (np.logaddexp(0, heads.SHARPNESS * numbers[..., 0]) / heads.SHARPNESS + heads.LEAST_MEAN)
    r = 1 / (np.logaddexp(0, numbers[..., 1]) + 1e-4)
    wanted = -stats.nbinom.logpmf(counts, r, r / (r + mean))
    np.testing.assert_allclose(np.array(Loss("negative_binomial").call(both, numbers)), wanted, rtol=2e-3, atol=2e-3)
    numbers = generator.normal(size=(3, 4, len(LEVELS))).astype(np.float32)
    error = y - numbers
    wanted = 2 * np.where(error > 0, np.array(LEVELS) * error, (np.array(LEVELS) - 1) * error).mean(axis=-1)
    np.testing.assert_allclose(np.array(Loss("quantiles").call(y, numbers)), wanted, rtol=1e-5)
    for share in (0.0, 0.5, 1.0):
        error = (y - numbers[..., :1])[..., 0]
        wanted = share * np.abs(error) + (1 - share) * error**2
        np.testing.assert_allclose(np.array(Loss("point", share).call(y, numbers[..., :1])), wanted, rtol=1e-5)


def test_quantiles_rise_with_the_level_and_are_those_of_the_distribution():
    numbers = np.random.default_rng(7).normal(size=(2, 3, len(LEVELS)))
    found = heads.quantiles("quantiles", numbers, LEVELS)
    assert (np.diff(found, axis=-1) >= 0).all() and np.allclose(found, np.sort(numbers, axis=-1))
    between = heads.quantiles("quantiles", np.array([LEVELS]), (0.33, 0.5, 0.99))
    np.testing.assert_allclose(between, [[0.33, 0.5, 0.975]])
    numbers = np.array([[0.5, np.log(2.0), 1.0]])
    wanted = stats.t.ppf(LEVELS, 2 + np.log1p(np.e), 0.5, 2.0)
    np.testing.assert_allclose(heads.quantiles("student_t", numbers, LEVELS)[0], wanted, rtol=1e-6)
    counts = heads.quantiles("negative_binomial", np.array([[1.0, 0.0]]), LEVELS, np.array([10.0])) * 10
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-9)


# Intervals


def alternating(count, horizon, generator):
    """Forecasts of noise whose spread doubles half-way: values, and intervals that are far too wide or too narrow."""
    spread = np.where(np.arange(count + horizon) < count // 2, 1.0, 2.0)
    values = spread * generator.normal(size=count + horizon)
    low = np.full((1, horizon), -1.0)
    return values, low, -low


def test_adaptive_intervals_cover_what_they_promise_also_after_the_world_changes():
    generator = np.random.default_rng(8)
    count, horizon = 3000, 5
    values, low, high = alternating(count, horizon, generator)
    known = conformal.scores(low, high, generator.normal(size=(500, 1, horizon)))[:, 0]
    grid = conformal.grid_of(known, np.ones(known.shape, bool))[None]
    adaptive = conformal.Adaptive(grid, 0.9, 0.02)
    inside = np.zeros((count, horizon), bool)
    for at in range(count):
        if at:
            adaptive.observe(values[at - 1 : at], np.ones(1, bool))
        bottom, top = adaptive.interval(low, high)
        inside[at] = (values[at : at + horizon] >= bottom[0]) & (values[at : at + horizon] <= top[0])
    assert abs(inside.mean() - 0.9) < 0.02 and abs(inside[-1000:].mean() - 0.9) < 0.04
    fixed_low, fixed_high = conformal.stretched(low, high, conformal.looked_up(grid, np.full((1, horizon), 0.1)))
    fixed = (values[-1000:, None] >= fixed_low) & (values[-1000:, None] <= fixed_high)
    assert fixed.mean() < 0.75  # without adapting they cover what the world before the change needed


def test_a_miss_counts_when_its_value_has_come_and_not_before():
    grid = np.linspace(0, 1, 101)[None, None].repeat(3, axis=1)
    adaptive = conformal.Adaptive(grid, 0.9, 0.1)
    low, high = np.zeros((1, 3)), np.ones((1, 3))
    adaptive.interval(low, high)
    for known in range(1, 4):
        adaptive.observe(np.array([1000.0]), np.ones(1, bool))
        # After `known` values the first forecast's steps up to `known` are judged, and those of later ones.
        assert (adaptive.miss[0] < 0.05).tolist() == [step < known for step in range(3)]
        adaptive.interval(low, high)


def test_split_conformal_covers_data_like_those_of_validation():
    generator = np.random.default_rng(9)
    actual, low, high = generator.normal(size=(4000, 2)), np.full((4000, 2), -0.1), np.full((4000, 2), 0.2)
    found = conformal.scores(low[:2000], high[:2000], actual[:2000])
    grid = conformal.grid_of(found, np.ones(found.shape, bool))
    bottom, top = conformal.stretched(low[2000:], high[2000:], conformal.looked_up(grid, np.full(2, 0.1)))
    covered = ((actual[2000:] >= bottom) & (actual[2000:] <= top)).mean(axis=0)
    assert (np.abs(covered - 0.9) < 0.03).all()


# Figures


def test_the_figures_are_those_of_utilsforecast(hours):
    from utilsforecast import losses

    generator, test = np.random.default_rng(10), hours.test
    point = test.future() + generator.normal(size=(len(test), 6)) * 0.3
    quantiles = point[..., None] + np.array(LEVELS) - 0.5
    judge = metrics.Judge(test, metrics.blocks(test, True), hours.info)
    judge.add(np.arange(len(test)), predict.Answer(point, quantiles))
    everything = np.arange(judge.count)
    found = {name: metrics.score(sums, everything) for name, sums in judge.result(0.9).items()}
    scale, shift = (np.array(hours.info[name])[test.who][:, None] for name in ("scale", "shift"))
    frame = pd.DataFrame({"unique_id": np.repeat(test.who, 6), "y": (test.future() * scale + shift).ravel(),
                          "model": (point * scale + shift).ravel()})  # fmt: skip
    past = pd.concat(pd.DataFrame({"unique_id": n, "y": s.values[: len(s) - 60 - 45]})
                     for n, s in enumerate(hours.panel.series))  # fmt: skip
    assert found["smape"] == pytest.approx(200 * losses.smape(frame, ["model"])["model"].mean(), rel=1e-4)
    assert found["mase"] == pytest.approx(losses.mase(frame, ["model"], 24, past)["model"].mean(), rel=1e-4)
    scaled = frame.assign(y=test.future().ravel(), model=point.ravel())
    assert found["mse"] == pytest.approx(losses.mse(scaled, ["model"])["model"].mean(), rel=1e-4)
    assert found["mae"] == pytest.approx(losses.mae(scaled, ["model"])["model"].mean(), rel=1e-4)
    total = 0.0
    for number, level in enumerate(LEVELS):
        if number in metrics.WEIGHED:
            at = frame.assign(model=(quantiles[..., number] * scale + shift).ravel())
            total += 2 * losses.quantile_loss(at, {"model": "model"}, level)["model"].mean() / len(metrics.WEIGHED)
    assert metrics.score((np.array([3e-9]), np.array([1e-8])), np.zeros(1, int)) == pytest.approx(0.3)
    assert found["weighted_quantile_loss"] == pytest.approx(total / frame["y"].abs().mean(), rel=1e-4)


def test_msis_is_the_width_and_what_lies_beyond_it_in_seasonal_errors(hours):
    test = hours.test.among(np.array([0]))
    actual = test.future().astype(float)
    low, high = actual - np.array([1, 1, 1, -0.5, 1, 1]), actual + 2
    judge = metrics.Judge(test, np.zeros(1, int), hours.info)
    judge.add(np.zeros(1, int), predict.Answer(actual, actual[..., None] + np.zeros(len(LEVELS))), None, (low, high))
    unit = hours.info["scale"][0] / hours.info["error_scale"][0]
    wanted = ((3 * 5 + 1.5) + 2 / 0.05 * 0.5) / 6 * unit
    assert metrics.score(judge.result(0.9)["msis"], np.zeros(1, int)) == pytest.approx(wanted, rel=1e-4)


# A trained run


def test_training_prints_the_gate_every_baseline_the_coverage_and_what_to_try_next(smoke):
    _, printed = smoke
    line = next(line for line in printed.splitlines() if "  mase " in line)
    assert all(name in line for name in ("last_value", "seasonal_naive", "ridge_24", "ridge_96"))
    assert "linear forecast alone" in printed and "90% intervals covered" in printed
    assert f"python -m {APP} stream" in printed


def test_the_saved_model_is_never_worse_than_the_linear_forecast_on_validation(smoke):
    _, printed = smoke
    line = next(line for line in printed.splitlines() if line.startswith("validation loss"))
    words = [float(word) for word in line.split() if word.replace(".", "").isdigit()]
    assert words[2] <= min(words[:2])


def test_the_future_changes_no_forecast_before_it(predictor, example):
    panel = data.read_for(str(example), predictor.info, predictor.config)
    (series,) = panel.series
    poisoned = series.values.copy()
    poisoned[-20:] = 1e6
    both = [dataclasses.replace(panel, series=(dataclasses.replace(series, values=values),))
            for values in (series.values, poisoned)]  # fmt: skip
    options = Backtest(series=str(example), origins=20)
    answers, ends = [], []
    for each in both:
        mine = data.as_read(each, predictor.info, predictor.config)
        windows = backtest.origins(mine, predictor.config, options)
        answers.append(backtest.forecasts(predictor, mine, windows, 0))
        ends.append(adapt.adapted(predictor, windows, *answers[-1].interval(0.9)))
    unknowing = len(series) - 8 - np.arange(19, -1, -1) <= len(series) - 20  # origins before the poison
    assert unknowing.any()
    for first, second in [(answers[0].quantiles, answers[1].quantiles), *zip(*ends, strict=True)]:
        assert np.array_equal(first[unknowing], second[unknowing])


def test_a_streamed_forecast_equals_that_of_the_whole_file(predictor, example):
    panel = data.read_for(str(example), predictor.info, predictor.config)
    (whole,) = panel.series
    cut = 200
    series = dataclasses.replace(
        whole, values=whole.values[:cut], observed=whole.observed[:cut], known=whole.known[:cut]
    )
    mine = data.as_read(dataclasses.replace(panel, series=(series,)), predictor.info, predictor.config)
    at = np.arange(30, cut + 1 - 8) + mine.padded[0]
    windows = dataclasses.replace(predict.ends(mine, predictor.config), who=np.zeros(len(at), int), at=at)
    answer = predictor.said(windows, predictor.numbers(windows), np.array(mine.info["scale"]))
    streaming, found = streamer.Streamer(predictor), []
    for step in range(cut - 8):
        value = series.values[step] if series.observed[step] else np.nan
        found.append(streaming.value(series.name, series.first + step, value))
    scale, shift = mine.info["scale"][0], mine.info["shift"][0]
    streamed = np.array([each.point for each in found[29:]])
    np.testing.assert_allclose(streamed, answer.point * scale + shift, rtol=1e-5)
    # Intervals adapt from the first row on: the whole file's must start there too.
    early = dataclasses.replace(windows, who=np.zeros(cut - 8, int), at=np.arange(1, cut - 7))
    early = dataclasses.replace(early, store=padded(mine.store, predictor.config.reach))
    early = dataclasses.replace(early, at=early.at + predictor.config.reach)
    ends = predictor.said(early, predictor.numbers(early), np.array(mine.info["scale"])).interval(0.9)
    low, high = adapt.adapted(predictor, early, *ends)
    np.testing.assert_allclose(np.array([each.low for each in found]), low * scale + shift, rtol=1e-5)
    np.testing.assert_allclose(np.array([each.high for each in found]), high * scale + shift, rtol=1e-5)


def padded(store, more):
    """The store of one series with its first value `more` times before it."""
    known = store.known
    if known.shape[1]:
        step = clock_steps(known, more)
        known = np.concatenate([step, known])
    return dataclasses.replace(
        store,
        values=np.concatenate([np.full(more, store.values[0], np.float32), store.values]),
        observed=np.concatenate([np.zeros(more, bool), store.observed]),
        known=known,
    )


def clock_steps(known, more):
    """Phases of the weeks before the first one."""
    from apps.time_series_forecasting.sources import load

    series = load(Config()).panel.series[0]
    return series.clock.phases(series.first - np.arange(more, 0, -1))


@pytest.mark.slow
def test_a_stream_that_was_stopped_goes_on_from_its_state_as_if_it_had_not_been(smoke, example, tmp_path):
    rows = example.read_text().splitlines()
    whole, half = tmp_path / "whole.csv", tmp_path / "half.csv"
    whole.write_text("\n".join(rows[:121]) + "\n")
    half.write_text("\n".join(rows[:61]) + "\n")
    unbroken = verb(smoke, "stream", str(whole))
    assert unbroken.returncode == 0, unbroken.stderr
    state = str(tmp_path / "state.npz")
    first = verb(smoke, "stream", str(half), "--state", state)
    second = verb(smoke, "stream", str(whole), "--state", state)
    printed = unbroken.stdout.splitlines()
    assert first.stdout.splitlines() + second.stdout.splitlines()[1:] == printed
    assert len(printed) == 121
    (tmp_path / "state.npz").write_bytes(b"broken")
    refused = verb(smoke, "stream", str(half), "--state", state)
    assert refused.returncode == 2 and "is damaged" in refused.stderr and refused.stderr.count("\n") == 1


def test_a_row_of_a_stream_that_cannot_be_right_is_named_and_left_out(smoke):
    rows = ["unique_id,ds,y", "co2,1960-01-02,316", "co2,1960-01-09,high", "co2,1960-01-09,317", "co2,1960-01-09,318",
            "co2,1999-01-02,318", "co2,1960-01-16", "co2,1960-01-16,", "co2,1960-01-23,316"]  # fmt: skip
    done = verb(smoke, "stream", stdin="\n".join(rows) + "\n")
    assert done.returncode == 0, done.stderr
    dates = [line.split(",")[1:3] for line in done.stdout.splitlines()[1:]]
    assert dates == [["1960-01-02", "316"], ["1960-01-09", "317"], ["1960-01-16", ""], ["1960-01-23", "316"]]
    for said in ("line 3: expected a number as y", "line 5: 1960-01-09 is not after", "line 6: 1999-01-02 is 2,034",
                 "line 7: expected 3 cells"):  # fmt: skip
        assert f"left out: standard input, {said}" in done.stderr


def streamed(predictor, *rows, source="standard input"):
    """What a stream has after these rows, with the header of a long file."""
    found = stream.Rows(streamer.Streamer(predictor), 2, source)
    for line, text in enumerate(("unique_id,ds,y", *rows), 1):
        found.take(feeds.cells(text), line)
    return found


def weeks(count, first="1960-01-02", name="co2"):
    dates = pd.date_range(first, periods=count, freq="7D")
    return [f"{name},{date:%Y-%m-%d},{316 + n % 3}" for n, date in enumerate(dates)]


def test_a_stream_starts_again_where_two_rows_in_succession_are_far_from_those_before(predictor, capsys):
    wrong = ["co2,9999-12-25,1", "co2,0001-01-06,1"]
    streamed(predictor, *weeks(3), *wrong, *weeks(2, "1960-01-23"), *weeks(3, "1990-01-06"))
    out, err = capsys.readouterr()
    dates = [row["ds"] for row in csv.DictReader(out.splitlines())]
    assert dates == ["1960-01-02", "1960-01-09", "1960-01-16", "1960-01-23", "1960-01-30", "1990-01-13", "1990-01-20"]
    assert "line 5: 9999-12-25 is" in err and "line 6: 0001-01-06 is" in err and "a wrong date?" in err
    assert "line 9: 1990-01-06 is 1,562 steps after the last row of co2" in err
    assert "co2 starts again at 1990-01-06" in err


def test_a_wrong_date_in_the_first_row_does_not_silence_a_series(predictor, capsys):
    streamed(predictor, "co2,9999-12-04,1", *weeks(3))
    dates = [row["ds"] for row in csv.DictReader(capsys.readouterr().out.splitlines())]
    assert dates[1:] == ["1960-01-09", "1960-01-16"]


def test_a_stream_says_once_what_it_moves_and_what_it_does_not_know_and_for_when_a_forecast_is(predictor, capsys):
    rows = streamed(predictor, "co2,1960-01-03,316", "co2,1960-01-10,316", *weeks(24, name='"new, here"'))
    out, err = capsys.readouterr()
    first, second, new = csv.DictReader(out.splitlines())
    assert (first["ds"], first["ahead"], first["for"]) == ("1960-01-02", "2", "1960-01-16")
    assert err.count("is between two steps of co2; moved to 1960-01-02") == 1 and "1960-01-09" not in err
    assert err.count("new, here: not in the training data; no forecast before 24 values") == 1
    assert new["unique_id"] == "new, here" and new["forecast"]
    rows.restored, rows.took = {"co2": 0}, []
    rows.end()
    assert "no new rows since" in capsys.readouterr().err


def test_a_stream_with_another_step_than_in_training_ends_and_an_unseen_one_is_warned_of(predictor, capsys):
    days = [f"{date:%Y-%m-%d},316" for date in pd.date_range("1960-01-01", periods=12)]
    with pytest.raises(InputError, match="expected co2 in steps of 1 week, as in training; received steps of 1 day"):
        streamed(predictor, *(f"co2,{day}" for day in days))
    streamed(predictor, *(f"new,{day}" for day in days))
    assert "new: in steps of 1 day, but the run was trained on" in capsys.readouterr().err


def test_a_stream_with_a_wrong_header_prints_none_of_its_own(predictor, capsys):
    with pytest.raises(InputError, match="expected a column of dates"):
        stream.Rows(streamer.Streamer(predictor), 1, "standard input").take(["when", "y"], 1)
    assert not capsys.readouterr().out


def test_a_damaged_state_is_refused_in_one_line_whatever_is_in_it(predictor, tmp_path):
    streaming, path = streamer.Streamer(predictor), tmp_path / "state.npz"
    streaming.value("co2", 0, 316.0)
    streaming.save(path)
    with np.load(path) as kept:
        arrays = {name: kept[name] for name in kept.files}
    for name, wrong in (("0/values", np.zeros(3)), ("about", np.zeros(4, np.uint8)), ("0/low", np.array([{}]))):
        np.savez(path, **arrays | {name: wrong})
        with pytest.raises(InputError, match="is damaged or no state of this command; remove it") as error:
            streamer.Streamer(predictor).restore(path)
        assert "pickle" not in str(error.value)


def test_a_forecast_is_written_with_its_chart_in_the_units_of_the_file(smoke, example, tmp_path):
    out = tmp_path / "out.csv"
    done = verb(smoke, "forecast", str(example), "--horizon", "5", "--out", str(out))
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["ds"] for row in rows] == [f"2001-11-{day:02}" for day in (10, 17, 24)] + ["2001-12-01", "2001-12-08"]
    for row in rows:
        low, high = float(row["low"]), float(row["high"])
        assert 340 < low < float(row["forecast"]) < high < 400
        assert float(row["q0.1"]) <= float(row["q0.5"]) <= float(row["q0.9"])
    assert out.with_suffix(".png").stat().st_size > 10_000
    again = verb(smoke, "predict", str(example), "--horizon", "5", "--out", str(out))
    assert again.stdout == done.stdout


@pytest.mark.slow
def test_a_series_that_training_never_saw_is_forecast_at_its_own_scale(smoke, waves, tmp_path):
    rows = waves.read_text().splitlines()
    (tmp_path / "large.csv").write_text(
        "\n".join(
            [rows[0], *(f"{d},{1000 * float(a):.6f},{float(b):.6f}" for d, a, b in (r.split(",") for r in rows[1:]))]
        )
    )
    found = []
    for path in (waves, tmp_path / "large.csv"):
        out = tmp_path / f"{path.stem}-out.csv"
        assert verb(smoke, "predict", str(path), "--out", str(out)).returncode == 0
        found.append([float(row["forecast"]) for row in csv.DictReader(out.read_text().splitlines())])
    np.testing.assert_allclose(found[1][:8], 1000 * np.array(found[0][:8]), rtol=1e-3)
    np.testing.assert_allclose(found[1][8:], found[0][8:], rtol=1e-5)


def test_a_chart_overwrites_no_file_that_is_not_its_own(predictor, tmp_path):
    out = tmp_path / "out.csv"
    assert early.forecast_out(str(out), "in.csv", predictor.run) == out
    out.with_suffix(".png").write_bytes(b"a photograph")
    with pytest.raises(InputError, match=r"the fan chart of out\.csv would overwrite .*out\.png; choose another name"):
        early.forecast_out(str(out), "in.csv", predictor.run)
    assert early.forecast_out(str(out), "in.csv", predictor.run, chart=False) == out
    out.write_text("an earlier forecast")
    assert early.forecast_out(str(out), "in.csv", predictor.run) == out
    out.with_suffix(".png").unlink()
    out.with_suffix(".png").mkdir()
    with pytest.raises(InputError, match="received the folder"):
        early.forecast_out(str(out), "in.csv", predictor.run)


@pytest.mark.parametrize(
    "asked, said",
    [
        (Predict(series="nowhere.csv"), "There is none at nowhere.csv"),
        (Predict(series="{fine}", horizon=9), "--horizon: expected at most 8"),
        (Predict(series="{fine}", out="nowhere/x.csv"), "--out: expected the path of a CSV file in a folder"),
        (Backtest(series="{wrong}"), "expected a column of dates"),
        (Stream(feed="{wrong}"), "expected a column of dates"),
        (Stream(feed="{fine}", ahead=9), "--ahead: expected at most 8"),
        (Evaluate(data="{wrong}"), "expected a column of dates"),
    ],
)
def test_what_needs_no_network_is_refused_by_the_options(asked, said, smoke, example, tmp_path, monkeypatch):
    (tmp_path / "wrong.csv").write_text("when,y\n1,2\n")
    monkeypatch.setenv("GALLERY_RUNS", str(smoke[0]))
    places = {"{fine}": str(example), "{wrong}": str(tmp_path / "wrong.csv")}
    given = {name: places[value] for name, value in vars(asked).items() if value in places}
    with pytest.raises(InputError, match=said):
        dataclasses.replace(asked, **given).check()


def test_what_to_try_next_is_no_stream_for_a_run_that_needs_the_future():
    run = types.SimpleNamespace(path=types.SimpleNamespace(name="mine"), file=lambda name: name)
    assert f"python -m {APP} stream example.csv --run mine" in train.next_steps(Config(), run)
    assert "stream" not in train.next_steps(Config(data="my.csv", known=("price",)), run)


def test_intervals_of_counts_end_at_whole_numbers_around_their_deciles():
    counts = np.arange(len(LEVELS)) * np.ones((2, 3, 1))
    low, high = heads.around(np.full((2, 3), 3.4), np.full((2, 3), 10.2), counts, 0.9)
    assert (low == 2).all() and (high == 11).all()  # the deciles are from 2 to 10
    low, high = heads.around(np.full((2, 3), -1.7), np.full((2, 3), 5.0000000001), counts, 0.5)
    assert (low == 0).all() and (high == 9).all()  # the inner half, to 8.5
    low, high = heads.around(np.full((2, 3), 3.4), np.full((2, 3), 7.000000001), 0 * counts, 0.9)
    assert (low == 0).all() and (high == 7).all()


def test_deciles_of_an_unseen_series_are_as_wide_as_its_interval(predictor, tmp_path):
    values = 50 * np.random.default_rng(4).standard_t(2, size=200)
    dates = pd.date_range("2020-01-04", periods=200, freq="7D")
    path = tmp_path / "noise.csv"
    path.write_text("ds,y\n" + "".join(f"{d:%Y-%m-%d},{v:.6f}\n" for d, v in zip(dates, values, strict=True)))
    found = predict.forecast(predictor, data.read_for(str(path), predictor.info, predictor.config), 8)
    outer = heads.between(found.quantiles[0], (0.05, 0.95))
    np.testing.assert_allclose(np.ptp(outer, axis=-1), found.high[0] - found.low[0], rtol=1e-4)


def test_the_share_covered_leaves_out_what_was_never_observed():
    observed = np.array([[True, False], [True, False], [False, False]])
    windows = types.SimpleNamespace(who=np.array([0, 0, 1]), future=lambda: np.zeros((3, 2)), observed=lambda: observed)
    low = np.array([[-1.0, -1], [1, 1], [1, 1]])
    assert adapt.by_part(windows, low, low + 2, ["a", "b"]) == (0.5, {"a": 0.5}, {0: 0.5})


def test_a_backtest_writes_every_forecast_with_what_came_and_may_fit_anew(smoke, example, tmp_path):
    out = tmp_path / "out.csv"
    done = verb(smoke, "backtest", str(example), "--origins", "6", "--out", str(out))
    assert done.returncode == 0 and "1 series, 6 origins, 8 steps each" in done.stdout, done.stderr
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == 6 * 8 and rows[-1]["ds"] == "2001-11-03"
    known = {row["ds"]: row["y"] for row in csv.DictReader(example.read_text().splitlines())}
    assert all(row["y"] == known[row["ds"]] for row in rows if row["y"])
    figures = {line.split()[0]: line for line in done.stdout.splitlines() if line.startswith("  ")}
    assert "last_value" in figures["mase"] and figures["mase"].rpartition(": ")[2]
    assert "last_value" not in figures["msis"] + figures["weighted_quantile_loss"]
    anew = verb(smoke, "backtest", str(example), "--origins", "6", "--refit", "3", "--out", str(tmp_path / "anew.csv"))
    assert anew.returncode == 0, anew.stderr
    assert (tmp_path / "anew.csv").read_text() != out.read_text()


@pytest.mark.parametrize(
    "words, said",
    [
        (["predict", "{file}", "--horizon", "9"], "--horizon: expected at most 8"),
        (["predict", "{file}", "--out", "{file}"], "--out: expected another file"),
        (["predict", "{file}", "--out", "nowhere/x.csv"], "--out: expected the path of a CSV file in a folder"),
        (["predict", "nowhere.csv"], "There is none at nowhere.csv"),
        (["backtest", "{file}", "--origins", "5000"], "expected 5008 steps of co2"),
        (["stream", "{file}", "--ahead", "9"], "--ahead: expected at most 8"),
        (["stream", "nowhere.csv"], "There is none at nowhere.csv"),
        (["stream"], "standard input: expected a header and rows; received nothing"),
        (["stream", "{file}", "--state", "{file}"], "--state: expected another file than that of the series"),
        (["evaluate", "--data", "nowhere.csv"], "There is none at nowhere.csv"),
        (["train", "--segment", "200"], "--segment: expected at most --lookback"),
        (["train", "--valid-fraction", "0.9"], "--valid-fraction: expected less than 1 together with"),
        (["train", "--data", "builtin", "--known", "price"], "--known, --static: expected your own file"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(words, said, smoke, example):
    done = verb(smoke, *(word.format(file=example) for word in words))
    *notes, last = done.stderr.splitlines()
    assert done.returncode == 2 and said in last and all("values missing" in note for note in notes)


def test_the_example_of_a_run_is_read_again_whatever_its_names(predictor, tmp_path):
    name, place = 'a, "b"', "north, south"
    series = panel.Series(
        name, Clock("steps", 1), 0, np.arange(30.0), np.ones(30, bool), 1, np.zeros((30, 0)), (place,)
    )
    found = types.SimpleNamespace(panel=panel.Panel("my.csv", (series,), static=("region",)))
    run = types.SimpleNamespace(file=lambda name: tmp_path / name)
    train.save_example(types.SimpleNamespace(run=run, config=predictor.config), found)
    (again,) = reading.read(tmp_path / "example.csv", static=("region",)).series
    assert (again.name, again.static, len(again)) == (name, (place,), 22)


def test_a_forecast_beyond_the_year_9999_is_refused_in_one_line(predictor, tmp_path):
    path = tmp_path / "last.csv"
    path.write_text("unique_id,ds,y\n" + "".join(f"new,9999-{n // 28 + 11}-{n % 28 + 1:02},{n}\n" for n in range(56)))
    with pytest.raises(InputError, match="expected dates in the years 1 to 9999"):
        predictor([path])


def test_calibration_needs_windows_with_values():
    observed = np.ones((30, 4), bool)
    assert conformal.enough(observed)
    observed[:15] = False
    assert not conformal.enough(observed)


def test_a_damaged_file_of_intervals_is_named(tmp_path, predictor):
    path = tmp_path / "intervals.npz"
    path.write_bytes((predictor.run.path / "intervals.npz").read_bytes()[:-50])
    with pytest.raises(InputError, match="intervals.npz is damaged"):
        predict.read_arrays(path)


@pytest.mark.slow
def test_own_data_with_covariates_is_trained_on_and_forecast(tmp_path):
    generator, dates = np.random.default_rng(11), pd.date_range("2026-01-01", periods=90, freq="D")
    rows = ["unique_id,ds,y,price,region"]
    for name, region in (("a", "north"), ("b", "south")):
        for number, date in enumerate(dates):
            price = generator.integers(1, 4)
            count = generator.poisson(12 / price) if number < 84 else ""
            rows.append(f"{name},{date:%Y-%m-%d},{count},{price},{region}")
    path, folder = tmp_path / "sales.csv", str(tmp_path / "runs")
    path.write_text("\n".join(rows) + "\n")
    words = ["--data", str(path), "--known", "price", "--static", "region", "--head", "negative_binomial", "--horizon",
             "6", "--lookback", "12", "--segment", "6", "--units", "4", "--embedding", "3", "--epochs", "1",
             "--network", "encoder_decoder"]  # fmt: skip
    done = run_here(APP, "train", *words, GALLERY_RUNS=folder)
    assert done.returncode == 0, done.stderr
    assert " backtest " in done.stdout and " stream " not in done.stdout
    done = run_here(APP, "predict", str(path), "--out", str(tmp_path / "out.csv"), GALLERY_RUNS=folder)
    assert done.returncode == 0, done.stderr
    found = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    assert len(found) == 12
    for row in found:
        low, first, last, high = (float(row[name]) for name in ("low", "q0.1", "q0.9", "high"))
        assert 0 <= low <= first <= last <= high and low % 1 == high % 1 == 0
    path.write_text("\n".join(row for row in rows if ",," not in row) + "\n")
    done = run_here(APP, "predict", str(path), GALLERY_RUNS=folder)
    assert done.returncode == 2 and "expected price of a up to 2026-03-31" in done.stderr
    done = run_here(APP, "stream", str(path), GALLERY_RUNS=folder)
    assert done.returncode == 2 and "expected a run without --known" in done.stderr


def test_a_series_that_training_never_saw_or_that_is_short_is_said_to_be_so():
    weekly = Clock("seconds", 604_800)
    series = [
        types.SimpleNamespace(name=name, clock=weekly, values=np.arange(3)) for name in ("co2", "new", "newer", "short")
    ]
    panel = types.SimpleNamespace(series=series, source="my.csv", clocks={each.name: each.clock for each in series})
    mine = types.SimpleNamespace(panel=panel, padded=[0, 0, 0, 5], unseen=lambda: [1, 2])
    info = {"names": ["co2", "short"], "clocks": [weekly.saved()] * 2, "reach": 104, "horizon": 8}
    first, second, third = cautions(mine, (1,), info)
    assert first == "new: not in the training data; intervals are based on errors in its own past"
    assert second.startswith("newer: not in the training data and too short to calibrate on; intervals are based on")
    assert third.startswith("short: shorter than the 104 values of the lookback") and "unreliable" in third
    assert (
        cautions(mine, (1, 2), info)[0].startswith("new, newer: not in")
        and "their own past" in cautions(mine, (1, 2), info)[0]
    )
    mine.unseen = lambda: []
    assert cautions(mine, (), info) == [third]
    series[0].values = np.full(9, 3e-7)
    assert cautions(mine, (), info) == ["co2: constant so far; how much it may change is a guess", third]
    panel.clocks["monthly"] = Clock("months", 1)
    assert "monthly: in steps of 1 month, but the run was trained on steps of 1 week" in cautions(mine, (), info)[0]


@pytest.mark.slow
def test_intervals_of_a_series_that_training_never_saw_cover_what_comes(predictor, tmp_path):
    """Noise of a size that no training series has: intervals of errors on those would be several times too narrow."""
    values = np.random.default_rng(4).normal(size=400)
    dates = pd.date_range("2020-01-04", periods=400, freq="W")
    rows = [f"{date:%Y-%m-%d},{value:.6f}" for date, value in zip(dates, values, strict=True)]
    covered, horizon = [], predictor.config.horizon
    for end in range(300, 400 - horizon, horizon):
        path = tmp_path / "noise.csv"
        path.write_text("\n".join(["ds,y", *rows[:end]]) + "\n")
        panel = data.read_for(str(path), predictor.info, predictor.config)
        found = predict.forecast(predictor, panel, horizon)
        assert "errors in its own past" in found.cautions[0]
        actual = values[end : end + horizon]
        covered += [(found.low[0] <= actual) & (actual <= found.high[0])]
    assert 0.75 < np.mean(covered) <= 1


def test_the_lookback_is_part_of_the_task_unless_it_is_that_of_the_recipe():
    etth1 = RECIPES["etth1"]
    short = dataclasses.replace(etth1, horizon=192, lookback=96, ridge_lookbacks=(96,))
    assert evaluate.task_of(etth1) == {"horizon": 96}
    assert evaluate.task_of(short) == {"horizon": 192, "lookback": 96}


def test_a_value_far_outside_the_others_is_a_caution_if_it_is_recent():
    values = np.sin(np.arange(100.0))
    spike = np.where(np.arange(100) == 60, 99.0, values)
    assert [outlying(each, 50) for each in (values, spike, np.ones(100))] == [False, True, False]
    assert not outlying(spike, 30)


@pytest.mark.parametrize(("off", "behind"), [(0.5, False), (2.0, True)])
def test_an_unseen_series_that_the_last_value_forecasts_better_is_named(off, behind, predictor):
    weekly, there = Clock(**predictor.info["clocks"][0]), np.ones(400, bool)
    series = panel.Series("new", weekly, 0, np.arange(400.0), there, 1, np.zeros((400, 0)))
    mine = data.as_read(panel.Panel("new.csv", (series,)), predictor.info, predictor.config)
    scale = mine.info["scale"][0]

    def forecasts(windows):
        point = windows.future() + off * predictor.config.horizon / scale
        return point, point - 1, point + 1

    (own,) = unseen.calibrated(mine, predictor.config, forecasts).values()
    assert own.behind == behind
