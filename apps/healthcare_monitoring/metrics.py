"""What the figures mean, and the baselines that they are compared with, by scikit-learn, scikit-survival, lifelines."""

from typing import Any

import numpy as np

from shared import InputError

from .data import Part

HORIZON = 5  # intervals ahead: the risk that is printed and that raises alarms
# Of followed-up patients, in intervals: the times at which all that is known until then is judged, and how far ahead.
LANDMARKS, AHEAD = (1, 3, 5), (1, 3, 5)
FEWEST_EVENTS = 5  # of the training patients after a landmark, for Cox to be fitted
# metric: which is better; a calibration slope is best at 1
DIRECTIONS = {
    "auroc": "higher",
    "auprc": "higher",
    "brier": "lower",
    "calibration_slope": "one",
    "c_index_td": "higher",
    "brier_td": "lower",
}


def incidence(chances: np.ndarray) -> np.ndarray:
    """Chances (..., intervals, 1 + causes) given nothing before -> chance of each cause up to each interval's end.

    Returns:
        (..., intervals, causes). F_c(k) = sum over j <= k of S(j - 1) h_c(j), S(j) = product over i <= j of h_0(i):
        discrete-time competing risks, Tutz and Schmid (2016), "Modeling discrete time-to-event data", chapter 8.
    """
    chances = np.asarray(chances, np.float64)
    alive = np.cumprod(chances[..., :1], axis=-2)
    before = np.concatenate([np.ones_like(alive[..., :1, :]), alive[..., :-1, :]], axis=-2)
    return np.cumsum(before * chances[..., 1:], axis=-2)


def risk(chances: np.ndarray) -> np.ndarray:
    """Chances (..., intervals, 1 + causes) -> (...,) the chance of the first cause within `HORIZON` intervals."""
    return incidence(chances)[..., :HORIZON, 0][..., -1]


def binary_figures(happened: np.ndarray, risks: np.ndarray) -> dict[str, float]:
    """Discrimination and calibration of risks (patients,) for what happened (patients,) bool."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

    # Cox (1958): 1 is right, less says that risks are too extreme. Next to no penalty.
    slope = LogisticRegression(C=1e6).fit(logit(risks)[:, None], happened).coef_[0, 0]
    return {
        "auroc": float(roc_auc_score(happened, risks)),
        "auprc": float(average_precision_score(happened, risks)),
        "brier": float(brier_score_loss(happened, risks)),
        "calibration_slope": float(slope),
    }


def logit(risks: np.ndarray) -> np.ndarray:
    """Log odds of risks, which are kept a little off 0 and 1."""
    kept = np.clip(risks, 1e-6, 1 - 1e-6)
    return np.log(kept / (1 - kept))


def binary_baselines(train: Part, test: Part) -> dict[str, np.ndarray]:
    """Risks (patients,) of two baselines that read the summary at the last step, by name."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    seen, unseen = (part.steps.at_last(part.steps.summary) for part in (train, test))
    happened = train.outcomes.label == 1
    # Settings that do well on physionet2012, chosen by cross-validation among the training patients of its first fold.
    trees = HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=120,
        max_leaf_nodes=8,
        min_samples_leaf=30,
        max_features=0.3,
        l2_regularization=5.0,
        random_state=0,
    )
    regression = LogisticRegression(C=0.01, max_iter=2_000)
    regression.fit(np.nan_to_num(seen), happened)
    return {
        "gradient_boosting": trees.fit(seen, happened).predict_proba(unseen)[:, 1],
        "logistic_regression": regression.predict_proba(np.nan_to_num(unseen))[:, 1],
    }


def survival_figures(train: Part, test: Part, chances: np.ndarray, interval: float) -> dict[str, dict[str, float]]:
    """Figures of the network and of Cox regression on the last visit, for the first cause; others end the follow-up.

    At each landmark the risk of all patients still at risk is predicted from their visits until then; the figures are
    means over landmarks and times ahead where the test patients have enough events.

    Args:
        chances: (patients, steps, intervals, 1 + causes) of the test patients. interval: width in units of time.

    Returns:
        {"network": {"c_index_td": ..., "brier_td": ...}, "cox_last_visit": ...}: the concordance of Uno et al. (2011)
        with events up to the time ahead, and the Brier score of Graf et al. (1999), both weighted for censoring.
    """
    found: dict[str, list] = {"network": [], "cox_last_visit": []}
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
        known, judged = _survival(train, seen[0], start), _survival(test, unseen[0], start)
        for name, columns in risks.items():
            found[name] += [_judged(known, judged, column, time) for column, time in zip(columns.T, ahead, strict=True)]
    if np.isnan(found["network"]).all():  # or there is none
        raise InputError(f"Too few events after an interval of {interval:g} to judge by. Choose a shorter --interval.")
    means = {name: np.nanmean(np.array(pairs), axis=0) for name, pairs in found.items()}
    return {name: {"c_index_td": float(mean[0]), "brier_td": float(mean[1])} for name, mean in means.items()}


def at_risk(part: Part, start: float) -> tuple[np.ndarray, np.ndarray]:
    """The patients who are still followed up at `start` and were seen before, and the number of their last visit."""
    visits = (part.steps.real() & (part.steps.times <= start)).sum(axis=1)
    who = np.flatnonzero((part.outcomes.until > start) & (visits > 0))
    return who, visits[who] - 1


def _survival(part: Part, who: np.ndarray, start: float) -> Any:
    from sksurv.util import Surv

    return Surv.from_arrays(part.outcomes.label[who] == 1, part.outcomes.until[who] - start)


def _judged(known: Any, judged: Any, risks: np.ndarray, time: float) -> tuple[float, float]:
    """Concordance and Brier score; NaN where too few test patients have an event or are followed up so far."""
    from sksurv.exceptions import NoComparablePairException
    from sksurv.metrics import brier_score, concordance_index_ipcw

    try:
        concordance = concordance_index_ipcw(known, judged, risks, tau=time)[0]
        return concordance, brier_score(known, judged, 1 - risks[:, None], time)[1][0]
    except (NoComparablePairException, ValueError):
        return np.nan, np.nan


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
