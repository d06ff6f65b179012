"""What is wrong with daily bars before training: order in time, gaps, stale prices, jumps, few test days."""

from collections.abc import Mapping

import numpy as np

from shared.data import doctor
from shared.data.doctor import NOTE, OK, PROBLEM, WARNING, Finding, Item
from shared.inspection import Amount, Inspected, effort, report
from shared.plots import Panel

from .bars import FLAT, JUMPS
from .config import RECIPES, Config
from .data import Data, load
from .options import CheckData

RECORDED = 11_040  # days of all refits that the training recorded in results.json reads in an epoch
ALIKE = ("ensemble_size", "chunk_days", "context_days")
DAYS = (60, 250)  # test days below which a figure says nothing, or is that of one year
STILL = 0.5  # share of the test days without a change above which a figure says nothing of a traded price
MANY_FLAT = 0.05  # share of bars without a range above which they are probably closing prices only
STALE = 0.05  # share of days with exactly the price of the day before that few traded assets reach


def check_data(options: CheckData) -> None:
    """Runs the check-data command."""
    report(options, look)


def look(config: Config) -> Inspected:
    """Looks at the bars, and at the days that each refit is fitted to and tested on."""
    data = load(config)
    bars, last = data.bars, data.refits[-1]
    columns = {name: bars.close[number] for number, name in enumerate(bars.tickers)}
    items = [Item(bars.close[number].tobytes(), name) for number, name in enumerate(bars.tickers)]
    parts = {"train": data.train(last)[0], "valid": data.valid(last)[0], "test": data.tested()[0]}
    following = {part: data.targets.returns[chosen] for part, chosen in parts.items()}
    days = last.end - data.refits[0].test
    chunks = -(-int(parts["train"].sum()) // config.chunk_days)
    amount = Amount(len(data.refits) * int(parts["train"].sum()), "days", RECORDED, alike=ALIKE)
    findings = [
        in_time(data),
        doctor.enough(days, "test", "days", *DAYS),
        *doctor.balance({part: directions(some) for part, some in following.items()}, "direction"),
        *gaps(columns, bars.counts),
        *([doctor.repeats(items, "tickers")] if len(items) > 1 else []),
        *anomalies(data),
        *stale(data),
        *largest(data),
        *survivors(data),
        volatility(following),
        effort(__file__, config, RECIPES, len(data.refits) * -(-chunks // config.batch_size), config.epochs, amount),
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        ranges = {part: np.log(data.targets.variance[0][chosen]) / 2 for part, chosen in parts.items()}
    panels = [
        Panel("returns of the next day", "per cent", following),
        Panel("volatility of the next day", "log of per cent", ranges),
    ]
    tickers = doctor.sized(len(bars.tickers), "tickers")
    source = f"{bars.source}: {tickers}, {len(bars.days):,} days, {bars.days[0]} to {bars.days[-1]}"
    return Inspected(f"{source}; {data.split}", findings, panels)


def in_time(data: Data) -> Finding:
    """Verifies that no refit is fitted to a day that it is tested on, or to a later one."""
    for refit in data.refits:
        chosen = data.train(refit) | data.valid(refit)
        if chosen.any() and data.targets.last[chosen].max() >= refit.test:
            return Finding(
                PROBLEM, f"refit {refit.number} is fitted to days of its test part, from {data.bars.days[refit.test]}"
            )
    refits = f"each of {len(data.refits)} refits" if len(data.refits) > 1 else "the only refit"
    return Finding(OK, f"in {refits}, all days fitted to are before the days tested on")


def directions(returns: np.ndarray) -> list[str]:
    """Returns the direction of each return."""
    return np.where(returns > 0, "up", "not up").tolist()


def gaps(columns: dict[str, np.ndarray], counts: Mapping[str, int]) -> list[Finding]:
    """Describes days without a Close; if rows without one were left out, nothing is said to be complete."""
    found = doctor.gaps(columns, "tickers")
    left_out = any(kind.endswith("left out") for kind in counts)
    return [finding for finding in found if not (left_out and finding.level == OK)]


def anomalies(data: Data) -> list[Finding]:
    """Describes what was corrected or is suspicious in the bars; unadjusted splits make every figure mislead."""
    flat = data.bars.counts.get(FLAT, 0) > MANY_FLAT * data.series.traded.sum()
    levels = {JUMPS: PROBLEM, FLAT: WARNING if flat else NOTE}
    return [Finding(levels.get(kind, NOTE), note) for kind, note in zip(data.bars.counts, data.bars.notes, strict=True)]


def stale(data: Data) -> list[Finding]:
    """Names tickers whose price often stays the same, as it does where trades are rare or rows were filled."""
    shares = [float((row[np.isfinite(row)] == 0).mean()) for row in data.series.returns]
    pairs = zip(data.bars.tickers, shares, strict=True)
    found = [f"{name} on {doctor.percent(share)} of its days" for name, share in pairs if share > STALE]
    findings = [Finding(WARNING, f"prices that often do not change: {doctor.named(found)}")] if found else []
    # Within the test days alone, as the share of all days hides a ticker that is no longer traded.
    rows = zip(data.bars.tickers, data.series.returns[:, data.refits[0].test :], strict=True)
    shares = {name: float((row[np.isfinite(row)] == 0).mean()) for name, row in rows if np.isfinite(row).any()}
    if still := [f"{name} on {doctor.percent(share)}" for name, share in shares.items() if share > STILL]:
        text = f"prices that do not change on most of their test days: {doctor.named(still)}"
        findings.append(Finding(PROBLEM, text))
    return findings


def largest(data: Data) -> list[Finding]:
    """Names the largest outliers among the daily returns: a crash, a split that was not adjusted, or a typo."""
    found = []
    for name, row in zip(data.bars.tickers, data.series.returns, strict=True):
        at = doctor.far(row)
        if len(at):
            worst = int(at[np.abs(row[at]).argmax()])
            found.append((abs(float(row[worst])), f"{name} {simple(row[worst]):+.1f} % on {data.bars.days[worst]}"))
    if not found:
        return [Finding(OK, "no daily return is far from the others")]
    listed = doctor.named([said for _, said in sorted(found, reverse=True)])
    return [Finding(NOTE, f"daily returns far from the others (crash, unadjusted split or typo?): {listed}")]


def simple(log_return: float) -> float:
    """Converts a log return, in per cent, to the change of the price, in per cent."""
    return 100 * float(np.expm1(log_return / 100))


def survivors(data: Data) -> list[Finding]:
    """Says so if every ticker lasts to the end: those that were delisted were left out, which flatters any strategy."""
    if len(data.bars.tickers) < 2 or not np.isfinite(data.bars.close[:, -1]).all():
        return []
    text = "all tickers are traded on the last day: none that was delisted is among them (survivorship bias)"
    return [Finding(NOTE, text)]


def volatility(returns: dict[str, np.ndarray]) -> Finding:
    """Compares the volatility of the test days with that of the training days."""
    train, test = (float(np.nanstd(returns[part])) for part in ("train", "test"))
    return Finding(NOTE, f"daily volatility: {train:.2f} % in training, {test:.2f} % in test")
