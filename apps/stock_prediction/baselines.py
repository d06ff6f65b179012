"""Statistical baselines for the variance, tuned as carefully as the network: GARCH, HAR and variants."""

import functools
import warnings
from collections.abc import Callable, Sequence

import numpy as np

from . import linear
from .config import HORIZONS
from .data import Data, Refit
from .variance import qlike

DECAYS = (0.8, 0.85, 0.9, 0.92, 0.94, 0.96, 0.98)
RISK_METRICS = 0.94
LEAST_FITTED = 100  # minimum number of days to fit a ticker's own GARCH model
DAY_WEEK_MONTH = tuple(f"log_variance_{span}" for span in (1, 5, 22))
LEVERAGE = tuple(f"fall_{span}" for span in (1, 5, 22))
MARKET = tuple(f"market_{name}" for name in DAY_WEEK_MONTH)
FEWEST = 22  # minimum number of days for a ticker's own calibration factor

# (data, refit) -> raw forecasts (horizons, tickers, days), made on each day from data up to that day, by a model
# fitted to the days before the test period.
Method = Callable[[Data, Refit], np.ndarray]


def random_walk(data: Data, refit: Refit) -> np.ndarray:
    """Predicts the variance of the last day."""
    return _every_horizon(np.exp(_columns(data, DAY_WEEK_MONTH[:1])[..., 0]))


def ewma(data: Data, refit: Refit) -> np.ndarray:
    """An exponentially weighted mean of the variances, with the decay of lowest one-day QLIKE before the test period.

    The candidates include RiskMetrics' decay of 0.94, applied to a better variance proxy than squared returns.
    """
    known = data.before(refit)[0]
    smoothed = [exponential_mean(data.series.variance, decay) for decay in DECAYS]
    return _every_horizon(min(smoothed, key=lambda f: _scaled_qlike(data.targets.variance[0][known], f[known])))


def exponential_mean(values: np.ndarray, decay: float) -> np.ndarray:
    """s = decay * s + (1 - decay) * y over the days of values (tickers, days); unknown values leave s unchanged."""
    found = np.empty(values.shape)
    state = np.full(len(values), np.nan)
    for day in range(values.shape[1]):
        value = values[:, day]
        mixed = np.where(np.isnan(state), value, decay * state + (1 - decay) * value)
        state = np.where(np.isnan(value), state, mixed)
        found[:, day] = state
    return found


def garch(data: Data, refit: Refit, leverage: bool = False) -> np.ndarray:
    """GARCH(1,1) of each ticker's returns with Student-t errors (Bollerslev 1987), using `arch`.

    With `leverage`, GJR-GARCH (Glosten, Jagannathan and Runkle 1993): negative returns raise the variance more. A
    ticker with too few days before the test period gets RiskMetrics' exponentially weighted mean instead.
    """
    from arch import arch_model

    found = np.array(_every_horizon(exponential_mean(data.series.squares, RISK_METRICS)))
    for number in range(len(data.bars.tickers)):
        own = np.flatnonzero(np.isfinite(data.series.returns[number]))
        model = arch_model(data.series.returns[number, own], o=int(leverage), dist="t", rescale=False)
        before, start = (int(np.searchsorted(own, day)) for day in (refit.test, refit.recent))
        if before < LEAST_FITTED:
            continue
        with warnings.catch_warnings():
            # With few days the optimiser may stop at a bound of the parameters; its forecast is used nevertheless.
            warnings.simplefilter("ignore")
            fitted = model.fit(last_obs=before, disp="off", show_warning=False)
            ahead = fitted.forecast(horizon=max(HORIZONS), start=max(start - 1, 1), reindex=False).variance.to_numpy()
        days = own[max(start - 1, 1) :]
        for place, horizon in enumerate(HORIZONS):
            found[place, number, days] = ahead[:, :horizon].mean(axis=1)
    return found


def gjr(data: Data, refit: Refit) -> np.ndarray:
    """See `garch`."""
    return garch(data, refit, leverage=True)


def har(data: Data, refit: Refit) -> np.ndarray:
    """Corsi (2009), doi:10.1093/jjfinec/nbp001: the variance regressed on its daily, weekly and monthly means."""
    return _regressed(data, refit, np.exp(_columns(data, DAY_WEEK_MONTH)), logs=False)


def log_har(data: Data, refit: Refit) -> np.ndarray:
    """HAR in logs."""
    return _regressed(data, refit, _columns(data, DAY_WEEK_MONTH), logs=True)


def log_har_leverage_market(data: Data, refit: Refit) -> np.ndarray:
    """log-HAR with negative returns over a day, a week and a month, and log variances averaged over tickers."""
    market = MARKET if MARKET[0] in data.info["inputs"] else ()
    return _regressed(data, refit, _columns(data, (*DAY_WEEK_MONTH, *LEVERAGE, *market)), logs=True)


