"""Time-dependent survival metrics, weighted for censoring, and Cox regression: scikit-survival and lifelines.

At each landmark the risk of all patients still at risk is predicted from their visits until then, for the first cause;
others end the follow-up. Figures are means over landmarks and times ahead where the test patients have enough events.
"""

import dataclasses
from typing import Any

import numpy as np

from shared import InputError, paired

from .metrics import DIRECTIONS, incidence
from .parts import Part

# Of followed-up patients, in intervals: the times at which all that is known until then is judged, and how far ahead.
LANDMARKS, AHEAD = (1, 3, 5), (1, 3, 5)
FEWEST_EVENTS = 5  # of the training patients after a landmark, for Cox to be fitted
TIED = 1e-8  # risks that differ by less are equal, as in scikit-survival


@dataclasses.dataclass(frozen=True)
class Horizon:
    """What is known of the test patients at risk at a landmark up to a time ahead.

    who (patients,): their numbers among all test patients; sooner (events,): which of them had the event by then; pairs
    (events, patients): the weight of each pair of one who had it and one who had it later or not; had, outlived
    (patients,): the weight of having it by then, and of having none.
    """

    who: np.ndarray
    sooner: np.ndarray
    pairs: np.ndarray
    had: np.ndarray
    outlived: np.ndarray


@dataclasses.dataclass(frozen=True)
class Judged:
    """Risks up to a `Horizon`: `right`, the weight of each pair that they order so; `error` (patients,), squared."""

    right: np.ndarray
    error: np.ndarray


def survival_figures(train: Part, test: Part, chances: np.ndarray, interval: float) -> dict[str, dict[str, Any]]:
    """Concordance (Uno et al. 2011) and Brier score (Graf et al. 1999) of the network and of Cox regression.

    Args:
        train: the patients that Cox regression is fitted on.
        test: those that are judged.
        chances: (patients, steps, intervals, 1 + causes) of the test patients.
        interval: its width in units of time.

    Returns:
        c_index_td and brier_td, each as `shared.paired.compared` gives it.

    Raises:
        InputError: too few events.
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
    """Of those that are known; NaN if none is."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else np.nan


def _concordance(horizon: Horizon, judged: Judged, times: np.ndarray) -> float:
    """The share of the pairs in the right order where each test patient is there so many times."""
    counts = times[horizon.who]
    sooner = counts[horizon.sooner]
    whole = sooner @ horizon.pairs @ counts
    return float(sooner @ judged.right @ counts / whole) if whole else np.nan


def _brier(horizon: Horizon, judged: Judged, times: np.ndarray) -> float:
    counts = times[horizon.who]
    return float(counts @ judged.error / counts.sum()) if counts.any() else np.nan


def _horizon(known: Any, outcomes: Any, who: np.ndarray, time: float) -> Horizon | None:
    """See the class; None where scikit-survival gives no figure: too few events, or too short a follow-up.

    Args:
        known: outcomes of the training patients, from which the weights for censoring come.
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
    """The patients who are still followed up at `start` and were seen before, and the number of their last visit."""
    visits = (part.steps.real() & (part.steps.times <= start)).sum(axis=1)
    who = np.flatnonzero((part.outcomes.until > start) & (visits > 0))
    return who, visits[who] - 1


def _survival(part: Part, who: np.ndarray, start: float) -> Any:
    from sksurv.util import Surv

    return Surv.from_arrays(part.outcomes.label[who] == 1, part.outcomes.until[who] - start)


def _from_landmark(
    part: Part, at: tuple[np.ndarray, np.ndarray], chances: np.ndarray, start: float, interval: float, ahead: list
) -> np.ndarray:
    """Risks (patients, times ahead) predicted at the last visit, given that nothing happened between it and start."""
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
    """Risks (patients, times ahead) by Cox regression on the last visit of the training patients still at risk."""
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
