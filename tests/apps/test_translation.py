"""The app as its user meets it: commands in processes of their own, and what must hold between its parts."""

import json
import re
import shutil

import numpy as np
import pytest

from apps.translation import evaluate, phrases, predict, score, train
from apps.translation.config import Config, Evaluate, Score, Search, Train, Translate, command
from shared import InputError, runs
from tests.apps.test_contract import run, run_here

APP = "apps.translation"
TEXT = "January 2, 2011"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of runs after a smoke training, and what it printed."""
    folder = tmp_path_factory.mktemp("runs")
    done = run(APP, "train", "--recipe", "smoke", GALLERY_RUNS=str(folder))
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


@pytest.fixture(scope="module")
def translator(trained):
    return predict.Translator(runs.Run(next(trained[0].glob("translation/*")), "translation", {}))


def figures(folder):
    return json.loads(next(folder.glob("translation/*/metrics.json")).read_text())


def test_training_prints_every_baseline_answers_and_what_to_try_next(trained):
    _, printed = trained
    assert all(name in printed for name in ("source_copied", "ibm_model_1", "val_bleu", "wins"))
    assert "nrefs:1|case:mixed|eff:no|tok:13a" in printed and "sentences a second" in printed
    assert "exact by kind: date" in printed and "BLEU by words of the source: 1-7" in printed
    assert "apps.translation translate --run" in printed and "  -> " in printed


def test_a_run_holds_all_that_it_needs_to_be_used_again(trained):
    names = {path.name for path in trained[0].glob("translation/*/*")}
    expected = "config.json info.json model.keras metrics.json history.csv samples.txt translations.txt"
    assert set(expected.split()) | {"learning_curves.png", "attention.png"} <= names
    written = next(trained[0].glob("translation/*/translations.txt")).read_text().split("\n")
    assert len(written) == len(phrases.parts("en", "de")["test"]) + 1


def test_a_new_process_translates_as_the_training_process_did(trained):
    folder, _ = trained
    kept = next(folder.glob("translation/*/samples.txt")).read_text().splitlines()
    sources = [line for line in kept if not line.startswith("  -> ")]
    asked = run(APP, "translate", "-", GALLERY_RUNS=str(folder), stdin="\n".join(sources))
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.splitlines() == [line[5:] for line in kept if line.startswith("  -> ")]


def test_a_file_gives_the_n_best_of_each_line_and_pictures(trained, tmp_path):
    (tmp_path / "some.txt").write_text(f"{TEXT}\n5 kilometers\n")
    words = ["translate", str(tmp_path / "some.txt"), "--nbest", "2", "--beam", "3", "--picture"]
    done = run(APP, *words, str(tmp_path / "look.png"), GALLERY_RUNS=str(trained[0]))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 4 and all(re.match(r" *-\d+\.\d{3} +-\d+\.\d{3} ", line) for line in lines)
    scores = [float(line.split()[0]) for line in lines]
    assert scores[0] >= scores[1] and scores[2] >= scores[3]
    assert all((tmp_path / name).stat().st_size > 5_000 for name in ("look.png", "look-2.png"))


def test_serve_lines_answers_each_line_and_survives_bad_ones(trained):
    lines = f"{TEXT}\n\n{'word ' * 5_000}\n\u4f60\u597d \U0001f600\n"
    done = run(APP, "serve-lines", "--beam", "2", GALLERY_RUNS=str(trained[0]), stdin=lines)
    assert done.returncode == 0, done.stderr
    answers = done.stdout.split("\n")
    assert len(answers) == 5 and answers[1] == answers[2] == ""
    assert "Line 3 has" in done.stderr and "break it up" in done.stderr
    assert re.search(r"2 sentences: p50 [\d.]+ ms, p99 [\d.]+ ms", done.stderr)


def test_score_rates_each_token_of_a_translation(trained, translator):
    done = run(APP, "score", TEXT, "2. Januar 2011", GALLERY_RUNS=str(trained[0]))
    assert done.returncode == 0, done.stderr
    target = translator.encode("2. Januar 2011").ids
    (expected,) = translator.log_probabilities([translator.encode(TEXT).ids], [target])
    mean, total = map(float, done.stdout.split()[:2])
    assert mean == pytest.approx(expected.mean(), abs=1e-3) and total == pytest.approx(expected.sum(), abs=2e-3)
    assert f"nats a token of {len(target)}, perplexity" in done.stdout


@pytest.mark.slow
def test_the_same_seed_trains_to_the_same_figures(trained, tmp_path):
    assert run(APP, "train", "--recipe", "smoke", GALLERY_RUNS=str(tmp_path)).returncode == 0
    assert [r["value"] for r in figures(tmp_path)] == [r["value"] for r in figures(trained[0])]


@pytest.mark.slow
def test_evaluating_again_gives_the_figures_of_the_training_also_on_the_other_backend(trained):
    folder, _ = trained
    before = [record["value"] for record in figures(folder)]
    for backend in ("tensorflow", "jax"):
        done = run(APP, "evaluate", "--beams", "5", GALLERY_RUNS=str(folder), KERAS_BACKEND=backend)
        assert done.returncode == 0, done.stderr
        np.testing.assert_allclose([r["value"] for r in figures(folder)], before, atol=0.1)


@pytest.mark.slow
def test_jax_trains_too(tmp_path):
    done = run(APP, "train", "--recipe", "smoke", GALLERY_RUNS=str(tmp_path), KERAS_BACKEND="jax")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_default_recipe_translates_values_it_has_never_seen(tmp_path):
    done = run(APP, "train", GALLERY_RUNS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    exact = next(record for record in figures(tmp_path) if record["metric"] == "exact_match_percent")
    assert exact["value"] >= 95 > 50 > exact["baseline"]["value"]


# Without a training of its own


def test_a_translation_does_not_depend_on_the_sentences_beside_it(translator):
    sentences = [translator.encode(text) for text in (TEXT, "5 kilometers", "in 3 days")]
    search = Search(beam=2)
    alone = [translator.translate([sentence], search)[0][0] for sentence in sentences]
    together = translator.translate(sentences * 4, search)
    for number, (best, *_) in enumerate(together):
        assert best.text == alone[number % 3].text
        assert best.log_probability == pytest.approx(alone[number % 3].log_probability, abs=1e-3)


def test_the_log_probability_of_a_found_translation_is_its_score_verb_s(translator):
    sentence = translator.encode(TEXT)
    for ids, ranked, log_p in translator.ids([sentence.ids], Search(beam=3, length_penalty=0.7), nbest=3)[0]:
        (rated,) = translator.log_probabilities([sentence.ids], [ids])
        assert log_p == pytest.approx(rated.sum(), abs=1e-3)
        assert ranked == pytest.approx(log_p / ((5 + len(ids)) / 6) ** 0.7, abs=1e-4)


def test_blocked_n_grams_do_not_come_twice(translator):
    found = translator.ids([translator.encode(TEXT).ids], Search(beam=2, block_ngrams=2), nbest=2)[0]
    for ids, *_ in found:
        pairs = list(zip(ids[:-1], ids[1:], strict=True))
        assert len(pairs) == len(set(pairs))


def test_bleu_is_sacrebleu_s_of_the_whole_text():
    assert evaluate.bleu(["the cat sat on the mat"], ["the cat sat on the mat"]) == pytest.approx(100)
    # 3 of 4 words, 2 of 3 pairs, 1 of 2 triples and, as none of 1 is smoothed to 1/2, 1/2 of the quadruples
    expected = 100 * (3 / 4 * 2 / 3 * 1 / 2 * 1 / 2) ** 0.25
    assert evaluate.bleu(["a b c d"], ["a b c e"]) == pytest.approx(expected)
    groups = evaluate.by_length(["one two"] * 12, ["a b c d"] * 12, ["a b c d"] * 12)
    assert list(groups) == ["1-7"] and groups["1-7"] == pytest.approx(100)


def test_the_command_names_what_differs_from_the_recipe():
    config = Config(target="fr", units=64)
    assert command(config) == f"python -m {APP} train --data builtin --target fr --units 64"


# Bad input


BAD = {
    "an unknown architecture": (["train", "--arch", "transformer"], "--arch: expected one of elman, lstm"),
    "an unknown attention": (["train", "--attention", "dot"], "--attention: expected one of luong, bahdanau"),
    "an unknown data set": (["train", "--data", "multi30"], "Did you mean multi30k?"),
    "an unknown recipe": (["train", "--recipe", "huge"], "--recipe: expected one of builtin"),
    "the same language": (["train", "--target", "en"], "--source, --target: expected two languages"),
    "a share of one": (["train", "--dropout", "1"], "--dropout: expected 0 <= share < 1; received 1"),
    "an empty sentence": (["translate", " \n"], "The sentence is empty"),
    "a file that is not there": (["translate", "none.txt"], "There is nothing at none.txt"),
    "no beam": (["translate", TEXT, "--beam", "0"], "--beam: expected 1 to 100; received 0"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gives_one_line_and_status_2(name, trained):
    words, expected = BAD[name]
    done = run_here(APP, *words, GALLERY_RUNS=str(trained[0]))
    assert done.returncode == 2
    assert expected in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


REFUSED = {
    "an unknown locale": (train.train, Train(Config(target="klingon")), "Expected a locale that babel knows"),
    "no target file": (train.train, Train(Config(data="README.md", target_file="none")), "--target-file: expected a f"),
    "several runs of one name": (train.train, Train(run="a", seeds=2), "--seeds: expected at least 1, and 1 only"),
    "an unknown run": (predict.translate, Translate(TEXT, run="none"), "There is no run"),
    "5,000 tokens": (predict.translate, Translate("word " * 5_000), "Expected a sentence of at most"),
    "a picture of no kind": (predict.translate, Translate(TEXT, picture="a.doc"), "--picture: expected a file ending"),
    "no such folder": (predict.translate, Translate(TEXT, picture="no/where/a.png"), "--picture: expected a file in a"),
    "nothing to score": (score.score, Score(TEXT), "Expected a sentence and its translation, or the path"),
    "no widths": (evaluate.evaluate, Evaluate(beams=(0,)), "--beams: expected widths of at least 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused_in_words(name, trained, monkeypatch):
    verb, options, expected = REFUSED[name]
    monkeypatch.setenv("GALLERY_RUNS", str(trained[0]))
    with pytest.raises(InputError, match=re.escape(expected)):
        verb(options)


def test_an_empty_line_of_a_file_is_named(trained, tmp_path, monkeypatch, capsys):
    (tmp_path / "some.txt").write_text(f"{TEXT}\n\n{TEXT}\n")
    monkeypatch.setenv("GALLERY_RUNS", str(trained[0]))
    with pytest.raises(InputError, match=r"some\.txt, line 2 is empty"):
        predict.translate(Translate(str(tmp_path / "some.txt")))
    assert not capsys.readouterr().out


def test_a_long_sentence_is_refused_with_its_length(translator):
    with pytest.raises(InputError, match=r"The sentence has \d,\d{3}: break it up"):
        translator.encode("1 2 3 4 5 " * 300)


def test_a_corrupt_model_is_named_and_nothing_is_lost(trained, tmp_path):
    shutil.copytree(trained[0], tmp_path / "runs")
    model = next((tmp_path / "runs").glob("translation/*/model.keras"))
    model.write_bytes(model.read_bytes()[:-200])
    before = model.read_bytes()
    done = run(APP, "translate", TEXT, GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 2 and "model.keras is damaged" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert model.read_bytes() == before
