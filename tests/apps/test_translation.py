"""The app as its user meets it, and what must hold between its parts."""

import csv
import dataclasses
import json
import re
import shlex
import shutil
import types

import numpy as np
import pytest

from apps.translation import answers, confidence, data, evaluate, predict, score, train
from apps.translation.config import SMOKE, Config
from apps.translation.loss import SmoothedCrossentropy
from apps.translation.options import Predict, Score, Search, Train
from apps.translation.sources import Pair
from apps.translation.tokens import END, Tokenizer
from shared import InputError, runs
from tests.commands import run, run_here, trained

NAME = "translation"
APP = f"apps.{NAME}"
TEXT = "January 2, 2011"
LONG = "word " * 5_000


@pytest.fixture(scope="module")
def smoke():
    """The folder of runs after a smoke training, and what it printed."""
    return trained(NAME)


@pytest.fixture(scope="module")
def predictor(smoke):
    config = json.loads(next(smoke[0].glob(f"{NAME}/*/config.json")).read_text())["config"]
    return predict.Predictor(runs.Run(next(smoke[0].glob(f"{NAME}/*")), NAME, config))


def figures(folder):
    return json.loads(next(folder.glob(f"{NAME}/*/metrics.json")).read_text())


def printed_figures(done):
    """Metric and options -> the network's figure, as `evaluate` prints them."""
    assert done.returncode == 0, done.stderr
    return {name: float(value) for name, value in re.findall(r"^  test +(\w+ \(.*?\)) +([\d.]+)", done.stdout, re.M)}


def test_training_prints_every_baseline_answers_and_what_to_try_next(smoke):
    _, printed = smoke
    assert all(name in printed for name in ("source_copied", "ibm_model_1", "val_bleu", "wins"))
    assert "nrefs:1|case:mixed|eff:no|tok:13a" in printed and "sentences/s in batches of 64, beam 5" in printed
    assert "exact match by kind: date" in printed and "BLEU by words of the source: 1-7" in printed
    assert f"{APP} predict --run" in printed and "  -> " in printed
    assert "  marked as uncertain " in printed and "right (equal to the reference)" in printed


def test_a_run_holds_all_that_it_needs_to_be_used_again(smoke):
    names = {path.name for path in smoke[0].glob(f"{NAME}/*/*")}
    expected = (
        "config.json info.json model.keras metrics.json history.csv samples.txt translations.txt calibration.json"
    )
    assert set(expected.split()) | {"learning_curves.png", "attention.png"} <= names
    written = next(smoke[0].glob(f"{NAME}/*/translations.txt")).read_text().split("\n")
    assert len(written) == SMOKE.max_examples + 1


def test_the_headline_is_bleu_of_the_default_beam(smoke):
    records = figures(smoke[0])
    assert [r["metric"] for r in records] == ["bleu", "chrf", "exact_match_percent"]
    assert [r["headline"] for r in records] == [True, False, False]
    assert all(r["options"] == {"beam": 5} and r["split"] == "test" for r in records)
    assert all(r["task"] == {"source": "en", "target": "de"} for r in records)
    assert all(set(r["baselines"]) == {"source_copied", "ibm_model_1"} for r in records)
    details = set(records[0]["details"]) - {"empty_percent"}
    assert details == {"signature", "by_length", "by_kind", "confidence", "sentences_per_s"}


@pytest.mark.slow
def test_a_saved_run_translates_as_the_training_process_did(smoke):
    folder, _ = smoke
    kept = next(folder.glob(f"{NAME}/*/samples.txt")).read_text().split("\n")[:-1]
    sources = [line for line in kept if not line.startswith("  -> ")]
    asked = run_here(APP, "translate", "-", GALLERY_RUNS=str(folder), stdin="\n".join(sources))
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.split("\n")[:-1] == [line[5:] for line in kept if line.startswith("  -> ")]


