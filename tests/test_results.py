"""results.json and the tables made from it."""

import dataclasses
import json
import re
import types
from pathlib import Path

import pytest

from shared import InputError, files, results, runs, tables, verdicts

RECORD = {
    "app": "toy",
    "data": "text",
    "task": {},
    "split": "test",
    "metric": "nats_per_char",
    "options": {},
    "direction": "lower",
    "headline": True,
    "arch": "lstm",
    "budget": None,
    "params": 1234,
    "non_embedding": 1234,
    "value": 1.5,
    "std": None,
    "n": 1,
    "over": None,
    "baselines": {"unigram": 2.5, "ngram": 2.0},
    "ahead": None,
    "published": None,
    "minutes": 3.2,
    "command": "python -m apps.toy train",
    "hardware": "2 x CPU",
    "versions": {},
    "date": "2026-01-01",
}
ROOT = Path(__file__).parents[1]
NETWORK = types.SimpleNamespace(count_params=lambda: 1234, _flatten_layers=lambda: [])
KEPT = sorted((ROOT / "apps").glob("*/results.json"))


@pytest.fixture
def folder(tmp_path):
    """An app's folder whose README has the marks."""
    (tmp_path / "README.md").write_text(f"before\n{tables.BEGIN}\nold\n{tables.END}\nafter\n")
    return tmp_path


def kept(folder):
    return json.loads((folder / "results.json").read_text())


# The records of the apps


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.parent.name)
def test_every_kept_record_has_the_one_form(path):
    records = json.loads(path.read_text(encoding="utf-8"))
    for r in records:
        assert [key for key in r if key != "details"] == list(RECORD)
        measured_by = f" compare --app {r['app']} --arch {r['arch']} " if r["budget"] else f".{r['app']} "
        assert r["app"] == path.parent.name and r["command"].startswith(f"python -m apps{measured_by}")
        assert r["split"] in results.SPLITS and r["direction"] in results.DIRECTIONS
        assert re.fullmatch(r"[a-z][a-z0-9_]*", r["metric"]) and re.fullmatch(r"[\w.:/-]+", r["data"])
        assert all(isinstance(r[key], dict) for key in ("task", "options", "baselines", "versions"))
        assert all(isinstance(value, int | float) for value in [r["value"], r["minutes"], *r["baselines"].values()])
        assert r["ahead"] is None or r["ahead"] == sorted(r["ahead"])
        assert r["published"] is None or set(r["published"]) == {"name", "value", "source"}
        assert (r["over"] is None) == (r["n"] == 1) == (r["std"] is None)
        assert r["over"] in (None, "seeds", "folds") and r["params"] > 0 and isinstance(r["headline"], bool)
    figures = [json.dumps([r[key] for key in results.KEY], sort_keys=True) for r in records]
    assert len(set(figures)) == len(figures)
    runs = {json.dumps([r["data"], r["task"], r["arch"], r["budget"]], sort_keys=True): [] for r in records}
    for r in records:
        runs[json.dumps([r["data"], r["task"], r["arch"], r["budget"]], sort_keys=True)].append(r)
    for same in runs.values():
        (main,) = (r for r in same if r["headline"])
        assert main["split"] == "test" or all(r["split"] != "test" for r in same)


# One figure


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("GALLERY_RUNS", str(tmp_path))
    run = runs.start("toy", {"data": "/home/me/my text.txt", "arch": "gru"}, command="python -m apps.toy train")
    run.begin({})
    files.write_json(run.file("timing.json"), {"seconds": 90.0})
    return run


def test_a_record_takes_what_the_run_knows_and_has_the_one_form(run):
    record = results.record(
        run,
        NETWORK,
        split="test",
        metric="bleu",
        value=38.123456789,
        options={"beam": 5},
        baselines={"copy": 9.1234567},
        published={"name": "paper", "value": 38.0},
    )
    assert list(record) == list(RECORD)
    assert (record["data"], record["arch"], record["minutes"]) == ("my text.txt", "gru", 1.5)
    assert record["value"] == 38.1235 and record["baselines"] == {"copy": 9.12346}
    assert record["published"] == {"source": None, "name": "paper", "value": 38.0}
    assert results.record(run, NETWORK, split="valid", metric="f1", value=0.0, details={"a": 1})["details"] == {"a": 1}


def test_a_figure_on_other_data_has_their_name_and_the_heading_says_what_the_run_was_trained_on(run, capsys):
    found = results.record(run.tested_on("/home/me/theirs.txt"), NETWORK, split="test", metric="bleu", value=38.1)
    assert (found["data"], found["trained_on"]) == ("theirs.txt", "my text.txt")
    results.report([found | {"task": {"level": "char"}}])
    heading = "my text.txt (level char), gru, 1,234 parameters: 1.5 minutes of training; tested on theirs.txt"
    assert capsys.readouterr().out.splitlines()[1] == heading


