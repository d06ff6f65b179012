"""What is wrong with series before training: gaps, stuck values, jumps, a shifted test part, telltale covariates."""

import itertools

import numpy as np

from shared.data import doctor
from shared.data.doctor import NOTE, OK, PROBLEM, WARNING, Finding, Item
from shared.inspection import Amount, Inspected, effort, report
from shared.plots import Panel

from .config import RECIPES, Config
from .data import PARTS, arranged
from .options import CheckData
from .panel import Series
from .sources import load as load_source

FEWEST = 20  # training windows below which a network learns nothing
CALIBRATING = 3  # forecasts in the validation part below which intervals are not to be relied on
FEW = 5  # forecasts in the test part, one after the other, below which a figure is that of a single stretch of time
STUCK = 0.02  # share of a series that equals its neighbours without a break, above which its sensor may be stuck
MOSTLY = 0.5  # share of a test part at one value above which its figure says little
SHIFTED = 2.0  # standard deviations between the means of training and test that are worth saying
RECORDED = 185_900  # steps of all windows that the training recorded in results.json reads in an epoch
ALIKE = ("network", "segment")
TELLING, NEARLY = 0.999, 0.95  # correlation of a known column with the values, which makes it no forecast


def check_data(options: CheckData) -> None:
    """Runs the check-data command."""
    report(options, look)


