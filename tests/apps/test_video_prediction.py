"""The app as its user meets it, and what must hold between its parts."""

import dataclasses
import io
import json
import shutil
import signal

import imageio.v3 as iio
import keras
import numpy as np
import pytest
from keras import ops

from apps.video_prediction import cautions, clips, data, evaluate, forecaster, live, metrics, model, predict, running
from apps.video_prediction.bouncing import Bouncing, handwritten
from apps.video_prediction.config import PATCH, SMOKE, Config
from apps.video_prediction.forecaster import Forecaster
from apps.video_prediction.train import loss_of, next_steps, phases, train_one
from shared import InputError, runs
from shared.layers import IMAGE_ARCHITECTURES
from tests.commands import run_here, trained
from tests.layers.kinds import on_tensorflow

NAME = "video_prediction"
APP = f"apps.{NAME}"
SMALL = Config(past=3, future=3, size=16, units=5, motions=2)


@pytest.fixture(scope="module")
def smoke():
    """The folder of runs after a smoke training, and what it printed."""
    return trained(NAME)


@pytest.fixture(scope="module")
def predictor(smoke):
    path = next(smoke[0].glob(f"{NAME}/*"))
    return predict.Predictor(runs.Run(path, NAME, json.loads((path / "config.json").read_text())["config"]))


def videos(count=2, time=6, rows=16, columns=20, channels=1):
    return np.random.default_rng(0).random((count, time, rows, columns, channels), np.float32)


def network(config=SMALL, **more):
    """An untrained network whose weights are all different from where they start."""
    config = dataclasses.replace(config, **more)
    keras.utils.set_random_seed(3)
    made = model.build(config, {"channels": config.channels})
    made.set_weights([w + np.random.default_rng(1).normal(0, 0.2, w.shape) for w in made.get_weights()])
    return made


def step_by_step(made, past, count):
    """The same as the whole network, one frame after the other."""
    run = running.Running(model.step(made), made.get_layer("forecaster").state_sizes(), *past.shape[1:3])
    for frame in past:
        run.see(frame)
    return run.ahead(count)


# The network


@pytest.mark.parametrize("arch", IMAGE_ARCHITECTURES)
def test_the_loop_that_feeds_back_its_predictions_equals_the_stream_step_by_step(arch):
    made, past = network(arch=arch), videos()[:, :3]
    whole = made.predict_on_batch(past)
    assert whole.shape == (2, 3, 16, 20, 1) and whole.std() > 0.01
    for sequence, wanted in zip(past, whole, strict=True):
        np.testing.assert_allclose(step_by_step(made, sequence, 3), wanted, atol=2e-6)


@pytest.mark.parametrize("more", [{"motions": 0}, {"motions": 0, "residual": True}, {"channels": 3, "residual": True}])
def test_every_composition_of_a_frame_streams_too(more):
    made, past = network(**more), videos(1, channels=more.get("channels", 1))[:, :3]
    np.testing.assert_allclose(step_by_step(made, past[0], 3), made.predict_on_batch(past)[0], atol=2e-6)
    assert made.predict_on_batch(past).shape == (1, 3, 16, 20, more.get("channels", 1))


def test_poisoned_future_frames_change_nothing_unless_they_are_given():
    """The saved network has no input for them; that of training has, for scheduled sampling."""
    made, whole = network(), videos(rows=16, columns=16)
    taught = model.with_teacher(made, SMALL)
    given = np.zeros((2, 2), np.float32)
    poison = np.full_like(whole[:, 3:5], 1e6)
    clean = taught.predict_on_batch([whole[:, :3], whole[:, 3:5], given])
    np.testing.assert_array_equal(taught.predict_on_batch([whole[:, :3], poison, given]), clean)
    np.testing.assert_allclose(clean[:, 2:], made.predict_on_batch(whole[:, :3]), atol=1e-6)
    assert len(made.inputs) == 1
    given[:, 0] = 1
    mixed = taught.predict_on_batch([whole[:, :3], whole[:, 3:5], given])
    np.testing.assert_allclose(mixed[:, :3], clean[:, :3], atol=1e-6)
    assert np.abs(mixed[:, 3:] - clean[:, 3:]).max() > 1e-4


