"""What is wrong with videos before training: known frames, clips in which nothing moves, few sequences."""

import numpy as np

from shared.data import doctor
from shared.data.doctor import NOTE, OK, WARNING, Finding, Item
from shared.inspection import Amount, Inspected, effort, report
from shared.plots import Panel

from .bouncing import Bouncing, handwritten
from .config import DEFAULT, RECIPES, Config
from .data import MEAN_OF, MEAN_SEED, Data, as_floats, load
from .mnist import digits
from .options import CheckData

STILL = 1e-3  # mean change of a pixel from frame to frame, from 0 to 1, below which nothing moves
SEQUENCES = (5, 30)  # test sequences below which their mean says nothing, or is rough


def check_data(options: CheckData) -> None:
    """Runs the check-data command."""
    report(options, look)


def look(config: Config) -> Inspected:
    """Looks at the sequences of each split, and at what they are made of."""
    data = load(config)
    time = config.past + config.future
    some = data.train.draw(np.random.default_rng(MEAN_SEED), config.count(MEAN_OF), time)
    parts = {"train": some, "valid": data.valid, "test": data.test}
    moves = {part: motion(videos) for part, videos in parts.items()}
    steps = max(1, config.count(config.sequences) // config.batch_size)
    amount = Amount(pixels(config), "pixels", pixels(DEFAULT), alike=("kernel", "motions"))
    findings = [
        *known(data, config),
        doctor.enough(len(data.test), "test", "sequences", *SEQUENCES, share=False),
        *still(moves),
        effort(__file__, config, RECIPES, steps, config.epochs, amount),
    ]
    if "by time" in data.info["split"]:
        text = "the test frames are the last ones of the training clips: their figure holds for these scenes only"
        findings.append(Finding(NOTE, text))
    brightness = {part: as_floats(videos).mean(axis=(2, 3, 4)).ravel() for part, videos in parts.items()}
    panels = [
        Panel("motion", "mean change of a pixel from frame to frame", moves),
        Panel("brightness", "mean of a frame, 0 is black", brightness),
    ]
    return Inspected(f"{data.info['source']}: {data.info['split']}", findings, panels)


def pixels(config: Config) -> int:
    """Returns the number of pixels that a training reads in an epoch: each generates its sequences, or draws them."""
    return config.count(config.sequences) * (config.past + config.future) * config.size**2


def motion(videos: np.ndarray) -> np.ndarray:
    """Returns the mean absolute change of a pixel of each sequence (sequences,)."""
    return np.array([np.abs(np.diff(as_floats(video), axis=0)).mean() for video in videos])


def known(data: Data, config: Config) -> list[Finding]:
    """Finds what is held out but also trained on: digits, or frames of clips."""
    if isinstance(data.train, Bouncing):
        images = handwritten if config.data == "builtin" else digits
        train = [Item(image.tobytes(), f"digit {n}") for n, image in enumerate(images("train"))]
        held = {part: [Item(image.tobytes(), f"digit {n}") for n, image in enumerate(images(part))]
                for part in ("valid", "test")}  # fmt: skip
        return [doctor.duplicates(train, items, part, "digits") for part, items in held.items()]
    seen = [Item(centre(frame, config.size).tobytes(), "") for clip in data.train.videos for frame in clip]
    held = {part: [Item(video[0].tobytes(), f"sequence {n}") for n, video in enumerate(videos, 1) if video[0].std()]
            for part, videos in (("valid", data.valid), ("test", data.test))}  # fmt: skip
    return [
        doctor.duplicates(seen, items, part, "sequences by their first frame") for part, items in held.items() if items
    ]


def centre(frame: np.ndarray, size: int) -> np.ndarray:
    """Crops a frame as the held-out sequences are cropped."""
    row, column = ((room - size) // 2 for room in frame.shape[:2])
    return frame[row : row + size, column : column + size]


def still(moves: dict[str, np.ndarray]) -> list[Finding]:
    """Counts sequences in which nothing moves: repeating the last frame predicts them."""
    findings = []
    for part, found in moves.items():
        count = int((found < STILL).sum())
        if count:
            text = (
                f"in {count:,} of {len(found):,} {part} sequences ({doctor.percent(count / len(found))}) nothing moves"
            )
            level = WARNING if count > doctor.LEAKED * len(found) else NOTE
            findings.append(Finding(level, f"{text}: repeating the last frame predicts them"))
    return findings or [Finding(OK, "in every sequence something moves")]
