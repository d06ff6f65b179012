"""Music composition's data: tokens and back, what is read from files, how it is split, and what is refused."""

import dataclasses
import struct

import numpy as np
import pretty_midi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.music_composition import chorales
from apps.music_composition.config import RECIPES, Config
from apps.music_composition.data import Frames, divided, frames, load, moved, parts_of, shifts
from apps.music_composition.notes import Note, arranged, reduced
from apps.music_composition.piece import SLOTS, key_name, key_of, make
from apps.music_composition.sources import abc_tunes, read_file, read_folder, read_one
from apps.music_composition.tokens import (
    COUNTDOWN,
    FIRST,
    NOTHING_NEW,
    ORDER,
    PAD,
    REST,
    VOCABULARY,
    decode,
    encode,
    plan,
    slots,
)
from shared import InputError

REPRESENTATIONS = ("voices", "roll")
ABC = 'X:1\nT:A tune\nM:4/4\nL:1/4\nK:G\nD|"G"GABc|"D7"d2 A2|"G"G4|]\n'


def random_piece(seed: int, time: int = 40, steps: int = 2, rests: bool = True):
    """Voices that hold, repeat, rest and move."""
    random = np.random.default_rng(seed)
    pitches = np.zeros((time, SLOTS), int)
    for voice, low in enumerate((64, 58, 52, 43)):
        now = low
        for t in range(time):
            if random.random() < 0.5:
                now = 0 if rests and random.random() < 0.1 else int(low + random.integers(0, 12))
            pitches[t, voice] = now
    return make(f"piece {seed}", pitches, random.random((time, SLOTS)) < 0.2, steps)


def midi_file(path, tracks, drum=False, signature=(4, 4), tempo=90.0):
    """A MIDI file of [(start, end, pitch) in quarters] for each track."""
    midi = pretty_midi.PrettyMIDI(initial_tempo=tempo)
    if signature:
        midi.time_signature_changes.append(pretty_midi.TimeSignature(*signature, 0))
    for notes in tracks:
        track = pretty_midi.Instrument(0, is_drum=drum)
        for start, end, pitch in notes:
            track.notes.append(pretty_midi.Note(80, pitch, start * 60 / tempo, end * 60 / tempo))
        midi.instruments.append(track)
    midi.write(str(path))
    return path


FOUR = [[(t, t + 1, pitch) for t in range(8)] for pitch in (72, 67, 60, 48)]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_four_voices_come_back_from_their_tokens_note_for_note(seed):
    piece = random_piece(seed)
    pitches, struck = decode(encode(piece, "voices")[0], "voices")
    np.testing.assert_array_equal(pitches, piece.pitches)
    np.testing.assert_array_equal(struck, piece.struck)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_a_rolls_frames_are_one_to_one_with_sets_of_sounding_pitches(seed):
    piece = random_piece(seed)
    tokens, _ = encode(piece, "roll")
    for row, pitches in zip(tokens, piece.pitches, strict=True):
        told = [int(t) for t in row if t < PAD]
        assert told[-1] == NOTHING_NEW and told[:-1] == sorted(set(told[:-1]), reverse=True)
        assert [t - FIRST + 21 for t in told[:-1]] == sorted({int(p) for p in pitches if p}, reverse=True)


def test_held_repeated_and_resting_are_told_apart():
    pitches = np.zeros((4, SLOTS), int)
    pitches[:, 0] = (60, 60, 60, 0)
    struck = np.zeros((4, SLOTS), bool)
    struck[2, 0] = True
    tokens, sounding = encode(make("", pitches, struck, 2), "voices")
    c4 = 60 - 21 + FIRST
    assert tokens[:, 0].tolist() == [c4, NOTHING_NEW, c4, REST]
    assert sounding[:, 0].tolist() == [c4, c4, c4, REST]
    assert (tokens[:, 1:] == REST).all()


def test_the_slots_of_a_frame_are_soprano_bass_alto_tenor():
    pitches = np.array([[72, 67, 60, 48]])
    tokens, _ = encode(make("", pitches, pitches > 0, 2), "voices")
    assert (tokens[0] + 21 - FIRST).tolist() == [72, 48, 67, 60] and ORDER == (0, 3, 1, 2)


def test_a_roll_is_told_nothing_but_its_frame_number_and_key():
    piece = random_piece(1)
    other = dataclasses.replace(piece, fermata=~piece.fermata, position=piece.position + 1, bar=piece.bar * 2)
    np.testing.assert_array_equal(plan(piece, "roll"), plan(other, "roll"))
    assert (plan(piece, "voices") != plan(other, "voices")).any()


