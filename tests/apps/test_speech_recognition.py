"""The app as its user meets it, and what must hold between its parts."""

import dataclasses
import json
import shutil

import jiwer
import keras
import numpy as np
import pytest
import soundfile
from scipy.special import log_softmax

from apps.speech_recognition import baselines, certainty, data, evaluate, language, live, pictures, predict
from apps.speech_recognition.certainty import EVERY, Thresholds
from apps.speech_recognition.config import RECIPES, SMOKE, Config
from apps.speech_recognition.data import Data, Part
from apps.speech_recognition.features import Frames, prepared
from apps.speech_recognition.listener import Listener
from apps.speech_recognition.model import CTC, around, build, field
from apps.speech_recognition.options import Stream
from apps.speech_recognition.train import train_one
from apps.speech_recognition.transcript import Transcript, Word, Words, as_text, described, subtitles, words_of
from apps.speech_recognition.utterance import Utterance
from shared import InputError, ctc, runs
from tests.commands import run_here, trained

NAME = "speech_recognition"
APP = f"apps.{NAME}"
RATE = 8000
SMALL = Config(channels=6, units=5, layers=2, streaming=True)
INFO = {
    "features": "logmel",
    "sample_rate": RATE,
    "bands": 40,
    "width": 40,
    "deltas": False,
    "normalisation": "loudness",
    "streaming": True,
    "level": -6.0,
    "targets": "words",
    "symbols": ["", "one", "two", "three"],
    "texts": ["one two", "three"],
    "bucket_lengths": [120],
    "fingerprint": "x",
}


@pytest.fixture(scope="module")
def smoke():
    """The folder of runs after a smoke training, and what it printed."""
    return trained(NAME)


@pytest.fixture(scope="module")
def predictor(smoke):
    path = next(smoke[0].glob(f"{NAME}/*"))
    return predict.Predictor(runs.Run(path, NAME, json.loads((path / "config.json").read_text())["config"]))


def sound(seconds=1.5, seed=0):
    """Noise with a swelling loudness, as loud as speech."""
    count = int(seconds * RATE)
    noise = np.random.default_rng(seed).normal(size=count)
    return (0.1 * noise * (1.1 + np.sin(np.arange(count) / 700))).astype(np.float32)


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("sound") / "a.wav"
    soundfile.write(path, sound(), RATE)
    return path


# The streaming network


class Untrained:
    """What a `Predictor` knows, of a small network with large random weights, so that it hears words everywhere."""

    def __init__(self, info=INFO, config=SMALL):
        keras.utils.set_random_seed(3)
        self.info, self.config, self.stride = info, config, config.stride
        self.model = build(config, info)
        for weight in self.model.trainable_variables:
            weight.assign(3 * np.random.default_rng(len(weight.shape)).normal(size=weight.shape))
        self.symbols, self.targets, self.limits = info["symbols"], info["targets"], None
        self.listener = Listener(self.model, info, config.stride)


@pytest.fixture(scope="module")
def untrained():
    return Untrained()


def heard(listener, samples, cuts):
    listener.start()
    parts = [listener.hear(part) for part in np.split(samples, cuts)]
    return np.concatenate([*parts, listener.end()])


@pytest.mark.parametrize("cuts", [[1, 7, 300, 301], list(range(0, 12_000, 320)), [4000], [11_999]])
def test_what_is_streamed_does_not_depend_on_the_pieces_in_any_bit(untrained, cuts):
    samples = sound()
    whole = heard(untrained.listener, samples, [])
    assert ctc.greedy(whole)
    np.testing.assert_array_equal(heard(untrained.listener, samples, cuts), whole)


