"""Composes with a trained run: new pieces, harmonised melodies, continued pieces."""

import base64
import json
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from shared import InputError, runs, settings

from . import output
from .cadence import end_on_tonic
from .config import APP
from .music_statistics import commonest
from .options import Continue, Harmonise, Predict
from .piece import NAMES, SLOTS, VOICES, Piece, key_name, make, pitch_name
from .predict import Predictor, force, free_tokens
from .search import search
from .sources import read_one
from .tokens import plan

MOST_OF_A_VOICE = 0.5  # maximum share of a voice's time on one pitch
TRIES, STRIDE = 8, 1_000_003  # maximum attempts per piece, and difference between their seeds
# what a program may choose
WISHES = ("bars", "key", "meter", "temperature", "top_p", "seed", "tempo", "free", "any_ending")
SPELLINGS = {"Db": "C#", "D#": "Eb", "E#": "F", "Gb": "F#", "G#": "Ab", "A#": "Bb", "B#": "C", "Cb": "B", "Fb": "E"}


def compose(options: Predict) -> None:
    """Runs the predict command, also called compose: writes a new piece as files and as text."""
    write_new(Predictor(runs.find(APP, options.run)), options)


def write_new(predictor: Predictor, options: Predict) -> None:
    """Composes a piece, prints its score or its notes, and writes its files."""
    seed, piece = new(predictor, options)
    deliver(piece, seed, options, predictor.run.file(f"composed-{seed}"))


def deliver(piece: Piece, seed: int, options: Predict | Harmonise | Continue, path: Path, heading: str = "") -> None:
    """Prints the heading and the score and writes the files, at `path` unless the options name another.

    With --json it prints one object, and writes files only if the options name them.
    """
    if options.json:
        print(json.dumps(described(piece, seed, options.tempo), ensure_ascii=False))
        if options.out:
            output.write(piece, Path(options.out), options.tempo)
        return
    if heading:
        print(heading)
    print(output.text(piece))
    written = output.write(piece, Path(options.out or path), options.tempo)
    print("\nWritten: " + "  ".join(map(str, written)))


def new(predictor: Predictor, options: Predict) -> tuple[int, Piece]:
    """Composes a piece; also returns its seed."""
    seed = secrets.randbits(32) if options.seed is None else options.seed
    key = parse_key(options.key) if options.key else drawn_key(predictor, seed)
    form = outline(f"Composed, seed {seed}", options.bars, options.meter, predictor.steps, key)
    how = (options.temperature, options.top_p, options.free, options.any_ending)
    (piece,) = varied(predictor, [form], seed, *how)
    return seed, piece


def wished(predictor: Predictor, wish: Mapping[str, Any]) -> dict[str, Any]:
    """Composes a piece as a program wishes: options of `Predict` by name, but for those that name runs and files.

    Raises:
        InputError: an option is unknown or invalid.
    """
    if unknown := sorted(set(wish) - set(WISHES)):
        raise InputError(f"Expected some of {', '.join(WISHES)}. Received: {', '.join(map(repr, unknown))}")
    options = settings.changed(Predict(), wish)
    seed, piece = new(predictor, options)
    return described(piece, seed, options.tempo)


def described(piece: Piece, seed: int, tempo: int) -> dict[str, Any]:
    """Returns a piece as plain values: key, seed, tempo, the notes of each voice, the score as text, a MIDI file.

    A note has its pitch, its start and its length in quarter notes. The file is in base64.
    """
    voices = {
        name: [
            {"pitch": pitch_name(pitch, piece.key), "start": start / piece.steps, "length": (end - start) / piece.steps}
            for start, end, pitch in output.notes(piece, voice)
            if pitch
        ]
        for voice, name in enumerate(VOICES)
    }
    midi = base64.b64encode(output.midi_file(piece, tempo)).decode()
    about = {"key": key_name(piece.key), "seed": seed, "tempo": tempo}
    return {**about, "voices": voices, "score": output.text(piece), "midi": midi}


