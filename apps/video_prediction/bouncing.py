"""Digits that bounce inside a square frame: the built-in videos, and the recipe of Moving MNIST.

Srivastava, Mansimov and Salakhutdinov (2015), "Unsupervised learning of video representations using LSTMs", section
4.1, arXiv:1502.04681: each digit starts at a random position, moves in a random direction at constant speed, and is
reflected at the walls; where digits overlap, the brighter pixel is shown.
"""

import numpy as np
from scipy import ndimage

STEP = 0.1  # speed per frame, as a fraction of the distance between the walls
ENLARGED = 2  # scikit-learn's digits have 8 x 8 pixels
# Slices of scikit-learn's 1,797 digits, in their original order.
PARTS = {"train": slice(0, 1200), "valid": slice(1200, 1400), "test": slice(1400, None)}


class Bouncing:
    """Generates any number of videos of bouncing digits.

    Args:
        images: square digit images (digits, rows, columns) uint8.
        size: height and width of a frame. digits: number of digits per frame.
    """

    def __init__(self, images: np.ndarray, size: int, digits: int) -> None:
        self.images, self.size, self.digits = images, size, digits

    def draw(self, random: np.random.Generator, count: int, time: int) -> np.ndarray:
        """Generates `count` videos (count, time, rows, columns, 1) uint8."""
        side = self.images.shape[1]
        places = corners(random, count * self.digits, time, self.size - side)
        chosen = random.integers(len(self.images), size=count * self.digits)
        videos = np.zeros((count, time, self.size, self.size, 1), np.uint8)
        for number, (image, path) in enumerate(zip(chosen, places, strict=True)):
            for frame, (row, column) in zip(videos[number // self.digits], path, strict=True):
                seen = frame[row : row + side, column : column + side, 0]
                np.maximum(seen, self.images[image], out=seen)
        return videos


def corners(random: np.random.Generator, count: int, time: int, room: int) -> np.ndarray:
    """Returns the upper left corners (count, time, 2) int64 of moving digits, from 0 to `room`."""
    place, angle = random.random((count, 2)), random.random(count) * 2 * np.pi
    velocity = STEP * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    path = np.empty((count, time, 2))
    for t in range(time):
        place = place + velocity
        velocity = np.where((place <= 0) | (place >= 1), -velocity, velocity)
        place = np.clip(place, 0, 1)
        path[:, t] = place
    return (room * path).astype(np.int64)


def handwritten(part: str) -> np.ndarray:
    """Returns scikit-learn's handwritten digits of a split, enlarged: (digits, 16, 16) uint8; splits are disjoint."""
    from sklearn import datasets

    images = datasets.load_digits().images[PARTS[part]] * (255 / 16)
    larger = ndimage.zoom(images, (1, ENLARGED, ENLARGED), order=1, grid_mode=True, mode="nearest")
    return np.round(larger).astype(np.uint8)
