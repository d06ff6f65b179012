"""A linear bag-of-words text classifier on unigrams and bigrams of words, saved in a run as plain numbers."""

import collections
import dataclasses
import io
import json
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from shared import InputError, MissingFileError, files, runs, stacking

KINDS = ("tfidf", "naive_bayes")
STRENGTHS = (0.1, 0.5, 2.0)  # inverse regularisation strengths, chosen on validation
RAREST = 2  # minimum number of texts that contain a term
UNSEEN = -30.0  # logit of a label without training texts

Words = Sequence[str]


@dataclasses.dataclass(frozen=True, eq=False)
class Linear:
    """A linear model on the words and word pairs of a text.

    tfidf        x_j = (1 + log n_j) scale_j, divided by its norm; scale is the inverse document frequency
    naive_bayes  x_j = 1; the log-count ratios of Wang and Manning (2012), "Baselines and bigrams", are in the weights
    logits = x weights + bias

    Attributes:
        kind: one of `KINDS`.
        terms: the words and word pairs, in the order of the rows of `weights`.
        scale: (terms,). weights: (terms, labels). bias: (labels,). All float32.
    """

    kind: str
    terms: tuple[str, ...]
    scale: np.ndarray
    weights: np.ndarray
    bias: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", {term: number for number, term in enumerate(self.terms)})

    def logits(self, texts: Sequence[Words]) -> np.ndarray:
        """Returns logits (rows, labels) float64 for texts given as words; the bias for a text without known words."""
        counts = _counted(texts, self._index)  # type: ignore[attr-defined]
        return np.asarray(_features(self.kind, counts, self.scale) @ self.weights.astype(np.float64)) + self.bias

    def save(self, path: Path) -> None:
        """Writes an .npz file of numbers and UTF-8 bytes, atomically."""
        kind, terms = (np.frombuffer(json.dumps(value).encode(), np.uint8) for value in (self.kind, self.terms))
        buffer = io.BytesIO()
        np.savez_compressed(buffer, kind=kind, terms=terms, scale=self.scale, weights=self.weights, bias=self.bias)
        files.write_bytes(path, buffer.getvalue())


def load(path: Path) -> Linear:
    """Reads a model that `Linear.save` wrote. Raises InputError if it is missing or damaged."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as saved:
            kind, terms = (json.loads(saved[name].tobytes().decode()) for name in ("kind", "terms"))
            return Linear(kind, tuple(terms), saved["scale"], saved["weights"], saved["bias"])
    except FileNotFoundError:
        raise MissingFileError(f"{path} is missing: the run is incomplete. {runs.TRAIN_AGAIN}") from None
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path} is damaged ({error}). {runs.TRAIN_AGAIN}") from error


def fit(
    texts: Sequence[Words],
    labels: np.ndarray,
    count: int,
    valid_texts: Sequence[Words],
    valid_labels: np.ndarray,
    balanced: bool = False,
    kinds: Sequence[str] = KINDS,
) -> Linear:
    """Fits each kind at each regularisation strength and returns the model with the lowest log loss on validation.

    Args:
        texts: the words of each training text. labels: (rows,) their labels, integers below `count`.
        count: number of labels; one without training texts is never predicted.
        valid_texts, valid_labels: the validation set, on which strength and kind are chosen.
        balanced: weights texts so that every label has the same total weight.
        kinds: "tfidf" is TF-IDF with logistic regression, "naive_bayes" a linear SVM on naive Bayes log-count ratios.

    Raises:
        InputError: if the training texts have fewer than two labels, or no words at all.
    """
    labels = np.asarray(labels)
    if len(np.unique(labels)) < 2:
        raise InputError("Expected training texts of two or more labels. All have the same one.")
    terms = _terms(texts)
    index = {term: number for number, term in enumerate(terms)}
    counts = _counted(texts, index)
    weight = "balanced" if balanced else None
    fitted = {"tfidf": _logistic_regressions, "naive_bayes": _support_vectors}
    found = [
        Linear(kind, terms, *(part.astype(np.float32) for part in parts))
        for kind in kinds
        for parts in fitted[kind](counts, labels, count, weight)
    ]
    return min(found, key=lambda model: stacking.log_loss(model.logits(valid_texts), valid_labels, balanced))


def _logistic_regressions(counts: Any, labels: np.ndarray, count: int, weight: str | None) -> list[tuple]:
    """Returns (scale, weights, bias) for each strength."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    texts_with = np.bincount(counts.indices, minlength=counts.shape[1])
    scale = np.log((1 + counts.shape[0]) / (1 + texts_with)) + 1
    features = _features("tfidf", counts, scale)
    found = []
    for strength in STRENGTHS:
        machine = LogisticRegression(C=4 * strength, class_weight=weight, max_iter=200)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # at the weakest regularisation; validation decides
            machine.fit(features, labels)
        rows, bias = machine.coef_, machine.intercept_
        if len(rows) == 1:  # for two labels scikit-learn stores only the log-odds of the second
            rows, bias = np.concatenate([-rows, rows]) / 2, np.concatenate([-bias, bias]) / 2
        found.append((scale, *_placed(rows, bias, machine.classes_, count)))
    return found


