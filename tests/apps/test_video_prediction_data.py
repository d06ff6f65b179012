"""Videos, clips, metrics and baselines of video prediction: what is made, what is read, what is refused. No network."""

import dataclasses
import itertools
import struct
import subprocess
import types

import imageio.v3 as iio
import imageio_ffmpeg
import numpy as np
import pytest
import skimage.metrics
from PIL import Image

from apps.video_prediction import baselines, bouncing, clips, data, ffmpeg, metrics, mnist, panels, predict, sources
from apps.video_prediction.config import Config
from apps.video_prediction.options import Predict
from shared import InputError

SMALL = Config(past=3, future=2, sequences=8, valid_sequences=4, test_sequences=6, batch_size=4, epochs=2)


def moving(count, rows=20, columns=24, channels=1):
    """Frames uint8 of a bright square that moves to the right."""
    frames = np.full((count, rows, columns, channels), 10, np.uint8)
    for t in range(count):
        frames[t, 6:12, t % 16 : t % 16 + 6] = 200
    return frames


def as_mp4(path, frames, fps=10):
    """Written in grey or colour; the size must be even."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-r", str(fps),
               "-s", f"{frames.shape[2]}x{frames.shape[1]}", "-i", "-", "-pix_fmt", "yuv420p", "-b:v", "2M",
               str(path)]  # fmt: skip
    colour = np.ascontiguousarray(np.broadcast_to(frames, (*frames.shape[:3], 3)))
    subprocess.run(command, input=colour.tobytes(), check=True)
    return path


# Bouncing digits


def test_a_digit_moves_straight_on_and_is_reflected_at_the_walls():
    """By the reflection of straight lines, which knows no walls: a triangle wave of the unfolded path."""
    paths = bouncing.corners(np.random.default_rng(0), 200, 40, 100) / 100
    assert paths.min() >= 0 and paths.max() == 1
    steps = np.diff(paths, axis=1)
    inside = (paths[:, 1:] > bouncing.STEP) & (paths[:, 1:] < 1 - bouncing.STEP)
    free = inside[:, 1:] & inside[:, :-1] & (paths[:, :-2] > bouncing.STEP) & (paths[:, :-2] < 1 - bouncing.STEP)
    assert free.any() and np.abs(steps[:, 1:] - steps[:, :-1])[free].max() <= 0.021  # whole pixels of a hundred
    turned = steps[:, 1:] * steps[:, :-1] < 0
    wall = (paths[:, 1:-1] < bouncing.STEP) | (paths[:, 1:-1] > 1 - bouncing.STEP)
    assert turned.any() and wall[turned].all()


def test_the_speed_is_a_tenth_of_the_way_from_wall_to_wall():
    paths = bouncing.corners(np.random.default_rng(1), 300, 2, 10_000) / 10_000
    inside = ((paths > 0.15) & (paths < 0.85)).all(axis=(1, 2))
    lengths = np.linalg.norm(np.diff(paths[inside], axis=1), axis=-1)
    np.testing.assert_allclose(lengths, 0.1, atol=3e-4)


def test_where_digits_overlap_the_brighter_pixel_is_seen():
    images = np.stack([np.full((16, 16), 90, np.uint8), np.full((16, 16), 200, np.uint8)])
    frames = bouncing.Bouncing(images, 20, 2).draw(np.random.default_rng(0), 20, 1)
    assert set(np.unique(frames)) == {0, 90, 200}
    assert ((frames == 200).sum(axis=(1, 2, 3, 4)) >= 256)[(frames == 200).any(axis=(1, 2, 3, 4))].all()


def test_no_handwritten_digit_is_in_two_parts():
    parts = {part: bouncing.handwritten(part) for part in bouncing.PARTS}
    assert sum(map(len, parts.values())) == 1797 and parts["test"].shape[1:] == (16, 16)
    seen = [{image.tobytes() for image in images} for images in parts.values()]
    assert not any(a & b for a, b in itertools.combinations(seen, 2))


def test_training_sequences_depend_on_seed_epoch_and_step_alone_and_do_not_end():
    found = data.load(SMALL)
    one, again = (data.Videos(found.train, SMALL) for _ in range(2))
    for a, b in zip(one.batch(1, 1)[0], again.batch(1, 1)[0], strict=True):
        np.testing.assert_array_equal(a, b)
    others = [
        one.batch(0, 1),
        one.batch(1, 0),
        data.Videos(found.train, dataclasses.replace(SMALL, seed=2)).batch(1, 1),
    ]
    assert not any(np.array_equal(one.batch(1, 1)[0][0], other[0][0]) for other in others)


def test_test_sequences_are_the_same_for_every_seed():
    first, second = data.load(SMALL), data.load(dataclasses.replace(SMALL, seed=9))
    np.testing.assert_array_equal(first.test, second.test)
    assert first.test.shape == (6, 5, 32, 32, 1) and first.info["fingerprint"] == second.info["fingerprint"]


def test_true_frames_are_given_less_and_less_and_in_the_end_not_at_all():
    config = dataclasses.replace(SMALL, future=20, epochs=10, teacher=0.8, teacher_until=0.5)
    videos = data.Videos(data.load(config).train, config)
    shares = [np.mean([videos.batch(epoch, step)[0][2].mean() for step in range(2)]) for epoch in range(10)]
    assert shares[0] > 0.6 > shares[2] > 0.1 and not any(shares[5:])
    assert not data.Fixed(data.load(config).valid, config).batch(0, 0)[0][2].any()


def test_inputs_and_targets_are_cut_where_the_future_begins():
    videos = np.arange(2 * 5).reshape(2, 5, 1, 1, 1)
    (past, truth, _), targets = data.inputs_and_targets(videos, 3, np.zeros((2, 1)))
    assert past.ravel().tolist() == [0, 1, 2, 5, 6, 7] and truth.ravel().tolist() == [3, 8]
    assert targets[0].ravel().tolist() == [1, 2, 3, 4]


def idx(images):
    return struct.pack(">IIII", 2051, *images.shape) + images.tobytes()


def test_the_whole_training_file_and_its_first_20000_give_the_same_digits(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (20_010, 2, 2), dtype=np.uint8)
    monkeypatch.setattr(
        mnist, "fetch", lambda resource: idx(images if "first" not in resource.name else images[:20_000])
    )
    found = {}
    for there in ("mnist train images", "mnist first 20,000 train images"):
        monkeypatch.setattr(mnist, "find", lambda resource, there=there: resource.name == there or None)
        found[there] = [mnist.digits(part) for part in ("train", "valid")]
    for a, b in zip(*found.values(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(np.concatenate(found[there]), images[:20_000])


@pytest.mark.parametrize("content", [b"", b"text that is long enough", idx(np.zeros((3, 2, 2), np.uint8))[:-1]])
def test_a_file_that_holds_no_digits_is_refused(content):
    with pytest.raises(InputError, match="mine: expected"):
        mnist.images(content, "mine")


@pytest.mark.data
def test_moving_mnist_is_made_of_the_real_digits_and_test_digits_are_no_training_digits():
    parts = {part: {image.tobytes() for image in mnist.digits(part)} for part in mnist.PARTS}
    assert [len(mnist.digits(part)) for part in mnist.PARTS] == [19_000, 1_000, 10_000]
    assert not any(a & b for a, b in itertools.combinations(parts.values(), 2))


@pytest.mark.data
def test_the_trivial_baselines_of_moving_mnist_have_the_known_errors():
    """Two digits of the mean energy of MNIST's, less what overlaps: about 172 for a black frame."""
    config = Config(data="moving_mnist", digits=2, size=64, past=10, future=10, test_sequences=200, valid_sequences=2)
    videos = data.as_floats(data.load(config).test)
    past, truth = videos[:, :10], videos[:, 10:]
    zeros, last = np.zeros_like(truth), np.broadcast_to(past[:, -1:], truth.shape)
    assert abs(metrics.mse_per_frame(truth, zeros).mean() - 172) < 12
    assert abs(metrics.mse_per_frame(truth, last).mean() - 284) < 20
    assert abs(metrics.ssim(truth, zeros).mean() - 0.777) < 0.02


