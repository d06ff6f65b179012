"""How good a run is beside the simple methods: BLEU, chrF, exact match, by length, by beam, sentences a second."""

import datetime
import sys
import time
from pathlib import Path

import numpy as np

from shared import InputError, results, runs

from . import ibm1
from .config import APP, Config, Evaluate, Search, command
from .data import Data, load
from .predict import BATCH, Translator
from .tokens import Encoded

HERE = Path(__file__).parent
LENGTHS = (1, 8, 12, 16, 24)  # words of the source where the next group begins


def evaluate(options: Evaluate) -> None:
    """The evaluate verb: measures a run again, from what lies on disk."""
    if not options.beams or min(options.beams) < 1:
        raise InputError(f"--beams: expected widths of at least 1; received {options.beams}")
    run = runs.find(APP, options.run)
    records = measure(run, load(run.settings(Config)), options.beams)
    report(records)
    if options.record:
        results.record(HERE / "results.json", records)
        results.render(HERE / "README.md", HERE / "results.json")
        print(f"Recorded in {HERE / 'results.json'}")


def measure(run: runs.Run, data: Data, beams: tuple[int, ...] = (5,)) -> list[dict]:
    """Translates the test sentences with each beam, beside the simple methods; keeps records and translations."""
    translator = Translator(run)
    sources, references = zip(*((pair.source, pair.target) for pair in data.test.pairs), strict=True)
    simple = {"source_copied": list(sources), "ibm_model_1": word_by_word(data, sources)}
    sentences = [_readable(translator, text) for text in sources]
    records: list[dict] = []
    for beam in beams:
        written, speed = translated(translator, sentences, Search(beam=beam))
        if not records:
            runs.write_text(run.file("translations.txt"), "".join(f"{text}\n" for text in written))
            for metric, figure in METRICS.items():
                value, signature = figure(written, references)
                others = {name: figure(texts, references)[0] for name, texts in simple.items()}
                records.append(_record(run, translator, metric, value, others) | {"signature": signature})
            records[0] |= {"speed": speed, "by_length": by_length(sources, written, references), "beam": beam}
            records[0] |= {"by_kind": by_kind(data, written)} if run.config["data"] == "builtin" else {}
        else:
            value = bleu(written, references)
            others = {name: bleu(texts, references) for name, texts in simple.items()}
            records.append(_record(run, translator, f"bleu_beam_{beam}", value, others) | {"speed": speed})
    run.save_metrics(records)
    return records


def _readable(translator: Translator, text: str) -> Encoded:
    """A test sentence longer than any that was learned is read up to there."""
    encoded, most = translator.tokenizer.encode(text), translator.max_tokens
    return encoded if len(encoded.ids) <= most else Encoded(encoded.ids[-most:], encoded.pieces[-most:])


def translated(translator: Translator, sentences: list[Encoded], search: Search) -> tuple[list[str], float]:
    """The best translation of each sentence, and sentences a second; all that must be compiled is compiled before."""
    for length in translator.lengths:
        translator.translate([_of_length(length)] * BATCH, search)
    started = time.perf_counter()
    written = [best.text for best, *_ in translator.translate(sentences, search)]
    return written, round(len(sentences) / (time.perf_counter() - started), 1)


def _of_length(length: int) -> Encoded:
    return Encoded(np.full(length, 3, np.int32), [""] * length)


def word_by_word(data: Data, sources: tuple[str, ...]) -> list[str]:
    """The sources by the dictionary that IBM model 1 learns from the training pairs."""
    method = ibm1.fit([(pair.source, pair.target) for pair in data.train.pairs])
    return [method.translate(text) for text in sources]


def _bleu(written, references) -> tuple[float, str]:
    """Papineni et al. (2002), P02-1040, cased, of sacrebleu's own tokens (Post 2018, W18-6319)."""
    from sacrebleu.metrics import BLEU

    metric = BLEU()
    score = metric.corpus_score(list(written), [list(references)]).score
    return score, str(metric.get_signature())


def _chrf(written, references) -> tuple[float, str]:
    """Popović (2015), W15-3049: F of runs of characters."""
    from sacrebleu.metrics import CHRF

    metric = CHRF()
    score = metric.corpus_score(list(written), [list(references)]).score
    return score, str(metric.get_signature())


def _exact(written, references) -> tuple[float, str]:
    """The share of translations, in percent, that are the reference to the letter."""
    same = [one == other for one, other in zip(written, references, strict=True)]
    return 100 * float(np.mean(same)), "equal strings"


METRICS = {"bleu": _bleu, "chrf": _chrf, "exact_match_percent": _exact}


def bleu(written, references) -> float:
    """Corpus BLEU, 0 to 100."""
    return _bleu(written, references)[0]


def by_length(sources, written, references) -> dict[str, float]:
    """BLEU of the sentences whose source has so many words."""
    words = np.array([len(text.split()) for text in sources])
    found = {}
    for first, after in zip(LENGTHS, (*LENGTHS[1:], 10**9), strict=True):
        rows = np.flatnonzero((words >= first) & (words < after))
        if len(rows) >= 10:
            name = f"{first}-{after - 1}" if after < 10**9 else f"{first}+"
            found[name] = round(bleu([written[row] for row in rows], [references[row] for row in rows]), 2)
    return found


def by_kind(data: Data, written: list[str]) -> dict[str, float]:
    """Exact match, in percent, of each kind of the built-in phrases."""
    right: dict[str, list[bool]] = {}
    for pair, text in zip(data.test.pairs, written, strict=True):
        right.setdefault(pair.where, []).append(text == pair.target)
    return {kind: round(100 * float(np.mean(each)), 1) for kind, each in right.items()}


def _record(run: runs.Run, translator: Translator, metric: str, value: float, others: dict[str, float]) -> dict:
    config = run.config
    name = max(others, key=lambda each: others[each])
    data = f"{config['data']} {config['source']}-{config['target']}"
    return {
        "data": data,
        "split": "test_2016_flickr" if config["data"] == "multi30k" else "test",
        "metric": metric,
        "direction": "higher",
        "arch": config["arch"],
        "params": translator.model.count_params(),
        "value": round(value, 3),
        "std": None,
        "seeds": 1,
        "baseline": {"name": name, "value": round(others[name], 3)},
        "baselines": {each: round(figure, 3) for each, figure in others.items()},
        "published": None,
        "minutes": round(run.seconds() / 60, 1),
        "command": command(Config(**config)),
        "hardware": runs.hardware(),
        "versions": runs.versions(),
        "date": datetime.date.today().isoformat(),
    }


def report(records: list[dict]) -> None:
    """Prints the figures beside those of the simple methods and says which one wins."""
    first = records[0]
    print(f"\n{first['data']}, {first['arch']}: {first['minutes']} minutes of training")
    for record in records:
        winner = results.winner(record)
        published = f"; published {record['published']['value']}" if record["published"] else ""
        others = ", ".join(f"{name} {figure:.2f}" for name, figure in record["baselines"].items())
        print(f"  {record['split']} {record['metric']:20} {record['value']:6.2f}   {others}: {winner}{published}")
    for record in records[:2]:
        print(f"  {record['signature']}")
    print("  BLEU by words of the source: " + ", ".join(f"{name} {b:.1f}" for name, b in first["by_length"].items()))
    if "by_kind" in first:
        print("  exact by kind: " + ", ".join(f"{name} {share:.1f} %" for name, share in first["by_kind"].items()))
    print(f"  {first['speed']:,.0f} sentences a second in batches, beam {first['beam']}")
    sys.stdout.flush()
