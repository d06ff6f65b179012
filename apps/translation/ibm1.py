"""A baseline: IBM model 1, which learns a dictionary of word translations from sentence pairs."""

import collections
import dataclasses
import re

import numpy as np
from scipy import sparse

NOTHING = ""  # the empty word, added to every source sentence
WORDS = re.compile(r"\w+|[^\w\s]")


def words(text: str) -> list[str]:
    """Splits a text into words and punctuation marks."""
    return WORDS.findall(text)


@dataclasses.dataclass(frozen=True)
class WordByWord:
    """A dictionary of the most probable translation of each source word."""

    dictionary: dict[str, str]

    def translate(self, text: str) -> str:
        """Translates word by word, in the order of the source; unknown words are copied."""
        written = " ".join(self.dictionary.get(word, word) for word in words(text))
        return re.sub(r" ([.,!?;:)%])", r"\1", written)


def fit(pairs: list[tuple[str, str]], rounds: int = 5) -> WordByWord:
    """Learns the dictionary from (source, target) sentences."""
    sources = [[NOTHING, *words(source)] for source, _ in pairs]
    targets = [words(target) for _, target in pairs]
    source_index, target_index = _index(sources), _index(targets)
    table = probabilities(
        [[source_index[word] for word in sentence] for sentence in sources],
        [[target_index[word] for word in sentence] for sentence in targets],
        (len(source_index), len(target_index)),
        rounds,
    )
    best = np.asarray(table.argmax(axis=1)).ravel()
    written = list(target_index)
    return WordByWord({word: written[best[number]] for word, number in source_index.items() if word != NOTHING})


def probabilities(
    sources: list[list[int]], targets: list[list[int]], shape: tuple[int, int], rounds: int
) -> sparse.csr_matrix:
    """Returns t(f | e) for source words e and target words f, a sparse matrix (source words, target words).

    Brown et al. (1993), "The mathematics of statistical machine translation", J93-2003, section 4.1: expectation
    maximisation from uniform probabilities, where each target word f_j of a pair is distributed over its e_i as

        c_ij = t(f_j | e_i) / sum over i' of t(f_j | e_i'),   then   t(f | e) = sum of c / sum over f of sum of c
    """
    # One entry per pair of a source and a target word in the same sentence pair; `place` numbers the target words.
    e = np.concatenate([np.repeat(one, len(other)) for one, other in zip(sources, targets, strict=True)])
    f = np.concatenate([np.tile(other, len(one)) for one, other in zip(sources, targets, strict=True)])
    lengths = [len(other) for other in targets]
    begins = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(int)
    place = np.concatenate(
        [np.tile(np.arange(n) + b, len(one)) for one, n, b in zip(sources, lengths, begins, strict=True)]
    )
    cells, cell = np.unique(e.astype(np.int64) * shape[1] + f, return_inverse=True)
    rows, columns = cells // shape[1], cells % shape[1]
    t = np.ones(len(cells))
    for _ in range(rounds):
        share = t[cell] / np.bincount(place, t[cell])[place]
        counts = np.bincount(cell, share, minlength=len(cells))
        t = counts / np.bincount(rows, counts, minlength=shape[0])[rows]
    return sparse.csr_matrix((t, (rows, columns)), shape=shape)


def _index(sentences: list[list[str]]) -> dict[str, int]:
    counts = collections.Counter(word for sentence in sentences for word in sentence)
    return {word: number for number, word in enumerate(counts)}
