"""Speed and memory as ratios: all contestants of a contest take turns, so that a slow minute hits each of them.

First the networks compared with their peers, then every architecture with the same number of parameters as our LSTM.

python -m tests.benchmarks [--rounds N] [--only WORD] [--record]
"""

import argparse
import datetime
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from shared import cli, machine, tables
from shared.layers import IMAGE_ARCHITECTURES, VECTOR_ARCHITECTURES
from tests.benchmarks.contestants import (
    CONTESTS,
    EMBEDDING,
    IMAGE,
    NATIVE,
    PRODUCTS,
    SIDE,
    TORCH,
    VOCABULARY,
    Contest,
    steps,
    units,
)

SPEED = Path(__file__).parents[2] / "shared/layers/SPEED.md"
TRAINING = ["gallery", "keras", "keras, our settings", "torch", "torch, passive"]
CONTESTANTS = {  # where they are not those of TRAINING
    "generation 2 x 512": ["gallery", "keras cells", "keras predict"],
    "lstm 1 x 256, T 1000": ["gallery", "gallery, recompute 32", "keras", "keras, our settings"],
    **{name: ["gallery", "keras", "keras, our settings"] for name in CONTESTS if "masked" in name},
}
TABLES = {"lstm": VECTOR_ARCHITECTURES, "convlstm": IMAGE_ARCHITECTURES}  # beside which every architecture is set
PAUSE_S = 0.3  # PyTorch's OpenMP threads spin for a while after their turn


class Contestant:
    """A contestant's process; `turn` asks it for one turn and gives the seconds."""

    def __init__(self, contest: str, name: str) -> None:
        environment = os.environ | ({"OMP_WAIT_POLICY": "PASSIVE"} if "passive" in name else {})
        if name.startswith("gallery") or name in ("keras, our settings", "matrix product"):
            environment = cli.ENVIRONMENT | environment
        command = [sys.executable, "-m", "tests.benchmarks.contestants", contest, name]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, env=environment
        )
        self.name, self.seconds = name, []
        self.steps = steps(CONTESTS[contest], name)
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
    contestants = [Contestant(contest, name) for name in CONTESTANTS.get(contest, TRAINING)]
    take_turns(contestants, rounds)
    return "\n".join(row(contest, c, ratios(c, contestants[0])) for c in contestants)


def take_turns(contestants: list[Contestant], rounds: int) -> None:
    """Each has its turn in each round."""
    for contestant in contestants:
        contestant.seconds.clear()
    for _ in range(rounds):
        for contestant in contestants:
            contestant.turn()


def ratios(contestant: Contestant, ours: Contestant) -> list[float]:
    """How many times as long as ours, turn by turn."""
    return [t / o for t, o in zip(per_step(contestant), per_step(ours), strict=True)]


def spread(values: list[float]) -> str:
    """Median, least and most."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def best_rate(rounds: int) -> str:
    """The share of the machine's best matrix-product rate that training an LSTM of 2 x 512 reaches."""
    name = "lstm 2 x 512"
    contest = CONTESTS[name]
    contestants = [
        Contestant(name, who) for who in ("matrix product", "gallery", "keras, our settings", "torch, passive")
    ]
    take_turns(contestants, rounds)
    rate = 2 * SIDE**3 * PRODUCTS  # floating-point operations in a turn; a multiplication and an addition are two
    work = 6 * lstm_products(contest) * contest.batch * contest.time  # forward, and twice as much backward
    shares = [
        f"{c.name} {statistics.median(work / t / (rate / m) for t, m in zip(c.seconds, best, strict=True)):.0%}"
        for best in [contestants[0].seconds]
        for c in contestants[1:]
    ]
    for contestant in contestants:
        contestant.peak_mib()
    return f"Share of the best float32 matrix-product rate in a training step of {name}: {', '.join(shares)}."


def lstm_products(contest: Contest) -> int:
    """Multiplications for each character in the layers and the output."""
    first = (EMBEDDING + contest.units) * 4 * contest.units
    return first + (contest.layers - 1) * 8 * contest.units**2 + contest.units * VOCABULARY


def chosen(contest: str, only: list[str]) -> bool:
    """Whether the contest was asked for."""
    return any(word in contest for word in only)


