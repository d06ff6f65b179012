"""Converts sequences to arrays: padding, windows, and batches for `model.fit` on any backend.

A batch depends only on (seed, epoch, step) and is created on demand, so that a run that is killed in the middle of an
epoch resumes with exactly the batches that it would have seen.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from shared import InputError


def pad(sequences: Sequence[Any], length: int | None = None, value: float = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pads sequences at the end to the same length.

    Args:
        sequences: arrays (time,) or (time, ...) of equal shape except for time.
        length: time steps of the result. None: those of the longest sequence.
        value: the padding value.

    Returns:
        padded (batch, time, ...) and mask (batch, time) bool, True for real steps.

    Raises:
        InputError: if there are no sequences, one is longer than `length`, or their shapes do not match.
    """
    arrays = [np.asarray(sequence) for sequence in sequences]
    if not arrays:
        raise InputError("Expected at least one sequence to pad. Received: none")
    if any(a.ndim == 0 or a.shape[1:] != arrays[0].shape[1:] for a in arrays):
        shapes = sorted({str(a.shape) for a in arrays})
        raise InputError(f"Expected sequences that differ in shape only in time. Received: {shapes}")
    lengths = np.array([len(a) for a in arrays])
    length = int(lengths.max()) if length is None else length
    if lengths.max() > length:
        at = int(lengths.argmax())
        raise InputError(f"Expected at most {length} steps. Sequence {at} has {lengths[at]}: cut it first.")
    # An empty list becomes float64, which must not turn the other sequences' ids into floats.
    dtype = np.result_type(*([a for a in arrays if len(a)] or arrays))
    padded = np.full((len(arrays), length, *arrays[0].shape[1:]), value, dtype)
    for row, array in zip(padded, arrays, strict=True):
        row[: len(array)] = array
    return padded, np.arange(length) < lengths[:, None]


