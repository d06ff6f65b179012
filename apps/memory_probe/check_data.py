"""The probe makes its own data, so there is little that could be wrong with it: what it is, and its distribution."""

import numpy as np

from shared.data import doctor
from shared.data.doctor import NOTE, OK, Finding, Item
from shared.inspection import Inspected, effort, report
from shared.plots import Panel

from .config import RECIPES, Config
from .data import load
from .options import CheckData
from .tasks import ALPHABET

UNKNOWN = "it depends on when the task is solved, which ends the training"


def check_data(options: CheckData) -> None:
    """Runs the check-data command."""
    report(options, look)


def look(config: Config) -> Inspected:
    """Looks at the sequences of the task: the digits are a data set, the others are generated."""
    data = load(config)
    held = {"valid": data.valid, "test": data.test}
    items = {part: [Item(row.tobytes(), f"sequence {n}") for n, row in enumerate(inputs)]
             for part, (inputs, _) in held.items()}  # fmt: skip
    findings = [doctor.enough(len(data.test[0]), "test", "sequences", share=config.data != "adding")]
    if config.data.endswith("digits"):
        inputs, targets = data.train.arrays
        held = {"train": (inputs, targets), **held}
        train = [Item(row.tobytes(), "") for row in inputs]
        findings += [doctor.duplicates(train, items[part], part, "digits") for part in items]
        values = {part: [str(int(label)) for label in targets.ravel()] for part, (_, targets) in held.items()}
        findings += doctor.balance(values, "digit")
    else:
        findings.append(
            Finding(OK, "training sequences are generated anew in each step: none repeats, none is held out")
        )
        findings.append(doctor.duplicates(items["valid"], items["test"], "test", "sequences", among="valid"))
        findings.append(Finding(NOTE, "this app generates its data; there is none of yours to check"))
        values = {part: shown(config.data, targets) for part, (_, targets) in held.items()}
    findings.append(effort(__file__, config, RECIPES, len(data.train), config.epochs, UNKNOWN))
    return Inspected(f"{config.data}: {data.info['split']}", findings, [Panel("targets", "target", values)])


def shown(task: str, targets: np.ndarray) -> list:
    """Returns the sums to draw, or the letters to be remembered."""
    return targets.ravel().tolist() if task == "adding" else [ALPHABET[n] for n in targets.ravel()]