def composed(
    predictor: Predictor,
    count: int,
    bars: int,
    seed: int,
    temperature: float = 1.0,
    top_p: float = 0.92,
    free: bool = False,
    any_ending: bool = False,
) -> list[Piece]:
    """Composes new pieces in random keys, in one batch; the defaults are those of `compose`."""
    forms = [outline(f"new {n}", bars, 4, predictor.steps, drawn_key(predictor, seed + n)) for n in range(count)]
    return varied(predictor, forms, seed, temperature, top_p, free, any_ending)


def varied(
    predictor: Predictor,
    forms: list[Piece],
    seed: int,
    temperature: float,
    top_p: float,
    free: bool = False,
    any_ending: bool = False,
) -> list[Piece]:
    """Composes pieces of these forms, which end on the tonic chord of their key, or on any chord.

    Unless `free`, those in which a voice mostly stays on one pitch are rewritten; after `TRIES` attempts the last
    version is kept.
    """
    allowed = free_tokens(predictor, forms, ranges=not free)
    if not any_ending:
        for one, form in zip(allowed, forms, strict=True):
            end_on_tonic(one[: len(form)], form, predictor.representation)
    how = {"temperature": temperature, "top_p": top_p, "free": free}
    pieces = predictor.write(forms, allowed, seed=seed, **how)
    for again in range(1, 1 if free else TRIES):
        dull = [commonest(piece) > MOST_OF_A_VOICE for piece in pieces]
        if not any(dull):
            break
        others = predictor.write(forms, allowed, seed=(seed + again * STRIDE) % 2**32, **how)
        pieces = [other if is_dull else piece for piece, other, is_dull in zip(pieces, others, dull, strict=True)]
    return pieces


def harmonise(options: Harmonise) -> None:
    """Runs the harmonise command: keeps the melody and adds three voices below it."""
    run = runs.find(APP, options.run)
    seed, piece, nats = harmony(Predictor(run), options)
    heading = f"{nats:.2f} nats per frame, melody and voices together" if options.beam > 1 else f"seed {seed}"
    deliver(piece, seed, options, run.file(f"{Path(options.melody).stem}-harmonised"), heading)


def harmony(predictor: Predictor, options: Harmonise) -> tuple[int, Piece, float]:
    """Harmonises the melody; returns the seed, the piece, and the nats per frame, 0 without a beam."""
    melody = read_one(options.melody, predictor.steps)
    key = parse_key(options.key) if options.key else melody.key
    seed = secrets.randbits(32) if options.seed is None else options.seed
    how = (options.beam, options.temperature, options.top_p, seed, options.free, options.any_ending)
    return seed, *harmonised(predictor, melody, key, *how)