# Metrics


@pytest.fixture(scope="module")
def frames():
    random = np.random.default_rng(3)
    return random.random((20, 2, 17, 12, 3)), random.random((20, 2, 17, 12, 3)) ** 2


@pytest.mark.parametrize("data_range", [1.0, 2.0])
def test_ssim_is_that_of_scikit_image(frames, data_range):
    found = metrics.ssim(*frames, data_range)
    for n in (0, 19):
        pair = (side[n, 1] for side in frames)
        wanted = skimage.metrics.structural_similarity(*pair, channel_axis=-1, data_range=data_range)
        assert found[n, 1] == pytest.approx(wanted, abs=1e-9)


def test_psnr_and_squared_error_are_those_of_scikit_image(frames):
    pair = [side[4, 1] for side in frames]
    assert metrics.psnr(*frames)[4, 1] == pytest.approx(skimage.metrics.peak_signal_noise_ratio(*pair, data_range=1))
    mean = skimage.metrics.mean_squared_error(*pair)
    assert metrics.mse_per_frame(*frames)[4, 1] == pytest.approx(mean * pair[0].size)
    assert metrics.psnr(frames[0], frames[0]).max() == metrics.HIGHEST_PSNR


def test_blur_lowers_the_gradient_energy(frames):
    truth = frames[0]
    blurred = (truth + np.roll(truth, 1, 2) + np.roll(truth, 1, 3)) / 3
    assert (metrics.gradient_energy(blurred) < 0.7 * metrics.gradient_energy(truth)).all()


