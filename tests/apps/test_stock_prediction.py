"""The app as its user meets it, and its figures against formulas worked out by hand or by other code."""

import csv
import dataclasses
import json
import math
import re
import shutil

import keras
import numpy as np
import pytest
from scipy import optimize, stats

from apps.stock_prediction import (
    backtest,
    bars,
    baselines,
    data,
    evaluate,
    intervals,
    linear,
    model,
    predict,
    significance,
    trading,
)
from apps.stock_prediction.bars import Row
from apps.stock_prediction.config import HORIZONS, SMOKE, WARNING, Config
from shared import runs
from tests.commands import run_here, trained

NAME = "stock_prediction"
APP = f"apps.{NAME}"
INFO = {"inputs": ["x", "y", "z"]}


@pytest.fixture(scope="module")
def smoke():
    """The folder of runs after a smoke training, and what it printed."""
    return trained(NAME)


@pytest.fixture(scope="module")
def run(smoke):
    path = next(smoke[0].glob(f"{NAME}/*"))
    return runs.Run(path, NAME, json.loads((path / "config.json").read_text())["config"])


@pytest.fixture(scope="module")
def predictor(run):
    return predict.Predictor(run)


@pytest.fixture(scope="module")
def index():
    """The bars of the smoke training, laid out."""
    return data.load(SMOKE)


# The pooled linear model and the baselines


def test_the_linear_model_has_the_least_qlike_that_another_optimiser_finds():
    random = np.random.default_rng(0)
    x = random.normal(size=(200, 3))
    y = np.exp(x @ [0.5, -0.3, 0.0] + 0.7 + 0.5 * random.normal(size=200))

    def loss(w):
        z = x @ w[:3] + w[3]
        return (y * np.exp(-z) + z).mean() + 0.01 * (w[:3] ** 2).sum() / 2

    found = linear.fit(x, y, ridge=0.01)
    np.testing.assert_allclose(found, optimize.minimize(loss, np.zeros(4)).x, atol=1e-4)
    # With a constant that is not penalised forecasts are right on average: the mean of y / f is 1.
    assert np.mean(y / np.exp(linear.log_variance(x, found))) == pytest.approx(1)


def test_the_linear_model_finds_its_way_from_a_bad_start():
    x = np.linspace(-6, 6, 50)[:, None]
    weights = linear.fit(x, np.exp(3 * x[:, 0]), ridge=1e-9)
    np.testing.assert_allclose(weights, [3, 0], atol=1e-3)


def test_an_exponential_mean_is_the_recursion_and_skips_unknown_days():
    y = np.array([[4.0, 2.0, np.nan, 6.0]])
    np.testing.assert_allclose(baselines.exponential_mean(y, 0.9), [[4, 0.9 * 4 + 0.1 * 2, 3.8, 0.9 * 3.8 + 0.1 * 6]])


def test_har_is_least_squares_on_the_mean_variances_of_a_day_a_week_and_a_month(index):
    refit = index.refits[0]
    variance = index.series.variance[0]
    days = np.flatnonzero(index.before(refit)[0][0])
    means = [[variance[day - span + 1 : day + 1].mean() for span in (1, 5, 22)] + [1.0] for day in days]
    weights = np.linalg.lstsq(np.array(means), variance[days + 1], rcond=None)[0]
    at = refit.test + 3
    expected = np.array([*(variance[at - span + 1 : at + 1].mean() for span in (1, 5, 22)), 1.0]) @ weights
    least = variance[days + 1].min()
    assert baselines.har(index, refit)[0, 0, at] == pytest.approx(max(expected, least), rel=1e-6)


