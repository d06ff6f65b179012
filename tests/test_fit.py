"""The training loop, on the backend that KERAS_BACKEND names."""

import contextlib
import csv
import ctypes
import dataclasses
import hashlib
import io
import os
import platform
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import keras
import numpy as np
import pytest

from shared import InputError, checkpoint, runs
from shared.fit import _signals, fit
from shared.runs import Stopped
from tests import toy_training
from tests.commands import HUNG_S, ROOT
from tests.toy_training import (
    BATCH,
    STEPS,
    TIME,
    VOCABULARY,
    Toy,
    before_each_rename,
    carried,
    everything,
    toy_model,
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("GALLERY_RUNS", str(tmp_path))
    run = runs.start("toy", {"data": "random"}, name="run")
    run.begin({})
    return run


def toy_command(folder: Path, *words: str) -> int:
    """The exit status of tests/toy_training.py in this process."""
    with mock.patch.dict(os.environ, GALLERY_RUNS=str(folder)):
        return toy_training.main([str(folder / "result.npz"), *words])


def toy_process(folder: Path, *words: str) -> subprocess.CompletedProcess:
    """The same in a process of its own."""
    environment = os.environ | {"GALLERY_RUNS": str(folder), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(ROOT / "tests/toy_training.py"), str(folder / "result.npz"), *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=HUNG_S)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """The folder of a training that nothing stopped."""
    folder = tmp_path_factory.mktemp("unbroken")
    assert toy_command(folder) == 0
    return folder


def assert_same_results(folder: Path, other: Path) -> None:
    """Bit for bit: last weights, optimizer, carried states, seeds, best model's weights, history."""
    ours, theirs = np.load(folder / "result.npz"), np.load(other / "result.npz")
    assert ours.files == theirs.files
    different = [key for key in ours.files if ours[key].tobytes() != theirs[key].tobytes()]
    assert different == []
    histories = [next(path.glob("toy/*/history.csv")).read_bytes() for path in (folder, other)]
    assert histories[0] == histories[1]


@pytest.mark.slow
def test_a_run_killed_and_then_interrupted_ends_exactly_like_an_unbroken_one(unbroken, tmp_path, capsys):
    killed = toy_process(tmp_path, "--at-rename", "9")  # two checkpoint files a step: in the first epoch
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert toy_command(tmp_path, "--at-rename", "13", "--signal", "INT") == 130
    assert capsys.readouterr().err.splitlines()[-1].startswith("Stopped in epoch 2 of 4 after step ")
    assert toy_command(tmp_path) == 0
    assert_same_results(unbroken, tmp_path)


def test_a_finished_run_gives_its_results_again_without_training(unbroken, tmp_path, capsys):
    shutil.copytree(unbroken, tmp_path, dirs_exist_ok=True)
    (tmp_path / "result.npz").unlink()
    assert toy_command(tmp_path) == 0
    assert "epoch 4/4" not in capsys.readouterr().out
    assert_same_results(unbroken, tmp_path)


def test_the_state_is_carried_through_the_validation_text(unbroken):
    """Keras's own JAX loop would leave it at zero."""
    assert np.abs(np.load(unbroken / "result.npz")["state0"]).max() > 0


def checkpoints(written: list) -> contextlib.AbstractContextManager:
    """Adds to `written` what each checkpoint holds but for the seconds that have passed."""

    def action(number: int, source: Path, target: Path) -> None:
        if Path(target).name == "checkpoint.npz":
            position, arrays = checkpoint.load(Path(source))
            kept = {key: (array.shape, array.tobytes()) for key, array in arrays.items()}
            text = repr((dataclasses.replace(position, seconds=0.0), sorted(kept.items())))
            written.append(hashlib.sha256(text.encode()).hexdigest())

    return before_each_rename(action)


@pytest.fixture(scope="module")
def used():
    """A model for many trainings, as tracing one takes longer than training it, and what its variables began with."""
    model = toy_model()
    checkpoint.build(model, Toy(1, STEPS).batch(0, 0))
    return model, values(model)


@pytest.fixture
def fresh(used):
    """fresh(): the model as it was built; the one before is the same, so keep what is needed of it."""

    def model():
        for variable, value in zip(everything(used[0]), used[1], strict=True):
            variable.assign(value)
        return used[0]

    return model


def values(model: keras.Model) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(variable).copy() for variable in everything(model)]


