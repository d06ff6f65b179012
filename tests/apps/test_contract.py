"""What every app folder must have and do; the folders are found, not listed."""

import ast
import base64
import dataclasses
import functools
import importlib
import json
import os
import re
import shlex
import shutil
import typing
import wave
from pathlib import Path
from typing import Annotated
from unittest import mock

import numpy as np
import pytest
from annotated_types import Ge, Gt, Le, Lt
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import apps
from shared import InputError, cli, serve, settings
from shared.settings import OneOf
from tests.commands import APPS, ROOT, contents, run, run_here, trained
from tests.serving import ask, served

MODULES = "__init__ __main__ config options data check_data model train predict evaluate"
FILES = ["README.md", *(f"{name}.py" for name in str.split(MODULES))]
# module -> function or class -> the names its arguments begin with
CONTRACT = {
    "data": {"load": ["config"]},
    "check_data": {"look": ["config"], "check_data": ["options"]},
    "model": {"build": ["config", "info"]},
    "train": {"train": ["options"], "train_one": ["config", "run"]},
    "predict": {"Predictor": ["self", "run"]},
    "evaluate": {"measure": ["predictor", "data"], "evaluate": ["options"]},
    "options": {"verbs": ["words"]},
}
PLUMBING = {"_flag", "flag", "command", "recipe", "siblings", "summary", "keep", "record", "_record", "_texts"}
every_app = pytest.mark.parametrize("app", APPS)


def module(app, name):
    return importlib.import_module(f"apps.{app}.{name}")


def tree(app, name):
    return ast.parse((ROOT / "apps" / app / f"{name}.py").read_text(encoding="utf-8"))


def arguments(found):
    """The names of a function's arguments, or of its `__init__` if it is a class."""
    if isinstance(found, ast.ClassDef):
        found = next(n for n in found.body if isinstance(n, ast.FunctionDef) and n.name == "__init__")
    return [argument.arg for argument in found.args.args]


# Files and names


@every_app
def test_an_app_has_its_files_and_one_sentence(app):
    folder = ROOT / "apps" / app
    assert [name for name in FILES if not (folder / name).exists()] == []
    sentence = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    assert sentence and "\n" not in sentence