# Baselines


def test_a_picture_that_moves_as_a_whole_is_predicted_by_its_velocity():
    blob = np.zeros((5, 24, 24, 1))
    for t in range(5):
        blob[t, 4 + 2 * t : 10 + 2 * t, 12 - t : 17 - t] = 1
    np.testing.assert_allclose(baselines.constant_velocity(blob[:3], 2), blob[3:], atol=0.05)


def test_every_baseline_of_the_card_is_there_and_sees_the_past_alone():
    past = np.zeros((2, 3, 16, 16, 1), np.float32)
    past[:, 1, 4:8, 4:8] = 1
    mean = np.full((16, 16, 1), 0.25, np.float32)
    found = baselines.all_of(past, 4, mean)
    assert {name: float(each[0, -1, 5, 5, 0]) for name, each in found.items()} == pytest.approx(
        {"black": 0, "mean_training_frame": 0.25, "mean_of_inputs": 1 / 3, "last_frame": 0, "constant_velocity": 0}
    )
    assert {each.shape for each in found.values()} == {(2, 4, 16, 16, 1)}


# Clips


@pytest.mark.parametrize("name", ["a.mp4", "a.avi", "a.webm", "a.gif"])
def test_frames_come_back_from_a_video(name, tmp_path):
    wanted = moving(9)
    path = tmp_path / name
    if name.endswith("gif"):
        iio.imwrite(path, wanted[..., 0], duration=100, loop=0)
    else:
        as_mp4(path, wanted)
    (clip,) = clips.find(str(path))
    found = np.stack(list(clip.frames(1)))
    assert found.shape == wanted.shape and np.abs(found.astype(int) - wanted).mean() < 3
    assert clip.fps() == pytest.approx(10)
    assert next(clip.frames(3)).shape == (20, 24, 3)


def test_frames_of_a_folder_come_in_natural_order(tmp_path):
    for number in (1, 2, 10, 9):
        iio.imwrite(tmp_path / f"frame{number}.png", np.full((4, 5), number, np.uint8))
    (tmp_path / "notes.txt").write_text("no frame")
    (clip,) = clips.find(str(tmp_path))
    assert [int(frame[0, 0, 0]) for frame in clip.frames(1)] == [1, 2, 9, 10]