def pooled_linear(data: Data, refit: Refit) -> np.ndarray:
    """The log variance as a linear function of all network inputs, trained on QLIKE, one model for all tickers."""
    inputs, rows, found = data.scaled(refit.number), data.before(refit), []
    for place, horizon in enumerate(HORIZONS):
        weights = linear.fit(inputs[rows[place]], data.targets.variance[place][rows[place]], linear.RIDGE * horizon)
        found.append(np.exp(linear.log_variance(inputs, weights)))
    return np.stack(found)


PARTS = (Data.train, Data.valid, Data.before)

METHODS: dict[str, Method] = {
    "random_walk": random_walk,
    "ewma": ewma,
    "garch_t": garch,
    "gjr_garch_t": gjr,
    "har": har,
    "log_har": log_har,
    "log_har_leverage_market": log_har_leverage_market,
    "pooled_linear": pooled_linear,
}


def walked(method: Method, data: Data, proxy: str = "variance") -> np.ndarray:
    """Returns the calibrated forecasts (horizons, tickers, days) of all refits' test days; NaN on other days."""
    found = np.full(data.targets.variance.shape, np.nan)
    for refit in data.refits:
        raw, asked = method(data, refit), data.asked(refit)
        found[:, asked] = (raw * factors(raw, data, refit, proxy)[..., None])[:, asked]
    return found


def factors(raw: np.ndarray, data: Data, refit: Refit, proxy: str = "variance") -> np.ndarray:
    """(horizons, tickers): the factor with the lowest QLIKE on the last days before the test period, the mean of y / f.

    It is applied to every method, including the network, so that none wins by its overall level alone.
    """
    known = data.recent(refit) & np.isfinite(raw)
    ratio = np.where(known, getattr(data.targets, proxy) / raw, 0.0)
    counts = known.sum(axis=2)
    pooled = ratio.sum(axis=(1, 2)) / np.maximum(counts.sum(axis=1), 1)
    own = ratio.sum(axis=2) / np.maximum(counts, 1)
    return np.where(counts >= FEWEST, own, np.where(pooled > 0, pooled, 1.0)[:, None])


@functools.lru_cache(maxsize=1)
def raw_forecasts(data: Data) -> dict[str, dict[int, np.ndarray]]:
    """Returns the raw forecasts of all methods by refit, cached for runs that differ only in the seed."""
    return {name: {refit.number: method(data, refit) for refit in data.refits} for name, method in METHODS.items()}


def forecasts(data: Data, proxy: str = "variance") -> dict[str, np.ndarray]:
    """Returns the calibrated forecasts of all methods, see `walked`."""
    kept = raw_forecasts(data)
    return {
        name: walked(lambda data, refit, by=by: by[refit.number], data, proxy)  # type: ignore[misc]
        for name, by in kept.items()
    }


def _every_horizon(forecast: np.ndarray) -> np.ndarray:
    return np.broadcast_to(forecast, (len(HORIZONS), *forecast.shape))


def _columns(data: Data, names: Sequence[str]) -> np.ndarray:
    return data.inputs[..., [data.info["inputs"].index(name) for name in names]]


def _scaled_qlike(variance: np.ndarray, forecast: np.ndarray) -> float:
    """Returns the QLIKE of a forecast after scaling it by its optimal factor."""
    known = np.isfinite(forecast)
    variance, forecast = variance[known], forecast[known]
    return float(qlike(variance, forecast * (variance / forecast).mean()).mean())


def _regressed(data: Data, refit: Refit, columns: np.ndarray, logs: bool) -> np.ndarray:
    """Least squares on columns (tickers, days, columns), per ticker or pooled, whichever is better on validation."""
    found = []
    for place in range(len(HORIZONS)):
        variance = data.targets.variance[place]
        train, valid, before = (part(data, refit)[place] for part in PARTS)
        tried = {
            pooled: _scaled_qlike(variance[valid], _least_squares(columns, variance, train, logs, pooled)[valid])
            for pooled in (False, True)
        }
        found.append(_least_squares(columns, variance, before, logs, min(tried, key=tried.__getitem__)))
    return np.stack(found)


def _least_squares(columns: np.ndarray, variance: np.ndarray, rows: np.ndarray, logs: bool, pooled: bool) -> np.ndarray:
    """(tickers, days): forecasts by a fit to `rows`, at least as large as the smallest variance among them."""
    x = np.concatenate([columns, np.ones((*columns.shape[:-1], 1))], axis=-1)
    rows = rows & np.isfinite(columns).all(axis=-1)  # they are unknown before the first known variance
    target = np.log(np.where(rows, variance, 1.0)) if logs else variance
    found = np.full(variance.shape, np.nan)
    for number in range(len(variance)):
        own = rows & (np.arange(len(rows)) == number)[:, None]
        some = rows if pooled or own.sum() < 10 * x.shape[-1] else own
        fitted = x[number] @ np.linalg.lstsq(x[some], target[some], rcond=None)[0]
        found[number] = np.maximum(np.exp(fitted) if logs else fitted, variance[some].min())
    return found