def windows(series: Any, lookback: int, horizon: int, stride: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Returns all windows of past steps, each with the future steps that follow it.

    Args:
        series: (time,) or (time, features).
        lookback: past steps; horizon: future steps; stride: steps from one window to the next.

    Returns:
        past (windows, lookback, ...) and future (windows, horizon, ...), as read-only views; window i begins at
        step i * stride.

    Raises:
        InputError: if the series is shorter than lookback + horizon, or any number is below 1.
    """
    series = np.asarray(series)
    for name, number in {"lookback": lookback, "horizon": horizon, "stride": stride}.items():
        _positive(name, number)
    if len(series) < lookback + horizon:
        raise InputError(
            f"Expected at least lookback + horizon = {lookback + horizon} steps. Received: {len(series)}. "
            "Lower one of them, or use a longer series."
        )
    both = np.lib.stride_tricks.sliding_window_view(series, lookback + horizon, axis=0)[::stride]
    both = np.moveaxis(both, -1, 1)  # (windows, lookback + horizon, ...)
    return both[:, :lookback], both[:, lookback:]


class Batches(keras.utils.PyDataset):
    """Batches with random access. Subclasses implement `batch(epoch, step)` as a pure function.

    Keras sees the steps from `first` to the end of `epoch`; `shared.fit` sets both, and uses `shuffle=False`.

    Args:
        steps: batches per epoch, the same in every epoch.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.epoch = 0
        self.first = 0

    def batch(self, epoch: int, step: int) -> tuple:
        """Returns the batch of this step: (inputs, targets) or (inputs, targets, weights)."""
        raise NotImplementedError

    def __len__(self) -> int:
        return self.steps - self.first

    def __getitem__(self, index: int) -> tuple:
        return self.batch(self.epoch, self.first + _checked(index, len(self)))


class ArrayBatches(Batches):
    """Batches of rows of arrays, reshuffled each epoch.

    Args:
        arrays: (inputs, targets) or (inputs, targets, weights), each an array or a nested structure of arrays, all of
            the same length.
        batch_size: rows per batch; the last one may be smaller.
        seed: seed of the order. shuffle: False keeps the rows in order.
        drop_last: drop the rows of a smaller last batch (different ones each epoch if shuffled).

    Raises:
        InputError: if the arrays differ in length, or have too few rows for one batch.
    """

    def __init__(
        self, arrays: tuple, batch_size: int, seed: int, shuffle: bool = True, drop_last: bool = False
    ) -> None:
        _positive("batch_size", batch_size)
        self.arrays = keras.tree.map_structure(np.asarray, arrays)
        lengths = {len(array) for array in keras.tree.flatten(self.arrays)}
        if len(lengths) != 1:
            raise InputError(f"Expected arrays of one length. Received lengths: {sorted(lengths)}")
        (self.rows,) = lengths
        self.batch_size, self.seed, self.shuffle = batch_size, seed, shuffle
        super().__init__(self.rows // batch_size if drop_last else -(-self.rows // batch_size))
        if self.steps == 0:
            raise InputError(f"Expected rows for a batch of {batch_size}. Received: {self.rows}.")
        self._order: tuple[int, np.ndarray] = (-1, np.arange(self.rows))

    def batch(self, epoch: int, step: int) -> tuple:
        """Returns rows (batch, ...) of each array."""
        rows = self._rows(epoch)[step * self.batch_size :][: self.batch_size]
        return keras.tree.map_structure(lambda array: array[rows], self.arrays)

    def _rows(self, epoch: int) -> np.ndarray:
        """Returns the row order of the epoch. The last one is cached: shuffling a million rows takes 20 ms."""
        kept, order = self._order
        if self.shuffle and kept != epoch:
            order = np.random.default_rng([self.seed, epoch]).permutation(self.rows)
            self._order = (epoch, order)
        return order


class BucketBatches(Batches):
    """Batches of sequences of similar length, padded to the length of their bucket.

    All batches are full, so only one shape per bucket is compiled: the last batch of a bucket is filled up with rows
    from the start of the bucket that have weight 0, so that each sequence counts exactly once per epoch.
    Compile the model with a loss of `reduction="mean_with_sample_weight"` and with `weighted_metrics`.

    Args:
        sequences: arrays (time,) or (time, features); or for each row a tuple or dict of such arrays, which may differ
            in length, such as a sentence and its translation.
        targets: arrays (time, ...), each as long as (one of) its row's sequences; else labels, all of the same shape.
        batch_size: rows per batch. seed: seed of the order of rows within buckets and of the batches.
        bucket_lengths: lengths to pad to; each row goes to the shortest bucket that fits all its sequences.

    Batch:
        ((padded (batch, time, ...), mask (batch, time) bool), targets, weights float32), where padded and mask are
        tuples or dicts if the sequences are; weights are (batch,) for labels and (batch, time) for targets in time, 0
        for padding.

    Raises:
        InputError: if a sequence is empty or longer than every bucket, or the targets do not match.
    """

    def __init__(
        self,
        sequences: Sequence[Any],
        targets: Sequence[Any] | np.ndarray,
        batch_size: int,
        seed: int,
        bucket_lengths: Sequence[int],
    ) -> None:
        _positive("batch_size", batch_size)
        self.sequences = [_arrays(sequence) for sequence in sequences]
        self.targets = [np.asarray(target) for target in targets]
        self.bucket_lengths = np.array(sorted(set(bucket_lengths)))
        self.in_time = _targets_in_time(self.targets, self.sequences)
        lengths = _longest(self.sequences)
        _check_lengths(lengths, self.bucket_lengths)
        bucket_of = np.searchsorted(self.bucket_lengths, lengths)
        self.buckets = [np.flatnonzero(bucket_of == b) for b in range(len(self.bucket_lengths))]
        self.batch_size, self.seed = batch_size, seed
        super().__init__(sum(-(-len(rows) // batch_size) for rows in self.buckets))
        self._plan: tuple[int, list[tuple[int, np.ndarray, int]]] = (-1, [])

    def batch(self, epoch: int, step: int) -> tuple:
        """See the class docstring."""
        length, rows, real = self._batches(epoch)[step]
        inputs = _pad_rows([self.sequences[row] for row in rows], length)
        weights = (np.arange(len(rows)) < real).astype(np.float32)
        if self.in_time:
            targets, there = pad([self.targets[row] for row in rows], length)
            return inputs, targets, weights[:, None] * there
        return inputs, np.stack([self.targets[row] for row in rows]), weights

    def rows(self, epoch: int, step: int) -> np.ndarray:
        """Returns the index of the sequence in each row of a batch (batch,), including filler rows at the end."""
        return self._batches(epoch)[step][1]

    def __getitem__(self, index: int) -> tuple:
        inputs, targets, weights = super().__getitem__(index)
        if self.in_time:
            targets, weights = _AnyTime(targets), _AnyTime(weights)
        return keras.tree.map_structure(_AnyTime, inputs), targets, weights

    def _batches(self, epoch: int) -> list[tuple[int, np.ndarray, int]]:
        """Returns for each step the padded length, the rows, and how many of them are real, not filler."""
        kept, plan = self._plan
        if kept != epoch:
            random = np.random.default_rng([self.seed, epoch])
            plan = []
            for length, bucket in zip(self.bucket_lengths.tolist(), self.buckets, strict=True):
                order = random.permutation(bucket)
                for start in range(0, len(order), self.batch_size):
                    rows = order[start : start + self.batch_size]
                    filling = np.resize(order, self.batch_size - len(rows))
                    plan.append((length, np.concatenate([rows, filling]), len(rows)))
            plan = [plan[i] for i in random.permutation(len(plan))]
            self._plan = (epoch, plan)
        return plan


def in_buckets(
    sequences: Sequence[Any], bucket_lengths: Sequence[int], batch_size: int = 128, few: int = 8
) -> Iterator[tuple[np.ndarray, Any, Any]]:
    """Yields batches of sequences of similar length for inference, in few shapes, since each shape is compiled.

    Args:
        sequences: as in `BucketBatches`. bucket_lengths: lengths to pad to.
        batch_size: rows per batch; the last one of a bucket is filled up by repeating its rows.
        few: if there are at most this many sequences, the batches have one row instead.

    Yields:
        rows (real,): indices of the sequences; padded (batch, time, ...); mask (batch, time) bool.

    >>> [(rows.tolist(), padded.shape) for rows, padded, _ in in_buckets([[5], [5, 6, 7], [8]], [2, 4], 2, few=0)]
    [([0, 2], (2, 2)), ([1], (2, 4))]
    """
    if not len(sequences):
        return
    arrays, lengths = [_arrays(sequence) for sequence in sequences], np.array(sorted(set(bucket_lengths)))
    longest = _longest(arrays)
    _check_lengths(longest, lengths)
    size = 1 if len(arrays) <= few else batch_size
    bucket_of = np.searchsorted(lengths, longest)
    for number, length in enumerate(lengths.tolist()):
        inside = np.flatnonzero(bucket_of == number)
        for start in range(0, len(inside), size):
            rows = inside[start : start + size]
            yield rows, *_pad_rows([arrays[row] for row in np.resize(rows, size)], length)


def bucket_lengths(lengths: Sequence[int], buckets: int, longest: int) -> list[int]:
    """Returns lengths to pad to that distribute the sequences about evenly over the buckets.

    Args:
        lengths: of the training sequences. buckets: maximum number. longest: length of the last bucket, which fits all.

    >>> bucket_lengths([1, 2, 3, 4, 50], 2, 64)
    [3, 64]
    """
    shares = np.arange(1, buckets) / buckets
    return sorted({*np.quantile(lengths, shares, method="higher").tolist(), longest})


def spread(count: int, most: int) -> np.ndarray:
    """Returns (min(count, most),) indices, spread evenly over `count` examples; all indices if `most` is 0.

    >>> spread(10, 3).tolist()
    [0, 4, 9]
    """
    return np.arange(count) if not 0 < most < count else np.linspace(0, count - 1, most).round().astype(int)


class StreamBatches(Batches):
    """One long text as `batch_size` contiguous streams, read in parallel window by window.

    Row b of step k + 1 continues where row b of step k ended, so that a stateful layer can carry its state. With
    `jitter`, each epoch begins at an offset in [0, window) drawn from (seed, epoch), so that the window boundaries
    differ between epochs. An incomplete window at the end of a stream is dropped.

    Args:
        ids: (time,) token ids. batch_size: number of streams. window: steps per batch.

    Batch:
        inputs (batch_size, window) and targets, the inputs shifted by one step.

    Raises:
        InputError: if `ids` has fewer than `shortest(batch_size, window, jitter)` tokens.
    """

    def __init__(self, ids: np.ndarray, batch_size: int, window: int, seed: int = 0, jitter: bool = True) -> None:
        _positive("batch_size", batch_size)
        _positive("window", window)
        needed = self.shortest(batch_size, window, jitter)
        if len(ids) < needed:
            raise InputError(
                f"Expected at least {needed} tokens for {batch_size} streams of one window of {window}. "
                f"Received: {len(ids)}. Lower batch_size or window, or use a longer text."
            )
        self.ids, self.window, self.seed, self.jitter = np.asarray(ids), window, seed, jitter
        length = (len(ids) - 1 - (window - 1 if jitter else 0)) // batch_size
        self.starts = np.arange(batch_size)[:, None] * length
        super().__init__(length // window)

    @staticmethod
    def shortest(batch_size: int, window: int, jitter: bool = True) -> int:
        """Returns the minimum number of tokens for one step: all windows, the last target and the maximum offset."""
        return batch_size * window + 1 + (window - 1 if jitter else 0)

    def batch(self, epoch: int, step: int) -> tuple:
        """See the class docstring."""
        offset = int(np.random.default_rng([self.seed, epoch]).integers(self.window)) if self.jitter else 0
        read = self.ids[self.starts + offset + step * self.window + np.arange(self.window + 1)]
        return read[:, :-1], read[:, 1:]


class _AnyTime:
    """A batch array (batch, time, ...) whose `shape` declares the time dimension as None.

    On TensorFlow, Keras infers the shapes of a PyDataset from its first two batches; if these happen to be from the
    same bucket, it rejects the first batch from another one.
    """

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.dtype = array, array.dtype
        self.shape = (len(array), None, *array.shape[2:])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.array, dtype, copy=copy)


def _positive(name: str, number: int) -> None:
    if number < 1:
        raise InputError(f"Expected {name} of at least 1. Received: {number}")


def _checked(index: int, length: int) -> int:
    """Checks an index. The IndexError is what ends a plain Python loop over the batches."""
    if not -length <= index < length:
        raise IndexError(f"Expected a batch from 0 to {length - 1}. Received: {index}")
    return index % length


def _check_lengths(lengths: np.ndarray, bucket_lengths: np.ndarray) -> None:
    if len(lengths) == 0 or len(bucket_lengths) == 0:
        raise InputError("Expected at least one sequence and one bucket length. Received: none")
    if lengths.min() == 0:
        raise InputError(f"Expected sequences of at least one step. Sequence {lengths.argmin()} is empty.")
    if lengths.max() > bucket_lengths[-1]:
        raise InputError(
            f"Expected sequences of at most {bucket_lengths[-1]} steps, the longest bucket. "
            f"Sequence {lengths.argmax()} has {lengths.max()}: cut it, or add a bucket."
        )


def _arrays(sequence: Any) -> Any:
    """Converts the sequence to an array, or to a tuple or dict of arrays."""
    return (
        keras.tree.map_structure(np.asarray, sequence) if isinstance(sequence, tuple | dict) else np.asarray(sequence)
    )


def _longest(sequences: list[Any]) -> np.ndarray:
    """Returns the number of time steps of each row's longest sequence (rows,)."""
    return np.array([max(map(len, keras.tree.flatten(sequence))) for sequence in sequences], dtype=np.int64)


def _pad_rows(rows: list[Any], length: int) -> tuple[Any, Any]:
    """Pads rows of arrays, or of nested structures of them; returns padded and mask in the same structure."""
    columns = zip(*map(keras.tree.flatten, rows), strict=True)
    padded, masks = zip(*(pad(column, length) for column in columns), strict=True)
    return keras.tree.pack_sequence_as(rows[0], list(padded)), keras.tree.pack_sequence_as(rows[0], list(masks))


def _targets_in_time(targets: list[np.ndarray], sequences: list[Any]) -> bool:
    """Returns whether the targets are sequences; otherwise they are labels."""
    lengths = [{len(array) for array in keras.tree.flatten(sequence)} for sequence in sequences]
    if len(targets) != len(lengths):
        raise InputError(f"Expected {len(lengths)} targets, one for each sequence. Received: {len(targets)}")
    fits = [bool(target.ndim) and len(target) in each for target, each in zip(targets, lengths, strict=True)]
    if all(fits):
        return True
    if len({target.shape for target in targets}) == 1:
        return False
    at = fits.index(False)
    raise InputError(
        f"Expected targets as long as their sequences. Sequence {at} has {' or '.join(map(str, sorted(lengths[at])))} "
        f"steps, its target the shape {targets[at].shape}."
    )