@pytest.mark.parametrize("frames", [1, 5, 147])
def test_what_is_streamed_is_what_the_network_gives_for_the_whole_recording(untrained, frames):
    samples = sound()[: 200 + 80 * (frames - 1)]
    x = prepared(Frames("logmel", RATE, 40)(samples), INFO)[None]
    assert x.shape[1] == frames
    logits = untrained.model.predict_on_batch([x, np.ones(x.shape[:2], bool)])
    streamed = heard(untrained.listener, samples, [500])
    np.testing.assert_allclose(streamed, keras.ops.log_softmax(logits)[0], atol=2e-4)


def test_the_streamed_words_are_those_of_the_whole_file_also_with_a_state_saved_in_between(untrained, tmp_path):
    samples = sound(3.0, seed=5)
    whole = heard(untrained.listener, samples, [])
    wanted = list(words_of(ctc.greedy(whole), untrained.symbols, "words", 4))
    assert len(wanted) > 2
    untrained.listener.start()
    before = live.Live(untrained)
    found = before.hear(samples[:9000])
    before.save(tmp_path / "state")
    untrained.listener.start()
    after = live.Live(untrained)
    after.restore(tmp_path / "state")
    found += after.hear(samples[9000:]) + after.end()
    assert found == wanted and after.seconds == 3.0


def test_what_a_stream_keeps_does_not_grow(untrained, monkeypatch):
    monkeypatch.setattr(live, "MOST_WORDS", 5)
    untrained.listener.start()
    monkeypatch.setattr(untrained, "limits", Thresholds(EVERY, EVERY))
    hearing, said = live.Live(untrained), []
    for second in range(8):
        said += hearing.said(hearing.hear(sound(1.0, seed=second)))
        assert len(hearing.sentence) <= 5 and len(hearing.reader.open) <= 1
        assert len(hearing.listener.samples) < hearing.listener.frames.window
        assert len(hearing.listener.waiting) < field(4)
    assert len(said) > 10
    assert all(line.endswith("...") != ("  (uncertain)   (least confidence " in line) for line in said)


def test_the_state_of_another_network_or_a_damaged_one_is_refused(untrained, tmp_path):
    untrained.listener.start()
    live.Live(untrained).save(tmp_path / "state")
    other = Untrained(INFO | {"fingerprint": "y"})
    with pytest.raises(ValueError, match="of a stream of this run; it is that of another"):
        live.Live(other).restore(tmp_path / "state")
    with np.load(tmp_path / "state") as file:
        kept = {name: file[name] for name in file.files}
    for name, broken in {"reading": "{}", "waiting": np.zeros(3, np.float32)}.items():
        np.savez(tmp_path / "broken.npz", **kept | {name: broken})
        with pytest.raises(ValueError, match="broken.npz: expected the saved state of a stream of this run"):
            live.Live(untrained).restore(tmp_path / "broken.npz")
    (tmp_path / "state").write_bytes(b"PK\x03\x04")
    with pytest.raises(ValueError, match="expected the saved state of a stream of this run"):
        live.Live(untrained).restore(tmp_path / "state")


def test_of_a_growing_file_only_what_is_new_is_read(tmp_path):
    path, samples = tmp_path / "feed.raw", np.arange(3000, dtype="<i2")
    options, position = Stream(feed=str(path)), live.Position(str(path))
    found = []
    for count in (2001, 2001, 6000):  # bytes; an odd one is half a sample
        path.write_bytes(samples.tobytes()[:count])
        found.append(np.concatenate([[], *live.feed(options, RATE, position)]))
    assert [len(part) for part in found] == [1000, 0, 2000]
    np.testing.assert_array_equal(np.concatenate(found) * live.FULL_SCALE, samples)
    path.write_bytes(b"1234")
    with pytest.raises(InputError, match="expected at least the 6,000 bytes that were heard; it is shorter"):
        next(live.feed(options, RATE, position))
    assert position.of("another") == live.Position("another", 0)


# The network