@every_app
def test_an_app_keeps_the_contract(app):
    for name, wanted in CONTRACT.items():
        defined = {n.name: n for n in tree(app, name).body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        for thing, first in wanted.items():
            assert thing in defined, f"{name}.py has no {thing}"
            assert arguments(defined[thing])[: len(first)] == first, f"{name}.{thing}"
    headline = next(
        n for n in tree(app, "evaluate").body if isinstance(n, ast.Assign) and n.targets[0].id == "HEADLINE"
    )
    metrics = ast.literal_eval(headline.value)
    assert isinstance(metrics, tuple) and all(isinstance(metric, str) for metric in metrics)


@every_app
def test_what_predicts_knows_nothing_of_training_and_measuring(app):
    for name, others in {"predict": {"evaluate", "train"}, "evaluate": {"train"}, "model": {"data", "train"}}.items():
        used = {n.module for n in ast.walk(tree(app, name)) if isinstance(n, ast.ImportFrom) and n.level}
        assert not used & others, f"{name}.py imports {used & others}"


@every_app
def test_an_app_has_no_plumbing_of_its_own(app):
    for path in (ROOT / "apps" / app).rglob("*.py"):
        found = {n.name for n in ast.parse(path.read_text("utf-8")).body if isinstance(n, ast.FunctionDef)}
        assert not found & PLUMBING, f"{path.name}: {found & PLUMBING}"


@every_app
def test_no_name_of_the_folder_stays_in_a_copy(app):
    for path in (ROOT / "apps" / app).rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        code = re.sub(r'"""(?:.|\n)*?"""', "", text)
        assert not re.search(r'package="', code), path.name
        assert not re.search(rf'/ "{app}"|runs\.\w+\("{app}"', code), path.name
        assert f"apps.{app}" not in code, path.name


@every_app
def test_every_setting_has_a_comment_for_help_and_names_no_list_that_the_code_has(app):
    source = (ROOT / "apps" / app / "config.py").read_text(encoding="utf-8").splitlines()
    config = module(app, "config")
    for field in dataclasses.fields(config.Config):
        number = next(n for n, line in enumerate(source) if line.startswith(f"    {field.name}:"))
        assert source[number - 1].strip().startswith("#"), f"{field.name} has no comment"
    assert not any("lstm, gru" in line for line in source if line.strip().startswith("#"))
    assert config.RECIPES["builtin"] is config.DEFAULT and config.RECIPES["smoke"] is config.SMOKE
    assert config.SMOKE.max_examples > 0 and hasattr(config.DEFAULT, "params")


@every_app
def test_the_model_card_is_at_most_120_lines(app):
    assert len((ROOT / "apps" / app / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


@every_app
def test_no_app_trains_uncompiled_on_jax(app):
    # There Keras's False leaves everything uncompiled, and a step takes as long as an epoch.
    assert [f.name for f in (ROOT / "apps" / app).rglob("*.py") if "jit_compile=False" in f.read_text("utf-8")] == []


# The command line


@every_app
def test_verbs_have_one_name_everywhere_and_say_what_they_do(app):
    verbs = module(app, "options").verbs([])
    assert {"train", "evaluate", "check-data", "predict"} <= set(verbs)
    for name, (options, target, *_) in verbs.items():
        file, function = target.split(":")
        where = ROOT / "apps" / app / f"{file.replace('.', '/')}.py"
        assert f"def {function}(" in where.read_text(encoding="utf-8"), target
        said = type(options).__doc__
        assert said[0].isupper() and said.rstrip().endswith("."), f"{name}: {said}"
    run_words = {field.name for field in dataclasses.fields(verbs["predict"][0])}
    assert "run" in run_words and "name" not in run_words


@every_app
def test_help_lists_architectures_and_recipes_from_the_code(app):
    said = "".join(run_here(f"apps.{app}", "train", "--help").stdout.split())
    config = module(app, "config")
    hint = typing.get_type_hints(config.Config, include_extras=True)["arch"]
    known = next(bound.values for bound in typing.get_args(hint) if isinstance(bound, OneOf))
    for names in (known, config.RECIPES):
        plain = re.sub(r"[│|]", "", said)
        assert all(name.replace(" ", "") in plain for name in names)


def values(hint):
    """A strategy for the values of a setting's type, within its range."""
    kind, *bounds = typing.get_args(hint) if typing.get_origin(hint) is Annotated else (hint,)
    choice = next((bound.values for bound in bounds if isinstance(bound, OneOf)), None)
    if choice:
        return st.sampled_from(choice)
    if typing.get_origin(kind) is tuple:
        return st.lists(values(typing.get_args(kind)[0]), max_size=3, unique=True).map(tuple)
    if kind is bool:
        return st.booleans()
    if kind is str:
        texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
        return texts | st.sampled_from(["", "my file.csv", "-x", "--data", 'd\'Or "2"', "été/日本.txt", "$HOME", "a=b"])
    low = next((bound.ge if isinstance(bound, Ge) else bound.gt for bound in bounds if isinstance(bound, Ge | Gt)), -9)
    high = next(
        (bound.le if isinstance(bound, Le) else bound.lt for bound in bounds if isinstance(bound, Le | Lt)), None
    )
    open_low, open_high = (any(isinstance(bound, kind) for bound in bounds) for kind in (Gt, Lt))
    if kind is int:
        return st.integers(low + open_low, low + 500 if high is None else high - open_high)
    return st.floats(low, low + 500 if high is None else high, exclude_min=open_low, exclude_max=open_high)


@every_app
@hypothesis_settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(data=st.data())
def test_the_command_of_any_settings_gives_these_settings_again(app, data):
    config, verbs = module(app, "config"), module(app, "options").verbs
    hints = typing.get_type_hints(config.Config, include_extras=True)
    some = data.draw(st.sets(st.sampled_from(sorted(hints)), min_size=1, max_size=4))
    changed = {name: data.draw(values(hints[name]), label=name) for name in sorted(some)}
    # The words of a list cannot begin with a dash on any command line.
    assume(not any(str(word).startswith("-") and not str(word)[1:2].isdigit()
                   for value in changed.values() if isinstance(value, tuple) for word in value))  # fmt: skip
    try:
        wanted = dataclasses.replace(config.DEFAULT, **changed)
    except InputError:  # settings that do not go together
        assume(False)
    said = settings.command(app, wanted, config.RECIPES)
    words = shlex.split(said)[3:]
    assert cli.parse(f"apps.{app}", verbs(words), words).config == wanted


@every_app
@pytest.mark.parametrize(
    "words, line",
    [
        (["--seeds", "0"], "--seeds: expected at least 1; received 0"),
        (["--seeds", "2", "--run", "mine"], "--run: expected with one seed"),
        (["--seed", "4294967295", "--seeds", "2"], "--seeds: expected at most 1 from seed 4294967295 on"),
        (["--seed", "4294967296"], "--seed: expected at least 0 and at most 4294967295"),
        (["--recipe", "huge"], "--recipe: expected one of builtin"),
        (["--arch", "transformer"], "--arch: expected one of"),
        (["--units", "-1"], "--units: expected at least"),
        (["--params", "-1"], "--params: expected at least"),
        (["--max-examples", "-1"], "--max-examples: expected at least 0; received -1"),
        (["--epochs", "0"], "--epochs: expected at least 1; received 0"),
    ],
)
def test_a_wrong_option_is_refused_in_one_line_before_any_work(app, words, line, tmp_path):
    done = run_here(f"apps.{app}", "train", "--recipe", "smoke", *words, GALLERY_RUNS=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert line in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@every_app
def test_what_is_not_there_is_refused_before_a_backend_starts(app, tmp_path, monkeypatch):
    monkeypatch.setattr(cli, "_quiet_start", lambda: pytest.fail("started"))
    for words in (("evaluate", "--run", "nosuch"), ("train", "--data", "nosuch.csv")):
        done = run_here(f"apps.{app}", *words, GALLERY_RUNS=str(tmp_path))
        assert (done.returncode, done.stdout) == (2, "")
        assert words[-1] in done.stderr and len(done.stderr.strip().splitlines()) == 1


# A finished run


def figures(folder):
    """The records of the only run."""
    (path,) = folder.glob("*/*/metrics.json")
    return json.loads(path.read_text())


@every_app
def test_a_smoke_training_measures_one_headline(app):
    folder, _ = trained(app)
    records = figures(folder)
    (main,) = (r for r in records if r["headline"])
    assert main is records[0] and main["metric"] in module(app, "evaluate").HEADLINE
    assert main["n"] == 1 and main["baselines"]
    assert main["command"].startswith(f"python -m apps.{app} train --data ")


@every_app
def test_a_repeated_training_changes_nothing_in_a_finished_run(app):
    folder, _ = trained(app)
    before = contents(folder)
    done = run_here(f"apps.{app}", "train", "--recipe", "smoke", GALLERY_RUNS=str(folder))
    assert done.returncode == 0, done.stderr
    assert "is finished; --fresh trains it again" in done.stdout
    assert contents(folder) == before


# What a program answers: an input of each app, and the words of predict that say the same.
CLIP = "apps/video_prediction/examples/clips/ball.mp4"
MUSIC = {"key": "G major", "bars": 8, "seed": 1, "free": True}
SAID = {
    "chatbot": ("wake me up at seven", ["wake me up at seven"]),
    "healthcare_monitoring": ("example.csv", ["example.csv"]),
    "memory_probe": ({"values": [0.1, 0.9, 0.4, 0.7], "markers": [1, 3]},
                     ["--values", "0.1,0.9,0.4,0.7", "--markers", "1,3"]),
    "music_composition": (MUSIC, ["--key", "G major", "--bars", "8", "--seed", "1", "--free"]),
    "sentiment_analysis": ("best pizza in town", ["best pizza in town"]),
    "speech_recognition": ("speech.wav", ["speech.wav"]),
    "stock_prediction": ("example.csv", ["example.csv"]),
    "text_generation": ("The value", ["The value", "--temperature", "0", "--length", "80"]),
    "time_series_forecasting": ("example.csv", ["example.csv"]),
    "translation": ("January 2, 2011", ["January 2, 2011"]),
    "video_prediction": (CLIP, [CLIP, "--frames", "2"]),
}  # fmt: skip
# Options of predict that are not its own defaults.
MEANT = {"text_generation": {"temperature": 0, "length": 80}, "video_prediction": {"frames": 2}}
WARM_IN_STREAM = {"chatbot", "sentiment_analysis", "text_generation", "translation"}  # whose tests compile all lengths


@functools.cache
def loaded(app):
    """The predictor of the only run."""
    with mock.patch.dict(os.environ, {"GALLERY_RUNS": str(trained(app)[0])}):
        return importlib.import_module(f"apps.{app}").Predictor.load()


@pytest.fixture
def predictor(app, tmp_path, monkeypatch):
    """The predictor of the only run, which all commands get; files to read lie in the current folder."""
    found = loaded(app)
    monkeypatch.setenv("GALLERY_RUNS", str(trained(app)[0]))
    monkeypatch.chdir(tmp_path)
    if (example := found.run.path / "example.csv").exists():
        shutil.copy(example, "example.csv")
    Path("apps").symlink_to(ROOT / "apps")  # with the examples that the cards name
    with wave.open("speech.wav", "wb") as file:
        file.setparams((1, 2, 8_000, 0, "NONE", ""))
        file.writeframes(np.random.default_rng(0).normal(0, 3000, 16_000).astype("<i2").tobytes())

    class Loaded:
        load = staticmethod(lambda name=None: found)

        def __new__(cls, run):
            return found

    for name in ("serve", "predict", "compose"):
        if (ROOT / "apps" / app / f"{name}.py").exists():
            monkeypatch.setattr(module(app, name), "Predictor", Loaded)
    if app in WARM_IN_STREAM:
        monkeypatch.setattr(found, "warm_up", lambda *search: None)
    return found


@pytest.mark.slow
@every_app
def test_a_program_gets_what_predict_and_serve_print_and_what_the_card_does_works(app, predictor, monkeypatch):
    given, words = SAID[app]
    (answer,) = predictor([given], **MEANT.get(app, {}))
    if app == "video_prediction":  # frames are arrays in a program, and pictures in JSON
        answer = module(app, "predict").as_json(answer)
    expected = json.loads(json.dumps(answer, allow_nan=False))
    assert isinstance(answer, dict) and predictor([]) == []
    done = run_here(f"apps.{app}", "predict", *words, "--json")
    assert done.returncode == 0, done.stderr
    assert {name: value for name, value in json.loads(done.stdout).items() if name != "file"} == expected
    line, verbs, run = given if isinstance(given, str) else json.dumps(given), {}, serve.run
    monkeypatch.setattr(serve, "run", lambda found, *rest: verbs.update(found) or run(found, *rest))
    options = [word for name, value in MEANT.get(app, {}).items() for word in (f"--{name}", str(value))]
    done = run_here(f"apps.{app}", "serve", *options, stdin=f"{line}\n\n")
    assert done.returncode == 0, done.stderr
    assert [text and json.loads(text) for text in done.stdout.splitlines()] == [expected, ""]
    with served(verbs) as server:
        status, _, found = ask(server, body=json.dumps({"inputs": [sent(given)]} | MEANT.get(app, {})))
    renamed = json.dumps(expected).replace('"example"', '"input1"').replace('"ball.mp4"', '"input1.mp4"')
    assert (status, found) == (200, {"answers": [json.loads(renamed)]})
    card = (ROOT / "apps" / app / "README.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(rf"```python\n(from apps.{app} import Predictor\n.*?)```", card, re.DOTALL)
    with mock.patch.dict(os.environ):  # the backend's variables, which are part of what a training depends on
        exec(compile(snippet, "README.md", "exec"), {})


def sent(given):
    """An input as it is sent to a server: the content of a file, in base64 if it is a recording or a video."""
    path = Path(given) if isinstance(given, str) else None
    if path is None or not path.is_file():
        return given
    if path.suffix in (".wav", ".mp4"):
        return base64.b64encode(path.read_bytes()).decode()
    return path.read_text(encoding="utf-8")


MORE_PAGES = {  # of a served run: an input and options
    "music_composition": ("harmonise", "X:1\nM:4/4\nL:1/4\nK:G\nG A B G | A4 |\n", {"beam": 2, "seed": 1}),
    "sentiment_analysis": ("explain", "best pizza in town", {}),
    "text_generation": ("score", "the value", {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("app", MORE_PAGES)
def test_other_verbs_are_served_too_and_print_the_same_as_json(app, predictor, monkeypatch):
    verbs, (verb, given, options) = {}, MORE_PAGES[app]
    monkeypatch.setattr(serve, "run", lambda found, *rest: verbs.update(found))
    module(app, "serve").serve(module(app, "options").Serve())
    with served(verbs) as server:
        status, _, found = ask(server, page=f"/{verb}", body=json.dumps({"inputs": [given]} | options))
        assert status == 200 and len(found["answers"]) == 1, found
        assert ask(server, page=f"/{verb}", body=json.dumps({"inputs": [given], "nothing": 1}))[0] == 400
    if app == "music_composition":
        Path("input1.abc").write_text(given)  # as a server calls it
        given = "input1.abc"
    chosen = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    done = run_here(f"apps.{app}", verb, given, *chosen, "--json")
    assert done.returncode == 0 and json.loads(done.stdout) == found["answers"][0], done.stderr


# Their runs are measured on another backend in a new process, those of the other apps in this one.
ON_JAX = {
    "chatbot", "healthcare_monitoring", "memory_probe", "music_composition", "sentiment_analysis",
    "speech_recognition", "text_generation",
}  # fmt: skip
OPTIONS = {
    "music_composition": ["--pieces", "1", "--melodies", "2"],
    "translation": ["--beams", "5", "2"],
}
MORE = {"translation": {("test", "bleu", " (beam 2)")}}  # than the training has measured
# Of a share, what the answers to a few items of the test part come to, should rounding turn them.
NEAR = {"chatbot": 4e-3, "sentiment_analysis": 4e-3, "healthcare_monitoring": 1e-3, "music_composition": 2e-2}
CHAINED = {"harmonisation_accuracy"}  # one choice that rounding turns changes all that come after it


def printed(said):
    """Split, metric and options -> the network's figure."""
    found = re.findall(r"^  (test|valid) +(\w+)( \(.*?\))? +(-?[\d.,]+)", said, re.MULTILINE)
    return {
        (split, metric, options): float(value.replace(",", ""))
        for split, metric, options, value in found
        if metric not in CHAINED
    }


@pytest.mark.slow
@every_app
def test_evaluating_gives_the_figures_of_the_training_and_changes_no_file_of_the_run(app):
    folder, said = trained(app)
    before, words = contents(folder), [f"apps.{app}", "evaluate", *OPTIONS.get(app, [])]
    if app in ON_JAX:
        # What XLA does to make programs faster takes longer than to run them.
        done = run(*words, GALLERY_RUNS=str(folder), KERAS_BACKEND="jax")
    else:
        done = run_here(*words, GALLERY_RUNS=str(folder))
    assert done.returncode == 0, done.stderr
    expected, found = printed(said), printed(done.stdout)
    assert figures(folder)[0]["metric"] in {metric for _, metric, _ in expected}
    assert set(found) - set(expected) == MORE.get(app, set())
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=NEAR.get(app, 2e-4))
    after = contents(folder)
    assert {name: after.get(name) for name in before} == before


@pytest.mark.slow
@every_app
def test_a_copied_folder_trains_unedited_at_a_number_of_parameters_to_the_same_figures(app, tmp_path, monkeypatch):
    """The number is that of the smoke run: the same width is found, and the same seed gives the same figures."""
    copy = f"my_{app}"  # a name for each, as Python keeps the modules that it has imported
    shutil.copytree(ROOT / "apps" / app, tmp_path / copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(apps, "__path__", [*apps.__path__, str(tmp_path)])
    ours = figures(trained(app)[0])
    words = ["train", "--recipe", "smoke", "--params", str(ours[0]["non_embedding"])]
    done = run_here(f"apps.{copy}", *words, GALLERY_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 0, done.stderr
    theirs = figures(tmp_path / "runs")
    assert {record["app"] for record in theirs} == {copy}
    for name in ("metric", "split", "options", "params", "value", "baselines"):
        assert [record[name] for record in theirs] == [record[name] for record in ours], name


UNUSABLE = {  # a file of each app that is there, but cannot be trained on
    "chatbot": ("own.jsonl", "no JSON\n"),
    "sentiment_analysis": ("own.csv", "text,mood\nfine,good\n"),
    "stock_prediction": ("own.csv", "day,price\n2024-01-02,1\n"),
    "time_series_forecasting": ("own.csv", "when,y\n2024-01-02,1\n"),
    "translation": ("own.tsv", "one sentence alone\n"),
}


@pytest.mark.parametrize("app", UNUSABLE)
def test_what_is_wrong_with_a_small_file_is_said_before_a_backend_starts(app, tmp_path, capsys):
    name, text = UNUSABLE[app]
    (tmp_path / name).write_text(text)
    options = importlib.import_module(f"apps.{app}.options")
    config = dataclasses.replace(options.DEFAULT, data=str(tmp_path / name))
    with pytest.raises(InputError, match=name):
        options.Train(config=config).check()  # which `cli.main` calls first
    assert capsys.readouterr() == ("", "")