def _support_vectors(counts: Any, labels: np.ndarray, count: int, weight: str | None) -> list[tuple]:
    """Returns (scale, weights, bias) for each strength, one-vs-rest."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    features, known = _features("naive_bayes", counts, np.ones(counts.shape[1])), np.unique(labels)
    found = []
    for strength in STRENGTHS:
        rows, bias = [], []
        for label in known:
            ratio = _log_count_ratio(features, labels == label)
            machine = LinearSVC(C=strength, class_weight=weight)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                machine.fit(features.multiply(ratio).tocsr(), labels == label)
            rows.append(machine.coef_[0] * ratio)
            bias.append(machine.intercept_[0])
        found.append((np.ones(counts.shape[1]), *_placed(np.array(rows), np.array(bias), known, count)))
    return found


def _log_count_ratio(features: Any, inside: np.ndarray) -> np.ndarray:
    first, second = (np.asarray(features[some].sum(axis=0))[0] + 1 for some in (inside, ~inside))
    return np.log(first / first.sum()) - np.log(second / second.sum())


def _placed(rows: np.ndarray, bias: np.ndarray, known: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Expands weights and bias of the known labels to all labels: (terms, labels) and (labels,)."""
    weights, biases = np.zeros((rows.shape[1], count)), np.full(count, UNSEEN)
    weights[:, known], biases[known] = rows.T, bias
    return weights, biases


def _terms(texts: Sequence[Words]) -> tuple[str, ...]:
    """Returns the words and word pairs that occur in at least `RAREST` texts, or all of them if none does."""
    counts = collections.Counter(term for text in texts for term in set(_words_and_pairs(text)))
    kept = sorted(term for term, number in counts.items() if number >= RAREST) or sorted(counts)
    if not kept:
        raise InputError("Expected training texts with words. Received none with a word.")
    return tuple(kept)


def _words_and_pairs(text: Words) -> list[str]:
    return [*text, *(" ".join(pair) for pair in zip(text, text[1:], strict=False))]


def _counted(texts: Sequence[Words], index: dict[str, int]) -> Any:
    """Returns the term counts of each text: a sparse matrix (rows, terms)."""
    from scipy.sparse import csr_matrix

    ends = [0]
    columns: list[int] = []
    values: list[int] = []
    for text in texts:
        found = collections.Counter(index[term] for term in _words_and_pairs(text) if term in index)
        columns += found
        values += found.values()
        ends.append(len(columns))
    return csr_matrix((np.array(values, np.float64), columns, ends), shape=(len(texts), len(index)))


def _features(kind: str, counts: Any, scale: np.ndarray) -> Any:
    """Converts counts (rows, terms) to x (rows, terms) as defined in `Linear`, both sparse."""
    from scipy.sparse import csr_matrix

    if kind == "naive_bayes":
        values = np.ones(len(counts.data))
    else:
        values = (1 + np.log(counts.data)) * scale.astype(np.float64)[counts.indices]
        row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        norm = np.sqrt(np.bincount(row, values**2, minlength=counts.shape[0]))
        values = values / norm[row]
    return csr_matrix((values, counts.indices, counts.indptr), shape=counts.shape)
