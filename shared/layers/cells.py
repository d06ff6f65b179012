"""Base classes of the gallery's own cells and layers: width, initialisers, configuration, the two scans.

A cell defines an architecture. The step of a `StepCell` needs the state (see `bptt.Step`); that of a `LinearCell` is
h_t = a_t * h_{t-1} + b_t, where a and b depend on the input only (see `linear_scan`).
"""

from typing import Any

import keras
from keras import ops

from shared.layers import bptt, linear_scan
from shared.layers.scanned import Scanned, check_positive, refuse_unknown

KINDS = {"regularizer": keras.regularizers, "constraint": keras.constraints}


LIMITS = tuple(f"{weights}_{kind}" for kind in KINDS for weights in ("kernel", "recurrent", "bias"))


class Cell(keras.layers.Layer):
    """One step of a recurrent layer: `cell(inputs (batch, features), states) -> (output (batch, units), states)`.

    A subclass adds its own arguments to `OPTIONS`, in the order of its `__init__`, and stores each as an attribute.

    Args:
        units: positive int, width of h and of the output.
        use_bias: whether to add biases.
        kernel_initializer, recurrent_initializer, bias_initializer: Keras initialisers.
        **kwargs: Keras regularisers or constraints of the kernels, recurrent weights or biases (`LIMITS`); dtype,
            name, trainable.

    Raises:
        ValueError: if units < 1, or if a regulariser or constraint is for weights that the cell does not have.
    """

    WEIGHTS: tuple[str, ...] = ("kernel", "recurrent", "bias")  # weights that may have regularisers and constraints
    OPTIONS: tuple[str, ...] = (
        "units",
        "use_bias",
        "kernel_initializer",
        "recurrent_initializer",
        "bias_initializer",
        *LIMITS,
    )

    def __init__(
        self,
        units: int,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        check_positive(units=units)
        limits = {name: kwargs.pop(name, None) for name in LIMITS}
        super().__init__(**kwargs)
        for name, value in limits.items():
            weights, kind = name.split("_")
            if value is not None and weights not in self.WEIGHTS:
                raise ValueError(f"`{name}` is for weights that this layer does not have. Received: {name}={value}")
            setattr(self, name, KINDS[kind].get(value))
        self.units = self.output_size = units
        self.state_size: int | list[int] = units
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def add_kernel(self, name: str, *shape: int) -> Any:
        """Adds a kernel for the inputs."""
        return self._add("kernel", shape, name, self.kernel_initializer)

    def add_recurrent(self, name: str, *shape: int) -> Any:
        """Adds a recurrent kernel."""
        return self._add("recurrent", shape, name, self.recurrent_initializer)

    def add_bias(self, name: str, *shape: int, initializer: Any = None) -> Any:
        """Adds a bias; returns None without `use_bias`."""
        if not self.use_bias:
            return None
        return self._add("bias", shape, name, initializer or self.bias_initializer)

    def _add(self, weights: str, shape: tuple, name: str, initializer: Any) -> Any:
        limits = {kind: getattr(self, f"{weights}_{kind}") for kind in KINDS}
        return self.add_weight(shape=shape, name=name, initializer=initializer, **limits)

    def add_gates_bias(self, name: str, gates: int, ones: int | None) -> Any:
        """Adds a bias (gates * units), with ones for the forget gate, whose index is `ones` (None: no such gate)."""

        def initial(shape, dtype=None):
            pieces = [self.bias_initializer((self.units,), dtype=dtype) for _ in range(gates)]
            if ones is not None:
                pieces[ones] = ops.ones((self.units,), dtype)
            return ops.concatenate(pieces)

        return self.add_bias(name, gates * self.units, initializer=initial)

    def get_config(self) -> dict:
        """Returns the arguments that recreate the cell."""
        options = {name: getattr(self, name) for name in self.OPTIONS}
        described = {
            name: keras.saving.serialize_keras_object(value) if _is_keras(value) else value
            for name, value in options.items()
        }
        return {**super().get_config(), **described}


def _is_keras(value: Any) -> bool:
    kinds = (keras.initializers.Initializer, keras.regularizers.Regularizer, keras.constraints.Constraint)
    return isinstance(value, kinds)


class CellRNN(Scanned, keras.layers.RNN):
    """The recurrent layer of a `Cell`: takes the cell's arguments and those of `keras.layers.RNN`.

    A subclass sets its `cell_class`, and lists its own arguments in `LAYER_OPTIONS`.

    Args:
        units: positive int, width of h and of the output.
        dropout: fraction of the input features to drop in training, with one mask for the whole sequence.
        seed: seed of dropout, zoneout and recurrent weight dropout.
    """

    cell_class: type[Cell]
    LAYER_OPTIONS: tuple[str, ...] = ("dropout", "seed")

    def __init__(self, units: int, dropout: float = 0.0, seed: int | None = None, **kwargs: Any) -> None:
        if not 0 <= dropout < 1:
            raise ValueError(f"`dropout` must be at least 0 and below 1. Received: dropout={dropout}")
        own = {key: kwargs.pop(key) for key in self.cell_class.OPTIONS if key in kwargs}
        refuse_unknown(type(self).__name__, kwargs, (*self.cell_class.OPTIONS, *self.LAYER_OPTIONS, *self.SCAN_OPTIONS))
        shared = {key: kwargs[key] for key in ("dtype", "trainable") if key in kwargs}
        super().__init__(self.cell_class(units, **own, **shared, name="cell"), seed=seed, **kwargs)
        self.dropout, self.seed = dropout, seed
        if dropout:
            self.dropout_seed = keras.random.SeedGenerator(seed)

    @property
    def units(self) -> int:
        """Width of the state and of the output."""
        return self.cell.units

    def without_dropped(self, sequences: Any, training: bool) -> Any:
        """See `Scanned`."""
        if not (training and self.dropout):
            return sequences
        mask = keras.random.dropout(ops.ones_like(sequences[:, :1]), self.dropout, seed=self.dropout_seed)
        return sequences * mask

    def get_config(self) -> dict:
        """Returns the arguments that recreate the layer."""
        config = super().get_config()
        del config["cell"]
        cell = self.cell.get_config()
        return config | {k: cell[k] for k in self.cell.OPTIONS} | {k: getattr(self, k) for k in self.LAYER_OPTIONS}

    @classmethod
    def from_config(cls, config: dict) -> "CellRNN":
        """Creates the layer from the output of `get_config`."""
        return cls(**config)


class StepCell(Cell):
    """A cell whose step needs the state. Subclasses define `STEP`, `project`, `kernel_and_vectors` and `build`."""

    STEP: bptt.Step

    def project(self, inputs: Any) -> list:
        """Computes what does not depend on the state: (..., features) -> tensors (..., n), for one step or for all."""
        raise NotImplementedError

    def kernel_and_vectors(self) -> tuple[Any, list]:
        """Returns the recurrent kernel, or None, and the other weights that `STEP` takes."""
        raise NotImplementedError

    def call(self, inputs: Any, states: list, training: bool = False) -> tuple[Any, list]:
        """Computes one step: inputs (batch, features) and states -> output (batch, units) and states."""
        del training
        inputs = ops.cast(inputs, self.compute_dtype)
        kernel, vectors = self.cast_weights(inputs.dtype)
        new = bptt.one(self.STEP, self.project(inputs), list(states), kernel, vectors)
        return new[0], new

    def cast_weights(self, dtype: Any) -> tuple[Any, list]:
        """Returns `kernel_and_vectors` in the dtype of the computation."""
        kernel, vectors = self.kernel_and_vectors()
        return None if kernel is None else ops.cast(kernel, dtype), [ops.cast(v, dtype) for v in vectors]


class StepRNN(CellRNN):
    """The recurrent layer of a `StepCell`."""

    SCAN_OPTIONS: tuple[str, ...] = ("zoneout", "recurrent_weight_dropout", "recompute")

    @property
    def zoned(self) -> tuple[bool, ...]:
        """See `Scanned`."""
        return self.cell.STEP.zoned

    def over_time(self, x: Any, mask: Any, states: list, training: bool) -> list:
        """See `Scanned`."""
        kernel, vectors = self.cell.cast_weights(x.dtype)
        kernel = self.dropped(kernel, training)
        sequences = self.cell.project(x)
        zones = self.zones(x, training)
        return bptt.scan(self.cell.STEP, sequences, states, kernel, vectors, mask, zones, self.recompute)


class LinearCell(Cell):
    """A cell h_t = a_t * h_{t-1} + b_t. Subclasses define `coefficients` and `build`."""

    WEIGHTS = ("kernel", "bias")

    def coefficients(self, inputs: Any) -> tuple[Any, Any]:
        """Computes a and b (..., units) from inputs (..., features), for one step or for all."""
        raise NotImplementedError

    def call(self, inputs: Any, states: list, training: bool = False) -> tuple[Any, list]:
        """Computes one step: inputs (batch, features), [h (batch, units)] -> output (batch, units), [h]."""
        del training
        a, b = self.coefficients(ops.cast(inputs, self.compute_dtype))
        h = a * states[0] + b
        return h, [h]


class LinearRNN(CellRNN):
    """The recurrent layer of a `LinearCell`.

    Args:
        form: "auto", "sequential" or "parallel": how the recurrence is computed, see `linear_scan`.
    """

    SCAN_OPTIONS: tuple[str, ...] = ("zoneout",)
    LAYER_OPTIONS: tuple[str, ...] = (*CellRNN.LAYER_OPTIONS, "form")

    def __init__(self, units: int, form: str = "auto", **kwargs: Any) -> None:
        linear_scan.check_form(form)
        super().__init__(units, **kwargs)
        self.form = form

    def gates(self, x: Any, states: list) -> dict[str, Any]:
        """Returns the coefficients of one step: a, which multiplies the state, and b, each (batch, units)."""
        del states
        a, b = self.cell.coefficients(ops.cast(x, self.compute_dtype))
        return {"a": a, "b": b}

    def over_time(self, x: Any, mask: Any, states: list, training: bool) -> list:
        """See `Scanned`."""
        a, b = self.cell.coefficients(x)
        for zone in self.zones(x, training)[:1]:
            a, b = zone + (1 - zone) * a, (1 - zone) * b
        if mask is not None:
            a, b = ops.where(mask, a, 1), ops.where(mask, b, 0)
        h = linear_scan.linear_scan(a, b, states[0], self.form)
        return [h, h[-1]]


def affine(inputs: Any, kernel: Any, bias: Any) -> Any:
    """Maps (..., features) to (..., n) with one matrix product for all leading axes, and adds the bias if any.

    The inputs are reshaped to a matrix, since XLA's and oneDNN's batched products over a time axis are slower.
    """
    dtype = inputs.dtype
    flat = ops.reshape(inputs, (-1, inputs.shape[-1])) if len(inputs.shape) > 2 else inputs
    result = ops.matmul(flat, ops.cast(kernel, dtype))
    if bias is not None:
        result = result + ops.cast(bias, dtype)
    return ops.reshape(result, (*ops.shape(inputs)[:-1], kernel.shape[-1])) if len(inputs.shape) > 2 else result