@pytest.mark.parametrize("part", [{"test": "mine.txt"}, {"max_examples": 100}])
def test_a_figure_of_another_test_set_has_no_published_figure_beside_it(run, part):
    part_of_it = dataclasses.replace(run, config=run.config | part)
    published = {"name": "paper", "value": 38.0}
    record = results.record(part_of_it, NETWORK, split="test", metric="bleu", value=38.1, published=published)
    assert record["published"] is None


def test_a_network_without_its_linear_model_has_a_record_of_its_own(run):
    alone = dataclasses.replace(run, config=run.config | {"skip": False})
    found = results.record(alone, NETWORK, split="test", metric="bleu", value=38.1, options={"beam": 5})
    assert found["options"] == {"network": "alone", "beam": 5}


@pytest.mark.parametrize("wrong", [{"split": "test_2016"}, {"direction": "to 1"}])
def test_an_unknown_split_or_direction_is_a_mistake_in_the_app(run, wrong):
    with pytest.raises(ValueError, match="Received"):
        results.record(run, NETWORK, **({"split": "test", "metric": "f1", "value": 0.0} | wrong))


def test_the_headline_is_the_first_wanted_metric_on_test_where_there_is_one():
    records = [
        RECORD | {"headline": False, "split": split, "metric": metric, "options": options}
        for split in ("valid", "test")
        for metric in ("accuracy", "bleu")
        for options in ({"beam": 5}, {"beam": 1})
    ]
    first, *rest = results.headed(records, ("chrf", "bleu"))
    assert (first["split"], first["metric"], first["options"]) == ("test", "bleu", {"beam": 5})
    assert first["headline"] and not any(r["headline"] for r in rest) and len(rest) == 7
    assert results.headed(records[:4], ("bleu",))[0]["split"] == "valid"


def test_the_mean_is_of_equal_figures_and_says_over_what():
    done = [
        [
            RECORD
            | {"value": v, "minutes": m, "baselines": {"a": v + 1, "b": 0.5}, "details": {"ms": m, "by": {"x": v}}},
            RECORD | {"metric": "bleu", "value": 10 * v},
        ]
        for v, m in ((0.2, 1.0), (0.4, 3.0))
    ]
    nats, bleu = results.mean([done[0], done[1][::-1]], "folds")
    assert (nats["value"], nats["std"], nats["n"], nats["over"]) == (0.3, 0.141421, 2, "folds")
    assert nats["minutes"] == 2.0 and nats["baselines"] == {"a": 1.3, "b": 0.5}
    assert nats["details"] == {"ms": 2.0, "by": {"x": 0.3}}
    assert bleu["value"] == 3.0
    assert results.mean(done[:1], "seeds") == done[0]
    assert [r["metric"] for r in results.mean([done[0], done[1][:1]], "seeds")] == ["nats_per_char"]


@pytest.mark.parametrize(
    "direction, value, said",
    [
        ("lower", 1.9, "the network wins"),
        ("lower", 2.1, "ngram wins"),
        ("higher", 2.6, "the network wins"),
        ("higher", 2.4, "unigram wins"),
        ("higher", 2.5, "a tie"),
        ("one", 0.9, "the network wins"),
        ("one", 2.2, "ngram wins"),
        ("one", -0.1, "ngram wins"),
    ],
)
def test_the_winner_is_the_one_with_the_better_figure(direction, value, said):
    certain = {"std": 0.0, "n": 3, "over": "seeds"}
    assert verdicts.winner(RECORD | certain | {"direction": direction, "value": value}) == said


@pytest.mark.parametrize("value", [1.9, 2.0, 2.1])
def test_nobody_wins_by_one_run_without_an_interval(value, capsys):
    single = RECORD | {"value": value, "std": None, "ahead": None}
    assert verdicts.winner(single) == "no interval"
    assert "2 ngram (no interval) |" in tables.table([single]) and "(no interval)" in tables.headline("toy", single)
    results.report([single])
    assert capsys.readouterr().out.rstrip().endswith("ngram 2.0000, unigram 2.5000: no interval")


@pytest.mark.parametrize(
    "known, said",
    [
        ({"ahead": [-0.02, 0.05]}, "no difference (95 % interval -0.02 to +0.05)"),
        ({"ahead": [0.01, 0.05]}, "the network wins"),
        ({"std": 0.1, "n": 3, "over": "seeds"}, "no difference (95 % interval -0.15 to +0.35)"),
        ({"std": 0.01, "n": 3, "over": "seeds"}, "the network wins"),
        ({"std": 0.5, "n": 3, "over": "seeds", "ahead": [0.01, 0.05]}, "the network wins"),
    ],
)
def test_what_chance_explains_is_no_difference(known, said):
    assert verdicts.winner(RECORD | {"value": 1.9} | known) == said