def scramble(model: keras.Model) -> None:
    """Leaves nothing in the model that a resume could go on with unless it is restored."""
    random = np.random.default_rng(0)
    for variable in everything(model):
        noise = random.integers(1, 99, variable.shape)
        variable.assign(keras.ops.cast(noise, variable.dtype))


@pytest.mark.slow
@pytest.mark.parametrize("checkpoint_s", [0, 3600], ids=["each step", "each epoch"])
def test_a_kill_at_any_moment_at_all_changes_nothing(fresh, tmp_path, monkeypatch, checkpoint_s):
    """The run folder is copied at each moment that differs, with a file half written, and gone on with.

    All that is written from there on is what the unbroken run wrote, so further kills meet the same folders again.
    """

    def trained(folder, model):
        written: list[str] = []
        monkeypatch.setenv("GALLERY_RUNS", str(folder))
        with checkpoints(written):
            run = runs.start("toy", {"data": "random"}, name="run")
            run.begin({})
            rows = fit(model, Toy(1, 3), Toy(2, 3), run, epochs=3, checkpoint_s=checkpoint_s)
        best = [keras.ops.convert_to_numpy(weight) for weight in run.load_model().weights]
        found = [run.file("history.csv").read_bytes(), *(value.tobytes() for value in [*values(model), *best])]
        return written, rows, found

    def copy(number, source, target):
        moment = shutil.copytree(tmp_path / "unbroken", tmp_path / f"moment {number}")
        os.truncate(moment / Path(source).relative_to(tmp_path / "unbroken"), os.path.getsize(source) // 2)

    with before_each_rename(copy):
        written, *expected = trained(tmp_path / "unbroken", fresh())
    moments = list(tmp_path.glob("moment *"))
    assert len(moments) > 2 * len(written) > 4
    for moment in moments:
        model = fresh()
        if list(moment.rglob("checkpoint.npz")):
            scramble(model)
        again, *found = trained(moment, model)
        assert again == written[len(written) - len(again) :]
        assert found == expected, moment


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A training of two epochs for all that only look at it: model, rows, run, printed."""
    printed, model = io.StringIO(), toy_model()
    with mock.patch.dict(os.environ, GALLERY_RUNS=str(tmp_path_factory.mktemp("whole"))):
        run = runs.start("toy", {"data": "random"}, name="run")
        run.begin({})
    with contextlib.redirect_stdout(printed):
        rows = fit(model, Toy(1, STEPS), Toy(2, 3), run, epochs=2)
    return SimpleNamespace(model=model, rows=rows, run=run, printed=printed.getvalue())


@pytest.fixture
def begun(whole, run):
    """A run of two epochs that may be damaged."""
    shutil.copytree(whole.run.path, run.path, dirs_exist_ok=True)
    return run


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
@pytest.mark.usefixtures("whole")
def test_memory_stays_with_the_process_while_it_trains():
    """TensorFlow takes the setting back when it first reads from a generator."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    block = libc.malloc(200 << 20)
    size_field = ctypes.c_size_t.from_address(block - ctypes.sizeof(ctypes.c_size_t)).value
    libc.free(block)
    assert not size_field & 2  # malloc's flag of a block that is mapped for itself and given back when freed


def test_an_epoch_equals_a_plain_keras_fit_with_reset_states(run, fresh):
    model, plain = fresh(), toy_model()
    rows = fit(model, Toy(1, STEPS), Toy(2, 3), run, epochs=1)
    with checkpoint.carried_states(plain):
        history = plain.fit(Toy(1, STEPS), epochs=1, shuffle=False, verbose=0).history
    assert rows[0]["loss"] == history["loss"][0]
    for ours, theirs in zip(model.weights, plain.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("from_averages", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_epochs_go_on_from_the_weights_unless_asked_to_go_on_from_their_averages(run, fresh, from_averages):
    model, plain = fresh(), toy_model()
    fit(model, Toy(1, STEPS), Toy(2, 3), run, epochs=3, from_averages=from_averages)
    checkpoint.build(plain, Toy(1, STEPS).batch(0, 0))
    for epoch in range(3):
        checkpoint.reset_states(plain)
        with checkpoint.carried_states(plain):
            for step in range(STEPS):
                plain.train_on_batch(*Toy(1, STEPS).batch(epoch, step))
            if from_averages:
                plain.optimizer.finalize_variable_values(plain.trainable_variables)
            checkpoint.own_averages(plain)
            checkpoint.reset_states(plain)
            if epoch < 2:
                plain.evaluate(Toy(2, 3), verbose=0)  # it draws from the seeds of dropout too
    plain.optimizer.finalize_variable_values(plain.trainable_variables)
    for ours, theirs in zip(model.weights, plain.weights, strict=True):
        np.testing.assert_allclose(*map(keras.ops.convert_to_numpy, (ours, theirs)), rtol=1e-4, atol=1e-6)


def test_validation_starts_from_zero_states_and_carries_them(whole):
    valid = Toy(2, 3)
    weights = {layer.name: layer.get_weights() for layer in whole.model.layers if layer.get_weights()}
    text = keras.Input((None,), batch_size=BATCH, dtype="int32")
    x, names = text, iter(weights)
    x = keras.layers.Embedding(VOCABULARY, 8, name="e")(x)
    x = keras.layers.LSTM(16, return_sequences=True, name="l")(x)
    twin = keras.Model(text, keras.layers.Dense(VOCABULARY, name="d")(x))
    for name in "eld":
        twin.get_layer(name).set_weights(weights[next(names)])
    batches = [valid.batch(0, step) for step in range(3)]
    ids, targets = (np.concatenate([batch[part] for batch in batches], axis=1) for part in (0, 1))
    assert ids.shape == (BATCH, 3 * TIME)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(targets, twin(ids))
    assert whole.rows[-1]["val_loss"] == pytest.approx(float(loss), abs=1e-6)


def test_the_model_saved_is_the_best_epochs(run, fresh):
    model = fresh()
    rows = fit(model, Toy(1, STEPS), Toy(2, 3), run, epochs=4, monitor="val_accuracy", mode="max")
    best = max(range(4), key=lambda epoch: rows[epoch]["val_accuracy"])  # the first of equals
    other = runs.start("toy", {"data": "random"}, name="shorter")
    other.begin({})
    shorter = fresh()
    fit(shorter, Toy(1, STEPS), Toy(2, 3), other, epochs=best + 1)
    for saved, expected in zip(run.load_model().weights, shorter.weights, strict=True):
        np.testing.assert_array_equal(saved, expected)


def test_deploy_gives_the_model_for_users(run):
    model, twin = toy_model(), toy_model(stateful=False)

    def deploy():
        twin.set_weights(model.get_weights())
        return twin

    fit(model, Toy(1, STEPS), Toy(2, 3), run, epochs=1, deploy=deploy)
    saved = run.load_model()
    assert not any(getattr(layer, "stateful", False) for layer in saved.layers)
    for ours, theirs in zip(saved.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_training_ends_after_so_many_epochs_without_a_better_one(run):
    model = toy_model()
    model.optimizer = keras.optimizers.SGD(0.0)  # nothing is learned: the first epoch stays the best
    rows = fit(model, Toy(1, STEPS), Toy(2, 3), run, epochs=9, patience=2)
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert fit(model, Toy(1, STEPS), Toy(2, 3), run, epochs=9, patience=2) == rows


def test_patience_counts_from_the_beginning_of_a_part_and_a_part_that_begins_is_not_resumed(run, capsys):
    model = toy_model()
    model.optimizer = keras.optimizers.SGD(0.0)
    for _ in range(2):  # also when it is called again
        fit(model, Toy(1, STEPS), Toy(2, 3), run, epochs=4, of=9)
        rows = fit(model, Toy(1, STEPS), Toy(2, 3), run, epochs=9, begin=4, of=9, patience=2)
        assert [row["epoch"] for row in rows] == [1, 2, 3, 4, 5, 6]
        said = capsys.readouterr().out
        assert ("resuming after epoch 6 of 9" in said) == ("epoch 1/9" not in said) and "after epoch 4" not in said


@pytest.mark.parametrize("mode, monitor", [("min", "val_loss"), ("max", "val_accuracy")])
def test_training_ends_with_the_epoch_that_reaches_the_target(whole, fresh, run, mode, monitor):
    first = whole.rows[0][monitor]
    beyond = first + (1e-6 if mode == "max" else -1e-6)
    met = dict(epochs=9, patience=2, monitor=monitor, mode=mode, target=first)
    assert len(fit(fresh(), Toy(1, STEPS), Toy(2, 3), run, **met)) == 1  # also when it is called again
    assert len(fit(fresh(), Toy(1, STEPS), Toy(2, 3), run, **met | {"target": beyond})) > 1


def test_the_history_file_holds_the_rows_exactly(whole):
    rows = whole.rows
    with whole.run.file("history.csv").open(newline="") as file:
        read = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    assert read == rows
    assert list(rows[0])[0] == "epoch" and {"loss", "val_loss", "val_accuracy", "learning_rate"} <= set(rows[0])
    # The cosine from 3e-3 to 0 over 100 steps, after 7 of them: float32 inside Keras.
    assert rows[0]["learning_rate"] == pytest.approx(3e-3 * (1 + np.cos(np.pi * 7 / 100)) / 2, rel=1e-6)


def test_one_line_is_printed_for_each_epoch_and_the_best_is_starred_which_the_first_star_explains(whole):
    lines = whole.printed.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("epoch 1/2  ") and lines[0].endswith(" s * best so far")
    assert whole.printed.count("best so far") == 1
    assert f"val_loss {whole.rows[1]['val_loss']:.4g}" in lines[1]


def test_tensorboard_logs_hold_every_epoch(whole):
    (log,) = whole.run.file("tensorboard").iterdir()
    content = log.read_bytes()
    assert content.count(b"epoch/val_loss") == 2
    assert content.count(b"step/loss") == 2 * STEPS


def test_ctrl_c_saves_evaluates_and_says_how_to_go_on(run, fresh):
    class Interrupting(Toy):
        """Sends SIGINT when the third batch of the second epoch is asked for."""

        def __getitem__(self, index):
            if self.epoch == 1 and index == 2:
                os.kill(os.getpid(), signal.SIGINT)
            return super().__getitem__(index)

    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(Stopped, match=r"in epoch 2 of 3 after step \d of 7: val_loss \d.*Repeat the command"):
        fit(fresh(), Interrupting(1, STEPS), Toy(2, 3), run, epochs=3)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    position, _ = checkpoint.load(run.file("checkpoint.npz"))
    assert position.epoch == 1 and 0 < position.step < STEPS and len(position.history) == 1
    rows = fit(fresh(), Toy(1, STEPS), Toy(2, 3), run, epochs=3)
    other = runs.start("toy", {"data": "random"}, name="unbroken")
    other.begin({})
    assert rows == fit(fresh(), Toy(1, STEPS), Toy(2, 3), other, epochs=3)
    assert not run.file("model.best_epoch.keras").exists()


def test_ctrl_c_in_the_last_validation_stops_too_and_nothing_is_trained_again(run, fresh):
    sent = []

    class Interrupting(Toy):
        def __getitem__(self, index):
            if not sent:
                sent.append(os.kill(os.getpid(), signal.SIGINT))
            return super().__getitem__(index)

    class Unread(Toy):
        def __getitem__(self, index):
            raise AssertionError("trained again")

    with pytest.raises(Stopped, match="after epoch 1 of 1. Repeat the command"):
        fit(fresh(), Toy(1, STEPS), Interrupting(2, 3), run, epochs=1)
    assert len(fit(fresh(), Unread(1, STEPS), Toy(2, 3), run, epochs=1)) == 1


def test_a_second_ctrl_c_interrupts_at_once(run):
    class Interrupting(Toy):
        def __getitem__(self, index):
            os.kill(os.getpid(), signal.SIGINT)
            return super().__getitem__(index)

    # TensorFlow asks for batches in a thread of its own; the handler runs in the main thread all the same.
    with pytest.raises(KeyboardInterrupt, match="Repeat the command to resume"):
        fit(toy_model(), Interrupting(1, STEPS), Interrupting(2, 3), run, epochs=1)


def test_ctrl_c_is_acknowledged_at_once_even_while_something_is_printed(capfd):
    with _signals() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop and capfd.readouterr().err.strip().startswith("Stopping: ")
        with pytest.raises(KeyboardInterrupt, match="Repeat the command to resume"):
            os.kill(os.getpid(), signal.SIGINT)
    assert capfd.readouterr().err == ""  # the command line says how it ended


def test_a_loss_that_is_not_a_number_is_named_with_epoch_and_step(run):
    model = toy_model()
    model.compile(optimizer=keras.optimizers.SGD(float("inf")), loss=model.loss)
    with pytest.raises(
        InputError, match=r"loss is (nan|inf) in epoch 1, step \d: training has diverged.*learning rate"
    ):
        fit(model, Toy(1, STEPS), Toy(2, 3), run, epochs=1)
    assert not run.file("model.keras").exists()


def test_an_unknown_monitor_names_the_known_figures(run, fresh):
    with pytest.raises(InputError, match="one of epoch, .*val_loss.*Received: val_bleu"):
        fit(fresh(), Toy(1, STEPS), Toy(2, 3), run, epochs=1, monitor="val_bleu")


def test_an_unknown_mode_is_refused(run, fresh):
    with pytest.raises(InputError, match="mode to be min or max. Received: lowest"):
        fit(fresh(), Toy(1, STEPS), Toy(2, 3), run, epochs=1, mode="lowest")


@pytest.mark.parametrize("damage", [b"", b"nonsense", "cut", "flipped"])
def test_a_damaged_checkpoint_says_to_start_over(begun, fresh, damage):
    path = begun.file("checkpoint.npz")
    content = path.read_bytes()
    if damage == "cut":
        damage = content[: len(content) // 2]
    elif damage == "flipped":
        damage = content[:900] + bytes([content[900] ^ 255]) + content[901:]
    path.write_bytes(damage)
    with pytest.raises(InputError, match=r"checkpoint.npz is damaged .*--fresh"):
        fit(fresh(), Toy(1, STEPS), Toy(2, 3), begun, epochs=3)


def test_a_checkpoint_of_another_model_is_refused(begun):
    model = toy_model()
    model.compile(optimizer="sgd", loss=model.loss)
    with pytest.raises(InputError, match="another model.*--fresh"):
        fit(model, Toy(1, STEPS), Toy(2, 3), begun, epochs=3)


def test_a_checkpoint_of_other_data_is_refused(begun, fresh):
    with pytest.raises(InputError, match="counts 7 steps in an epoch, this data makes 6.*--fresh"):
        fit(fresh(), Toy(1, 6), Toy(2, 3), begun, epochs=3)


def test_a_missing_best_model_is_noticed_on_resuming(begun, fresh):
    begun.file("model.keras").unlink()
    with pytest.raises(InputError, match="model.keras is missing.*--fresh"):
        fit(fresh(), Toy(1, STEPS), Toy(2, 3), begun, epochs=3)


def test_saved_models_do_not_hold_carried_states(whole):
    assert not {id(state) for state in carried(whole.model)} & {id(variable) for variable in whole.model.variables}
    assert all(np.abs(state).max() > 0 for state in carried(whole.model))
    assert len(whole.run.load_model().weights) == len(whole.model.weights)


def test_bfloat16_variables_come_back_exactly(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, dtype="bfloat16")])
    model.compile(optimizer="adam", loss="mse")
    checkpoint.build(model, (np.zeros((4, 3), "float32"), np.zeros((4, 2), "float32")))
    path = tmp_path / "checkpoint.npz"
    kernel = np.asarray(keras.ops.convert_to_numpy(model.weights[0])).copy()
    checkpoint.save(path, model, checkpoint.Position(steps=1))
    model.weights[0].assign(keras.ops.zeros(kernel.shape, "bfloat16"))
    checkpoint.restore(path, model, checkpoint.load(path)[1])
    assert keras.ops.convert_to_numpy(model.weights[0]).tobytes() == kernel.tobytes()
