"""Recordings, features, augmentation and splits, without a training."""

import dataclasses
import io
import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from apps.speech_recognition import audio, augment, data, espeak, features, fsdd, sources, spoken, utterance
from apps.speech_recognition import folder as folders
from apps.speech_recognition.config import Config
from apps.speech_recognition.features import Frames
from apps.speech_recognition.sources import COMMANDS
from shared import InputError

RATE = 8000
TONE = (0.3 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.float32)
LOGMEL = Frames("logmel", RATE, 40)
WHOLE = {"normalisation": "loudness", "streaming": False, "deltas": False, "level": -5.0}


def write(path, samples=TONE, rate=RATE, **kind):
    soundfile.write(path, samples, rate, **kind)
    return path


# Recordings


@pytest.mark.parametrize(
    "name, rate, kind",
    [
        ("a.wav", 8000, {"subtype": "PCM_U8"}),
        ("a.wav", 44_100, {"subtype": "PCM_24"}),
        ("a.wav", 192_000, {"subtype": "FLOAT"}),
        ("a.flac", 16_000, {}),
        ("a.ogg", 16_000, {}),
        ("a.wav", 16_000, {"format": "FLAC"}),  # wrongly named
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_a_recording_of_any_kind_is_the_same_sound_at_the_rate_that_is_asked_for(name, rate, kind, channels, tmp_path):
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    path = write(tmp_path / name, np.stack([tone] * channels, axis=1), rate, **kind)
    found = audio.read(path, RATE)
    assert abs(len(found) - RATE) <= 2
    middle = slice(1000, 7000)  # a filter rings at the ends
    assert np.abs(found[: len(TONE)][middle] - TONE[: len(found)][middle]).max() < 0.02


def cut(path, count):
    path.write_bytes(path.read_bytes()[:count])
    return path


BAD = {
    "empty file": (lambda p: p.write_bytes(b""), "cannot be read"),
    "no samples": (lambda p: write(p, np.zeros(0)), "it is empty"),
    "silence": (lambda p: write(p, np.zeros(RATE)), "it is silent"),
    "text": (lambda p: p.write_text("hello"), "cannot be read"),
    "truncated wav": (lambda p: cut(write(p), 5000), "its end is missing"),
    "truncated ogg": (
        lambda p: cut(write(p, np.tile(spread_sound(0), 20), format="OGG"), 40_000),
        "its end is missing",
    ),
    "truncated aiff": (lambda p: cut(write(p, format="AIFF"), 5000), "its end is missing"),
    "cancelled": (lambda p: write(p, np.stack([TONE, -TONE], axis=1)), "its channels cancel each other"),
    "truncated flac": (lambda p: cut(write(p, format="FLAC"), 4000), ""),
    "not a number": (lambda p: write(p, np.r_[np.ones(500), np.nan], subtype="FLOAT"), "sample 500 is not"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_recording_that_cannot_be_right_is_refused_in_one_line_that_names_it(name, tmp_path):
    path = tmp_path / "bad.wav"
    spoil, said = BAD[name]
    spoil(path)
    with pytest.raises(InputError) as refusal:
        audio.read(path, RATE)
    assert str(path) in str(refusal.value) and said in str(refusal.value) and "\n" not in str(refusal.value)


def test_one_sample_is_read_and_refused_as_too_short_for_a_frame(tmp_path):
    samples = audio.read(write(tmp_path / "one.wav", TONE[5:6]), RATE)
    with pytest.raises(InputError, match="one.wav: expected at least 25 ms of sound; received 1 samples"):
        LOGMEL(samples, "one.wav")


def test_a_clipped_recording_is_flagged_and_read(tmp_path, capsys):
    audio.read(write(tmp_path / "loud.wav", np.clip(10 * TONE, -1, 1)), RATE)
    assert "loud.wav: " in (said := capsys.readouterr().err) and "samples are clipped" in said
    audio.read(write(tmp_path / "fine.wav"), RATE)
    assert capsys.readouterr().err == ""


def test_a_wav_of_unknown_length_as_a_pipe_writes_it_is_read(tmp_path):
    path = write(tmp_path / "pipe.wav")
    content = bytearray(path.read_bytes())
    content[4:8] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    assert len(audio.read(path, RATE)) == RATE


def test_a_folder_gives_its_recordings_by_name_and_one_without_any_is_refused(tmp_path):
    for name in ("b.wav", "a.wav"):
        write(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no sound")
    assert [path.name for path in audio.find((str(tmp_path),))] == ["a.wav", "b.wav"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="the folder has none"):
        audio.find((str(tmp_path / "empty"),))
    with pytest.raises(InputError, match="no.wav: expected a recording or a folder"):
        audio.find((str(tmp_path / "no.wav"),))


# Features


def test_a_frame_begins_every_10_ms_and_the_energy_of_a_tone_lies_in_its_band():
    raw = LOGMEL(TONE)
    assert len(raw) == 1 + (len(TONE) - 200) // 80 == LOGMEL.count(len(TONE))
    import librosa

    centres = librosa.mel_frequencies(42, fmin=50.0, fmax=RATE / 2)[1:-1]
    assert abs(centres[raw.mean(axis=0).argmax()] - 440) < 50
    later = LOGMEL(TONE[800:])
    np.testing.assert_allclose(later[:20], raw[10:30], atol=1e-4)


def test_mfcc_follow_the_settings_of_sphinx_for_a_tone_and_for_its_loudness():
    frames = Frames("mfcc", 16_000, 40)
    tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    quiet, loud = frames(0.1 * tone), frames(0.4 * tone)
    assert quiet.shape == (98, 13)
    # An energy 16 times as high adds its logarithm to each band, and so to the first coefficient, less half a band.
    np.testing.assert_allclose((loud - quiet)[:, 0].mean(), np.log(16) * 39.5 / 40, rtol=1e-3)
    assert np.abs((loud - quiet)[:, 1:]).max() < np.log(16) / 40
    speech_like = frames(0.1 * np.random.default_rng(0).normal(size=16_000).astype(np.float32))
    assert 5 < speech_like[:, 0].mean() < 20  # that of an4 is 9, with a deviation of 3


def test_loudness_is_the_only_thing_that_normalisation_takes_away():
    speech = LOGMEL(spread_sound(1))
    quiet = LOGMEL(0.01 * spread_sound(1))
    np.testing.assert_allclose(features.prepared(quiet, WHOLE), features.prepared(speech, WHOLE), atol=2e-3)


def spread_sound(seed):
    """Noise with a swelling loudness."""
    noise = np.random.default_rng(seed).normal(size=RATE)
    return (0.1 * noise * (1.1 + np.sin(np.arange(RATE) / 700))).astype(np.float32)


def test_the_running_loudness_knows_only_the_past_and_does_not_depend_on_the_pieces():
    levels = features.loudness(LOGMEL(spread_sound(2)))
    whole = features.Running(1e-3).levels(levels)
    running = features.Running(1e-3)
    pieces = np.concatenate([running.levels(part) for part in np.split(levels, [1, 7, 40])])
    np.testing.assert_array_equal(pieces, whole)
    np.testing.assert_array_equal(features.Running(1e-3).levels(levels[:30]), whole[:30])
    steady = features.Running(1e-3).levels(np.full(3000, -2.0))
    assert abs(steady[0] + 2) > 1 and abs(steady[-1] + 2) < 0.1


def test_slopes_are_those_of_a_straight_line():
    line = np.arange(10.0)[:, None] * [1.0, -2.0]
    np.testing.assert_allclose(features.with_deltas(line)[2:-2, 2:], np.tile([1.0, -2.0], (6, 1)))


def test_variance_normalisation_gives_each_feature_mean_0_and_variance_1():
    info = {"normalisation": "variance", "deltas": True}
    found = features.prepared(LOGMEL(spread_sound(3)), info)
    assert found.shape[1] == 80
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(found.std(axis=0), 1, atol=0.05)


# Augmentation


def test_tempo_stretches_time_and_keeps_the_first_and_the_last_frame():
    raw = LOGMEL(spread_sound(4))
    for count in (50, len(raw), 150):
        found = augment.at_tempo(raw, count)
        assert len(found) == count
        np.testing.assert_allclose(found[[0, -1]], raw[[0, -1]], rtol=1e-5)
    np.testing.assert_allclose(augment.at_tempo(raw, len(raw)), raw, rtol=1e-4)
    assert augment.at_tempo(raw[:1], 3).shape == (3, 40)


def test_another_vocal_tract_moves_the_peak_by_its_factor_and_none_changes_nothing():
    bands = np.exp(-0.5 * ((np.arange(40) - 20) / 2.0) ** 2).astype(np.float32)
    import librosa

    centres = librosa.mel_frequencies(42, fmin=50.0, fmax=RATE / 2)[1:-1]
    np.testing.assert_allclose(augment.vocal_tract(LOGMEL, 1.0), np.eye(40), atol=1e-6)
    for factor in (0.9, 1.1):
        moved = augment.vocal_tract(LOGMEL, factor) @ bands
        assert abs(centres[moved.argmax()] * factor / centres[20] - 1) < 0.05
    mfcc = Frames("mfcc", 16_000, 40)
    np.testing.assert_allclose(augment.vocal_tract(mfcc, 1.0), np.eye(13), atol=1e-5)


def test_noise_is_as_loud_as_its_ratio_says():
    raw, random = LOGMEL(spread_sound(5)), np.random.default_rng(0)
    added = [features.total(features.loudness(augment.noisy(raw - 40, ratio, random))) for ratio in (-60.0,) * 20]
    # 60 dB louder than the sound: nothing but the noise is left.
    assert abs(np.mean(added) - (features.total(features.loudness(raw)) - 40 + 60 * augment.NATS_A_DB)) < 3


def test_masks_hide_a_share_of_time_and_features_at_most_and_the_utterance_itself_is_not_changed():
    x = np.ones((100, 40), np.float32)
    for seed in range(20):
        found = augment.masked(x, 0.1, np.random.default_rng(seed))
        assert set(np.unique(found)) <= {0.0, 1.0} and x.all()
        assert (found == 0).all(axis=1).sum() <= 20 and (found == 0).all(axis=0).sum() <= 8
    np.testing.assert_array_equal(augment.masked(x, 0.0, np.random.default_rng(0)), x)


# Sources


def test_no_voice_family_is_in_two_parts_and_each_digit_is_spoken():
    seen = {
        part: {voice for family in families for voice in family.split()} for part, families in spoken.FAMILIES.items()
    }
    assert not seen["train"] & seen["test"] and not seen["train"] & seen["valid"] and not seen["valid"] & seen["test"]
    for part, voices in {"train": "train", "isolated": "test", "examples": "train"}.items():
        planned = spoken.plan(part)
        assert {speaker for speaker, _ in planned} <= seen[voices]
        assert {word for _, line in planned for word in line[3].split()} == set(spoken.WORDS)


def test_the_built_in_utterances_are_spoken_once_and_then_read_from_a_file(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    first = spoken.utterances("valid", RATE, 3)
    assert len(first) == 3 and all(len(sound) > RATE / 2 and np.abs(sound).max() > 0.01 for sound, _, _ in first)
    monkeypatch.setattr(spoken, "speak", None)
    again = spoken.utterances("valid", RATE, 3)
    assert all((a[0] == b[0]).all() and a[1:] == b[1:] for a, b in zip(first, again, strict=True))
    (kept,) = tmp_path.rglob("*.npz")
    kept.write_bytes(kept.read_bytes()[:100])
    assert spoken._kept(kept) is None


def test_without_the_package_or_with_a_wrong_voice_the_built_in_data_is_refused_in_one_line(monkeypatch):
    with pytest.raises(InputError, match="cannot speak 'one' with the voice nobody"):
        spoken.speak([("nobody", 150, 50, "one")], RATE)
    missing = subprocess.CompletedProcess([], espeak.NOT_INSTALLED, b"", b"")
    monkeypatch.setattr(spoken.subprocess, "run", lambda *_, **__: missing)
    with pytest.raises(InputError, match="expected the package espeakng-loader.*not installed"):
        spoken.speak([("en", 150, 50, "one")], RATE)


def test_the_program_that_speaks_says_that_the_package_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    assert espeak.main() == espeak.NOT_INSTALLED


def test_people_s_digits_are_trained_on_with_every_voice_of_the_built_in_data_where_asked(tmp_path, monkeypatch):
    mine = of_george()
    monkeypatch.setattr(sources.fsdd, "read", lambda config, frames: {part: list(mine) for part in ("train", "test")})
    monkeypatch.setattr(sources.spoken, "utterances", lambda part, rate, most: [(TONE, part, f"voice of {part}")])
    without = sources.read(Config(data="fsdd"))
    found = sources.read(Config(data="fsdd", voices=True))
    assert without["train"] == found["train"][: len(mine)] == found["test"] == mine
    # the examples too, which have single digits
    assert sorted(u.text for u in found["train"][len(mine) :]) == sorted(sources.BUILTIN)


def of_george():
    return [utterance.Utterance(LOGMEL(TONE), "one", "george", "fsdd, train", 0)]


def test_the_voices_are_of_fsdd_alone():
    with pytest.raises(InputError, match="expected fsdd with --voices, else give --no-voices; received builtin"):
        Config(voices=True)


def test_without_the_package_people_s_digits_with_voices_are_refused_and_the_way_out_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))  # nothing was spoken before
    missing = subprocess.CompletedProcess([], espeak.NOT_INSTALLED, b"", b"")
    monkeypatch.setattr(spoken.subprocess, "run", lambda *_, **__: missing)
    monkeypatch.setattr(sources.fsdd, "read", lambda config, frames: {"train": []})
    with pytest.raises(InputError, match="--voices: expected the package espeakng-loader.*--no-voices") as refusal:
        sources.read(Config(data="fsdd", voices=True, max_examples=1))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "text, words",
    [("Hello, World!", "hello world"), ("it’s  ÉTÉ", "it's été"), ("e\u0301t\u0301", "ét\u0301")],
)
def test_transcripts_are_lower_case_words_without_punctuation(text, words):
    assert utterance.cleaned(text, "here") == words


@pytest.mark.parametrize(
    "text, said", [("room 101", "the transcript has '1'"), ("a & b", "'&'"), ("...", "at least one word")]
)
def test_a_transcript_with_what_is_no_letter_is_refused_with_its_place(text, said):
    with pytest.raises(InputError, match=r"table.csv, line 3: ") as refusal:
        utterance.cleaned(text, "table.csv, line 3")
    assert said in str(refusal.value)


def folder(tmp_path, rows=12, head="path,text,speaker", texts=("one two", "two three", "three one")):
    lines = [head]
    for number in range(rows):
        write(tmp_path / f"{number}.wav", spread_sound(number))
        lines.append(f"{number}.wav,{texts[number % len(texts)]},{'abcdef'[number % 6]}")
    (tmp_path / "table.csv").write_bytes("\r\n".join(lines).encode("utf-8-sig"))
    return tmp_path


def test_a_folder_with_a_table_is_split_by_speaker(tmp_path):
    found = data.load(Config(data=str(folder(tmp_path)), buckets=1))
    parts = {name: {u.speaker for u in getattr(found, name).utterances} for name in ("train", "valid", "test")}
    assert set.union(*parts.values()) == set("abcdef")
    assert sum(map(len, parts.values())) == 6
    assert found.info["split"].endswith(" h, 1 speaker)")
    assert found.info["targets"] == "words" and found.info["symbols"] == ["", "one", "three", "two"]


def test_the_recording_to_try_next_is_one_of_the_validation_part_and_none_is_read_for_it(tmp_path):
    config = Config(data=str(folder(tmp_path)), buckets=1)
    places = [u.where for u in data.load(config).valid.utterances]
    paths = {where: path for path, _, _, where in folders.recordings(config.data)}
    for path in tmp_path.glob("*.wav"):
        path.write_bytes(b"")
    assert folders.held_out(config) == paths[places[0]]


BAD_TABLES = {
    "missing file": ("path,text\n1.wav,one\nno.wav,two", "table.csv, line 3: expected a recording; there is no file"),
    "missing transcript": ("path,text\n0.wav,one", "expected a transcript of each recording in its folder"),
    "empty text": ("path,text\n0.wav,", "table.csv, line 2"),
    "no text column": ("path,words\n0.wav,one", "Expected a column 'text'"),
    "twice": ("path,text\n0.wav,one\n0.wav,one", "line 3: expected each recording once"),
    "twice under two names": ("path,text\n0.wav,one\n./../table/0.wav,one", "line 3: expected each recording once"),
    "no rows": ("path,text", "expected rows of recordings and transcripts"),
    "digit": ("path,text\n0.wav,room 5", "line 2: expected letters"),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_a_table_that_cannot_be_right_is_refused_with_file_and_row(name, tmp_path):
    content, said = BAD_TABLES[name]
    table = tmp_path / "table"
    table.mkdir()
    for number in range(2):
        write(table / f"{number}.wav")
    (table / "table.csv").write_text(content)
    with pytest.raises(InputError) as refusal:
        sources.read(Config(data=str(table)))
    assert said in str(refusal.value) and "\n" not in str(refusal.value)


def test_a_relative_folder_may_have_a_table_of_absolute_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.wav")
    (tmp_path / "table.csv").write_text(f"path,text\n{tmp_path / 'a.wav'},one")
    assert len(folders.recordings(".")) == 1


def test_a_bad_recording_is_refused_with_its_row_and_a_folder_needs_one_table(tmp_path):
    folder(tmp_path, 2)
    (tmp_path / "1.wav").write_text("no sound")
    with pytest.raises(InputError, match=r"table.csv, line 3: .*1.wav: expected a recording"):
        sources.read(Config(data=str(tmp_path)))
    (tmp_path / "table.csv").unlink()
    with pytest.raises(InputError, match="expected one CSV or TSV file with the columns path and text; found none"):
        sources.read(Config(data=str(tmp_path)))


def test_an_utterance_that_is_too_short_for_its_transcript_or_has_a_new_symbol_is_left_out_and_named(tmp_path, capsys):
    texts = ("one two", "two three", "three one", " ".join(["one"] * 40))
    found = data.load(Config(data=str(folder(tmp_path, 24, texts=texts)), targets="words", buckets=1))
    said = capsys.readouterr().err
    assert "train utterances are left out" in said and "too short for its transcript" in said and "line " in said
    assert all(len(labels) < 40 for labels in found.train.labels)
    assert any(len(labels) == 40 for labels in found.test.labels + found.valid.labels) or "valid" in said


def test_an_utterance_longer_than_the_longest_is_left_out(tmp_path, capsys):
    folder(tmp_path, 24)
    for number in range(5):  # the first ones of all speakers but one
        write(tmp_path / f"{number}.wav", np.tile(spread_sound(1), 3))
    data.load(Config(data=str(tmp_path), longest=2.0, buckets=1))
    assert "(longer than --longest 2 seconds)" in capsys.readouterr().err


# Batches


def spoken_part(count=5):
    random = np.random.default_rng(0)
    raws = [random.normal(size=(int(n), 40)).astype(np.float32) for n in random.integers(30, 60, count)]
    utterances = [utterance.Utterance(raw, "one two", "a", "here", 0) for raw in raws]
    return data.Part(utterances, [np.array([1, 2], np.int32)] * count)


INFO = WHOLE | {"features": "logmel", "sample_rate": RATE, "bands": 40, "width": 40, "bucket_lengths": [60]}


def test_a_batch_has_frames_mask_steps_and_symbols_and_is_the_same_for_the_same_step():
    batches = data.Spoken(spoken_part(), Config(), INFO, 2, seed=3, augment=True)
    for step in range(batches.steps):
        (x, mask), targets, weights = batches.batch(1, step)
        assert x.shape[1] == 72 and x.shape[:2] == mask.shape  # 60, a seventh longer, and a multiple of 4
        np.testing.assert_array_equal(targets[:, 0], -(-mask.sum(axis=1) // 4))
        np.testing.assert_array_equal(targets[:, 1:], [[1, 2]] * 2)
        assert not x[~mask].any()
        again = batches.batch(1, step)
        np.testing.assert_array_equal(again[0][0], x)
        assert not np.array_equal(batches.batch(2, step)[0][0], x)
    assert sum(batches.batch(0, step)[2].sum() for step in range(batches.steps)) == 5


def test_without_augmentation_a_batch_has_the_prepared_frames_themselves():
    part = spoken_part(2)
    batches = data.Spoken(part, Config(), INFO, 2, seed=0, augment=False)
    (x, mask), _, _ = batches.batch(0, 0)
    for number, row in enumerate(batches.rows(0, 0)):
        wanted = features.prepared(part.utterances[row].raw, INFO)
        np.testing.assert_array_equal(x[number][mask[number]], wanted)


def test_a_faster_tempo_always_leaves_enough_steps_for_the_symbols():
    part = spoken_part(1)
    raw = part.utterances[0].raw[:40]
    tight = data.Part([dataclasses.replace(part.utterances[0], raw=raw)], [np.array([1] * 5, np.int32)])
    batches = data.Spoken(tight, Config(speed=0.9), INFO, 1, seed=0, augment=True)
    for epoch in range(20):
        _, targets, _ = batches.batch(epoch, 0)
        assert targets[0, 0] >= 9


# Real data


@pytest.mark.data
def test_fsdd_holds_out_one_speaker_and_the_official_split_shares_them():
    found = sources.read(Config(data="fsdd", fold=2, max_examples=30))
    speakers = {part: {u.speaker for u in some} for part, some in found.items()}
    assert speakers["test"] == speakers["isolated"] == {"lucas"}
    assert "lucas" not in speakers["train"] | speakers["valid"] | speakers["examples"]
    assert all(3 <= len(u.text.split()) <= 7 for u in found["test"])
    official = sources.read(Config(data="fsdd", split="official", max_examples=30))
    assert len({u.speaker for u in official["isolated"]}) > 1


@pytest.mark.data
def test_fsdd_files_are_found_under_their_own_names():
    recordings = fsdd.recordings_of_all()
    assert len(recordings) == 3000
    assert {len(x) for x in recordings.values()} == {len(x) for x in recordings.values() if 1000 < len(x) < 20_000}
    assert sum(map(len, recordings.values())) / 8000 == pytest.approx(1312, abs=1)


@pytest.mark.data
def test_an4_has_the_official_test_speakers_and_validates_on_others():
    found = sources.read(Config(data="an4", features="mfcc", normalisation="variance", sample_rate=16_000))
    speakers = {part: {u.speaker for u in some} for part, some in found.items()}
    assert len(found["test"]) == 130 and len(speakers["test"]) == 10
    assert len(found["train"]) + len(found["valid"]) == 948 and not speakers["train"] & speakers["valid"]
    assert sum(len(u.text.split()) for u in found["test"]) == 773
    assert not speakers["test"] & (speakers["train"] | speakers["valid"])


def test_an4_without_its_file_or_with_other_features_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("GALLERY_DATA", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(InputError, match="--data an4: expected the file an4/an4_mfcc.h5 in"):
        sources.read(Config(data="an4"))


def test_joined_wav_files_are_taken_apart():
    files = []
    for count in (10, 300):
        file = io.BytesIO()
        soundfile.write(file, TONE[:count], RATE, format="WAV")
        files.append(file.getvalue())
    assert list(fsdd.wavs(b"".join(files))) == files


def test_what_was_learned_from_the_data_fits_json(tmp_path):
    found = data.load(Config(data=str(folder(tmp_path)), buckets=1))
    assert json.loads(json.dumps(found.info)) == found.info


@pytest.mark.parametrize("key", ["text", "label"])
def test_sets_of_sentences_and_of_commands_are_read_with_their_own_parts(key, monkeypatch):
    sound = (3000 * TONE).astype(np.int64)
    said = {"text": [b"HELLO THERE", b"OH"], "label": [COMMANDS.index("stop"), COMMANDS.index("_silence_")]}[key]
    examples = [{"audio": sound, key: each, "speaker_id": 7} for each in said]
    monkeypatch.setattr(sources.tfds, "splits", lambda name: ["test_clean", "train_clean100", "dev_clean"])
    monkeypatch.setattr(sources.tfds, "load_examples", lambda name, split: examples)
    found = sources.read(Config(data="tfds:some"))
    wanted = ["hello there", "oh"] if key == "text" else ["stop"]
    assert {part: [u.text for u in some] for part, some in found.items()} == dict.fromkeys(
        ("train", "valid", "test"), wanted
    )
    assert found["test"][0].speaker == "7"
    monkeypatch.setattr(sources.tfds, "splits", lambda name: ["train"])
    with pytest.raises(InputError, match="expected train, validation and test parts; it has train"):
        sources.read(Config(data="tfds:some"))


def test_the_commands_are_in_the_order_of_the_set():
    import tensorflow_datasets as tfds

    with tfds.testing.mock_data(num_examples=1):
        assert tuple(tfds.builder("speech_commands").info.features["label"].names) == COMMANDS