def test_a_lead_is_kept_and_joined_over_the_runs(run):
    known = {"split": "test", "metric": "f1", "value": 0.5, "baselines": {"a": 0.4}}
    record = results.record(run, NETWORK, ahead=(0.05, 0.15), **known)
    assert record["ahead"] == [0.05, 0.15]
    assert results.mean([[record], [record]], "seeds")[0]["ahead"] == [0.05, 0.15]
    assert results.mean([[record], [record | {"ahead": None}]], "folds")[0]["ahead"] is None


def test_the_resampled_headline_is_kept_in_the_run_and_not_in_the_results(run, tmp_path):
    resampled = {"items": 2, "figures": [0.4, 0.6]}
    known = {"split": "test", "metric": "f1", "value": 0.5, "baselines": {"a": 0.4}, "resampled": resampled}
    assert "resampled" not in results.record(run, NETWORK, **known)  # too few items for an interval
    records = results.headed([results.record(run, NETWORK, ahead=(0.0, 0.2), **known)], ["f1"])
    run.save_metrics(records)
    assert json.loads(run.file("resampled.json").read_text()) == resampled and "resampled" not in run.metrics()[0]
    (tmp_path / "README.md").write_text(f"{tables.BEGIN}\n{tables.END}\n")
    results.keep(records, tmp_path)
    assert "resampled" not in (tmp_path / "results.json").read_text()


def test_a_figure_without_a_baseline_has_no_winner():
    assert verdicts.winner(RECORD | {"baselines": {}}) == ""
    assert verdicts.best_baseline(RECORD) == ("ngram", 2.0)


def test_the_report_prints_every_baseline_best_first_the_winner_and_the_published_figure(capsys):
    more = {"std": 0.01, "n": 3, "over": "seeds", "published": {"name": "paper", "value": 1.3, "source": None}}
    results.report([RECORD | more | {"task": {"level": "char"}}, RECORD | {"options": {"window": 256}, "value": 12.5}])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "text (level char), lstm, 1,234 parameters: 3.2 minutes of training, mean of 3 seeds"
    assert lines[2] == (
        "  test  nats_per_char              1.5000 ± 0.0100   ngram 2.0000, unigram 2.5000: the network wins; "
        "published 1.3 paper"
    )
    assert lines[3] == "  test  nats_per_char (window 256) 12.50   ngram 2.0000, unigram 2.5000: no interval"


# What is kept


def test_a_new_measurement_of_the_same_thing_replaces_the_old_one_whatever_its_command(folder):
    results.keep([RECORD, RECORD | {"metric": "bleu"}, RECORD | {"options": {"window": 256}}], folder)
    results.keep([RECORD | {"value": 1.4, "command": "python -m apps.toy train --seeds 3", "params": 99}], folder)
    found = {(r["metric"], str(r["options"])): r["value"] for r in kept(folder)}
    assert found == {("nats_per_char", "{}"): 1.4, ("bleu", "{}"): 1.5, ("nats_per_char", "{'window': 256}"): 1.5}


def test_a_record_of_a_run_finished_by_an_earlier_version_is_kept_too(folder):
    earlier = {name: value for name, value in RECORD.items() if name not in ("budget", "non_embedding")}
    results.keep([earlier], folder)
    results.keep([RECORD | {"value": 1.4}], folder)
    assert [(r["value"], r["budget"]) for r in kept(folder)] == [(1.4, None)]


def test_lengths_are_sorted_as_numbers_and_headlines_come_first(folder):
    results.keep([RECORD | {"task": {"length": length}} for length in (100, 1000, 50)], folder)
    assert [r["task"]["length"] for r in kept(folder)] == [50, 100, 1000]
    results.keep([RECORD | {"metric": "accuracy", "headline": False, "task": {"length": 50}}], folder)
    assert [r["metric"] for r in kept(folder)[:2]] == ["nats_per_char", "accuracy"]


def test_keeping_renders_the_table_between_the_marks_only(folder):
    results.keep([RECORD], folder)
    text = (folder / "README.md").read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert tables.table([RECORD]) in text


def test_a_readme_without_marks_is_left_alone(tmp_path):
    (tmp_path / "README.md").write_text("text")
    with pytest.raises(InputError, match="Expected the lines"):
        tables.replace(tmp_path / "README.md", "table")
    assert (tmp_path / "README.md").read_text() == "text"


# Tables


def test_the_table_shows_value_spread_best_baseline_and_command():
    published = {"name": "paper", "value": 1.3, "source": None}
    table = tables.table([RECORD | {"std": 0.0123, "n": 3, "over": "seeds", "published": published}])
    assert "| **1.5** ± 0.0123 (3 seeds) | 2 ngram | 1.3 paper | 3.2 |" in table
    assert "python -m apps.toy train" in table


