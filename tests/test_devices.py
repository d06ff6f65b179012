"""Several devices share the rows of each batch: what is refused, what is recorded, and the same training as on one."""

import json
import os

import keras
import numpy as np
import pytest

from shared import InputError, cli, devices, runs, trials
from shared.fit import fit
from shared.layers import recurrent
from shared.trials import Seeds
from tests.test_trials import RECIPES
from tests.test_trials import Toy as Settings
from tests.toy_training import BATCH, STEPS, TIME, VOCABULARY, Toy, everything, toy_model

on_jax = pytest.mark.skipif(keras.backend.backend() != "jax", reason="only JAX trains on several devices")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GALLERY_RUNS", str(tmp_path))
    monkeypatch.setenv("XLA_FLAGS", os.environ["XLA_FLAGS"])  # what `start` adds is taken back
    return tmp_path


def begun(name):
    run = runs.start("toy", {"data": "random"}, name=name)
    run.begin({})
    return run


def test_several_devices_on_another_backend_are_refused_while_the_command_is_parsed(monkeypatch):
    from apps.memory_probe.options import verbs

    monkeypatch.delenv("KERAS_BACKEND")
    words = ["train", "--devices", "2"]
    with pytest.raises(InputError) as refused:
        cli.parse("apps.memory_probe", verbs(words), words)
    assert str(refused.value).startswith(
        "--devices: expected 1 with the backend tensorflow; received 2. Set the environment variable KERAS_BACKEND=jax"
    )
    with pytest.raises(InputError, match="--devices: expected at least 1; received 0"):
        Seeds(devices=0)


@pytest.mark.parametrize("found, hint", [(["cpu:0"], True), (["gpu:0", "gpu:1"], False)])
def test_more_devices_than_there_are_name_those_that_there_are(monkeypatch, found, hint):
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: found)
    line = f"--devices: expected at most {len(found)}, as JAX has {', '.join(found)}; received 3"
    with pytest.raises(InputError, match=line) as refused:
        devices.start(3)
    assert (f"XLA_FLAGS={devices.VIRTUAL}=3 makes virtual ones" in str(refused.value)) == hint


def test_a_cpu_gets_virtual_devices_unless_the_user_has_chosen_their_number(monkeypatch):
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["cpu:0", "cpu:1", "cpu:2"])
    monkeypatch.setenv("XLA_FLAGS", "--xla_other=1")
    assert devices.start(2) == ["cpu:0", "cpu:1"]
    assert os.environ["XLA_FLAGS"] == f"--xla_other=1 {devices.VIRTUAL}=2"
    devices.start(3)
    assert os.environ["XLA_FLAGS"] == f"--xla_other=1 {devices.VIRTUAL}=2"


def test_the_number_of_devices_makes_no_other_run_and_holds_only_while_it_is_trained(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["cpu:0", "cpu:1"])
    one, two = (trials.plan("toy", Settings(), RECIPES, Seeds(devices=count)) for count in (1, 2))
    assert one[0].run() == two[0].run()
    ((_, run),) = trials.unfinished(one)
    for _, same in trials.unfinished(two):
        assert same == run
        with pytest.raises(InputError, match="a divisor of the rows in a batch, 3; received 2.*--batch-size"):
            devices.spread(None, rows=3).__enter__()
    with devices.spread(None, rows=3):
        pass


def test_the_environment_of_a_run_says_on_how_many_devices_it_was_trained():
    def environment():
        return json.loads(run.file("environment.json").read_text())

    run = begun("run")
    before = environment()
    devices.record(run, begun=False)
    assert environment() == before
    with devices.used(2):
        devices.record(run, begun=True)
    assert environment() == before | {"devices": [1, 2]}
    with devices.used(4):
        devices.record(run, begun=True)
    devices.record(run, begun=True)
    assert environment()["devices"] == [1, 2, 4]


def assert_same_rows(ours, theirs):
    assert [list(row) for row in ours] == [list(row) for row in theirs]
    for our, their in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(list(our.values()), list(their.values()), rtol=1e-5)


@on_jax
def test_a_run_that_goes_on_with_two_devices_has_the_loss_curve_of_one():
    """With carried states, dropout, averages, clipping, a schedule. Then the model is back on one device."""
    model, run = toy_model(), begun("changing")
    first = fit(model, Toy(1, STEPS), Toy(2, 3), run, epochs=1)
    with devices.used(2):
        rows = fit(model, Toy(1, STEPS), Toy(2, 3), run, epochs=2)
    alone = toy_model()
    assert_same_rows(rows, fit(alone, Toy(1, STEPS), Toy(2, 3), begun("alone"), epochs=2))
    assert rows[:1] == first
    for ours, theirs in zip(everything(model), everything(alone), strict=True):
        np.testing.assert_allclose(*map(keras.ops.convert_to_numpy, (ours, theirs)), rtol=1e-4, atol=1e-6)
        assert ours.value.devices() == theirs.value.devices()


class Uneven(Toy):
    """The last batch has a row less."""

    def batch(self, epoch, step):
        rows = BATCH - (step == self.steps - 1)
        return tuple(array[:rows] for array in super().batch(epoch, step))


@on_jax
def test_two_devices_share_each_batch_but_a_last_one_that_they_cannot_divide():
    import jax

    shares = set()

    def share(targets, logits):
        """Not a metric: notes how many rows of the logits a device has."""
        rows = logits.shape[0]
        jax.debug.inspect_array_sharding(
            logits, callback=lambda layout: shares.add((rows, layout.shard_shape(logits.shape)[0]))
        )
        return keras.ops.zeros(())

    def trained(name, **more):
        keras.utils.set_random_seed(3)
        ids = keras.Input((TIME,), dtype="int32")
        x = recurrent("gru", 8, return_sequences=True, dropout=0.2)(keras.layers.Embedding(VOCABULARY, 8)(ids))
        model = keras.Model(ids, keras.layers.Dense(VOCABULARY)(x))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(1e-2, global_clipnorm=0.1), loss, metrics=[share])
        return fit(model, Uneven(1, 3), Uneven(2, 2), begun(name), epochs=1)

    rows = trained("alone")
    assert shares == {(BATCH, BATCH), (BATCH - 1, BATCH - 1)}
    shares.clear()
    with devices.used(2):
        assert_same_rows(trained("shared"), rows)
    assert shares == {(BATCH, BATCH // 2), (BATCH - 1, BATCH - 1)}
