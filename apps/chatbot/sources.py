"""The data sources: the built-in grammar, public data sets, your own JSONL file or seq.in, seq.out and label."""

import dataclasses
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from shared import InputError, MissingFileError
from shared.data import fetch
from shared.data.catalogue import CATALOGUE, check
from shared.data.text import decode

from . import grammar, tags, tokens
from .config import Config
from .skills import check_own

PUBLIC = ("snips", "atis")
THREE = ("seq.in", "seq.out", "label")
SLOTS = ("slots", "entities")
UNREAD = ("id", "language", "comment")  # fields of a line that are irrelevant to the meaning of the request
ENTITY = ("start", "end", "entity", "value")  # the value may be a synonym of the text


@dataclasses.dataclass(frozen=True)
class Request:
    """The tokens of a request, their tags, the intent, its location for messages, and its original text if known."""

    tokens: list[str]
    tags: list[str]
    intent: str
    where: str
    text: str = ""

    def said(self) -> str:
        """Returns the request as a person would type it."""
        return self.text or " ".join(self.tokens)


Parts = dict[str, list[Request]]


def known(source: str) -> None:
    """Raises InputError if a --data value is not a known source, or holds dialogues."""
    if source == "dailydialog" and not Path(source).exists():
        raise InputError("--data: dailydialog holds dialogues, not requests. Train the small talk: train-talk")
    check(source, PUBLIC, f"a JSONL file or a folder with {', '.join(THREE)}")


def there(config: Config) -> None:
    """Raises an InputError if a file does not exist."""
    known(config.data)
    check_own(config.skills)
    for path in filter(None, (config.more, config.valid, config.test)):
        _there(Path(path))


def _there(path: Path) -> None:
    if not path.exists():
        raise MissingFileError(f"Expected a JSONL file or a folder with {', '.join(THREE)}. There is none at {path}.")


def read(config: Config) -> Parts:
    """Reads the requests of the source by split; without published splits all are "train".

    Raises:
        InputError: the source is unknown, or a file cannot be used; the message gives file and line.
    """
    parts = _source(config)
    if config.more:
        parts = parts | {"train": parts["train"] + read_path(Path(config.more))}
    given = {"valid": config.valid, "test": config.test}
    return parts | {part: read_path(Path(path)) for part, path in given.items() if path}


def _source(config: Config) -> Parts:
    if config.data == "builtin":
        return {
            part: [Request(*made, f"builtin, {part}") for made in found]
            for part, found in grammar.parts(config.skills).items()
        }
    if config.data in PUBLIC:
        return public(config.data)
    known(config.data)
    path = Path(config.data)
    if all((path / part / THREE[0]).exists() for part in ("train", "valid", "test")):  # the layout of snips and atis
        return {part: read_path(path / part) for part in ("train", "valid", "test")}
    return {"train": read_path(path)}


def public(name: str) -> Parts:
    """SNIPS or ATIS in the split of Goo et al. (2018), "Slot-gated modeling"."""
    parts: Parts = {}
    entries = iter(CATALOGUE[name])
    for part in ("train", "valid", "test"):
        texts = [fetch.fetch(next(entries)).decode() for _ in THREE]
        parts[part] = list(three_files(texts, f"{name} {part}"))
    return parts


def read_path(path: Path) -> list[Request]:
    """Reads the requests of a JSONL file, or of a folder with seq.in, seq.out and label."""
    _there(path)
    if path.is_dir():
        if missing := [name for name in THREE if not (path / name).is_file()]:
            raise MissingFileError(f"Expected the files {', '.join(THREE)} in {path}. There is no {missing[0]}.")
        texts = [decode((path / name).read_bytes(), str(path / name)) for name in THREE]
        found = list(three_files(texts, str(path)))
    elif path.suffix.lower() == ".jsonl":
        found = list(json_lines(decode(path.read_bytes(), str(path)), path))
    else:
        raise InputError(f"Expected a file ending in .jsonl or a folder with {', '.join(THREE)}. Received: {path}")
    if not found:
        raise InputError(f"Expected requests. {path} has none.")
    return found


def three_files(texts: list[str], where: str) -> Iterator[Request]:
    """Yields requests from three texts: tokens, tags and intents, each with the same number of lines."""
    texts = [unicodedata.normalize("NFC", text) for text in texts]  # as for requests that are tokenised here
    columns = [text.removesuffix("\n").split("\n") if text else [] for text in texts]
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        counted = ", ".join(f"{name} {length:,}" for name, length in zip(THREE, lengths, strict=True))
        raise InputError(f"Expected as many lines in each of {', '.join(THREE)}. {where} has: {counted}.")
    for number, (words, found, intent) in enumerate(zip(*columns, strict=True), 1):
        place = f"{where}, line {number}"
        if not words.split() or not intent.strip():
            empty = THREE[0] if not words.split() else THREE[2]
            raise InputError(f"Expected a request with tags and an intent on each line. {place} of {empty} is empty.")
        tags.check(found.split(), words.split(), place)
        yield Request(words.split(), found.split(), intent.strip(), place)


