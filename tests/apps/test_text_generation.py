"""The app as its user meets it, and what must hold between its parts."""

import dataclasses
import io
import json
import math
import shlex
import shutil
import sys

import numpy as np
import pytest

from apps.text_generation import data, predict
from apps.text_generation.config import Config
from apps.text_generation.data import Data
from apps.text_generation.evaluate import WINDOW, carried, measure, reader_of
from apps.text_generation.model import build, step, zero_states
from apps.text_generation.options import Predict, Sampling, Stream
from apps.text_generation.predict import Predictor, interact
from apps.text_generation.score import whole
from shared import InputError, files, runs
from shared.data.text import SPECIALS
from shared.decoding import Decoder
from shared.layers.budget import sized
from tests.commands import run_here, trained

NAME = "text_generation"
APP = f"apps.{NAME}"
WORDS = {
    "level": "word",
    "vocabulary": [*SPECIALS, "to", "be", "or", "not"],
    "frequencies": [0, 0, 0, 9, 4, 4, 2, 2],
}


@pytest.fixture(scope="module")
def smoke():
    """The folder of runs after a smoke training, and what it printed."""
    return trained(NAME)


def figures(folder):
    return json.loads(next(folder.glob(f"{NAME}/*/metrics.json")).read_text())


def run_of(folder):
    """The one run in the folder of runs."""
    path = next(folder.glob(f"{NAME}/*"))
    return runs.Run(path, NAME, json.loads((path / "config.json").read_text())["config"])


def untrained(folder, config, info):
    """A run with a network of random weights."""
    begun = runs.Run(folder / "run", NAME, dataclasses.asdict(config))
    begun.begin(info)
    begun.save_model(build(sized(config, lambda config: build(config, info)), info))
    files.write_json(begun.file("timing.json"), {"seconds": 60})
    return begun


@pytest.fixture(scope="module")
def word_predictor(tmp_path_factory):
    """A network of words whose output layer is its embedding."""
    config = Config(data="ptb", level="word", tied=True, layers=2, units=8, embedding=6)
    return Predictor(untrained(tmp_path_factory.mktemp("words"), config, WORDS))


def test_training_prints_the_baseline_samples_and_what_to_try_next(smoke):
    _, printed = smoke
    assert ": kneser_ney_7_gram wins" in printed  # a smoke training is no match for it
    assert "bits per character" in printed
    assert printed.count("--- written at temperature") == 3
    assert f"{APP} predict --run" in printed


def test_a_run_holds_all_that_it_needs_to_be_used_again(smoke):
    names = {path.name for path in smoke[0].glob(f"{NAME}/*/*")}
    expected = "config.json info.json model.keras metrics.json history.csv learning_curves.png samples.txt"
    assert set(expected.split()) <= names


def test_the_headline_carries_the_state_and_the_other_figure_is_that_of_windows(smoke):
    records = figures(smoke[0])
    assert [(r["metric"], r["split"]) for r in records] == [("nats_per_char", "valid")] * 2
    assert [r["options"] for r in records] == [{}, {"window": WINDOW}]
    assert [r["headline"] for r in records] == [True, False]
    assert all(r["direction"] == "lower" and list(r["baselines"]) == ["kneser_ney_7_gram"] for r in records)


@pytest.mark.slow
def test_a_saved_run_writes_what_the_training_process_wrote_from_the_same_seed(smoke):
    folder, _ = smoke
    prompt = data.prompt(run_of(folder).info()["example"])
    words = [prompt, "--length", "300", "--temperature", "0.5", "--seed", "1"]
    asked = run_here(APP, "predict", *words, GALLERY_RUNS=str(folder))
    assert asked.returncode == 0, asked.stderr
    assert prompt and asked.stdout.startswith(prompt) and len(asked.stdout) == len(prompt) + 300 + 1
    assert asked.stdout in next(folder.glob(f"{NAME}/*/samples.txt")).read_text()
    assert run_here(APP, "generate", *words, GALLERY_RUNS=str(folder)).stdout == asked.stdout


def test_another_seed_writes_another_text(smoke):
    words = [APP, "predict", "--length", "50", "--seed"]
    one, other = (run_here(*words, seed, GALLERY_RUNS=str(smoke[0])).stdout for seed in ("7", "8"))
    assert len(one) == len(other) == 51 and one != other


