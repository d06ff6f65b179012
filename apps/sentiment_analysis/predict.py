"""Loads a trained run and classifies texts: a single one, a file of texts, or a stream."""

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from shared import calibration, files, linear, lines, runs, stacking
from shared.data.sequences import in_buckets, spread
from shared.linear import Linear

from . import familiar
from .config import APP
from .data import Encoded, Part
from .options import Predict, Stream
from .tokens import Encoder, clean, words

CALIBRATION = "calibration.json"
LEAST_ANSWERED = 0.1  # minimum share of validation texts to answer, however uncertain the model is
# For a run that was stopped before calibration: the network answers alone, and never abstains.
UNCALIBRATED = {**calibration.UNCALIBRATED, "linear": None, "stack": {}, "familiar": {}}
EXAMPLES = (  # in the style of the built-in grammar
    "The soup was not bad at all.",
    "Although the film was brilliant, the ending was dull.",
    "Oh great, the train again ...",
    "The wine was neither good nor bad.",
)


class Predictor:
    """A trained run, ready for inference: classifies texts, with the network and the linear model combined."""

    def __init__(self, run: runs.Run) -> None:
        info = run.info()
        self.run, self.labels, self.counts, self.lengths = run, info["labels"], info["counts"], info["bucket_lengths"]
        self.encoder = Encoder(info["words"], info["pieces"], info["max_words"])
        self.model = run.load_model()
        kept = run.file(CALIBRATION)
        self._use(runs.read_json(kept, dict) if kept.exists() else UNCALIBRATED)

    @classmethod
    def load(cls, name: str | None = None) -> "Predictor":
        """Loads the run of this name, by default the newest, ready to answer."""
        return cls(runs.find(APP, name))

    def __call__(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Classifies texts, see `described`. Raises InputError for a text without words."""
        given = lines.several(texts, str, "texts")
        found = self.described([self.encode(text) for text in given])
        return [{"text": text} | each for text, each in zip(given, found, strict=True)]

    def _use(self, found: Mapping, model: Linear | None = None) -> None:
        self.calibration, self.linear = found, model
        if found["linear"] and model is None:
            self.linear = linear.load(self.run.file(f"{found['linear']}.npz"))
        self.stack = stacking.Stack(**found["stack"])
        self.familiar = familiar.Familiar(**found["familiar"])

    def encode(self, text: str) -> Encoded:
        """Encodes a text for the models. Raises InputError if it has no words."""
        found = words(clean(text))
        return Encoded(self.encoder.encode(found), found)

    def network(self, texts: Sequence[Encoded]) -> np.ndarray:
        """Returns the logits (rows, labels) of the network alone."""
        found = np.zeros((len(texts), len(self.labels)))
        for rows, padded, mask in in_buckets([text.ids for text in texts], self.lengths):
            found[rows] = self.model.predict_on_batch([padded, mask])[: len(rows)]
        return found

    def logits(self, texts: Sequence[Encoded]) -> np.ndarray:
        """Returns the logits (rows, labels) of network and linear model combined."""
        network = self.network(texts)
        if self.linear is None:
            return network
        return self.stack.logits(network, self.linear.logits([text.words for text in texts]))

    def probabilities(self, texts: Sequence[Encoded]) -> np.ndarray:
        """Returns calibrated probabilities (rows, labels)."""
        return calibration.probabilities(self.logits(texts), self.calibration["temperature"])

    def sure(self, texts: Sequence[Encoded], probabilities: np.ndarray) -> np.ndarray:
        """Whether each text gets an answer (rows,): its words are familiar and the confidence is high enough."""
        confident = probabilities.max(axis=1) >= self.calibration["threshold"]
        return confident & self.familiar([text.ids for text in texts])

    def described(self, texts: Sequence[Encoded]) -> list[dict[str, Any]]:
        """Returns the likeliest label of each text, whether it is sure, the probability of each label, and known words.

        A text with too few known words is not familiar, and its label never sure.
        """
        if not texts:
            return []
        probabilities, ids = self.probabilities(texts), [text.ids for text in texts]
        sure, known = self.sure(texts, probabilities), self.familiar(ids)
        unknown, count = familiar.unknown_words(ids)
        return [
            {
                "label": self.labels[int(row.argmax())],
                "sure": bool(sure[number]),
                "probabilities": {label: float(chance) for label, chance in zip(self.labels, row, strict=True)},
                "familiar": bool(known[number]),
                "known_words": int(count[number] - unknown[number]),
                "words": int(count[number]),
            }
            for number, row in enumerate(probabilities)
        ]

    def answers(self, texts: Sequence[Encoded]) -> list[str]:
        """Formats each text's label or "not sure", the probabilities of all labels, and why a text is unfamiliar."""
        found = []
        for each in self.described(texts):
            name = each["label"] if each["sure"] else "not sure"
            chances = "  ".join(f"{label} {chance:.2f}" for label, chance in each["probabilities"].items())
            why = "" if each["familiar"] else f"  (knows {each['known_words']} of {each['words']} words)"
            found.append(f"{name:10} {chances}{why}")
        return found

    def calibrate(self, valid: Part, target_accuracy: float, others: Mapping[str, Linear], balanced: bool) -> None:
        """Chooses on validation texts the linear model and its weight, the temperature, and when to abstain.

        Args:
            others: linear models by name; the one that helps the network most is stacked with it. {}: none is.
            balanced: weight every label equally in the choice, see `shared.stacking`.
        """
        network, labels = self.network(valid.encoded), valid.labels
        texts = [text.words for text in valid.encoded]
        stacks = {name: stacking.fit(network, model.logits(texts), labels, balanced) for name, model in others.items()}
        best = min(stacks, key=lambda name: stacks[name].loss, default=None)
        stack = stacks[best] if best else stacking.Stack()
        logits = stack.logits(network, others[best].logits(texts)) if best else network
        temperature = calibration.temperature(logits, labels)
        chances = calibration.probabilities(logits, temperature)
        right = chances.argmax(axis=1) == labels
        threshold = calibration.threshold(chances.max(axis=1), right, target_accuracy, LEAST_ANSWERED)
        found = {
            "temperature": temperature,
            "threshold": threshold,
            "linear": best,
            "stack": dataclasses.asdict(stack),
            "familiar": dataclasses.asdict(familiar.fit([text.ids for text in valid.encoded])),
        }
        files.write_json(self.run.file(CALIBRATION), found)
        self._use(found, others[best] if best else None)

    def warm_up(self) -> None:
        """Compiles for all lengths in advance, so that the first text is not delayed."""
        one = self.encoder.encode(["a"])
        for length in self.lengths:
            self.logits([Encoded(np.ones_like(one).repeat(length, axis=0), ["a"])])


def ready(run: runs.Run) -> Predictor:
    """Returns the predictor for a command; prints a note on stderr if the run was stopped before calibration."""
    predictor = Predictor(run)
    if predictor.calibration is UNCALIBRATED:
        print(
            f"{run.path} is not calibrated yet: the network answers alone, without the linear model, its probabilities "
            "are not calibrated, and it never abstains.",
            file=sys.stderr,
        )
    return predictor


def predict(options: Predict) -> None:
    """Runs the predict command: classifies the text, or each line of a file or of standard input."""
    run = runs.find(APP, options.run)
    found = lines.read(options.text, run.config["text_column"])
    predictor = ready(run)
    if options.json:
        for line, answer in lines.answered(found, predictor.encode, predictor.described):
            print(json.dumps({"text": line.text} | answer, ensure_ascii=False) if answer else "")
        return
    for line, answer in lines.answered(found, predictor.encode, predictor.answers):
        if answer is None:
            print()
            continue
        print(f"{answer}   {lines.shown(clean(line.text))}")
        read, limit = len(words(clean(line.text))), predictor.encoder.max_words
        if read > limit:
            print(f"{'':10} the network read only the first and last {limit} of its {read:,} words")


def stream(options: Stream) -> None:
    """Runs the stream command: classifies each line of standard input as it arrives."""
    predictor = ready(runs.find(APP, options.run))
    predictor.warm_up()

    def answer(text: str) -> str:
        (found,) = predictor.answers([predictor.encode(text)])
        return f"{found}   {lines.shown(clean(text))}"

    lines.stream(answer)


def samples(predictor: Predictor, valid: Part) -> None:
    """Prints the answers to a few texts and saves them to samples.txt.

    They are validation texts or, for the built-in grammar, examples of what it covers.
    """
    texts = list(EXAMPLES)
    if predictor.run.config["data"] != "grammar":
        texts = [valid.texts[number] for number in spread(len(valid.texts), len(EXAMPLES))]
    found = predictor.answers([predictor.encode(text) for text in texts])
    answers = [f"{answer}   {lines.shown(text)}" for answer, text in zip(found, texts, strict=True)]
    print("\n" + "\n".join(answers))
    files.write_text(predictor.run.file("samples.txt"), "\n".join(answers) + "\n")
