"""Simulated stays in intensive care: vital signs and laboratory values of a hidden course of illness.

Each patient has a hidden severity that drifts and jumps. Vital signs follow it with delays and noise of their own,
and so does what staff do: the sicker a patient looks, the more often a laboratory value is ordered, so that what is
missing tells something too. Death depends on where the severity ends and how it moved, not on any single value.
"""

import numpy as np

from .records import Outcomes, Table, table

PATIENTS, HOURS = 1_500, 24
# name: (usual value, change per unit of severity, lag in hours, noise of the patient, noise of a measurement,
#        chance of a measurement in an hour, what a unit of severity adds to the logit of that chance)
VARIABLES = {
    "HeartRate": (80, 9, 1, 12, 5, 0.8, 0.2),
    "SystolicBP": (122, -9, 2, 14, 6, 0.7, 0.2),
    "RespRate": (16, 2.5, 1, 3, 2, 0.7, 0.2),
    "SpO2": (97, -1.2, 2, 1, 1, 0.7, 0.2),
    "Temperature": (37, 0.25, 4, 0.3, 0.2, 0.25, 0.3),
    "Lactate": (1.3, 0.7, 4, 0.4, 0.3, 0.04, 1.0),
    "Creatinine": (1.0, 0.25, 8, 0.4, 0.1, 0.06, 0.5),
    "WBC": (9, 1.5, 8, 3, 0.8, 0.06, 0.5),
    "Platelets": (230, -20, 8, 60, 10, 0.06, 0.4),
    "GCS": (14.5, -0.9, 2, 0.5, 0.4, 0.25, 0.3),
}


def stays(seed: int) -> tuple[Table, Outcomes]:
    """The same 1,500 stays of 24 hours for the same seed, about one in six of which ends in death."""
    random = np.random.default_rng([seed, 4])
    severity, risk = _courses(random)
    died = random.random(PATIENTS) < risk
    age = 60 + 15 * random.standard_normal(PATIENTS) + 4 * severity[:, 0]
    rows = [(f"stay{who}", 0.0, "Age", float(np.clip(age[who], 18, 95).round())) for who in range(PATIENTS)]
    for name, (usual, change, lag, between, noise, chance, ordered) in VARIABLES.items():
        felt = np.stack([severity[:, max(0, hour - lag)] for hour in range(HOURS)], axis=1)
        own = usual + between * random.standard_normal((PATIENTS, 1))
        values = own + change * felt + noise * random.standard_normal(felt.shape)
        logit = np.log(chance / (1 - chance)) + ordered * severity
        measured = random.random(felt.shape) < 1 / (1 + np.exp(-logit))
        measured[:, 0] |= chance > 0.5  # vital signs are taken on arrival
        when = np.arange(HOURS) + random.random(felt.shape).round(2) * 0.99
        values = np.maximum(values, 0.1 * usual).round(2)
        rows += [
            (f"stay{who}", float(when[who, hour]), name, float(values[who, hour]))
            for who, hour in zip(*np.nonzero(measured), strict=True)
        ]
    rows.sort(key=lambda row: (int(row[0][4:]), row[1]))
    return table("builtin", *zip(*rows, strict=True)), Outcomes(died.astype(np.int32), None)


def _courses(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Hidden severity (patients, hours) and the chance of death (patients,)."""
    severity = np.empty((PATIENTS, HOURS))
    severity[:, 0] = random.standard_normal(PATIENTS)
    trend = 0.06 * random.standard_normal(PATIENTS)
    crisis = random.random((PATIENTS, HOURS)) < 0.01
    for hour in range(1, HOURS):
        before = severity[:, hour - 1]
        severity[:, hour] = 0.97 * before + trend + 0.15 * random.standard_normal(PATIENTS) + 1.5 * crisis[:, hour]
    rise = severity[:, -1] - severity[:, HOURS // 2]
    return severity, 1 / (1 + np.exp(3.4 - 1.5 * severity[:, -1] - 1.5 * rise))