def cell_header(reference: str) -> list[str]:
    """What stands above the rows of `cell_rows`."""
    contest = CONTESTS[f"cell {reference}"]
    of = f"images of {IMAGE[0]} x {IMAGE[1]} x {IMAGE[2]}" if reference in IMAGE_ARCHITECTURES else "characters"
    beside = f"relative to our `{reference}` (spread)"
    return [
        "",
        f"One layer of {contest.budget:,} parameters each, batch {contest.batch}, T {contest.time}, {of}; Keras and "
        "PyTorch (passive) relative to ours of that name:",
        "",
        f"| architecture | units | training step | {beside} | Keras | PyTorch | streamed step | {beside} | peak MiB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]


def cell_rows(rounds: int, reference: str, archs: list[str]) -> Iterator[str]:
    """Every architecture at equal parameters: a training step and a streamed step relative to those of `reference`."""
    ours, our_stream = Contestant(f"cell {reference}", "gallery"), Contestant(f"stream {reference}", "gallery")
    for arch in archs:
        name = f"cell {arch}"
        peers = [
            kind for kind, has in (("keras", NATIVE), ("torch, passive", TORCH)) if arch in has and arch != "mingru"
        ]
        own = [Contestant(name, "gallery"), *(Contestant(name, kind) for kind in peers)]
        streamed = Contestant(f"stream {arch}", "gallery")
        take_turns([ours, *own, our_stream, streamed], rounds)
        beside = {c.name: f"{statistics.median(ratios(c, own[0])):.2f}" for c in own[1:]}
        step, stream = statistics.median(own[0].seconds), statistics.median(per_step(streamed))
        yield (
            f"| `{arch}` | {units(CONTESTS[name]):,} | {step * 1e3:.0f} ms | {spread(ratios(own[0], ours))} | "
            f"{beside.get('keras', '')} | {beside.get('torch, passive', '')} | {stream * 1e6:,.0f} µs | "
            f"{spread(ratios(streamed, our_stream))} | {own[0].peak_mib():,} |"
        )
        for contestant in (*own[1:], streamed):
            contestant.peak_mib()
    ours.peak_mib()
    our_stream.peak_mib()


def per_step(contestant: Contestant) -> list[float]:
    """Seconds of each step, or of each written character."""
    return [seconds / contestant.steps for seconds in contestant.seconds]


def row(contest: str, contestant: Contestant, times: list[float]) -> str:
    """A line of the table: median time, and how many times as long as ours it took, with the spread."""
    median = statistics.median(per_step(contestant))
    figure = f"{1 / median:,.0f} characters/s" if contest.startswith("generation") else f"{median * 1e3:.0f} ms"
    return f"| {contest} | {contestant.name} | {figure} | {spread(times)} | {contestant.peak_mib():,} |"


def main() -> None:
    """Prints the table; with --record writes it into the layers' SPEED.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", nargs="+", default=[""], help="contests whose name holds one of these")
    parser.add_argument("--record", action="store_true", help=f"write the table into {SPEED.name}")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # of the contestants and of this process, which counts weights
    lines = [
        "| contest | contestant | median | time relative to ours (spread) | peak MiB |",
        "|---|---|---|---|---|",
    ]
    print("\n".join(lines), flush=True)
    for contest in CONTESTS:
        if chosen(contest, options.only) and not contest.startswith(("cell ", "stream ")):
            lines.append(measure(contest, options.rounds))
            print(lines[-1], flush=True)
    if chosen("lstm 2 x 512", options.only):
        lines += ["", best_rate(options.rounds)]
        print(lines[-1], flush=True)
    for reference, archs in TABLES.items():
        asked = [arch for arch in archs if chosen(f"cell {arch}", options.only)]
        if asked:
            lines += cell_header(reference)
            print("\n".join(cell_header(reference)), flush=True)
            for line in cell_rows(options.rounds, reference, asked):
                lines.append(line)
                print(line, flush=True)
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions().items())
    lines += ["", f"{options.rounds} rounds, {machine.hardware()}, {versions}, {datetime.date.today()}."]
    print(lines[-1])
    if options.record:
        tables.replace(SPEED, "\n".join(lines))


if __name__ == "__main__":
    main()
