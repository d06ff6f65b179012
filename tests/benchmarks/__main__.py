"""Speed and memory as ratios: all contestants of a contest take turns, so that a slow minute hits each of them.

python -m tests.benchmarks [--rounds N] [--only WORD] [--record]
"""

import argparse
import datetime
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from shared import results, runs
from tests.benchmarks.contestants import CONTESTS, WRITTEN

README = Path(__file__).parents[2] / "shared/layers/README.md"
TRAINING = ["gallery", "keras", "keras, memory kept", "torch", "torch, passive"]
GENERATION = ["gallery", "keras cells", "keras predict"]
PAUSE_S = 0.3  # PyTorch's OpenMP threads spin for a while after their turn


class Contestant:
    """A contestant's process; `turn` asks it for one turn and gives the seconds."""

    def __init__(self, contest: str, name: str) -> None:
        environment = os.environ | ({"OMP_WAIT_POLICY": "PASSIVE"} if "passive" in name else {})
        command = [sys.executable, "-m", "tests.benchmarks.contestants", contest, name]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, env=environment
        )
        self.name, self.seconds = name, []
        self.units = WRITTEN[name] if contest.startswith("generation") else 1
        self.hear("ready")

    def hear(self, expected: str = "") -> str:
        line = self.process.stdout.readline().strip()
        if not line or (expected and line != expected):
            raise RuntimeError(f"{self.name} failed: {line!r}; run it alone to see why")
        return line

    def turn(self) -> None:
        print(file=self.process.stdin, flush=True)
        self.seconds.append(float(self.hear()))
        time.sleep(PAUSE_S)

    def peak_mib(self) -> int:
        self.process.stdin.close()
        peak = int(self.hear())
        self.process.wait()
        return peak


def measure(contest: str, rounds: int) -> str:
    """Runs one contest and returns its rows of the table."""
    names = GENERATION if contest.startswith("generation") else TRAINING
    contestants = [Contestant(contest, name) for name in names]
    for _ in range(rounds):
        for contestant in contestants:
            contestant.turn()
    ours = per_unit(contestants[0])
    return "\n".join(row(contest, c, [t / o for t, o in zip(per_unit(c), ours, strict=True)]) for c in contestants)


def per_unit(contestant: Contestant) -> list[float]:
    """Seconds of each step, or of each written character."""
    return [seconds / contestant.units for seconds in contestant.seconds]


def row(contest: str, contestant: Contestant, ratios: list[float]) -> str:
    """A line of the table: median time, and how many times as long as ours it took, with the spread."""
    median = statistics.median(per_unit(contestant))
    figure = f"{1 / median:,.0f} characters/s" if contest.startswith("generation") else f"{median * 1e3:.0f} ms"
    times = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    return f"| {contest} | {contestant.name} | {figure} | {times} | {contestant.peak_mib():,} |"


def main() -> None:
    """Prints the table; with --record writes it into the layers' README."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", default="", help="contests whose name holds this word")
    parser.add_argument("--record", action="store_true", help=f"write the table into {README.name}")
    options = parser.parse_args()
    lines = [
        "| contest | contestant | median | time beside ours (spread) | peak MiB |",
        "|---|---|---|---|---|",
    ]
    print("\n".join(lines), flush=True)
    for contest in CONTESTS:
        if options.only in contest:
            lines.append(measure(contest, options.rounds))
            print(lines[-1], flush=True)
    versions = ", ".join(f"{name} {version}" for name, version in runs.versions().items())
    lines += ["", f"{options.rounds} rounds, {runs.hardware()}, {versions}, {datetime.date.today()}."]
    print(lines[-1])
    if options.record:
        results.replace(README, "\n".join(lines))


if __name__ == "__main__":
    main()
