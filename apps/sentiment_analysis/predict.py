"""Loads a trained run and judges texts with it: one, a file of them, or one after the other as they come."""

import sys
import time
from pathlib import Path

import numpy as np

from shared import InputError, runs
from shared.data.sequences import pad
from shared.data.text import names_file, read_text

from .calibrate import probabilities
from .config import APP, Predict, Stream
from .sources import SUFFIXES, read_texts
from .tokens import Encoder, clean, words

BATCH, FEW = 128, 8  # so many texts at once; up to FEW go one by one, each new batch size is compiled anew
CALIBRATION = "calibration.json"
EXAMPLES = (
    "The soup was not bad at all.",
    "Although the film was brilliant, the ending was dull.",
    "Oh great, the train again ...",
    "The wine was neither good nor bad.",
)
UNCALIBRATED = {"temperature": 1.0, "confidence": 0.0}  # of a run that was stopped before it was measured


class Judge:
    """A trained run, ready to judge: texts in, probabilities out."""

    def __init__(self, run: runs.Run) -> None:
        info = run.info()
        self.labels, self.lengths = info["labels"], info["bucket_lengths"]
        self.encoder = Encoder(info["words"], info["pieces"], info["max_words"])
        self.model = run.load_model()
        kept = run.file(CALIBRATION)
        self.calibration = runs.read_json(kept, dict) if kept.exists() else UNCALIBRATED

    def logits(self, ids: list[np.ndarray]) -> np.ndarray:
        """Ids of texts, each (time, 1 + pieces), -> logits (rows, labels), in the order of the texts."""
        found = np.zeros((len(ids), len(self.labels)))
        size = 1 if len(ids) <= FEW else BATCH
        bucket = np.searchsorted(self.lengths, [len(text) for text in ids])
        for number, length in enumerate(self.lengths):
            rows = np.flatnonzero(bucket == number)
            for start in range(0, len(rows), size):
                some = rows[start : start + size]
                padded, mask = pad([ids[row] for row in np.resize(some, size)], length)
                found[some] = self.model.predict_on_batch([padded, mask])[: len(some)]
        return found

    def judge(self, texts: list[str]) -> np.ndarray:
        """Texts -> probabilities (rows, labels). Raises InputError for one without a word."""
        return self.chances([words(clean(text)) for text in texts])

    def chances(self, tokens: list[list[str]]) -> np.ndarray:
        """Words of texts -> probabilities (rows, labels)."""
        logits = self.logits([self.encoder.encode(each) for each in tokens])
        return probabilities(logits, self.calibration["temperature"])

    def said(self, probability: np.ndarray) -> str:
        """The answer as a line: the label or "not sure", and the probability of each label."""
        best = int(probability.argmax())
        sure = probability[best] >= self.calibration["confidence"]
        each = "  ".join(f"{label} {chance:.2f}" for label, chance in zip(self.labels, probability, strict=True))
        return f"{self.labels[best] if sure else 'not sure':10} {each}"

    def warm_up(self) -> None:
        """Compiles for every length, so that the first text does not wait for it."""
        for length in self.lengths:
            self.logits([np.ones_like(self.encoder.encode(["a"])).repeat(length, axis=0)])


def predict(options: Predict) -> None:
    """The predict verb: an answer for the text, or for each line of a file or of standard input."""
    run = runs.find(APP, options.run)
    texts = _texts(options.text, run.config["text_column"])
    judge = Judge(run)
    for text, probability in zip(texts, judge.judge(texts), strict=True):
        print(f"{judge.said(probability)}   {_shown(text)}")
        read, limit = len(words(clean(text))), judge.encoder.max_words
        if read > limit:
            print(f"{'':10} of its {read:,} words the first and the last were read, {limit} together")


def examples(run: runs.Run) -> None:
    """Judges a few sentences, prints the answers and keeps them in samples.txt."""
    judge = Judge(run)
    answers = zip(EXAMPLES, judge.judge(list(EXAMPLES)), strict=True)
    lines = [f"{judge.said(probability)}   {text}" for text, probability in answers]
    print("\n" + "\n".join(lines))
    runs.write_text(run.file("samples.txt"), "\n".join(lines) + "\n")


def _shown(text: str, width: int = 60) -> str:
    text = clean(text)
    return text if len(text) <= width else text[: width - 3] + "..."


def _texts(argument: str, column: str) -> list[str]:
    """The texts that the argument is or names, without empty lines; of a table those of the column."""
    if argument == "-":
        sys.stdin.reconfigure(errors="replace")
        lines = sys.stdin.read().split("\n")
    elif names_file(argument, (".txt", *SUFFIXES)):
        table = Path(argument).suffix.lower() in SUFFIXES
        lines = read_texts(Path(argument), column) if table else read_text(argument).split("\n")
    else:
        lines = [argument]
    if texts := [line for line in lines if words(clean(line))]:
        return texts
    raise InputError("Expected a text, the path of a text file or - for standard input. Received an empty text.")


def stream(options: Stream) -> None:
    """The stream verb: answers each line of standard input at once; an empty one gets an empty answer."""
    judge = Judge(runs.find(APP, options.run))
    judge.warm_up()
    print("Ready: a text on each line; the end of the input (Ctrl-D) ends.", file=sys.stderr, flush=True)
    took = []
    sys.stdin.reconfigure(errors="replace")  # a broken character must not end the answers
    for line in sys.stdin:
        if not words(clean(line)):
            print("", flush=True)
            continue
        started = time.perf_counter()
        answer = judge.said(judge.judge([line])[0])
        took.append(1000 * (time.perf_counter() - started))
        print(f"{answer}   {_shown(line)}", flush=True)
    if took:
        p50, p99 = np.percentile(took, [50, 99])
        print(f"{len(took):,} texts: p50 {p50:.1f} ms, p99 {p99:.1f} ms", file=sys.stderr)
