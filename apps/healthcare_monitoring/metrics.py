"""Metrics of binary risks, and scikit-learn baselines to compare with."""

import numpy as np

from .parts import Part

HORIZON = 5  # number of intervals ahead for the risk that is printed and raises alarms
# metric -> the better direction; a calibration slope is best at 1
DIRECTIONS = {
    "auroc": "higher",
    "auprc": "higher",
    "brier": "lower",
    "calibration_slope": "one",
    "c_index_td": "higher",
    "brier_td": "lower",
}


def incidence(chances: np.ndarray) -> np.ndarray:
    """Converts probabilities (..., intervals, 1 + causes), given no event before, to cumulative incidences.

    Returns:
        (..., intervals, causes). F_c(k) = sum over j <= k of S(j - 1) h_c(j), S(j) = product over i <= j of h_0(i):
        discrete-time competing risks, Tutz and Schmid (2016), "Modeling discrete time-to-event data", chapter 8.
    """
    chances = np.asarray(chances, np.float64)
    alive = np.cumprod(chances[..., :1], axis=-2)
    before = np.concatenate([np.ones_like(alive[..., :1, :]), alive[..., :-1, :]], axis=-2)
    return np.cumsum(before * chances[..., 1:], axis=-2)


def risk(chances: np.ndarray) -> np.ndarray:
    """Probabilities (..., intervals, 1 + causes) -> (...,) risk of the first cause within `HORIZON` intervals."""
    return incidence(chances)[..., :HORIZON, 0][..., -1]


def auroc(happened: np.ndarray, risks: np.ndarray) -> float:
    """The probability that a patient with the outcome has a higher risk than one without (Mann and Whitney 1947).

    Equals `sklearn.metrics.roc_auc_score` but takes a tenth of the time, for thousands of bootstrap samples; NaN if all
    outcomes are equal. happened (patients,) bool, risks (patients,).
    """
    from scipy.stats import rankdata

    had = int(happened.sum())
    pairs = had * (len(happened) - had)
    return float((rankdata(risks)[happened].sum() - had * (had + 1) / 2) / pairs) if pairs else np.nan


def auprc(happened: np.ndarray, risks: np.ndarray) -> float:
    """Average precision, equal to `sklearn.metrics.average_precision_score`; NaN if nobody had the outcome."""
    order = np.argsort(-risks, kind="stable")
    last = np.flatnonzero(np.diff(risks[order], append=np.nan) != 0)  # last patient in each group of equal risks
    found = happened[order].cumsum()[last]
    return float(np.sum(np.diff(found, prepend=0) * found / (last + 1)) / found[-1]) if found[-1] else np.nan


def brier(happened: np.ndarray, risks: np.ndarray) -> float:
    """Mean squared difference between risk and outcome (Brier 1950)."""
    return float(np.square(risks - happened).mean())


def calibration_slope(happened: np.ndarray, risks: np.ndarray) -> float:
    """Cox (1958): 1 is ideal, a lower slope means that risks are too extreme; fitted almost without a penalty."""
    from sklearn.linear_model import LogisticRegression

    return float(LogisticRegression(C=1e6).fit(logit(risks)[:, None], happened).coef_[0, 0])


BINARY = {"auroc": auroc, "auprc": auprc, "brier": brier, "calibration_slope": calibration_slope}
NOT_DRAWN = ("calibration_slope",)  # not bootstrapped: refitting it for each sample would take minutes


def logit(risks: np.ndarray) -> np.ndarray:
    """Returns the log odds of risks, after clipping them to slightly within 0 and 1."""
    kept = np.clip(risks, 1e-6, 1 - 1e-6)
    return np.log(kept / (1 - kept))


def binary_baselines(train: Part, test: Part) -> dict[str, np.ndarray]:
    """Returns the risks (patients,) of two baselines that use the summary at the last step, by name."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    seen, unseen = (part.steps.at_last(part.steps.summary) for part in (train, test))
    happened = train.outcomes.label == 1
    # Settings that do well on physionet2012, chosen by cross-validation on the training patients of its first fold.
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
