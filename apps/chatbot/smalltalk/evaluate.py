"""How good the small talk is on the test dialogues, beside the replies of the most similar training message."""

import collections
import functools
import time

import numpy as np

from shared import runs
from shared.baselines import NGram

from .. import figures
from ..config import command
from .config import TALK, TalkConfig
from .data import BEGIN_ID, Data, Part, load
from .reply import Talker

MESSAGES = 32  # answered side by side
TIMED = 50  # messages answered one by one to see how long one takes
SHOWN = 6
ORDER = 3  # of the n-gram model


def measure_again(run: runs.Run) -> list[dict]:
    """Measures a run from what lies on disk."""
    return measure(run, load(run.settings(TalkConfig)))


def measure(run: runs.Run, data: Data) -> list[dict]:
    """Measures test, keeps the records and a few answers."""
    talker = Talker(run, seed=0)
    answers = answered(talker, [said for said, _ in data.test.ids])
    retrieved = retrieval(data)
    network, simple = (replies_figures(found, data.test) for found in (answers, retrieved))
    measured = {"perplexity": (perplexity(talker, data.test), {f"{ORDER}-gram": ngram_perplexity(data)})}
    measured |= {name: (value, {"tfidf_retrieval": simple[name]}) for name, value in network.items()}
    said = command(run.settings(TalkConfig), TALK)
    records = [
        figures.record(run, talker.model, said, metric, value, others, None)
        for metric, (value, others) in measured.items()
    ]
    records[0]["said"] = [speed(talker, data)]
    run.save_metrics(records)
    lines = [
        f"{' '.join(message)}\n  -> {' '.join(answer)}"
        for message, answer in list(zip(data.test.said, answers, strict=True))[:: max(1, len(answers) // SHOWN)]
    ]
    runs.write_text(run.file("samples.txt"), "\n".join(lines) + "\n")
    return records


def answered(talker: Talker, messages: list[np.ndarray]) -> list[list[str]]:
    """The reply to each message."""
    found: list[list[str]] = []
    for start in range(0, len(messages), MESSAGES):
        some = messages[start : start + MESSAGES]
        filled = [some[number % len(some)] for number in range(MESSAGES)]  # one shape is compiled
        found += talker.replies(filled)[: len(some)]
    return found


def perplexity(talker: Talker, part: Part) -> float:
    """exp of the mean surprise of a word of the true replies, their ends and unknown words among them."""
    total, count = 0.0, 0
    most = talker.most
    for start in range(0, len(part.ids), 256):
        some = part.ids[start : start + 256]
        rows = np.zeros((256, most + 1), np.int32)
        targets = np.zeros((256, most + 1), np.int32)
        for number, (said, reply) in enumerate(some):
            rows[number, : len(said)], targets[number, : len(reply)] = said, reply
        rows[len(some) :, 0] = BEGIN_ID  # rows that only fill up
        total += talker.target_nats(rows, targets).sum()
        count += int((targets > 0).sum())
    return float(np.exp(total / count))


def ngram_perplexity(data: Data) -> float:
    """The same of an n-gram model of the training replies, which knows nothing of what was said."""
    train, test = (np.concatenate([reply for _, reply in part.ids]) for part in (data.train, data.test))
    model = NGram(ORDER).fit(train, len(data.info["words"]))
    return float(np.exp(np.mean(model.nats(test))))


def replies_figures(found: list[list[str]], part: Part) -> dict[str, float]:
    """distinct-n (Li et al. 2016), the share of the most frequent reply, BLEU (sacrebleu) against the true replies."""
    from sacrebleu.metrics import BLEU

    bleu = BLEU(tokenize="none", force=True)  # the words are cut already, in lower case
    written, true = [" ".join(reply) for reply in found], [" ".join(reply) for reply in part.replies]
    return {
        "distinct_1": distinct(found, 1),
        "distinct_2": distinct(found, 2),
        "most_frequent_reply": collections.Counter(written).most_common(1)[0][1] / len(written),
        "bleu": bleu.corpus_score(written, [true]).score,
    }


def distinct(replies: list[list[str]], n: int) -> float:
    """Different n-grams of all replies, divided by their words."""
    grams = {tuple(reply[i : i + n]) for reply in replies for i in range(len(reply) - n + 1)}
    return len(grams) / max(1, sum(len(reply) for reply in replies))


@functools.lru_cache(maxsize=1)  # the same for every seed
def retrieval(data: Data) -> list[list[str]]:
    """For each test message the reply to the training message most similar by TF-IDF of words and pairs."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    counter = TfidfVectorizer(analyzer=_words_and_pairs, sublinear_tf=True, min_df=2)
    train = counter.fit_transform(data.train.said).T.tocsc()
    test = counter.transform(data.test.said)
    found: list[list[str]] = []
    for start in range(0, test.shape[0], 256):
        near = (test[start : start + 256] @ train).tocsr()
        for row in range(near.shape[0]):
            scores = near.data[near.indptr[row] : near.indptr[row + 1]]
            places = near.indices[near.indptr[row] : near.indptr[row + 1]]
            found.append(data.train.replies[int(places[scores.argmax()]) if len(scores) else 0])
    return found


def _words_and_pairs(tokens: list[str]) -> list[str]:
    return tokens + [" ".join(pair) for pair in zip(tokens, tokens[1:], strict=False)]


def speed(talker: Talker, data: Data) -> str:
    """Milliseconds to write one reply."""
    talker.warm_up()
    took = []
    for said in data.test.said[:TIMED]:
        started = time.perf_counter()
        talker.reply([" ".join(said)])
        took.append(1000 * (time.perf_counter() - started))
    p50, p99 = np.percentile(took, [50, 99])
    return f"one reply is written in {p50:.1f} ms (p50), {p99:.1f} ms (p99)"