def look(config: Config) -> Inspected:
    """Looks at every series in the three parts that follow each other in time."""
    source = load_source(config)
    data = arranged(source, config)
    series, ends = source.panel.series, source.ends
    columns = {each.name: np.where(each.observed, each.values, np.nan) for each in series}
    items = [Item(each.values.tobytes(), each.name) for each in series]
    count = sum((end[2] - end[1]) // config.horizon for end in ends)
    steps = min(config.steps_per_epoch or len(data.train), -(-len(data.train) // config.batch_size))
    seen = min(steps * config.batch_size, len(data.train)) * (config.lookback + config.horizon)
    amount = Amount(seen, "time steps", RECORDED, alike=ALIKE)
    findings = [
        Finding(OK, "validation follows training in time, and test follows validation; scales come from training"),
        copies(series, ends),
        *telling(series, source.panel.known),
        enough(count, config.horizon),
        *calibrated(min((end[1] - end[0]) // config.horizon for end in ends), config.horizon),
        *trainable(len(data.train), config),
        *doctor.gaps(columns, "series"),
        *doctor.codes(columns, "series"),
        *doctor.clipped(columns, "series"),
        *([doctor.repeats(items, "series")] if len(items) > 1 else []),
        *stuck(series),
        *standing(series, ends),
        *jumps(series),
        *shifted(series, ends),
        effort(__file__, config, RECIPES, steps, config.epochs, amount),
    ]
    scaled = {part: [] for part in PARTS}
    for each, end, shift, scale in zip(series, ends, data.info["shift"], data.info["scale"], strict=True):
        for part, (low, high) in zip(PARTS, itertools.pairwise((0, *end)), strict=True):
            scaled[part].append((each.values[low:high] - shift) / scale)
    values = {part: np.concatenate(some) for part, some in scaled.items()}
    changes = {part: np.concatenate([np.diff(each) for each in some]) for part, some in scaled.items()}
    unit = "standard deviations of the training part"
    panels = [Panel("values", unit, values), Panel("changes from step to step", unit, changes)]
    named = f"{source.panel.source}: {len(series):,} series of {steps_of(series)}"
    return Inspected(f"{named}; windows: {data.info['split']}", findings, panels)


def enough(count: int, horizon: int) -> Finding:
    """Judges how many forecasts the test part has that do not overlap."""
    text = (
        f"the test part has {doctor.sized(count, 'forecasts')} of {doctor.sized(horizon, 'steps')} that do not overlap"
    )
    return Finding(WARNING, f"{text}: a rough figure") if count < FEW else Finding(OK, text)


def calibrated(count: int, horizon: int) -> list[Finding]:
    """Warns if the validation part has too few forecasts that do not overlap to calibrate the intervals on."""
    forecasts = f"{doctor.sized(count, 'forecasts')} of {doctor.sized(horizon, 'steps')} that do not overlap"
    text = f"the validation part has {forecasts}: intervals calibrated on so few may be far too narrow"
    return [Finding(WARNING, text)] if count < CALIBRATING else []


def trainable(count: int, config: Config) -> list[Finding]:
    """Judges how many windows the training part has."""
    if count >= FEWEST:
        return []
    text = f"the training part has {doctor.sized(count, 'windows')} of {config.reach} + {config.horizon} steps"
    return [Finding(PROBLEM, f"{text}, too few to train on: choose a shorter --lookback or --horizon")]


def copies(series: tuple[Series, ...], ends: tuple[tuple[int, int, int], ...]) -> Finding:
    """Looks for stretches of the test parts in the training parts."""
    train = [each.values[:end] for each, (end, _, _) in zip(series, ends, strict=True)]
    test = [each.values[start:end] for each, (_, start, end) in zip(series, ends, strict=True)]
    return doctor.copies(train, test, "test")


def telling(series: tuple[Series, ...], known: tuple[str, ...]) -> list[Finding]:
    """Finds known columns that are the values themselves: their future is not known when a forecast is made."""
    findings = []
    values = np.concatenate([each.values for each in series])
    for number, name in enumerate(known):
        column = np.concatenate([each.known[: len(each), number] for each in series])
        if column.std() and values.std() and (r := abs(np.corrcoef(column, values)[0, 1])) > NEARLY:
            text = f"the known column {name} correlates {r:.3f} with the values: is its future known in advance?"
            findings.append(Finding(PROBLEM if r > TELLING else WARNING, text))
    return findings


def stuck(series: tuple[Series, ...]) -> list[Finding]:
    """Finds the series with the longest stretch of equal values, which may be a stuck sensor or filled gaps."""
    found = []
    for each in series:
        edges = np.flatnonzero(np.diff(each.values, prepend=np.nan, append=np.nan) != 0)
        runs = np.diff(edges)
        if len(runs) > 1 and runs.max() > max(STUCK * len(each), each.season):
            start = int(edges[runs.argmax()])
            found.append((int(runs.max()), f"{each.name} for {runs.max():,} steps from {moment(each, start)}"))
    if not found:
        return []
    text = f"{doctor.counted(len(found), len(series), 'series')} stuck at one value for long: "
    return [Finding(NOTE, text + doctor.named([said for _, said in sorted(found, reverse=True)]))]


def standing(series: tuple[Series, ...], ends: tuple[tuple[int, int, int], ...]) -> list[Finding]:
    """Names the series that keep one value through most of their test part: repeating the last one predicts them."""
    found = []
    for each, (_, start, end) in zip(series, ends, strict=True):
        edges = np.flatnonzero(np.diff(each.values[start:end], prepend=np.nan, append=np.nan) != 0)
        longest = int(np.diff(edges).max())
        if longest > MOSTLY * (end - start) and not doctor.is_constant(each.values):
            found.append(f"{each.name} for {longest:,} of {end - start:,} steps")
    if not found:
        return []
    text = f"series that keep one value through most of their test part: {doctor.named(found)}"
    return [Finding(WARNING, text)]


def jumps(series: tuple[Series, ...]) -> list[Finding]:
    """Finds changes from one step to the next that are far from the others of their series."""
    found = []
    for each in series:
        changes = np.diff(each.values)
        at = doctor.far(changes)
        if len(at):
            worst = int(at[np.abs(changes[at]).argmax()])
            size = abs(changes[worst]) / np.median(np.abs(changes[changes != 0]))
            found.append((float(size), f"{each.name} from {each.values[worst]:.6g} to {each.values[worst + 1]:.6g} at "
                          f"{moment(each, worst + 1)}"))  # fmt: skip
    if not found:
        return [Finding(OK, "no change from step to step is far from the others")]
    text = f"{doctor.having(len(found), len(series), 'series')} changes far from their others: "
    return [Finding(NOTE, text + doctor.named([said for _, said in sorted(found, reverse=True)]))]


def shifted(series: tuple[Series, ...], ends: tuple[tuple[int, int, int], ...]) -> list[Finding]:
    """Names the series whose test part lies at another level than their training part."""
    found = []
    for each, (train, valid, _) in zip(series, ends, strict=True):
        spread = float(each.values[:train].std())
        away = abs(float(each.values[valid:].mean() - each.values[:train].mean()))
        if spread and away > SHIFTED * spread:
            found.append((away / spread, f"{each.name} by {away / spread:.1f} standard deviations"))
    if not found:
        return []
    text = f"in {len(found):,} of {len(series):,} series, the mean of test is far from that of training: "
    return [Finding(NOTE, text + doctor.named([said for _, said in sorted(found, reverse=True)]))]


def steps_of(series: tuple[Series, ...]) -> str:
    """Returns the number of steps of the series, or the smallest and the largest number."""
    low, high = min(map(len, series)), max(map(len, series))
    return f"{low:,} to {high:,} steps" if low < high else doctor.sized(low, "steps")


def moment(series: Series, step: int) -> str:
    """Returns the time of a step, for messages."""
    return series.clock.text(series.first + step)
