"""Labels and the sizes of splits: too few, unbalanced, contradictory, given away by a word, the same for all."""

import collections
from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np

from .findings import (
    NOTE,
    OK,
    PROBLEM,
    WARNING,
    Finding,
    Item,
    counted,
    example,
    having,
    named,
    percent,
    sized,
    tenths,
)
from .leakage import leak

FEWEST, FEW = 20, 100  # held-out examples below which a share is too uncertain to say anything, or is rough
SKEWED, HARDLY = 0.8, 0.95  # share of one label from which always answering it looks good, or all but perfect
MOVED = 0.1  # difference between the shares of a label in two splits that is worth saying
RARE = 5  # training examples of a label below which it is hardly learned
VERDICTS = {PROBLEM: "are too few", WARNING: "give a rough figure", OK: "are enough for a figure"}
SINGLE = 2  # values that are exceptions however few values there are
ALWAYS, PURE = 0.1, 0.99  # share of texts with a word, and of one label among them, that may give the label away
OBVIOUS = 0.9  # share of a label in all texts from which a word cannot give it away


def enough(count: int, part: str, what: str, fewest: int = FEWEST, few: int = FEW, share: bool = True) -> Finding:
    """Judges whether a held-out split is large enough.

    Args:
        part: name of the split. what: what is counted, in the plural.
        fewest, few: below these the split says nothing, or gives a rough figure.
        share: whether the figure is a share, whose interval is given: that of one half.

    >>> enough(9, "test", "texts").text
    '9 test texts are too few: a share measured on them is uncertain by ± 33 points (95 %)'
    """
    level = PROBLEM if count < fewest else WARNING if count < few else OK
    verdict, them = VERDICTS[level], "them"
    if count == 1:
        verdict, them = verdict.replace("are", "is", 1).replace("give", "gives", 1), "it"
    text = f"{sized(count, f'{part} {what}')} {verdict}"
    if share:
        points = 196 * float(np.sqrt(0.25 / max(count, 1)))
        places = 0 if points >= 10 else 1
        text += f": a share measured on {them} is uncertain by ± {points:.{places}f} points (95 %)"
    return Finding(level, text)


def balance(labels: Mapping[str, Sequence[str]], what: str = "label") -> list[Finding]:
    """Compares how often each label occurs in the splits, "train" and those held out.

    A held-out split with one label only is a problem: no figure on it says what a network tells apart.
    """
    train = collections.Counter(labels["train"])
    findings = [Finding(NOTE if len(train) > 1 else PROBLEM, f"training {what}s: {shares(train)}")]
    if rare := [label for label, count in train.items() if count < RARE]:
        text = f"{having(len(rare), len(train), f'{what}s')} fewer than {RARE} training examples: {named(rare)}"
        findings.append(Finding(WARNING, text))
    findings += spellings({label for some in labels.values() for label in some}, what)
    for part in (part for part in labels if part != "train" and labels[part]):
        found = collections.Counter(labels[part])
        label, count = found.most_common(1)[0]
        share = count / len(labels[part])
        if len(found) == 1:
            findings.append(Finding(PROBLEM, f"all {count:,} {part} examples are {label!r}: they show no difference"))
        elif share > SKEWED:
            text = f"always answering {label!r} is right in {tenths(share)} of {part}: compare with that"
            findings.append(Finding(WARNING if share > HARDLY else NOTE, text))
        findings += _moved(train, found, part)
        if unknown := [label for label in found if label not in train]:
            count = sum(found[label] for label in unknown)
            text = f"{counted(count, len(labels[part]), f'{part} examples')} of {what}s that no training example has: "
            findings.append(Finding(leak(count / len(labels[part])), text + named(unknown)))
        if unseen := [label for label in train if label not in found]:
            text = f"{len(unseen):,} of {len(train):,} {what}s do not occur in {part}: {named(unseen)}"
            findings.append(Finding(NOTE, text))
    return findings


def spellings(labels: Iterable[str], what: str = "label") -> list[Finding]:
    """Finds labels that differ only in case or spaces: they are probably one, but each is learned on its own."""
    ways: dict[str, list[str]] = collections.defaultdict(list)
    for label in sorted(labels):
        ways[" ".join(label.casefold().split())].append(label)
    found = [" and ".join(map(repr, some)) for some in ways.values() if len(some) > 1]
    return [Finding(WARNING, f"{what}s that differ only in case or spaces: {named(found)}")] if found else []


