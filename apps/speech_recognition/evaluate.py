"""Evaluates a run against the baselines: word and character error rates with intervals, overall and by speaker."""

import collections
import functools
import time
from collections.abc import Sequence
from pathlib import Path

import jiwer
import numpy as np

from shared import ctc, paired, results, runs, trials

from . import baselines, pictures
from .config import APP, Config
from .data import Data, load, tested_on
from .features import HOP_S
from .options import Evaluate
from .predict import Predictor

HEADLINE = ("wer",)
PUBLISHED = {
    ("an4", "greedy"): {"name": "Transformer + CTC (ESPnet)", "value": 0.076},
    ("an4", "beam"): {"name": "Transformer + CTC + LM (ESPnet)", "value": 0.074},
}
DRAWS = 1000


def evaluate(options: Evaluate) -> None:
    """Runs the evaluate verb: re-evaluates a saved run on its own test set or on other recordings."""
    run = runs.find(APP, options.run)
    data = load(run.settings(Config))
    run.check(data.info)
    pictured = ""
    if options.data:
        data, pictured = tested_on(data, options.data), f"-{Path(options.data).stem}"
        run = run.tested_on(options.data)
    records = measure(Predictor(run), data, pictured)
    report(records)
    if options.record:
        results.keep(together(trials.siblings(run)) if run.finished() else records, Path(__file__).parent)


def together(found: list[runs.Run]) -> list[dict]:
    """Averages the records of finished runs that differ only in seed or fold, merging their per-speaker error rates.

    The averaged records have no interval: that of a single run refers to its own test set only.
    """
    records = trials.summary(found)
    if len(found) < 2:
        return records
    for record in (r for r in records if "by_speaker" in r.get("details", {})):
        same = [
            r for run in found for r in run.metrics() if all(r[key] == record[key] for key in ("metric", "options"))
        ]
        rates: dict[str, list[float]] = {}
        for name, value in (item for r in same for item in r["details"]["by_speaker"].items()):
            rates.setdefault(name, []).append(value)
        record["details"]["by_speaker"] = {name: results.rounded(float(np.mean(rates[name]))) for name in sorted(rates)}
        del record["details"]["interval"]
    return records