@pytest.mark.slow
def test_each_line_of_a_file_or_of_a_stream_is_continued_on_one_line(smoke, tmp_path):
    path = tmp_path / "prompts.txt"
    path.write_text("The  print\n\n漢字\ndef f(\n", encoding="utf-8")
    words = ["--length", "200", "--seed", "3"]
    from_file = run_here(APP, "predict", str(path), *words, GALLERY_RUNS=str(smoke[0]))
    streamed = run_here(APP, "stream", *words, GALLERY_RUNS=str(smoke[0]), stdin=path.read_text(encoding="utf-8"))
    assert from_file.stdout == streamed.stdout
    first, blank, unread, last = streamed.stdout.splitlines()
    assert first.startswith("The print") and last.startswith("def f(") and len(last) > 100
    assert (blank, unread) == ("", "")
    assert from_file.stderr == f"{path}, line 3: {seen_never('字', '漢')}\n"
    assert f"Standard input, line 3: {seen_never('字', '漢')}\n2 answered: p50" in streamed.stderr


def seen_never(*characters):
    return f"Expected characters that the run was trained on. It has never seen {', '.join(map(repr, characters))}."


def test_interactive_writing_takes_offers_and_typed_text(smoke):
    words = ["predict", "The ", "--interactive", "--offers", "3"]
    done = run_here(APP, *words, GALLERY_RUNS=str(smoke[0]), stdin="1\nxy\n漢\n4\n\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("[3] ") == 5 and "[4] " not in done.stdout
    offered = done.stdout.split("[1] '")[1][0]
    assert f"\nThe {offered}xy\n" in done.stdout
    assert seen_never("漢") in done.stdout
    assert f"\nThe {offered}xy4\n" in done.stdout  # there is no fourth offer


def test_bytes_that_are_no_text_are_refused_where_a_whole_text_is_read(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"one\ncaf\xe9\n"), encoding="utf-8"))
    with pytest.raises(InputError, match="Standard input, line 2: byte 0xe9 is not part of a character"):
        whole("-")


def test_interactive_writing_survives_bytes_that_are_no_text(word_predictor, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"b\xff\r\n\n"), encoding="utf-8"))
    interact(word_predictor, "to", 2)
    assert "\nto b\ufffd\n" in capsys.readouterr().out


def test_score_prints_bits_and_draws_the_surprise(smoke):
    folder, _ = smoke
    done = run_here(APP, "score", "The print statement is a function.", GALLERY_RUNS=str(folder))
    assert done.returncode == 0, done.stderr
    bits = float(done.stdout.split(" bits per character")[0].split()[-1])
    assert 1 < bits < math.log2(150)
    assert next(folder.glob(f"{NAME}/*/surprise.png")).stat().st_size > 1000


# A text of one's own


