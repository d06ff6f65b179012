"""What is wrong with a text before training: passages that training has already, characters, parts that are small."""

import numpy as np

from shared.data import doctor, text
from shared.data.doctor import NOTE, OK, PROBLEM, WARNING, Finding
from shared.inspection import Amount, Inspected, effort, report
from shared.plots import Panel

from .config import LEVELS, RECIPES, Config
from .data import load
from .options import CheckData

WINDOWS = (1, 20)  # of a held-out part, below which its figure says nothing, or is rough
REPEATED = 0.25  # share of a held-out part in passages of training from which a figure measures memory
PASSAGE = {"char": 50, "word": 12}  # tokens in a row that are the same by repetition only, not by chance
FACTOR = np.uint64(0x9E3779B97F4A7C15)  # of the hash; odd, and without a pattern
RECORDED = 380_182  # characters that the training recorded in results.json reads in an epoch
ALIKE = ("level", "embedding", "tied")
RARE = 3  # occurrences below which a character is hardly learned


def check_data(options: CheckData) -> None:
    """Runs the check-data command."""
    report(options, look)


def look(config: Config) -> Inspected:
    """Looks at the tokens of each split."""
    data = load(config)
    vocabulary, kind = text.Vocabulary(tuple(data.info["vocabulary"])), LEVELS[config.level]
    parts = {"train": data.train, **data.held_out()}
    join = "".join if config.level == "char" else text.join_words
    texts = {part: join(vocabulary.decode(ids)) for part, ids in parts.items()}
    findings = [known(data.train, ids, part, config.level) for part, ids in data.held_out().items()]
    findings += [
        doctor.enough(len(ids) // config.window, part, f"windows of {config.window} {kind}", *WINDOWS, share=False)
        for part, ids in data.held_out().items()
    ]
    lines = {part: content.split("\n") for part, content in texts.items()}
    lengths = {part: [len(line) for line in some if line.strip()] for part, some in lines.items()}
    steps = (len(data.train) - config.window) // config.batch_size // config.window
    amount = Amount(len(data.train), kind, RECORDED, alike=ALIKE)
    findings += [
        *unknown(data.info["counts"], kind),
        *rare(data.info, config.level),
        doctor.lengths(lengths["train"], "characters", "training lines"),
        *doctor.characters((line, f"{part}, line {n}") for part in lines for n, line in enumerate(lines[part], 1)),
        effort(__file__, config, RECIPES, steps, config.epochs, amount),
    ]
    names = {"\n": "line end", " ": "space"}
    shown = {part: [names.get(token, token) for token in vocabulary.decode(ids)] for part, ids in parts.items()}
    panels = [
        Panel("lines", "characters", lengths),
        Panel(f"most frequent {kind}", "", shown),
    ]
    counts = ", ".join(f"{part} {len(ids):,}" for part, ids in parts.items())
    return Inspected(f"{data.info['source']}: {counts} {kind}; {data.info['split']}", findings, panels)


def known(train: np.ndarray, held: np.ndarray, part: str, level: str) -> Finding:
    """Measures how much of a held-out split is in passages that occur in training word for word."""
    size = PASSAGE[level]
    if min(len(train), len(held)) < size:
        return Finding(NOTE, f"{part} is too short to look for passages of training in it")
    starts = np.flatnonzero(np.isin(hashes(held, size), hashes(train, size)))
    covered = np.zeros(len(held), bool)
    covered[(starts[:, None] + np.arange(size)).ravel()] = True
    share = float(covered.mean())
    what = f"passages of {size} {LEVELS[level]} or more that are in training word for word"
    if not share:
        return Finding(OK, f"{part} has no {what}")
    level = PROBLEM if share > REPEATED else WARNING if share > doctor.LEAKED else NOTE
    return Finding(level, f"{doctor.percent(share)} of {part} is in {what}")


def hashes(ids: np.ndarray, size: int) -> np.ndarray:
    """Returns a hash of every passage of `size` tokens; equal numbers almost surely mean equal passages."""
    found = np.zeros(len(ids) - size + 1, np.uint64)
    for offset in range(size):
        found = found * FACTOR + ids[offset : offset + len(found)].astype(np.uint64)
    return found


def unknown(counts: dict[str, dict[str, int]], kind: str) -> list[Finding]:
    """Says how many tokens of the held-out splits the vocabulary lacks: they are all the same to the network."""
    findings = []
    for part in (part for part in counts if part != "train"):
        share = counts[part]["unknown"] / counts[part]["tokens"]
        if share:
            level = WARNING if share > doctor.LEAKED else NOTE
            text = f"{counts[part]['unknown']:,} {kind} of {part} ({doctor.percent(share)}) are not in the vocabulary"
            findings.append(Finding(level, text))
    return findings


def rare(info: dict, level: str) -> list[Finding]:
    """Names characters that occur so rarely that they are hardly learned; rare words are in the nature of a text."""
    known = {token: count for token, count in zip(info["vocabulary"], info["frequencies"], strict=True) if count}
    few = [repr(token) for token, count in known.items() if count < RARE]
    if level == "word" or not few:
        return []
    occur = "occurs" if len(few) == 1 else "occur"
    text = f"of {len(known):,} characters, {len(few):,} {occur} fewer than {RARE} times in training"
    return [Finding(NOTE, f"{text}: {doctor.named(few)}")]
