"""What a careful colleague would say about a data set before training: findings in sentences, from plain values.

A finding is "ok", a "note" (a fact worth knowing), a "warning" (it may spoil the training), or a "problem": a figure
measured on this data would mislead.
"""

import collections
import re
import unicodedata
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

OK, NOTE, WARNING, PROBLEM = LEVELS = ("ok", "note", "warning", "problem")
LEAKED = 0.05  # share of held-out examples known from training above which their figure measures memory
FEWEST, FEW = 20, 100  # held-out examples below which a share is too uncertain to say anything, or is rough
SKEWED, HARDLY = 0.8, 0.95  # share of one label from which always answering it looks good, or all but perfect
MOVED = 0.1  # difference between the shares of a label in two splits that is worth saying
RARE = 5  # training examples of a label below which it is hardly learned
ROBUST = 1.4826  # standard deviations in a median absolute deviation, for a normal distribution
FAR = 10.0  # robust standard deviations from the median that make an outlier
OFTEN = 0.01  # share of values above which what is unusual is no exception: not outliers, but how the values are
VERDICTS = {PROBLEM: "are too few", WARNING: "give a rough figure", OK: "are enough for a figure"}
SINGLE = 2  # values that are exceptions however few values there are
ALWAYS, PURE = 0.1, 0.99  # share of texts with a word, and of one label among them, that may give the label away
OBVIOUS = 0.9  # share of a label in all texts from which a word cannot give it away
COPIED, DISTINCT = 24, 12  # values in a row, and different ones among them, that are equal by copying only
AGAIN = 3  # occurrences of an extreme value that make it a code rather than an outlier
CUT, MANY = 0.05, 50  # share of values at an end of the range, and different values, that suggest clipping
FACTOR = np.uint64(0x9E3779B97F4A7C15)  # of a hash; odd, and without a pattern
SHOWN = 60  # maximum characters of an example
NAMED = 3  # number of names in a list; the others are counted
# UTF-8 read as Windows-1252 or Latin-1: the first byte of a character, then its other bytes
MOJIBAKE = re.compile("[ÂÃâÅÄÐÑðï][\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]{1,3}")
LEGACY = ("cp1252", "latin-1")
INVISIBLE = re.compile("[\u200b\u2060\ufeff\u00ad]")
SINGULAR = re.compile(
    r"(?<!ser)(?:(?<=ch)es|(?<=\w)ies|(?<=[^\Ws])(?<!serie)s)\b(?!')"
)  # the end of a plural, but not of series
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class Finding(NamedTuple):
    """A sentence, and how grave what it says is: one of `LEVELS`."""

    level: str
    text: str