def test_garch_forecasts_are_the_recursion_of_its_own_parameters(index):
    from arch import arch_model

    refit = index.refits[0]
    returns = index.series.returns[0, 1:]
    fitted = arch_model(returns, dist="t", rescale=False).fit(last_obs=refit.test - 1, disp="off", show_warning=False)
    mu, omega, alpha, beta = (fitted.params[name] for name in ("mu", "omega", "alpha[1]", "beta[1]"))
    at = refit.test + 5
    # The variance of day `at` by the fit; the day after it from that day's own error, those later from its forecast.
    last = arch_model(returns, dist="t", rescale=False).fix(fitted.params).conditional_volatility[at - 1] ** 2
    ahead = [omega + alpha * (returns[at - 1] - mu) ** 2 + beta * last]
    while len(ahead) < max(HORIZONS):
        ahead.append(omega + (alpha + beta) * ahead[-1])
    found = baselines.garch(index, refit)[:, 0, at]
    np.testing.assert_allclose(found, [np.mean(ahead[:horizon]) for horizon in HORIZONS], rtol=1e-3)


def test_no_method_looks_into_the_test_days_when_it_is_fitted(index):
    """All test days but the first few are made ten times as wild: forecasts before them stay what they were."""
    (refit, *_), found = index.refits, index.bars
    from_day = refit.test + 10
    wild = {name: getattr(found, name).copy() for name in ("open", "high", "low", "close")}
    for values in wild.values():
        values[:, from_day:] *= np.linspace(1, 3, values.shape[1] - from_day) ** 2
    other = data.laid_out(dataclasses.replace(found, **wild), index.refits, {"refits": index.info["refits"]})
    for name, method in baselines.METHODS.items():
        before, after = method(index, refit), method(other, refit)
        some = slice(refit.test, from_day)
        np.testing.assert_allclose(before[:, :, some], after[:, :, some], rtol=1e-9, err_msg=name)


def test_a_ticker_that_was_listed_late_gets_a_forecast_from_every_method():
    days = np.busday_offset("2010-01-04", np.arange(700))
    drawn = np.random.default_rng(9).normal(size=(3, 700, 4))
    close = 50 * np.exp(np.cumsum(0.01 * drawn[..., 0], axis=1))
    open_ = close * np.exp(0.005 * drawn[..., 1])
    high, low = (np.maximum(open_, close) * np.exp(np.abs(0.005 * drawn[..., 2])),
                 np.minimum(open_, close) * np.exp(-np.abs(0.005 * drawn[..., 3])))  # fmt: skip
    rows = {
        name: [
            Row(days[d], open_[n, d], high[n, d], low[n, d], close[n, d], 1.0, f"line {d}") for d in range(first, 700)
        ]
        for n, (name, first) in enumerate({"A": 0, "LATE": 560, "C": 3}.items())
    }
    panel = bars.bars("panel", rows)
    refits = data.walk(panel, SMOKE)
    found = data.laid_out(panel, refits, {})
    mean, deviation = data.scale_of(found.inputs[found.train(refits[0])[0]])
    found.info["refits"] = [{"mean": mean, "deviation": deviation}] * len(refits)
    asked = np.any([found.asked(refit) for refit in refits], axis=0)
    assert asked[1].any()
    for name, method in baselines.METHODS.items():
        forecast = baselines.walked(method, found)
        assert np.isfinite(forecast[:, asked]).all() and (forecast[:, asked] > 0).all(), name


def test_the_calibration_factor_is_the_mean_of_truth_over_forecast_on_the_days_before(index):
    refit = index.refits[1]
    raw = np.full(index.targets.variance.shape, 2.0)
    found = baselines.factors(raw, index, refit)
    recent = index.recent(refit)
    for place in range(len(HORIZONS)):
        assert found[place, 0] == pytest.approx((index.targets.variance[place][recent[place]] / 2).mean())
    walked = baselines.walked(lambda data, refit: raw, index)
    assert walked[0, 0, refit.test] == pytest.approx(2 * found[0, 0])
    # With it a forecast that is ten times too high everywhere is none the worse.
    tenfold = baselines.walked(lambda data, refit: 10 * raw, index)
    np.testing.assert_allclose(walked, tenfold)


# Whether a difference is one


