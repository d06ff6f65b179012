"""Baselines: the most frequent label, two linear bag-of-words models, and a lexicon."""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from shared import linear
from shared.linear import Linear
from shared.runs import Run

from .data import Data, Part

LINEAR = {"tfidf_logreg": "tfidf", "nb_svm": "naive_bayes"}  # baseline -> its kind in `shared.linear`
NEUTRAL = 0.05  # VADER's threshold: a compound score closer to zero is neutral


@functools.lru_cache(maxsize=1)  # the same for every seed
def fitted(data: Data, balanced: bool) -> dict[str, Linear]:
    """Fits the linear baselines, with the regularisation that is best on validation."""
    train, valid = ([text.words for text in part.encoded] for part in (data.train, data.valid))
    count = len(data.info["labels"])
    return {
        name: linear.fit(train, data.train.labels, count, valid, data.valid.labels, balanced, kinds=(kind,))
        for name, kind in LINEAR.items()
    }


def save(run: Run, models: Mapping[str, Linear]) -> None:
    """Saves the linear baselines in the run, which uses them for prediction and for evaluation on other texts."""
    for name, model in models.items():
        model.save(run.file(f"{name}.npz"))


def load(run: Run) -> dict[str, Linear]:
    """Loads what `save` wrote."""
    return {name: linear.load(run.file(f"{name}.npz")) for name in LINEAR}


def answers(models: Mapping[str, Linear], part: Part, info: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Returns each baseline's scores of the texts (rows, labels); those of the linear models are logits."""
    words = [text.words for text in part.encoded]
    found = {"majority": np.tile(np.array(info["counts"], float), (len(words), 1))}
    found |= {name: model.logits(words) for name, model in models.items()}
    if set(info["labels"]) in ({"negative", "positive"}, {"negative", "neutral", "positive"}):
        found["vader"] = vader(part.texts, info["labels"])
    return found


def vader(texts: list[str], labels: list[str]) -> np.ndarray:
    """The VADER lexicon with its rules for negation and emphasis, Hutto and Gilbert (2014)."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    judge = SentimentIntensityAnalyzer()
    compound = np.array([judge.polarity_scores(text)["compound"] for text in texts])
    if len(labels) == 2:
        return np.stack([-compound, compound], axis=1)
    return np.stack([compound <= -NEUTRAL, np.abs(compound) < NEUTRAL, compound >= NEUTRAL], axis=1).astype(float)


def macro_recall(scores: np.ndarray, labels: np.ndarray) -> float:
    """Returns the mean of the recalls of all labels present."""
    right, present = scores.argmax(axis=1) == labels, np.unique(labels)
    return float(np.mean([right[labels == label].mean() for label in present]))


def accuracy(scores: np.ndarray, labels: np.ndarray) -> float:
    """Returns the share of correct predictions."""
    return float((scores.argmax(axis=1) == labels).mean())
