"""The app as its user meets it, and what must hold between its parts."""

import dataclasses
import json
import shlex
import shutil

import numpy as np
import pytest

from apps.sentiment_analysis import evaluate, explain, options, predict, train
from apps.sentiment_analysis.config import DEFAULT, GOALS, Config
from apps.sentiment_analysis.data import Part
from apps.sentiment_analysis.model import build
from shared import InputError, calibration, runs, stacking
from shared.data.text import SPECIALS
from tests.commands import run_here, trained

NAME = "sentiment_analysis"
APP = f"apps.{NAME}"
TEXT = "Although the film was brilliant, the ending was dull."
# A topic, the word that gives it away, and how many questions ask for it.
TOPICS = {"place": ("where", 120), "person": ("who", 90), "time": ("when", 60), "reason": ("why", 30)}


@pytest.fixture(scope="module")
def smoke():
    """The folder of runs after a smoke training, and what it printed."""
    return trained(NAME)


@pytest.fixture(scope="module")
def predictor(smoke):
    return predict.Predictor(only_run(smoke[0]))


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """The folder of runs after a smoke training on an own file, what it printed, and the file's texts."""
    path = tmp_path_factory.mktemp("own") / "my questions.csv"
    things = [
        f"{a} {b}" for a in str.split("bread song coat fish lamp boat tree moon desk wall") for b in "abcdefghijkl"
    ]
    rows = [(f"{word} is the {things[n]}", topic) for topic, (word, count) in TOPICS.items() for n in range(count)]
    path.write_text("\n".join(["question,topic", *map(",".join, rows)]), encoding="utf-8")
    folder, printed = trained(NAME, "--data", str(path), "--text-column", "question", "--label-column", "topic")
    return folder, printed, [text for text, _ in rows]


def only_run(folder):
    return runs.Run(next(folder.glob(f"{NAME}/*")), NAME, {})


def figures(folder):
    return json.loads(next(folder.glob(f"{NAME}/*/metrics.json")).read_text())


def test_training_prints_every_baseline_answers_and_what_to_try_next(smoke):
    _, printed = smoke
    assert all(name in printed for name in ("majority", "tfidf_logreg", "nb_svm", "vader"))
    assert "95 % interval" in printed or "wins" in printed
    assert "abstains on" in printed and "texts/s" in printed and "of the network alone" in printed
    assert "as published" not in printed and "generated opinions" in printed
    assert all(text in printed for text in predict.EXAMPLES)
    assert "apps.sentiment_analysis explain --run" in printed


def test_a_run_holds_all_that_it_needs_to_be_used_again(smoke):
    names = {path.name for path in smoke[0].glob(f"{NAME}/*/*")}
    expected = (
        "config.json info.json model.keras metrics.json calibration.json history.csv samples.txt "
        "tfidf_logreg.npz nb_svm.npz"
    )
    assert set(expected.split()) | {"learning_curves.png", "reliability.png"} <= names


def test_the_headline_is_the_goal_which_is_what_chose_the_epoch_and_each_lead_has_its_interval(smoke):
    records = figures(smoke[0])
    assert [r["metric"] for r in records] == ["accuracy", "macro_recall", "ece"]
    assert [r["headline"] for r in records] == [True, False, False]
    assert all(r["ahead"][0] <= r["ahead"][1] for r in records)
    history = next(smoke[0].glob(f"{NAME}/*/history.csv")).read_text().splitlines()[0]
    assert "val_accuracy" in history and "val_macro_recall" not in history
    assert evaluate.SCORES.keys() == set(GOALS) == set(evaluate.HEADLINE)


def test_a_network_of_the_built_in_sentences_is_not_tested_on_film_sentences_that_are_among_them(tmp_path, monkeypatch):
    monkeypatch.setenv("GALLERY_RUNS", str(tmp_path))
    run = runs.start(NAME, dataclasses.asdict(DEFAULT), name="mine")
    run.begin({})
    run.file("model.keras").write_bytes(b"")
    with pytest.raises(InputError, match="mr_polarity shares sentences with builtin, which .*mine was trained on"):
        evaluate.evaluate(options.Evaluate(run="mine", data="mr_polarity"))


# Own data


