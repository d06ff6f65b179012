"""Evaluates the small talk on test dialogues, compared with the replies to the most similar training message."""

import collections
import functools
from pathlib import Path

import numpy as np

from shared import files, lines, results, runs, trials
from shared.baselines import NGram

from ..options import EvaluateTalk
from .config import TALK_APP, TalkConfig
from .data import BEGIN_ID, Data, Part, load
from .predict import Predictor

HEADLINE = ("perplexity",)
DIRECTIONS = {"perplexity": "lower", "most_frequent_reply": "lower"}
MESSAGES = 32  # messages per batch
TIMED = 50  # number of messages to time individually
SHOWN = 6
ORDER = 3  # order of the n-gram model


def evaluate(options: EvaluateTalk) -> None:
    """Runs the evaluate-talk command: evaluates a saved run."""
    run = runs.find(TALK_APP, options.run)
    data = load(run.settings(TalkConfig))
    run.check(data.info)
    records = measure(Predictor(run, seed=0), data)
    report(records)
    if options.record:
        kept = trials.summary(trials.siblings(run)) if run.finished() else records
        results.keep(kept, Path(__file__).parents[1])


def measure(predictor: Predictor, data: Data) -> list[dict]:
    """Evaluates the test dialogues; saves a few answers to samples.txt."""
    answers = answered(predictor, [said for said, _ in data.test.ids])
    network, retrieved = (replies_figures(found, data.test) for found in (answers, retrieval(data)))
    measured = {"perplexity": (perplexity(predictor, data.test), {f"{ORDER}-gram": ngram_perplexity(data)})}
    measured |= {name: (value, {"tfidf_retrieval": retrieved[name]}) for name, value in network.items()}
    figure = functools.partial(results.record, predictor.run, predictor.model, split="test")
    records = [
        figure(
            metric=metric,
            value=value,
            direction=DIRECTIONS.get(metric, "higher"),
            baselines=others,
            details=_details(predictor, data) if metric in HEADLINE else None,
        )
        for metric, (value, others) in measured.items()
    ]
    shown = list(zip(data.test.said, answers, strict=True))[:: max(1, len(answers) // SHOWN)]
    text = "".join(f"{' '.join(message)}\n  -> {' '.join(answer)}\n" for message, answer in shown)
    files.write_text(predictor.run.file("samples.txt"), text)
    return results.headed(records, HEADLINE)


def _details(predictor: Predictor, data: Data) -> dict[str, float]:
    """Returns p50 and p99 latency of a reply, excluding compilation."""
    predictor.warm_up()
    p50, p99 = lines.timed(lambda said: predictor.reply([" ".join(said)]), data.test.said[:TIMED])
    return {"ms_p50": round(p50, 1), "ms_p99": round(p99, 1)}


def report(records: list[dict]) -> None:
    """Prints the metrics and the latency of a reply."""
    results.report(records)
    found = records[0]["details"]
    print(f"  one reply takes {found['ms_p50']:.1f} ms (p50), {found['ms_p99']:.1f} ms (p99)", flush=True)


def answered(predictor: Predictor, messages: list[np.ndarray]) -> list[list[str]]:
    """Returns the reply to each message."""
    found: list[list[str]] = []
    for start in range(0, len(messages), MESSAGES):
        some = messages[start : start + MESSAGES]
        filled = [some[number % len(some)] for number in range(MESSAGES)]  # so that only one shape is compiled
        found += predictor.replies(filled)[: len(some)]
    return found


def perplexity(predictor: Predictor, part: Part) -> float:
    """Returns the perplexity of the true replies, including their ends and unknown words."""
    total, count = 0.0, 0
    most = predictor.most
    for start in range(0, len(part.ids), 256):
        some = part.ids[start : start + 256]
        rows = np.zeros((256, most + 1), np.int32)
        targets = np.zeros((256, most + 1), np.int32)
        for number, (said, reply) in enumerate(some):
            rows[number, : len(said)], targets[number, : len(reply)] = said, reply
        rows[len(some) :, 0] = BEGIN_ID  # padding rows
        total += predictor.target_nats(rows, targets).sum()
        count += int((targets > 0).sum())
    return float(np.exp(total / count))


def ngram_perplexity(data: Data) -> float:
    """Returns the perplexity of an n-gram model of the training replies, which ignores the context."""
    train, test = (np.concatenate([reply for _, reply in part.ids]) for part in (data.train, data.test))
    model = NGram(ORDER).fit(train, len(data.info["words"]))
    return float(np.exp(np.mean(model.nats(test))))


def replies_figures(found: list[list[str]], part: Part) -> dict[str, float]:
    """distinct-n (Li et al. 2016), share of the most frequent reply, BLEU (sacrebleu) against the true replies."""
    from sacrebleu.metrics import BLEU

    bleu = BLEU(tokenize="none", force=True)  # already tokenised and in lower case
    written, true = [" ".join(reply) for reply in found], [" ".join(reply) for reply in part.replies]
    return {
        "distinct_1": distinct(found, 1),
        "distinct_2": distinct(found, 2),
        "most_frequent_reply": collections.Counter(written).most_common(1)[0][1] / len(written),
        "bleu": bleu.corpus_score(written, [true]).score,
    }


def distinct(replies: list[list[str]], n: int) -> float:
    """Returns the number of different n-grams of all replies, divided by their number of words."""
    grams = {tuple(reply[i : i + n]) for reply in replies for i in range(len(reply) - n + 1)}
    return len(grams) / max(1, sum(len(reply) for reply in replies))


@functools.lru_cache(maxsize=1)  # the same for every seed
def retrieval(data: Data) -> list[list[str]]:
    """Returns, for each test message, the reply to the most similar training message by TF-IDF of words and pairs."""
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
