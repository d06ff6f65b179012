"""`python -m apps`: the table, a new app from one that is there, the list of runs."""

import importlib.util
import json
import os
import re
import shutil
import sys
from pathlib import Path

import keras
import pytest

import apps
from apps import gallery, new
from shared import InputError
from tests.commands import APPS, ROOT, run_here


def typed(*words, stdin="", **environment):
    return run_here("apps", *words, stdin=stdin, **environment)


def test_the_gallery_lists_every_app():
    listed = dict(gallery.gallery())
    assert sorted(listed) == APPS and all(listed.values())
    assert all(name in typed().stdout for name in APPS)


# A new app


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A copy of apps and of their tests, in which a new app may be made."""
    for part in ("apps", "tests/apps"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(new, "ROOT", tmp_path)
    monkeypatch.setattr(apps, "__path__", [str(tmp_path / "apps")])
    before = set(sys.modules)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("apps.") and name not in before]:
        del sys.modules[name]


@pytest.mark.parametrize("source", APPS)
def test_a_new_app_has_a_name_tests_and_an_empty_table_of_its_own(source, checkout):
    name = f"a_{source}"  # one for each, since TFDS keeps the names of builders
    new.copy_app(source, name, root=checkout)
    new.copy_tests(source, name, root=checkout)
    folder = checkout / "apps" / name
    assert json.loads((folder / "results.json").read_text()) == []
    card = (folder / "README.md").read_text()
    assert f"Copied from [{source}]" in card.split("\n")[2] and len(card.splitlines()) <= 120
    assert "No results yet" in card and "![" not in card and f"python -m apps.{source} " not in card
    assert not list((checkout / "apps").glob(".new-*"))
    tests = sorted(path.name for path in (checkout / "tests/apps").glob(f"test_{name}*.py"))
    assert tests == sorted(p.name.replace(source, name) for p in (ROOT / "tests/apps").glob(f"test_{source}*.py"))
    written = [*folder.glob("*.py"), *(checkout / "tests/apps" / name for name in tests)]
    for path in written:
        compile(path.read_text(), str(path), "exec")
        assert f"apps.{source}" not in path.read_text(), path
    for copied in tests:  # beside those of the source, as `pytest tests/apps` does
        importlib.import_module(f"tests.apps.{copied.replace(name, source).removesuffix('.py')}")
        found = importlib.util.spec_from_file_location(f"copied_from_{source}", checkout / "tests/apps" / copied)
        found.loader.exec_module(importlib.util.module_from_spec(found))
    assert {path.name for path in folder.glob("*.py")} == {path.name for path in (ROOT / "apps" / source).glob("*.py")}


@pytest.mark.slow
def test_a_new_app_trains_on_the_user_s_file_by_default(checkout, tmp_path):
    rows = [f"{text} number {n},{label}" for n in range(30) for text, label in (("good", "yes"), ("bad", "no"))]
    (tmp_path / "my.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    made = typed("new", "my_app", "--from", "sentiment_analysis", "--data", str(tmp_path / "my.csv"))
    assert made.returncode == 0, made.stderr
    assert "python -m apps.my_app train" in made.stdout
    small = ["--units", "4", "--embedding", "4", "--buckets", "1", "--epochs", "1"]
    done = run_here("apps.my_app", "train", *small, GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 0, done.stderr
    answer = run_here("apps.my_app", "predict", "good number 7", GALLERY_RUNS=str(tmp_path / "runs"))
    assert answer.returncode == 0 and "yes" in answer.stdout


def edit(root, diff):
    """Applies a block of changes as the README prints it: a file, then its lines, with - and + where they change."""
    for name, changes in re.findall(r"^(apps/\S+): .*\n((?:[-+ ].*\n)+)", diff, re.MULTILINE):
        lines = changes.splitlines(keepends=True)
        before, after = ("".join(line[1:] for line in lines if line[0] in kept) for kept in ("- ", "+ "))
        text = (root / name).read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{before!r} in {name}"
        (root / name).write_text(text.replace(before, after), encoding="utf-8")


@pytest.mark.slow
def test_the_three_edits_of_the_readme_make_an_app_of_one_s_own(checkout, tmp_path):
    for n in range(40):
        for text, label in (("a good offer", "wanted"), ("bad money", "spam")):
            path = tmp_path / "folder" / label / f"{n}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}, number {n}")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "python -m apps new mails --from sentiment_analysis" in readme
    assert typed("new", "mails", "--from", "sentiment_analysis").returncode == 0
    (diff,) = re.findall(r"```diff\n(.*?)```", readme, re.DOTALL)
    edit(checkout, diff)
    for path in ("sources.py", "config.py", "model.py"):
        assert (checkout / "apps/mails" / path).read_text() != (ROOT / "apps/sentiment_analysis" / path).read_text()
    runs = {"GALLERY_RUNS": str(tmp_path / "runs")}
    small = ["--embedding", "4", "--pieces", "0", "--buckets", "1", "--epochs", "1"]
    done = run_here("apps.mails", "train", "--data", str(tmp_path / "folder"), *small, **runs)
    assert done.returncode == 0, done.stderr
    answer = run_here("apps.mails", "predict", "a good offer", **runs)
    assert answer.returncode == 0 and "spam" in answer.stdout and "wanted" in answer.stdout
    (path,) = (tmp_path / "runs" / "mails").iterdir()
    assert json.loads((path / "config.json").read_text())["config"]["layers"] == 2
    assert keras.models.load_model(path / "model.keras").get_layer("hidden").units == 32


@pytest.mark.parametrize(
    "words, said",
    [
        (["my-app", "--from", "translation"], "Expected a name of lower-case letters"),
        (["translation", "--from", "translation"], "choose another name"),
        (["runs", "--from", "translation"], "choose another name"),
        (["my_app", "--from", "sentiment"], "--from: expected one of"),
        (["my_app", "--from", "translation", "--data", "nowhere.tsv"], "There is no nowhere.tsv"),
        (["my_app", "--from", "memory_probe", "--data", __file__], "expected without --from memory_probe"),
        (
            ["my_app", "--from", "sentiment_analysis", "--data", __file__],
            "that sentiment_analysis can be trained on",
        ),
        (["class", "--from", "translation"], "no word of Python's own"),
        (["contract", "--from", "memory_probe"], "There are tests of that name, tests/apps/test_contract.py"),
        (["evaluate_own_data", "--from", "memory_probe"], "There are tests of that name"),
    ],
)
def test_a_new_app_that_cannot_be_is_refused_in_one_line_and_nothing_is_left(words, said, checkout):
    before = sorted(checkout.rglob("*"))
    done = typed("new", *words)
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1
    assert sorted(checkout.rglob("*")) == before


def test_the_tests_of_an_app_with_a_longer_name_are_its_own(monkeypatch, tmp_path):
    monkeypatch.setattr(new, "gallery", lambda: [("mine", ""), ("mine_too", ""), ("mine2", "")])
    (tmp_path / "tests/apps").mkdir(parents=True)
    for name in ("mine", "mine_data", "mine2", "mine2_data", "mine_too", "mine_too_data"):
        (tmp_path / f"tests/apps/test_{name}.py").touch()
    assert [path.stem for path in new.tests_of("mine", tmp_path)] == ["test_mine", "test_mine_data"]
    assert [path.stem for path in new.tests_of("mine_too", tmp_path)] == ["test_mine_too", "test_mine_too_data"]


def test_only_a_name_is_renamed():
    text = "a translation\npython -m apps.translation translate\nNAME = 'translation'\nruns/translation/x"
    assert new.renamed(text, "translation", "mine") == (
        "a translation\npython -m apps.mine translate\nNAME = 'mine'\nruns/mine/x"
    )


def test_a_default_that_is_not_there_is_not_replaced():
    with pytest.raises(InputError, match="DEFAULT"):
        new.with_data("DEFAULT = Config(units=3)\n", "x")
    assert new.with_data("DEFAULT = Config()\n", "a b.csv") == 'DEFAULT = Config(data="a b.csv")\n'


# Runs


@pytest.fixture
def folder(tmp_path):
    """Two runs, one of them not finished."""
    for app, name, epochs in (("toy", "first", 1), ("chat/talk", "second", 2)):
        path = tmp_path / app / name
        path.mkdir(parents=True)
        config = {"data": "builtin", "arch": "gru", "epochs": epochs}
        (path / "config.json").write_text(json.dumps({"app": app, "format": 2, "config": config}))
    record = {"headline": True, "split": "test", "metric": "f1", "options": {}, "value": 0.5}
    (tmp_path / "toy/first/metrics.json").write_text(json.dumps([record]))
    return tmp_path


def test_every_run_is_listed_with_its_figure(folder):
    done = typed("runs", GALLERY_RUNS=str(folder))
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "builtin" in lines["toy/first"] and "test f1 0.5" in lines["toy/first"]
    assert "not finished" in lines["chat/talk/second"]
    assert "second" not in typed("runs", "--app", "toy", GALLERY_RUNS=str(folder)).stdout


def test_runs_in_a_hidden_folder_are_listed_and_those_half_made_are_not(folder):
    (folder / ".hidden").mkdir()
    for app in ("toy", "chat"):
        (folder / app).rename(folder / ".hidden" / app)
    shutil.copytree(folder / ".hidden/toy/first", folder / ".hidden/toy/.first.new")
    done = typed("runs", GALLERY_RUNS=str(folder / ".hidden"))
    assert "toy/first " in done.stdout and ".new" not in done.stdout


def test_the_run_whose_model_is_the_newest_is_listed_first_whatever_was_done_to_others_since(folder):
    for seconds, path in enumerate(("toy/first/model.keras", "chat/talk/second/model.keras")):
        (folder / path).touch()
        os.utime(folder / path, (1e9 + 60 * seconds, 1e9 + 60 * seconds))
    (folder / "toy/first/reach.png").touch()
    listed = typed("runs", GALLERY_RUNS=str(folder)).stdout.splitlines()
    assert [line.split()[0] for line in listed[1:]] == ["chat/talk/second", "toy/first"]


def test_two_runs_are_compared_by_what_differs(folder):
    done = typed("runs", "--compare", "toy/first", "chat/talk/second", GALLERY_RUNS=str(folder))
    assert done.stdout.splitlines()[1].split() == ["epochs", "1", "2"] and "arch" not in done.stdout


def test_a_run_is_deleted_only_after_a_yes(folder):
    kept = typed("runs", "--delete", "toy/first", stdin="no\n", GALLERY_RUNS=str(folder))
    assert kept.returncode == 2 and "was not deleted" in kept.stderr and (folder / "toy/first").exists()
    assert typed("runs", "--delete", "toy/first", GALLERY_RUNS=str(folder)).returncode == 2
    assert typed("runs", "--delete", "toy/first", stdin="yes\n", GALLERY_RUNS=str(folder)).returncode == 0
    assert not (folder / "toy/first").exists() and (folder / "chat/talk/second").exists()


@pytest.mark.parametrize(
    "words, said",
    [
        (["--delete", "toy/nowhere"], "There is no toy/nowhere"),
        (["--delete", ".."], "There is no .."),
        (["--compare", "toy/first"], "expected two runs"),
        (["--app", "nothing"], "--app: expected one of chatbot"),
        (["--app", "chatbot"], "There is no run in"),
    ],
)
def test_a_run_that_is_not_there_is_refused_in_one_line(words, said, folder):
    done = typed("runs", *words, GALLERY_RUNS=str(folder))
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1
    assert Path(folder / "toy/first").exists()
