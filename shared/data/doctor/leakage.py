"""Held-out examples that are known from training: duplicates, repeats, groups and copied stretches."""

from collections.abc import Hashable, Sequence

import numpy as np

from .findings import NOTE, OK, PROBLEM, WARNING, Finding, Item, counted, example, sized

LEAKED = 0.05  # share of held-out examples known from training above which their figure measures memory
COPIED, DISTINCT = 24, 12  # values in a row, and different ones among them, that are equal by copying only
FACTOR = np.uint64(0x9E3779B97F4A7C15)  # of a hash; odd, and without a pattern


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