def test_diebold_mariano_is_the_mean_over_its_newey_west_error():
    first, second = np.array([1.0, 3.0, 2.0, 6.0]), np.array([2.0, 2.0, 2.0, 2.0])
    d = np.array([-1.0, 1.0, 0.0, 4.0]) - 1.0  # around the mean of 1
    gamma = [(d * d).sum() / 4, (d[1:] * d[:-1]).sum() / 4]
    error = math.sqrt((gamma[0] + 2 * (1 - 1 / 2) * gamma[1]) / 4)  # lag 1 of 1: weight 1/2
    found = significance.diebold_mariano(first, second, horizon=2)
    assert significance.lags_for(4, 2) == 1
    assert (found["difference"], found["error"]) == (1.0, pytest.approx(error))
    assert found["t"] == pytest.approx(1 / error)
    assert found["p"] == pytest.approx(2 * stats.norm.sf(1 / error))


def test_neighbouring_days_that_are_alike_widen_the_error():
    drawn = np.random.default_rng(0).normal(size=300)
    assert significance.newey_west(np.repeat(drawn, 10), 20) > 2 * significance.newey_west(np.repeat(drawn, 10), 0)


def test_tickers_of_a_day_are_one_observation():
    losses = np.tile(np.random.default_rng(1).normal(size=100), (12, 1))
    tested = np.ones(losses.shape, bool)
    tested[5, :50] = False
    np.testing.assert_allclose(significance.daily(losses, tested), losses[0])


def test_the_confidence_set_leaves_out_what_is_worse_for_sure():
    random = np.random.default_rng(2)
    good, same = random.normal(size=(2, 400)) * 0.1 + 1
    assert significance.confidence_set({"a": good, "b": same, "bad": good + 0.5 + 0.1 * same}) == ["a", "b"]


def test_blocks_of_days_give_the_interval_that_theory_has_for_independent_ones():
    drawn = np.random.default_rng(3).normal(size=2200)
    low, high = significance.interval(lambda rows: drawn[rows].mean(), len(drawn))
    assert high - low == pytest.approx(2 * 1.96 * drawn.std() / math.sqrt(len(drawn)), rel=0.25)
    assert low < drawn.mean() < high


@pytest.mark.parametrize(
    "value, ahead, said",
    [
        (0.532, (-0.01, 0.03), "no better than always up."),
        (0.532, (0.004, 0.02), "0.522: better than always up on these days"),  # although .522 is in its own interval
        (0.51, (-0.02, -0.004), "worse than always up."),
    ],
)
def test_the_direction_gets_the_verdict_that_the_report_gives(value, ahead, said, capsys):
    details = {"interval": [0.5, 0.56]}
    side = {"value": value, "ahead": ahead, "baselines": {"always_up": 0.522}, "details": details, "std": None}
    assert said in evaluate.sentence(side | {"direction": "higher"})


# Trading on paper


def test_the_deflated_sharpe_ratio_is_that_of_the_example_in_its_source():
    # Bailey and Lopez de Prado (2014), "A numerical example": SR 2.5 a year of 250 days, T 1250, V 1/2 a year, N 100,
    # skewness -3, kurtosis 10: SR0 about .1132 a day, DSR about .9004.
    least = trading.expected_best(math.sqrt(0.5 / 250), 100)
    assert least == pytest.approx(0.1132, abs=1e-4)
    found = trading.deflated_sharpe(2.5 / math.sqrt(250), least, 1250, -3, 10)
    assert found == pytest.approx(0.9004, abs=5e-4)


def test_one_trial_is_not_deflated_and_more_trials_deflate_more():
    returns = np.random.default_rng(4).normal(0.001, 0.01, 500)
    alone = trading.deflated(returns, [trading.sharpe(returns)])
    ratio = trading.sharpe(returns) / math.sqrt(trading.YEAR)
    moments = stats.skew(returns), stats.kurtosis(returns, fisher=False)
    spread = math.sqrt(1 - moments[0] * ratio + (moments[1] - 1) / 4 * ratio**2)
    assert alone == pytest.approx(stats.norm.cdf(ratio * math.sqrt(499) / spread))
    many = [trading.sharpe(returns) * x for x in (1.0, 0.2, -0.4, 0.6)]
    assert trading.deflated(returns, many) < trading.deflated(returns, many[:2]) <= alone