def test_the_plan_counts_down_to_the_next_fermata_and_knows_the_last():
    piece = random_piece(2, 40)
    fermata = np.zeros(40, bool)
    fermata[[10, 11, 30]] = True
    known = plan(dataclasses.replace(piece, fermata=fermata), "voices")
    countdown, last = known[:, 2], known[:, 3]
    assert countdown[[0, 8, 10, 11, 12, 29, 30]].tolist() == [10, 2, 0, 0, COUNTDOWN, 1, 0]
    assert last[11] == 0 and last[12] == 1


@pytest.mark.parametrize("representation", REPRESENTATIONS)
@pytest.mark.parametrize("semitones", (-3, 0, 4))
def test_moving_frames_is_moving_the_piece(representation, semitones):
    piece = random_piece(3)
    ours = moved(frames(piece, representation)[None], np.array([semitones]), representation)[0]
    np.testing.assert_array_equal(ours, frames(piece.moved(semitones), representation))


def test_a_piece_is_moved_only_as_far_as_no_voice_leaves_its_range():
    pitches = np.tile([70, 65, 60, 50], (4, 1))
    piece = make("", pitches, pitches > 0, 2)
    ranges = [[60, 72], [55, 70], [50, 64], [40, 60]]
    assert shifts(piece, ranges, "voices") == (-5, 2)
    assert shifts(piece, ranges, "roll") == (-5, 6)


def test_a_key_is_found_from_a_scale_in_every_transposition():
    major, minor = (0, 2, 4, 5, 7, 9, 11, 0, 4, 7, 0), (0, 2, 3, 5, 7, 8, 11, 0, 3, 7, 0)
    for tonic in range(12):
        assert key_of(60 + tonic + np.array(major)) == tonic
        assert key_of(60 + tonic + np.array(minor)) == tonic + 12
    assert key_name(15) == "Eb minor"


def test_batches_are_the_same_again_and_moved_anew_each_epoch():
    pieces = [random_piece(n, 20 + n) for n in range(6)]
    ranges = [[50, 90]] + [[40, 90]] * 2 + [[30, 70]]
    one, two = (Frames(pieces, "voices", 2, 5, ranges) for _ in range(2))
    for step in range(one.steps):
        (a, mask), tokens, weights = one.batch(3, step)
        (b, _), _, _ = two.batch(3, step)
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(tokens, a[..., :4])
        np.testing.assert_array_equal(weights > 0, mask & (weights[:, :1] > 0))
    assert any((one.batch(3, s)[0][0] != one.batch(4, s)[0][0]).any() for s in range(one.steps) if
               one.batch(3, s)[0][0].shape == one.batch(4, s)[0][0].shape)  # fmt: skip


def test_a_long_piece_is_cut_into_parts_that_say_all_of_it():
    piece = random_piece(4, 101)
    parts = parts_of(piece, 40)
    assert [len(part) for part in parts] == [33, 34, 34]
    np.testing.assert_array_equal(np.concatenate([part.pitches for part in parts]), piece.pitches)
    assert all((part.struck[0] == (part.pitches[0] > 0)).all() for part in parts)


def test_variants_of_a_melody_stay_together_and_other_melodies_do_not():
    pieces = [random_piece(n, 60, rests=False) for n in range(12)]
    pieces += [pieces[0].moved(5), pieces[3].moved(-2)]
    groups = chorales.melodies(pieces)
    assert groups[0] == groups[12] and groups[3] == groups[13] and len(set(groups)) == 12
    parts = divided(pieces, {"test": 0.1, "valid": 0.1})
    where = {id(piece): part for part, found in parts.items() for piece in found}
    assert len(where) == 14 and all(parts.values())
    assert where[id(pieces[0])] == where[id(pieces[12])] and where[id(pieces[3])] == where[id(pieces[13])]


def test_four_tracks_of_midi_are_the_four_voices_and_bars_follow_the_signature(tmp_path):
    (piece,) = read_file(midi_file(tmp_path / "a.mid", FOUR, signature=(3, 4)), 2)
    assert piece.pitches.tolist() == [[72, 67, 60, 48]] * 16
    assert piece.struck[:, 0].tolist() == [True, False] * 8
    assert piece.position.tolist() == [0, 1, 2, 3, 4, 5] * 2 + [0, 1, 2, 3] and set(piece.bar) == {6}


