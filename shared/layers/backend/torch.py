"""The PyTorch backend, best effort: eager loops with the same hand-written gradients."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

Tensors = Sequence[Any]


def on_gpu() -> bool:
    """Returns whether PyTorch sees a CUDA GPU."""
    return torch.cuda.is_available()


def scan(step: Callable, carry: Tensors, sequences: Tensors, outputs: int, reverse: bool = False) -> tuple:
    """Runs `step(carry, slices) -> (carry, outputs)` over the first axis; see `backend/tensorflow.py`."""
    length = sequences[0].shape[0]
    results: list[list] = [[None] * length for _ in range(outputs)]
    for t in reversed(range(length)) if reverse else range(length):
        carry, values = step(carry, [sequence[t] for sequence in sequences])
        for result, value in zip(results, values, strict=True):
            result[t] = value
    return list(carry), [torch.stack(result) for result in results]


def differentiable(
    forward: Callable, backward: Callable, jit: bool = True, batch: Any = None, finish: Callable | None = None
) -> Callable:
    """Returns a function with a hand-written gradient; see `backend/tensorflow.py`."""
    del jit, batch  # PyTorch runs eagerly

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(context, *inputs):
            outputs, context.residuals = forward(*inputs)
            context.save_for_backward(*inputs)
            return tuple(outputs)

        @staticmethod
        def backward(context, *output_gradients):
            residuals = context.residuals
            if torch.is_grad_enabled():  # for a second derivative, which needs them as functions of the inputs
                _, residuals = forward(*context.saved_tensors)
            found = backward(residuals, list(output_gradients))
            return tuple(found if finish is None else finish(residuals, found))

    return lambda *inputs: list(Function.apply(*inputs))


def vjp(function: Callable, inputs: Tensors, gradients: Tensors) -> list:
    """Returns the gradients of the inputs, given those of the outputs; see `backend/tensorflow.py`."""
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        leaves = [x.view_as(x) if again and x.requires_grad else x.detach().requires_grad_() for x in inputs]
        outputs = list(function(*leaves))
        found = torch.autograd.grad(outputs, leaves, list(gradients), allow_unused=True, create_graph=again)
    return [torch.zeros_like(x) if g is None else g for x, g in zip(leaves, found, strict=True)]


def of_shape(value: Any, like: Any, expected: str) -> Any:
    """Returns `value`: shapes are known in eager mode, so there is nothing to check at run time."""
    del like, expected
    return value


def compiled(function: Callable, variables: Sequence[Any]) -> Callable:
    """Wraps `function` to run without gradient tracking; PyTorch runs it eagerly."""
    del variables

    def call(*arguments):
        with torch.no_grad():
            return function(*arguments)

    return call


def fused(function: Callable) -> Callable:
    """Returns `function`, which PyTorch runs eagerly."""
    return function