def go_on(options: Continue) -> None:
    """Runs the continue command: keeps the first bars of a piece and continues them."""
    run = runs.find(APP, options.run)
    predictor = Predictor(run)
    primer = read_one(options.primer, predictor.steps)
    starts = np.flatnonzero(primer.position == 0)
    if len(starts) > options.keep:  # also keeps an upbeat before the first bar
        primer = primer.cut(0, int(starts[options.keep]))
    bar = int(primer.bar[-1])
    rest = outline("", options.bars, max(1, bar // predictor.steps), predictor.steps, primer.key)
    seed = secrets.randbits(32) if options.seed is None else options.seed
    joined = {
        name: np.concatenate([getattr(primer, name), getattr(rest, name)]) for name in ("position", "bar", "fermata")
    }
    pitches = np.concatenate([primer.pitches, rest.pitches])
    form = make(
        f"{Path(options.primer).stem}, continued", pitches, pitches > 0, predictor.steps, key=primer.key, **joined
    )
    allowed = free_tokens(predictor, [form], not options.free)
    force(allowed[0], primer, predictor.representation, slice(len(primer)), slice(None))
    if not options.any_ending:
        end_on_tonic(allowed[0], form, predictor.representation)
    (piece,) = predictor.write(
        [form], allowed, temperature=options.temperature, top_p=options.top_p, seed=seed, free=options.free
    )
    given = f"{len(primer) / bar:.3g} {'bar' if len(primer) == bar else 'bars'} given"
    heading = f"{given}, {options.bars} written, seed {seed}"
    deliver(piece, seed, options, run.file(f"{Path(options.primer).stem}-continued"), heading)


def harmonised(
    predictor: Predictor,
    melody: Piece,
    key: int,
    beam: int,
    temperature: float,
    top_p: float,
    seed: int,
    free: bool = False,
    any_ending: bool = False,
) -> tuple[Piece, float]:
    """Harmonises a melody (the piece's first voice) in three voices; also returns nats per frame, 0 without a beam."""
    check_range(predictor, melody)
    alone = melody.pitches * (np.arange(SLOTS) == 0)
    known = {name: getattr(melody, name) for name in ("position", "bar", "fermata")}
    form = make(f"{Path(melody.name).stem}, harmonised", alone, melody.struck, predictor.steps, key=key, **known)
    allowed = free_tokens(predictor, [form], not free)
    force(allowed[0], form, predictor.representation, slice(None), slice(1))
    if not any_ending:
        end_on_tonic(allowed[0], form, predictor.representation, melody=True)
    if beam > 1:
        return search(predictor, plan(form, predictor.representation), allowed[0], form, beam, free)
    return predictor.write([form], allowed, temperature=temperature, top_p=top_p, seed=seed, free=free)[0], 0.0


def check_range(predictor: Predictor, melody: Piece) -> None:
    """Raises InputError if the melody exceeds the range of training melodies, with a suggested transposition."""
    low, high = predictor.info["ranges"][0]
    sung = melody.pitches[:, 0][melody.pitches[:, 0] > 0]
    if not len(sung):
        raise InputError(f"Expected a melody. {melody.name} has none.")
    if low <= sung.min() and sung.max() <= high:
        return
    fitting = [s for s in range(-36, 37) if low <= sung.min() + s and sung.max() + s <= high]
    move = min(fitting, key=lambda s: (s % 12 != 0, abs(s))) if fitting else None
    advice = f"Move it by {move:+d} semitones." if move is not None else "Its range is too wide."
    raise InputError(
        f"Expected a melody from {pitch_name(low)} to {pitch_name(high)}, as the run was trained on. {melody.name} "
        f"goes from {pitch_name(int(sung.min()))} to {pitch_name(int(sung.max()))}. {advice}"
    )


def outline(name: str, bars: int, meter: int, steps: int, key: int) -> Piece:
    """Returns an empty piece with bars and key, and a fermata at the end of every second bar, as in most chorales."""
    bar = meter * steps
    time = np.arange(bars * bar)
    rests = (time // bar % 2 == 1) & (time % bar // steps == max(0, meter - 2))
    rests |= (time // bar == bars - 1) & (time % bar // steps >= max(0, meter - 2))
    pitches = np.zeros((len(time), SLOTS), np.int16)
    return make(
        name, pitches, pitches > 0, steps, position=time % bar, bar=np.full(len(time), bar), fermata=rests, key=key
    )


def parse_key(text: str) -> int:
    """Parses a key such as "G major", "e minor" or "Bb" to its number. Raises InputError for an invalid key."""
    match = re.fullmatch(r"([A-Ga-g])([#b♯♭]?)\s*(major|minor|maj|min|m)?", text.strip())
    if not match:
        raise InputError(f'--key: expected a key such as "G major", "Eb major" or "F# minor"; received {text!r}')
    name = match[1].upper() + match[2].replace("♯", "#").replace("♭", "b")
    minor = (match[3] or "").startswith("m") and not (match[3] or "").startswith("maj")
    return NAMES.index(SPELLINGS.get(name, name)) + 12 * minor


def drawn_key(predictor: Predictor, seed: int) -> int:
    """Draws one of the training pieces' keys."""
    keys = predictor.info["keys"]
    return parse_key(keys[int(np.random.default_rng(seed).integers(len(keys)))])


def example(predictor: Predictor) -> None:
    """Composes a chorale of 16 bars, at the end of every training."""
    write_new(predictor, Predict(seed=1, out=str(predictor.run.file("chorale"))))
