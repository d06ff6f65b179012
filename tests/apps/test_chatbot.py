"""The chatbot as its user meets it, and what must hold between its parts."""

import datetime
import json
import re
import shlex
import shutil

import numpy as np
import pytest
from seqeval.metrics import f1_score

from apps.chatbot import assistant, baselines, data, evaluate, options, predict, tags, train
from apps.chatbot.config import Config
from apps.chatbot.memory import Memory
from apps.chatbot.model import build
from apps.chatbot.predict import Frame, Slot
from apps.chatbot.skills import Skill, World, known
from apps.chatbot.sources import Request
from shared import InputError, runs
from tests.commands import run_here, trained

APP = "apps.chatbot"
INFO = {"words": range(20), "letters": range(20), "intents": ["a", "b", "c"], "tags": ["O", "B-x", "I-x"]}


@pytest.fixture(scope="module")
def smoke():
    """The folder of runs after a smoke training, and what it printed."""
    return trained("chatbot")


@pytest.fixture(scope="module")
def predictor(smoke):
    return predict.Predictor(runs.Run(next(smoke[0].glob("chatbot/*")), "chatbot", {}))


def metrics(folder):
    return json.loads(next(folder.glob("chatbot/*/metrics.json")).read_text())


def test_training_prints_every_baseline_and_what_to_try_next(smoke):
    _, printed = smoke
    assert all(name in printed for name in ("tfidf_logreg", "linear_tagger", "intent_accuracy", "slot_f1"))
    assert "wins" in printed and "abstains on" in printed and "of the out-of-scope requests" in printed
    assert all(text in printed for text in train.EXAMPLES["builtin"])
    assert "apps.chatbot chat --run" in printed


def test_a_run_holds_all_that_it_needs_to_be_used_again(smoke):
    names = {path.name for path in smoke[0].glob("chatbot/*/*")}
    expected = "config.json info.json model.keras metrics.json calibration.json history.csv samples.txt"
    assert {*expected.split(), "learning_curves.png"} <= names


@pytest.mark.slow
def test_a_saved_run_understands_as_the_training_process_did(smoke):
    folder, _ = smoke
    kept = next(folder.glob("chatbot/*/samples.txt")).read_text()
    asked = run_here(APP, "understand", "-", GALLERY_RUNS=str(folder), stdin="\n".join(train.EXAMPLES["builtin"]))
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout == kept


def test_a_file_and_a_stream_get_an_answer_for_each_line(smoke, tmp_path):
    path = tmp_path / "requests.txt"
    path.write_text("what time is it\n\n12 times 7\n")
    found = run_here(APP, "predict", str(path), "--json", GALLERY_RUNS=str(smoke[0])).stdout
    streamed = run_here(APP, "stream", "--json", GALLERY_RUNS=str(smoke[0]), stdin=path.read_text())
    assert found == streamed.stdout and "2 answered: p50" in streamed.stderr
    first, empty, last = found.splitlines()
    assert (json.loads(first)["text"], empty, json.loads(last)["text"]) == ("what time is it", "", "12 times 7")


@pytest.mark.slow
def test_chat_answers_every_line_whatever_it_is(smoke, tmp_path):
    lines = ["hello", "???", "9**9**9", "__import__('os')", "word " * 5_000, "\u4eba\U0001f600", "a\0b", "\ud7ff"]
    words = ["chat", "--debug", "--memory", str(tmp_path / "m.json")]
    done = run_here(APP, *words, GALLERY_RUNS=str(smoke[0]), stdin="\n".join(lines))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("[did:") == len(lines)
    assert "I need words or numbers to go by." in done.stdout
    assert "I read only the first 48 words" in done.stdout
    assert re.search(r"8 turns: p50 [\d.]+ ms, p99 [\d.]+ ms", done.stderr)


