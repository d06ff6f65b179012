"""Evaluates a run against the baselines: BLEU, chrF, exact match, by length, by beam width; sentences per second."""

import functools
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from shared import files, paired, results, runs, trials

from . import answers, ibm1
from .answers import Translation
from .confidence import CLOSE, right
from .config import APP, Config
from .data import Data, load, tested_on
from .options import Evaluate, Search
from .predict import BATCH, Predictor, ready
from .tokens import END, Encoded

Texts = Sequence[str]
HEADLINE = ("bleu",)
LENGTHS = (1, 8, 12, 16, 24)  # lower bounds of the groups, in words of the source
FEWEST = 10  # minimum number of sentences in a group


def evaluate(options: Evaluate) -> None:
    """Runs the evaluate command: evaluates a saved run on its own test pairs or on others."""
    run = runs.find(APP, options.run)
    data = load(run.settings(Config))
    run.check(data.info)
    if options.data:
        data = tested_on(data, options.data, options.target_file or "")
        run = run.tested_on(options.data)
    records = measure(ready(run), data, options.beams)
    report(records)
    if options.record:
        results.keep(over_seeds(run, records, options.beams), Path(__file__).parent)


def over_seeds(run: runs.Run, records: list[dict], beams: Sequence[int]) -> list[dict]:
    """Averages the records over all finished runs that differ only in the seed; the other runs are evaluated here."""
    alike = sorted(trials.siblings(run) if run.finished() else [run], key=lambda each: each.config["seed"])
    done = [
        records if each.path == run.path else measure(Predictor(each), load(each.settings(Config)), beams)
        for each in alike
    ]
    more = f" --seeds {len(done)}" if len(done) > 1 else ""
    return [record | {"command": record["command"] + more} for record in results.mean(done, "seeds")]


def measure(
    predictor: Predictor, data: Data, beams: Sequence[int] = Evaluate.beams, translations: Path | None = None
) -> list[dict]:
    """Translates the test sentences with each beam width and evaluates them; chrF and exact match for the first only.

    Args:
        translations: file to save the translations of the first beam width to, one per line.
    """
    config = predictor.run.config
    test_set = {"test_set": "2016_flickr"} if config["data"] == "multi30k" else {}
    task = {"source": config["source"], "target": config["target"]} | test_set
    figure = functools.partial(results.record, predictor.run, predictor.model, split="test", task=task)
    sources, references = zip(*((pair.source, pair.target) for pair in data.test.pairs), strict=True)
    sentences = [_readable(predictor, text) for text in sources]
    records: list[dict] = []
    for beam in dict.fromkeys(beams):
        found, speed = translated(predictor, sentences, Search(beam=beam))
        written = [each.text for each in found]
        more: dict[str, Any] = {"sentences_per_s": speed}
        if not records:
            parts = {
                "by_length": by_length(sources, written, references),
                "by_kind": by_kind(data, written),
                "confidence": trusted(predictor, found, references),
                "empty_percent": answers.empty_percent(written),
            }
            more = {name: figures for name, figures in parts.items() if figures} | more
            if translations:
                files.write_text(translations, "".join(f"{text}\n" for text in written))
        for metric in HEADLINE if records else METRICS:
            compared, signature = METRICS[metric](written, references, baselines(data))
            details = {"signature": signature} | (more if metric in HEADLINE else {})
            records.append(figure(metric=metric, **compared, options={"beam": beam}, details=details))
    return results.headed(records, HEADLINE)


def _readable(predictor: Predictor, text: str) -> Encoded:
    """Encodes a test sentence, truncated to `max_tokens`."""
    encoded, most = predictor.tokenizer.encode(text), predictor.max_tokens
    if len(encoded.ids) <= most:
        return encoded
    return Encoded(np.append(encoded.ids[: most - 1], END).astype(np.int32), [*encoded.pieces[: most - 1], ""])


def translated(predictor: Predictor, sentences: list[Encoded], search: Search) -> tuple[list[Translation], float]:
    """Returns the best translation of each sentence, and sentences per second, excluding compilation."""
    predictor.warm_up(search, BATCH)
    started = time.perf_counter()
    found = [best for best, *_ in predictor.translate(sentences, search)]
    return found, round(len(sentences) / (time.perf_counter() - started), 1)


def trusted(predictor: Predictor, found: Sequence[Translation], references: Texts) -> dict[str, Any]:
    """Returns how well the confidence tells right translations from wrong ones; {} for a run that has none.

    `auroc` is the probability that a right translation has a higher confidence than a wrong one; None if there are
    only right or only wrong ones. The percentages of right translations are None if there is no such translation.
    """
    if predictor.confidence is None:
        return {}
    from sklearn.metrics import roc_auc_score

    sentences = predictor.confidence.sentences
    good = right([each.text for each in found], references, sentences)
    lost = np.array([each.not_sure for each in found])
    marked = np.array([each.uncertain for each in found]) & ~lost
    not_sure = {"not_sure_percent": _share(lost), "right_percent_of_not_sure": _percent(good[lost])}
    mixed = 0 < good.sum() < len(good)
    return {
        "right_is": f"a chrF of at least {CLOSE:.0f}" if sentences else "equal to the reference",
        "auroc": round(float(roc_auc_score(good, [each.confidence for each in found])), 4) if mixed else None,
        "marked_percent": _share(marked),
        "right_percent_of_marked": _percent(good[marked]),
        **(not_sure if predictor.confidence.abstain else {}),
        "right_percent_of_others": _percent(good[~marked & ~lost]),
        "mean_confidence": round(float(np.mean([each.confidence for each in found])), 4),
    }