def test_a_change_of_tempo_moves_no_note(tmp_path):
    path = midi_file(tmp_path / "a.mid", FOUR)
    before = read_file(path, 2)[0]
    raw = path.read_bytes()
    at = raw.index(b"\xff\x51\x03")  # tempo: microseconds a quarter in three bytes; another change after two quarters
    size_at = raw.index(b"MTrk") + 4
    (size,) = struct.unpack(">I", raw[size_at : size_at + 4])
    change = b"\x83\x38\xff\x51\x03\x03\x0d\x40"  # 440 ticks later
    insert = at + 6
    changed = raw[:size_at] + struct.pack(">I", size + len(change)) + raw[size_at + 4 : insert] + change + raw[insert:]
    path.write_bytes(changed)
    after = read_file(path, 2)[0]
    np.testing.assert_array_equal(before.pitches, after.pitches)


def test_many_tracks_and_tuplets_become_four_voices(tmp_path):
    tracks = [[(t / 3, (t + 1) / 3, 40 + n) for t in range(12)] for n in range(50)]
    (piece,) = read_file(midi_file(tmp_path / "a.mid", tracks), 2)
    assert piece.pitches[0].tolist() == [89, 88, 87, 40] and len(piece) == 8


def test_chords_are_reduced_to_the_outer_and_the_upper_inner_notes():
    notes = [Note(0, 1, pitch) for pitch in (40, 50, 60, 70, 80)] + [Note(1, 2, 45)]
    pitches, struck = reduced(notes, 4, 2)
    assert pitches.tolist() == [[80, 70, 60, 40]] * 2 + [[45, 0, 0, 0]] * 2
    assert struck[:, 0].tolist() == [True, False, True, False]


def test_abc_gives_a_melody_its_chords_and_its_upbeat():
    (piece,) = abc_tunes(ABC, "x", 2)
    assert piece.pitches[:4, 0].tolist() == [62, 62, 67, 67]
    assert piece.position[:4].tolist() == [6, 7, 0, 1]
    assert piece.pitches[2].tolist() == [67, 62, 59, 55]  # G over D, B and G
    assert piece.pitches[10, 1:].tolist() == [60, 54, 50]  # D7: seventh, third, root
    assert key_name(piece.key) == "G major"


def test_a_folder_with_a_bad_file_is_read_without_it_and_names_it(tmp_path, capsys):
    midi_file(tmp_path / "good.mid", FOUR)
    (tmp_path / "bad.mid").write_bytes(b"MThd nothing of the kind")
    pieces = read_folder(tmp_path, 2)
    said = capsys.readouterr().err
    assert [piece.name.endswith("good.mid") for piece in pieces] == [True]
    assert "bad.mid is damaged" in said and "1 of 2 files left out" in said


def test_notes_that_are_too_short_for_the_grid_are_counted_and_the_option_that_helps_is_named(tmp_path, capsys):
    """E takes the frame of D, and G that of F; the second A is the rest of a tied one."""
    (tmp_path / "x.abc").write_text("X:1\nM:4/4\nL:1/16\nK:C\nCDEF G4 A-A3 B4|\n")
    lost = {1: 3, 2: 2, 4: 0}
    assert {steps: read_file(tmp_path / "x.abc", steps)[0].left_out for steps in lost} == lost
    (tmp_path / "y.abc").write_text("X:1\nM:4/4\nL:1/16\nK:C\nC4 D2EF c4 c4|\n")
    assert not capsys.readouterr().err
    pieces = read_folder(tmp_path, 2)
    hint = "; train with --steps 4 for a grid of sixteenths\n"
    assert capsys.readouterr().err == f"{tmp_path}: 3 notes shorter than an eighth were left out{hint}"
    assert len(pieces) == 2
    read_one(str(tmp_path / "y.abc"), 2)
    assert capsys.readouterr().err == f"{tmp_path / 'y.abc'}: 1 note shorter than an eighth was left out{hint}"


def test_notes_that_sound_together_or_go_on_are_all_on_the_grid():
    """Chords of one part are reduced to four voices; a tie has one note, whatever the frames of its parts."""
    chord = [Note(0, 0.5, 60), Note(0, 0.5, 64), Note(0.5, 1, 60)]
    assert arranged([chord], [], None, "x", 2).left_out == 0
    tied = [Note(0, 1.25, 60), Note(1.25, 1.5, 62), Note(1.5, 2, 62, struck=False)]
    assert arranged([tied], [], None, "x", 1).left_out == 0


