"""The app as its user meets it, and what must hold between its parts: likelihood, writing, search, figures, files."""

import dataclasses
import functools
import itertools
import json
import shlex
import types
import wave
from pathlib import Path

import keras
import numpy as np
import pytest

from apps.music_composition import cadence, chorales, comparison, output, serve
from apps.music_composition.baselines import START, Markov
from apps.music_composition.compose import harmonised, outline, parse_key, varied
from apps.music_composition.config import Config
from apps.music_composition.data import frames
from apps.music_composition.model import build
from apps.music_composition.music_statistics import Copies, consonance, crossings, figures, length_entropy, parallels
from apps.music_composition.options import Serve
from apps.music_composition.piece import SLOTS, make
from apps.music_composition.predict import Predictor, force, free_tokens, measured
from apps.music_composition.search import search
from apps.music_composition.sources import read_file
from apps.music_composition.surprise import by_bar
from apps.music_composition.tokens import FIRST, NOTHING_NEW, PAD, VOCABULARY, encode, plan, slots
from apps.music_composition.train import FrameNats, frame_nats
from shared import InputError
from tests.apps.test_music_composition_data import FOUR, REPRESENTATIONS, midi_file, random_piece
from tests.commands import run_here, trained

APP = "apps.music_composition"
SMALL = Config(units=12, layers=2, embedding=8, hidden=10, steps=2)
INFO = {
    "steps": 2,
    "ranges": [[60, 80], [54, 74], [48, 68], [38, 62]],
    "rests": [0.0] * 4,
    "keys": ["G major", "E minor"],
}


@functools.cache
def writer_of(representation="voices", arch="lstm", seed=1):
    """A predictor with random weights, large enough that its choices differ."""
    keras.utils.set_random_seed(seed)
    info = INFO | {"representation": representation}
    model = build(dataclasses.replace(SMALL, arch=arch), info)
    model.set_weights([3 * weight for weight in model.get_weights()])
    return Predictor(types.SimpleNamespace(info=lambda: info, load_model=lambda: model))


@pytest.fixture(scope="module")
def smoke():
    """The folder of runs after a smoke training, and what it printed."""
    return trained("music_composition")


@pytest.fixture
def command(smoke):
    """Types a command in this process; gives its status, what it printed, and its errors."""

    def typed(*words):
        done = run_here(APP, *map(str, words), GALLERY_RUNS=str(smoke[0]))
        return done.returncode, done.stdout, done.stderr

    return typed


def test_training_prints_the_baseline_the_corpus_and_a_chorale(smoke):
    folder, printed = smoke
    assert "markov_" in printed and "wins" in printed
    assert "8 new pieces of 16 bars" in printed and "parallels_per_bar" in printed
    assert printed.index("S |") < printed.index("8 new pieces of 16 bars") < printed.index("Now try:")
    names = {path.name for path in folder.glob("music_composition/*/*")}
    expected = "model.keras info.json metrics.json history.csv learning_curves.png chorale.mid chorale.musicxml"
    assert {*expected.split(), "chorale.wav", "chorale.png"} <= names
    figures_kept = json.loads(next(folder.glob("music_composition/*/metrics.json")).read_text())
    assert [r["metric"] for r in figures_kept][:2] == ["nll_per_frame"] * 2 and len(figures_kept) == 5