def test_a_position_is_taken_at_the_next_open_and_its_change_is_paid(index):
    terms = trading.Terms(cost_bps=20, slippage_bps=10)
    asked = np.flatnonzero(index.tested()[0][0])
    positions = np.zeros(index.bars.close.shape)
    positions[0, asked[:2]] = 1.0, 0.5
    found = trading.earned(positions, index, terms)
    found_bars, days = index.bars, asked[:3] + 1
    nights = found_bars.open[0, days] / found_bars.close[0, days - 1] - 1
    daytimes = found_bars.close[0, days] / found_bars.open[0, days] - 1
    expected = [
        daytimes[0] - 0.003,
        (1 + nights[1]) * (1 + 0.5 * daytimes[1] - 0.0015) - 1,
        (1 + 0.5 * nights[2]) * (1 - 0.0015) - 1,
        *[0.0] * (len(asked) - 3),
    ]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_holding_earns_what_the_prices_did_but_for_the_first_night_and_cost(index):
    terms = trading.Terms(cost_bps=0, slippage_bps=0)
    found = trading.earned(np.ones(index.bars.close.shape), index, terms)
    asked = np.flatnonzero(index.tested()[0][0])
    growth = index.bars.close[0, asked[-1] + 1] / index.bars.open[0, asked[0] + 1]
    assert np.prod(1 + found) == pytest.approx(growth, rel=1e-9)
    np.testing.assert_array_equal(trading.result_days(index), index.bars.days[asked + 1])


def test_drawdown_and_sharpe_are_those_of_plain_arithmetic():
    returns = np.array([0.1, -0.5, 0.2, -0.1])
    wealth = [1.1, 0.55, 0.66, 0.594]
    assert trading.drawdown(returns) == pytest.approx(1 - min(wealth) / max(wealth))
    assert trading.sharpe(returns) == pytest.approx(returns.mean() / returns.std(ddof=1) * math.sqrt(252))
    assert trading.sharpe(np.zeros(5)) == 0


def test_the_position_is_smaller_where_more_volatility_is_expected_and_never_above_the_leverage():
    terms = trading.Terms(target_volatility=15, leverage=1.5)
    found = trading.volatility_target(np.array([0.01, 4.0]), terms)
    np.testing.assert_allclose(found, [1.5, 15 / (2 * math.sqrt(252))])