def test_a_file_gets_the_n_best_of_each_line_and_pictures_whatever_stands_in_other_lines(smoke, tmp_path):
    (tmp_path / "some.txt").write_text(f"{TEXT}\n\n{LONG}\n5\u2028kilometers\n", encoding="utf-8")
    words = ["predict", str(tmp_path / "some.txt"), "--nbest", "2", "--beam", "1", "--picture"]
    done = run_here(APP, *words, str(tmp_path / "look.png"), GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 0, done.stderr
    answers = done.stdout.split("\n")
    assert len(answers) == 7 and answers[2] == answers[3] == answers[6] == ""
    scores = [float(re.match(r" *(-\d+\.\d{3}) +-\d+\.\d{3} ", answers[line])[1]) for line in (0, 1, 4, 5)]
    assert scores[0] >= scores[1] and scores[2] >= scores[3]
    assert f"{tmp_path / 'some.txt'}, line 3: Expected a sentence of at most 32 tokens" in done.stderr
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["look-4.png", "look.png"]
    assert all(path.stat().st_size > 5_000 for path in tmp_path.glob("*.png"))


def test_stream_answers_each_line_and_survives_bad_ones(smoke):
    lines = f"{TEXT}\n\n{LONG}\n\u4f60\u597d \U0001f600\n"
    done = run_here(APP, "serve-lines", "--beam", "2", GALLERY_RUNS=str(smoke[0]), stdin=lines)
    assert done.returncode == 0, done.stderr
    answers = done.stdout.split("\n")
    assert len(answers) == 5 and answers[1] == answers[2] == ""
    assert answers[3] == "" and "tokens are unknown to the network" in done.stderr
    assert "line 3: Expected a sentence of at most 32 tokens" in done.stderr and "break it up" in done.stderr
    assert "1 answered: p50" in done.stderr


def test_score_rates_each_token_of_a_translation(smoke, predictor):
    done = run_here(APP, "score", TEXT, "2. Januar 2011", GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 0, done.stderr
    target = predictor.tokenised("2. Januar 2011").ids
    (expected,) = predictor.log_probabilities([predictor.encode(TEXT).ids], [target])
    mean, total = map(float, done.stdout.split()[:2])
    assert mean == pytest.approx(expected.mean(), abs=1e-3) and total == pytest.approx(expected.sum(), abs=2e-3)
    assert len(done.stdout.split("\n")[1].split("  ")) == len(target)
    assert f"nats per token over {len(target)} tokens, perplexity" in done.stdout


def test_score_gives_a_json_object_for_each_pair_with_the_tokens(smoke, predictor, tmp_path):
    (tmp_path / "pairs.tsv").write_text(f"{TEXT}\t2. Januar 2011\nalone\n")
    done = run_here(APP, "score", str(tmp_path / "pairs.tsv"), "--json", GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 0, done.stderr
    first, refused = map(json.loads, done.stdout.splitlines())
    target = predictor.tokenised("2. Januar 2011").ids
    (expected,) = predictor.log_probabilities([predictor.encode(TEXT).ids], [target])
    assert (first["text"], first["translation"]) == (TEXT, "2. Januar 2011")
    assert first["log_probability"] == pytest.approx(expected.sum(), abs=1e-3)
    assert first["perplexity"] == pytest.approx(np.exp(-expected.mean()), rel=1e-3)
    assert [each["token"] for each in first["tokens"]] == predictor.tokenizer.shown(target)
    assert [each["log_probability"] for each in first["tokens"]] == pytest.approx(expected, abs=1e-3)
    assert refused == {"text": "alone", "translation": "", "log_probability": None, "perplexity": None, "tokens": None}


def test_score_of_a_file_names_the_lines_that_are_no_pairs_and_rates_the_others(smoke, tmp_path):
    (tmp_path / "pairs.tsv").write_text(f'{TEXT}\t2. Januar 2011\nalone\na\tb\tc\n{LONG}\tlang\n"5 days\t"5 Tage\n')
    done = run_here(APP, "score", str(tmp_path / "pairs.tsv"), GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 0, done.stderr
    answers = done.stdout.split("\n")
    assert answers[0].endswith("  2. Januar 2011") and answers[4].endswith('  "5 Tage')
    assert answers[1:4] == ["", "", ""] and "nats per token over" in answers[5]
    errors = done.stderr.split("\n")
    assert "pairs.tsv, line 2: " in errors[0] and "has 1 column" in errors[0]
    assert "pairs.tsv, line 3: " in errors[1] and "has 3 columns" in errors[1]
    assert "pairs.tsv, line 4: Expected a sentence of at most 32 tokens" in errors[2] and len(errors) == 4


@pytest.mark.slow
def test_jax_trains_a_run_that_has_the_same_figures_here(tmp_path):
    words, few = [APP, "train", "--recipe", "smoke"], dataclasses.replace(SMOKE, max_examples=80)
    done = run(*words, "--max-examples", "80", GALLERY_RUNS=str(tmp_path), KERAS_BACKEND="jax")
    assert done.returncode == 0, done.stderr
    expected = {f"{r['metric']} (beam 5)": r["value"] for r in figures(tmp_path)}
    found = printed_figures(run_here(APP, "evaluate", GALLERY_RUNS=str(tmp_path)))
    assert found == pytest.approx(expected, abs=0.3)
    (path,) = tmp_path.glob(f"{NAME}/*")
    saved, valid = runs.Run(path, NAME, {}).load_model(), data.load(few)
    saved.compile(loss=SmoothedCrossentropy(SMOKE.label_smoothing))
    batches = data.PairBatches(valid.valid, SMOKE.batch_size, SMOKE.seed, valid.info["bucket_lengths"])
    (row,) = csv.DictReader((path / "history.csv").read_text().split("\n"))
    assert saved.evaluate(batches, verbose=0) == pytest.approx(float(row["val_loss"]), abs=1e-3)


@pytest.mark.slow
def test_the_network_learns_an_order_of_words_that_no_dictionary_has(tmp_path):
    """Every translation is backwards: word by word only the sentences of one word can come out right."""
    random = np.random.default_rng(0)
    dictionary = {word: word[::-1].upper() for word in str.split("one two three four five six")}
    drawn = {tuple(random.choice(list(dictionary), random.integers(1, 5))) for _ in range(900)}
    rows = [" ".join(some) + "\t" + " ".join(dictionary[word] for word in reversed(some)) for some in sorted(drawn)]
    (tmp_path / "own.tsv").write_text("\n".join(rows) + "\n")
    size = {"level": "words", "vocabulary": 100, "max-tokens": 8, "buckets": 1, "units": 48, "embedding": 32}
    size |= {"epochs": 20, "batch-size": 16, "learning-rate": 1e-2}
    words = [f"--{name}={value}" for name, value in size.items()]
    done = run_here(APP, "train", "--data", str(tmp_path / "own.tsv"), *words, GALLERY_RUNS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    exact = next(record for record in figures(tmp_path) if record["metric"] == "exact_match_percent")
    assert exact["value"] > 60 > 30 > max(exact["baselines"].values())


# Without a training of its own


def test_a_translation_does_not_depend_on_the_sentences_beside_it(predictor):
    sentences = [predictor.encode(text) for text in (TEXT, "5 kilometers", "in 3 days")]
    search = Search(beam=2)
    alone = [predictor.translate([sentence], search)[0][0] for sentence in sentences]
    together = predictor.translate(sentences * 4, search)
    for number, (best, *_) in enumerate(together):
        assert best.text == alone[number % 3].text
        assert best.log_probability == pytest.approx(alone[number % 3].log_probability, abs=1e-3)


def test_the_log_probability_of_a_found_translation_is_its_score_verb_s(predictor):
    sentence = predictor.encode(TEXT)
    for ids, ranked, log_p in predictor.ids([sentence.ids], Search(beam=3, length_penalty=0.7), nbest=3)[0]:
        (rated,) = predictor.log_probabilities([sentence.ids], [ids])
        assert log_p == pytest.approx(rated.sum(), abs=1e-3)
        assert ranked == pytest.approx(log_p / ((5 + len(ids)) / 6) ** 0.7, abs=1e-4)


def test_every_translation_has_the_confidence_that_the_saved_calibration_gives(smoke, predictor):
    """Read from the run by hand, so that a run marks the next day what it marks after its training."""
    saved = json.loads(next(smoke[0].glob(f"{NAME}/*/calibration.json")).read_text())["confidence"]
    for number in (1, 3):
        for each in predictor.translate([predictor.encode(TEXT)], Search(beam=3), nbest=number)[0]:
            logit = saved["bias"] + np.dot(saved["weights"], each.features)
            assert each.confidence == pytest.approx(1 / (1 + np.exp(-logit)))
            assert each.uncertain == (not each.text or each.confidence < saved["threshold"])
            assert each.not_sure == (each.confidence < saved["abstain"])
            assert min(saved["weights"]) >= 0 and saved["threshold"] >= confidence.EVEN


def test_json_has_the_confidence_of_each_line_and_null_for_what_is_refused(smoke, predictor):
    lines = f"{TEXT}\n\n\u4f60\u597d\n"
    words = ["predict", "-", "--json", "--nbest", "2"]
    done = run_here(APP, *words, GALLERY_RUNS=str(smoke[0]), stdin=lines)
    assert done.returncode == 0, done.stderr
    first, *others = map(json.loads, done.stdout.splitlines())
    expected = predictor.translate([predictor.encode(TEXT)], Search(), nbest=2)[0]
    assert first == {"text": TEXT} | expected[0].to_json(True) | {"others": [expected[1].to_json(True)]}
    refused = {"translation": None, "uncertain": True, "not_sure": True}
    assert others == [{"text": ""} | refused, {"text": "\u4f60\u597d"} | refused]
    assert done.stderr.startswith("Standard input, line 3: Expected a sentence like those in training")


def calibrated(predictor, monkeypatch, **changes):
    """The predictor with a confidence of one half for everything, and other thresholds."""
    even = {"weights": [0.0] * 4, "bias": 0.0, "threshold": 0.6, "sentences": False}
    monkeypatch.setattr(predictor, "confidence", confidence.Confidence(**even | changes))
    return predictor


def test_below_the_lower_threshold_no_translation_is_printed_but_the_words_that_are_unknown(predictor, monkeypatch):
    text = "January Set.isch, 2011"
    abstaining = calibrated(predictor, monkeypatch, abstain=0.55)
    ((best, other),) = abstaining.translate([abstaining.encode(text)], Search(beam=2), nbest=2)
    assert best.not_sure and best.uncertain and best.unknown_words == ["Set.isch"]
    assert answers.shown([best], 1) == "(not sure; unknown: Set.isch)"
    found = json.loads(answers.as_json(text, [best]))
    assert (found["translation"], found["not_sure"], found["unknown_words"]) == (None, True, ["Set.isch"])
    assert abstaining([text], beam=2)[0] == found
    (known,) = abstaining.translate([abstaining.encode(TEXT)], Search(beam=1))[0]
    assert str(known) == "(not sure)" and known.to_json()["unknown_words"] == []
    # Who asks for several sees what the search found.
    candidates = answers.shown([best, other], 2).split("\n")
    assert [line.endswith(f"{each.text}  (not sure)") for line, each in zip(candidates, (best, other), strict=True)]
    assert json.loads(answers.as_json(text, [best, other], 2))["others"][0]["translation"] == other.text


def test_a_run_of_an_earlier_version_answers_as_before(predictor, monkeypatch):
    old = calibrated(predictor, monkeypatch)
    (best,) = old.translate([old.encode(TEXT)], Search(beam=1))[0]
    assert str(best) == f"{best.text}  (uncertain)".strip() and not best.not_sure
    found = old([TEXT], beam=1)[0]
    assert (found["translation"], found["uncertain"], found["not_sure"]) == (best.text, True, False)
    assert "not_sure_percent" not in evaluate.trusted(old, [best], ["a"])


def test_a_run_without_a_calibration_translates_says_so_and_marks_nothing(smoke, tmp_path, capsys):
    (path,) = smoke[0].glob(f"{NAME}/*")
    shutil.copytree(path, tmp_path / "old")
    (tmp_path / "old" / "calibration.json").unlink()
    config = json.loads((path / "config.json").read_text())["config"]
    old = predict.ready(runs.Run(tmp_path / "old", NAME, config))
    said = capsys.readouterr().err
    assert "has no confidence" in said and len(said.splitlines()) == 1
    (best,) = old.translate([old.encode(TEXT)], Search())[0]
    assert best.confidence is None and best.uncertain == (best.text == "")
    with pytest.raises(InputError, match="unknown to the network: 2 of 3"):
        old.encode("\u4f60\u597d")
    assert len(old.tokenised("\u4f60\u597d").ids) == 4  # as an example or a translation it is not refused


def test_mostly_empty_translations_are_said_to_be_the_fault_of_a_training_that_was_too_short(monkeypatch, capsys):
    empty = answers.Translation("", -1.0, -2.0, [], [], None, None, None, True)
    found = {"a": [empty], "b": [dataclasses.replace(empty, text="5 Tage", uncertain=False)]}
    network = types.SimpleNamespace(
        encode=str, translate=lambda texts, *_, **__: [found[t] for t in texts], run=types.SimpleNamespace(path="here")
    )
    monkeypatch.setattr(predict, "ready", lambda run: network)
    monkeypatch.setattr(predict.runs, "find", lambda app, run: None)
    predict.predict(Predict("a"))
    said = capsys.readouterr()
    assert said.out == "(uncertain)\n" and said.err.startswith("here: 100 % of the translations are empty: the network")
    predict.predict(Predict("b"))
    assert capsys.readouterr() == ("5 Tage\n", "")
    assert answers.said_of_empty(answers.empty_percent(["", "5 Tage"])) == ""


def test_the_report_says_how_often_marked_and_unmarked_translations_are_right():
    def translation(text, chance):
        return answers.Translation(text, 0.0, 0.0, [], [], None, None, chance, chance < 0.6)

    model = confidence.Confidence([0.0] * 4, 0.0, 0.6, sentences=False)
    found = [translation("a", 0.9), translation("b", 0.8), translation("c", 0.3), translation("wrong", 0.5)]
    figures = evaluate.trusted(types.SimpleNamespace(confidence=model), found, list("abcd"))
    assert figures["auroc"] == pytest.approx(2 / 3, abs=1e-4)  # of three pairs of right and wrong
    assert (figures["marked_percent"], figures["right_percent_of_marked"]) == (50, 50)
    assert figures["right_percent_of_others"] == 100
    said = evaluate.said_of_confidence(figures)
    assert said == (
        "marked as uncertain 50.0 %, of which 50.0 % are right; of the others 100.0 % are right "
        "(equal to the reference); AUROC 0.667"
    )
    model = dataclasses.replace(model, abstain=0.5)
    unsure = [*found[:2], dataclasses.replace(found[2], not_sure=True), found[3]]
    figures = evaluate.trusted(types.SimpleNamespace(confidence=model), unsure, list("abcd"))
    assert (figures["marked_percent"], figures["right_percent_of_marked"]) == (25, 0)
    assert (figures["not_sure_percent"], figures["right_percent_of_not_sure"]) == (25, 100)
    assert evaluate.said_of_confidence(figures) == (
        "marked as uncertain 25.0 %, of which 0.0 % are right; not sure of 25.0 %, of which 100.0 % would be right; "
        "of the others 100.0 % are right (equal to the reference); AUROC 0.667"
    )
    model = dataclasses.replace(model, abstain=0.0)
    only = evaluate.trusted(types.SimpleNamespace(confidence=model), found[:2], ["a", "b"])
    assert only["auroc"] is None and only["right_percent_of_marked"] is None
    assert evaluate.said_of_confidence(only).startswith("marked as uncertain 0.0 %; of the others 100.0 % are right (")
    assert evaluate.trusted(types.SimpleNamespace(confidence=None), found, list("abcd")) == {}


def test_blocked_n_grams_do_not_come_twice(predictor):
    found = predictor.ids([predictor.encode(TEXT).ids], Search(beam=2, block_ngrams=2), nbest=2)[0]
    for ids, *_ in found:
        pairs = list(zip(ids[:-1], ids[1:], strict=True))
        assert len(pairs) == len(set(pairs))


def test_each_epoch_is_judged_by_the_bleu_of_greedy_translations():
    tokenizer = Tokenizer.fit(["two men are here", "zwei hier"] * 3, "words", 100, 1)
    valid = data.Part(
        [Pair("two men", "two men are here", ""), Pair("zwei", "zwei hier", "")],
        [(tokenizer.encode(text).ids, np.array([END])) for text in ("two men are here", "hier zwei")],
    )
    asked = []

    class Copying:
        """Translates every sentence by itself."""

        def __init__(self):
            self.tokenizer = tokenizer

        def ids(self, sources, search):
            asked.append(search)
            return [[(source, 0.0, 0.0)] for source in sources]

    model = types.SimpleNamespace(evaluate=lambda batches, verbose: {"loss": 2.0, "of": (batches, verbose)})
    train._evaluate_with_bleu(model, Copying(), valid)
    expected = evaluate.bleu(["two men are here", "hier zwei"], ["two men are here", "zwei hier"])
    assert model.evaluate("some", verbose=0) == {"loss": 2.0, "of": ("some", 0), "bleu": expected}
    assert [search.beam for search in asked] == [1] and 0 < expected < 100


def test_bleu_is_sacrebleu_s_of_the_whole_text():
    assert evaluate.bleu(["the cat sat on the mat"], ["the cat sat on the mat"]) == pytest.approx(100)
    # 3 of 4 words, 2 of 3 pairs, 1 of 2 triples and, as none of 1 is smoothed to 1/2, 1/2 of the quadruples
    expected = 100 * (3 / 4 * 2 / 3 * 1 / 2 * 1 / 2) ** 0.25
    assert evaluate.bleu(["a b c d"], ["a b c e"]) == pytest.approx(expected)
    for name in ("bleu", "chrf", "exact_match_percent"):
        written, references = ["a b c d", "e f", "one two three"], ["a b c e", "e f", "one two"]
        found, _ = evaluate.METRICS[name](written, references, {"copied": references})
        assert found["value"] < found["baselines"]["copied"] == pytest.approx(100) and found["ahead"][1] <= 0
    assert evaluate.METRICS["bleu"](written, references, {})[0]["value"] == evaluate.bleu(written, references)
    groups = evaluate.by_length(["one two"] * 12, ["a b c d"] * 12, ["a b c d"] * 12)
    assert list(groups) == ["1-7"] and groups["1-7"] == pytest.approx(100)


@pytest.mark.slow
def test_own_files_train_validate_and_test_and_what_is_printed_then_runs(tmp_path):
    sizes, words = {"train": 80, "valid": 12, "test": 12}, [APP, "train", "--recipe", "smoke"]
    for number, (part, count) in enumerate(sizes.items()):
        rows = [f"{number} {'abcdefgh'[n % 8]} {n}" for n in range(count)]
        (tmp_path / f"my {part}.tsv").write_text("".join(f"{row}\t{row.upper()}\n" for row in rows))
        words += ["--data" if part == "train" else f"--{part}", str(tmp_path / f"my {part}.tsv")]
    done = run_here(*words, "--source", "low", "--target", "up", GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 0, done.stderr
    files = [tmp_path / f"my {part}.tsv" for part in sizes]
    assert f"train 80, valid 12, test 12 pairs; valid from {files[1]}, test from {files[2]}\n" in done.stdout
    assert "as published" not in done.stdout
    predicted, several, _, other = map(shlex.split, done.stdout.split("Now try:")[1].strip().splitlines())
    assert predicted[6].startswith("1 ") and "my train.tsv" in other[5] and other.count("--source") == 1
    assert predicted[2:7] == several[2:7]
    tried = run_here(*several[2:], GALLERY_RUNS=str(tmp_path / "runs"))
    assert tried.returncode == 0, tried.stderr


def test_a_run_is_measured_on_two_files_and_what_cannot_be_a_pair_is_named(smoke, tmp_path):
    for name, rows in {"one": ["5 days", "6 days"] * 6, "other": ["5 Tage", "6 Tage"] * 6}.items():
        (tmp_path / name).write_text("\n".join(rows))
    words = ["evaluate", "--data", str(tmp_path / "one"), "--target-file", str(tmp_path / "other")]
    done = run_here(APP, *words, GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 0, done.stderr
    assert (
        "\nbuiltin (source en, target de), gru, " in done.stdout
        and "tested on one" in done.stdout
        and "ibm_model_1" in done.stdout
    )
    (tmp_path / "pairs.tsv").write_text("5 days\t5 Tage\n6 days\n")
    wrong = run_here(APP, "evaluate", "--data", str(tmp_path / "pairs.tsv"), GALLERY_RUNS=str(smoke[0]))
    assert wrong.returncode == 2 and "pairs.tsv, line 2 has 1 column" in wrong.stderr
    assert len(wrong.stderr.splitlines()) == 1


def test_of_a_test_sentence_that_is_too_long_the_beginning_is_read(predictor):
    text = " ".join(map(str, range(100)))
    read, whole = evaluate._readable(predictor, text), predictor.tokenizer.encode(text)
    assert len(read.ids) == len(read.pieces) == predictor.max_tokens and read.ids.dtype == whole.ids.dtype
    assert list(read.ids[:-1]) == list(whole.ids[: predictor.max_tokens - 1]) and read.ids[-1] == END


def test_what_is_recorded_is_the_mean_of_all_runs_that_differ_in_the_seed(smoke, tmp_path, monkeypatch):
    (path,) = smoke[0].glob(f"{NAME}/*")
    for seed in (1, 2):
        shutil.copytree(path, tmp_path / NAME / f"seed-{seed}")
        config = json.loads((path / "config.json").read_text())
        config["config"]["seed"] = seed
        (tmp_path / NAME / f"seed-{seed}" / "config.json").write_text(json.dumps(config))
    monkeypatch.setenv("GALLERY_RUNS", str(tmp_path))
    here = runs.find(NAME, "seed-1")
    other = [record | {"value": record["value"] + 2} for record in here.metrics()]
    monkeypatch.setattr(evaluate, "Predictor", lambda run: run.path.name)
    monkeypatch.setattr(evaluate, "measure", lambda predictor, *_: {"seed-2": other}[predictor])
    found = evaluate.over_seeds(here, here.metrics(), (5,))
    assert [r["value"] for r in found] == pytest.approx([r["value"] + 1 for r in here.metrics()], abs=1e-4)
    assert all(r["n"] == 2 and r["over"] == "seeds" and r["command"].endswith(" --seeds 2") for r in found)


# Bad input


BAD = {
    "an unknown architecture": (["train", "--arch", "transformer"], "--arch: expected one of elman, lstm"),
    "an unknown attention": (["train", "--attention", "dot"], "--attention: expected one of luong, bahdanau"),
    "an unknown data set": (["train", "--data", "multi30"], "Did you mean multi30k?"),
    "an unknown recipe": (["train", "--recipe", "huge"], "--recipe: expected one of builtin"),
    "the same language": (["train", "--target", "en"], "--source, --target: expected two languages"),
    "a share of one": (["train", "--dropout", "1"], "--dropout: expected at least 0 and less than 1; received 1"),
    "nothing to train on": (["train", "--valid-fraction", "0.5", "--test-fraction", "0.5"], "less than 1 together"),
    "an empty sentence": (["predict", " \n"], "Received an empty text"),
    "an unknown script": (["predict", "\u4f60\u597d"], "whose tokens are unknown to the network: "),
    "a file that is not there": (["predict", "none.txt"], "There is nothing at none.txt"),
    "no beam": (["translate", TEXT, "--beam", "0"], "--beam: expected at least 1 and at most 100; received 0"),
    "no translation": (["predict", TEXT, "--nbest", "0"], "--nbest: expected at least 1 and at most 100"),
    "no widths": (["evaluate", "--beams"], "--beams: expected one width or more"),
    "a width of nothing": (
        ["evaluate", "--beams", "5", "0"],
        "--beams: expected at least 1 and at most 100; received 0",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gives_one_line_and_status_2(name, smoke):
    words, expected = BAD[name]
    done = run_here(APP, *words, GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 2
    assert expected in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


REFUSED = {
    "an unknown locale": (train.train, Train(Config(target="klingon")), "Expected a locale that babel knows"),
    "no target file": (train.train, Train(Config(data="README.md", target_file="none")), "--target-file: expected a f"),
    "an unknown run": (predict.predict, Predict(TEXT, run="none"), "There is no run"),
    "5,000 tokens": (predict.predict, Predict(LONG), "Expected a sentence of at most 32 tokens. Received"),
    "a picture of no kind": (predict.predict, Predict(TEXT, picture="a.doc"), "--picture: expected a file ending"),
    "no such folder": (predict.predict, Predict(TEXT, picture="no/where/a.png"), "--picture: expected the path of a"),
    "no pictures there": (predict.predict, Predict(TEXT, picture="/proc/a.png"), "--picture: cannot write /proc/a.png"),
    "a folder to score": (score.score, Score("apps"), "apps is a folder"),
    "a file and a text": (score.score, Score("README.md", TEXT), "a file of pairs and no further argument"),
    "nothing to score": (score.score, Score(TEXT), "There is no file January 2, 2011."),
    "an empty translation": (score.score, Score(TEXT, " "), "Expected a sentence. Received an empty one."),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused_in_words(name, smoke, monkeypatch):
    verb, options, expected = REFUSED[name]
    monkeypatch.setenv("GALLERY_RUNS", str(smoke[0]))
    with pytest.raises(InputError, match=re.escape(expected)):
        verb(options)


def test_a_corrupt_model_is_named_and_nothing_is_lost(smoke, tmp_path):
    shutil.copytree(smoke[0], tmp_path / "runs")
    model = next((tmp_path / "runs").glob(f"{NAME}/*/model.keras"))
    model.write_bytes(model.read_bytes()[:-200])
    before = model.read_bytes()
    done = run_here(APP, "predict", TEXT, GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 2 and "model.keras is damaged" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert model.read_bytes() == before
