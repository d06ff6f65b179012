"""What every app folder must have and do; the folders are found, not listed."""

import ast
import contextlib
import dataclasses
import importlib
import io
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

ROOT = Path(__file__).parents[2]
APPS = sorted(path.name for path in (ROOT / "apps").iterdir() if (path / "config.py").exists())
FILES = [
    "README.md",
    "__init__.py",
    "__main__.py",
    "config.py",
    "data.py",
    "model.py",
    "train.py",
    "predict.py",
]
HUNG_S = 1200  # a training of the slow tests takes minutes on a busy machine; what takes longer hangs
every_app = pytest.mark.parametrize("app", APPS)


def run(*words: str, cwd: Path = ROOT, stdin: str = "", **environment: str) -> subprocess.CompletedProcess:
    """A command as a user types it, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=cwd,
        env=os.environ | environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=HUNG_S,
    )


def run_here(app: str, *words: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess:
    """The same in this process, which has started the backend already: for what takes no time else."""
    out, err, typed = io.StringIO(), io.StringIO(), io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
    with (
        mock.patch.dict(os.environ, environment),
        mock.patch.object(sys, "argv", [app, *words]),
        mock.patch.object(sys, "stdin", typed),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as end,
    ):
        runpy.run_module(app, run_name="__main__")
    status = end.value.code if isinstance(end.value.code, int) else 1
    return subprocess.CompletedProcess([app, *words], status, out.getvalue(), err.getvalue())


@every_app
def test_an_app_has_its_files_and_one_sentence(app):
    folder = ROOT / "apps" / app
    assert [name for name in FILES if not (folder / name).exists()] == []
    sentence = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    assert sentence and "\n" not in sentence


@every_app
def test_every_setting_has_a_comment_for_help(app):
    source = (ROOT / "apps" / app / "config.py").read_text(encoding="utf-8").splitlines()
    config = importlib.import_module(f"apps.{app}.config")
    for field in dataclasses.fields(config.Config):
        number = next(n for n, line in enumerate(source) if line.startswith(f"    {field.name}:"))
        assert source[number - 1].strip().startswith("#"), f"{field.name} has no comment"
    assert isinstance(config.DEFAULT, config.Config) and isinstance(config.SMOKE, config.Config)


@every_app
def test_the_model_card_is_at_most_120_lines(app):
    assert len((ROOT / "apps" / app / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


@every_app
def test_no_app_trains_uncompiled_on_jax(app):
    # There Keras's False leaves everything uncompiled, and a step takes as long as an epoch.
    assert [f.name for f in (ROOT / "apps" / app).rglob("*.py") if "jit_compile=False" in f.read_text("utf-8")] == []


@pytest.mark.slow
@every_app
def test_a_copied_folder_trains_and_predicts_unedited(app, tmp_path):
    shutil.copytree(ROOT / "shared", tmp_path / "shared")
    (tmp_path / "apps").mkdir()
    shutil.copy(ROOT / "apps/__init__.py", tmp_path / "apps")
    shutil.copytree(ROOT / "apps" / app, tmp_path / "apps/my_copy")
    done = run("apps.my_copy", "train", "--recipe", "smoke", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "runs/my_copy").glob("*/model.keras"))


def test_the_gallery_lists_every_app():
    listed = run("apps").stdout
    assert [app for app in APPS if app not in listed] == []
