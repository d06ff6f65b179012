"""Time-dependent survival metrics weighted for censoring, and Cox regression, using scikit-survival and lifelines.

At each landmark time, the risk of all patients still at risk is predicted from their visits so far, for the first
cause; the other causes count as censoring. Metrics are averaged over those landmarks and horizons for which the test
patients have enough events.
"""

import dataclasses
from typing import Any

import numpy as np

from shared import InputError, paired

from .metrics import DIRECTIONS, incidence
from .parts import Part

# Landmark times at which predictions are evaluated, and horizons of these predictions, in intervals.
LANDMARKS, AHEAD = (1, 3, 5), (1, 3, 5)
FEWEST_EVENTS = 5  # minimum number among the training patients after a landmark to fit the Cox model
TIED = 1e-8  # smaller differences in risk count as ties, as in scikit-survival


@dataclasses.dataclass(frozen=True)
class Horizon:
    """The outcomes of the test patients at risk at a landmark, up to a horizon.

    who (patients,): their indices among all test patients; sooner (events,): which of them had the event by then; pairs
    (events, patients): the weight of each pair of a patient with the event and one with it later or never; had,
    outlived (patients,): the weights of having had the event by then, and of not having had it.
    """

    who: np.ndarray
    sooner: np.ndarray
    pairs: np.ndarray
    had: np.ndarray
    outlived: np.ndarray


@dataclasses.dataclass(frozen=True)
class Judged:
    """Predictions for a `Horizon`: `right`, the weight of each correctly ordered pair; `error` (patients,), squared."""

    right: np.ndarray
    error: np.ndarray


def survival_figures(train: Part, test: Part, chances: np.ndarray, interval: float) -> dict[str, dict[str, Any]]:
    """Concordance (Uno et al. 2011) and Brier score (Graf et al. 1999) of the network and of Cox regression.

    Args:
        train: patients to fit the Cox regression on.
        test: patients to evaluate.
        chances: (patients, steps, intervals, 1 + causes) of the test patients.
        interval: its width in units of time.

    Returns:
        c_index_td and brier_td, each in the format of `shared.paired.compared`.

    Raises:
        InputError: there are too few events.
    """
    horizons: list[Horizon] = []
    judged: dict[str, list[Judged]] = {"network": [], "cox_last_visit": []}
    for landmark in LANDMARKS:
        start = landmark * interval
        seen, unseen = at_risk(train, start), at_risk(test, start)
        if (train.outcomes.label[seen[0]] == 1).sum() < FEWEST_EVENTS or not len(unseen[0]):
            continue
        ahead = [n * interval for n in AHEAD if n <= chances.shape[2]]
        risks = {
            "network": _from_landmark(test, unseen, chances, start, interval, ahead),
            "cox_last_visit": _cox(train, seen, test, unseen, start, ahead),
        }
        known, outcomes = _survival(train, seen[0], start), _survival(test, unseen[0], start)
        for column, time in enumerate(ahead):
            horizon = _horizon(known, outcomes, unseen[0], time)
            if horizon:
                horizons.append(horizon)
                for name, found in risks.items():
                    judged[name].append(_judged(horizon, found[:, column]))
    if not horizons:
        raise InputError(f"Too few events after an interval of {interval:g} to judge by. Choose a shorter --interval.")
    ours = judged.pop("network")

    def concordance(answers: list[Judged], rows: np.ndarray) -> float:
        times = np.bincount(rows, minlength=len(test.patients)).astype(np.float32)
        return _mean([_concordance(*pair, times) for pair in zip(horizons, answers, strict=True)])

    def brier(answers: list[Judged], rows: np.ndarray) -> float:
        times = np.bincount(rows, minlength=len(test.patients))
        return _mean([_brier(*pair, times) for pair in zip(horizons, answers, strict=True)])

    return {
        metric: paired.compared(score, ours, judged, len(test.patients), DIRECTIONS[metric])
        for metric, score in {"c_index_td": concordance, "brier_td": brier}.items()
    }