def _moved(train: Mapping[str, int], held: Mapping[str, int], part: str) -> list[Finding]:
    """Names the label whose share in a held-out split differs most from that in training, if that is much."""
    total, asked = sum(train.values()), sum(held.values())
    differences = {label: held.get(label, 0) / asked - train[label] / total for label in train}
    label = max(differences, key=lambda name: abs(differences[name]))
    share = train[label] / total
    if abs(differences[label]) < max(MOVED, 3 * float(np.sqrt(share * (1 - share) / asked))):
        return []
    return [
        Finding(
            NOTE,
            f"{label!r} is {tenths(share)} of training, but {tenths(held.get(label, 0) / asked)} of {part}",
        )
    ]


def same_answers(
    parts: Mapping[str, Sequence[tuple[Hashable, str]]], what: str, answer_name: str, often: float
) -> list[Finding]:
    """Finds splits in which all examples, or more than the share `often`, have the same answer.

    Args:
        parts: (example, its answer) of each split; equal examples count once.
        what: what the examples are, in the plural. answer_name: what an answer is.
    """
    findings = []
    for part, pairs in parts.items():
        total = len({asked for asked, _ in pairs})
        if total <= SINGLE:
            continue
        found = collections.Counter(answer for _, answer in set(pairs))
        answer, count = found.most_common(1)[0]
        said = example(Item("", answer)).removeprefix("e.g. ")
        if len(found) == 1:
            text = f"all {total:,} different {part} {what} have the same {answer_name}: {said} is always right"
            findings.append(Finding(PROBLEM, text))
        elif count > often * total:
            text = f"{having(count, total, f'different {part} {what}')} the same {answer_name}, {said}"
            findings.append(Finding(WARNING, f"{text}: wrongly paired?"))
    return findings


def shares(counts: Mapping[str, int], most: int = 5) -> str:
    """Lists the most frequent labels with their shares.

    >>> shares({"good": 3, "bad": 1})
    'good 75.0 %, bad 25.0 %'
    """
    total, order = sum(counts.values()), sorted(counts, key=lambda label: -counts[label])
    listed = ", ".join(f"{label} {tenths(counts[label] / total)}" for label in order[:most])
    return listed + (f" and {len(order) - most} more" if len(order) > most else "")


def contradictions(items: Sequence[Item], labels: Sequence[str], what: str = "texts") -> list[Finding]:
    """Finds equal examples with different labels: at best one of them is right."""
    first: dict[Hashable, tuple[Item, str]] = {}
    wrong = []
    for item, label in zip(items, labels, strict=True):
        before, other = first.setdefault(item.key, (item, label))
        if label != other:
            wrong.append((item, label, before.where, other))
    if not wrong:
        return []
    item, label, where, other = wrong[0]
    return [
        Finding(
            NOTE,
            f"{having(len(wrong), len(items), what)} another label than an equal one, {example(item)} is "
            f"{label!r}, but {other!r}{' in ' + where if where else ''}",
        )
    ]


def giveaways(texts: Sequence[Iterable[str]], labels: Sequence[str], what: str = "texts") -> list[Finding]:
    """Finds words that give the label away: in many texts, and all but always with the same label.

    Args:
        texts: the words of each text. labels: its label.
    """
    total, overall = len(labels), collections.Counter(labels)
    having_it: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    for words, label in zip(texts, labels, strict=True):
        for word in set(words):
            having_it[word][label] += 1
    found = []
    for word, counts in having_it.items():
        (label, most), count = counts.most_common(1)[0], counts.total()
        if count >= max(FEWEST, ALWAYS * total) and most >= PURE * count and overall[label] < OBVIOUS * total:
            found.append((count, f"{word!r} in {percent(count / total)} of them, {label!r} in {percent(most / count)}"))
    if not found:
        return []
    listed = named([said for _, said in sorted(found, reverse=True)])
    return [Finding(WARNING, f"words of the training {what} that give the label away, is each meant? {listed}")]
