"""Loads a trained run and applies it to a sequence: prints the input, the target and the prediction."""

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from shared import files, lines, runs

from .config import APP
from .options import Predict
from .questions import Question, asked, read
from .tasks import ALPHABET, MESSAGE

BATCH = 40  # divides the test size, 1,000 sequences or 360 digits, so that only one shape is compiled
EXAMPLES = 3
LIKELIEST = 3  # number of classes shown for a digit


class Predictor:
    """A trained run, ready for inference: answers the task for sequences."""

    def __init__(self, run: runs.Run) -> None:
        self.run = run
        self.model = run.load_model()

    @classmethod
    def load(cls, name: str | None = None) -> "Predictor":
        """Loads the run of this name, by default the newest, ready to answer."""
        return cls(runs.find(APP, name))

    def __call__(self, questions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Answers questions, each {} for a generated sequence or options of predict by name, see `described`.

        Such as {"values": [0.1, 0.9, 0.4, 0.7], "markers": [1, 3]} for adding, {"input": "abcabhgfed", "lag": 200} for
        copy, {"input": 64 numbers from 0 to 16} for digits.

        Raises:
            InputError: a question does not fit the run's task.
        """
        order = self.run.info()["order"]
        return [
            self.described(asked(each, self.run.config, order)) for each in lines.several(questions, Mapping, "dicts")
        ]

    def described(self, question: Question) -> dict[str, Any]:
        """Returns the question in words, the answer, the expected one or None, and for a digit the probabilities."""
        about = {"question": question.text}
        answer = self.answers(question.inputs)[0].astype(np.float64)
        task, expected = self.run.config["data"], question.expected
        if task == "adding":
            return about | {"answer": float(answer[0, 0]), "expected": expected}
        if task == "copy":
            said, wanted = ("".join(ALPHABET[n] for n in text) for text in (answer.argmax(axis=-1), expected))
            return about | {"answer": said, "expected": wanted}
        chances = np.exp(answer[0] - np.logaddexp.reduce(answer[0]))
        return about | {"answer": int(chances.argmax()), "expected": expected, "probabilities": chances.tolist()}

    def answers(self, inputs: np.ndarray) -> np.ndarray:
        """Inputs (rows, time, features) -> answers (rows, answers, outputs): values, or logits of classes."""
        if len(inputs) == 1:
            return np.array(self.model(inputs))  # for a single sequence, compiling takes longer than computing
        return self.model.predict(inputs, batch_size=BATCH, verbose=0)

    def ask(self, question: Question) -> str:
        """Formats the question and the answer as a few lines."""
        answer = self.answers(question.inputs)[0].astype(np.float64)
        said = {"adding": self._sum, "copy": self._message}.get(self.run.config["data"], self._digit)
        return f"{question.text}\n{said(answer, question)}"

    def _sum(self, answer: np.ndarray, question: Question) -> str:
        value = float(answer[0, 0])
        off = abs(value - question.expected)
        return f"expected {question.expected:.4f}   answered {value:.4f}   off by {off:.4f}"

    def _message(self, answer: np.ndarray, question: Question) -> str:
        symbols = answer.argmax(axis=-1)
        expected, answered = ("".join(ALPHABET[symbol] for symbol in text) for text in (question.expected, symbols))
        right = int((symbols == question.expected).sum())
        return f"expected {expected}\nanswered {answered}   {right} of {MESSAGE} right"

    def _digit(self, answer: np.ndarray, question: Question) -> str:
        chances = np.exp(answer[0] - np.logaddexp.reduce(answer[0]))
        order = np.argsort(-chances, kind="stable")[:LIKELIEST]
        likeliest = "  ".join(f"{digit} ({chances[digit]:.0%})" for digit in order)
        expected = "not known" if question.expected is None else question.expected
        return f"expected {expected}   answered {likeliest}"


def predict(options: Predict) -> None:
    """Runs the predict command."""
    run = runs.find(APP, options.run)
    seed = secrets.randbits(32) if options.seed is None else options.seed
    question = read(options, run.config, run.info()["order"], seed)
    predictor = Predictor(run)
    if options.json:
        print(json.dumps(predictor.described(question)))
    else:
        print(f"{run.path}:\n{predictor.ask(question)}")


def samples(predictor: Predictor) -> None:
    """Prints the answers to a few new sequences and saves them to samples.txt."""
    run = predictor.run
    questions = [read(Predict(), run.config, run.info()["order"], seed) for seed in range(1, EXAMPLES + 1)]
    text = "\n\n".join(predictor.ask(question) for question in questions)
    print(f"\n{text}")
    files.write_text(run.file("samples.txt"), f"{text}\n")
