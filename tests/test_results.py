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


def test_lengths_are_sorted_as_numbers(tmp_path):
    path = tmp_path / "results.json"
    results.record(path, [RECORD | {"data": f"toy T={length}"} for length in (100, 1000, 50)])
    assert [r["data"] for r in json.loads(path.read_text())] == ["toy T=50", "toy T=100", "toy T=1000"]


def grid(archs, lengths):
    """As a sweep records it; the value tells the cell."""
    return [
        RECORD | {"arch": arch, "data": f"toy T={length}", "value": length + n / 10, "params": 1000 + n + length}
        for length in lengths
        for n, arch in enumerate(archs)
    ]


def test_many_records_are_shown_side_by_side_one_row_an_architecture():
    archs, lengths = [f"arch{n}" for n in range(9)], (50, 100, 200, 400)
    records = grid(archs, lengths)
    table = results.table(records[:-1])  # one cell is missing
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]
    assert rows[0] == ["arch", "parameters", *(f"toy T={length}, test, nats_per_char" for length in lengths)]
    assert rows[2] == ["arch0", "1,050 to 1,400", "**50**", "**100**", "**200**", "**400**"]
    assert rows[-2] == ["arch8", "1,058 to 1,208", "**50.8**", "**100.8**", "**200.8**", ""]
    assert rows[-1] == ["simple baseline", "", *["2 ngram"] * 4]
    assert len(rows) == 2 + len(archs) + 1 and len({len(row) for row in rows}) == 1
    assert "One seed; 112 minutes in all, 2 x CPU. By:" in table and "python -m apps.toy train" in table


def test_spread_seeds_and_published_figures_are_kept_side_by_side():
    more = {"std": 0.0123, "seeds": 3, "published": {"name": "paper", "value": 1.3}}
    table = results.table([r | more for r in grid([f"arch{n}" for n in range(31)], [50])])
    assert "**50** ± 0.0123" in table and "| published | | 1.3 paper |" in table and "Means of 3 seeds" in table


def test_records_of_one_architecture_in_two_sizes_stay_in_rows():
    records = grid([f"arch{n}" for n in range(31)], [50])
    assert results.table([*records, records[0] | {"params": 9}]).startswith(results.HEADER[0])


@pytest.mark.parametrize(
    "direction, value, said",
    [
        ("lower", 1.9, "the network wins"),
        ("lower", 2.1, "ngram wins"),
        ("higher", 2.1, "the network wins"),
        ("higher", 1.9, "ngram wins"),
        ("higher", 2.0, "a tie"),
    ],
)
def test_the_winner_is_the_one_with_the_better_figure(direction, value, said):
    assert results.winner(RECORD | {"direction": direction, "value": value}) == said


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