def _percent(some: np.ndarray) -> float | None:
    return _share(some) if len(some) else None


def _share(some: np.ndarray) -> float:
    return round(100 * float(some.mean()), 2)


@functools.lru_cache(maxsize=1)  # the same for every seed and beam
def baselines(data: Data) -> dict[str, list[str]]:
    """Returns the source sentences themselves, and their word-by-word translation by IBM model 1."""
    sources = [pair.source for pair in data.test.pairs]
    dictionary = ibm1.fit([(pair.source, pair.target) for pair in data.train.pairs])
    return {"source_copied": sources, "ibm_model_1": [dictionary.translate(text) for text in sources]}


def _sacrebleu(metric: Any, written: Texts, references: Texts, others: Mapping[str, Texts]) -> tuple[dict, str]:
    """Computes a sacrebleu metric from per-sentence statistics, which the bootstrap can sum quickly."""

    def statistics(texts: Texts) -> np.ndarray:
        return np.array(metric._extract_corpus_statistics(list(texts), [list(references)]))

    def score(found: np.ndarray, rows: np.ndarray) -> float:
        return metric._compute_score_from_stats(found[rows].sum(axis=0).tolist()).score

    theirs = {name: statistics(texts) for name, texts in others.items()}
    found = paired.compared(score, statistics(written), theirs, len(references))
    return found, str(metric.get_signature())


def _bleu(written: Texts, references: Texts, others: Mapping[str, Texts]) -> tuple[dict, str]:
    """Papineni et al. (2002), P02-1040, cased, with sacrebleu's tokenisation (Post 2018, W18-6319)."""
    from sacrebleu.metrics import BLEU

    return _sacrebleu(BLEU(), written, references, others)


def _chrf(written: Texts, references: Texts, others: Mapping[str, Texts]) -> tuple[dict, str]:
    """Popović (2015), W15-3049: F-score of character n-grams."""
    from sacrebleu.metrics import CHRF

    return _sacrebleu(CHRF(), written, references, others)


def _exact_match(written: Texts, references: Texts, others: Mapping[str, Texts]) -> tuple[dict, str]:
    """Percentage of translations that are identical to the reference."""

    def same(texts: Texts) -> np.ndarray:
        return np.array([one == other for one, other in zip(texts, references, strict=True)])

    theirs = {name: same(texts) for name, texts in others.items()}
    found = paired.compared(lambda right, rows: 100 * float(right[rows].mean()), same(written), theirs, len(references))
    return found, "equal strings"


METRICS = {"bleu": _bleu, "chrf": _chrf, "exact_match_percent": _exact_match}


def bleu(written: Texts, references: Texts) -> float:
    """Returns corpus BLEU, 0 to 100."""
    from sacrebleu.metrics import BLEU

    return BLEU().corpus_score(list(written), [list(references)]).score


def by_length(sources: Sequence[str], written: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Returns BLEU by the number of words in the source."""
    words = np.array([len(text.split()) for text in sources])
    found = {}
    for first, after in zip(LENGTHS, (*LENGTHS[1:], 10**9), strict=True):
        rows = np.flatnonzero((words >= first) & (words < after))
        if len(rows) >= FEWEST:
            name = f"{first}-{after - 1}" if after < 10**9 else f"{first}+"
            found[name] = round(bleu([written[row] for row in rows], [references[row] for row in rows]), 2)
    return found


def by_kind(data: Data, written: Sequence[str]) -> dict[str, float]:
    """Returns the exact match, in percent, of each kind of built-in phrase; {} for other data, which has no kinds."""
    right: dict[str, list[bool]] = {}
    for pair, text in zip(data.test.pairs, written, strict=True):
        right.setdefault(pair.kind, []).append(text == pair.target)
    return {kind: round(100 * float(np.mean(each)), 1) for kind, each in right.items() if kind}


def report(records: list[dict]) -> None:
    """Prints the metrics, the BLEU signature, the results by group, and the speed."""
    results.report(records)
    for metric, signature in {record["metric"]: record["details"]["signature"] for record in records}.items():
        print(f"  {metric}: {signature}")
    found, beam = records[0]["details"], records[0]["options"]["beam"]
    for part, said in {"by_length": "BLEU by words of the source", "by_kind": "exact match by kind"}.items():
        if part in found:
            print(f"  {said}: " + ", ".join(f"{name} {value:.1f}" for name, value in found[part].items()))
    print(f"  {found['sentences_per_s']:,.0f} sentences/s in batches of {BATCH}, beam {beam}", flush=True)
    if "confidence" in found:
        print(f"  {said_of_confidence(found['confidence'])}", flush=True)
    if note := answers.said_of_empty(found.get("empty_percent", 0)):
        print(f"  {note}", flush=True)


def said_of_confidence(found: Mapping[str, Any]) -> str:
    """Says in a sentence how far the marks can be relied on."""
    marked, others, auroc = (found[name] for name in ("right_percent_of_marked", "right_percent_of_others", "auroc"))
    parts = [f"marked as uncertain {found['marked_percent']:.1f} %"]
    parts[0] += "" if marked is None else f", of which {marked:.1f} % are right"
    if "not_sure_percent" in found:
        lost, right_of_lost = found["not_sure_percent"], found["right_percent_of_not_sure"]
        said = "" if right_of_lost is None else f", of which {right_of_lost:.1f} % would be right"
        parts.append(f"not sure of {lost:.1f} %{said}")
    parts += [] if others is None else [f"of the others {others:.1f} % are right"]
    parts[-1] += f" ({found['right_is']})"
    return "; ".join(parts + ([] if auroc is None else [f"AUROC {auroc:.3f}"]))