def bad_files(tmp_path):
    """Files that cannot be used, and what is said of each."""
    midi_file(tmp_path / "drums.mid", FOUR, drum=True)
    midi_file(tmp_path / "none.mid", [])
    midi_file(tmp_path / "long.mid", [[(0, 1, 60), (9000, 9001, 60)]])
    midi_file(tmp_path / "low.mid", [[(0, 1, 5)]])
    (tmp_path / "empty.mid").write_bytes(b"")
    (tmp_path / "header.mid").write_bytes(b"MThd\0\0\0\6\0\1\0\1\0\xdcMTrk\xff\xff\xff\xff")
    (tmp_path / "a.musicxml").write_text("<score-partwise><part")
    (tmp_path / "a.abc").write_text("no tune at all")
    (tmp_path / "a.pdf").write_bytes(b"x")
    return {
        "drums.mid": "drums or empty tracks only",
        "none.mid": "has none",
        "long.mid": "at most 4000 quarter notes",
        "low.mid": "has 5",
        "empty.mid": "has 0",
        "header.mid": "is damaged",
        "a.musicxml": "is damaged",
        "a.abc": "Expected tunes in ABC",
        "a.pdf": "Expected a file ending in .mid",
        "not there.mid": "There is none at",
    }


def test_a_file_that_cannot_be_used_is_named_with_the_reason(tmp_path):
    for name, reason in bad_files(tmp_path).items():
        with pytest.raises(InputError) as refused:
            read_file(tmp_path / name, 2)
        assert reason in str(refused.value) and name in str(refused.value), name


def test_pieces_come_back_from_the_cache_and_a_damaged_one_is_made_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    pieces = [random_piece(1), random_piece(2, 33)]
    made = []

    def maker():
        made.append(1)
        return pieces

    chorales.cached("x", maker)
    again = chorales.cached("x", maker)
    assert len(made) == 1
    for old, new in zip(pieces, again, strict=True):
        assert old.name == new.name and old.key == new.key and old.steps == new.steps
        for name in chorales.FIELDS:
            np.testing.assert_array_equal(getattr(old, name), getattr(new, name))
    (path,) = tmp_path.rglob("x.npz")
    path.write_bytes(path.read_bytes()[:200])
    chorales.cached("x", maker)
    assert len(made) == 2


def test_a_chorale_has_its_notes_bars_and_fermatas():
    piece = chorales.find("bwv66.6", 2)
    assert piece.pitches[0].tolist() == [73, 64, 57, 57]  # C#5, E4, A3 and A3: the upbeat begins with eighths
    assert piece.position[:3].tolist() == [6, 7, 0]
    assert key_name(piece.key) == "F# minor"
    assert 3 <= int((np.diff(piece.fermata.astype(int)) == 1).sum()) <= 6
    assert chorales.find("bwv0", 2) is None


@pytest.mark.slow
def test_most_files_of_the_corpus_are_chorales_in_four_voices(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    some = chorales.corpus_paths()[::10]
    monkeypatch.setattr(chorales, "corpus_paths", lambda: some)
    counts = load(Config()).info["counts"]
    assert len(some) > 40 and sum(n for n, _ in counts.values()) > 0.8 * len(some)
    assert all(n > 0 for n, _ in counts.values())
    assert (tmp_path / "datasets/bach_chorales").is_dir()


@pytest.mark.data
def test_the_published_split_and_frames_are_those_of_the_protocol():
    data = load(RECIPES["jsb_chorales"])
    assert data.info["counts"] == {"train": [229, 13807], "valid": [76, 4602], "test": [77, 4725]}
    sizes = [int((piece.pitches > 0).sum()) for piece in data.test]
    assert sum(sizes) == 4246 * 4 + 459 * 3 + 3 * 2


@pytest.mark.data
def test_the_voices_of_the_same_split_are_sung_on_quarters():
    data = load(dataclasses.replace(RECIPES["jsb_chorales"], representation="voices", max_examples=5))
    assert [n for n, _ in data.info["counts"].values()] == [5, 5, 5]
    assert (data.train[0].struck == (data.train[0].pitches > 0)).all()


@pytest.mark.data
def test_tunes_of_nottingham_have_a_melody_and_chords():
    data = load(Config(data="nottingham", max_examples=12))
    piece = data.train[0]
    assert (piece.pitches[:, 0] > 0).mean() > 0.8 and (piece.pitches[:, 3] > 0).mean() > 0.5
    assert slots("voices") == 4 and VOCABULARY == 90


def test_a_lone_voice_is_the_soprano():
    piece = arranged([[Note(0, 2, 60), Note(2, 4, 62)]], [], None, "x", 1)
    assert piece.pitches.tolist() == [[60, 0, 0, 0]] * 2 + [[62, 0, 0, 0]] * 2
    assert piece.fermata.tolist() == [False, False, True, True]  # the last note is one to rest on, all of it
