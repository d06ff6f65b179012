"""What a network has to beat: the most frequent label, two linear methods on counted words, and a lexicon."""

import functools
import warnings
from typing import Any

import numpy as np

from .data import Data, Part
from .tokens import words

STRENGTHS = (0.1, 0.5, 2.0)  # inverse regularisation, the best on validation is taken
NEUTRAL = 0.05  # VADER's authors: a compound value nearer to zero is neutral


@functools.lru_cache(maxsize=1)  # the same for every seed
def answers(data: Data, balanced: bool) -> dict[str, np.ndarray]:
    """Each method's scores of the test texts (rows, labels); those of tfidf_logreg are probabilities."""
    labels = data.info["labels"]
    found = {
        "majority": np.tile(np.bincount(data.train.labels, minlength=len(labels)), (len(data.test.labels), 1)),
        "tfidf_logreg": logistic_regression(data, balanced),
        "nb_svm": naive_bayes_svm(data, balanced),
    }
    if set(labels) in ({"negative", "positive"}, {"negative", "neutral", "positive"}):
        found["vader"] = vader(data.test.texts, labels)
    return found


def logistic_regression(data: Data, balanced: bool) -> np.ndarray:
    """Logistic regression on the TF-IDF of words and pairs of words."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    counter = TfidfVectorizer(analyzer=_words_and_pairs, sublinear_tf=True, min_df=2)
    weight = "balanced" if balanced else None

    def fitted(strength: float, train: Any) -> Any:
        return LogisticRegression(C=4 * strength, class_weight=weight, max_iter=200).fit(train, data.train.labels)

    return _best(counter, fitted, data, "predict_proba")


def naive_bayes_svm(data: Data, balanced: bool) -> np.ndarray:
    """Wang and Manning (2012), "Baselines and bigrams", P12-2018: a linear SVM on naive Bayes log-count ratios."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.svm import LinearSVC

    counter = CountVectorizer(analyzer=_words_and_pairs, binary=True, min_df=2)
    weight = "balanced" if balanced else None

    class OneAgainstTheRest:
        def __init__(self, strength: float, train: Any) -> None:
            self.each = []
            for label in range(len(data.info["labels"])):
                inside = data.train.labels == label
                first, second = (np.asarray(train[some].sum(axis=0))[0] + 1 for some in (inside, ~inside))
                ratio = np.log(first / first.sum()) - np.log(second / second.sum())
                machine = LinearSVC(C=strength, class_weight=weight).fit(train.multiply(ratio).tocsr(), inside)
                self.each.append((ratio, machine))

        def scores(self, counts: Any) -> np.ndarray:
            each = [machine.decision_function(counts.multiply(ratio).tocsr()) for ratio, machine in self.each]
            return np.stack(each, axis=1)

    return _best(counter, OneAgainstTheRest, data, "scores")


def _best(counter: Any, fitted: Any, data: Data, scores: str) -> np.ndarray:
    """The test scores of the strength that has the best mean recall on validation."""
    from sklearn.exceptions import ConvergenceWarning

    train = counter.fit_transform(data.train.texts)
    valid, test = (counter.transform(part.texts) for part in (data.valid, data.test))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the weakest regularisation; validation tells
        machines = [fitted(strength, train) for strength in STRENGTHS]
    recalls = [macro_recall(getattr(machine, scores)(valid), data.valid) for machine in machines]
    return getattr(machines[int(np.argmax(recalls))], scores)(test)


def _words_and_pairs(text: str) -> list[str]:
    found = words(text)
    return found + [" ".join(pair) for pair in zip(found, found[1:], strict=False)]


def vader(texts: list[str], labels: list[str]) -> np.ndarray:
    """The VADER lexicon with its rules for negation and emphasis, Hutto and Gilbert (2014)."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    judge = SentimentIntensityAnalyzer()
    compound = np.array([judge.polarity_scores(text)["compound"] for text in texts])
    if len(labels) == 2:
        return np.stack([-compound, compound], axis=1)
    return np.stack([compound <= -NEUTRAL, np.abs(compound) < NEUTRAL, compound >= NEUTRAL], axis=1).astype(float)


def macro_recall(scores: np.ndarray, part: Part) -> float:
    """The mean over the labels of the share of a label's texts that are found."""
    right = scores.argmax(axis=1) == part.labels
    return float(np.mean([right[part.labels == label].mean() for label in np.unique(part.labels)]))


def accuracy(scores: np.ndarray, part: Part) -> float:
    """The share of right answers."""
    return float((scores.argmax(axis=1) == part.labels).mean())