def grid(archs, lengths):
    """As a sweep records it; the value tells the cell."""
    return [
        RECORD | {"arch": arch, "task": {"length": length}, "value": length + n / 10, "params": 1000 + n + length}
        for length in lengths
        for n, arch in enumerate(archs)
    ]


def test_many_records_are_shown_side_by_side_one_row_an_architecture():
    archs, lengths = [f"arch{n}" for n in range(9)], (50, 100, 200, 400)
    records = grid(archs, lengths)
    table = tables.table(records[:-1])  # one cell is missing
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]
    heads = (f"text (length {length}), test, nats_per_char ↓" for length in lengths)
    assert rows[0] == ["architecture", "parameters", *heads]
    assert rows[2] == ["arch0", "1,050 to 1,400", "**50**", "**100**", "**200**", "**400**"]
    assert rows[-2] == ["arch8", "1,058 to 1,208", "**50.8**", "**100.8**", "**200.8**", ""]
    assert rows[-1] == ["best baseline", "", *["2 ngram"] * 4]
    assert len(rows) == 2 + len(archs) + 1 and len({len(row) for row in rows}) == 1
    assert "One run each; 112 minutes in total, 2 x CPU. Commands:" in table and "python -m apps.toy train" in table


def test_spread_seeds_and_published_figures_are_shown_side_by_side():
    published = {"name": "paper", "value": 1.3, "source": None}
    more = {"std": 0.0123, "n": 3, "over": "seeds", "published": published}
    table = tables.table([r | more for r in grid([f"arch{n}" for n in range(31)], [50])])
    assert "| 50 ± 0.0123 |" in table and "| published | | 1.3 paper |" in table and "Means of 3 seeds" in table


def test_many_records_of_one_architecture_have_a_row_per_data_set_with_the_first_metrics():
    metrics = [f"metric_{letter}" for letter in "abcdefg"]
    paper = {"published": {"name": "paper", "value": 1.3, "source": None}}
    records = [r | {"metric": metric} for r in grid(["gru"], [50, 100, 200]) for metric in metrics]
    records[0] |= paper | {"ahead": [-0.1, 0.2]}
    table = tables.table(records)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]
    assert rows[0] == ["data", "architecture", "parameters", *(f"{m} ↓" for m in metrics[:3]), "runs", "minutes"]
    assert rows[2][:3] == ["text (length 50), test", "gru", "1,050"]
    assert rows[2][3:5] == ["**50** (= 2 ngram); published 1.3 paper", "**50** (~ 2 ngram)"]  # none was recorded
    assert len(rows) == 5 and len({len(row) for row in rows}) == 1 and "Further metrics: `results.json`." in table
    assert tables.table(records[:6]).startswith(tables.HEADER[0])


def test_commands_that_differ_in_one_value_are_a_loop():
    told = [f"python -m apps.toy train --length {n} --seeds 3" for n in (50, 100, 200)] + ["python -m apps.toy train"]
    table = tables.table([r | {"command": c} for r, c in zip(grid(["gru"], [50, 100, 200, 400]), told, strict=True)])
    assert table.endswith(
        "```\nfor value in 50 100 200; do python -m apps.toy train --length $value --seeds 3; done\n"
        "python -m apps.toy train\n```"
    )


def test_architectures_of_equal_size_have_a_table_of_their_own_and_replace_no_record_of_a_recipe(folder):
    results.keep([RECORD], folder)
    told = "python -m apps compare --app toy --arch"
    equal = [
        RECORD | {"arch": arch, "budget": 60_000, "value": value, "command": f"{told} {arch} --params 60k"}
        for arch, value in (("lstm", 1.7), ("gru", 1.6))
    ]
    results.keep(equal, folder)
    assert [(r["budget"], r["arch"], r["value"]) for r in kept(folder)] == [
        (None, "lstm", 1.5),
        (60_000, "gru", 1.6),
        (60_000, "lstm", 1.7),
    ]
    first, second = (folder / "README.md").read_text().split("| 60,000 parameters each, without embeddings |")
    assert "**1.5**" in first and "gru" not in first
    assert second.startswith(" gru | lstm | best baseline | runs | minutes |")
    assert "| text, test nats_per_char ↓ | **1.6** (1,234) | **1.7** (1,234) | 2 ngram | 1 | 3.2 |" in second
    assert f"Measured by `{told} gru --params 60k`, `{told} lstm --params 60k`" in second


def test_records_of_one_architecture_in_two_sizes_stay_in_rows():
    records = grid([f"arch{n}" for n in range(31)], [50])
    assert tables.table([*records, records[0] | {"params": 9}]).startswith(tables.HEADER[0])