def measure(predictor: Predictor, data: Data, pictured: str = "") -> list[dict]:
    """Evaluates the transcripts of the test utterances; plots an alignment and the word confusion matrix.

    Args:
        predictor: the run to evaluate. data: the run's data, possibly with other test utterances.
        pictured: suffix of the plots' file names.
    """
    config = predictor.config
    figure = functools.partial(
        results.record,
        predictor.run,
        predictor.model,
        split="test",
        task={"split": config.split} if config.data == "fsdd" else {},
    )
    raws = [u.raw for u in data.test.utterances]
    found = predictor.log_probabilities(raws)
    began = time.perf_counter()
    predictor.log_probabilities(raws)  # timed on a second pass, after compilation
    factor = (time.perf_counter() - began) / sum(HOP_S * len(raw) for raw in raws)
    texts, unheard = data.test.texts, baselines.common_words(data)
    records = []
    for name, options, heard in transcribed(predictor, found):
        details = {
            "interval": interval(edits(texts, heard)),
            "by_speaker": by_speaker(data, heard),
            "real_time_factor": float(f"{factor:.3g}"),
        }
        if repeated := {text for text in texts} & set(data.train.texts):
            rows = [n for n, text in enumerate(texts) if text not in repeated]
            details["wer_of_new_texts"] = rate(edits(texts, heard), np.array(rows)) if rows else None
            details["new_texts"] = len(rows)
        for metric, counted in {"wer": edits, "cer": character_edits}.items():
            others = {"most_frequent_word": counted(texts, unheard)}
            measured = paired.compared(rate, counted(texts, heard), others, len(texts), "lower")
            published = PUBLISHED.get((config.data, name)) if metric == "wer" else None
            more = details if metric == "wer" else None
            records.append(figure(metric=metric, options=options, published=published, details=more, **measured))
        if name == "greedy":
            pictures.confusions(confusions(texts, heard), predictor.run.picture(f"confusions{pictured}.png"))
    if data.isolated and data.examples and data.isolated.utterances:
        records.append(figure(metric="isolated_error", **isolated(predictor, data)))
    example = int(np.argsort([len(raw) for raw in raws])[len(raws) // 2])
    transcript = predictor.transcripts(found[example], None, 0)[0]
    pictures.alignment(
        raws[example], found[example], transcript, predictor, predictor.run.picture(f"alignment{pictured}.png")
    )
    return results.headed(records, HEADLINE)


def transcribed(predictor: Predictor, found: list[np.ndarray]) -> list[tuple[str, dict, list[str]]]:
    """Returns name, options and transcripts for each decoding method, the best method first."""
    config, ways = predictor.config, []
    if config.beam and predictor.targets == "characters":
        lexicon = predictor.lexicon()
        heard = [predictor.transcripts(each, lexicon, config.beam)[0].text for each in found]
        ways.append(("beam", {"beam": config.beam, "ngram": config.ngram}, heard))
    heard = [predictor.transcripts(each, None, 0)[0].text for each in found]
    return [*ways, ("greedy", {"beam": 0}, heard)]


def edits(texts: Sequence[str], heard: Sequence[str]) -> np.ndarray:
    """Returns (utterances, 2): word errors (substitutions, deletions, insertions) and number of reference words."""
    return np.array([_counted(jiwer.process_words(text, other)) for text, other in zip(texts, heard, strict=True)])


def character_edits(texts: Sequence[str], heard: Sequence[str]) -> np.ndarray:
    """Returns the same counts for characters, including spaces."""
    return np.array([_counted(jiwer.process_characters(text, other)) for text, other in zip(texts, heard, strict=True)])


def _counted(found) -> tuple[int, int]:
    return found.substitutions + found.deletions + found.insertions, found.hits + found.substitutions + found.deletions


def rate(counts: np.ndarray, rows: np.ndarray) -> float:
    """Returns the error rate over the selected utterances: errors per reference word (or character)."""
    wrong, said = counts[rows].sum(axis=0)
    return float(wrong / max(said, 1))


def interval(counts: np.ndarray) -> list[float]:
    """Returns the 95 % bootstrap interval of the error rate, resampling utterances."""
    random = np.random.default_rng(0)
    drawn = [rate(counts, random.integers(0, len(counts), len(counts))) for _ in range(DRAWS)]
    return [results.rounded(bound) for bound in np.quantile(drawn, [0.025, 0.975])]


def by_speaker(data: Data, heard: list[str]) -> dict[str, float]:
    """Returns the word error rate of each test speaker."""
    counts = edits(data.test.texts, heard)
    speakers = [u.speaker or "unknown" for u in data.test.utterances]
    rows = {name: np.array([n for n, each in enumerate(speakers) if each == name]) for name in sorted(set(speakers))}
    return {name: results.rounded(rate(counts, some)) for name, some in rows.items()}


def isolated(predictor: Predictor, data: Data) -> dict:
    """Compares the error rates on isolated words of the network, DTW and the support vector machine.

    The network is restricted to a single word as well: it chooses the most likely one.
    """
    words = sorted(set(data.isolated.texts))
    found = predictor.log_probabilities([u.raw for u in data.isolated.utterances])
    heard = [_likeliest(each, words, predictor) for each in found]
    others = baselines.single_words(data.examples, data.isolated)
    wrong = {name: _wrong(theirs, data.isolated.texts) for name, theirs in others.items()}
    return paired.compared(
        lambda errors, rows: float(errors[rows].mean()), _wrong(heard, data.isolated.texts), wrong, len(heard), "lower"
    )


def _likeliest(log_probabilities: np.ndarray, words: list[str], predictor: Predictor) -> str:
    """Returns the word with the highest CTC probability, summed over all alignments."""
    scores = [ctc.log_probability(log_probabilities, predictor.encode(word)) for word in words]
    return words[int(np.argmax(scores))]


def _wrong(heard: Sequence[str], texts: Sequence[str]) -> np.ndarray:
    return np.array([one != other for one, other in zip(heard, texts, strict=True)], float)


def confusions(texts: Sequence[str], heard: Sequence[str]) -> dict[tuple[str, str], int]:
    """Counts the (reference, recognised) word pairs, including correct ones; "" stands for a missing word."""
    counts: collections.Counter = collections.Counter()
    for text, other in zip(texts, heard, strict=True):
        found = jiwer.process_words(text, other)
        (said,), (got,) = found.references, found.hypotheses
        for chunk in found.alignments[0]:
            before, after = said[chunk.ref_start_idx : chunk.ref_end_idx], got[chunk.hyp_start_idx : chunk.hyp_end_idx]
            width = max(len(before), len(after))
            pairs = zip(before + [""] * (width - len(before)), after + [""] * (width - len(after)), strict=True)
            counts.update(pairs)
    return dict(counts)


def report(records: list[dict]) -> None:
    """Prints the metrics, the interval of the main one, and the error rate of each speaker."""
    results.report(records)
    found = records[0]["details"]
    low_high = "" if "interval" not in found else ", 95 % interval {:.1%} to {:.1%}".format(*found["interval"])
    speakers = ", ".join(f"{name} {value:.1%}" for name, value in found["by_speaker"].items())
    print(f"  word error rate {records[0]['value']:.1%}{low_high}; by speaker: {speakers}")
    if found.get("new_texts"):
        print(f"  on the {found['new_texts']:g} texts that training has not seen: {found['wer_of_new_texts']:.1%}")
    print(f"  real-time factor of the network, in batches: {found['real_time_factor']:.2g}", flush=True)
