"""Parses ABC notation (standard 2.1) into scores; music21's parser ignores accidentals, inline fields and voices."""

import dataclasses
import re
from collections.abc import Iterator
from fractions import Fraction

from shared import InputError

from .abc_fields import ALTERED, Settings, chord_symbol, length_of
from .notes import Note
from .repeats import Marks, Sign, sign_of, signed
from .scores import Bar, Harmony, Written

LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
BODY_FIELDS = "IKLMNPQRrTUVWw+smZ"  # any other letter before a colon is a note before a repeat sign
LENGTH = r"\d{0,6}/{0,8}\d{0,6}"
EVENT = rf"(?P<_up>\^\^|\^|__|_|=|)(?P<_letter>[A-Ga-g])(?P<_octave>[,']*)(?P<_length>{LENGTH})(?P<_tie>-?)"
NOTE = re.compile(EVENT)
TOKEN = re.compile(
    rf"""
    \[(?P<field>[A-Za-z]):(?P<value>[^\]]*)\]
  | (?P<bar>:*\.?(?:\[\||\|)[|\]]*:*|::+)(?P<volta>\d[\d,-]*)?
  | \[(?P<ending>\d[\d,-]*)
  | "(?P<text>[^"]*)"
  | !(?P<decoration>[^!\s|]+)! | \+(?![A-Ga-g]+\+)(?P<old_decoration>[A-Za-z.]+)\+
  | \{{(?P<grace>[^}}]*)\}}
  | \((?P<tuplet>\d)(?::(?P<time>\d{{0,3}}))?(?::(?P<notes>\d{{0,3}}))?
  | \[(?P<chord>[^\]\[|]+)\](?P<chordlength>{LENGTH})(?P<chordtie>-?)
  | {EVENT}
  | (?P<rest>[zx])(?P<restlength>{LENGTH}) | (?P<bars>[ZX])(?P<count>\d{{0,4}}) | y\d*/*\d*
  | (?P<broken>>+|<+) | (?P<tie>-) | (?P<overlay>(?<!\()&(?![&)])) | (?P<letter>[H-Wh-w~])
  | [\s().\\$*;?@\#!`]
    """,
    re.VERBOSE,
)


@dataclasses.dataclass
class Sound:
    """A note, chord or rest during parsing; pitches are (written place, MIDI pitch, struck)."""

    start: Fraction
    length: Fraction
    pitches: list[tuple[tuple[str, int], int, bool]]
    fermata: bool


