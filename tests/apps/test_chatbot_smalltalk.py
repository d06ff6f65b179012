"""The small talk: dialogues are read without leaks, a word at a time is the whole, and replies are chosen as said."""

import json

import numpy as np
import pytest
from keras import ops

from apps.chatbot.smalltalk import config, data, evaluate, predict
from apps.chatbot.smalltalk.model import build
from shared import InputError, runs
from shared.data.text import SPECIALS
from tests.commands import run_here

APP = "apps.chatbot"
WORDS = [*SPECIALS, "how", "are", "you", "?", "fine", ",", "thanks", "."]
SMALL = config.TalkConfig(units=8, embedding=8, max_words=6, candidates=3, top_k=0, mmi_weight=0.5)


def own_dialogues(path, count=40):
    turns = ["how are you ?", "fine , thanks .", "and number {} ?", "number {} is fine ."]
    path.write_text("\n".join(" __eou__ ".join(turns).format(n, n) + " __eou__" for n in range(count)))
    return path


@pytest.fixture
def talker(tmp_path):
    """A network that has learned nothing, saved and loaded as a run."""
    info = {"words": WORDS, "max_words": 6, "context": 2, "bucket_lengths": [7]}
    kept = runs.Run(tmp_path / "run", config.TALK_APP, vars(SMALL) | {})
    kept.begin(info)
    kept.save_model(build(SMALL, info))
    return predict.Predictor(kept, seed=1)


def test_words_of_the_corpus_are_mended_and_written_as_a_person_would():
    found = data.words("Let ' s go , I don \u2019 t mind.It's 5pm")
    assert found == ["let", "'s", "go", ",", "i", "don", "'t", "mind", ".", "it", "'s", "5", "pm"]
    assert data.sentence(found) == "Let's go, I don't mind. It's 5 pm"


def test_no_dialogue_of_valid_or_test_is_trained_on():
    one, other, third = ([["a"], [word]] for word in "bcd")
    shouted = [["A", "!"], ["B"]]
    parts = data.distinct({"train": [one, shouted, other, third], "valid": [other, one], "test": [[["a"], ["b"]]]})
    assert parts == {"train": [shouted, third], "valid": [other], "test": [one]} or parts["train"] == [third]


def test_what_was_said_is_the_last_words_with_an_end_between_turns():
    words = data.Vocabulary(tuple(WORDS))
    found = data.message_ids([["how", "are", "you"], ["fine"]], words, 3)
    assert words.decode(found) == ["<bos>", "you", "<eos>", "fine"]


def test_batches_write_what_comes_next_and_sometimes_answer_to_nothing():
    part = data.Part([], [], [(np.array([2, 4, 5], np.int32), np.array([6, 7, 3], np.int32))] * 64)
    info = {"max_words": 6, "bucket_lengths": [4]}
    (written, said), targets, weights = data.PairBatches(part, info, 64, 1, 0.5).batch(0, 0)
    assert written[0].tolist() == [2, 6, 7, 0] and targets[0].tolist() == [6, 7, 3, 0]
    assert weights[0].tolist() == [1, 1, 1, 0]
    silent = (said == [2, 0, 0, 0, 0, 0, 0]).all(axis=1)
    assert 10 < silent.sum() < 54 and (said[~silent] == [2, 4, 5, 0, 0, 0, 0]).all()


def test_a_word_at_a_time_is_what_the_network_computes_at_once(talker):
    said = np.array([[2, 4, 5, 6, 7, 0, 0]], np.int32)
    written = np.array([[2, 8, 9, 10, 11]], np.int32)
    whole = ops.convert_to_numpy(talker.model([written, said], training=False))
    states = [*talker._read(ops.convert_to_tensor(said)), *talker.model.get_layer("writer").get_initial_state(1)]
    for time in range(written.shape[1]):
        logits, states = talker.decoder.read(written[:, time : time + 1], states)
        np.testing.assert_allclose(ops.convert_to_numpy(logits)[0], whole[0, time], atol=1e-5)


def test_more_padding_after_what_was_said_changes_nothing(talker):
    said, written = np.array([[2, 4, 5]], np.int32), np.array([[2, 8]], np.int32)
    short = ops.convert_to_numpy(talker.model([written, said], training=False))
    long = ops.convert_to_numpy(talker.model([written, np.pad(said, ((0, 0), (0, 9)))], training=False))
    np.testing.assert_allclose(long, short, atol=1e-5)


