"""The app as its user meets it: commands in processes of their own, and what must hold between its parts."""

import dataclasses
import json
import math
import shutil

import numpy as np
import pytest

from apps.text_generation.config import Config
from apps.text_generation.evaluate import carried, reader_of
from apps.text_generation.model import build, step, zero_states
from shared import InputError, runs
from shared.decoding import Decoder
from tests.apps.test_contract import run, run_here

APP = "apps.text_generation"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of runs after a smoke training, and what it printed."""
    folder = tmp_path_factory.mktemp("runs")
    done = run(APP, "train", "--recipe", "smoke", GALLERY_RUNS=str(folder))
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def figures(folder):
    return json.loads(next(folder.glob("text_generation/*/metrics.json")).read_text())


def test_training_prints_the_baseline_a_sample_and_what_to_try_next(trained):
    _, printed = trained
    assert "kneser_ney_7_gram" in printed
    assert "_gram wins" in printed  # a smoke training is no match for it, and says so
    assert printed.count("--- written at temperature") == 3
    assert "apps.text_generation generate --run" in printed


def test_a_run_holds_all_that_it_needs_to_be_used_again(trained):
    folder, _ = trained
    names = {path.name for path in folder.glob("text_generation/*/*")}
    expected = "config.json info.json model.keras metrics.json history.csv learning_curves.png samples.txt"
    assert set(expected.split()) <= names


def test_the_same_command_again_gives_the_same_figures_without_training(trained):
    folder, _ = trained
    before = figures(folder)
    again = run(APP, "train", "--recipe", "smoke", GALLERY_RUNS=str(folder))
    assert again.returncode == 0 and "epoch 1/1" not in again.stdout
    assert figures(folder) == before


@pytest.mark.slow
def test_the_same_seed_trains_to_the_same_figures(trained, tmp_path):
    folder, _ = trained
    assert run(APP, "train", "--recipe", "smoke", GALLERY_RUNS=str(tmp_path)).returncode == 0
    assert [r["value"] for r in figures(tmp_path)] == [r["value"] for r in figures(folder)]


def test_a_new_process_writes_the_same_text_from_the_same_seed_streamed_or_not(trained):
    folder, _ = trained
    words = [APP, "generate", "--prompt", "The ", "--length", "150", "--seed", "7"]
    first = run(*words, GALLERY_RUNS=str(folder))
    streamed = run(*words, "--stream", GALLERY_RUNS=str(folder))
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("The ") and len(first.stdout) == len("The ") + 150 + 1
    assert first.stdout == streamed.stdout


@pytest.mark.slow
def test_another_seed_writes_another_text(trained):
    words = [APP, "generate", "--length", "50", "--seed"]
    one, other = (run(*words, seed, GALLERY_RUNS=str(trained[0])).stdout for seed in ("7", "8"))
    assert one != other


@pytest.mark.slow
def test_interactive_writing_takes_offers_and_typed_text(trained):
    done = run(APP, "generate", "--interactive", "--prompt", "The ", GALLERY_RUNS=str(trained[0]), stdin="1\nxy\n\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("[1] ") == 3
    assert "\nThe " in done.stdout and "xy\n" in done.stdout


@pytest.mark.slow
def test_the_other_backend_gives_the_same_scores(trained):
    folder, _ = trained
    before = [record["value"] for record in figures(folder)]
    done = run(APP, "evaluate", GALLERY_RUNS=str(folder), KERAS_BACKEND="jax")
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose([r["value"] for r in figures(folder)], before, atol=1e-5)
    run(APP, "evaluate", GALLERY_RUNS=str(folder))


def test_score_prints_bits_and_draws_the_surprise(trained):
    folder, _ = trained
    done = run(APP, "score", "The print statement is a function.", GALLERY_RUNS=str(folder))
    assert done.returncode == 0, done.stderr
    bits = float(done.stdout.split(" bits per character")[0].split()[-1])
    assert 1 < bits < math.log2(150)
    assert next(folder.glob("text_generation/*/surprise.png")).stat().st_size > 1000


def test_a_text_read_window_by_window_gives_what_reading_token_by_token_gives():
    config, info = Config(units=8, embedding=4, layers=2), {"vocabulary": list("abcdef")}
    model, reader = build(config, info), build(config, info, batch_size=1)
    reader.set_weights(model.get_weights())
    ids = np.random.default_rng(1).integers(0, 6, 600).astype(np.int32)
    decoder = Decoder(step(model), model.variables, 6)
    for _ in range(2):  # the second reading starts from zeros again
        np.testing.assert_allclose(carried(reader, ids), decoder.nats(ids[None], zero_states(model)).mean(), rtol=1e-5)


def test_weights_are_dropped_only_where_the_architecture_can():
    with pytest.raises(InputError, match="--weight-dropout: expected 0 with --arch sru"):
        build(Config(arch="sru", weight_dropout=0.5), {"vocabulary": list("abc")})


BAD = {
    "an unknown architecture": (["train", "--arch", "transformer"], "--arch: expected one of elman, lstm"),
    "negative units": (["train", "--units", "-5"], "--units: expected at least 1; received -5"),
    "an unknown data set": (["train", "--data", "tinyshakespear"], "Did you mean tinyshakespeare?"),
    "an unknown recipe": (["train", "--recipe", "huge"], "--recipe: expected one of builtin"),
    "an unknown run": (["generate", "--run", "none"], "There is no run"),
    "a negative temperature": (
        ["generate", "--temperature", "-1"],
        "`temperature` must be a number of at least 0",
    ),
    "characters never seen": (["generate", "--prompt", "漢字"], "It has never seen '字', '漢'"),
    "an empty text": (["score", " "], "Received an empty text"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gives_one_line_and_status_2(name, trained):
    words, expected = BAD[name]
    done = run_here(APP, *words, GALLERY_RUNS=str(trained[0]))
    assert done.returncode == 2
    assert expected in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def file_of(tmp_path, content: bytes):
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "content, expected",
    [
        (b"", "is empty or blank"),
        (b"a", "Expected at least"),
        (b"ab\n" * 400, "Lower --batch-size or --window"),
        ("grün\n".encode("latin-1") * 9000, "line 1: byte 0xfc"),
    ],
    ids=["empty", "one character", "shorter than a window", "latin-1"],
)
def test_a_file_that_cannot_be_trained_on_is_named(content, expected, tmp_path):
    done = run(APP, "train", "--data", file_of(tmp_path, content), GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 2
    assert expected in done.stderr and "text.txt" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_a_corrupt_model_is_named_and_nothing_is_lost(trained, tmp_path):
    shutil.copytree(trained[0], tmp_path / "runs")
    model = next((tmp_path / "runs").glob("text_generation/*/model.keras"))
    model.write_bytes(model.read_bytes()[:-200])
    before = model.read_bytes()
    done = run(APP, "generate", GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 2 and "model.keras is damaged" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert model.read_bytes() == before


def test_a_saved_network_that_is_not_the_one_of_the_settings_is_refused_in_one_line(tmp_path):
    config, info = Config(units=4, embedding=3), {"vocabulary": list("?abcd")}
    saved = build(Config(units=5, embedding=3), info)
    run = runs.Run(tmp_path, "text_generation", dataclasses.asdict(config))
    with pytest.raises(InputError, match=r"model\.keras the network that .* Found 6 weights, .* Train this run again"):
        reader_of(run, saved, info)
