"""What recurrent layers need from a backend beyond `keras.ops`: seven functions, one file per backend.

    scan(step, carry, sequences, outputs, reverse)   the time loop
    differentiable(forward, backward, ...)           a function with a hand-written gradient
    vjp(function, inputs, gradients)                 the gradient of a small function, within such a backward
    compiled(function, variables)                    a whole function as one program
    fused(function)                                  a part of a larger program, as one program of its own
    of_shape(value, like, expected)                  a check of shapes that are known only at run time
    on_gpu()                                         whether the program will run on a GPU

Outside this package, neither `shared` nor the apps import tensorflow, jax or torch. Importing it also makes the process
keep its memory between steps, see `memory.py`.
"""

import keras

from shared.layers.backend import memory

if keras.backend.backend() == "tensorflow":
    from shared.layers.backend.tensorflow import compiled, differentiable, fused, of_shape, on_gpu, scan
    from shared.layers.backend.tensorflow_derivatives import vjp
elif keras.backend.backend() == "jax":
    from shared.layers.backend.jax import compiled, differentiable, fused, of_shape, on_gpu, scan, vjp
elif keras.backend.backend() == "torch":
    from shared.layers.backend.torch import compiled, differentiable, fused, of_shape, on_gpu, scan, vjp
else:
    raise ImportError(f"Expected KERAS_BACKEND to be tensorflow, jax or torch. Received: {keras.backend.backend()}")

__all__ = ["compiled", "differentiable", "fused", "of_shape", "on_gpu", "scan", "vjp"]

memory.keep()