@pytest.mark.slow
def test_requests_of_one_s_own_are_learned_and_answered(tmp_path):
    cities = str.split("rome oslo paris lima cairo delhi quito tokyo berlin madrid")
    rows = [{"text": f"{start} {city}", "intent": intent, "slots": {"city": city}} for city in cities
            for intent, starts in (("weather", ("rain in", "how warm is")), ("time", ("the time in", "clock of")))
            for start in starts]  # fmt: skip
    own = tmp_path / "own.jsonl"
    own.write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = f"train --data {own} --units 24 --embedding 24 --batch-size 8 --buckets 1 --epochs 20 --learning-rate 1e-2"
    done = run_here(APP, *words.split(), GALLERY_RUNS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    (frame,) = json.loads(
        f"[{run_here(APP, 'predict', 'how warm is tokyo', '--json', GALLERY_RUNS=str(tmp_path)).stdout}]"
    )
    assert frame["intent"] == "weather"


# Requests of one's own, which have no slots: every tag is right from the first step on

CITIES = str.split("rome oslo paris lima cairo delhi quito tokyo berlin madrid")
ASKED = {
    "weather": "will it rain in",
    "time": "which hour is it in",
    "travel": "fly me over to",
    "food": "let us eat in",
}


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """The file of requests, the folder of runs after a training on it, and what that printed."""
    folder = tmp_path_factory.mktemp("own")
    path = folder / "own requests.jsonl"
    rows = [
        {"text": f"{start} {city}{end}", "intent": intent}
        for city in CITIES
        for intent, start in ASKED.items()
        for end in ("", "?", ", please")
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = f"--units 4 --embedding 4 --letters 0 --batch-size 64 --buckets 1 --epochs {EPOCHS} --learning-rate 2e-2"
    done = run_here(APP, "train", "--data", str(path), *words.split(), GALLERY_RUNS=str(folder / "runs"))
    assert done.returncode == 0, done.stderr
    return path, folder / "runs", done.stdout


EPOCHS = 6


@pytest.mark.slow
def test_the_kept_weights_are_those_of_the_epoch_with_the_most_whole_requests_right(own):
    path, folder, _ = own
    run_folder = runs.Run(next(folder.glob("chatbot/*")), "chatbot", {})
    rows = run_folder.file("history.csv").read_text().splitlines()
    column = rows[0].split(",").index("val_frame_accuracy")
    history = [float(row.split(",")[column]) for row in rows[1:]]
    assert len(history) == EPOCHS and history[0] < max(history)
    valid = data.load(Config(data=str(path))).valid
    logits, _, _ = predict.Predictor(run_folder).of_network(valid.ids)
    assert (logits.argmax(axis=1) == valid.intents).mean() == pytest.approx(max(history), abs=1e-6)


@pytest.mark.slow
def test_without_slots_nothing_is_said_of_slots_and_the_intent_is_the_headline(own):
    _, folder, printed = own
    assert [(r["metric"], r["headline"]) for r in metrics(folder)] == [("intent_accuracy", True)]
    figures = [line.split()[1] for line in printed.splitlines() if line.startswith("  test")]
    assert figures == ["intent_accuracy"] and "slot_f1" not in printed and "published" not in printed


@pytest.mark.slow
def test_what_is_shown_and_what_to_try_next_are_of_the_requests_of_one_s_own(own):
    path, folder, printed = own
    after = printed.split("Now try:")[1]
    texts = [json.loads(line)["text"] for line in path.read_text().splitlines()]
    name = next(folder.glob("chatbot/*")).name
    example = next(shlex.split(line)[-1] for line in after.splitlines() if "understand" in line)
    assert example in texts and f"understand --run {name}" in after
    assert "chat --run" not in after  # it could do nothing
    again = next(shlex.split(line) for line in after.splitlines() if " train " in line)
    assert again[again.index("--data") + 1] == str(path) and "--no-skip" in again and "--epochs" in again
    samples = next(folder.glob("chatbot/*/samples.txt")).read_text().splitlines()[::2]
    assert len(samples) == train.SHOWN and set(samples) <= set(texts)


@pytest.mark.slow
def test_intents_are_those_of_the_network_and_a_linear_model_by_a_weight_that_is_said(own):
    path, folder, printed = own
    predictor = predict.Predictor(runs.Run(next(folder.glob("chatbot/*")), "chatbot", {}))
    share = predictor.stack.share
    assert f"weight of the network {1 - share:.0%}, of the linear model {share:.0%}" in printed
    requests = [["will", "it", "rain", "in", "rome"], ["fly", "Me", "over"]]
    alone, _, _ = predictor.of_network([predictor.encoder.encode(tokens) for tokens in requests])
    linear = predictor.linear.logits([["will", "it", "rain", "in", "rome"], ["fly", "me", "over"]])
    both, _, _ = predictor.scores(requests)
    np.testing.assert_allclose(both, predictor.stack.first * alone + predictor.stack.second * linear, rtol=1e-5)


@pytest.mark.slow
def test_another_file_is_measured_compared_with_baselines_of_the_training_and_changes_nothing(own, tmp_path):
    _, folder, _ = own
    other = tmp_path / "other.jsonl"
    rows = [{"text": "will it rain in bern", "intent": "weather"}, {"text": "buy bread", "intent": "shopping"}]
    other.write_text("\n".join(map(json.dumps, rows)))
    before = {path: path.read_bytes() for path in folder.glob("chatbot/*/*.json")}
    done = run_here(APP, "evaluate", "--data", str(other), GALLERY_RUNS=str(folder))
    assert done.returncode == 0, done.stderr
    assert "other.jsonl" in done.stdout and "tfidf_logreg 0.5000" in done.stdout
    assert "50.0% have an intent that is not in training" in done.stdout
    assert before == {path: path.read_bytes() for path in folder.glob("chatbot/*/*.json")}


# Without a training of its own


def test_extra_padding_never_changes_an_answer():
    ids = np.random.default_rng(0).integers(4, 20, size=(5, 13)).astype(np.int32)
    for arch in ("lstm", "mingru", "tcn"):
        model = build(Config(arch=arch, units=8, embedding=8, letters=4), INFO)
        answers = []
        for extra in (0, 3, 20):
            row = np.pad(ids, ((0, extra), (0, 0)), constant_values=extra % 7)
            mask = np.arange(len(row)) < len(ids)
            found = model([row[None], mask[None]], training=False)
            answers.append(np.concatenate([np.array(found["intent"])[0], np.array(found["slots"])[0, :5].ravel()]))
        np.testing.assert_allclose(answers[1], answers[0], atol=1e-5)
        np.testing.assert_allclose(answers[2], answers[0], atol=1e-5)


def test_letters_are_read_and_what_comes_after_a_word_is_not():
    model = build(Config(units=4, embedding=4, letters=8), INFO)
    ids = np.zeros((2, 1, 13), np.int32)
    ids[:, :, 1:5] = 7
    ids[1, 0, 4] = 8
    found = np.array(model([ids, np.ones((2, 1), bool)], training=False)["intent"])
    assert np.abs(found[0] - found[1]).max() > 1e-6


def test_a_request_of_words_that_are_in_no_slot_and_that_training_has_not_seen_is_not_answered(predictor):
    requests = [["what", "qqxx", "zzyy", "."], ["what", "time", "qqxx"]]
    found = [["O", "O", "B-city", "O"], ["O", "O", "O"]]
    assert predictor.unknown(requests, found).tolist() == [pytest.approx(1 / 3)] * 2
    chances = np.array([[0.9, 0.1], [0.6, 0.4]])
    kept = predictor.calibration
    assert predict.LEAST_UNKNOWN <= kept["most_unknown"] <= 1
    try:
        predictor.calibration = kept | {"threshold": 0.5, "most_unknown": 0.34}
        assert predictor.sure(chances, requests, found).tolist() == [True, True]
        predictor.calibration = kept | {"threshold": 0.7, "most_unknown": 0.34}
        assert predictor.sure(chances, requests, found).tolist() == [True, False]
        predictor.calibration = kept | {"threshold": 0.5, "most_unknown": 0.3}
        assert predictor.sure(chances, requests, found).tolist() == [False, False]
    finally:
        predictor.calibration = kept


def test_an_answer_does_not_depend_on_the_requests_beside_it(predictor):
    texts = list(train.EXAMPLES["builtin"])
    alone = [predictor.understand([text])[0] for text in texts]
    together = predictor.understand(texts * 5)[: len(texts)]
    assert [frame.intent for frame in together] == [frame.intent for frame in alone]
    np.testing.assert_allclose([f.confidence for f in together], [f.confidence for f in alone], atol=1e-5)


def test_a_slot_s_confidence_is_the_share_of_all_paths_that_have_it(predictor):
    """By hand: softmax without transitions, where the steps are independent."""
    names = predictor.tags
    emissions = np.random.default_rng(2).normal(size=(predictor.lengths[0], len(names)))
    free, predictor.transitions = predictor.transitions, np.zeros((len(names) + 1, len(names)), np.float32)
    try:
        begin, inside = names.index("B-city"), names.index("I-city")
        (found,) = predictor.span_chances(emissions.astype(np.float32), 4, [("city", 1, 3)])
    finally:
        predictor.transitions = free
    chances = np.exp(emissions - np.logaddexp.reduce(emissions, axis=1, keepdims=True))
    assert found == pytest.approx(chances[1, begin] * chances[2, inside] * (1 - chances[3, inside]), rel=1e-3)


def test_figures_count_intents_slots_and_whole_requests():
    wanted = [Request(["a", "b"], ["B-x", "I-x"], "one", ""), Request(["c", "d"], ["O", "B-y"], "two", "")]
    found = evaluate.frames(["one", "one"], [["B-x", "I-x"], ["O", "O"]], wanted)
    both = np.arange(2)
    assert found.intent.mean() == 0.5 and evaluate.frame_accuracy(found, both) == 0.5
    assert evaluate.slot_f1(found, both) == pytest.approx(2 / 3)  # precision 1, recall 1/2


def test_the_f1_of_slots_is_that_of_seqeval():
    random = np.random.default_rng(0)

    def drawn():
        names = ["O", "B-x", "I-x", "B-y", "I-y"]
        return baselines.paths(
            random.normal(size=(240, 5)), [Request(["a"] * 6, [], "i", "")] * 40, np.zeros((6, 5)), 0, names
        )

    found, true = drawn(), drawn()
    wanted = [Request(["a"] * 6, row, "i", "") for row in true]
    ours = evaluate.slot_f1(evaluate.frames(["i"] * 40, found, wanted), np.arange(40))
    assert 0 < ours < 1 and ours == pytest.approx(f1_score(true, found))


def test_a_frame_loses_none_of_several_slots_with_one_name():
    slots = tuple(Slot("city", name, 1.0, 0, 1) for name in ("rome", "oslo"))
    assert Frame("get_time", 1.0, True, slots).values() == {"city": ["rome", "oslo"]}


# The thread of a talk, with frames given instead of understood


class Given:
    """Stands in for the network: frames by message."""

    def __init__(self, frames):
        self.frames = frames
        self.encoder = type("Encoder", (), {"max_words": 48})()

    def understand(self, texts):
        intent, slots, *sure = self.frames[texts[0]]
        found = tuple(Slot(name, value, 1.0, 0, 1) for name, value in slots.items())
        return [Frame(intent, 1.0, not sure, found)]


@pytest.fixture
def talk():
    def started(frames, **more):
        world = World(Memory(), np.random.default_rng(0), known())
        return assistant.Assistant(Given(frames), world.skills | more, world)

    return started


def test_a_follow_up_changes_a_slot_of_the_last_request(talk):
    found = talk({"1": ("get_time", {"city": "tokyo"}), "2": ("follow_up", {"city": "london"}), "3": ("follow_up", {})})
    assert "in Tokyo" in found.answer("1").answer
    second = found.answer("2")
    assert second.did == "get_time" and "in London" in second.answer
    assert found.answer("3").answer == assistant.UNSURE


def test_a_follow_up_keeps_the_other_slots_and_a_unit_may_stand_for_the_target(talk):
    found = talk(
        {
            "1": ("convert_units", {"amount": "5", "unit": "miles", "target": "km"}),
            "2": ("follow_up", {"amount": "10", "unit": "miles"}),
            "3": ("follow_up", {"target": "feet"}),
            "4": ("follow_up", {"city": "rome"}),
        }
    )
    found.answer("1")
    assert found.answer("2").answer == "10 miles = 16.0934 km."
    assert found.answer("3").answer == "10 miles = 52,800 feet."
    assert found.answer("4").did == ""


def test_a_missing_slot_is_asked_for_and_the_next_message_gives_it(talk):
    found = talk(
        {
            "1": ("set_timer", {"name": "tea"}),
            "ten minutes": ("follow_up", {"duration": "ten minutes"}),
            "2": ("set_reminder", {"moment": "tomorrow"}),
            "water the plants!": ("out_of_scope", {}),
            "3": ("add_note", {}),
            "4": ("get_date", {}),
        }
    )
    assert found.answer("1").answer == "For how long?"
    assert "tea timer rings in 10 minutes" in found.answer("ten minutes").answer
    assert found.answer("2").answer == "Of what shall I remind you?"
    assert "remind you to water the plants" in found.answer("water the plants!").answer
    assert found.answer("3").answer == "What shall I write down?"
    assert found.answer("4").did == "get_date"  # a clear request of another kind is not the answer
    assert found.thread.asked == ""


def test_a_message_about_something_else_is_not_taken_for_the_answer_to_a_question_about_a_value(talk):
    found = talk(
        {
            "convert 100 euros to dollars": ("convert_units", {"amount": "100", "unit": "euros", "target": "dollars"}),
            "my name is Anna": ("out_of_scope", {}),
            "set a timer": ("set_timer", {}),
            "book a table": ("out_of_scope", {}),
        }
    )
    assert "euros" in found.answer("convert 100 euros to dollars").answer
    assert found.answer("my name is Anna").answer == assistant.UNSURE and found.thread.asked == ""
    assert found.answer("set a timer").answer == "For how long?"
    assert found.answer("book a table").answer == assistant.UNSURE and found.thread.asked == ""


def test_a_question_about_a_value_is_answered_by_the_next_message(talk):
    asked = assistant.FOLLOW_UP
    found = talk(
        {
            "remind me tomorrow at 5 to go": ("set_reminder", {"moment": "tomorrow at 5", "task": "go"}),
            "perhaps": (asked, {}),
            "in the afternoon": (asked, {"moment": "in the afternoon"}),
            "what time is it in cambridge": ("get_time", {"city": "cambridge"}),
            "cambridge massachusetts": (asked, {"city": "cambridge massachusetts"}),
            "time in tokoyo": ("get_time", {"city": "tokoyo"}),
            "yes": ("out_of_scope", {}),
            "10-15 minutes": ("set_timer", {"duration": "15 minutes"}),
            "12 minutes": (asked, {"duration": "12 minutes"}),
        }
    )
    now = datetime.datetime(2026, 11, 25, 15, 30, tzinfo=datetime.UTC)
    found.world.now = lambda: now
    assert found.answer("remind me tomorrow at 5 to go").answer.startswith("Do you mean 05:00 tomorrow or 17:00")
    assert "did not understand 'perhaps'" in found.answer("perhaps").answer  # what was understood before is kept
    assert "to go tomorrow, Thursday, 26 November, at 17:00" in found.answer("in the afternoon").answer
    assert "There are several" in found.answer("what time is it in cambridge").answer
    assert found.answer("cambridge massachusetts").answer.endswith("in Cambridge, Massachusetts.")
    assert found.answer("time in tokoyo").answer.endswith("Do you mean Tokyo?")
    assert found.answer("yes").answer.endswith("in Tokyo.")
    assert found.answer("10-15 minutes").answer == "I heard two numbers, 10 and 15. Which one is it?"
    assert "in 12 minutes" in found.answer("12 minutes").answer


def test_a_sign_beside_a_slot_belongs_to_it_and_what_belongs_to_none_is_asked_back(talk):
    found = talk(
        {
            "minus 10 celsius in fahrenheit": (
                "convert_units",
                {"amount": "10", "unit": "celsius", "target": "fahrenheit"},
            ),
            "delete my two notes": ("clear_notes", {}),
            "and in oslo tomorrow": ("follow_up", {"city": "oslo"}),
            "time in rome": ("get_time", {"city": "rome"}),
        }
    )
    found.world.memory.add("notes", "keep me", found.world.now())
    assert found.answer("minus 10 celsius in fahrenheit").answer == "-10 celsius = 14 fahrenheit."
    assert "did not understand 'two'" in found.answer("delete my two notes").answer
    assert found.world.memory.entries("notes")
    found.answer("time in rome")
    assert "did not understand 'tomorrow'" in found.answer("and in oslo tomorrow").answer


def test_there_means_the_last_city(talk):
    frames = {"1": ("get_time", {"city": "oslo"}), "2": ("thank", {}), "the date there": ("get_date", {})}
    found = talk(frames | {"the date": ("get_date", {})})
    found.answer("1")
    found.answer("2")  # which does not change what the talk is about
    assert "in Oslo" in found.answer("the date there").answer
    assert "in Oslo" not in found.answer("the date").answer


def test_what_is_not_sure_is_not_done(talk):
    found = talk({"1": ("clear_notes", {}, "unsure"), "2": ("out_of_scope", {})})
    assert found.answer("1").answer == found.answer("2").answer == assistant.UNSURE


def test_a_skill_that_fails_does_not_end_the_talk(talk):
    broken = Skill("broken", lambda slots, world: 1 / 0, ("x",), {}, {})
    found = talk({"1": ("broken", {})}, broken=broken)
    assert found.answer("1").answer == "The skill broken failed: ZeroDivisionError: division by zero"


def test_what_no_skill_does_goes_to_the_small_talk_with_what_was_said_before(talk):
    heard = []

    class Echo:
        def reply(self, turns):
            heard.append(turns)
            return f"so {turns[-1]}"

    found = talk({"1": ("out_of_scope", {}), "2": ("get_time", {}, "unsure")})
    found.talk = Echo()
    assert [found.answer("1").answer, found.answer("2").answer] == ["so 1", "so 2"]
    assert heard == [["1"], ["1", "so 1", "2"]]


def test_tokens_are_joined_or_bared_as_the_training_requests_have_them(predictor):
    known_words = predictor.encoder.words.index
    kept = dict(known_words)
    try:
        known_words |= {"don't": 5}
        known_words.pop("'s", None)
        from apps.chatbot.tokens import cut

        text = predictor.fitted(cut("I don't know what's up"))
        assert text.tokens == ["I", "don't", "know", "what", "s", "up"]
        assert text.between(1, 2) == "don't" and text.between(4, 5) == "s"
    finally:
        known_words.clear()
        known_words.update(kept)


# Bad input


BAD = {
    "an unknown architecture": (["train", "--arch", "transformer"], "--arch: expected one of elman, lstm"),
    "unknown tags": (["train", "--tags", "hmm"], "--tags: expected one of crf, softmax"),
    "an unknown data set": (["train", "--data", "snps"], "Did you mean snips?"),
    "an unknown recipe": (["train", "--recipe", "huge"], "--recipe: expected one of builtin"),
    "a share of one": (["train", "--dropout", "1"], "--dropout: expected at least 0 and less than 1; received 1"),
    "no skills": (["train", "--skills", "no/where.py"], "--skills: expected a Python file"),
    "no more requests": (["train", "--more", "no/where"], "Expected a JSONL file or a folder"),
    "a file that is not there": (["understand", "none.txt"], "There is nothing at none.txt"),
    "no seeds": (["train", "--seeds", "0"], "--seeds: expected at least 1"),
    "no dialogues": (["train-talk", "--data", "no/where.txt"], "There is nothing at no/where.txt"),
    "dialogues as requests": (["train", "--data", "dailydialog"], "Train the small talk: train-talk"),
    "an unknown run": (["understand", "hello", "--run", "none"], "There is no run"),
    "no small talk": (["chat", "--talk", "none"], "There is no run"),
    "a record of another file": (["evaluate", "--data", "x.jsonl", "--record"], "--record: expected without --data"),
    "a file to measure that is not there": (["evaluate", "--data", "x.jsonl"], "There is none at x.jsonl"),
    "an empty request": (["understand", " \n"], "Received an empty text"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gives_one_line_and_status_2(name, smoke):
    words, expected = BAD[name]
    done = run_here(APP, *words, GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 2
    assert expected in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_long_strange_and_binary_requests_are_understood(predictor):
    texts = ["word " * 5_000, "\U0001f600\U0001f44d", "\u0634\u0643\u0631\u0627", "a\0b", "x" * 100_000]
    frames = predictor.understand(texts)
    assert frames[0].cut == 5_000 - 48 and all(0 < frame.confidence <= 1 for frame in frames)
    for frame, text in zip(frames, texts, strict=True):
        assert all(slot.value in text for slot in frame.slots)


def test_a_corrupt_model_is_named_and_nothing_is_lost(smoke, tmp_path):
    shutil.copytree(smoke[0], tmp_path / "runs")
    model = next((tmp_path / "runs").glob("chatbot/*/model.keras"))
    model.write_bytes(model.read_bytes()[:-200])
    before = model.read_bytes()
    done = run_here(APP, "predict", "hello", GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 2 and "model.keras is damaged" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert model.read_bytes() == before


def test_a_frame_says_what_was_understood():
    frame = Frame("get_time", 0.5, False, (Slot("city", "Rome", 0.25, 3, 4),))
    assert frame.described() == "not sure: get_time 0.50  city='Rome' 0.25"
    assert tags.spans(["O"]) == []


def test_a_chat_has_a_seed_that_can_be_drawn_from():
    with pytest.raises(InputError, match="--seed: expected at least 0 and at most 4294967295; received 4294967296"):
        options.Chat(seed=2**32)


def test_of_no_answers_no_accuracy_is_printed(smoke, capsys):
    records = metrics(smoke[0])
    records[0]["details"]["abstained"] = 1.0
    evaluate.report(records)
    assert "  abstains on 100.0%\n" in capsys.readouterr().out