def _mean(values: list[float]) -> float:
    """Returns the mean of the known values; NaN if there are none."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else np.nan


def _concordance(horizon: Horizon, judged: Judged, times: np.ndarray) -> float:
    """Returns the weighted share of correctly ordered pairs, with each test patient repeated `times` times."""
    counts = times[horizon.who]
    sooner = counts[horizon.sooner]
    whole = sooner @ horizon.pairs @ counts
    return float(sooner @ judged.right @ counts / whole) if whole else np.nan


def _brier(horizon: Horizon, judged: Judged, times: np.ndarray) -> float:
    counts = times[horizon.who]
    return float(counts @ judged.error / counts.sum()) if counts.any() else np.nan


def _horizon(known: Any, outcomes: Any, who: np.ndarray, time: float) -> Horizon | None:
    """Returns the `Horizon`; None if scikit-survival cannot compute it: too few events, or too short a follow-up.

    Args:
        known: outcomes of the training patients, used for the censoring weights.
        outcomes: those of the patients `who`.
    """
    from sksurv.exceptions import NoComparablePairException
    from sksurv.metrics import brier_score, concordance_index_ipcw
    from sksurv.nonparametric import CensoringDistributionEstimator

    nobody = np.zeros(len(who))
    try:
        concordance_index_ipcw(known, outcomes, nobody, tau=time)
        brier_score(known, outcomes, nobody[:, None], time)
    except (NoComparablePairException, ValueError):
        return None
    censoring = CensoringDistributionEstimator().fit(known)
    event, until = outcomes["event"], outcomes["time"]
    sooner = np.flatnonzero(event & (until < time))
    weight = np.square(censoring.predict_ipcw(outcomes[sooner]))
    later = (until > until[sooner, None]) | ((until == until[sooner, None]) & ~event)
    stays, until_then = censoring.predict_proba(until), censoring.predict_proba(np.array([time]))[0]
    with np.errstate(divide="ignore"):
        had, outlived = event & (until <= time), until > time
        had_weight = np.where(had & (stays > 0), 1 / stays, 0)
        outlived_weight = np.where(outlived & (until_then > 0), 1 / until_then, 0)
    return Horizon(who, sooner, (weight[:, None] * later).astype(np.float32), had_weight, outlived_weight)


def _judged(horizon: Horizon, risks: np.ndarray) -> Judged:
    above = risks[horizon.sooner, None] - risks
    order = np.where(np.abs(above) <= TIED, 0.5, above > 0).astype(np.float32)
    error = np.square(1 - risks) * horizon.had + np.square(risks) * horizon.outlived
    return Judged(horizon.pairs * order, error)


def at_risk(part: Part, start: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns the patients still followed up at `start` and seen before it, and the index of their last visit."""
    visits = (part.steps.real() & (part.steps.times <= start)).sum(axis=1)
    who = np.flatnonzero((part.outcomes.until > start) & (visits > 0))
    return who, visits[who] - 1


def _survival(part: Part, who: np.ndarray, start: float) -> Any:
    from sksurv.util import Surv

    return Surv.from_arrays(part.outcomes.label[who] == 1, part.outcomes.until[who] - start)


def _from_landmark(
    part: Part, at: tuple[np.ndarray, np.ndarray], chances: np.ndarray, start: float, interval: float, ahead: list
) -> np.ndarray:
    """Returns risks (patients, horizons) predicted at the last visit, given no event between it and `start`."""
    who, visit = at
    happened = incidence(chances[who, visit])  # (patients, intervals, causes)
    since = start - part.steps.times[who, visit]
    edges = interval * np.arange(happened.shape[1] + 1)
    columns = []
    for time in ahead:
        risks = []
        for one, past in zip(happened, since, strict=True):
            first, either = (np.concatenate([[0], curve]) for curve in (one[:, 0], one.sum(axis=1)))
            new = np.interp(past + time, edges, first) - np.interp(past, edges, first)
            risks.append(new / max(1 - np.interp(past, edges, either), 1e-6))
        columns.append(risks)
    return np.array(columns).T


def _cox(train: Part, seen: tuple, test: Part, unseen: tuple, start: float, ahead: list) -> np.ndarray:
    """Returns risks (patients, horizons) by Cox regression on the last visit of the training patients still at risk."""
    import pandas as pd
    from lifelines import CoxPHFitter

    variables = train.steps.values.shape[-1]
    fitted = CoxPHFitter(penalizer=0.1)
    columns = [f"x{n}" for n in range(variables)]
    frame = pd.DataFrame(train.steps.inputs[seen[0], seen[1], :variables].astype(float), columns=columns)
    frame["event"] = (train.outcomes.label[seen[0]] == 1).astype(int)
    frame["time"] = train.outcomes.until[seen[0]] - start
    fitted.fit(frame, "time", "event")
    judged = pd.DataFrame(test.steps.inputs[unseen[0], unseen[1], :variables].astype(float), columns=columns)
    return 1 - fitted.predict_survival_function(judged, times=ahead).to_numpy().T