KINDS = {
    "grey": (np.full((5, 6), 100, np.uint8), 100),
    "16 bits": (np.full((5, 6), 100 * 257, np.uint16), 100),
    "colour": (np.full((5, 6, 3), (255, 0, 0), np.uint8), 76),  # 0.299 of 255
    "half transparent": (np.full((5, 6, 4), (100, 100, 100, 128), np.uint8), 50),
    "grey and transparent": (np.full((5, 6, 2), (100, 0), np.uint8), 0),
    "one bit": (np.ones((5, 6), bool), 255),
}


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_of_every_kind_are_read(kind, tmp_path):
    image, wanted = KINDS[kind]
    Image.fromarray(image).save(tmp_path / "a.png")
    assert np.unique(clips.picture(tmp_path / "a.png", 1)).tolist() == [wanted]
    assert clips.picture(tmp_path / "a.png", 3).shape == (5, 6, 3)


def test_a_palette_gives_its_colours(tmp_path):
    picture = Image.new("P", (6, 5), 1)
    picture.putpalette([0, 0, 0, 10, 20, 30])
    picture.save(tmp_path / "a.png")
    assert clips.picture(tmp_path / "a.png", 3)[0, 0].tolist() == [10, 20, 30]


def test_a_video_of_a_varying_rate_comes_at_a_constant_one(tmp_path):
    """Two seconds of which the first has few frames: each moment counts as long as it lasts."""
    as_mp4(tmp_path / "even.mp4", moving(20), fps=10)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(tmp_path / "even.mp4"), "-vf",
               "select='gt(n,9)+not(mod(n,5))'", "-fps_mode", "vfr", str(tmp_path / "uneven.mp4")]  # fmt: skip
    subprocess.run(command, check=True)
    frames = list(clips.Clip(tmp_path / "uneven.mp4").frames(1))
    assert 17 <= len(frames) <= 23


def broken(tmp_path):
    """Name of a broken clip -> (path, what is said)."""
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "empty.gif").touch()
    (tmp_path / "text.mp4").write_text("Not a video at all.\n" * 50)
    (tmp_path / "text.gif").write_text("Not a video at all.\n" * 50)
    whole = as_mp4(tmp_path / "whole.mp4", moving(20)).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "song.txt").write_text("la")
    (tmp_path / "nothing").mkdir()
    (tmp_path / "sizes").mkdir()
    (tmp_path / "picture").mkdir()
    for number, size in enumerate([(8, 8), (8, 9)]):
        iio.imwrite(tmp_path / f"sizes/{number}.png", np.zeros(size, np.uint8))
    (tmp_path / "picture/1.png").write_text("text")
    return {
        "empty.mp4": "the file is empty",
        "empty.gif": "the file is empty",
        "text.mp4": "cannot be read",
        "text.gif": "cannot be read",
        "cut.mp4": "cannot be read",
        "song.txt": "expected a video",
        "nothing": "expected videos",
        "sizes": "1.png: expected 8 x 8 pixels, as the first frame of the folder has; received 8 x 9",
        "picture": "1.png: expected a picture",
        "nowhere.mp4": "there is none",
    }


def test_what_is_no_clip_is_refused_by_its_name(tmp_path):
    for name, said in broken(tmp_path).items():
        with pytest.raises(InputError) as refusal:
            list(clips.find(str(tmp_path / name))[0].frames(1))
        assert said in str(refusal.value) and name in str(refusal.value), name


def test_a_video_that_ends_too_early_gives_what_is_there_and_says_so(tmp_path, capsys):
    """Such as a download that broke off; its index comes first."""
    noise = np.random.default_rng(0).integers(0, 255, (60, 32, 32, 1), dtype=np.uint8)
    whole = as_mp4(tmp_path / "whole.avi", noise).read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    frames = list(clips.Clip(tmp_path / "cut.avi").frames(1))
    assert 5 < len(frames) < 54 and f"only its first {len(frames)} frames can be read" in capsys.readouterr().err


def test_frames_are_scaled_to_their_shorter_side():
    assert clips.scaled(np.zeros((30, 61, 1), np.uint8), 15).shape == (15, 30, 1)
    assert clips.scaled(np.zeros((30, 61, 3), np.uint8), 0).shape == (30, 61, 3)


# Clips to train on


