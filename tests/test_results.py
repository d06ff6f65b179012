"""results.json and the tables made from it."""

import json

import pytest

from shared import InputError, results

RECORD = {
    "data": "toy",
    "split": "test",
    "metric": "nats_per_char",
    "direction": "lower",
    "arch": "lstm",
    "params": 1234,
    "value": 1.5,
    "std": None,
    "seeds": 1,
    "baseline": {"name": "ngram", "value": 2.0},
    "published": None,
    "minutes": 3.2,
    "command": "python -m apps.toy train",
    "hardware": "2 x CPU",
    "versions": {},
    "date": "2026-01-01",
}


def test_a_new_measurement_of_the_same_thing_replaces_the_old_one(tmp_path):
    path = tmp_path / "results.json"
    results.record(path, [RECORD, RECORD | {"metric": "bleu"}])
    results.record(path, [RECORD | {"value": 1.4}])
    found = {r["metric"]: r["value"] for r in json.loads(path.read_text())}
    assert found == {"nats_per_char": 1.4, "bleu": 1.5}


def test_the_table_shows_value_spread_baseline_and_command():
    published = {"name": "paper", "value": 1.3}
    table = results.table([RECORD | {"std": 0.0123, "seeds": 3, "published": published}])
    assert "| **1.5** ± 0.0123 (3 seeds) | 2 ngram | 1.3 paper | 3.2 |" in table
    assert "python -m apps.toy train" in table


def test_rendering_replaces_what_stands_between_the_marks_only(tmp_path):
    readme, path = tmp_path / "README.md", tmp_path / "results.json"
    readme.write_text(f"before\n{results.BEGIN}\nold\n{results.END}\nafter\n")
    results.record(path, [RECORD])
    results.render(readme, path)
    text = readme.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert results.table([RECORD]) in text


def test_a_readme_without_marks_is_left_alone(tmp_path):
    (tmp_path / "README.md").write_text("text")
    results.record(tmp_path / "results.json", [RECORD])
    with pytest.raises(InputError, match="Expected the lines"):
        results.render(tmp_path / "README.md", tmp_path / "results.json")
    assert (tmp_path / "README.md").read_text() == "text"
