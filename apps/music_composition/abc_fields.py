"""The fields of ABC notation: unit note length, metre, key, clef and transposition; chord symbols and lengths."""

import dataclasses
import functools
import re
from fractions import Fraction

from shared import InputError

from .scores import harmony_of

FIFTHS = "FCGDAEB"  # order in which sharps are added to a key signature; flats in reverse order
MODES = {"maj": 0, "ion": 0, "mix": 1, "dor": 2, "min": 3, "aeo": 3, "phr": 4, "loc": 5, "lyd": -1}  # added flats
ALTERED = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}


@dataclasses.dataclass
class Settings:
    """The state set by fields: unit note length and bar in quarters, the key's alterations, transpositions."""

    unit: Fraction | None = None
    metre: Fraction | None = None
    compound: bool = False
    key: dict[str, int] = dataclasses.field(default_factory=dict)
    moves: dict[str, int] = dataclasses.field(default_factory=dict)  # by clef, octave=, transpose= and %%MIDI transpose
    drums: bool = False
    spread: str = "pitch"  # scope of accidentals: "pitch" (all octaves), "octave", or "not"

    def copy(self) -> "Settings":
        """Returns a copy for another voice, which may diverge from here."""
        return dataclasses.replace(self, key=dict(self.key), moves=dict(self.moves))

    def set(self, letter: str, value: str) -> None:
        """Applies a field; fields irrelevant to pitches and lengths are ignored."""
        value = value.strip()
        if letter == "L":
            self.unit = unit_of(value)
        elif letter == "M":
            self.metre, self.compound = metre_of(value)
        elif letter == "K":
            self.key = signature(value, self.key)
            self.voice(value)
        elif letter == "I" and (match := re.match(r"propagate-accidentals\s+(not|octave|pitch)", value)):
            self.spread = match[1]
        elif letter == "I" and (match := re.match(r"MIDI\s*=?\s*transpose\s+(-?\d{1,3})", value)):
            self.moves["midi"] = int(match[1])
        elif letter == "I" and re.match(r"MIDI\s*=?\s*channel\s+10\b", value):
            self.drums = True

    def voice(self, value: str) -> None:
        """Applies clef and transposition: properties of a K: or V: field."""
        value = re.sub(r"\w+=\"[^\"]*\"", "", value)
        found = dict(re.findall(r"([a-z]+)=(\S+)", value))
        bare = re.findall(r"(?<![\w=])(?:treble|alto|tenor|bass|perc)\S*", value)
        clef = found.get("clef") or (bare[0] if bare else "")
        if clef:
            self.drums = clef.startswith("perc")
            eight = re.search(r"([+-])(8|15)$", clef)
            self.moves["clef"] = (12 if eight[2] == "8" else 24) * int(eight[1] + "1") if eight else 0
        for name, semitones in (("octave", 12), ("transpose", 1)):
            if name in found:
                self.moves[name] = semitones * whole(found[name], f"{name}=")

    def freeze(self) -> None:
        """Fixes the unit note length; without L: it is derived from the first metre, and not changed by a later M:."""
        if self.unit is None:
            self.unit = Fraction(1, 4) if self.metre is not None and self.metre < 3 else Fraction(1, 2)


def whole(text: str, name: str) -> int:
    """Parses a signed integer of a field."""
    if not re.fullmatch(r"[+-]?\d{1,3}", text):
        raise InputError(f"{name}{text}, which is not a whole number")
    return int(text)


def unit_of(value: str) -> Fraction:
    """Parses an L: field, in quarters."""
    match = re.fullmatch(r"1(?:\s*/\s*([1-9]\d{0,3}))?", value)
    if not match:
        raise InputError(f"L:{value}, which is not a unit note length such as 1/8")
    return Fraction(4, int(match[1] or 1))


def metre_of(value: str) -> tuple[Fraction | None, bool]:
    """Parses an M: field as (bar length in quarters, None without bars; whether tuplets count in threes)."""
    value = {"C": "4/4", "C|": "2/2"}.get(value, value)
    if value in ("none", ""):
        return None, False
    match = re.match(r"\(?((?:\d{1,3}\s*\+\s*)*\d{1,3})\)?\s*/\s*([1-9]\d{0,3})$", value)
    if not match:
        raise InputError(f"M:{value}, which is not a metre such as 3/4")
    beats = sum(int(number) for number in re.findall(r"\d+", match[1]))
    return Fraction(4 * beats, int(match[2])) or None, int(match[2]) == 8 and beats in (6, 9, 12)


def signature(value: str, before: dict[str, int]) -> dict[str, int]:
    """Parses a K: field as the alteration of each letter; one with only a clef leaves the key `before`."""
    if re.match(r"(?i:hp)\b", value):
        return {"F": 1, "C": 1}  # bagpipes sound in D, whatever is notated
    if re.match(r"none\b", value) or not value:
        return {}
    match = re.match(r"([A-Ga-g])([#b♯♭]?)(\s*)([A-Za-z]*)", value)
    mode = match[4].lower()[:3] if match else ""
    known = mode in ("", "m", "exp", *MODES)
    if not match or not (known or (match[1].isupper() and match[3])):
        if not re.match(r"[a-z]+=|treble|alto|tenor|bass|perc", value):
            raise InputError(f"K:{value}, which is not a key such as G or Em")
        return before
    flats = 3 if match[4] == "m" else MODES.get(mode, 0)
    sharps = FIFTHS.index(match[1].upper()) - 1 + 7 * ((match[2] in "#♯") - (match[2] in "b♭")) * bool(match[2]) - flats
    key = {letter: 0 if mode == "exp" else (sharps - 1 - place) // 7 + 1 for place, letter in enumerate(FIFTHS)}
    rest = re.sub(r"[a-z]{2,}=\S+", "", value[match.start(3) :])
    for sign, letter in re.findall(r"(\^\^|\^|__|_|=)([A-Ga-g])(?!\w)", rest):
        key[letter.upper()] = ALTERED[sign]
    return key


def length_of(text: str) -> Fraction:
    """Parses the length after a note: "3/2", "/" for a half, "//" for a quarter."""
    above, slashes, below = re.match(r"(\d*)(/*)(\d*)", text).groups()
    if below and not int(below):
        raise InputError(f"{text} after a note, which is not a length")
    return Fraction(int(above or 1), int(below) if below else 2 ** len(slashes))


@functools.cache
def chord_symbol(text: str) -> tuple[int, ...] | None:
    """Returns the pitches of a chord symbol without its slash bass, () for "no chord", None for other words."""
    from music21 import harmony

    name = re.sub(r"[()\s]", "", text)
    if name in ("NC", "N.C."):
        return ()
    match = re.fullmatch(r"([A-G])([#b♯♭]?)([^/]*)(?:/[A-Ga-g][#b♯♭+]?)?", name)
    if not match:
        return None
    kinds = {"d": "dim", "a": "aug", "a7": "aug7", "-": "m", "-7": "m7", "^7": "maj7", "mMaj7": "mM7", "°": "dim"}
    figure = match[1] + {"#": "#", "♯": "#", "b": "-", "♭": "-"}.get(match[2], "") + kinds.get(match[3], match[3])
    try:
        return harmony_of(harmony.ChordSymbol(figure))
    except Exception:  # music21 raises various errors for words that only start like a chord
        return None