@pytest.mark.slow
def test_own_files_train_validate_and_test_and_what_is_printed_is_of_them(tmp_path):
    words = [APP, "train", "--recipe", "smoke"]
    for number, part in enumerate(("train", "valid", "test")):
        (tmp_path / f"my {part}").mkdir()
        for n in range(3):
            voices = [[(start, end, pitch + number + n) for start, end, pitch in voice] for voice in FOUR]
            midi_file(tmp_path / f"my {part}" / f"{n}.mid", voices)
        words += ["--data" if part == "train" else f"--{part}", str(tmp_path / f"my {part}")]
    done = run_here(*words, GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 0, done.stderr
    said = f"(valid from {tmp_path / 'my valid'}; test from {tmp_path / 'my test'}): train 3 pieces"
    assert said in done.stdout and "as published" not in done.stdout
    commands = done.stdout.split("Now try:")[1].strip().splitlines()
    assert str(tmp_path / "my valid" / "0.mid") in commands[2] and "my train" in commands[3]
    assert Path(shlex.split(commands[1])[4]).exists()
    tried = run_here(*shlex.split(commands[2])[2:], GALLERY_RUNS=str(tmp_path / "runs"))
    assert tried.returncode == 0, tried.stderr


@pytest.mark.parametrize("representation", REPRESENTATIONS)
def test_a_logit_sees_the_past_and_the_slots_before_it_and_nothing_else(representation):
    model = writer_of(representation).model
    rows = np.stack([frames(random_piece(1, 12), representation)])
    mask = np.ones(rows.shape[:2], bool)
    before = np.array(model([rows, mask]))
    width, time = slots(representation), 6
    for slot in range(width):
        changed = rows.copy()
        changed[0, time, [slot, width + slot]] = FIRST + 5
        moved = np.abs(np.array(model([changed, mask])) - before).max(axis=-1)[0] > 1e-6
        first = np.argwhere(moved)[0].tolist()
        assert first == ([time, slot + 1] if slot < width - 1 else [time + 1, 0])
    later = rows.copy()
    later[0, time + 1 :, 2 * width :] = 0  # what is known of later frames
    np.testing.assert_allclose(np.array(model([later, mask]))[0, : time + 1], before[0, : time + 1], atol=1e-6)


@pytest.mark.parametrize(("representation", "arch"), [("voices", "lstm"), ("roll", "mingru")])
def test_written_token_by_token_the_likelihood_is_that_of_the_whole_piece(representation, arch):
    check_likelihood(representation, arch)


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["gru", "slstm", "lru", "tcn", "attention"])  # one of each kind of scan
def test_other_architectures_write_as_they_read(arch):
    check_likelihood("voices", arch)


def check_likelihood(representation, arch):
    writer = writer_of(representation, arch)
    piece = random_piece(5, 14)
    tokens, _ = encode(piece, representation)
    allowed = np.ones((1, len(piece), writer.slots, VOCABULARY), bool)
    logits, states = writer.begin(plan(piece, representation)[None], allowed, free=True)
    line = tokens[tokens < PAD]
    first = -keras.ops.convert_to_numpy(keras.ops.log_softmax(logits))[0, line[0]]
    nats = np.concatenate([[first], writer.decoder.nats(line[None], states)[0]])
    np.testing.assert_allclose(nats, writer.nats(piece)[tokens < PAD], rtol=1e-4, atol=2e-4)
    back = writer.piece(line, piece)
    np.testing.assert_array_equal(encode(back, representation)[0], tokens)


@pytest.mark.slow
def test_measured_nats_are_those_of_the_loss_however_pieces_are_padded():
    writer = writer_of()
    pieces = [random_piece(n, 10 + 7 * n) for n in range(3)]
    each, right = measured(writer.model, pieces, "voices")
    for piece, nats in zip(pieces, each, strict=True):
        rows = frames(piece, "voices")[None]
        logits = writer.model([rows, np.ones(rows.shape[:2], bool)])
        loss = frame_nats(rows[..., :4], logits)
        np.testing.assert_allclose(nats.sum(axis=1), np.array(loss)[0], rtol=1e-4)
        np.testing.assert_allclose(float(FrameNats()(rows[..., :4], logits)), nats.sum(axis=1).mean(), rtol=1e-4)
    assert right.shape == (4,) and (right >= 0).all() and (right <= 1).all()