def test_a_run_is_measured_on_another_text_as_score_reads_it_and_keeps_its_own_figures(smoke, tmp_path):
    path, before = tmp_path / "other.txt", figures(smoke[0])
    path.write_text("A statement is a line of its own.\n" * 20)
    done = run_here(APP, "evaluate", "--data", str(path), GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 0, done.stderr
    assert "other.txt: 680 characters, 0 of them unknown" in done.stdout and "tested on other.txt" in done.stdout
    rows = [row for row in done.stdout.splitlines() if row.startswith("  test ") and " nats_per_char " in row]
    assert len(rows) == 2 and "  valid" not in done.stdout and "kneser_ney_7_gram" in rows[0]
    predictor = Predictor(run_of(smoke[0]))
    ids = predictor.encode(path.read_text())
    nats = predictor.decoder.nats(ids[None], zero_states(predictor.model))
    assert float(rows[0].split()[2]) == pytest.approx(nats.mean(), abs=1e-3)
    assert figures(smoke[0]) == before


def test_a_character_that_the_run_never_saw_is_refused_with_file_and_line(smoke, tmp_path):
    (tmp_path / "other.txt").write_text("A statement.\nA \u732b sat.\n")
    done = run_here(APP, "evaluate", "--data", str(tmp_path / "other.txt"), GALLERY_RUNS=str(smoke[0]))
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "other.txt, line 2: expected characters that the run was trained on; received '\u732b'" in done.stderr


@pytest.mark.slow
def test_own_files_train_validate_and_test_and_what_is_printed_then_runs(tmp_path):
    texts = {
        "train": "the cat sat on the mat\n" * 60,
        "valid": "\nthe mat sat on a cat\n" * 9,
        "test": "a cat sat\n" * 9,
    }
    words = [APP, "train", "--recipe", "smoke"]
    for part, content in texts.items():
        (tmp_path / f"my {part}.txt").write_text(content)
        words += ["--data" if part == "train" else f"--{part}", str(tmp_path / f"my {part}.txt")]
    done = run_here(*words, GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 0, done.stderr
    files = [tmp_path / f"my {part}.txt" for part in texts]
    assert f"(train whole, valid from {files[1]}, test from {files[2]}" in done.stdout
    assert "as published" not in done.stdout and "seed 1) ---\nthe mat sat" in done.stdout.replace("\n\n", "\n")
    for line in done.stdout.split("Now try:")[1].strip().splitlines():
        command = shlex.split(line)
        if "train" in command:  # the same files with another architecture
            assert command[3:] == ["train", "--data", str(files[0]), "--valid", str(files[1]), *command[8:]]
            continue
        tried = run_here(*command[2:], GALLERY_RUNS=str(tmp_path / "runs"), stdin="\n")
        assert tried.returncode == 0, tried.stderr


# Without a training


def test_a_text_read_window_by_window_gives_what_reading_token_by_token_gives():
    config, info = Config(units=8, embedding=4, layers=2), {"vocabulary": list("abcdef")}
    model, reader = build(config, info), build(config, info, batch_size=1)
    reader.set_weights(model.get_weights())
    ids = np.random.default_rng(1).integers(0, 6, 600).astype(np.int32)
    decoder = Decoder(step(model), model.variables, 6)
    for _ in range(2):  # the second reading starts from zeros again
        np.testing.assert_allclose(carried(reader, ids), decoder.nats(ids[None], zero_states(model))[0], rtol=1e-3)


@pytest.mark.slow
def test_a_network_of_words_is_measured_by_its_perplexity_on_test_before_validation(word_predictor):
    random = np.random.default_rng(1)
    train, valid, test = (random.integers(3, 8, size).astype(np.int32) for size in (900, 600, 500))
    records = measure(word_predictor, Data(train, valid, test, WORDS))
    assert [(r["split"], r["options"]) for r in records] == [
        ("test", {}), ("test", {"window": WINDOW}), ("valid", {}), ("valid", {"window": WINDOW})
    ]  # fmt: skip
    assert [bool(r["published"]) for r in records] == [True, False, False, False]  # it was measured on test
    main = records[0]
    assert main["headline"] and main["metric"] == "perplexity" and list(main["baselines"]) == ["kneser_ney_5_gram"]
    nats = word_predictor.decoder.nats(test[None], zero_states(word_predictor.model))
    assert main["value"] == pytest.approx(math.exp(nats.mean()), rel=1e-4)
    assert main["params"] == word_predictor.model.count_params() and main["minutes"] == 1


def test_every_prompt_is_read_from_the_start_of_a_line_as_a_text_is_scored(word_predictor):
    for text in ("", "to", "to be or not"):
        assert word_predictor.begun(text).tolist() == [SPECIALS.index("<eos>"), *word_predictor.encode(text)]
        logits, _ = word_predictor.decoder.read(word_predictor.begun(text)[None], zero_states(word_predictor.model))
        likely = np.exp(np.array(logits[0], np.float64)[3:])  # the specials before the end of a line are not offered
        chances = [chance for _, chance in word_predictor.offers(text, 5)]
        assert chances == pytest.approx(sorted(likely / likely.sum(), reverse=True), rel=1e-4)


def test_words_are_spaced_alike_wherever_a_piece_of_the_text_ends(word_predictor):
    pieces = list(word_predictor.write("to be", Sampling(length=300, temperature=1.0, seed=1)))
    ids, decoder = word_predictor.begun("to be"), word_predictor.decoder
    logits, states = decoder.read(ids[None], zero_states(word_predictor.model))
    (written,) = decoder.sample(logits, states, 300, seed=1, banned=word_predictor.banned)
    assert len(pieces) > 1
    assert "".join(["to be", *pieces]) == word_predictor.decode(np.append(ids[1:], written[0]))
    assert word_predictor.appended("be", "\nto") == "\nto"
    assert word_predictor.appended("", "to") == word_predictor.appended("be\n", "to") == "to"


def test_each_line_has_random_numbers_of_its_own_whatever_lines_there_are(
    word_predictor, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(predict, "Predictor", lambda run: word_predictor)
    monkeypatch.setattr(predict.runs, "find", lambda app, name: None)
    path, sampling = tmp_path / "prompts.txt", Sampling(length=30, temperature=1.0, seed=1)

    def answers(text):
        path.write_text(text)
        predict.predict(Predict(str(path), sampling=sampling))
        return capsys.readouterr().out.split("\n")[:-1]

    four = answers("to be\nto be\n\nto be\n")
    assert len({four[0], four[1], four[3]}) == 3 and four[2] == ""
    assert answers("to be\n") == four[:1] and answers("or not\n\n\nto be\n")[3] == four[3]
    assert four[0] == word_predictor.line("to be", sampling)  # the first line keeps the seed
    both = word_predictor(["to be", "to be"], length=30, temperature=1.0, seed=1)
    assert [" ".join(f"{each['text']}{each['continuation']}".split()) for each in both] == four[:2]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"to be\nto be\n\nto be\n")))
    predict.stream(Stream(sampling=sampling))
    assert capsys.readouterr().out.split("\n")[:-1] == four