class Voice:
    """One voice of a tune during parsing."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.sounds: list[list[Sound]] = [[]]  # by bar; the last bar is being parsed
        self.bars: list[tuple[Fraction, Fraction | None, Marks]] = []
        self.harmonies: list[tuple[int, Fraction, tuple[int, ...]]] = []
        self.signs: list[Sign] = []
        self.time = self.longest = Fraction(0)  # position in the bar; that of its longest layer
        self.opens, self.endings = False, ()
        self.accidentals: dict[object, int] = {}
        self.tied: dict[tuple[str, int], int] = {}
        self.last: Sound | None = None
        self.factor = Fraction(1)  # for the next note, after a broken rhythm
        self.tuplet, self.left = Fraction(1), 0
        self.fermata = False

    def bar(self, token: str, volta: str = "") -> None:
        """Applies a bar line with its repeat signs and the number of the ending after it."""
        closes = len(token) - len(token.lstrip(":"))
        opens = token.endswith(":")
        if token.strip(":") == "":  # "::" ends one repeat and starts another
            closes = len(token) // 2
        self._end_bar(closes + 1 if closes else 0)
        self.accidentals = {}
        self.opens |= opens
        if token not in ("|", ".|"):
            self.endings = ()
        self.ending(volta)

    def ending(self, volta: str) -> None:
        """Applies the number of an ending, such as "1", "1,3" or "1-3"."""
        if not volta:
            return
        self._end_bar(0)
        found: list[int] = []
        if re.search(r"\d{3}", volta):
            raise InputError(f"an ending {volta[:12]}, where numbers up to 99 are read")
        for first, last in re.findall(r"(\d+)(?:-(\d+))?", volta):
            found += range(int(first), int(last or first) + 1)
        self.endings = tuple(found)

    def _end_bar(self, closes: int) -> None:
        """Closes the bar; signs between two bar lines without notes in between belong to the bar before."""
        length = max(self.time, self.longest)
        if length:
            self.bars.append((length, self.settings.metre, Marks(self.opens, closes, self.endings)))
            self.sounds.append([])
            self.opens = False
        elif self.bars:
            *before, marks = self.bars[-1]
            self.bars[-1] = (*before, dataclasses.replace(marks, closes=closes or marks.closes))
            ends = [s.bar == len(self.bars) and s.name in ("fine", "capo", "dal") for s in self.signs]
            self.signs = [dataclasses.replace(s, bar=s.bar - end) for s, end in zip(self.signs, ends, strict=True)]
        self.time = self.longest = Fraction(0)
        self.last = None

    def overlay(self) -> None:
        """Returns to the start of the bar for another layer."""
        self.longest, self.time, self.last = max(self.longest, self.time), Fraction(0), None

    def words(self, text: str) -> None:
        """Applies a jump sign, given as a decoration or as text, or a fermata."""
        self.signs += sign_of(text, len(self.bars), not self.time)
        self.fermata |= text == "fermata"

    def harmony(self, text: str) -> None:
        """Applies quoted text above a note, if it is a chord symbol."""
        pitches = None if text[:1] in "^_<>@" else chord_symbol(text)
        if pitches is not None:
            self.harmonies.append((len(self.bars), self.time, pitches))

    def pitch(self, found: dict[str, str]) -> tuple[tuple[str, int], int, bool]:
        """Returns a note's written place, its MIDI pitch given accidentals, ties and key, and whether it is struck."""
        letter = found["_letter"].upper()
        octave = found["_letter"].islower() + found["_octave"].count("'") - found["_octave"].count(",")
        place = (letter, octave)
        holds = {"pitch": letter, "octave": place}.get(self.settings.spread)
        natural = 60 + LETTERS[letter] + 12 * octave + sum(self.settings.moves.values())
        if found["_up"]:
            altered = ALTERED[found["_up"]]
            if holds is not None:
                self.accidentals[holds] = altered
        elif place in self.tied:
            return place, self.tied[place], False
        else:
            altered = self.accidentals.get(holds, self.settings.key.get(letter, 0))
        pitch = natural + altered
        return place, pitch, self.tied.get(place) != pitch

    def sound(self, pitches: list[tuple[tuple[str, int], int, bool]], length: Fraction) -> None:
        """Appends a note, a chord or a rest of this length in units."""
        if not length:
            return
        length *= (self.settings.unit or 1) * self.factor
        self.factor = Fraction(1)
        if self.left:
            length, self.left = length * self.tuplet, self.left - 1
        self.last = Sound(self.time, length, pitches, self.fermata)
        self.fermata, self.tied = False, {}
        self.sounds[-1].append(self.last)
        self.time += length

    def rest_bars(self, count: int) -> None:
        """Appends whole bars of rest."""
        if self.settings.metre is None:
            raise InputError("a rest of whole bars where there is no metre")
        for number in range(count):
            if number:
                self._end_bar(0)
            self.sound([], self.settings.metre / (self.settings.unit or 1))

    def break_rhythm(self, signs: str) -> None:
        """ ">": the previous note is dotted and the next one halved; "<" vice versa."""
        if self.last is None:
            raise InputError(f"{signs} with no note before it in its bar")
        short = Fraction(1, 2 ** len(signs))
        before, self.factor = (2 - short, short) if signs[0] == ">" else (short, 2 - short)
        self.time += self.last.length * (before - 1)
        self.last.length *= before

    def tie(self, places: set[tuple[str, int]] | None = None) -> None:
        """Ties the last note, or the notes of the last chord at these places, to the next note of the same pitch."""
        if self.last is not None:
            self.tied |= {p: pitch for p, pitch, _ in self.last.pitches if places is None or p in places}

    def start_tuplet(self, count: int, time: str | None, notes: str | None) -> None:
        """(p:q:r puts p notes into the time of q, for the next r notes."""
        n = 3 if self.settings.compound else 2
        usual = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}.get(count, n)
        if not count:
            raise InputError("a tuplet of no notes")
        self.tuplet, self.left = Fraction(int(time or usual), count), int(notes or count)


