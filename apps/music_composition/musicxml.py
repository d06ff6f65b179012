"""Parses what music21 ignores in MusicXML: full bar lengths, jump signs, cue notes; rejects unsupported features."""

import io
import re
import zipfile
from xml.etree import ElementTree

from shared import InputError

from .repeats import Marks, Sign, sign_of, signed

DRUMS = "10"  # the MIDI channel of drums
SOUNDS = {"dacapo": "capo", "dalsegno": "dal", **{name: name for name in ("tocoda", "segno", "coda", "fine")}}
MOST_XML_BYTES = 100_000_000


def read(data: bytes, name: str) -> tuple[str, list[float], list[Marks]]:
    """Returns the file as text that music21 reads correctly, and each bar's length in quarters and repeat signs.

    Raises:
        InputError: the file is damaged, not MusicXML in parts, or has features that would be misread.
    """
    try:
        root = ElementTree.fromstring(unzipped(data, name) if data[:2] == b"PK" else data)
    except ElementTree.ParseError as error:
        raise InputError(f"Expected a MusicXML file. {name} is damaged: {error}.") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    if root.tag != "score-partwise":
        raise InputError(f"Expected a MusicXML file with <score-partwise>. {name} has <{root.tag}>.")
    _without_drums(root)
    parts = [Part(part) for part in root.iter("part")]
    for part in parts:
        for number, measure in enumerate(part.element.iter("measure")):
            try:
                part.measure(number, measure)
            except InputError as error:
                bar = measure.get("number", number + 1)
                raise InputError(f"Expected MusicXML that can be played. {name}, bar {bar}: {error}.") from None
    count = max((len(part.lengths) for part in parts), default=0)
    lengths = [max(part.lengths[n] for part in parts if n < len(part.lengths)) for n in range(count)]
    marks = [
        Marks(
            opens=any(n in part.opens for part in parts),
            closes=max(part.closes.get(n, 0) for part in parts),
            endings=next((part.endings[n] for part in parts if n in part.endings), ()),
        )
        for n in range(count)
    ]
    text = ElementTree.tostring(root, encoding="unicode")
    return text, lengths, signed(marks, [sign for part in parts for sign in part.signs])