@pytest.fixture
def folder(tmp_path):
    """Four clips of different lengths in folders of frames; a frame's brightness tells its clip and number."""
    for number, length in enumerate([12, 30, 12, 14]):
        (tmp_path / f"clip{number}").mkdir()
        for t in range(length):
            iio.imwrite(tmp_path / f"clip{number}/{t}.png", np.full((32, 40), 60 * number + t, np.uint8))
    return tmp_path


def clip_config(path, **more):
    return dataclasses.replace(SMALL, data=str(path), **more)


def test_clips_are_split_by_clip(folder):
    found = data.load(clip_config(folder))
    of = [{int(v) // 60 for v in np.unique(part)} for part in (found.valid, found.test)]
    trained = found.train.draw(np.random.default_rng(0), 50, 5)
    assert of == [{2}, {3}] and {int(v) // 60 for v in np.unique(trained)} == {0, 1}
    assert found.info["side"] == 32 and "by clip: train 2, valid 1, test 1" in found.info["split"]


def test_one_clip_is_split_by_time(folder):
    found = data.load(clip_config(folder / "clip1"))
    trained = found.train.draw(np.random.default_rng(0), 50, 5)
    assert trained.max() < found.valid.min() and found.valid.max() < found.test.min()


@pytest.mark.parametrize(
    "name, said", [("clip0/", "at least 15 frames in each; received 12"), ("none", "there is none")]
)
def test_clips_that_are_too_short_are_refused(folder, name, said):
    (folder / "none").mkdir()
    (folder / "none/a").mkdir()
    iio.imwrite(folder / "none/a/1.png", np.zeros((32, 32), np.uint8))
    iio.imwrite(folder / "none/a/2.png", np.zeros((32, 32), np.uint8))
    (folder / "none/b").mkdir()
    iio.imwrite(folder / "none/b/1.png", np.zeros((32, 32), np.uint8))
    with pytest.raises(InputError, match=said):
        data.load(clip_config(folder / name))


def test_a_clip_shorter_than_a_window_is_refused_with_its_length(folder):
    with pytest.raises(InputError, match="expected at least 60 frames .* received 12"):
        data.load(clip_config(folder / "clip0", past=30, future=30))


def test_only_so_many_frames_of_long_clips_are_used(folder, monkeypatch, capsys):
    monkeypatch.setattr(sources, "MOST_FRAMES", 20)
    found = data.load(clip_config(folder / "clip1"))
    assert (
        sum(len(video) for video in found.train.videos) == 10 and "only the first 20 frames" in capsys.readouterr().err
    )


def test_unknown_data_names_what_there_is():
    with pytest.raises(
        InputError, match="expected builtin, moving_mnist, .* received moving_mnst. Did you mean moving_mnist"
    ):
        data.load(clip_config("moving_mnst"))


def test_sequences_of_tensorflow_datasets_are_split_without_overlap(monkeypatch):
    videos = [{"image_sequence": np.full((20, 32, 32, 1), n, np.uint8)} for n in range(20)]
    monkeypatch.setattr(sources.tfds, "splits", lambda name: ["test"])
    monkeypatch.setattr(sources.tfds, "load_examples", lambda name, split: videos)
    found = data.load(clip_config("tfds:moving_mnist"))
    assert np.unique(found.valid).tolist() == [16, 17] and np.unique(found.test).tolist() == [18, 19]
    monkeypatch.setattr(sources.tfds, "load_examples", lambda name, split: [{"image": 0}])
    with pytest.raises(InputError, match="expected image_sequence or .* received image"):
        data.load(clip_config("tfds:mnist"))


# Where a prediction begins


def window_list(count, past=3, ahead=2, **options):
    clip = types.SimpleNamespace(path="x.mp4")
    frames = (np.full((1, 1, 1), n, np.uint8) for n in range(1, count + 1))
    found = predict.windows(frames, clip, past, ahead, Predict(clips=("x",), **options))
    return [
        (at, *([round(255 * float(f[0, 0, 0])) for f in some] for some in (seen, truth))) for at, seen, truth in found
    ]


@pytest.mark.parametrize(
    "count, options, wanted",
    [
        (9, {}, [(7, [5, 6, 7], [8, 9])]),
        (5, {}, [(3, [1, 2, 3], [4, 5])]),
        (4, {}, [(3, [1, 2, 3], [4])]),
        (3, {}, [(3, [1, 2, 3], [])]),
        (9, {"at": 4}, [(4, [2, 3, 4], [5, 6])]),
        (9, {"at": 9}, [(9, [7, 8, 9], [])]),
        (8, {"all": True}, [(3, [1, 2, 3], [4, 5]), (5, [3, 4, 5], [6, 7]), (7, [5, 6, 7], [8])]),
        (7, {"all": True}, [(3, [1, 2, 3], [4, 5]), (5, [3, 4, 5], [6, 7])]),
        (3, {"all": True}, [(3, [1, 2, 3], [])]),
        (4, {"all": True}, [(3, [1, 2, 3], [4])]),
    ],
)
def test_the_frames_that_are_seen_and_those_that_follow(count, options, wanted):
    assert window_list(count, **options) == wanted


def test_very_wide_frames_are_shown_in_panels_of_bounded_width_and_ffmpeg_says_no_addresses(tmp_path):
    wide = np.zeros((4, 3000, 1))
    assert panels.side_by_side([wide] * 4, wide).shape[1] <= 4 * (panels.LARGEST + panels.GAP)
    path = tmp_path / "said"
    path.write_text("first\n[out#0/mp4 @ 0x55b0] Nothing was written\n")
    with path.open("rb") as said:
        assert ffmpeg._last_line(said) == "Nothing was written"


@pytest.mark.parametrize(
    "count, options, said",
    [
        (1, {}, "x.mp4: expected at least 3 frames, the input of the network; received 1"),
        (0, {}, "received 0"),
        (9, {"at": 12}, r"expected at least 12 frames \(--at\); received 9"),
        (9, {"at": 2}, "--at: expected at least 3"),
    ],
)
def test_a_clip_with_too_few_frames_is_refused(count, options, said):
    with pytest.raises(InputError, match=said):
        window_list(count, **options)


def test_of_a_long_clip_no_more_frames_are_read_than_a_prediction_needs():
    read = []
    clip = types.SimpleNamespace(path="x.mp4")
    frames = (read.append(n) or np.zeros((1, 1, 1), np.uint8) for n in itertools.count(1))
    endless = predict.windows(frames, clip, 3, 2, Predict(clips=("x",), all=True))
    for number, (at, seen, truth) in enumerate(itertools.islice(endless, 5)):
        assert at == 3 + 2 * number and (len(seen), len(truth)) == (3, 2) and len(read) == 5 + 2 * number
    next(predict.windows(frames, clip, 3, 2, Predict(clips=("x",), at=10)))
    assert len(read) == 13 + 12


# Pictures


def test_panels_stand_side_by_side_in_a_size_that_can_be_seen():
    frame = np.zeros((10, 11, 1))
    frame[0, 0] = 1
    image = panels.side_by_side([frame, None, frame, panels.error(frame, None)], frame)
    larger, width = 12, 11 * 12 + panels.GAP
    assert image.shape == (10 * larger + panels.HEAD, 4 * width - panels.GAP, 3)
    below = image[panels.HEAD :]
    assert (below[:larger, :larger] == 255).all() and (below[:, width : width + 132] == panels.NOTHING).all()
    large = panels.side_by_side([np.zeros((2000, 4000, 3))], np.zeros((2000, 4000, 3)))
    assert large.shape[1] <= panels.LARGEST and not any(n % 2 for n in large.shape[:2])


def test_of_a_long_video_no_gif_is_kept_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(panels, "LONGEST_GIF", 3)
    for count in (3, 4):
        with panels.written(tmp_path / f"{count}.mp4", tmp_path / f"{count}.gif", 10) as writer:
            for _ in range(count):
                writer.add(np.zeros((32, 32, 3), np.uint8))
        assert (writer.kept is None) == (count == 4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["3.gif", "3.mp4", "4.mp4"]
    assert len(list(clips.Clip(tmp_path / "4.mp4").frames(1))) == 4
