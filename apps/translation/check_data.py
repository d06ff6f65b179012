"""What is wrong with sentence pairs before training: duplicates, sentences left as they are, pairs that do not fit."""

import numpy as np

from shared.data import doctor
from shared.data.doctor import NOTE, WARNING, Finding, Item
from shared.inspection import Amount, Inspected, effort, report
from shared.plots import Panel

from .config import RECIPES, Config
from .data import Part, arranged
from .options import CheckData
from .sources import Pair, read
from .tokens import Tokenizer

RECORDED = 380_382  # tokens, of both languages, that the training recorded in results.json reads in an epoch
OFTEN = 0.1  # share of different source sentences above which one translation for all of them is a fault
GIVEN = {"level": NOTE, "then": "training leaves them out", "among": "the training part as given"}


def check_data(options: CheckData) -> None:
    """Runs the check-data command."""
    report(options, look)


def look(config: Config) -> Inspected:
    """Looks at the pairs as they were given, and at the splits as they are trained and tested on."""
    given = read(config)
    data = arranged(given, config)
    parts = {"train": data.train, "valid": data.valid, "test": data.test}
    pairs = {part: [whole(pair) for pair in some] for part, some in given.items()}
    sources = {
        part: [Item(pair.source, pair.source, pair.where) for pair in some.pairs] for part, some in parts.items()
    }
    lengths = [max(map(len, ids)) for ids in encoded(given["train"], data.info)]
    findings = [
        doctor.duplicates(pairs["train"], pairs[part], part, "pairs", **GIVEN)
        for part in ("valid", "test")
        if part in given
    ]
    findings += [
        doctor.duplicates(sources["train"], sources[part], part, "source sentences") for part in ("valid", "test")
    ]
    answers = {part: [(pair.source, pair.target) for pair in some.pairs] for part, some in parts.items()}
    amount = Amount(sum(len(source) + len(target) for source, target in data.train.ids), "tokens", RECORDED)
    findings += [
        *doctor.same_answers(answers, "source sentences", "translation", OFTEN),
        doctor.repeats(pairs["train"], "training pairs", kept(parts)),
        *copied(given["train"]),
        *uneven(given["train"]),
        doctor.enough(len(data.test.pairs), "test", "pairs", share=False),
        doctor.lengths(lengths, "tokens", "training pairs", config.max_tokens, "are left out of training"),
        *doctor.characters((text, p.where) for some in given.values() for p in some for text in (p.source, p.target)),
        effort(__file__, config, RECIPES, -(-len(data.train.ids) // config.batch_size), config.epochs, amount),
    ]
    sides = {f"{part}, {name}": [len(ids[n]) for ids in some.ids] for part, some in parts.items()
             for n, name in enumerate((config.source, config.target)) if part != "valid"}  # fmt: skip
    ratios = {part: [ratio(pair) for pair in some.pairs] for part, some in parts.items()}
    panels = [
        Panel("lengths", "tokens", sides, config.max_tokens, "--max-tokens"),
        Panel("characters of the target for one of the source", "ratio", ratios),
    ]
    return Inspected(f"{config.data}: {data.info['split']}", findings, panels)


def whole(pair: Pair) -> Item:
    """Returns a pair, shown by its source sentence."""
    return Item((pair.source, pair.target), pair.source, pair.where)


def kept(parts: dict[str, Part]) -> str:
    """Says how many repetitions each split still has, and how many pairs are in two of them."""
    keys = {part: [(pair.source, pair.target) for pair in some.pairs] for part, some in parts.items()}
    left = ", ".join(f"{part} {len(some) - len(set(some)):,}" for part, some in keys.items())
    crossing = sum(map(len, map(set, keys.values()))) - len(set().union(*keys.values()))
    return f"repetitions that each split keeps: {left}; of its pairs, {crossing:,} are in another split too"


def encoded(pairs: list[Pair], info: dict) -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns the ids of both sides, whatever their length."""
    tokenizer = Tokenizer(info["tokenizer"])
    return [(tokenizer.encode(pair.source).ids, tokenizer.encode(pair.target).ids) for pair in pairs]


def ratio(pair: Pair) -> float:
    """Returns how many characters of the target there are for one of the source."""
    return len(pair.target) / len(pair.source)


def copied(pairs: list[Pair]) -> list[Finding]:
    """Counts the sentences whose translation is the sentence itself."""
    same = [whole(pair) for pair in pairs if pair.source == pair.target and any(c.isalpha() for c in pair.source)]
    if not same:
        return []
    text = doctor.counted(len(same), len(pairs), "training pairs")
    level = WARNING if len(same) > doctor.LEAKED * len(pairs) else NOTE
    return [Finding(level, f"{text} the same on both sides, {doctor.example(same[0])}")]


def uneven(pairs: list[Pair]) -> list[Finding]:
    """Finds pairs whose lengths do not fit, as when the lines of two files do not correspond."""
    logs = np.log([ratio(pair) for pair in pairs])
    apart = [pairs[n] for n in doctor.far(logs)]
    if not apart:
        return []
    text = f"{doctor.counted(len(apart), len(pairs), 'training pairs')} much longer on one side than usual"
    return [Finding(NOTE, f"{text}, {doctor.example(whole(apart[0]))} and {apart[0].target[: doctor.SHOWN]!r}")]
