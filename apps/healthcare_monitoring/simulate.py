"""Simulated stays in intensive care: vital signs and laboratory values generated from a hidden course of illness.

Each patient has a hidden severity that drifts, and episodes of three kinds: agitation (high heart rate), sedation (low
blood pressure) and shock (both at once). Only shock is harmful, so what matters is which changes coincided and when,
not how extreme each value was. Missing values are informative too: the sicker a patient looks, the more often
laboratory values are ordered.
"""

import numpy as np

from .records import Outcomes, Table, table

PATIENTS, HOURS = 1_500, 24
# name: (usual value, change per unit of severity, lag in hours, noise per patient, noise per measurement, probability
#        of a measurement in an hour, increase of its logit per unit of severity)
VARIABLES = {
    "HeartRate": (80, 4, 1, 7, 4, 0.9, 0.2),
    "SystolicBP": (122, -4, 2, 8, 5, 0.9, 0.2),
    "RespRate": (16, 2.5, 1, 3, 2, 0.7, 0.2),
    "SpO2": (97, -1.2, 2, 1, 1, 0.7, 0.2),
    "Temperature": (37, 0.25, 4, 0.3, 0.2, 0.25, 0.3),
    "Lactate": (1.3, 0.7, 4, 0.4, 0.3, 0.04, 1.0),
    "Creatinine": (1.0, 0.25, 8, 0.4, 0.1, 0.06, 0.5),
    "WBC": (9, 1.5, 8, 3, 0.8, 0.06, 0.5),
    "Platelets": (230, -20, 8, 60, 10, 0.06, 0.4),
    "GCS": (14.5, -0.9, 2, 0.5, 0.4, 0.25, 0.3),
}
BOUNDS = {"SpO2": (0, 100), "GCS": (3, 15)}  # limits of a percentage and a score


def stays(seed: int) -> tuple[Table, Outcomes]:
    """Generates 1,500 stays of 24 hours, about one in five of which ends in death; the seed determines all values."""
    random = np.random.default_rng([seed, 4])
    severity, racing, low, risk = _courses(random)
    died = random.random(PATIENTS) < risk
    age = 60 + 15 * random.standard_normal(PATIENTS) + 4 * severity[:, 0]
    rows = [(f"stay{who}", 0.0, "Age", float(np.clip(age[who], 18, 95).round())) for who in range(PATIENTS)]
    for name, (usual, change, lag, between, noise, chance, ordered) in VARIABLES.items():
        felt = np.stack([severity[:, max(0, hour - lag)] for hour in range(HOURS)], axis=1)
        values = usual + between * random.standard_normal((PATIENTS, 1)) + change * felt
        values += {"HeartRate": 35 * racing, "SystolicBP": -38 * low}.get(name, 0)
        values += noise * random.standard_normal(felt.shape)
        measured = random.random(felt.shape) < 1 / (1 + (1 - chance) / chance * np.exp(-ordered * severity))
        measured[:, 0] |= chance > 0.5  # vital signs are measured on arrival
        when = np.arange(HOURS) + random.random(felt.shape).round(2) * 0.99
        values = np.clip(values, *BOUNDS.get(name, (0.1 * usual, np.inf))).round(0 if name == "GCS" else 2)
        rows += [
            (f"stay{who}", float(when[who, hour]), name, float(values[who, hour]))
            for who, hour in zip(*np.nonzero(measured), strict=True)
        ]
    rows.sort(key=lambda row: (int(row[0][4:]), row[1]))
    return table("builtin", *zip(*rows, strict=True)), Outcomes(died.astype(np.int32), None)


def _courses(random: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Returns severity, high heart rate and low blood pressure (patients, hours), and the risk of death (patients,)."""
    severity = np.empty((PATIENTS, HOURS))
    severity[:, 0] = random.standard_normal(PATIENTS)
    trend = 0.03 * random.standard_normal(PATIENTS)
    for hour in range(1, HOURS):
        severity[:, hour] = 0.98 * severity[:, hour - 1] + trend + 0.1 * random.standard_normal(PATIENTS)
    agitation, sedation = _episodes(random, 0.05), _episodes(random, 0.05)
    shock = _episodes(random, 0.02 * np.exp(0.5 * severity))
    harm = (shock * 0.9 ** np.arange(HOURS)[::-1]).sum(axis=1)  # the effect of shock fades slowly
    risk = 1 / (1 + np.exp(3.6 - severity[:, -1] - 1.6 * harm))
    return severity, np.maximum(agitation, shock), np.maximum(sedation, shock), risk


def _episodes(random: np.random.Generator, chance: float | np.ndarray) -> np.ndarray:
    """(patients, hours): 1.0 in episodes of four hours, which start with this probability in each hour."""
    begins = (random.random((PATIENTS, HOURS)) < chance).astype(float)
    return np.max([np.pad(begins, ((0, 0), (late, 0)))[:, :HOURS] for late in range(4)], axis=0)
