"""The confidence of a translation: the probability that it is right, by a logistic regression fitted on validation."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

NAMES = ("mean_log_probability", "lowest_log_probability", "attention_coverage", "new_source_pairs")
SENTENCE = 6  # words of the median reference, from which the data is sentences, and not phrases
CLOSE = 50.0  # chrF from which the translation of a sentence counts as right
LEAST_COVERED = 0.01  # lower limit of the attention that a token received, so that its logarithm is finite
MARKED = 0.05  # share of the validation translations that are marked at least
EVEN = 0.5  # below this confidence a translation is always marked: it is more likely wrong than right
LOST = 0.25  # below this one that of a sentence is not shown; one that is not close to the reference may still help


@dataclasses.dataclass(frozen=True)
class Confidence:
    """A logistic regression: p(right) = sigmoid(bias + weights . features).

    Attributes:
        weights: (4,), not negative, so that a lower log-probability never makes the network more confident.
        threshold: translations below this are marked as uncertain.
        sentences: what `right` means: close to the reference rather than equal to it.
        abstain: translations below this are not shown at all; 0 in runs of earlier versions, which show all.
    """

    weights: Sequence[float]
    bias: float
    threshold: float
    sentences: bool
    abstain: float = 0.0

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Features (rows, 4) -> the probability that each translation is right (rows,)."""
        return expit(features @ np.array(self.weights) + self.bias)


def features(nats: np.ndarray, attention: np.ndarray, new: float) -> list[float]:
    """Returns the features of a translation, in the order of `NAMES`; each is at most 0, and higher is better.

    The coverage is the mean over source tokens of log min(1, attention received), as in Wu et al. (2016),
    arXiv:1609.08144, equation 14. The square root makes a single new pair count.

    Args:
        nats: log-probability of each token (tokens,). attention: weights (tokens, source tokens); both end with <eos>.
        new: share of the source's pairs of neighbouring tokens that are not in the training sources.
    """
    received = np.clip(attention.sum(axis=0)[:-1], LEAST_COVERED, 1.0)
    return [float(nats.mean()), float(nats.min()), float(np.log(received).mean()), -float(np.sqrt(new))]


def fit(valid: np.ndarray, right: np.ndarray, strange: np.ndarray, sentences: bool = False) -> Confidence:
    """Fits the regression on validation, and on strange sentences, of which no translation is right.

    The latter are outlier exposure (Hendrycks et al. 2019, arXiv:1812.04606): without them nothing in validation
    would show that what is far from the training data comes out wrong.

    Args:
        valid: features (rows, 4) of validation. right: (rows,) bool. strange: features (other rows, 4).
    """
    rows, labels = np.concatenate([valid, strange]), np.concatenate([right, np.zeros(len(strange), bool)])
    scale = np.maximum(rows.std(axis=0), 1e-6)
    scaled, signs = rows / scale, np.where(labels, 1.0, -1.0)

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """The log loss with a normal prior of variance 1 on the weights, and weakly on the bias; and its gradient."""
        logits = signs * (scaled @ parameters[1:] + parameters[0])
        pull = parameters * np.array([0.01, *np.ones(len(NAMES))])
        slope = -signs * expit(-logits)
        gradient = np.concatenate([[slope.sum()], slope @ scaled]) + pull
        return float(np.logaddexp(0, -logits).sum() + parameters @ pull / 2), gradient

    bounds = [(None, None), *[(0, None)] * len(NAMES)]
    found = minimize(loss, np.zeros(1 + len(NAMES)), jac=True, method="L-BFGS-B", bounds=bounds).x
    unmarked = Confidence([float(weight) for weight in found[1:] / scale], float(found[0]), 0.0, sentences)
    lowest = float(np.quantile(unmarked(valid), MARKED))
    return dataclasses.replace(unmarked, threshold=max(EVEN, lowest), abstain=LOST if sentences else EVEN)


def right(written: Sequence[str], references: Sequence[str], sentences: bool) -> np.ndarray:
    """Whether each translation is right (rows,): equal to its reference or, for sentences, with a chrF of `CLOSE`."""
    same = np.array([one == other for one, other in zip(written, references, strict=True)])
    if not sentences:
        return same
    from sacrebleu.metrics import CHRF

    scored = [CHRF().sentence_score(one, [other]).score for one, other in zip(written, references, strict=True)]
    return same | (np.array(scored) >= CLOSE)


def of_sentences(references: Sequence[str]) -> bool:
    """Whether the data is sentences, of which there are many right translations, and not phrases."""
    return bool(np.median([len(text.split()) for text in references]) >= SENTENCE)


def strange(text: str, random: np.random.Generator) -> str | None:
    """Returns a sentence with the letters of one of its words shuffled; None if it has no word to shuffle."""
    words = text.split(" ")
    places = [place for place, word in enumerate(words) if len({letter for letter in word if letter.isalpha()}) > 2]
    if not places:
        return None
    place = places[int(random.integers(len(places)))]
    letters = [letter for letter in words[place] if letter.isalpha()]
    shuffled = iter(random.permutation(letters).tolist())
    words[place] = "".join(next(shuffled) if letter.isalpha() else letter for letter in words[place])
    made = " ".join(words)
    return made if made != text else None