@pytest.mark.slow
def test_own_data_are_answered_as_well_as_the_best_baseline_though_the_network_has_learned_little(own):
    (headline, *_) = figures(own[0])
    assert headline["metric"] == "accuracy"
    assert headline["details"]["linear_share"] > 0.5
    assert headline["details"]["network_alone"] < headline["value"]
    assert headline["value"] >= max(headline["baselines"].values()) - 0.02


@pytest.mark.slow
def test_after_training_on_own_data_samples_and_next_steps_come_from_their_validation_part(own):
    folder, printed, texts = own
    samples = next(folder.glob(f"{NAME}/*/samples.txt")).read_text().splitlines()
    assert len(samples) == 4 and all(any(line.endswith(f"   {text}") for text in texts) for line in samples)
    assert not any(text in printed for text in predict.EXAMPLES)
    steps = [shlex.split(line) for line in printed.splitlines() if line.startswith("  python -m")]
    verbs = {words[3]: words[4:] for words in steps}
    assert verbs["predict"][-1] in texts and verbs["explain"][-1] in texts
    again = dict(zip(verbs["train"][::2], verbs["train"][1::2], strict=True))
    assert again["--text-column"] == "question" and again["--label-column"] == "topic" and again["--arch"] == "lstm"
    assert again["--data"].endswith("my questions.csv")


@pytest.mark.slow
def test_predict_stream_and_explain_ask_network_and_linear_model_together(own):
    predictor = predict.Predictor(only_run(own[0]))
    texts = [predictor.encode(text) for text in own[2][:5]]
    stack, linear = predictor.stack, predictor.linear
    together = stack.logits(predictor.network(texts), linear.logits([text.words for text in texts]))
    expected = calibration.probabilities(together, predictor.calibration["temperature"])
    np.testing.assert_allclose(predictor.probabilities(texts), expected, atol=1e-6)
    label = predictor.labels.index("place")
    _, effects = explain.occlusion(predictor, predictor.encode("where is the bread a"), label)
    predictor.stack = stacking.Stack(0.0, stack.second)
    _, linear_effects = explain.occlusion(predictor, predictor.encode("where is the bread a"), label)
    assert linear_effects.argmax() == effects.argmax() == 0 and linear_effects[0] > 0


@pytest.mark.slow
def test_no_skip_is_the_network_alone(own, tmp_path):
    shutil.copytree(own[0], tmp_path / "runs")
    predictor = predict.Predictor(only_run(tmp_path / "runs"))
    texts = [predictor.encode(text) for text in own[2]]
    valid = Part(own[2], texts, np.arange(len(texts), dtype=np.int32) % len(predictor.labels), [""] * len(texts))
    predictor.calibrate(valid, 0.9, {}, False)
    np.testing.assert_array_equal(predictor.logits(texts), predictor.network(texts))
    assert predict.Predictor(predictor.run).linear is None