def json_lines(content: str, path: Path) -> Iterator[Request]:
    """Parses lines such as {"text": "weather in Rome", "intent": "weather", "slots": {"city": "Rome"}}.

    Instead of "slots", Rasa's "entities" are accepted: [{"start": 11, "end": 15, "entity": "city", "value": "Rome"}].
    """
    for number, line in enumerate(content.split("\n"), 1):
        place = f"{path}, line {number}"
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=_once)
        except ValueError as error:
            raise InputError(f"Expected a JSON object on each line. {place}: {error}.") from error
        if not isinstance(row, dict):
            raise InputError(f"Expected a JSON object on each line. {place} is a {type(row).__name__}.")
        text, intent = row.get("text"), row.get("intent")
        if not isinstance(text, str) or not text.strip() or not isinstance(intent, str) or not intent.strip():
            raise InputError(f"Expected text and intent, neither empty. {place} has: {', '.join(row) or 'nothing'}.")
        yield Request(*annotated(text, row, place), tokens.composed(intent.strip()), place, text)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Returns the object. Raises ValueError for a duplicate name, of which JSON would keep the last one."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} comes twice; slots may be a list of [name, value]")
    return found


def annotated(text: str, row: dict, place: str) -> tuple[list[str], list[str]]:
    """Returns tokens and tags, from the row's slots or entities. Raises InputError for unknown fields."""
    if unknown := [name for name in row if name not in ("text", "intent", *SLOTS, *UNREAD)]:
        raise InputError(
            f"Expected text, intent, slots or entities (and {', '.join(UNREAD)}, which are not read). {place} has "
            f"{unknown[0]!r}, which would not be learned."
        )
    if all(row.get(name) for name in SLOTS):
        raise InputError(f"Expected slots or entities, not both. {place} has both.")
    if row.get("entities") or "slots" not in row:
        return marked(text, row.get("entities", []), place)
    return located(text, row["slots"], place)


def marked(text: str, entities: object, place: str) -> tuple[list[str], list[str]]:
    """Returns tokens and tags, given the character positions (start, end) of each entity."""
    if not isinstance(entities, list) or not all(isinstance(entity, dict) for entity in entities):
        raise InputError(f"Expected entities as a list of objects. {place} has: {entities!r}.")
    found = tokens.cut(text)
    firsts, lasts = ([each[side] for each in found.places] for side in (0, 1))
    taken: list[tags.Span] = []
    for entity in entities:
        start, end, name = (entity.get(key) for key in ("start", "end", "entity"))
        if type(start) is not int or type(end) is not int or not isinstance(name, str) or not name.strip():
            raise InputError(f"Expected an entity with start, end and entity. {place} has: {entity!r}.")
        if unknown := entity.keys() - ENTITY:
            raise InputError(
                f"Expected of an entity {', '.join(ENTITY)}. {place} has {sorted(unknown)[0]!r}, which would not be "
                "learned: make it a part of the entity's name."
            )
        first, last = composed_place(text, start), composed_place(text, end)
        if first not in firsts or last not in lasts or not start < end:
            raise InputError(
                f"Expected an entity of whole words. {place}: {name} from {start} to {end} is {text[start:end]!r} "
                f"in {text!r}."
            )
        span = (tokens.composed(name.strip()), firsts.index(first), lasts.index(last) + 1)
        if any(span[1] < after and before < span[2] for _, before, after in taken):
            raise InputError(f"Expected entities that do not overlap. {place}: {name} from {start} to {end} does.")
        taken.append(span)
    return found.tokens, tags.tagged(len(found.tokens), sorted(taken, key=lambda span: span[1]))


def composed_place(text: str, place: int) -> int:
    """Maps a position in the text to the composed text; -1 if outside, or between a letter and its diacritic."""
    if not 0 <= place <= len(text):
        return -1
    before, after = tokens.composed(text[:place]), tokens.composed(text[place:])
    return len(before) if before + after == tokens.composed(text) else -1


def located(text: str, slots: object, place: str) -> tuple[list[str], list[str]]:
    """Returns tokens and tags, locating each value in the text outside of earlier values."""
    found = tokens.cut(text)
    pairs = list(slots.items()) if isinstance(slots, dict) else slots
    if not isinstance(pairs, list) or not all(isinstance(p, list | tuple) and len(p) == 2 for p in pairs):
        raise InputError(f"Expected slots as an object, or a list of [name, value]. {place} has: {slots!r}.")
    words = [token.lower() for token in found.tokens]
    taken: list[tags.Span] = []
    for name, value in pairs:
        wanted = [token.lower() for token in tokens.cut(str(value)).tokens]
        starts = [i for i in range(len(words)) if wanted and words[i : i + len(wanted)] == wanted]
        free = [i for i in starts if all(i + len(wanted) <= first or i >= last for _, first, last in taken)]
        if not free:
            raise InputError(f"Expected the slot's words in the text. {place}: {name} = {value!r} is not in {text!r}.")
        taken.append((tokens.composed(str(name)), free[0], free[0] + len(wanted)))
    return found.tokens, tags.tagged(len(words), taken)