def test_the_score_prefers_what_fits_this_message_more_than_any(talker, monkeypatch):
    """Li et al.: the first candidate is likeliest, but anywhere; the second is likelier here than elsewhere."""
    candidates = np.array([[8, 3, 0, 0, 0, 0], [9, 3, 0, 0, 0, 0], [3, 3, 3, 3, 3, 3]])
    rows = np.tile(np.array([[2, 4, 5, 0, 0, 0, 0]]), (3, 1))
    nats = iter([np.array([1.0, 2.0, 0.1]), np.array([1.5, 6.0, 0.1])])
    monkeypatch.setattr(talker, "nats", lambda *_: next(nats))
    scores = talker.scores(rows, candidates)
    np.testing.assert_allclose(scores[:2], [(0.5 * 1.5 - 1.0) / 2, (0.5 * 6.0 - 2.0) / 2])
    assert scores.argmax() == 1 and scores[2] == -np.inf  # an empty reply is none


def test_the_nats_of_a_reply_are_those_of_its_words_and_its_end(talker):
    said = np.array([[2, 4, 5, 0, 0, 0, 0]], np.int32)
    candidates = np.array([[8, 11, 3, 7, 7, 7]])
    found = talker.nats(said, candidates, np.array([2]))
    logits = ops.convert_to_numpy(talker.model([np.array([[2, 8, 11]], np.int32), said], training=False))[0]
    chances = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    assert found[0] == pytest.approx(-(chances[0, 8] + chances[1, 11] + chances[2, 3]), rel=1e-4)


@pytest.mark.slow
def test_a_reply_is_a_sentence_for_any_message_and_the_seed_decides_it(talker):
    words = {word for word in WORDS if word not in SPECIALS}
    answers = [talker.reply([message]) for message in ("how are you?", "", "\U0001f600 " * 5_000, "a\0b")]
    for answer in answers:
        assert answer == predict.NOTHING or {word for word in data.words(answer)} <= words
    assert predict.Predictor(talker.run, seed=1).reply(["how are you?"]) == answers[0]


def test_distinct_counts_different_grams_by_words():
    replies = [["a", "b", "a"], ["a", "b"]]
    assert evaluate.distinct(replies, 1) == 2 / 5
    assert evaluate.distinct(replies, 2) == 2 / 5  # a b, b a
    part = data.Part([], [["a", "b"], ["c", "d", "e", "f"]], [])
    found = evaluate.replies_figures([["a", "b"], ["c", "d", "e", "f"]], part)
    assert found["bleu"] == pytest.approx(100) and found["most_frequent_reply"] == 0.5


def test_few_dialogues_are_refused(tmp_path):
    with pytest.raises(InputError, match="Expected at least 20 dialogues"):
        data.read(str(own_dialogues(tmp_path / "few.txt", 5)))


@pytest.mark.slow
def test_own_dialogues_are_trained_measured_and_talked_with(tmp_path, monkeypatch):
    own = own_dialogues(tmp_path / "own.txt", 60)
    words = ["train-talk", "--data", str(own), "--params", "6000", "--embedding", "16", "--epochs", "1"]
    words += ["--max-words", "8", "--buckets", "1", "--candidates", "2"]
    done = run_here(APP, *words, GALLERY_RUNS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in ("perplexity", "distinct_2", "most_frequent_reply", "tfidf_retrieval"))
    assert "I have just lost my job" not in done.stdout  # what is shown comes from the file
    # How long a reply takes is no figure, and what it needs to be compiled takes longest.
    monkeypatch.setattr(evaluate, "_details", lambda *_: {"ms_p50": 0.0, "ms_p99": 0.0})
    again = run_here(APP, "evaluate-talk", GALLERY_RUNS=str(tmp_path))
    assert again.returncode == 0, again.stderr
    figures = [line for line in done.stdout.splitlines() if line.startswith("  test")]
    assert figures == [line for line in again.stdout.splitlines() if line.startswith("  test")]
    (path,) = tmp_path.glob("chatbot/talk/*/metrics.json")
    assert {r["app"] for r in json.loads(path.read_text())} == {"chatbot"}
    missing = run_here(APP, "predict", "hello", GALLERY_RUNS=str(tmp_path))
    assert missing.returncode == 2 and "no trained run" in missing.stderr


@pytest.mark.data
@pytest.mark.slow
def test_dailydialog_is_read_without_its_copies():
    parts = {name: [str(d) for d in found] for name, found in data.distinct(data.read("dailydialog")).items()}
    assert not set(parts["train"]) & {*parts["valid"], *parts["test"]}
    assert len(parts["test"]) == 1_000 and 10_700 < len(parts["train"]) < 11_118