@pytest.mark.slow
def test_voices_written_stay_in_their_ranges_and_do_not_cross_and_the_seed_decides():
    writer = writer_of()
    forms = [outline(f"{n}", 4, 4, 2, n) for n in range(3)]
    allowed = free_tokens(writer, forms, ranges=True)
    made = writer.write(forms, allowed, temperature=1.0, top_p=1.0, seed=3)
    for piece in made:
        assert crossings(piece) == 0 and (piece.pitches > 0).all()
        assert parallels(piece) <= 2  # only where nothing else is left
        for voice, (low, high) in enumerate(INFO["ranges"]):
            assert low <= piece.pitches[:, voice].min() and piece.pitches[:, voice].max() <= high
    again = writer.write(forms, allowed, temperature=1.0, top_p=1.0, seed=3)
    np.testing.assert_array_equal(made[0].pitches, again[0].pitches)
    other = writer.write(forms, allowed, temperature=1.0, top_p=1.0, seed=4, free=True)
    assert (made[0].pitches != other[0].pitches).any()
    assert sum(map(parallels, other)) > 2 and sum(map(crossings, other)) > 2


@pytest.mark.parametrize("beam", [pytest.param(1, marks=pytest.mark.slow), 4])
def test_a_harmonised_melody_is_kept_note_for_note(beam):
    writer = writer_of()
    melody = random_piece(7, 16, rests=False)
    melody = dataclasses.replace(melody, pitches=np.clip(melody.pitches, 62, 78))
    piece, _ = harmonised(writer, melody, 0, beam, 0.8, 0.95, seed=1)
    kept = make("", melody.pitches, melody.struck, 2)
    np.testing.assert_array_equal(piece.pitches[:, 0], kept.pitches[:, 0])
    np.testing.assert_array_equal(piece.struck[:, 0], kept.struck[:, 0])
    assert (piece.pitches > 0).all() and crossings(piece) == 0


@pytest.mark.slow
def test_a_beam_over_everything_finds_the_likeliest_of_all_pieces():
    writer = writer_of()
    form = outline("", 1, 1, 2, 0).cut(0, 1)  # one frame: four voices, three tokens each
    allowed = np.zeros((1, 1, 4, VOCABULARY), bool)
    choices = [FIRST + 50, FIRST + 30, FIRST + 40, FIRST + 35]
    for slot, token in enumerate(choices):
        allowed[0, 0, slot, token : token + 3] = True
    found, nats = search(writer, plan(form, "voices"), allowed[0], form, beam=27, free=True)
    logits, states = writer.begin(plan(form, "voices")[None], np.ones_like(allowed), free=True)
    decoder = writer.decoder
    best = np.inf
    for line in itertools.product(*(range(token, token + 3) for token in choices)):
        first = -keras.ops.convert_to_numpy(keras.ops.log_softmax(logits))[0, line[0]]
        best = min(best, first + decoder.nats(np.array(line)[None], states).sum())
    assert nats == pytest.approx(best, abs=1e-4)
    assert len(found) == 1


def test_a_primer_is_forced_and_what_follows_is_free():
    writer = writer_of()
    primer = random_piece(8, 8, rests=False)
    form = outline("", 2, 4, 2, 0)
    allowed = free_tokens(writer, [form], ranges=True)
    force(allowed[0], primer, "voices", slice(len(primer)), slice(None))
    assert (allowed[0, :8].sum(axis=-1) == 1).all() and (allowed[0, 8:].sum(axis=-1) > 10).all()
    (piece,) = writer.write([form], allowed, temperature=1.0, top_p=1.0, seed=1, free=True)
    np.testing.assert_array_equal(piece.pitches[:8], primer.pitches)


