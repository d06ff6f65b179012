"""What is wrong with patient records before training: known patients, telltale variables, few events, gaps."""

import numpy as np

from shared.data import doctor
from shared.data.doctor import NOTE, OK, PROBLEM, Finding, Item
from shared.inspection import Amount, Inspected, effort, report
from shared.plots import Panel

from .config import RECIPES, Config
from .data import PARTS, Data, arranged
from .options import CheckData
from .parts import Part
from .records import Table
from .sources import read

TELLTALE = 0.99  # AUROC of a single variable above which it states the outcome rather than predicting it
RECORDED = 24_480  # time steps of all patients that the training recorded in results.json reads in an epoch
EVENTS = (10, 50)  # test patients with the outcome below which a sensitivity says nothing, or is rough


def check_data(options: CheckData) -> None:
    """Runs the check-data command."""
    report(options, look)


def look(config: Config) -> Inspected:
    """Looks at the measurements as they were given, and at the patients of each split."""
    given, given_outcomes = read(config)
    data = arranged(given, given_outcomes, config)
    parts = {part: getattr(data, part) for part in PARTS}
    outcomes = {part: [named(n, data) for n in some.outcomes.label] for part, some in parts.items()}
    happened = sum(label != "none" for label in outcomes["test"])
    train = parts["train"].table
    columns = {name: lasts(train, what) for what, name in enumerate(train.variables)}
    # A category is a variable of its own, which only patients of this kind have, with one value.
    measures = {name: some for name, some in columns.items() if not (doctor.is_constant(some) and np.isnan(some).any())}
    records = {part: items(some.table) for part, some in parts.items()}
    measured = {part: some.table.counts() for part, some in parts.items()}
    amount = Amount(parts["train"].steps.times.size, "time steps", RECORDED, alike=("ensemble_size",))
    findings = [
        *(doctor.groups(train.patients, parts[part].patients, part, "patients") for part in ("valid", "test")),
        *(doctor.duplicates(records["train"], records[part], part, "patients' records") for part in ("valid", "test")),
        *telltales(columns, parts["train"].outcomes.label > 0),
        *late(parts),
        *doctor.balance(outcomes, "outcome"),
        doctor.enough(happened, "test", "patients with an outcome", *EVENTS),
        *doctor.gaps(measures, "variables", NOTE),
        *cut(given, config, data),
        doctor.lengths(measured["train"], "measurements", "training patients"),
        effort(__file__, config, RECIPES, -(-len(train.patients) // config.batch_size), config.epochs, amount),
    ]
    seen = {part: some.table.when for part, some in parts.items()}
    panels = [
        Panel("measurements of a patient", "measurements", measured),
        Panel("times of the measurements", data.info["time_unit"] or "time", seen),
        Panel("outcomes", "outcome", outcomes),
    ]
    return Inspected(f"{config.data}: {data.info['split']}", findings, panels)


def named(label: int, data: Data) -> str:
    """Returns the name of an outcome."""
    return data.info["causes"][label - 1] if label else "none"


def items(table: Table) -> list[Item]:
    """Returns the records of each patient, which two patients share only if they are the same one."""
    firsts = np.searchsorted(table.who, np.arange(len(table.patients) + 1))
    found = []
    for name, start, end in zip(table.patients, firsts, firsts[1:], strict=False):
        line = int(table.lines[start:end].min()) if end > start else 0
        key = b"".join(column[start:end].tobytes() for column in (table.when, table.what, table.value))
        found.append(Item(key, name, f"{table.source}, line {line}" if line else table.source))
    return found


def lasts(table: Table, what: int) -> np.ndarray:
    """Returns the last value of a variable for each patient (patients,), NaN where it was never measured."""
    found = np.full(len(table.patients), np.nan)
    rows = table.what == what
    found[table.who[rows]] = table.value[rows]
    return found


def telltales(columns: dict[str, np.ndarray], happened: np.ndarray) -> list[Finding]:
    """Finds variables that state the outcome, such as a length of stay that was known only after it."""
    wrong = []
    for name, values in columns.items():
        known = ~np.isnan(values)
        for what, scores, rows in (("its value", values, known), ("that it was measured", known, np.ones_like(known))):
            area = auroc(scores[rows], happened[rows])
            if max(area, 1 - area) >= TELLTALE:
                wrong.append(f"{name} ({what})")
    if not wrong:
        return [Finding(OK, f"none of {doctor.sized(len(columns), 'variables')} states the outcome by itself")]
    text = "tells the outcome all but by itself, so is it known only afterwards? Remove it if so"
    return [Finding(PROBLEM, f"{name} {text}") for name in wrong]


def auroc(scores: np.ndarray, happened: np.ndarray) -> float:
    """Returns the area under the ROC curve of a single variable; one half if there are few patients of one kind."""
    counts = int(happened.sum()), int((~happened).sum())
    if min(counts) < doctor.RARE:
        return 0.5
    order, where = np.unique(scores, return_inverse=True)
    sizes = np.bincount(where, minlength=len(order))
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[where]  # equal scores have their mean rank
    return float((ranks[happened].sum() - counts[0] * (counts[0] + 1) / 2) / (counts[0] * counts[1]))


def late(parts: dict[str, Part]) -> list[Finding]:
    """Finds measurements after the event that is to be predicted."""
    found, count = [], 0
    for part in parts.values():
        if part.outcomes.until is not None:
            at = np.flatnonzero(part.table.when > part.outcomes.until[part.table.who])
            found += [f"patient {part.patients[part.table.who[row]]} at {part.table.when[row]:g}" for row in at]
            count += len(part.table.when)
    if not found:
        return []
    text = f"{doctor.counted(len(found), count, 'measurements')} later than the outcome, e.g. of {found[0]}"
    return [Finding(doctor.leak(len(found) / count), text)]


def cut(given: Table, config: Config, data: Data) -> list[Finding]:
    """Says which measurements are not read: those after the window, and those in another unit."""
    findings = []
    after = int((given.when > config.window).sum()) if config.window else 0
    if after:
        text = doctor.counted(after, len(given.when), "measurements")
        findings.append(Finding(NOTE, f"{text} later than --window {config.window:g} and not read"))
    if left_out := data.info["left_out"]:
        listed = doctor.named([f"{name} {count:,}" for name, count in left_out.items()])
        findings.append(
            Finding(NOTE, f"values far outside the usual range, perhaps in another unit, dropped: {listed}")
        )
    return findings
