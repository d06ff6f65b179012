"""Constants of the tasks: sizes of inputs and targets, and when a task counts as solved."""

from dataclasses import dataclass

PIXELS = 64  # pixels of an 8 x 8 digit
MESSAGE = 10  # number of symbols to copy
ALPHABET = "abcdefgh"


@dataclass(frozen=True)
class Task:
    """The properties of a task that network, training and plots need."""

    # number of features per input step
    features: int
    # number of outputs per answer: 1 is a value, more are the logits of that many classes
    outputs: int
    # number of answers, one at each of the last steps
    answers: int
    # the main metric: "mse" (lower is better) or "accuracy" (higher is better)
    metric: str
    # the task is solved if the test metric is better than this; None: no threshold, only the baseline
    solved_at: float | None
    # training stops at this validation metric: slightly better, as validation and test differ by chance
    stop_at: float | None
    # the minimum --length
    shortest: int
    # the lengths of a sweep
    lengths: tuple[int, ...]
    # description of --length, for the plots
    length_label: str


DIGITS = Task(1, 10, 1, "accuracy", None, None, PIXELS, (64, 128, 256, 512), "steps: 64 pixels, then blanks")
TASKS = {
    "adding": Task(2, 1, 1, "mse", 0.01, 0.008, 2, (50, 200, 500, 1000), "steps of the sequence"),
    "copy": Task(
        len(ALPHABET) + 2,
        len(ALPHABET),
        MESSAGE,
        "accuracy",
        0.99,
        0.993,
        1,
        (10, 50, 200),
        "lag in steps",
    ),
    "sequential_digits": DIGITS,
    "permuted_digits": DIGITS,
}
BUILTIN = "adding"
