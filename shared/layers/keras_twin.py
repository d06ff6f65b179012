"""Keras's own layers with a different time loop: its classes, weights and options, our scan."""

from collections.abc import Callable
from typing import Any

from keras import ops

from shared.layers import backend, bptt, time_major
from shared.layers.scanned import Scanned


class KerasTwin(Scanned):
    """Mixin for `keras.layers.LSTM`, `GRU` or `SimpleRNN`.

    A subclass defines `recurrence`, the scan with its hand-written gradient; `loop_weights`; and `STEP`, the same step
    for zoneout, which the hand-written gradient does not support.
    """

    SCAN_OPTIONS: tuple[str, ...] = ("zoneout", "recurrent_weight_dropout", "recompute")
    ON_GPU_KERAS = True  # on a GPU use Keras's layer, which runs cuDNN's kernels
    STEP: bptt.Step

    @property
    def zoned(self) -> tuple[bool, ...]:
        """See `Scanned`."""
        return self.STEP.zoned

    def plain(self) -> bool:
        """Returns whether the activations are those of the equations."""
        raise NotImplementedError

    def loop_weights(self, dtype: Any) -> tuple[Any, Any, Any, list]:
        """Returns kernel, recurrent kernel, bias of the projection, other vectors; in the dtype of the computation."""
        raise NotImplementedError

    def recurrence(self) -> Callable:
        """Returns a `feature_major.recurrence` of x, mask, states, kernel, recurrent kernel, bias, other vectors."""
        raise NotImplementedError

    def falls_back(self) -> bool:
        """See `Scanned`; on a GPU Keras uses cuDNN, which supports none of our options."""
        cudnn = self.ON_GPU_KERAS and backend.on_gpu()
        ours = self.zoneout or self.recurrent_weight_dropout or self.recompute
        return not self.plain() or self.unroll or bool(self.cell.recurrent_dropout) or (cudnn and not ours)

    def keras_seed(self, seed: int | None) -> dict:
        """See `Scanned`."""
        return {"seed": seed}

    def without_dropped(self, sequences: Any, training: bool) -> Any:
        """See `Scanned`; the mask is the one that Keras draws for its cell."""
        if not (training and self.cell.dropout):
            return sequences
        return sequences * ops.expand_dims(self.cell.get_dropout_mask(sequences[:, 0, :]), 1)

    def time_first(self, sequences: Any) -> Any:
        """Transposes (batch, time, features) to (time, features, batch); with zoneout see `Scanned`."""
        return super().time_first(sequences) if self.zoneout else ops.transpose(sequences, (1, 2, 0))

    def batch_first(self, outputs: Any) -> Any:
        """See `time_first`."""
        return super().batch_first(outputs) if self.zoneout else ops.transpose(outputs, (2, 0, 1))

    def over_time(self, x: Any, mask: Any, states: list, training: bool) -> list:
        """See `Scanned`; x and outputs in the layout of `time_first`."""
        kernel, recurrent_kernel, bias, vectors = self.loop_weights(x.dtype)
        recurrent_kernel = self.dropped(recurrent_kernel, training)
        if self.zoneout:
            sequences, zones = [time_major.project(x, kernel, bias)], self.zones(x, training)
            return bptt.scan(self.STEP, sequences, states, recurrent_kernel, vectors, mask, zones, self.recompute)
        columns = [ops.transpose(state) for state in states]
        steps = None if mask is None else ops.swapaxes(mask, 1, 2)
        weights = kernel, recurrent_kernel, bias, *vectors
        outputs, *last = self.recurrence()(x, steps, *columns, *weights, recompute=self.recompute)
        return [outputs, *(ops.transpose(state) for state in last)]


def dense_weights(cell: Any, dtype: Any) -> tuple[Any, Any, Any, list]:
    """Returns kernel, recurrent kernel and bias of a cell in the form of `loop_weights`; zeros if it has no bias."""
    width = cell.kernel.shape[-1]
    bias = cell.bias if cell.use_bias else ops.zeros((width,), dtype)
    kernel, recurrent_kernel, bias = (ops.cast(w, dtype) for w in (cell.kernel, cell.recurrent_kernel, bias))
    return kernel, recurrent_kernel, bias, []