def test_markov_chances_are_witten_bells_and_add_up_to_one():
    pieces = [random_piece(n, 30) for n in range(4)]
    chain = Markov(order=2, within=1).fit(pieces, "voices")

    def by_hand(slot, context, token, k):
        if k < 0:
            return 1 / VOCABULARY
        after = []
        for piece in pieces:
            tokens, sounding = encode(piece, "voices")
            for t in range(len(piece)):
                seen = [int(sounding[t, 0])] if slot else []
                seen += [int(sounding[p, slot]) if p >= 0 else START for p in (t - 1, t - 2)]
                if seen[:k] == list(context[:k]):
                    after.append(int(tokens[t, slot]))
        lower = by_hand(slot, context, token, k - 1)
        if not after:
            return lower
        kinds = len(set(after))
        return (after.count(token) + kinds * lower) / (len(after) + kinds)

    _, sounding = encode(pieces[0], "voices")
    context = (int(sounding[5, 0]), int(sounding[4, 2]), int(sounding[3, 2]))
    chances = chain.chances(2, context)
    assert chances.sum() == pytest.approx(1)
    for token in (NOTHING_NEW, FIRST + 30, int(sounding[5, 2])):
        assert chances[token] == pytest.approx(by_hand(2, context, token, 3))
    nats, right = chain.measure(pieces)
    assert nats.shape == (4,) and (nats > 0).all() and (nats < 30 * 4 * np.log(VOCABULARY)).all()
    assert right.shape == (4,)


def piece_of(rows, steps=1):
    rows = np.array(rows)
    return make("", rows, rows > 0, steps)


def test_parallels_count_fifths_and_octaves_that_move_together():
    fifths = [[72, 67, 60, 0], [74, 69, 62, 0]]  # alto and tenor: a fifth; soprano and tenor: an octave
    assert parallels(piece_of(fifths)) == 2
    assert parallels(piece_of([[72, 0, 0, 65], [72, 0, 0, 65]])) == 0  # nothing moves
    assert parallels(piece_of([[79, 0, 0, 60], [72, 0, 0, 65]])) == 0  # against each other
    assert parallels(piece_of([[72, 0, 0, 65]] * 3 + [[74, 0, 0, 67]] * 2)) == 1  # however long they last


def test_crossings_are_counted_once_and_consonance_by_hand():
    assert crossings(piece_of([[60, 62, 50, 40]] * 3 + [[64, 62, 50, 40]])) == 1
    assert consonance(piece_of([[72, 67, 64, 48]])) == 1  # a fourth above the bass's fifth is fine
    assert consonance(piece_of([[65, 0, 0, 60]])) == 0  # over the bass it is not
    assert consonance(piece_of([[62, 0, 0, 60], [64, 0, 0, 60]])) == 0.5


def test_length_entropy_is_that_of_the_notes_lengths():
    pitches = np.full((8, SLOTS), 60)
    struck = np.zeros((8, SLOTS), bool)
    struck[[0, 4, 6]] = True  # lengths 4, 2, 2 in each voice
    p = np.array([1 / 3, 2 / 3])
    assert length_entropy(make("", pitches, struck, 1)) == pytest.approx(-(p * np.log2(p)).sum())


def test_a_copied_passage_is_found_in_another_key_and_its_length_told():
    train = [random_piece(n, 30, rests=False) for n in range(3)]
    new = random_piece(9, 30, rests=False)
    pitches = new.pitches.copy()
    pitches[10:20] = train[1].pitches[5:15] + 3
    changes = 1 + int((train[1].pitches[6:15] != train[1].pitches[5:14]).any(axis=1).sum())
    length, where = Copies(train).longest(make("", pitches, new.struck, 2))
    assert where == "piece 1" and changes <= length <= changes + 1
    assert Copies(train).longest(piece_of([[72, 60, 50, 40], [74, 63, 51, 47]]))[0] == 0


def test_a_chorale_of_bachs_is_itself_within_what_is_expected_of_one():
    found = figures(chorales.find("bwv66.6", 2))
    assert found["consonance"] > 0.8 and found["parallels_per_bar"] < 0.3 and found["commonest_pitch"] < 0.5


def test_surprise_by_bar_adds_up_to_that_of_the_piece():
    piece = random_piece(3, 27)
    piece = dataclasses.replace(piece, position=(np.arange(27) + 5) % 8)
    nats = np.random.default_rng(1).random((27, 4))
    starts, surprise = by_bar(piece, nats)
    assert starts.tolist() == [0, 3, 11, 19]
    lengths = np.diff([*starts, 27])
    assert (surprise * lengths).sum() == pytest.approx(nats.sum())