def unzipped(data: bytes, name: str) -> bytes:
    """Returns the score in a compressed file (.mxl): the first one listed in its container."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            container = ElementTree.fromstring(archive.read("META-INF/container.xml"))
            path = next(e.get("full-path", "") for e in container.iter() if e.tag.endswith("rootfile"))
            if archive.getinfo(path).file_size > MOST_XML_BYTES:
                raise InputError(f"Expected at most {MOST_XML_BYTES:,} bytes of MusicXML. {name} has more.")
            return archive.read(path)
    except (zipfile.BadZipFile, KeyError, StopIteration, ElementTree.ParseError) as error:
        raise InputError(f"Expected a compressed MusicXML file. {name} is damaged: {error or 'no score'}.") from error


def _without_drums(root: ElementTree.Element) -> None:
    """Removes the parts that only use the drum channel."""
    for score_part in list(root.iter("score-part")):
        channels = {(channel.text or "").strip() for channel in score_part.iter("midi-channel")}
        if channels == {DRUMS}:
            for part in root.findall("part"):
                if part.get("id") == score_part.get("id"):
                    root.remove(part)
            for parent in root.iter("part-list"):
                if score_part in parent:
                    parent.remove(score_part)


class Part:
    """A part during parsing; measures are counted from 0."""

    def __init__(self, element: ElementTree.Element) -> None:
        self.element = element
        self.divisions = 0.0
        self.transpose = (0, 0)
        self.lengths: list[float] = []
        self.opens: set[int] = set()
        self.closes: dict[int, int] = {}
        self.endings: dict[int, tuple[int, ...]] = {}
        self.ending: tuple[int, ...] = ()
        self.signs: list[Sign] = []

    def measure(self, number: int, measure: ElementTree.Element) -> None:
        """Parses a measure, and replaces notes that do not sound with rests."""
        now = furthest = 0.0
        before = 0.0  # length of the previous note, for further notes of its chord
        for element in list(measure):
            if element.tag == "attributes":
                self.attributes(element, now)
            elif element.tag == "note":
                before = self.note(measure, element, before)
                now += 0.0 if element.find("chord") is not None else before
            elif element.tag in ("backup", "forward"):
                now = max(0.0, now + self.duration(element) * (1 if element.tag == "forward" else -1))
            elif element.tag in ("direction", "sound"):
                self.direction(element, number, now)
            elif element.tag == "barline":
                self.barline(element, number)
            furthest = max(furthest, now)
        self.lengths.append(furthest)
        if self.ending:
            self.endings[number] = self.ending
        if any(e.get("type") in ("stop", "discontinue") for e in measure.iter("ending")) or number in self.closes:
            self.ending = ()

    def duration(self, element: ElementTree.Element) -> float:
        """Returns the duration of an element in quarters."""
        text = (element.findtext("duration") or "").strip()
        if not re.fullmatch(r"\d+(\.\d*)?", text):
            raise InputError(f"<{element.tag}> without a <duration>")
        if not self.divisions:
            raise InputError("a <duration> before any <divisions>")
        return float(text) / self.divisions

    def note(self, measure: ElementTree.Element, note: ElementTree.Element, before: float) -> float:
        """Returns the length of a note, 0 for a grace note; cue notes and slashes become rests."""
        if note.find("grace") is not None:
            return 0.0
        length = self.duration(note)
        slash = (note.findtext("notehead") or "").strip() == "slash"
        if note.find("cue") is None and not slash:
            return length
        if note.find("chord") is not None:
            measure.remove(note)
            return before
        for tag in ("cue", "pitch", "unpitched", "tie", "notations", "notehead"):
            for found in note.findall(tag):
                note.remove(found)
        note.insert(0, ElementTree.Element("rest"))
        return length

    def attributes(self, element: ElementTree.Element, now: float) -> None:
        """Applies the divisions; raises InputError for attributes that music21 ignores."""
        text = (element.findtext("divisions") or "").strip()
        if text:
            self.divisions = float(text) if re.fullmatch(r"\d+(\.\d*)?", text) else 0.0
        for transpose in element.findall("transpose"):
            found = tuple(_whole(transpose.findtext(tag)) for tag in ("chromatic", "octave-change"))
            if transpose.get("number") and found != (0, 0):
                raise InputError("a <transpose> of one staff: expected one of the whole part")
            if now and found != self.transpose:
                raise InputError("a <transpose> after notes: expected one at the beginning of a bar")
            self.transpose = found
            if transpose.find("diatonic") is None:  # music21 requires it
                ElementTree.SubElement(transpose, "diatonic").text = str(round(found[0] * 7 / 12))
        if any(e.get("type") == "start" for e in element.iter("measure-repeat")):
            raise InputError("a sign that repeats the bar before: expected its notes")

    def direction(self, element: ElementTree.Element, number: int, now: float) -> None:
        """Applies the signs of a direction, or of a separate <sound>."""
        now += float(_whole(element.findtext("offset")) / self.divisions) if self.divisions else 0.0
        start = now <= 0
        found = [s for words in element.iter("words") for s in sign_of(words.text or "", number, start)]
        for sound in element.iter("sound"):
            said = [name for key, name in SOUNDS.items() if sound.get(key, "no") not in ("no", "")]
            found += [Sign(number, start, name) for name in said]
        found += [Sign(number, start, tag) for tag in ("segno", "coda") for _ in element.iter(tag)]
        # A coda sign after the word "to" marks a jump, not the coda.
        seen = {"coda"} if any(sign.name == "tocoda" for sign in found) else set()
        for sign in found:
            if sign.name not in seen:
                self.signs.append(sign)
            seen.add(sign.name)

    def barline(self, element: ElementTree.Element, number: int) -> None:
        """Applies the repeat sign of a bar line, and the start of an ending."""
        where = element.get("location", "right")
        for ending in element.iter("ending"):
            if ending.get("type") == "start":
                self.ending = tuple(int(turn) for turn in re.findall(r"\d{1,3}", ending.get("number", "")))
        for repeat in element.iter("repeat"):
            if where == "middle":
                raise InputError("a repeat sign within it: expected one at its beginning or end")
            if repeat.get("direction") == "forward":
                self.opens.add(number if where == "left" else number + 1)
            else:
                self.closes[number if where == "right" else number - 1] = max(2, _whole(repeat.get("times")))


def _whole(text: str | None) -> int:
    """Parses an integer; any other text is 0."""
    return int(text) if re.fullmatch(r"\s*[+-]?\d{1,9}\s*", text or "") else 0
