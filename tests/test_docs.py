"""Documentation that cannot go stale: examples in docstrings run, README tables equal results.json."""

import doctest
import importlib
import json
import re
import subprocess

import pytest

from apps.tables import BEGIN, END, headlines
from shared import tables
from tests.commands import ROOT, run_here

MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in sorted((ROOT / "shared").rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]
CARDS = sorted((ROOT / "apps").glob("*/README.md"))


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_in_docstrings_run(module):
    failed, tried = doctest.testmod(importlib.import_module(module))
    assert tried > 0 and failed == 0


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.parent.name)
def test_the_table_in_the_model_card_equals_results_json(card):
    records = json.loads((card.parent / "results.json").read_text(encoding="utf-8"))
    text = card.read_text(encoding="utf-8")
    shown = text.split(tables.BEGIN)[1].split(tables.END)[0].strip()
    assert shown == tables.table(records)


def test_the_table_of_headlines_in_the_readme_equals_the_records():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.split(BEGIN)[1].split(END)[0].strip() == headlines()


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.parent.name)
def test_every_option_that_the_model_card_names_exists(card):
    package = f"apps.{card.parent.name}"
    verbs = set(re.findall(rf"python -m {package} ([\w-]+)", card.read_text(encoding="utf-8")))
    assert verbs
    for verb in verbs:
        shown = run_here(package, verb, "--help")
        assert shown.returncode == 0, shown.stderr
        for line in re.findall(rf"python -m {package} {verb} (.*)", card.read_text(encoding="utf-8")):
            for flag in re.findall(r"(?<!\S)--[\w-]+", line.split("#")[0]):
                assert flag in shown.stdout, f"{verb} {flag}"


@pytest.mark.parametrize("readme", [ROOT / "README.md", *CARDS], ids=lambda path: str(path.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(readme):
    for target in re.findall(r"\]\(([^)#]+)\)", readme.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (readme.parent / target).exists(), target


def test_make_help_names_every_target_of_the_readme():
    known = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in re.findall(r"`make ([a-z-]+)|^make ([a-z-]+)", (ROOT / "README.md").read_text(), re.MULTILINE):
        assert re.search(rf"^{''.join(target)}\s", known, re.MULTILINE), target


def test_the_snippet_of_the_layers_card_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (snippet,) = re.findall(r"```python\n(.*?)```", (ROOT / "shared/layers/README.md").read_text(), re.DOTALL)
    found = {}
    exec(compile(snippet, "README.md", "exec"), found)
    assert tuple(found["output"].shape) == (1, 64) and (tmp_path / "model.keras").exists()


def test_make_demo_names_the_apps_where_there_is_none_of_that_name():
    done = subprocess.run(["make", "demo", "APP=sentiment"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and "There is no app sentiment" in done.stderr and "sentiment_analysis" in done.stderr
