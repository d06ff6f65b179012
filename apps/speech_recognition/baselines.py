"""Baselines: the most frequent word; for isolated words, DTW templates and a support vector machine."""

import collections

import numpy as np

from .data import Data, Part
from .features import COEFFICIENTS, with_deltas
from .utterance import Utterance

TEMPLATES = 2  # maximum per word and speaker, ...
MOST_TEMPLATES = 120  # ... and in total
SEGMENTS = 10  # equal-length segments whose mean frames are the features of the support vector machine


def common_words(data: Data) -> list[str]:
    """Predicts the most frequent training word, repeated to the median transcript length, for each test utterance."""
    counts = collections.Counter(word for text in data.train.texts for word in text.split())
    length = int(np.median([len(text.split()) for text in data.train.texts]))
    return [" ".join([counts.most_common(1)[0][0]] * length)] * len(data.test.texts)


def single_words(examples: Part, test: Part) -> dict[str, list[str]]:
    """Returns the predictions for isolated test words of each baseline trained on the isolated training words."""
    have, wanted = ([mfcc(u) for u in part.utterances] for part in (examples, test))
    return {"dtw": by_templates(examples, have, wanted), "svm": by_vectors(examples.texts, have, wanted)}


def mfcc(utterance: Utterance) -> np.ndarray:
    """Converts raw log energies to MFCC (frames, coefficients), with mean 0 over the utterance."""
    from scipy.fft import dct

    found = dct(utterance.raw, norm="ortho", axis=1)[:, :COEFFICIENTS]
    return found - found.mean(axis=0)


def by_templates(examples: Part, have: list[np.ndarray], wanted: list[np.ndarray]) -> list[str]:
    """Predicts the word of the nearest training example under dynamic time warping."""
    from librosa.sequence import dtw

    chosen: list[int] = []
    taken: collections.Counter = collections.Counter()
    for number, utterance in enumerate(examples.utterances):
        if taken[utterance.speaker, utterance.text] < TEMPLATES and len(chosen) < MOST_TEMPLATES:
            taken[utterance.speaker, utterance.text] += 1
            chosen.append(number)
    found = []
    for test in wanted:
        costs = []
        for number in chosen:
            total = dtw(X=test.T, Y=have[number].T, backtrack=False)
            costs.append(total[-1, -1] / (len(test) + len(have[number])))
        found.append(examples.texts[chosen[int(np.argmin(costs))]])
    return found


def by_vectors(words: list[str], have: list[np.ndarray], wanted: list[np.ndarray]) -> list[str]:
    """Predicts words with a support vector machine on the mean MFCC and deltas of equal-length segments."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    if len(set(words)) < 2:
        return [words[0]] * len(wanted)
    model = make_pipeline(StandardScaler(), SVC(C=10.0))
    model.fit([_described(x) for x in have], words)
    return model.predict([_described(x) for x in wanted]).tolist()


def _described(x: np.ndarray) -> np.ndarray:
    parts = np.array_split(with_deltas(np.pad(x, ((0, max(0, SEGMENTS - len(x))), (0, 0)), mode="edge")), SEGMENTS)
    return np.concatenate([part.mean(axis=0) for part in parts])
