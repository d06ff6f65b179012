"""Baselines: the most frequent word; for isolated words, dynamic time warping (DTW) and a support vector machine."""

import collections

import jiwer
import numpy as np

from .augment import NATS_A_DB
from .data import Data, Part
from .features import COEFFICIENTS, loudness, with_deltas
from .utterance import Utterance

NEIGHBOURS = 5  # nearest training words that vote on a word, under dynamic time warping, ...
COMPARED = 200  # ... which is computed for those with the most similar segments only, to save time
QUIET_DB = 30.0  # frames that are so much weaker than the loudest one, before and after a word, are cut off
TINY = 1e-3
SEGMENTS = 10  # equal-length segments whose mean frames are the features of the support vector machine


def common_words(data: Data) -> list[str]:
    """Predicts one text for each test utterance: the most frequent training word, repeated.

    How often is chosen by the word error rate on the training transcripts.
    """
    texts = [text for text in data.train.texts if text]
    word = collections.Counter(word for text in texts for word in text.split()).most_common(1)[0][0]
    most = max(len(text.split()) for text in texts)
    candidates = [" ".join([word] * times) for times in range(1, most + 1)]
    best = min(candidates, key=lambda text: jiwer.wer(texts, [text] * len(texts)))
    return [best] * len(data.test.texts)


def single_words(examples: Part, test: Part) -> dict[str, list[str]]:
    """Returns the predictions for isolated test words of each baseline trained on the isolated training words."""
    have, wanted = ([mfcc(u) for u in part.utterances] for part in (examples, test))
    return {"dtw": by_warping(examples.texts, have, wanted), "svm": by_vectors(examples.texts, have, wanted)}


def mfcc(utterance: Utterance) -> np.ndarray:
    """Converts log energies to MFCC and their deltas (frames, 2 coefficients), each with mean 0 and variance 1.

    Silence before and after the word is cut off.
    """
    from scipy.fft import dct

    levels = loudness(utterance.raw)
    loud = np.nonzero(levels > levels.max() - QUIET_DB * NATS_A_DB)[0]
    found = with_deltas(dct(utterance.raw[loud[0] : loud[-1] + 1], norm="ortho", axis=1)[:, :COEFFICIENTS])
    return (found - found.mean(axis=0)) / (found.std(axis=0) + TINY)


def by_warping(words: list[str], have: list[np.ndarray], wanted: list[np.ndarray]) -> list[str]:
    """Predicts the word that most of the nearest training examples have, under dynamic time warping."""
    from librosa.sequence import dtw
    from sklearn.neighbors import NearestNeighbors

    vectors = np.array([_described(x) for x in have])
    similar = NearestNeighbors(n_neighbors=min(COMPARED, len(have))).fit(vectors)
    found = []
    for test, candidates in zip(wanted, similar.kneighbors([_described(x) for x in wanted])[1], strict=True):
        costs = [dtw(X=test.T, Y=have[n].T, backtrack=False)[-1, -1] / (len(test) + len(have[n])) for n in candidates]
        nearest = [words[n] for n in candidates[np.argsort(costs)[:NEIGHBOURS]]]
        found.append(collections.Counter(nearest).most_common(1)[0][0])
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
    """(frames, coefficients) -> the mean of each of `SEGMENTS` equal-length segments, in one vector."""
    parts = np.array_split(np.pad(x, ((0, max(0, SEGMENTS - len(x))), (0, 0)), mode="edge"), SEGMENTS)
    return np.concatenate([part.mean(axis=0) for part in parts])