def test_the_trials_are_counted_by_the_run_folders(smoke, run, tmp_path, monkeypatch):
    shutil.copytree(smoke[0], tmp_path / "runs")
    monkeypatch.setenv("GALLERY_RUNS", str(tmp_path / "runs"))
    folder = tmp_path / "runs" / NAME
    (first,) = folder.iterdir()
    one = backtest.trials_of(runs.find(NAME, first.name))
    sharpes = [r["value"] for r in json.loads((first / "metrics.json").read_text()) if r["metric"] == "sharpe"]
    assert one == sharpes and len(one) == 2
    for name in ("second", "damaged", "other"):
        shutil.copytree(first, folder / name)
    (folder / "unfinished").mkdir()
    (folder / "damaged/metrics.json").write_text("[")
    rewritten(folder / "second/config.json", lambda saved: saved["config"].update(data="./other/spelling.csv"))
    rewritten(folder / "other/info.json", lambda info: info.update(fingerprint="of other data"))
    assert backtest.trials_of(runs.find(NAME, first.name)) == 2 * sharpes
    done = run_here(APP, "backtest", "--run", first.name, GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 0, done.stderr
    assert "the best of the 4 trials" in done.stdout and WARNING in done.stdout
    assert "target volatility 15 % a year of 252 bars, positions of at most 1 times the capital" in done.stdout
    assert f"Picture: {first / 'backtest.png'}" in done.stdout and (first / "backtest.png").stat().st_size > 0
    assert re.search("^damaged is not counted among the trials: .*metrics.json is damaged", done.stderr, re.MULTILINE)


def rewritten(path, change):
    kept = json.loads(path.read_text())
    change(kept)
    path.write_text(json.dumps(kept))


def test_strategies_are_new_trials_only_under_terms_that_the_metrics_do_not_have(run):
    earned = {name: np.linspace(-1, end, 9) for name, end in (("direction", 2), ("buy_and_hold", 3))}
    assert backtest.new_trials(run, earned, trading.Terms()) == []
    found = backtest.new_trials(run, earned, trading.Terms(leverage=2.0))
    assert found == [trading.sharpe(earned["direction"])]


# The network


def small(**changes):
    keras.utils.set_random_seed(3)
    return model.build(Config(units=5, ensemble_size=2, **changes), INFO)


def test_a_day_s_forecast_does_not_change_with_what_comes_after():
    x = np.random.default_rng(5).normal(size=(2, 40, 3)).astype(np.float32)
    network = small()
    network.set_weights([w + 0.1 * np.random.default_rng(n).normal(size=w.shape)
                         for n, w in enumerate(network.get_weights())])  # fmt: skip
    used = model.averaged(network)
    whole = model.outputs(used, x)
    changed = x.copy()
    changed[:, 25:] = 9
    np.testing.assert_allclose(whole[:, :25], model.outputs(used, changed)[:, :25], atol=1e-6)
    np.testing.assert_allclose(whole[:, :25], model.outputs(used, x[:, :25]), atol=1e-5)
    assert (whole[:, 25:] != model.outputs(used, changed)[:, 25:]).any()


def test_the_network_starts_as_the_linear_model_and_without_skip_as_a_constant():
    x = np.random.default_rng(6).normal(size=(1, 30, 3)).astype(np.float32)
    weights = [np.arange(9.0).reshape(3, 3) / 9, np.array([0.1, 0.2, 0.3])]
    network = small()
    network.get_layer("linear").set_weights(weights)
    found = np.asarray(network(x))
    for one in range(2):
        np.testing.assert_allclose(found[:, :, one, : len(HORIZONS)], x @ weights[0] + weights[1], rtol=1e-4, atol=1e-5)
    assert network.get_layer("linear").trainable_weights == []
    assert (np.asarray(small(skip=False)(x))[..., : len(HORIZONS)] == 0).all()


def test_a_share_of_nothing_leaves_the_linear_model_and_one_of_all_the_network():
    x = np.random.default_rng(8).normal(size=(1, 30, 3)).astype(np.float32)
    network = small()
    network.set_weights([np.random.default_rng(n).normal(size=w.shape) for n, w in enumerate(network.get_weights())])
    before, weights = np.asarray(network(x)), network.get_layer("linear").get_weights()
    model.shrunk(network, [1.0, 0.5, 0.0])
    after, start = np.asarray(network(x)), (x @ weights[0] + weights[1])[:, :, None]
    np.testing.assert_allclose(after[..., 0], before[..., 0], atol=1e-5)
    np.testing.assert_allclose(after[..., 1] - start[..., 1], (before[..., 1] - start[..., 1]) / 2, atol=1e-4)
    np.testing.assert_allclose(after[..., 2], np.broadcast_to(start[..., 2], after[..., 2].shape), atol=1e-4)


def test_the_network_is_no_worse_than_its_linear_start_on_validation(run, predictor, index):
    for refit in index.refits:
        valid = index.valid(refit)
        found = predictor.outputs(index, refit.number)
        network = predict.part_of(run, refit.number).load_model()
        model.shrunk(network, [0.0] * len(HORIZONS))
        start = model.outputs(network, index.scaled(refit.number))
        for place in range(len(HORIZONS)):
            y = index.targets.variance[place][valid[place]]
            ours, linear_only = (model.log_variances(out)[..., place][valid[place]] for out in (found, start))
            losses = [np.log((y * np.exp(-z)).mean()) + z.mean() for z in (ours, linear_only)]
            assert losses[0] <= losses[1] + 1e-6


def test_the_likelihood_of_a_return_is_student_s_t():
    random = np.random.default_rng(7)
    r, mean, scale = random.normal(size=(3, 20)).astype(np.float32)
    degrees = (2.5 + 20 * random.uniform(size=20)).astype(np.float32)
    spread = np.exp(scale) * np.sqrt((degrees - 2) / degrees)
    expected = -stats.t.logpdf(r, degrees, mean, spread)
    np.testing.assert_allclose(np.asarray(model.student_nats(r, mean, scale, degrees)), expected, rtol=1e-4, atol=1e-4)


def test_the_loss_is_qlike_of_the_known_targets_and_the_weighted_nats_of_the_return():
    y = np.array([[[2.0, 0.0, 3.0, 1.5, 1.0], [0.0, 0.0, 0.0, 0.0, 0.0]]], np.float32)
    out = np.zeros((1, 2, 1, model.OUTPUTS), np.float32)
    out[..., 0], out[..., 1], out[..., 2] = 0.5, 9.0, -0.5
    out[..., model.MEAN], out[..., model.SCALE], out[..., model.UP] = 0.2, 0.1, 0.7
    found = np.asarray(model.Losses(0.3, 0.4).call(y, out))
    ratio = np.array([2 / np.exp(0.5), 3 / np.exp(-0.5)])
    degrees = float(model.freedom(np.float32(0)))
    nats = -stats.t.logpdf(1.5, degrees, 0.2, np.exp(0.1) * math.sqrt((degrees - 2) / degrees))
    expected = (ratio - np.log(ratio) - 1).sum() + 0.3 * nats + 0.4 * math.log1p(math.exp(-0.7))
    assert found[0, 0] == pytest.approx(expected, rel=1e-4) and found[0, 1] == 0


def test_intervals_hold_as_much_as_they_say(predictor):
    draws = stats.t.rvs(5, loc=0.3, scale=2 * math.sqrt(3 / 5), size=20_000, random_state=0)
    out = np.zeros(model.OUTPUTS)
    out[model.MEAN], out[model.SCALE], out[model.FREEDOM] = 0.3, math.log(2), math.log(math.expm1(2.5)) - 2
    low, high = intervals.of_return(out)
    assert np.mean((low <= draws) & (draws <= high)) == pytest.approx(0.9, abs=0.01)


# As its user meets it


def test_the_smoke_training_says_what_it_measured_and_warns(smoke, run):
    said = smoke[1]
    for word in ("gjr_garch_t", "log_har_leverage_market", "pooled_linear", "90 % model confidence set", "always up"):
        assert word in said
    assert WARNING in said and "probability of a rise" in said
    for name in ("trick.png", "forecast.png", "refit_1/learning_curves.png", "refit_2/history.csv"):
        assert (run.path / name).stat().st_size > 0
    records = run.metrics()
    assert [r["options"] for r in records[:3]] == [{"horizon_days": horizon} for horizon in HORIZONS]
    details = records[0]["details"]
    assert set(details["dm"]) == set(baselines.METHODS) and "network" in details["by_ticker"]["SP500"]
    assert records[0]["value"] == pytest.approx(details["by_ticker"]["SP500"]["network"], rel=1e-5)


@pytest.mark.slow
def test_a_run_that_was_stopped_between_two_refits_ends_with_the_same_figures(smoke, run, tmp_path):
    shutil.copytree(smoke[0], tmp_path / "runs")
    path = tmp_path / "runs" / NAME / run.path.name
    shutil.rmtree(path / "refit_2")
    for name in ("metrics.json", predict.CALIBRATION, predict.EXAMPLE):
        (path / name).unlink()
    shutil.copyfile(path / "refit_1/model.keras", path / "model.keras")
    (path / predict.REFITS).write_text('{"trained": 1}')
    half = run_here(APP, "evaluate", GALLERY_RUNS=str(tmp_path / "runs"))
    assert half.returncode == 2 and "refit 2 is not trained yet" in half.stderr
    done = run_here(APP, "train", "--recipe", "smoke", GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 0, done.stderr
    again = json.loads((path / "metrics.json").read_text())
    for new, old in zip(again, run.metrics(), strict=True):
        assert (new["metric"], new["value"]) == (old["metric"], pytest.approx(old["value"], rel=1e-5))


def test_a_file_is_predicted_as_the_evaluation_predicts_its_last_day(predictor, run, index):
    read = predict.read_bars(str(run.path / predict.EXAMPLE), run)
    (found,) = predictor.forecasts(read)
    last = predictor.variance(index, index.refits[-1])[:, 0, -1]
    factor = predictor.calibration["tickers"]["SP500"]
    np.testing.assert_allclose(found.volatility, np.sqrt(last * factor), rtol=1e-4)
    assert all(low < middle < high for low, middle, high in zip(found.low, found.volatility, found.high, strict=True))
    assert found.returns[0] < 0 < found.returns[1] and 0 < found.up < 1


def test_forecast_is_plain_text_and_a_table(smoke, run, tmp_path):
    out, example = tmp_path / "out.csv", str(run.path / predict.EXAMPLE)
    done = run_here(APP, "forecast", example, "--out", str(out), GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 0, done.stderr
    assert re.search(r"volatility, next 22 days +\d+\.\d\d % a day \(90 %: \d", done.stdout)
    assert done.stdout.splitlines()[-1] == WARNING
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["horizon_days"] for row in rows] == ["1", "5", "22"] and rows[0]["ticker"] == "SP500"
    low, middle, high = (float(rows[0][f"{name}_percent_a_day"]) for name in ("low", "volatility", "high"))
    assert low < middle < high


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "mine.csv"),
        ("date,open,high,low,close\n2010-01-04,1,2,1,1\n", "line 2: expected two or more bars"),
        (
            "date,open,high,low,close\n2010-01-04,1,2,1,1\n2010-01-05,1,2,1,2\n",
            "expected more than 66 bars of mine to predict from; received 2",
        ),
        ("date,open,high,low,close\n2010-01-04,1,2,1,x\n", "line 2: expected a number as close; received 'x'"),
    ],
)
def test_bars_that_cannot_be_predicted_from_are_refused_in_one_line(text, said, smoke, tmp_path):
    (tmp_path / "mine.csv").write_text(text)
    done = run_here(APP, "predict", str(tmp_path / "mine.csv"), GALLERY_RUNS=str(smoke[0]))
    assert (done.returncode, done.stdout) == (2, "") and said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_several_tickers_are_refused_by_a_run_of_one(smoke, run, tmp_path):
    rows = (run.path / predict.EXAMPLE).read_text().splitlines()[:100]
    doubled = [*rows, *(row.replace("SP500", "OTHER") for row in rows[1:])]
    (tmp_path / "two.csv").write_text("\n".join(doubled) + "\n")
    done = run_here(APP, "predict", str(tmp_path / "two.csv"), GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 2
    assert f"one ticker, since the run {run.path.name} was trained on SP500; received 2" in done.stderr
    assert "Give one at a time, or train a run on several" in done.stderr


def test_a_run_is_measured_on_other_bars_by_baselines_fitted_to_these(smoke, run, tmp_path):
    rows = (run.path / predict.EXAMPLE).read_text().splitlines()
    (tmp_path / "mine.csv").write_text("\n".join([rows[0], *rows[100:500]]).replace("SP500", "MINE") + "\n")
    before = (run.path / "metrics.json").read_bytes()
    done = run_here(APP, "evaluate", "--data", str(tmp_path / "mine.csv"), GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 0, done.stderr
    assert "tested on mine.csv" in done.stdout and "until when the network was fitted" in done.stderr
    assert re.search(r"^  test +qlike \(horizon_days 1\) +\d\.\d+   .*pooled_linear \d", done.stdout, re.MULTILINE)
    assert (run.path / "metrics.json").read_bytes() == before and (run.path / "evaluated/trick-mine.png").exists()
    (tmp_path / "few.csv").write_text("\n".join(rows[:200]) + "\n")
    done = run_here(APP, "evaluate", "--data", str(tmp_path / "few.csv"), GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 2 and "expected at least 298 days before the tested ones" in done.stderr


@pytest.mark.parametrize("out", ["nowhere/out.csv", "."])
def test_an_output_that_cannot_be_written_is_refused_before_any_work(out, smoke, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run_here(APP, "predict", "none.csv", "--out", out, GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 2 and "--out: expected the path of a CSV file" in done.stderr
