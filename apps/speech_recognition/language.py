"""The words that the beam search may find, and their scores: an n-gram language model and word bonuses."""

import functools
from collections.abc import Sequence

from shared import InputError
from shared.baselines import NGram
from shared.ctc import Lexicon, Score

from .config import Config


def lexicon(info: dict, config: Config, hot_words: Sequence[str] = (), hot_bonus: float = 0.0) -> Lexicon | None:
    """Returns the words of the training transcripts and the hot words; None if there is no word separator.

    Args:
        info: statistics of the training data. hot_words: words preferred by `hot_bonus` nats.

    Raises:
        InputError: a hot word contains a symbol that the network does not know.
    """
    symbols = {symbol: number for number, symbol in enumerate(info["symbols"])}
    whole, hot = info["targets"] == "words", {word.lower() for word in hot_words}
    if not whole and " " not in symbols:
        return None
    words = sorted({word for text in info["texts"] for word in text.split()} | hot)
    spelled = [[word] if whole else list(word) for word in words]
    unknown = next((word for word, each in zip(words, spelled, strict=True) if not set(each) <= symbols.keys()), None)
    if unknown is not None:
        raise InputError(f"--hot-words: expected {_known(info)}; received {unknown!r}")
    bonus = [config.word_bonus + hot_bonus * (word in hot) for word in words]
    likely = model(info["texts"], words, config)

    def score(before: tuple[int, ...], word: int) -> float:
        return bonus[word] + likely(before, word)

    numbers = [[symbols[symbol] for symbol in each] for each in spelled]
    return Lexicon(numbers, None if whole else symbols[" "], score)


def _known(info: dict) -> str:
    """Says which words can be hot words."""
    some = ", ".join(symbol for symbol in info["symbols"] if symbol.strip())
    if info["targets"] == "words":
        return f"words that the run was trained on ({some})"
    return f"words of the characters that the run was trained on ({some})"


def model(texts: Sequence[str], words: list[str], config: Config) -> Score:
    """Returns the weighted n-gram score of a word given its predecessors; texts are padded with a start token."""
    if not config.ngram or not config.ngram_weight:
        return lambda before, word: 0.0
    context, gap = config.ngram - 1, len(words)
    numbers = {word: number for number, word in enumerate(words)}
    starts = [gap] * max(1, context)
    ids = [n for text in texts for n in (*starts, *(numbers[word] for word in text.split()))]
    known = NGram(config.ngram).fit(ids, len(words) + 1)

    @functools.lru_cache(maxsize=100_000)
    def nats(*some: int) -> float:
        return float(known.nats(list(some))[-1])

    def score(before: tuple[int, ...], word: int) -> float:
        recent = (*starts, *before)[len(starts) + len(before) - context :]
        return -config.ngram_weight * nats(*recent, word)

    return score
