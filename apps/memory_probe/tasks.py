"""Constants of the tasks: the size of inputs and targets, and when a task counts as solved."""

from dataclasses import dataclass

PIXELS = 64  # of one 8 x 8 digit
MESSAGE = 10  # symbols to copy
ALPHABET = "abcdefgh"


@dataclass(frozen=True)
class Task:
    """What the network, the training and the pictures need to know of a task."""

    # numbers in one step of the input
    features: int
    # numbers in one answer: 1 is a value, more are the logits of so many classes
    outputs: int
    # the last so many steps are answered, one answer each
    answers: int
    # the main metric: "mse" is better when lower, "accuracy" when higher
    metric: str
    # the task is solved where the test figure is better than this; None: there is no such threshold, only the baseline
    solved_at: float | None
    # training stops at this validation figure: slightly better, as validation and test differ by chance
    stop_at: float | None
    # the least --length
    shortest: int
    # the lengths that a sweep trains at
    lengths: tuple[int, ...]
    # what --length is, for the pictures
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
