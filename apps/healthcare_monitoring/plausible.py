"""Limits of common measurements in living patients: a value beyond them is an error of entry or in another unit."""

import re

# (lowest, highest) in the unit of the comment, deliberately wide, and the names of the variable, in lower case
# and without other characters than letters and digits.
_ROWS = (
    ((0, 120), "age"),  # years
    ((0.3, 650), "weight bodyweight"),  # kg
    ((20, 260), "height"),  # cm
    ((20, 300), "heartrate hr pulse pulserate"),  # per minute
    ((30, 320), "systolicbp sysabp nisysabp sbp systolic"),  # mmHg, as the other pressures
    ((10, 220), "diastolicbp diasabp nidiasabp dbp diastolic"),
    ((15, 250), "map nimap meanbp mbp"),
    ((1, 100), "resprate respiratoryrate rr"),  # per minute
    ((20, 45), "temperature temp bodytemperature"),  # degrees Celsius
    ((20, 100), "spo2 sao2 oxygensaturation"),  # %
    ((0.2, 1), "fio2"),  # share
    ((6.5, 8), "ph"),
    ((5, 250), "paco2"),  # mmHg
    ((10, 760), "pao2"),
    ((3, 15), "gcs"),
    ((0.1, 40), "lactate"),  # mmol/l, as the electrolytes
    ((90, 210), "na sodium"),
    ((1, 15), "k potassium"),
    ((2, 70), "hco3 bicarbonate"),
    ((0.05, 30), "creatinine"),  # mg/dl, as the next rows
    ((1, 300), "bun"),
    ((5, 2_000), "glucose"),
    ((0, 80), "bilirubin serbilir"),
    ((20, 2_000), "cholesterol serchol"),
    ((0.5, 7), "albumin"),  # g/dl
    ((1, 27), "hemoglobin haemoglobin hb hgb"),
    ((5, 75), "hct hematocrit haematocrit"),  # %
    ((1, 20_000), "alp alkaline alkalinephosphatase"),  # U/l, as the next row
    ((1, 30_000), "alt ast sgot sgpt"),
    ((0, 1_000), "wbc leukocytes"),  # 1000 per microlitre, as the next row
    ((0, 3_000), "platelets"),
)
LIMITS = {name: (float(low), float(high)) for (low, high), names in _ROWS for name in names.split()}


def plausible(variable: str) -> tuple[float, float] | None:
    """Returns the lowest and highest plausible value of a variable in its usual unit; None if its name is unknown."""
    return LIMITS.get(re.sub(r"[^a-z0-9]", "", variable.lower()))