@pytest.mark.parametrize(
    "text, key", [("G major", 7), ("e minor", 16), ("Bb", 10), ("C#m", 13), ("F♯ minor", 18), ("Cb", 11)]
)
def test_a_key_is_read_as_people_write_it(text, key):
    assert parse_key(text) == key


def test_written_files_say_the_piece(tmp_path):
    piece = random_piece(6, 32, rests=False)
    files = output.write(piece, tmp_path / "out", tempo=100)
    assert [f.suffix for f in files] == [".mid", ".musicxml", ".wav", ".png"]
    for file in files[:2]:
        (back,) = read_file(file, 2)
        np.testing.assert_array_equal(back.pitches, piece.pitches, str(file))
        np.testing.assert_array_equal(back.struck, piece.struck, str(file))
    with wave.open(str(files[2])) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(32 / 2 * 60 / 100, abs=1.2)
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
    assert 20_000 < np.abs(samples).max() < 32767
    text = output.text(piece)
    assert text.count("S |") == text.count("B |") >= 2
    assert output.to_musicxml(piece, 100) == files[1].read_bytes()


def test_a_piece_whose_name_would_be_mathematics_is_drawn(tmp_path):
    piece = dataclasses.replace(random_piece(6, 8, rests=False), name="$x^^y$.abc")
    output.picture(piece, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000


@pytest.mark.slow
def test_composing_prints_the_score_and_writes_its_files(command, tmp_path):
    status, printed, _ = command("compose", "--bars", "4", "--key", "G major", "--seed", "5", "--out", tmp_path / "a")
    assert status == 0 and "G major" in printed
    assert {p.name for p in tmp_path.iterdir()} == {"a.mid", "a.musicxml", "a.wav", "a.png"}


def test_a_melody_is_harmonised_continued_and_scored_by_command(command, tmp_path):
    melody = midi_file(tmp_path / "melody.mid", FOUR[:1])
    status, printed, errors = command("harmonise", melody, "--out", tmp_path / "h", "--beam", "2")
    assert status == 0, errors
    (piece,) = read_file(tmp_path / "h.mid", 1)
    assert (piece.pitches[:, 0] == 72).all() and (piece.pitches[:, 3] > 0).all()
    status, printed, _ = command("continue", tmp_path / "h.mid", "--keep", "1", "--bars", "2", "--out", tmp_path / "c")
    assert status == 0 and "1 bar given, 2 written" in printed
    (longer,) = read_file(tmp_path / "c.mid", 1)
    np.testing.assert_array_equal(longer.pitches[:4], piece.pitches[:4])
    status, printed, _ = command("score", tmp_path / "h.mid")
    assert status == 0 and "Most surprising: bar" in printed and printed.count("\nbar ") == 2


BAD = {
    "an unknown data set": (["train", "--data", "jsb_chorale"], "Did you mean jsb_chorales?"),
    "an unknown representation": (["train", "--representation", "chords"], "--representation: expected one of voices"),
    "a key that does not exist": (["compose", "--key", "H major"], "--key: expected a key such as"),
    "no bars": (["compose", "--bars", "0"], "--bars: expected at least 1 and at most 200; received 0"),
    "a temperature below zero": (
        ["compose", "--temperature", "-1"],
        "--temperature: expected at least 0; received -1.0",
    ),
    "a tempo of nothing": (["compose", "--tempo", "0"], "--tempo: expected at least 20 and at most 400"),
    "too wide a beam": (["harmonise", "a.mid", "--beam", "101"], "--beam: expected at least 1 and at most 100"),
    "a folder to write to": (["compose", "--out", "."], "received the folder ."),
    "a folder that takes no files": (["harmonise", "a.mid", "--out", "/proc/x"], "--out: cannot write /proc/x"),
    "no such melody": (["harmonise", "none.mid"], "There is none at none.mid"),
    "no such chorale": (["score", "bwv99999"], "the number of a chorale"),
    "an unknown run": (["compose", "--run", "none"], "There is no run"),
}


@pytest.mark.parametrize("verb, what", [("harmonise", "the melody"), ("continue", "the piece")])
def test_a_piece_is_never_written_over_the_file_that_it_is_made_from(verb, what, command, tmp_path):
    (tmp_path / "mine.mid").write_bytes(b"mine")
    status, _, errors = command(verb, tmp_path / "mine.mid", "--out", tmp_path / "mine")
    assert status == 2 and f"--out: expected another file than that of {what}" in errors
    assert (tmp_path / "mine.mid").read_bytes() == b"mine"


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gives_one_line_and_status_2(name, command):
    words, expected = BAD[name]
    status, _, errors = command(*words)
    assert status == 2 and expected in errors
    assert len(errors.strip().splitlines()) == 1, errors


def test_a_piece_that_stays_on_one_pitch_is_written_again_unless_free():
    form = outline("toy", 2, 4, 2, 0)
    dull, lively = (make("toy", np.tile(row, (4, 1)).T, np.ones((16, 4)), 2) for row in ([60] * 16, [60, 62] * 8))
    seeds = []

    class Toy:
        info = {"ranges": [[40, 80]] * 4, "rests": [0.0] * 4}
        representation, slots = "voices", 4

        def write(self, forms, allowed, *, seed, **how):
            seeds.append(seed)
            return [lively, dull if len(seeds) < 3 else lively]

    assert varied(Toy(), [form] * 2, 5, 1.0, 0.9) == [lively, lively]
    assert len(set(seeds)) == 3
    seeds.clear()
    assert varied(Toy(), [form] * 2, 5, 1.0, 0.9, free=True) == [lively, dull]
    assert seeds == [5]


def test_a_program_gets_each_melody_harmonised_with_random_numbers_of_its_own(monkeypatch):
    used, verbs = [], {}
    monkeypatch.setattr(serve, "harmony", lambda predictor, options: used.append(options.seed) or (0, None, 0.0))
    monkeypatch.setattr(serve, "described", lambda piece, seed, tempo: {})
    monkeypatch.setattr(serve.Predictor, "load", lambda name: types.SimpleNamespace(run=types.SimpleNamespace(path="")))
    monkeypatch.setattr(serve.service, "run", lambda offered, *more: verbs.update(offered))
    serve.serve(Serve())
    harmonise, asked = verbs["harmonise"].answer, vars(serve.Asked())
    harmonise([Path("a.abc")] * 3, **asked | {"seed": 1})
    harmonise([Path("a.abc")], **asked | {"seed": 1})
    harmonise([Path("a.abc")] * 2, **asked)
    assert used[0] == used[3] == 1 and len({*used[:3]}) == 3 and used[4:] == [None, None]


def spelled_last(allowed, time, slot):
    """The pitch classes that a slot may have at a time."""
    return {int(c) for c in cadence.CLASSES[allowed[time, slot]] if c >= 0}


@pytest.mark.parametrize(("key", "third"), [("G major", 11), ("E minor", 7)])
def test_a_composed_piece_may_only_end_on_the_tonic_chord_with_the_tonic_in_the_bass(key, third):
    form = outline("", 2, 4, 2, parse_key(key))
    tonic = form.key % 12
    (allowed,) = free_tokens(writer_of(), [form], ranges=True)
    before = allowed.copy()
    cadence.end_on_tonic(allowed, form, "voices")
    start = len(form) - 4  # the last two quarters of the last bar
    np.testing.assert_array_equal(allowed[:start], before[:start])
    assert [spelled_last(allowed, start, slot) for slot in range(4)] == [
        {tonic, third, (tonic + 7) % 12} if slot != 1 else {tonic}
        for slot in range(4)  # soprano, bass, alto, tenor
    ]
    assert not allowed[start, :, NOTHING_NEW].any() and allowed[start + 1 :, :, NOTHING_NEW].all()


def test_a_roll_may_only_end_on_three_falling_notes_of_the_chord_and_the_tonic():
    form = outline("", 1, 4, 2, parse_key("A minor"))
    (allowed,) = free_tokens(writer_of("roll"), [form], ranges=True)
    cadence.end_on_tonic(allowed, form, "roll")
    for choose in (max, min):  # the highest and the lowest pitch wherever there is a choice
        pitches, below = [], VOCABULARY
        for slot in range(4):
            below = choose(token for token in np.flatnonzero(allowed[-1, slot]) if token < below)
            pitches.append(cadence.CLASSES[below])
        assert set(pitches) <= {9, 0, 4} and pitches[-1] == 9
    assert not allowed[-1, :4, NOTHING_NEW].any() and np.flatnonzero(allowed[-1, 4]).tolist() == [NOTHING_NEW]


def test_below_a_melody_the_last_chord_is_the_tonic_if_it_has_the_last_note():
    def bass(key, last):
        pitches = np.zeros((8, SLOTS), int)
        pitches[:, 0] = [67, 67, 69, 69, 71, last, last, last]
        form = make("", pitches, np.arange(8)[:, None] % 2 == 0, 2, key=parse_key(key))
        (allowed,) = free_tokens(writer_of(), [form], ranges=True)
        cadence.end_on_tonic(allowed, form, "voices", melody=True)
        return spelled_last(allowed, 6, 1), spelled_last(allowed, 6, 2)

    assert bass("G major", 67) == ({7}, {7, 11, 2})
    assert bass("E minor", 68) == ({4}, {4, 8, 11})  # the major third of a minor key
    for free in (bass("G major", 69), bass("G major", 70)):
        assert free == (set(range(12)), set(range(12)))


def test_every_way_to_write_ends_on_the_tonic_unless_any_ending_is_wanted():
    form, seen = outline("toy", 2, 4, 2, 7), []

    class Toy:
        info = {"ranges": [[40, 80]] * 4, "rests": [0.0] * 4}
        representation, slots, steps = "voices", 4, 2

        def write(self, forms, allowed, **how):
            seen.append(spelled_last(allowed[0], -1, 1))
            return [make("toy", np.tile([60, 62] * 8, (4, 1)).T, np.ones((16, 4)), 2)]

    melody = make("m", np.full((8, 4), 67), np.ones((8, 4)), 2)
    for any_ending in (False, True):
        varied(Toy(), [form], 1, 1.0, 0.9, any_ending=any_ending)
        harmonised(Toy(), melody, 7, 1, 0.7, 0.9, 1, any_ending=any_ending)
    assert seen == [{7}, {7}, set(range(12)), set(range(12))]


def test_the_table_says_in_words_that_less_was_copied():
    row = {"mean": 3.0, "most": 4.0, "corpus_mean": 6.0, "corpus_5": 4.0, "corpus_95": 8.0, "inside": 0.2}
    found = {"copied_sonorities": row, "consonance": row | {"mean": 9.0}, "leaps": row | {"mean": 5.0}}
    music = {"pieces": 2, "bars": 4, "corpus_pieces": 3, "figures": found, "distances": {}, "free": {}}
    for text in (comparison.shown(music), comparison.markdown(music)):
        assert "no: less copied" in text and "no: higher" in text
    assert "chords in the longest passage that a piece shares with a training piece" in comparison.shown(music)


def test_a_melody_out_of_range_is_told_how_far_to_move(command, tmp_path):
    low = midi_file(tmp_path / "low.mid", [[(t, t + 1, 36) for t in range(8)]])
    status, _, errors = command("harmonise", low)
    assert status == 2 and "semitones" in errors and "low.mid goes from C2 to C2" in errors


def test_a_wrong_range_of_shares_is_refused():
    with pytest.raises(InputError, match="together less than 1"):
        Config(valid_fraction=0.6, test_fraction=0.5)