class Tune:
    """A tune during parsing: its voices, and the settings of voices that have not started."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.defined: dict[str, list[str]] = {}
        self.voices: dict[str, Voice] = {}
        self.name = ""  # of the current voice
        self.body = False

    def field(self, letter: str, value: str) -> None:
        """Applies a field of the header, on a line of its own, or in a line of music."""
        if letter == "V":
            name, _, rest = value.strip().partition(" ")
            self.defined.setdefault(name, []).append(rest)
            if self.body:
                self.name = name
                self.voice().settings.voice(rest)
        elif letter == "m":
            raise InputError("a macro (m:), which is not read")
        elif self.voices:
            self.voice().settings.set(letter, value)
        else:
            self.settings.set(letter, value)
        if letter == "K" and not self.body:
            self.body = True
            self.settings.freeze()

    def voice(self) -> Voice:
        """Returns the current voice; the first one if none has been named."""
        name = self.name or next(iter(self.defined), "1")
        if name not in self.voices:
            settings = self.settings.copy()
            for properties in self.defined.get(name, ()):
                settings.voice(properties)
            self.voices[name] = Voice(settings)
        return self.voices[name]

    def line(self, text: str) -> None:
        """Parses a line of music."""
        at = 0
        while at < len(text):
            match = TOKEN.match(text, at)
            if not match:
                raise InputError(f"{text[at : at + 12]!r}, which is not valid ABC")
            self._token({name: found for name, found in match.groupdict().items() if found is not None})
            at = match.end()

    def _token(self, found: dict[str, str]) -> None:
        if "field" in found:
            self.field(found["field"], found["value"])
            return
        voice = self.voice()
        if "bar" in found:
            voice.bar(found["bar"], found.get("volta", ""))
        elif "ending" in found:
            voice.ending(found["ending"])
        elif "text" in found:
            voice.words(found["text"])
            voice.harmony(found["text"])
        elif "decoration" in found or "old_decoration" in found:
            voice.words(found.get("decoration", found.get("old_decoration", "")))
        elif "letter" in found:
            voice.words({"H": "fermata", "O": "coda", "S": "segno"}.get(found["letter"], ""))
        elif "grace" in found:
            for note in NOTE.finditer(found["grace"]):
                voice.pitch(note.groupdict())  # has no length, but its accidental applies
        elif "tuplet" in found:
            voice.start_tuplet(int(found["tuplet"]), found.get("time"), found.get("notes"))
        elif "chord" in found:
            self._chord(voice, found)
        elif "_letter" in found:
            voice.sound([voice.pitch(found)], length_of(found["_length"]))
            if found["_tie"]:
                voice.tie()
        elif "rest" in found:
            voice.sound([], length_of(found["restlength"]))
        elif "bars" in found:
            voice.rest_bars(int(found["count"] or 1))
        elif "broken" in found:
            voice.break_rhythm(found["broken"])
        elif "tie" in found:
            voice.tie()
        elif "overlay" in found:
            voice.overlay()

    def _chord(self, voice: Voice, found: dict[str, str]) -> None:
        """Appends a chord, which has the length of its first note; ties apply to the chord or to single notes."""
        notes = [note.groupdict() for note in NOTE.finditer(re.sub(r'"[^"]*"|![^!]*!', "", found["chord"]))]
        if not notes:
            raise InputError(f"[{found['chord']}], which is not a chord")
        pitches = [voice.pitch(note) for note in notes]
        voice.sound(pitches, length_of(notes[0]["_length"]) * length_of(found["chordlength"]))
        voice.tie({place for (place, _, _), note in zip(pitches, notes, strict=True) if note["_tie"]})
        if found["chordtie"]:
            voice.tie()


def tunes(text: str) -> Iterator[tuple[str, list[tuple[int, str]], list[tuple[int, str]]]]:
    """Yields title, header lines (number, text) and tune lines of each tune; an empty line ends a tune."""
    header: list[tuple[int, str]] = []
    tune: list[tuple[int, str]] | None = None
    found, begun, skipping = [], False, False
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text.lstrip("\ufeff")), 1):
        if re.match(r"%%(begin|end)", line):
            skipping = line.startswith("%%begin")
        elif skipping:
            continue
        elif re.match(r"X:", line):
            tune, begun = [(number, line)], True
            found.append(tune)
        elif not line.strip():
            tune = None
        elif tune is not None:
            tune.append((number, line))
        elif not begun:
            header.append((number, line))
    for lines in found:
        title = next((line[2:].strip() for _, line in lines if line.startswith("T:")), lines[0][1])
        yield title, header, lines


def read(header: list[tuple[int, str]], lines: list[tuple[int, str]]) -> Written:
    """Parses a tune as notated, at sounding pitch.

    Raises:
        InputError: a line is not valid ABC or has an unsupported feature; the message gives its number.
    """
    tune = Tune(Settings())
    for number, line in [*header, *lines]:
        text = re.sub(r"(?<!\\)%.*", "", line)
        match = re.match(r"([A-Za-z+]):(.*)", text)
        try:
            if line.startswith("%%"):
                tune.field("I", line[2:].strip())
            elif match and (not tune.body or match[1] in BODY_FIELDS):
                tune.field(match[1], match[2])
            elif tune.body:
                tune.line(text)
        except InputError as error:
            raise InputError(f"line {number}: {error}") from None
    return _together([voice for voice in tune.voices.values() if not voice.settings.drums])


def _together(voices: list[Voice]) -> Written:
    """Combines simultaneous voices: bar by bar if all have the same number of bars, else by the lengths of notes."""
    for voice in voices:
        voice.bar("|")
    voices = [voice for voice in voices if voice.bars]
    if not voices:
        return Written([], [], [])
    alike = len({len(voice.bars) for voice in voices}) == 1
    first = voices[0].bars
    marks = [
        Marks(
            opens=any(voice.bars[n][2].opens for voice in voices) if alike else first[n][2].opens,
            closes=max(voice.bars[n][2].closes for voice in voices) if alike else first[n][2].closes,
            endings=next((v.bars[n][2].endings for v in voices if alike and v.bars[n][2].endings), first[n][2].endings),
        )
        for n in range(len(first))
    ]
    signs = [sign for voice in (voices if alike else voices[:1]) for sign in voice.signs]
    lengths = [max(voice.bars[n][0] for voice in voices) if alike else first[n][0] for n in range(len(first))]
    bars = [
        Bar(float(length), float(length if metre is None else metre), mark)
        for length, (_, metre, _), mark in zip(lengths, first, signed(marks, signs), strict=True)
    ]
    parts, harmonies = [], []
    for voice in voices:
        starts = [Fraction(0)]
        for length in lengths if alike else [bar[0] for bar in voice.bars]:
            starts.append(starts[-1] + length)
        parts.append(
            [note for start, sounds in zip(starts, voice.sounds, strict=False) for note in _notes(start, sounds)]
        )
        harmonies += [Harmony(float(starts[bar] + time), pitches) for bar, time, pitches in voice.harmonies]
    return Written(parts, harmonies, bars)


def _notes(start: Fraction, sounds: list[Sound]) -> Iterator[Note]:
    """Yields the notes of a bar that starts at `start`."""
    for sound in sounds:
        begin = start + sound.start
        for _, pitch, struck in sound.pitches:
            yield Note(float(begin), float(begin + sound.length), pitch, struck, sound.fermata)
