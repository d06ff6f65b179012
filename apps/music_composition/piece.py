"""A piece of music in four voices on a grid of equal frames, with its bars, fermatas and key."""

import dataclasses

import numpy as np

VOICES = ("soprano", "alto", "tenor", "bass")
SLOTS = len(VOICES)
LOWEST, HIGHEST = 21, 108  # MIDI pitches of a piano's keys
NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
TONICS = (
    ("C", "Db", *NAMES[2:]),
    (*NAMES[:8], "G#", *NAMES[9:]),
)  # names of major and minor keys with the fewest accidentals
FIFTHS = "FCGDAEB"  # letters by fifths; seven fifths later, the same letter is a semitone higher
# Number of fifths below the tonic at which the names of a key's twelve notes start: the flat third in major, the flat
# second in minor. So the leading notes of common secondary keys are sharps: C# in D minor, and in C major as well.
BELOW = (3, 5)
# Weights of the scale degrees in major and minor keys: Krumhansl (1990), "Cognitive foundations of musical pitch".
PROFILES = np.array(
    [
        [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88],
        [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17],
    ]
)


@dataclasses.dataclass(frozen=True)
class Piece:
    """Four voices from highest to lowest; frame t is 1 / `steps` of a quarter note.

    pitches (time, 4): MIDI pitches, 0 = silent. struck (time, 4): whether a note starts here; otherwise it is held.
    position (time,): frames since the start of the bar; bar (time,): frames per bar. fermata (time,): end of a phrase.
    key: pitch class of the tonic, plus 12 in minor. left_out: number of notes that did not fit on the grid.
    """

    name: str
    pitches: np.ndarray
    struck: np.ndarray
    position: np.ndarray
    bar: np.ndarray
    fermata: np.ndarray
    steps: int
    key: int
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.pitches)

    def moved(self, semitones: int) -> "Piece":
        """Returns the piece transposed by this many semitones; rests are kept."""
        pitches = np.where(self.pitches > 0, self.pitches + semitones, 0)
        return dataclasses.replace(self, pitches=pitches, key=moved_key(self.key, semitones))

    def cut(self, start: int, stop: int) -> "Piece":
        """Returns frames start to stop; a note held across the start is struck again."""
        part = {name: getattr(self, name)[start:stop] for name in ("pitches", "position", "bar", "fermata")}
        struck = self.struck[start:stop].copy()
        struck[:1] = part["pitches"][:1] > 0
        return dataclasses.replace(self, struck=struck, **part)


def make(name: str, pitches: np.ndarray, struck: np.ndarray, steps: int, **known: np.ndarray | int) -> Piece:
    """Makes a piece from notes; unless given in `known`: 4/4 from the start, one fermata at the end, estimated key."""
    time = len(pitches)
    pitches = np.asarray(pitches, np.int16)
    fermata = np.zeros(time, bool)
    fermata[-1:] = True
    filled = {
        "position": np.arange(time) % (4 * steps),
        "bar": np.full(time, 4 * steps),
        "fermata": fermata,
        "key": key_of(pitches),
    }
    known = {key: value for key, value in known.items() if value is not None}
    # A pitch that differs from the previous one is a new note, whatever the source indicates.
    before = np.concatenate([np.zeros((1, pitches.shape[1]), np.int16), pitches[:-1]])
    struck = (np.asarray(struck, bool) | (pitches != before)) & (pitches > 0)
    return Piece(name, pitches, struck, steps=steps, **(filled | known))


def key_of(pitches: np.ndarray) -> int:
    """Returns the key whose profile correlates best with the pitch class durations (Krumhansl and Schmuckler)."""
    sounding = pitches[pitches > 0] % 12
    lengths = np.bincount(sounding.astype(np.int64), minlength=12).astype(np.float64)
    if lengths.std() == 0:
        return 0
    profiles = np.concatenate([[np.roll(profile, tonic) for tonic in range(12)] for profile in PROFILES])
    return int(np.argmax([np.corrcoef(lengths, profile)[0, 1] for profile in profiles]))


def moved_key(key: int, semitones: int) -> int:
    """Returns the key transposed by this many semitones."""
    return (key % 12 + semitones) % 12 + 12 * (key // 12)


def key_name(key: int) -> str:
    """Returns the name of a key, such as "Eb major", choosing the spelling with fewer accidentals."""
    return f"{TONICS[key // 12][key % 12]} {'minor' if key >= 12 else 'major'}"


def pitch_name(pitch: int, key: int = 0) -> str:
    """Returns the name of a pitch, such as "C4" for 60, spelled according to the key; "-" for silence."""
    if not pitch:
        return "-"
    letter, alter = spelled(pitch, key)
    return f"{letter}{'#' * alter}{'b' * -alter}{(pitch - alter) // 12 - 1}"


def spelled(pitch: int, key: int = 0) -> tuple[str, int]:
    """Returns the letter of a pitch as spelled in the key, and its alteration in semitones, at most one."""
    tonic = TONICS[key // 12][key % 12]
    first = FIFTHS.index(tonic[0]) + 7 * (tonic[1:].count("#") - tonic[1:].count("b")) - BELOW[key // 12]
    place = first + (7 * (pitch - 5) - first) % 12  # in fifths from F, whose pitch class is 5
    place -= 12 * (place >= 14)  # no double sharps and flats
    place += 12 * (place < -7)
    return FIFTHS[place % 7], place // 7