class Item(NamedTuple):
    """An example: the key that duplicates have in common, the example as shown, and its location for messages."""

    key: Hashable
    shown: str
    where: str = ""


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Returns the findings, the gravest first, otherwise in order."""
    return sorted(findings, key=lambda finding: -LEVELS.index(finding.level))


# Leakage


def duplicates(
    train: Sequence[Item],
    held: Sequence[Item],
    part: str,
    what: str = "texts",
    level: str = "",
    then: str = "",
    among: str = "the training set",
) -> Finding:
    """Finds held-out examples that are also in the training set, or in another split.

    Args:
        part: name of the held-out split, such as "test". what: what the examples are, in the plural.
        level: of the finding; by default a problem above the share `LEAKED`, else a warning.
        then: what follows from it, such as "training leaves them out". among: name of the split to look in.

    >>> duplicates([Item("a", "A")], [Item("a", "a", "line 7"), Item("b", "B")], "test").text
    "1 of 2 test texts (50 %) is also in the training set, e.g. line 7: 'a'"
    """
    known = {item.key for item in train}
    same = [item for item in held if item.key in known]
    if not same:
        return Finding(OK, f"none of {sized(len(held), f'{part} {what}')} is also in {among}")
    text = f"{counted(len(same), len(held), f'{part} {what}')} also in {among}, {example(same[0])}"
    return Finding(level or leak(len(same) / len(held)), text + (f": {then}" if then else ""))


def leak(share: float) -> str:
    """Returns how grave it is that this share of the held-out examples is known from training."""
    return PROBLEM if share > LEAKED else WARNING


def repeats(items: Sequence[Item], what: str = "texts", then: str = "") -> Finding:
    """Counts examples that repeat an earlier one of the same source."""
    seen: set[Hashable] = set()
    again = [item for item in items if item.key in seen or seen.add(item.key)]  # type: ignore[func-returns-value]
    if not again:
        return Finding(
            OK, f"all {len(items):,} {what} differ" if len(items) > 1 else f"no repetition in {sized(1, what)}"
        )
    text = f"{counted(len(again), len(items), what)} a repetition of an earlier one, {example(again[0])}"
    return Finding(NOTE, text + (f": {then}" if then else ""))


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


def groups(train: Sequence[str], held: Sequence[str], part: str, what: str, level: str = "", then: str = "") -> Finding:
    """Finds groups (speakers, patients, pieces) that are in training and in a held-out split; "" is an unknown group.

    Args:
        train, held: the group of each example. level, then: as in `duplicates`.

    >>> groups(["ann", "bob"], ["bob", "bob", "cid"], "test", "speakers").text
    "1 of 2 test speakers (50 %) is also in training, with 2 of 3 test examples, e.g. 'bob'"
    """
    known, asked = set(train) - {""}, dict.fromkeys(name for name in held if name)
    if not asked or not known:
        return Finding(WARNING, f"the {what} are unknown: the same one may be in training and in {part}")
    both = [name for name in asked if name in known]
    if not both:
        return Finding(OK, f"none of {sized(len(asked), f'{part} {what}')} is also in training")
    count = sum(name in known for name in held)
    text = (
        f"{counted(len(both), len(asked), f'{part} {what}')} also in training, with {count:,} of {len(held):,} {part} "
        f"examples, e.g. {both[0]!r}"
    )
    return Finding(level or leak(count / len(held)), text + (f": {then}" if then else ""))


def copies(train: Sequence[np.ndarray], held: Sequence[np.ndarray], part: str) -> Finding:
    """Measures how much of a held-out split of series occurs in training, value for value.

    Only stretches of `COPIED` values with `DISTINCT` different ones count, as others may be equal by chance.

    Args:
        train, held: the values (time,) of each series. part: name of the held-out split.
    """
    _, ids = np.unique(np.concatenate([*train, *held]), return_inverse=True)
    pieces = np.split(ids.astype(np.uint64), np.cumsum([len(each) for each in (*train, *held)])[:-1])
    known = np.unique(np.concatenate([_hashes(each) for each in pieces[: len(train)]]))
    count, copied = 0, 0
    for each in pieces[len(train) :]:
        found = _hashes(each)
        at = np.minimum(np.searchsorted(known, found), len(known) - 1)
        places = np.flatnonzero(known[at] == found) if len(known) else np.arange(0)
        count += len(found)
        if len(places):
            rows = np.sort(each[places[:, None] + np.arange(COPIED)])
            copied += int(((rows[:, 1:] != rows[:, :-1]).sum(axis=1) + 1 >= DISTINCT).sum())
    what = f"stretches of {COPIED} values"
    if not copied:
        return Finding(OK, f"none of {count:,} {part} {what} occurs in training value for value")
    text = f"{counted(copied, count, f'{part} {what}')} in training, value for value: rows were copied?"
    return Finding(leak(copied / count), text)


def _hashes(ids: np.ndarray) -> np.ndarray:
    """Returns a hash of every stretch of `COPIED` numbers; equal ones almost surely mean equal stretches."""
    found = np.zeros(max(0, len(ids) - COPIED + 1), np.uint64)
    for offset in range(COPIED):
        found = found * FACTOR + ids[offset : offset + len(found)]
    return found


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


# Size and classes


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


# Texts and lengths


def lengths(found: Sequence[float], unit: str, what: str, limit: float = 0, cut: str = "") -> Finding:
    """Describes the lengths of the training examples.

    Args:
        limit: longest length that is read; 0 = none. cut: what happens to longer examples, such as "lose their middle".
    """
    middle, many, longest = (float(np.quantile(found, share, method="higher")) for share in (0.5, 0.95, 1))
    text = (
        f"{what}: half have at most {figure(middle)} {unit}, 95 % at most {figure(many)}, the longest {figure(longest)}"
    )
    over = int((np.asarray(found) > limit).sum()) if limit else 0
    if not over:
        return Finding(NOTE, text)
    text += f"; longer than {figure(limit)}, so that they {cut}: {over:,} ({percent(over / len(found))})"
    return Finding(WARNING if over > 0.1 * len(found) else NOTE, text)


def characters(texts: Iterable[tuple[str, str]]) -> list[Finding]:
    """Looks for signs of a wrong encoding in texts, each with its location: mojibake, control characters, mixed forms.

    >>> [finding.text for finding in characters([("CafÃ© noir", "line 3")])]
    ["1 of 1 text has wrongly decoded characters (UTF-8 read as Latin-1), e.g. line 3: 'Ã©' for 'é'"]
    """
    found: dict[str, list[str]] = collections.defaultdict(list)
    forms: dict[str, list[str]] = {"NFC": [], "NFD": []}
    count = 0
    for text, where in texts:
        count += 1
        if text.isascii() and not CONTROL.search(text):
            continue
        for sign, said in _signs(text).items():
            found[sign].append(f"{where}: {said}" if where else said)
        if unicodedata.normalize("NFD", text) != text:
            forms["NFC"].append(where)
        if unicodedata.normalize("NFC", text) != text:
            forms["NFD"].append(where)
    findings = []
    for sign, places in found.items():
        level = WARNING if len(places) > OFTEN * count else NOTE
        findings.append(Finding(level, f"{having(len(places), count, 'texts')} {sign}, e.g. {places[0]}"))
    if all(forms.values()):
        text = "accented letters are written in two ways, composed and decomposed (NFC and NFD)"
        findings.append(Finding(NOTE, f"{text}, e.g. {forms['NFC'][0]} and {forms['NFD'][0]}"))
    return findings or [Finding(OK, f"no wrongly decoded, control or invisible characters in {sized(count, 'texts')}")]


def _signs(text: str) -> dict[str, str]:
    """Returns sign of a wrong encoding -> the characters that show it."""
    signs = {}
    if (match := MOJIBAKE.search(text)) and (right := _decoded(match[0])):
        signs["wrongly decoded characters (UTF-8 read as Latin-1)"] = f"{match[0]!r} for {right!r}"
    if "\ufffd" in text:
        signs["replacement characters, where a character was lost"] = "U+FFFD"
    for kind, pattern in {"control": CONTROL, "invisible": INVISIBLE}.items():
        if match := pattern.search(text):
            meant = match[0].encode("latin-1", "ignore").decode("cp1252", "ignore")
            hint = f", {meant!r} in Windows-1252" if meant.isprintable() and meant else ""
            signs[f"{kind} characters"] = f"U+{ord(match[0]):04X}{hint}"
    return signs


def _decoded(garbled: str) -> str:
    """Returns what UTF-8 bytes read in a legacy encoding should have been; "" if they are no such bytes."""
    for encoding in LEGACY:
        for end in range(len(garbled), 1, -1):
            try:
                return garbled[:end].encode(encoding).decode("utf-8")
            except UnicodeError:
                continue
    return ""


# Numbers


def gaps(columns: Mapping[str, np.ndarray], what: str = "columns", level: str = "") -> list[Finding]:
    """Describes missing (NaN) and constant values of columns (rows,).

    Args:
        level: of missing values; by default a warning if one column has more of them than values, else a note.
    """
    missing = {name: float(np.isnan(values).mean()) for name, values in columns.items()}
    holes = sorted((name for name in missing if missing[name]), key=lambda name: -missing[name])
    listed = [f"{name} {percent(missing[name])}" for name in holes]
    level = level or (WARNING if holes and missing[holes[0]] > 0.5 else NOTE)
    findings = [Finding(level, f"{having(len(holes), len(columns), what)} missing values: {named(listed)}")]
    findings = findings if holes else [Finding(OK, f"no missing values in {sized(len(columns), what)}")]
    if flat := [name for name, values in columns.items() if is_constant(values)]:
        findings.append(Finding(WARNING, f"{counted(len(flat), len(columns), what)} constant: {named(flat)}"))
    return findings


def is_constant(values: np.ndarray) -> bool:
    """Returns whether all known values are equal."""
    known = values[~np.isnan(values)]
    return bool(len(known) and (known == known[0]).all())


def far(values: np.ndarray) -> np.ndarray:
    """Returns the indices of outliers: more than `FAR` robust standard deviations (by the MAD) from the median.

    None if the deviation is zero, or if many are as far, more than the share `OFTEN`: then that is how the values are.
    """
    known = values[~np.isnan(values)]
    middle = np.median(known) if len(known) else 0.0
    deviation = ROBUST * np.median(np.abs(known - middle)) if len(known) else 0.0
    if not deviation:
        return np.arange(0)
    places = np.flatnonzero(np.abs(np.nan_to_num(values, nan=middle) - middle) > FAR * deviation)
    return places if len(places) <= max(SINGLE, OFTEN * len(known)) else np.arange(0)


def codes(columns: Mapping[str, np.ndarray], what: str = "columns") -> list[Finding]:
    """Finds an extreme value that is repeated, such as -999, which is probably a code for a missing value.

    It is far from the median (by the MAD), and no other value is near: a heavy tail has no such hole.
    """
    found = []
    for name, values in columns.items():
        levels, counts = np.unique(values[~np.isnan(values)], return_counts=True)
        if len(levels) <= SINGLE:
            continue
        middle = float(np.median(np.repeat(levels, counts)))
        deviation = ROBUST * float(np.median(np.abs(np.repeat(levels, counts) - middle)))
        steps = np.diff(levels)
        nearest = np.minimum(np.append(steps, np.inf), np.insert(steps, 0, np.inf))
        away = np.abs(levels - middle)
        wrong = np.flatnonzero((counts >= AGAIN) & (away > FAR * deviation) & (nearest > away / 2))
        if deviation and len(wrong):
            most = wrong[counts[wrong].argmax()]
            found.append(f"{name} {levels[most]:g} in {percent(counts[most] / counts.sum())} of its values")
    if not found:
        return []
    text = f"{having(len(found), len(columns), what)} an extreme value again and again, a code for a missing value?"
    return [Finding(WARNING, f"{text} {named(found)}")]


def clipped(columns: Mapping[str, np.ndarray], what: str = "columns") -> list[Finding]:
    """Finds columns of many different values, many of which equal the largest or the smallest: what is beyond is lost.

    A smallest value of 0 is natural, for counts and for rain.
    """
    found = []
    for name, values in columns.items():
        known = values[~np.isnan(values)]
        levels = np.unique(known)
        if len(levels) < MANY:
            continue
        for end, edge, following in (("highest", levels[-1], levels[-2]), ("lowest", levels[0], levels[1])):
            share = float((known == edge).mean())
            apart = abs(edge - following) > abs(edge - np.median(known)) / 2  # a code rather than a limit, see `codes`
            if share >= CUT and not apart and not (end == "lowest" and edge == 0):
                found.append(f"{name} {edge:g}, the {end}, in {percent(share)}")
    if not found:
        return []
    return [Finding(WARNING, f"{what} whose values often equal the highest or lowest one (clipped?): {named(found)}")]


# Words


def counted(count: int, total: int, what: str) -> str:
    """Begins a sentence: "17 of 200 test texts (8.5 %) are"."""
    return f"{count:,} of {sized(total, what)} ({percent(count / total)}) {'is' if count == 1 else 'are'}"


def sized(count: int, what: str) -> str:
    """Writes a number and what is counted.

    >>> sized(1, "test patients with an outcome"), sized(2, "series"), sized(1, "melodies")
    ('1 test patient with an outcome', '2 series', '1 melody')
    """
    if count == 1:
        what = SINGULAR.sub(lambda match: "y" if match[0] == "ies" else "", what, count=1)
    return f"{count:,} {what}"


def figure(value: float) -> str:
    """Writes a length with four significant digits, and a large one in full.

    >>> figure(54321), figure(2.34567)
    ('54,321', '2.346')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def having(count: int, total: int, what: str) -> str:
    """Begins a sentence: "3 of 7 columns have"."""
    return f"{count:,} of {sized(total, what)} {'has' if count == 1 else 'have'}"


def percent(share: float) -> str:
    """Writes a share with two significant digits, and with more where it would read as all.

    >>> percent(0.085), percent(0.5), percent(0.00004), percent(1995 / 2000)
    ('8.5 %', '50 %', '0.004 %', '99.8 %')
    """
    digits = 2
    while share < 1 and float(f"{100 * share:.{digits}g}") == 100:
        digits += 1
    return f"{float(f'{100 * share:.{digits}g}'):.{digits + 4}g} %"


def tenths(share: float) -> str:
    """Writes a share with one decimal, and with more where it would read as none or all.

    >>> tenths(0.9), tenths(0.9998)
    ('90.0 %', '99.98 %')
    """
    digits = 1
    while 0 < share < 1 and float(f"{100 * share:.{digits}f}") in (0, 100):
        digits += 1
    return f"{100 * share:.{digits}f} %"


def example(item: Item) -> str:
    """Names an example and its location."""
    text = " ".join(item.shown.split())
    shown = text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
    return f"e.g. {item.where}: {shown!r}" if item.where else f"e.g. {shown!r}"


def named(names: Sequence[str]) -> str:
    """Lists a few names and counts the others."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")