def test_another_file_is_measured_and_neither_changes_the_run_nor_is_recorded(own, tmp_path):
    later = tmp_path / "later.csv"
    later.write_text("question,topic\nwho is the bread z,person\nwhen is the bread z,time\nwhere is the song z,place\n")
    before = {path: path.read_bytes() for path in own[0].rglob("*") if path.is_file()}
    done = run_here(APP, "evaluate", "--data", str(later), GALLERY_RUNS=str(own[0]))
    assert done.returncode == 0, done.stderr
    assert "3 texts of" in done.stdout and "tested on later.csv" in done.stdout and "nb_svm" in done.stdout
    refused = run_here(APP, "evaluate", "--data", str(later), "--record", GALLERY_RUNS=str(own[0]))
    assert refused.returncode == 2 and "--record: expected without --data" in refused.stderr
    assert {path: path.read_bytes() for path in own[0].rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("words", [["predict", TEXT], ["evaluate"]])
def test_a_run_of_an_older_version_is_refused_in_one_line(words, smoke, tmp_path):
    shutil.copytree(smoke[0], tmp_path / "runs")
    (folder,) = (tmp_path / "runs").glob(f"{NAME}/*")
    for name, change in (("info.json", lambda kept: kept.pop("counts")),
                         ("config.json", lambda kept: kept["config"].update(balance=1.0))):  # fmt: skip
        kept = json.loads((folder / name).read_text())
        change(kept)
        (folder / name).write_text(json.dumps(kept))
    done = run_here(APP, *words, GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 2 and "with --fresh" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_text_whose_words_it_does_not_know_is_answered_not_sure_and_the_answer_says_why(smoke):
    text = "A gripping screenplay drags whenever another subplot intrudes."
    done = run_here(APP, "predict", text, GALLERY_RUNS=str(smoke[0]))
    assert done.stdout.startswith("not sure") and "(knows 2 of 9 words)" in done.stdout


# Verbs


@pytest.mark.slow
def test_a_saved_run_answers_as_the_training_process_did_also_from_standard_input(smoke):
    folder, _ = smoke
    kept = next(folder.glob(f"{NAME}/*/samples.txt")).read_text()
    asked = run_here(APP, "predict", "-", GALLERY_RUNS=str(folder), stdin="\n".join(predict.EXAMPLES))
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout == kept


def test_a_file_gets_an_answer_for_each_line_and_stream_says_how_long_they_took(smoke, tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("The soup was good.\n\nThe soup was bad.\n")
    from_file = run_here(APP, "predict", str(path), GALLERY_RUNS=str(smoke[0]))
    streamed = run_here(APP, "stream", GALLERY_RUNS=str(smoke[0]), stdin=path.read_text())
    assert from_file.stdout == streamed.stdout
    answers = streamed.stdout.splitlines()
    assert len(answers) == 3 and answers[1] == "" and answers[2].endswith("The soup was bad.")
    assert "2 answered: p50" in streamed.stderr


def test_a_text_longer_than_is_read_says_so(smoke, predictor):
    done = run_here(APP, "predict", "word " * 100, GALLERY_RUNS=str(smoke[0]))
    limit = predictor.encoder.max_words
    assert f"the network read only the first and last {limit} of its 100 words" in done.stdout


def test_explain_prints_the_words_and_draws_them(smoke):
    done = run_here(APP, "explain", TEXT, "--label", "negative", GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 0, done.stderr
    assert "although the film was brilliant , the ending was dull ." in done.stdout
    assert "Evidence for negative" in done.stdout
    assert next(smoke[0].glob(f"{NAME}/*/explanation.png")).stat().st_size > 5_000


@pytest.mark.slow
def test_folds_are_trained_once_each_and_averaged(tmp_path):
    opinions = (("good", "yes"), ("bad", "no"), ("very good", "yes"), ("very bad", "no"))
    rows = [f"the {thing} was {word},{label}" for thing in "abcdefghijklmnop" for word, label in opinions]
    (tmp_path / "own.csv").write_text("\n".join(["text,label", *rows]))
    words = ["train", "--recipe", "smoke", "--data", str(tmp_path / "own.csv"), "--buckets", "1", "--folds", "2"]
    first = run_here(APP, *words, GALLERY_RUNS=str(tmp_path))
    assert first.returncode == 0, first.stderr
    assert first.stdout.count("epoch 1/1") == 2 and "mean of 2 folds" in first.stdout
    again = run_here(APP, *words, GALLERY_RUNS=str(tmp_path))
    assert again.stdout.count("is finished") == 2 and "epoch 1/1" not in again.stdout
    (tmp_path / "own.csv").write_text("\n".join(["text,label", *rows, "the z was good,yes"]))
    changed = run_here(APP, "evaluate", GALLERY_RUNS=str(tmp_path))
    assert changed.returncode == 2 and "data has changed since" in changed.stderr


@pytest.mark.slow
def test_the_network_learns_from_word_order_what_counting_cannot(tmp_path):
    rows = [(f"the {a} was {'not ' * bad}good but the {b} was {'not ' * (not bad)}good", bad) for a in THINGS
            for b in THINGS if a != b for bad in (True, False)]  # fmt: skip
    table = tmp_path / "own.csv"
    table.write_text("\n".join(["text,label", *(f"{text},{('yes', 'no')[bad]}" for text, bad in rows)]))
    words = f"train --data {table} --units 24 --embedding 24 --batch-size 32 --epochs 20 --learning-rate 1e-2".split()
    words += ["--buckets", "1", "--pieces", "0", "--ema-momentum", "0", "--no-skip"]
    done = run_here(APP, *words, GALLERY_RUNS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    recall = figures(tmp_path)[0]
    assert recall["value"] > 0.9


THINGS = str.split("food service room view waiter music coffee bread garden story film plot camera screen")


# Without a training of its own


def test_extra_padding_never_changes_an_answer(predictor):
    ids = predictor.encoder.encode(TEXT.lower().split())
    for arch in ("gru", "lstm", "mingru", "tcn", "attention"):
        model = build(Config(arch=arch, units=8, embedding=8), {"words": range(9), "learned": 9, "pieces": SPECIALS,
                                                               "labels": ["no", "yes"]})  # fmt: skip
        answers = []
        for extra in (0, 1, 30):
            row = np.pad(np.minimum(ids, 8), ((0, extra), (0, 0)), constant_values=extra % 7)
            mask = np.arange(len(row)) < len(ids)
            answers.append(np.array(model([row[None], mask[None]], training=False)))
        np.testing.assert_allclose(answers[1], answers[0], atol=1e-5)
        np.testing.assert_allclose(answers[2], answers[0], atol=1e-5)


def test_an_answer_does_not_depend_on_the_texts_beside_it(predictor):
    ids = [predictor.encode(text) for text in predict.EXAMPLES]
    alone = [predictor.probabilities([one])[0] for one in ids]
    together = predictor.probabilities(ids * 5)
    np.testing.assert_allclose(together, np.tile(alone, (5, 1)), atol=1e-5)


@pytest.mark.parametrize("pooling", ["attention", "max", "both"])
def test_given_vectors_are_read_and_not_trained(pooling):
    info = {"words": list("abcdef"), "learned": 5, "pieces": [*SPECIALS, "<ab"], "labels": ["no", "yes"]}
    vectors = np.arange(18, dtype=np.float32).reshape(6, 3)
    model = build(Config(units=4, embedding=4, pooling=pooling), info, vectors)
    assert [w.shape for w in model.non_trainable_weights if "seed" not in w.path] == [(6, 3)]
    ids, mask = np.zeros((1, 2, 13), np.int32), np.ones((1, 2), bool)
    ids[0, :, 0] = 1, 5  # the last word has a given vector alone: it differs from an unknown one by that
    unknown = ids.copy()
    unknown[0, 1, 0] = 1
    assert np.abs(np.array(model([ids, mask])) - np.array(model([unknown, mask]))).max() > 1e-4


def test_a_word_s_effect_is_the_log_odds_it_adds(predictor):
    tokens, effects = explain.occlusion(predictor, predictor.encode("good soup"), 0)
    chances = predictor.probabilities([predictor.encode(text) for text in ("good soup", "soup", "good")])[:, 0]
    assert tokens == ["good", "soup"]
    odds = np.log(chances / (1 - chances))
    np.testing.assert_allclose(effects, odds[0] - odds[1:], atol=1e-4)
    assert explain.occlusion(predictor, predictor.encode("good"), 0)[1].shape == (1,)


def test_of_a_long_text_the_words_that_the_network_reads_are_explained(predictor):
    text = predictor.encode(" ".join(f"w{n}" for n in range(100)))
    tokens, effects = explain.occlusion(predictor, text, 0)
    assert tokens == predictor.encoder.cut(text.words) and len(effects) == len(text.ids) < 100


def test_below_the_threshold_the_answer_is_not_sure(predictor, monkeypatch):
    text = predictor.encode("the wine was neither good nor bad")
    confidence = predictor.probabilities([text]).max()
    for threshold, sure in ((confidence - 0.01, True), (confidence + 0.01, False)):
        monkeypatch.setattr(predictor, "calibration", predictor.calibration | {"threshold": threshold})
        assert predictor.answers([text])[0].startswith("not sure") != sure


def test_a_run_that_was_stopped_before_its_calibration_says_what_its_answers_lack(smoke, tmp_path):
    shutil.copytree(smoke[0], tmp_path / "runs")
    for name in ("calibration.json", "metrics.json"):
        next((tmp_path / "runs").rglob(name)).unlink()
    done = run_here(APP, "predict", "good", GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 0 and "is not calibrated yet: the network answers alone" in done.stderr
    assert "calibrated" not in run_here(APP, "predict", "good", GALLERY_RUNS=str(smoke[0])).stderr


# Bad input


BAD = {
    "an unknown architecture": (["train", "--arch", "transformer"], "--arch: expected one of elman, lstm"),
    "an unknown pooling": (["train", "--pooling", "mean"], "--pooling: expected one of attention, max, both"),
    "an eleventh fold to train": (
        ["train", "--data", "grammar", "--folds", "11"],
        "--folds: expected at most 10 from fold 0",
    ),
    "an unknown data set": (["train", "--data", "tweeteva"], "Did you mean tweeteval?"),
    "an unknown recipe": (["train", "--recipe", "huge"], "--recipe: expected one of builtin"),
    "one label": (["train", "--labels", "positive"], "--labels: expected two or more"),
    "a label that is not there": (
        ["train", "--data", "grammar", "--labels", "positive", "angry"],
        "--labels: there is no 'angry'",
    ),
    "a share of one": (["train", "--dropout", "1"], "--dropout: expected at least 0 and less than 1; received 1"),
    "an eleventh fold": (["train", "--fold", "10"], "--fold: expected at least 0 and less than 10; received 10"),
    "no vectors": (["train", "--data", "grammar", "--vectors", "no/where"], "--vectors: expected vader or a file"),
    "an unknown run": (["predict", "good", "--run", "none"], "There is no run"),
    "an empty text": (["predict", " \n"], "Received an empty text"),
    "an unknown label": (["explain", "good", "--label", "angry"], "--label: expected one of negative, neutral"),
    "nothing to explain": (["explain", ""], "Received an empty one"),
    "a file to explain": (["explain", "texts.txt"], "Expected the text itself; predict reads files"),
    "a folder to explain": (["explain", "apps"], "apps is a folder"),
    "a folder to answer": (["predict", "apps"], "apps is a folder"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gives_one_line_and_status_2(name, smoke):
    words, expected = BAD[name]
    done = run_here(APP, *words, GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 2
    assert expected in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_long_strange_and_binary_texts_are_answered(predictor):
    texts = [
        "word " * 100_000,
        "\U0001f600\U0001f44d",
        "\u0634\u0643\u0631\u0627 \u062c\u0632\u064a\u0644\u0627",
        "a\0b",
    ]
    found = predictor.probabilities([predictor.encode(text) for text in texts])
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    long = predictor.encoder.cut([str(n) for n in range(100_000)])
    assert len(long) == predictor.encoder.max_words and long[0] == "0" and long[-1] == "99999"


def test_a_corrupt_model_is_named_and_nothing_is_lost(smoke, tmp_path):
    shutil.copytree(smoke[0], tmp_path / "runs")
    model = next((tmp_path / "runs").glob(f"{NAME}/*/model.keras"))
    model.write_bytes(model.read_bytes()[:-200])
    before = model.read_bytes()
    done = run_here(APP, "predict", "good", GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 2 and "model.keras is damaged" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert model.read_bytes() == before


@pytest.mark.parametrize("text", ["--great film", "----------"])
def test_a_text_in_a_printed_command_is_never_an_option(text):
    shown = train.shortened(text)
    assert shown.strip("- ") == text.strip("-") and not shown.startswith("-")


def test_of_no_answers_no_accuracy_is_printed(smoke, capsys):
    records = json.loads((only_run(smoke[0]).path / "metrics.json").read_text())
    records[0]["details"]["abstained"] = 1.0
    evaluate.report(records)
    assert "  abstains on 100.0% (" in capsys.readouterr().out


def test_the_answers_to_labelled_texts_are_counted_as_right_wrong_and_not_sure(smoke, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("GALLERY_RUNS", str(smoke[0]))
    predictor = predict.Predictor.load()
    labels = [each["label"] if each["sure"] else None for each in predictor(list(predict.EXAMPLES))]
    wrong = "negative" if labels[0] != "negative" else "positive"
    rows = [
        (text, wrong if n == 0 else label or "neutral")
        for n, (text, label) in enumerate(zip(predict.EXAMPLES, labels, strict=True))
    ]
    (tmp_path / "few.tsv").write_text("".join(f"{text}\t{label}\n" for text, label in [("text", "label"), *rows]))
    evaluate.evaluate(options.Evaluate(data=str(tmp_path / "few.tsv")))
    sure = [label is not None for label in labels]
    expected = f"({sum(sure[1:])} right, {int(sure[0])} wrong, {len(sure) - sum(sure)} not sure)"
    assert expected in capsys.readouterr().out
