"""Resolves repeat signs to the order in which bars are played: repeats, endings, D.C., D.S., Fine and Coda."""

import dataclasses
import re
from collections.abc import Iterable, Sequence

MOST_BARS = 20_000  # maximum number as played, to stop absurd repeat counts


@dataclasses.dataclass(frozen=True)
class Marks:
    """The signs at one bar.

    opens: a repeat starts with it. closes: number of times that the section ending with it is played, 0 without a sign.
    endings: the turns in which it is played, () is all. segno, coda: jump targets at its start.
    to_coda, fine: after a jump, playback leaves or ends after it. jump: "", "capo" or "dal" (segno), until: "", "coda"
    or "fine".
    """

    opens: bool = False
    closes: int = 0
    endings: tuple[int, ...] = ()
    segno: bool = False
    coda: bool = False
    to_coda: bool = False
    fine: bool = False
    jump: str = ""
    until: str = ""


@dataclasses.dataclass(frozen=True)
class Sign:
    """A sign or word above a bar: segno, coda, tocoda, fine, capo (D.C.) or dal (D.S.), with until as in `Marks`."""

    bar: int
    at_start: bool
    name: str
    until: str = ""


def sign_of(text: str, bar: int, at_start: bool) -> list[Sign]:
    """Parses a word above the staff or a decoration, such as "D.C. al Fine", as a sign; [] for any other word."""
    word = re.sub(r"[^a-z]", "", text.lower())
    if word in ("segno", "coda", "tocoda", "dacoda", "fine"):
        return [Sign(bar, at_start, word.replace("dacoda", "tocoda"))]
    jump = re.fullmatch(r"(?:(dalsegno|ds)|dacapo|dc)(?:al(fine|coda|segno).*)?", word)
    if not jump:
        return []
    return [Sign(bar, at_start, "dal" if jump[1] else "capo", jump[2] if jump[2] in ("fine", "coda") else "")]


def signed(marks: Sequence[Marks], signs: Iterable[Sign]) -> list[Marks]:
    """Adds the signs of all parts to the marks; without a "to coda", the first of several coda signs counts as one."""
    found = list(marks)
    places: dict[str, set[int]] = {"segno": set(), "coda": set(), "tocoda": set()}

    def put(bar: int, **values: object) -> None:
        if 0 <= bar < len(found):
            found[bar] = dataclasses.replace(found[bar], **values)

    for sign in signs:
        if sign.name in places:
            places[sign.name].add(sign.bar if sign.at_start else sign.bar + 1)
        elif sign.name == "fine":
            put(sign.bar, fine=True)
        else:
            known = found[sign.bar].until if 0 <= sign.bar < len(found) else ""
            put(sign.bar, jump=sign.name, until=sign.until or known)
    codas = sorted(places["coda"])
    if not places["tocoda"] and len(codas) > 1:
        places["tocoda"] = {codas.pop(0)}
    for bar in places["segno"]:
        put(bar, segno=True)
    for bar in codas:
        put(bar, coda=True)
    for bar in places["tocoda"]:
        put(bar - 1, to_coda=True)
    return found


def order(bars: Sequence[Marks]) -> list[int]:
    """Returns the indices of the bars as played; after a jump, repeats are ignored and the last ending is played.

    A repeat without a start sign goes back to the end of the previous one. Jumps without a target are ignored.
    """
    played: list[int] = []
    here, start, turn = 0, 0, 1
    repeating, until = True, None  # until: None before a jump, then the jump's `until`
    made: set[int] = set()
    while here < len(bars) and len(played) < MOST_BARS:
        bar = bars[here]
        last = _last_turn(bars, here)
        after_endings = here > 0 and bool(bars[here - 1].endings) and not bar.endings
        if repeating and here != start and (bar.opens or after_endings):
            start, turn = here, 1
        if bar.endings and (turn if repeating else last) not in bar.endings:
            here += 1
            continue
        played.append(here)
        if repeating and bar.closes and turn < max(bar.closes, last):
            here, turn = start, turn + 1
            continue
        if bar.closes:
            start, turn = here + 1, 1
        if until is not None and bar.fine and until != "coda":
            break
        coda = next((n for n, other in enumerate(bars) if other.coda), None)
        if until is not None and until != "fine" and bar.to_coda and coda is not None:
            here, start, turn, repeating, until = coda, coda, 1, True, None
            continue
        target = _target(bars, here) if here not in made else None
        if target is not None:
            made.add(here)
            here, start, turn, repeating, until = target, target, 1, False, bar.until
            continue
        here += 1
    return played


def _last_turn(bars: Sequence[Marks], here: int) -> int:
    """Returns the last turn of the group of endings that this bar is in; 1 outside of endings."""
    first, after = here, here
    while first > 0 and bars[first - 1].endings:
        first -= 1
    while after < len(bars) and bars[after].endings:
        after += 1
    return max((2, *(turn for bar in bars[first:after] for turn in bar.endings))) if bars[here].endings else 1


def _target(bars: Sequence[Marks], here: int) -> int | None:
    """Returns the target of a jump from the end of this bar."""
    if bars[here].jump == "capo":
        return 0
    if bars[here].jump == "dal":
        return max((n for n, bar in enumerate(bars[: here + 1]) if bar.segno), default=None)
    return None
