"""The data sources: simulated stays, public data, your own CSV files."""

import csv
import dataclasses
import io
from pathlib import Path

import numpy as np

from shared.data import fetch
from shared.data.catalogue import CATALOGUE, check

from . import simulate
from .config import Config
from .reading import KINDS, MEASUREMENTS, OUTCOMES, read_measurements, read_outcomes, there
from .records import Outcomes, Table, table

# Names of the outcomes 1, 2, ..., and the unit of time.
CALLED = {
    "builtin": (("death in hospital",), "hours"),
    "physionet2012": (("death in hospital",), "hours"),
    "pbc2": (("death", "transplant"), "weeks"),
}
PUBLIC = tuple(name for name in CALLED if name != "builtin")
NEVER_ZERO = ("Height", "Temp", "Weight")  # of PhysioNet: 0 cm, 0 degrees or 0 kg can only be a missing value
PBC_OUTCOMES = ("id", "tte", "times", "label")  # all other columns are measurements of the visit


def known(source: str) -> None:
    """Raises InputError if a --data value is not a known source."""
    check(source, PUBLIC, "or the path of a CSV file")


def files_there(config: Config) -> None:
    """Raises an InputError if a file does not exist."""
    known(config.data)
    own = [] if config.data in CALLED else [(config.data, config.outcomes)]
    own += [(config.valid, config.valid_outcomes), (config.test, config.test_outcomes)]
    for measurements, outcomes in own:
        if measurements:
            there(Path(measurements), MEASUREMENTS)
            there(outcomes_file(Path(measurements), outcomes), OUTCOMES)


def read(config: Config) -> tuple[Table, Outcomes]:
    """Reads all measurements of the source, and the outcomes, which are never used as measurements.

    Raises:
        InputError: the source is unknown, or a file is invalid.
    """
    if config.data == "builtin":
        return simulate.stays(config.seed)
    if config.data == "physionet2012":
        return physionet(*(fetch.fetch(file) for file in CATALOGUE["physionet2012"]))
    if config.data == "pbc2":
        return pbc(fetch.fetch(CATALOGUE["pbc2"][0]))
    path = Path(config.data)
    known(config.data)
    found = read_measurements(path)
    return found, read_outcomes(outcomes_file(path, config.outcomes), found)


def outcomes_file(measurements: Path, named: str) -> Path:
    """Returns the file of the outcomes: the given one, or else outcomes.csv in the folder of the measurements."""
    return Path(named) if named else measurements.with_name("outcomes.csv")


def names(config: Config, outcomes: Outcomes) -> tuple[tuple[str, ...], str]:
    """Returns the names of the outcomes 1, 2, ... and the unit of time, "" if unknown."""
    unnamed = tuple(f"outcome {n}" for n in range(1, outcomes.label.max() + 1))
    return CALLED.get(config.data, (unnamed, ""))


def physionet(measured: bytes, outcomes: bytes) -> tuple[Table, Outcomes]:
    """PhysioNet 2012: Time,Parameter,Value for each stay, starting with its RecordID; -1 means missing.

    So does a zero in `NEVER_ZERO`.
    """
    patients, times, names, values = [], [], [], []
    hours = {f"{hour:02}:{minute:02}": hour + minute / 60 for hour in range(49) for minute in range(60)}
    for stay in measured.decode().split("Time,Parameter,Value\n00:00,RecordID,")[1:]:
        patient, *rows = stay.split("\n")
        cells = [row.split(",") for row in rows if row and not row.endswith(",-1")]
        patients += [patient] * len(cells)
        times += [hours[cell[0]] for cell in cells]
        names += [f"{cell[1]} {cell[2]}" if cell[1] in KINDS else cell[1] for cell in cells]
        values += [float(cell[2]) for cell in cells]
    died = {row["RecordID"]: row["In-hospital_death"] for row in csv.DictReader(io.StringIO(outcomes.decode()))}
    found = table("physionet2012", patients, times, names, values)
    unknown = np.isin(found.what, [found.variables.index(name) for name in NEVER_ZERO]) & (found.value == 0)
    note = f"{found.source}: zeros of {', '.join(NEVER_ZERO)} mean a missing value and are dropped: {unknown.sum():,}"
    found = dataclasses.replace(found.kept(np.flatnonzero(~unknown)), notes=(*found.notes, note))
    return found, Outcomes(np.array([died[name] for name in found.patients], np.int32), None)


def pbc(content: bytes) -> tuple[Table, Outcomes]:
    """pbc2: one row per visit, times in weeks, empty cells missing; label 0 censored, 1 death, 2 transplant."""
    rows, ends = [], {}
    for visit in csv.DictReader(io.StringIO(content.decode())):
        ends[visit["id"]] = (int(float(visit["label"])), float(visit["tte"]))
        measured = {name: text for name, text in visit.items() if name not in PBC_OUTCOMES and text}
        rows += [(visit["id"], float(visit["times"]), name, float(text)) for name, text in measured.items()]
    label, until = (np.array(column) for column in zip(*ends.values(), strict=True))
    return table("pbc2", *zip(*rows, strict=True)), Outcomes(label.astype(np.int32), until)