@pytest.mark.parametrize("tied", [False, True])
def test_the_width_is_solved_for_a_number_of_parameters_and_found_again_for_measuring(tied, tmp_path):
    config = Config(params=20_000, layers=2, embedding=16, tied=tied)
    predictor = Predictor(untrained(tmp_path, config, WORDS))
    assert predictor.model.count_params() == pytest.approx(20_000, rel=0.03)
    reader = reader_of(predictor.run, predictor.model, WORDS)
    ids = np.array([[4, 5, 6, 7, 3]], np.int32)
    np.testing.assert_allclose(np.array(reader(ids)), np.array(predictor.model(ids)), atol=1e-5)


def test_a_saved_network_that_is_not_the_one_of_the_settings_is_refused_in_one_line(tmp_path):
    config, info = Config(units=4, embedding=3), {"vocabulary": list("?abcd")}
    saved = build(Config(units=5, embedding=3), info)
    begun = runs.Run(tmp_path, NAME, dataclasses.asdict(config))
    with pytest.raises(InputError, match=r"model\.keras the network that .* Found 6 weights, .* Train this run again"):
        reader_of(begun, saved, info)


def test_weights_are_dropped_only_where_the_architecture_can():
    with pytest.raises(InputError, match="--weight-dropout: expected 0 with --arch sru"):
        build(Config(arch="sru", weight_dropout=0.5), {"vocabulary": list("abc")})


# Bad input


BAD = {
    "an unknown data set": (["train", "--data", "tinyshakespear"], "Did you mean tinyshakespeare?"),
    "an unknown level": (["train", "--level", "byte"], "--level: expected one of char, word; received 'byte'"),
    "fractions that leave nothing": (
        ["train", "--valid-fraction", "0.5", "--test-fraction", "0.5"],
        "--valid-fraction, --test-fraction: expected together less than 1; received 0.5 and 0.5",
    ),
    "a width that cannot be solved": (["train", "--tied", "--params", "9000"], "--params: expected --layers 2 or more"),
    "an unknown run": (["predict", "--run", "none"], "There is no run"),
    "a negative temperature": (["predict", "--temperature", "-1"], "--temperature: expected at least 0; received -1"),
    "too large a nucleus": (["stream", "--top-p", "2"], "--top-p: expected more than 0 and at most 1; received 2"),
    "no offers": (["predict", "--interactive", "--offers", "0"], "--offers: expected at least 1; received 0"),
    "characters never seen": (["predict", "漢字"], seen_never("字", "漢")),
    "many texts to choose for": (["predict", "-", "--interactive"], "--interactive: expected one text to continue"),
    "a file of prompts that is not there": (["predict", "prompts.txt"], "There is nothing at prompts.txt"),
    "an empty text": (["score", " "], "Received an empty text"),
    "a folder to continue": (["predict", "apps"], "apps is a folder"),
    "a folder to score": (["score", "apps"], "apps is a folder"),
    "a seed that no generator takes": (["train", "--seed", "4294967296"], "--seed: expected at least 0 and at most"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gives_one_line_and_status_2(name, smoke):
    words, expected = BAD[name]
    done = run_here(APP, *words, GALLERY_RUNS=str(smoke[0]), stdin="The\nprint\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert expected in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


@pytest.mark.parametrize(
    "content, expected",
    [
        (b"", "is empty or blank"),
        (b"ab\n" * 400, "Lower --batch-size or --window, or give more text"),
        ("grün\n".encode("latin-1") * 9000, "line 1: byte 0xfc"),
    ],
    ids=["empty", "shorter than the windows of a batch", "latin-1"],
)
def test_a_file_that_cannot_be_trained_on_is_named_and_no_run_is_begun(content, expected, tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    done = run_here(APP, "train", "--data", str(path), GALLERY_RUNS=str(tmp_path / "runs"))
    assert (done.returncode, done.stdout) == (2, "")
    assert expected in done.stderr and "text.txt" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_corrupt_model_is_named_and_nothing_is_lost(smoke, tmp_path):
    shutil.copytree(smoke[0], tmp_path / "runs")
    model = next((tmp_path / "runs").glob(f"{NAME}/*/model.keras"))
    model.write_bytes(model.read_bytes()[:-200])
    before = model.read_bytes()
    done = run_here(APP, "predict", GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 2 and "model.keras is damaged" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert model.read_bytes() == before