def test_a_later_frame_changes_no_prediction_made_before_it():
    """Of the frames that are seen, each prediction may know those up to its own only."""
    taught, whole = model.with_teacher(network(), SMALL), videos(columns=16)
    inputs = [whole[:, :3].copy(), whole[:, 3:5], np.zeros((2, 2), np.float32)]
    before = taught.predict_on_batch(inputs)
    inputs[0][:, 1:] = 1 - inputs[0][:, 1:]
    after = taught.predict_on_batch(inputs)
    np.testing.assert_array_equal(after[:, 0], before[:, 0])
    assert np.abs(after[:, 1] - before[:, 1]).max() > 1e-4


def test_one_motion_shifts_each_patch_by_whole_pixels():
    core = network().get_layer("forecaster")
    frames = videos(1, 1, 16, 24)
    for down, across in [(0, 0), (3, -2), (-4, 4)]:
        by = np.full((1, 4, 6, 2, 2, forecaster.SHIFTS), -50.0, np.float32)
        by[..., 0, forecaster.REACH - down] = 50
        by[..., 1, forecaster.REACH - across] = 50
        moved = core._moved(forecaster.in_patches(frames)[:, 0], ops.reshape(by, (1, 4, 6, -1)))
        found = np.array(forecaster.in_pixels(moved[1][:, None], 1))[0, 0, ..., 0]
        padded = np.pad(frames[0, 0, ..., 0], 4)
        wanted = padded[4 - down : 20 - down, 4 - across : 28 - across]
        np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_patches_become_pixels_again():
    frames = videos(channels=3)
    patches = forecaster.in_patches(frames)
    assert tuple(patches.shape) == (2, 6, 4, 5, 48)
    np.testing.assert_array_equal(patches[0, 0, 1, 2], frames[0, 0, 4:8, 8:12].ravel())
    np.testing.assert_array_equal(forecaster.in_pixels(patches, 3), frames)


def test_a_new_network_starts_black():
    made = model.build(dataclasses.replace(SMALL, motions=0), {"channels": 1})
    assert made.predict_on_batch(videos()[:, :3]).max() < 0.1


def test_the_ssim_of_the_loss_is_the_measured_one():
    truth, found = videos(), videos()[::-1] ** 2
    inside = np.array(model.structural_similarity(truth, ops.convert_to_tensor(found))).mean(axis=(2, 3, 4))
    np.testing.assert_allclose(inside, metrics.ssim(truth, found), atol=1e-4)


@pytest.mark.parametrize("weights", [{"mse": 1.0}, {"l1": 1.0}, {"bce": 1.0}, {"ssim": 1.0}])
def test_each_loss_is_the_mean_over_pixels_less_weight_on_frames_that_are_seen(weights):
    config = dataclasses.replace(SMALL, **({"mse": 0.0, "l1": 0.0, "bce": 0.0, "ssim": 0.0} | weights), past_weight=0.5)
    truth, found = videos(time=5), videos(time=5) ** 2
    each = {
        "mse": np.square(truth - found).mean(axis=(2, 3, 4)),
        "l1": np.abs(truth - found).mean(axis=(2, 3, 4)),
        "bce": -(truth * np.log(found) + (1 - truth) * np.log(1 - found)).mean(axis=(2, 3, 4)),
        "ssim": 1 - metrics.ssim(truth, found),
    }[next(iter(weights))]
    wanted = (each * [0.5, 0.5, 1, 1, 1]).sum(axis=1) / 4
    np.testing.assert_allclose(model.FrameLoss(config).call(truth, ops.convert_to_tensor(found)), wanted, rtol=1e-3)
    measured = model.MSEPerFrame(config.past)(truth, found)
    assert float(measured) == pytest.approx(metrics.mse_per_frame(truth, found)[:, 2:].mean(), rel=1e-4)