@pytest.mark.parametrize("stride, streaming", [(3, False), (4, True)])
def test_extra_padding_never_changes_a_recording_and_each_stride_of_frames_makes_a_step(stride, streaming):
    config = dataclasses.replace(SMALL, stride=stride, streaming=streaming, layers=1)
    model = build(config, INFO)
    random = np.random.default_rng(0)
    for frames in (stride, 21):
        x = random.normal(size=(1, frames, 40)).astype(np.float32)
        short = model.predict_on_batch([x, np.ones((1, frames), bool)])
        assert short.shape[1] == -(-frames // stride)
        padded = np.concatenate([x, random.normal(size=(1, 16, 40))], axis=1).astype(np.float32)
        long = model.predict_on_batch([padded, np.arange(frames + 16)[None] < frames])
        np.testing.assert_allclose(long[:, : short.shape[1]], short, atol=1e-5)


def test_the_look_ahead_is_what_follows_a_step_in_its_field():
    for stride in range(1, 9):
        before, after = around(stride)
        assert before + 1 + after == field(stride) and 0 <= before - after <= 1
    assert around(4)[1] == 6  # 60 ms


def test_the_loss_is_the_mean_over_the_symbols_of_the_nats_of_their_sequence():
    random = np.random.default_rng(0)
    logits = random.normal(size=(2, 6, 4)).astype(np.float32)
    targets = np.array([[6, 1, 2, 2], [4, 3, 0, 0]], np.int32)
    rows = keras.ops.convert_to_numpy(keras.ops.log_softmax(logits))
    wanted = [-ctc.log_probability(rows[0], (1, 2, 2)) / 3, -ctc.log_probability(rows[1, :4], (3,))]
    np.testing.assert_allclose(keras.ops.convert_to_numpy(CTC().call(targets, logits)), wanted, rtol=1e-4)


# A training


def test_training_prints_every_baseline_the_interval_the_speakers_and_what_to_try_next(smoke):
    _, printed = smoke
    assert "most_frequent_word" in printed and "dtw" in printed and "svm" in printed
    assert "95 % interval" in printed and "by speaker: " in printed and "said:  " in printed
    assert f"{APP} transcribe --run builtin-" in printed


def test_a_run_holds_all_that_it_needs_to_be_used_again(smoke):
    names = {path.name for path in smoke[0].glob(f"{NAME}/*/*")}
    assert {"model.keras", "info.json", "alignment.png", "confusions.png", "learning_curves.png"} <= names


def test_records_have_word_and_character_errors_and_those_of_single_words(smoke):
    records = json.loads(next(smoke[0].glob(f"{NAME}/*/metrics.json")).read_text())
    assert [record["metric"] for record in records] == ["wer", "cer", "isolated_error"]
    assert all(record["direction"] == "lower" and record["ahead"] for record in records)
    low, high = records[0]["details"]["interval"]
    assert low <= records[0]["value"] <= high
    assert set(records[2]["baselines"]) == {"dtw", "svm"}


@pytest.mark.slow
def test_a_command_transcribes_what_its_predictor_does(smoke, predictor, recording):
    (_, found, _) = next(predict.heard(predictor, recording))
    wanted = predictor.transcripts(found, None, 0)[0]
    done = run_here(APP, "transcribe", str(recording), "--json", GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["seconds"] == pytest.approx(1.48, abs=0.05)
    assert told["transcripts"][0]["text"] == wanted.text
    assert told["transcripts"][0]["words"] == [dataclasses.asdict(word) for word in wanted.words]


def test_a_folder_is_transcribed_with_n_best_subtitles_and_a_line_for_what_cannot_be_read(smoke, recording, tmp_path):
    shutil.copy(recording, tmp_path / "a.wav")
    shutil.copy(recording, tmp_path / "c.flac")
    (tmp_path / "b.wav").write_text("no sound")
    done = run_here(APP, "predict", str(tmp_path), "--nbest", "3", "--srt", GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 2, done.stderr
    assert f"{tmp_path / 'a.wav'}: " in done.stdout and f"{tmp_path / 'c.flac'}: " in done.stdout
    assert "  2. " in done.stdout and "nats)" in done.stdout
    assert done.stderr.startswith(f"left out: {tmp_path / 'b.wav'}: expected a recording")
    assert (tmp_path / "a.srt").exists() and (tmp_path / "c.srt").exists()


# What is marked as uncertain


def test_thresholds_mark_few_of_what_is_right_in_validation_and_all_if_nothing_is():
    random = np.random.default_rng(0)
    right = [random.uniform(0.6, 1, random.integers(1, 6)).tolist() for _ in range(1000)]
    found, means = certainty.thresholds(right), np.array([np.mean(words) for words in right])
    assert (means < found.transcript).mean() == pytest.approx(0.05, abs=0.002)
    assert (np.concatenate(right) < found.word).mean() == pytest.approx(0.02, abs=0.002)
    assert certainty.thresholds([[0.1], [0.2]]) == Thresholds(0.5, 0.5)
    assert certainty.thresholds([[], []]) == Thresholds(EVERY, EVERY)


def test_uncertain_words_and_transcripts_are_marked_as_text_and_as_values():
    plain = Transcript((Word("one", 0.0, 0.1, 0.99), Word("two", 0.2, 0.3, 0.71)), -1.0)
    found = plain.marked(Thresholds(word=0.8, transcript=0.9))
    assert as_text("a.wav", [found]).splitlines() == [
        "a.wav: one two  (uncertain)",
        "      0.00 -     0.10 s   0.99   one",
        "      0.20 -     0.30 s   0.71   two  (uncertain)",
    ]
    (told,) = described(0.5, [found])["transcripts"]
    assert (told["uncertain"], told["confidence"]) == (True, 0.85)
    assert [word["uncertain"] for word in told["words"]] == [False, True]
    sure = plain.marked(Thresholds(word=0.7, transcript=0.8))
    assert sure.uncertain is False and sure.and_then(found).later(1.0).uncertain and "(" not in as_text("x", [sure])
    assert Transcript((), 0.0).marked(Thresholds(1.0, 1.0)).uncertain is False
    unknown = described(0.5, [plain.marked(None)])["transcripts"][0]
    assert unknown["uncertain"] is None and unknown["words"][0]["uncertain"] is None


def test_a_run_learns_on_validation_what_it_marks_and_an_old_one_says_that_it_marks_nothing(
    smoke, predictor, recording, tmp_path
):
    shutil.copytree(predictor.run.path, tmp_path / NAME / "old")
    path = tmp_path / NAME / "old" / predict.CALIBRATION
    path.unlink()
    done = run_here(APP, "transcribe", str(recording), GALLERY_RUNS=str(tmp_path))
    assert done.returncode == 0 and "Its transcripts are not marked as uncertain." in done.stderr
    assert "(uncertain)" not in done.stdout
    old = predict.Predictor(dataclasses.replace(predictor.run, path=tmp_path / NAME / "old"))
    (_, found, raw) = next(predict.heard(old, recording))
    heard = old.transcripts(found, None, 0)[0]
    assert heard.words and heard.uncertain is None
    old.calibrate([Utterance(raw, text, "", "x", "x") for text in (heard.text, "nothing of the kind")])
    assert old.limits.transcript == max(0.5, heard.confidence) == json.loads(path.read_text())["transcript"]
    old.calibrate([Utterance(raw, "nothing of the kind", "", "x", "x")])
    assert old.transcripts(found, None, 0)[0].uncertain


def test_a_transcript_does_not_depend_on_the_recordings_beside_it(predictor):
    frames = Frames("logmel", RATE, 40)
    raws = [frames(sound(0.5 + 0.3 * n, seed=n)) for n in range(10)]
    together = predictor.log_probabilities(raws)
    for raw, found in zip(raws[:3], together, strict=False):
        np.testing.assert_allclose(predictor.log_probabilities([raw])[0], found, atol=1e-4)
        assert len(found) == -(-len(raw) // 4)


def test_a_hot_word_comes_up_where_it_is_likely_enough_and_an_unknown_one_is_refused(predictor, recording):
    (_, found, _) = next(predict.heard(predictor, recording))
    word = predictor.symbols[1]
    assert word in predictor.transcripts(found, predictor.lexicon([word], 50.0), 8)[0].text
    with pytest.raises(ValueError, match="--hot-words: expected words that the run was trained on"):
        predictor.lexicon(["xylophone"], 1.0)


def test_a_picture_is_drawn_where_asked(smoke, recording, tmp_path):
    done = run_here(APP, "predict", str(recording), "--picture", str(tmp_path / "p.png"), GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 0 and (tmp_path / "p.png").stat().st_size > 10_000


@pytest.mark.slow
def test_a_streaming_run_streams_what_it_transcribes(tmp_path, recording):
    words = ["train", "--recipe", "smoke", "--streaming", "--max-examples", "12"]
    done = run_here(APP, *words, GALLERY_RUNS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    told = json.loads(run_here(APP, "predict", str(recording), "--json", GALLERY_RUNS=str(tmp_path)).stdout)
    samples, _ = soundfile.read(recording, dtype="int16")
    (tmp_path / "feed.raw").write_bytes(samples.tobytes())
    done = run_here(APP, "stream", str(tmp_path / "feed.raw"), GALLERY_RUNS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    last = [line for line in done.stdout.splitlines() if " - " in line]
    streamed = " ".join(line.split(" s   ")[1].split("   (")[0] for line in last)
    assert streamed.replace("  (uncertain)", "") == told["transcripts"][0]["text"]
    assert "real-time factor" in done.stderr and "p99" in done.stderr
    done = run_here(APP, "stream", str(recording), GALLERY_RUNS=str(tmp_path))
    assert done.returncode == 2 and "expected raw samples without a header" in done.stderr


BAD = {
    "no run": (["predict", "no.wav", "--run", "nosuch"], "There is no run"),
    "no file": (["predict", "no.wav"], "no.wav: expected a recording or a folder"),
    "picture": (["predict", "a.wav", "--picture", "p.wav"], "--picture: expected a file ending in .png, .svg, .pdf"),
    "greedy": (["predict", "a.wav", "--beam", "0", "--nbest", "3"], "--beam: expected at least 1 with --nbest"),
    "state": (["stream", "-", "--state", "no/folder"], "--state: expected the path of a file in a folder that exists"),
    "no stream": (["stream", "-"], "Expected a run that was trained with --streaming"),
    "beam": (["predict", "a.wav", "--beam", "-1"], "--beam: expected at least 0"),
    "data": (["train", "--data", "fsd"], "Did you mean fsdd?"),
    "fold": (["train", "--data", "fsdd", "--fold", "6"], "--fold: expected less than 6"),
    "mfcc": (["train", "--features", "mfcc"], "--features: expected mfcc with --normalisation variance"),
    "streaming": (["train", "--streaming", "--deltas"], "--streaming: expected with --features logmel"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gives_one_line_and_status_2(name, smoke):
    words, said = BAD[name]
    done = run_here(APP, *words, GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 2 and said in done.stderr and len(done.stderr.strip().splitlines()) == 1


# What is said


def test_a_long_recording_is_cut_where_it_is_quiet_and_nothing_of_it_is_lost():
    rate = 1000
    samples = np.random.default_rng(0).normal(size=50 * rate).astype(np.float32)
    for second in (13, 27, 44):
        samples[second * rate : second * rate + 300] = 0
    found = list(predict.pieces(iter(np.split(samples, range(777, len(samples), 777))), rate))
    np.testing.assert_array_equal(np.concatenate(found), samples)
    assert all(len(piece) <= predict.LONGEST_S * rate for piece in found)
    ends = np.cumsum([len(piece) for piece in found])[:-1]
    assert [int(end // rate) for end in ends] == [13, 27, 44]


def test_a_language_model_prefers_what_it_has_read_and_weighs_as_it_is_told():
    texts = ["one two", "one two", "one three", "two"]
    for ngram in (1, 2, 3):
        score = language.model(texts, ["one", "three", "two"], Config(ngram=ngram, ngram_weight=1.0))
        assert score((0,), 2) > score((0,), 1) and score((), 0) < 0
        half = language.model(texts, ["one", "three", "two"], Config(ngram=ngram, ngram_weight=0.5))
        assert half((0,), 2) == pytest.approx(score((0,), 2) / 2)
    assert score((), 0) > score((), 1)  # no text begins with three
    assert language.model(texts, ["one"], Config(ngram=0))((), 0) == 0.0


def test_subtitles_have_a_few_words_each_and_their_times():
    words = [Word(f"w{n}", n * 0.5, n * 0.5 + 0.4, 0.9) for n in range(10)] + [Word("late", 3661.0, 3661.25, 0.5)]
    blocks = subtitles(words).strip().split("\n\n")
    assert blocks[0].splitlines() == ["1", "00:00:00,000 --> 00:00:04,000", "w0 w1 w2 w3 w4 w5 w6 w7"]
    assert blocks[-1].splitlines() == ["3", "01:01:01,000 --> 01:01:02,000", "late"]


def test_subtitles_replace_no_file_and_belong_to_one_recording(tmp_path):
    predict.check_subtitles([tmp_path / "a.wav", tmp_path / "b.flac"])
    with pytest.raises(InputError, match=r"a.wav and .*a.flac would both get .*a.srt"):
        predict.check_subtitles([tmp_path / "a.wav", tmp_path / "a.flac"])
    (tmp_path / "a.srt").write_text("corrected by hand")
    with pytest.raises(InputError, match=r"--srt: expected no .*a.srt yet"):
        predict.check_subtitles([tmp_path / "a.wav"])


def test_of_many_words_those_with_most_errors_are_shown():
    counts = {(f"w{n}", f"w{n}"): 9 for n in range(100)} | {("w7", "w8"): 2, ("w9", ""): 1}
    found = pictures.most_confused(counts)
    assert found[:2] == ["w7", "w8"] and found[2] == "w9" and len(found) == pictures.MOST_WORDS


def test_the_constant_baseline_is_as_long_as_is_best_in_training():
    part = Part([Utterance(np.zeros((9, 1)), text, "", "", text) for text in ("a b", *["a a a"] * 3)], [])
    assert baselines.common_words(Data(part, part, part, None, None, {})) == ["a a a"] * 4


def test_words_of_characters_end_at_spaces_and_their_confidence_is_a_geometric_mean():
    reader = Words(["", " ", "a", "b"], "characters", 4)
    spikes = [ctc.Spike(2, 0, 1, 0.9), ctc.Spike(3, 2, 4, 0.4), ctc.Spike(1, 5, 6, 1.0), ctc.Spike(2, 7, 8, 0.5)]
    assert reader.read(spikes) == [Word("ab", 0.0, 0.16, 0.6)]
    assert reader.begun() == "a" and reader.end() == [Word("a", 0.28, 0.32, 0.5)]
    assert reader.end() == []


def test_figures_of_several_folds_are_means_and_every_speaker_has_a_rate_of_their_own(smoke, tmp_path):
    run_of_smoke = next(smoke[0].glob(f"{NAME}/*"))
    settings = json.loads((run_of_smoke / "config.json").read_text())["config"]
    found = []
    for fold, speaker in enumerate("ab"):
        shutil.copytree(run_of_smoke, tmp_path / speaker)
        records = json.loads((tmp_path / speaker / "metrics.json").read_text())
        records[0]["value"], records[0]["details"]["by_speaker"] = 0.2 + 0.2 * fold, {speaker: 0.1 + fold}
        (tmp_path / speaker / "metrics.json").write_text(json.dumps(records))
        found.append(runs.Run(tmp_path / speaker, NAME, settings | {"fold": fold}))
    (main, *_) = evaluate.together(found)
    assert main["value"] == pytest.approx(0.3) and (main["n"], main["over"]) == (2, "folds")
    assert main["details"]["by_speaker"] == {"a": 0.1, "b": 1.1} and "interval" not in main["details"]
    evaluate.report([main])


def test_the_error_rate_is_that_of_the_whole_part_and_confusions_count_every_word():
    texts, found = ["one two three", "two"], ["one three", "two two"]
    counts = evaluate.edits(texts, found)
    rows = np.arange(2)
    assert evaluate.rate(counts, rows) == pytest.approx(jiwer.wer(texts, found)) == 0.5
    characters = evaluate.character_edits(texts, found)
    assert evaluate.rate(characters, rows) == pytest.approx(jiwer.cer(texts, found))
    pairs = evaluate.confusions(texts, found)
    assert pairs == {("one", "one"): 1, ("two", ""): 1, ("three", "three"): 1, ("two", "two"): 1, ("", "two"): 1}


@pytest.mark.slow
def test_the_network_learns_two_sounds_that_are_unlike(tmp_path, monkeypatch):
    monkeypatch.setenv("GALLERY_RUNS", str(tmp_path / "runs"))
    low, high = (0.3 * np.sin(2 * np.pi * hz * np.arange(2400) / RATE) for hz in (300, 1800))
    random, rows = np.random.default_rng(0), ["path,text,speaker"]
    for number in range(120):
        said = random.integers(0, 2, random.integers(1, 4))
        gaps = [np.zeros(int(random.integers(400, 1200)))]
        pieces = [piece for which in said for piece in ([*gaps, (low, high)[which]])]
        samples = np.concatenate([*pieces, *gaps])
        soundfile.write(tmp_path / f"{number}.wav", samples + random.normal(0, 0.003, len(samples)), RATE)
        rows.append(f"{number}.wav,{' '.join(('low', 'high')[which] for which in said)},{number % 10}")
    (tmp_path / "table.csv").write_text("\n".join(rows))
    config = dataclasses.replace(
        SMOKE, data=str(tmp_path), max_examples=0, channels=32, units=24, epochs=25, learning_rate=5e-3, dropout=0.0
    )
    records = train_one(config, runs.start(NAME, dataclasses.asdict(config), command="python -m test"))
    assert records[0]["value"] < 0.5 < records[0]["baselines"]["most_frequent_word"] + 0.2


@pytest.mark.data
@pytest.mark.slow
def test_characters_are_read_from_given_features_and_searched_with_the_words_of_training(tmp_path, monkeypatch):
    monkeypatch.setenv("GALLERY_RUNS", str(tmp_path))
    config = dataclasses.replace(
        RECIPES["an4"], max_examples=24, channels=8, units=8, layers=1, batch_size=8, buckets=1, epochs=1, beam=4
    )
    records = train_one(config, runs.start(NAME, dataclasses.asdict(config), command="python -m test"))
    assert [(r["metric"], r["options"]) for r in records if r["metric"] == "wer"] == [
        ("wer", {"beam": 4, "ngram": config.ngram}),
        ("wer", {"beam": 0}),
    ]
    assert records[0]["headline"] and not records[0]["published"]  # which is for the whole test set
    predictor = predict.Predictor(runs.find(NAME))
    words = {word for text in predictor.info["texts"] for word in text.split()}
    random = np.random.default_rng(0).normal(size=(60, len(predictor.symbols)))
    found = predictor.transcripts(log_softmax(random, axis=1), predictor.lexicon(), 8, 3)
    assert found[0].score >= found[-1].score and all(word in words for each in found for word in each.text.split())


def test_what_is_known_of_the_smoke_data_is_what_the_run_holds(predictor):
    assert data.load(SMOKE).info == dict(predictor.info)
