"""Loads a trained run and classifies texts with it: one, a file of them, or one after the other as they come."""

import numpy as np

from shared import calibration, lines, runs
from shared.data.sequences import in_buckets

from .config import APP
from .data import Part
from .options import Predict, Stream
from .tokens import Encoder, clean, words

CALIBRATION = "calibration.json"
LEAST_ANSWERED = 0.1  # share of the texts that is answered however uncertain the model is
EXAMPLES = (
    "The soup was not bad at all.",
    "Although the film was brilliant, the ending was dull.",
    "Oh great, the train again ...",
    "The wine was neither good nor bad.",
)


class Predictor:
    """A trained run, ready to use: texts in, probabilities out."""

    def __init__(self, run: runs.Run) -> None:
        info = run.info()
        self.run, self.labels, self.lengths = run, info["labels"], info["bucket_lengths"]
        self.encoder = Encoder(info["words"], info["pieces"], info["max_words"])
        self.model = run.load_model()
        kept = run.file(CALIBRATION)
        self.calibration = runs.read_json(kept, dict) if kept.exists() else calibration.UNCALIBRATED

    def encode(self, text: str) -> np.ndarray:
        """A text -> ids (time, 1 + pieces). Raises InputError for one without a word."""
        return self.encoder.encode(words(clean(text)))

    def logits(self, ids: list[np.ndarray]) -> np.ndarray:
        """Ids of texts, each (time, 1 + pieces), -> logits (rows, labels), in the order of the texts."""
        found = np.zeros((len(ids), len(self.labels)))
        for rows, padded, mask in in_buckets(ids, self.lengths):
            found[rows] = self.model.predict_on_batch([padded, mask])[: len(rows)]
        return found

    def probabilities(self, ids: list[np.ndarray]) -> np.ndarray:
        """Ids of texts -> calibrated probabilities (rows, labels)."""
        return calibration.probabilities(self.logits(ids), self.calibration["temperature"])

    def calibrate(self, valid: Part, target_accuracy: float) -> None:
        """Chooses the temperature and the abstention threshold on validation texts and saves them in the run."""
        logits = self.logits(valid.ids)
        temperature = calibration.temperature(logits, valid.labels)
        chances = calibration.probabilities(logits, temperature)
        right = chances.argmax(axis=1) == valid.labels
        threshold = calibration.threshold(chances.max(axis=1), right, target_accuracy, LEAST_ANSWERED)
        self.calibration = {"temperature": temperature, "threshold": threshold}
        runs.write_json(self.run.file(CALIBRATION), self.calibration)

    def answer(self, probability: np.ndarray) -> str:
        """Probabilities (labels,) as a line: the label or "not sure", and the probability of each label."""
        best = int(probability.argmax())
        sure = probability[best] >= self.calibration["threshold"]
        each = "  ".join(f"{label} {chance:.2f}" for label, chance in zip(self.labels, probability, strict=True))
        return f"{self.labels[best] if sure else 'not sure':10} {each}"

    def warm_up(self) -> None:
        """Compiles for every length, so that the first text does not wait for it."""
        for length in self.lengths:
            self.logits([np.ones_like(self.encoder.encode(["a"])).repeat(length, axis=0)])


def predict(options: Predict) -> None:
    """The predict verb: an answer for the text, or for each line of a file or of standard input."""
    run = runs.find(APP, options.run)
    found = lines.read(options.text, run.config["text_column"])
    predictor = Predictor(run)
    for line, probability in lines.answered(found, predictor.encode, predictor.probabilities):
        if probability is None:
            print()
            continue
        print(f"{predictor.answer(probability)}   {lines.shown(clean(line.text))}")
        read, limit = len(words(clean(line.text))), predictor.encoder.max_words
        if read > limit:
            print(f"{'':10} of its {read:,} words only the first and the last were read, {limit} together")


def stream(options: Stream) -> None:
    """The stream verb: answers each line of standard input at once."""
    predictor = Predictor(runs.find(APP, options.run))
    predictor.warm_up()

    def answer(text: str) -> str:
        (probability,) = predictor.probabilities([predictor.encode(text)])
        return f"{predictor.answer(probability)}   {lines.shown(clean(text))}"

    lines.stream(answer)


def samples(predictor: Predictor) -> None:
    """Classifies a few sentences, prints the answers and keeps them in samples.txt."""
    probabilities = predictor.probabilities([predictor.encode(text) for text in EXAMPLES])
    answers = [f"{predictor.answer(p)}   {text}" for p, text in zip(probabilities, EXAMPLES, strict=True)]
    print("\n" + "\n".join(answers))
    runs.write_text(predictor.run.file("samples.txt"), "\n".join(answers) + "\n")