def test_cross_entropy_alone_comes_first_and_then_the_losses_asked_for():
    for first, wanted in ((0.0, [(4, 0.0)]), (0.25, [(1, 1.0), (4, 0.0)]), (1.0, [(4, 1.0)])):
        found = phases(dataclasses.replace(SMALL, epochs=4, first=first, patience=2))
        assert [(until, phase.bce) for until, phase in found] == wanted
        for _, phase in found:
            assert (phase.mse + phase.l1 + phase.ssim == 0) == (phase.bce == 1)
            assert phase.patience == (2 if phase is found[-1][1] else 0)  # what comes first is never cut short
            assert loss_of(phase) == (
                "1 x cross-entropy" if phase.bce else "5 x squared error + 0.5 x absolute error + 0.1 x (1 - SSIM)"
            )


# Frames of any size


def test_odd_sizes_are_padded_and_come_back_as_they_were():
    made, past = network(), videos(1, 3, 15, 22)[0]
    run = running.Running(model.step(made), made.get_layer("forecaster").state_sizes(), 15, 22)
    assert run.note() == "frames of 15 x 22 pixels are padded with black to 16 x 24"
    for frame in past:
        run.see(frame)
    padded = np.pad(past, [(0, 0), (0, 1), (0, 2), (0, 0)])
    np.testing.assert_allclose(run.ahead(1)[0], made.predict_on_batch(padded[None])[0, 0, :15, :22], atol=2e-6)


def test_tiles_give_what_the_whole_frame_gives(monkeypatch):
    """Where they overlap by as much as a step sees, a patch of the embedding and one of the layer."""
    made, frame = network(layers=1), videos(1, 1, 40, 56)[0, 0]
    whole = running.Running(model.step(made), made.get_layer("forecaster").state_sizes(), 40, 56)
    monkeypatch.setattr(running, "TILE", 32)
    monkeypatch.setattr(running, "MARGIN", 24)
    tiled = running.Running(model.step(made), made.get_layer("forecaster").state_sizes(), 40, 56)
    assert len(whole.tiles) == 1 and len(tiled.tiles) > 4 and "overlapping tiles" in tiled.note()
    np.testing.assert_allclose(tiled.see(frame), whole.see(frame), atol=2e-6)


@pytest.mark.parametrize("length", [512, 516, 1080, 2160, 3840])
def test_tiles_cover_every_pixel_once_and_overlap(length):
    spans = running.tiles(length)
    covered = [n for span in spans for n in range(span.write.start, span.write.stop)]
    assert covered == list(range(length)) and {span.size for span in spans} == {running.TILE}
    for span in spans:
        assert span.read.start % PATCH == 0 and span.read.start >= 0 and span.read.stop <= length
        assert span.read.start == 0 or span.write.start - span.read.start >= running.MARGIN // 2 - PATCH
    assert len(running.tiles(64)) == 1


# Training and measuring


@pytest.mark.slow
def test_a_training_that_was_stopped_goes_on_to_the_same_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("GALLERY_RUNS", str(tmp_path))
    config = dataclasses.replace(SMOKE, size=16, epochs=2, first=0.5, max_examples=8)  # it stops in its second loss

    def trained_on(name):
        run = runs.start(NAME, dataclasses.asdict(config), name, command="")
        train_one(config, run)
        return run.load_model().get_weights()

    asked, stopped = data.Videos.batch, []

    def stopping(self, epoch, step):
        if (epoch, step) == (1, 1) and not stopped:  # TensorFlow reads ahead, and may ask twice
            stopped.append(signal.raise_signal(signal.SIGINT))
        return asked(self, epoch, step)

    with monkeypatch.context() as patched, pytest.raises(runs.Stopped):
        patched.setattr(data.Videos, "batch", stopping)
        trained_on("stopped")
    for a, b in zip(trained_on("stopped"), trained_on("whole"), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_run_that_does_not_beat_every_baseline_says_so_in_its_first_line(smoke, predictor):
    """A smoke training beats hardly any of them."""
    records = predictor.run.metrics()
    beaten = evaluate.beaten_by(records)
    done = run_here(APP, "evaluate", GALLERY_RUNS=str(smoke[0]))
    first = done.stdout.strip().splitlines()[0]
    assert beaten and first.startswith("NOT BETTER THAN EVERY BASELINE: ") and all(name in first for name in beaten)
    good = [record | {"value": {"mse_per_frame": 0, "ssim": 1}.get(record["metric"], 0)} for record in records]
    assert evaluate.beaten_by(good) == []


def test_every_figure_has_every_baseline_and_what_is_measured_is_what_is_predicted(predictor):
    records = {record["metric"]: record for record in predictor.run.metrics()}
    assert list(records) == ["mse_per_frame", "mse_per_pixel", "ssim", "ssim_range_2", "psnr_db", "sharpness"]
    names = {"black", "mean_training_frame", "mean_of_inputs", "last_frame", "constant_velocity"}
    assert all(set(record["baselines"]) == names for record in records.values())
    test = data.as_floats(data.load(predictor.config).test)
    found = predictor.predict(test[:, :3])
    for metric, score in (("mse_per_frame", metrics.mse_per_frame), ("ssim", metrics.ssim)):
        assert records[metric]["value"] == pytest.approx(score(test[:, 3:], found).mean(), rel=1e-5)
    assert records["ssim_range_2"]["value"] > records["ssim"]["value"]
    assert records["mse_per_pixel"]["value"] == pytest.approx(records["mse_per_frame"]["value"] / 32**2, rel=1e-5)


@pytest.mark.slow
def test_a_run_is_trained_on_clips_of_ones_own(tmp_path):
    for number in range(3):
        (tmp_path / f"clips/{number}").mkdir(parents=True)
        for t in range(8):
            iio.imwrite(tmp_path / f"clips/{number}/{t}.png", np.full((20, 24, 3), 30 * t, np.uint8))
    words = ["train", "--recipe", "smoke", "--data", str(tmp_path / "clips"), "--size", "16", "--channels", "3"]
    done = run_here(APP, *words, GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 0, done.stderr
    assert "by clip: train 1, valid 1, test 1" in done.stdout
    said = run_here(APP, "predict", str(tmp_path / "clips/0"), GALLERY_RUNS=str(tmp_path / "runs"))
    assert said.returncode == 0 and "scaled to a shorter side of 16 pixels" in said.stderr
    assert "frames 7 to 8 predicted: MSE" in said.stdout


@on_tensorflow
def test_the_composition_as_a_program_of_its_own_has_the_same_frames_and_gradients():
    import tensorflow as tf

    core = Forecaster(SMALL.arch, 4, 1, 3, channels=1, future=1, motions=2, residual=True)
    core.build((None, None, 8, 8, 1))
    random = np.random.default_rng(0)
    numbers = core.head.units
    frames, found = (tf.constant(random.normal(size=(2, 3, 3, n)), tf.float32) for n in (core.pixels, numbers))
    results = []
    for compose in (core.compose, core._compose):
        with tf.GradientTape() as tape:
            tape.watch([frames, found])
            composed = compose(frames, found)
            loss = tf.reduce_sum(tf.sin(composed))
        results.append([composed, *tape.gradient(loss, [frames, found])])
    for one, other in zip(*results, strict=True):
        assert np.abs(other).max() > 0
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_what_to_try_next_is_a_clip_of_ones_own_that_is_not_trained_on(tmp_path):
    for number in range(3):
        (tmp_path / f"my clips/{number}").mkdir(parents=True)
        iio.imwrite(tmp_path / f"my clips/{number}/0.png", np.zeros((8, 8), np.uint8))
    run = runs.Run(tmp_path / "run", NAME, {})
    said = next_steps(dataclasses.replace(SMALL, data=str(tmp_path / "my clips")), run)
    assert said.count(f"'{tmp_path / 'my clips' / '2'}' --run run") == 2 and "ball.mp4" not in said
    for data_name in ("builtin", str(tmp_path / "gone")):
        assert "examples/clips/ball.mp4 --run run" in next_steps(dataclasses.replace(SMALL, data=data_name), run)


# predict


@pytest.fixture(scope="module")
def clip():
    """Frames (time, rows, columns) uint8 of bouncing digits."""
    return Bouncing(handwritten("test"), 32, 2).draw(np.random.default_rng(7), 1, 9)[0, ..., 0]


def in_folder(folder, frames):
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames, 1):
        iio.imwrite(folder / f"frame{number}.png", frame)
    return folder


def typed(smoke, *words, **more):
    return run_here(APP, *map(str, words), GALLERY_RUNS=str(smoke[0]), **more)


def test_predict_writes_what_is_seen_what_is_predicted_and_what_came(smoke, predictor, clip, tmp_path):
    folder = in_folder(tmp_path / "clip", clip)
    done = typed(smoke, "predict", folder, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "frames 8 to 9 predicted: MSE per frame" in done.stdout and "SSIM" in done.stdout
    written = iio.imread(tmp_path / "out/clip.gif", plugin="pillow")
    assert len(written) == predictor.past + 2
    assert len(list(clips.Clip(tmp_path / "out/clip.mp4").frames(1))) == predictor.past + 2
    ahead = predictor.ahead([data.as_floats(frame[..., None]) for frame in clip[4:7]], 2)
    shown = written[-1, 16:144, 132:260, 0][::4, ::4] / 255  # the second panel, without its enlargement
    assert np.abs(shown - ahead[1, ..., 0]).max() < 0.1  # a GIF has few colours
    assert np.abs(written[-1, 16:144, 264:392, 0][::4, ::4] - clip[8].astype(float)).max() < 26


def test_a_program_gets_the_frames_after_the_end_of_a_clip(predictor, clip, tmp_path):
    folder = in_folder(tmp_path / "clip", clip)
    (found,) = predictor([folder], frames=2)
    expected = predictor.ahead([data.as_floats(frame[..., None]) for frame in clip[-predictor.past :]], 2)
    assert (found["clip"], found["seen"]) == (str(folder), predictor.past)
    assert np.array_equal(found["frames"], expected)
    with pytest.raises(InputError, match=f"expected at least {predictor.past} frames; received 1"):
        predictor([in_folder(tmp_path / "short", clip[:1])])
    with pytest.raises(InputError, match="Expected a list of paths"):
        predictor("clip.mp4")


def test_no_clip_is_written_over_and_no_two_to_one_file(smoke, clip, tmp_path):
    paths = [tmp_path / folder / "same.gif" for folder in "ab"]
    for path in paths:
        path.parent.mkdir()
        iio.imwrite(path, clip)
    content = paths[0].read_bytes()
    over = typed(smoke, "predict", paths[0], "--out", tmp_path / "a")
    assert over.returncode == 2 and "would be written over a clip" in over.stderr
    both = typed(smoke, "predict", *paths, "--out", tmp_path / "out")
    assert both.returncode == 2 and "would both be written to" in both.stderr
    file = typed(smoke, "predict", paths[0], "--out", paths[1])
    assert (
        file.returncode == 2
        and f"--out: expected a folder, or a path where one can be made; received {paths[1]}" in file.stderr
    )
    assert paths[0].read_bytes() == paths[1].read_bytes() == content and not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("frames", [-1, 1001, 2.5, "3"])
def test_a_program_cannot_ask_for_frames_without_end(frames, predictor):
    with pytest.raises(InputError, match="frames: expected a whole number from 0 to 1,000"):
        predictor(["x.mp4"], frames=frames)


def test_what_really_comes_next_changes_no_prediction(smoke, clip, tmp_path):
    shown = []
    for name, future in (("true", clip[5:7]), ("poisoned", 255 - clip[5:7])):
        folder = in_folder(tmp_path / name, [*clip[:5], *future])
        assert typed(smoke, "predict", folder, "--at", 5, "--out", tmp_path / "out").returncode == 0
        shown.append(list(clips.Clip(tmp_path / f"out/{name}.mp4").frames(1))[-1][:, 132:260])
    assert np.abs(shown[0].astype(int) - shown[1]).mean() < 3  # all but what the codec loses


def test_the_whole_of_a_clip_is_predicted_piece_by_piece(smoke, clip, tmp_path):
    folder = in_folder(tmp_path / "clip", clip)
    done = typed(smoke, "predict", folder, "--all", "--out", tmp_path / "out", "--side", 30)
    assert done.returncode == 0 and "3 predictions: MSE" in done.stdout
    assert "shorter side of 30 pixels; frames of 30 x 30 pixels are padded with black to 32 x 32" in done.stderr
    assert len(iio.imread(tmp_path / "out/clip.gif", plugin="pillow")) == 9


def test_a_clip_of_as_many_frames_as_are_seen_has_no_truth_to_compare_with(smoke, clip, tmp_path):
    done = typed(smoke, "predict", in_folder(tmp_path / "clip", clip[:3]), "--out", tmp_path / "out", "--frames", 4)
    assert done.returncode == 0 and "frames 4 to 7 predicted; no true frame" in done.stdout


def test_a_clip_that_cannot_be_predicted_is_refused_in_one_line(smoke, clip, tmp_path):
    in_folder(tmp_path / "one", clip[:1])
    (tmp_path / "text.mp4").write_text("no video" * 100)
    for name, said in {"one": "expected at least 3", "text.mp4": "cannot be read", "no.mp4": "there is none"}.items():
        done = typed(smoke, "predict", tmp_path / name, "--out", tmp_path / "out")
        assert (done.returncode, done.stdout) == (2, "") and said in done.stderr and name in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    assert not [path for path in (tmp_path / "out").glob("*") if path.suffix]


def test_of_several_clips_those_that_cannot_be_read_are_named_and_left_out(smoke, clip, tmp_path):
    (tmp_path / "text.mp4").write_text("no video" * 100)
    good = in_folder(tmp_path / "good", clip)
    done = typed(smoke, "predict", tmp_path / "text.mp4", good, "--out", tmp_path / "out")
    assert done.returncode == 2 and "left out: " in done.stderr and "frames 8 to 9 predicted" in done.stdout
    assert done.stderr.endswith("Of 2, 1 left out as above.\n")


class Still:
    """A network that predicts of each frame that nothing changes, but for so much brightness more."""

    def __init__(self, more):
        self.more = np.float32(more)

    def predict_on_batch(self, inputs):
        return [np.clip(inputs[0] + self.more, 0, 1), *inputs[1:]]


def test_a_clip_that_is_predicted_worse_than_by_repeating_its_last_frame_says_so(
    smoke, predictor, clip, tmp_path, monkeypatch
):
    """A black clip of 32 x 32 pixels, predicted brighter by 0.1 and then by 0.2; one that moves, predicted to stay."""
    black = in_folder(tmp_path / "black", [np.zeros((32, 32), np.uint8)] * 5)
    moving = in_folder(tmp_path / "moving", clip)
    monkeypatch.setattr(predict.Predictor, "step", Still(0.1))
    done = typed(smoke, "predict", black, moving, "--out", tmp_path / "out")
    first, inputs, *_ = done.stdout.splitlines()
    error = 32 * 32 * (0.1**2 + 0.2**2) / 2
    assert first.startswith(f"{black}: frames 4 to 5 predicted: MSE per frame {error:.2f}, worse than repeating the ")
    assert "last frame (MSE 0.00), SSIM" in first and first.endswith(": this clip may be unlike those of training")
    said = "even the input frames are predicted worse (MSE per frame 10.24) than by repeating the previous frame (0.00)"
    assert inputs == f"  {said}: this clip may be unlike those of training"
    found = json.loads(typed(smoke, "predict", black, "--json").stdout)
    assert found["cautions"] == [inputs.strip()] == predict.Predictor(predictor.run)([black])[0]["cautions"]
    monkeypatch.setattr(predict.Predictor, "step", Still(0.0))
    assert "unlike" not in typed(smoke, "predict", moving, "--out", tmp_path / "out").stdout


def test_two_frames_are_too_few_to_judge_and_noise_is_nearer_to_its_mean_than_to_the_last_frame():
    noise = list(videos(1, 30)[0])
    assert cautions.on_inputs(cautions.errors_on_inputs(noise[:2], noise[:2])) == []
    (said,) = cautions.on_inputs(cautions.errors_on_inputs(noise, [noise[n] for n in range(30)]))
    assert "than by the mean of those before (" in said


@pytest.mark.parametrize("name, value", [("past", "3"), ("future", None), ("size", 0), ("side", 1.5)])
def test_an_info_of_wrong_types_is_refused_in_one_line(name, value, smoke, clip, tmp_path):
    (path,) = (smoke[0] / NAME).glob("*")
    shutil.copytree(path, tmp_path / NAME / "bad")
    info = json.loads((path / "info.json").read_text()) | {name: value}
    (tmp_path / NAME / "bad" / "info.json").write_text(json.dumps(info))
    done = run_here(APP, "predict", str(in_folder(tmp_path / "clip", clip)), GALLERY_RUNS=str(tmp_path))
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert f"info.json: expected a whole number as {name}; received {value!r}" in done.stderr


# stream


def test_a_stream_that_was_stopped_goes_on_where_it_was(smoke, clip, tmp_path):
    folder, state = in_folder(tmp_path / "frames", clip), tmp_path / "state.npz"
    whole = typed(smoke, "stream", folder)
    assert whole.returncode == 0 and "9 frames, 2 ahead of each: p50" in whole.stderr
    lines = whole.stdout.splitlines()
    assert lines[0].split() == ["frame", "1"] and "predicted 1 before: MSE" in lines[1] and "2 before: MSE" in lines[2]
    first = typed(smoke, "stream", folder, "--most", 4, "--state", state)
    for number in range(1, 5):
        (folder / f"frame{number}.png").unlink()
    rest = typed(smoke, "stream", folder, "--state", state, "--picture", tmp_path / "next.png")
    assert first.stdout.splitlines() + rest.stdout.splitlines() == lines
    assert iio.imread(tmp_path / "next.png").shape == (144, 3 * 132 - 4, 3)


def test_a_stream_that_is_interrupted_within_a_frame_loses_none(smoke, clip, tmp_path, monkeypatch):
    folder, state = in_folder(tmp_path / "frames", clip), tmp_path / "state.npz"
    lines = typed(smoke, "stream", folder).stdout.splitlines()
    plain, calls = running.Running.ahead, []

    def interrupted(self, count):
        calls.append(count)
        if len(calls) == 4:
            signal.raise_signal(signal.SIGINT)
        return plain(self, count)

    with monkeypatch.context() as patched:
        patched.setattr(running.Running, "ahead", interrupted)
        first = typed(smoke, "stream", folder, "--state", state)
    assert len(first.stdout.splitlines()) == 4
    for number in range(1, 5):
        (folder / f"frame{number}.png").unlink()
    (folder / f"frame{len(clip)}.png").write_bytes(b"no picture")  # what came before it is kept, too
    rest = typed(smoke, "stream", folder, "--state", state)
    assert rest.returncode == 2 and "goes on after frame" in rest.stderr
    assert first.stdout.splitlines() + rest.stdout.splitlines() == lines[:-1]
    iio.imwrite(folder / f"frame{len(clip)}.png", clip[-1])
    for path in sorted(folder.iterdir())[:-1]:
        path.unlink()
    assert typed(smoke, "stream", folder, "--state", state).stdout.splitlines() == lines[-1:]


def test_what_a_stream_says_of_a_frame_was_predicted_before_it_came(predictor, clip):
    frames = data.as_floats(clip[..., None])
    stream = live.Live(predictor, 2)
    for frame in frames[:4]:
        stream.see(frame)
    ahead = predictor.ahead(list(frames[:4]), 2)
    error = metrics.mse_per_frame(frames[None, 4:5], ahead[None, :1]).item()
    assert f"predicted 1 before: MSE {error:.2f}" in stream.see(frames[4])
    two_before = metrics.mse_per_frame(frames[None, 5:6], ahead[None, 1:]).item()
    assert f"2 before: MSE {two_before:.2f}" in stream.see(frames[5])


def test_a_stream_keeps_no_more_after_many_frames_than_after_few(predictor):
    stream, sizes = live.Live(predictor, 2), []
    for number in range(12):
        stream.see(np.full((16, 16, 1), number / 12, np.float32))
        arrays = [*stream.furthest, stream.ahead, stream.last, *(s for each in stream.running.states for s in each)]
        sizes.append(sum(array.nbytes for array in arrays))
    assert len(set(sizes[2:])) == 1


class Pipe:
    """Standard input that holds bytes."""

    def __init__(self, content):
        self.buffer = io.BytesIO(content)


def test_raw_frames_are_read_from_standard_input(predictor, clip, monkeypatch, capsys):
    monkeypatch.setattr(live.sys, "stdin", Pipe(clip.tobytes() + b"rest"))
    options = live.Stream(rows=32, columns=32)
    found = list(live.feed(options, predictor))
    np.testing.assert_array_equal(np.stack([frame for _, frame in found])[..., 0], clip)
    assert "left out: standard input ends after 4 of the 1,024 bytes of frame 10" in capsys.readouterr().err


def test_a_followed_folder_gives_frames_that_come_later_and_waits_for_one_that_is_half_written(
    predictor, clip, monkeypatch, tmp_path
):
    folder = in_folder(tmp_path / "frames", clip[:2])
    whole = (folder / "frame2.png").read_bytes()
    (folder / "frame10.png").write_bytes(whole[:20])
    waited = []

    def later(seconds):
        waited.append(seconds)
        (folder / "frame10.png").write_bytes(whole)
        if len(waited) == 2:
            iio.imwrite(folder / "frame11.png", clip[3])

    monkeypatch.setattr(live.time, "sleep", later)
    frames = live.feed(live.Stream(feed=str(folder), follow=True), predictor)
    names = [next(frames)[0].rpartition("/")[2] for _ in range(4)]
    assert names == ["frame1.png", "frame2.png", "frame10.png", "frame11.png"]


@pytest.mark.parametrize(
    "kind", ["text", "array", "other network", "other frames", "other count", "size changes", "nothing"]
)
def test_a_stream_that_cannot_go_on_is_refused_in_one_line(kind, smoke, predictor, clip, tmp_path):
    folder, state = in_folder(tmp_path / "frames", clip[:3]), tmp_path / "state.npz"
    stream = live.Live(predictor, 2)
    size = 16 if kind == "other frames" else 32
    for frame in data.as_floats(clip[:2, :size, :size, None]):
        stream.see(frame)
    if kind == "other network":
        stream.network = "x"
    stream.save(state)
    if kind == "text":
        state.write_text("text")
    if kind == "array":
        with state.open("wb") as file:
            np.save(file, np.zeros(3))
    if kind == "size changes":
        iio.imwrite(folder / "frame4.png", np.zeros((32, 36), np.uint8))
    if kind == "nothing":
        shutil.rmtree(folder)
        folder.mkdir()
    words = ["--frames", 3] if kind == "other count" else []
    done = typed(smoke, "stream", folder, "--state", state, *words)
    assert done.returncode == 2
    said = [line for line in done.stderr.splitlines() if not line.startswith("Ready")]
    expected = {
        "size changes": "frame4.png: expected 32 x 32",
        "nothing": "expected a folder of pictures",
        "other frames": "16 x 16",
    }
    assert len(said) == 1 and expected.get(kind, "state.npz: expected the") in said[0]


@pytest.mark.parametrize(
    "words, said",
    [
        (["predict"], "CLIPS"),
        (["predict", "x.mp4", "--frames", "1001"], "--frames"),
        (["predict", "x.mp4", "--fps", "1e-9"], "--fps"),
        (["predict", "x.mp4", "--all", "--at", "9"], "--all: expected without --at"),
        (["stream", "x.mp4"], "expected a folder of frames, a video file, or -; there is none"),
        (["stream", ".", "--rows", "9"], "--rows, --columns: expected with raw frames"),
        (["train", "--size", "30"], "--size: expected a multiple of 4; received 30"),
        (["train", "--mse", "0", "--l1", "0", "--ssim", "0"], "expected a weight above 0"),
        (["train", "--channels", "3"], "--channels: expected 1 with builtin"),
        (["train", "--data", "moving_mnist", "--size", "24"], "--size: expected at least 32"),
    ],
)
def test_what_cannot_work_is_refused(words, said, smoke):
    done = typed(smoke, *words)
    assert done.returncode == 2 and said in done.stderr


def test_a_saved_network_is_read_without_the_code_that_trained_it(predictor, tmp_path):
    predictor.model.save(tmp_path / "a.keras")
    other = keras.saving.load_model(tmp_path / "a.keras", compile=False)
    past = videos(1, 3, 32, 32)
    np.testing.assert_array_equal(other.predict_on_batch(past), predictor.model.predict_on_batch(past))
    assert isinstance(other.get_layer("forecaster"), Forecaster)
    with pytest.raises(InputError, match="at least 3"):
        list(predict.windows(iter([]), clips.Clip(tmp_path), 3, 2, predict.Predict(clips=("x",))))
