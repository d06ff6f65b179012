"""Who may import whom, read from the source: nothing is run."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted([*(ROOT / "shared").rglob("*.py"), *(ROOT / "apps").rglob("*.py")])
APPS = sorted(path.name for path in (ROOT / "apps").iterdir() if (path / "config.py").exists())
LOWER = ("shared/data/", "shared/layers/")


def imported(path: Path) -> set[str]:
    """Absolute names of all modules that the file imports anywhere in it."""
    package = ".".join(path.relative_to(ROOT).with_suffix("").parts[:-1])
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = f"{package}." if node.level else ""
            module = f"{base}{node.module or ''}".rstrip(".")
            names |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return names


def below(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    place, names = str(path.relative_to(ROOT)), imported(path)
    if not place.startswith("shared/layers/backend/"):
        assert not [name for name in names if below(name, "tensorflow", "jax", "torch")], "backends only in backend/"
    if place.startswith("shared/"):
        assert not [name for name in names if below(name, "apps")], "shared never imports apps"
    if place.startswith(LOWER):
        own = ".".join(Path(place).parts[:2])
        others = [name for name in names if below(name, "shared") and name not in ("shared", "shared.InputError")]
        allowed = (own, "shared.MissingFileError")
        assert not [name for name in others if not below(name, *allowed)], "data and layers stand alone"


@pytest.mark.parametrize("app", APPS)
def test_an_app_imports_no_other_app_and_itself_only_relatively(app):
    for path in (ROOT / "apps" / app).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            absolute = isinstance(node, ast.ImportFrom) and not node.level and below(node.module or "", "apps")
            absolute |= isinstance(node, ast.Import) and any(below(alias.name, "apps") for alias in node.names)
            assert not absolute, f"{path.name}, line {node.lineno}: a copied folder must run unedited"


@pytest.mark.parametrize("app", APPS)
def test_the_model_does_not_know_the_data(app):
    assert f"apps.{app}.data" not in imported(ROOT / "apps" / app / "model.py")


LIGHT = [
    "shared",
    "shared.layers",
    "shared.cli",
    "shared.runs",
    "shared.data.text",
    "shared.data.fetch",
    "shared.data.tfds",
    "apps",
    *(f"apps.{app}.__main__" for app in APPS),
]
HEAVY = {"tensorflow", "jax", "torch", "keras", "tensorflow_datasets"}


def test_importing_what_a_command_line_needs_starts_no_backend():
    """One after the other in one new process, which says what each has brought along."""
    code = f"""
import importlib, json, sys
found = {{}}
for module in {LIGHT}:
    before = set(sys.modules)
    importlib.import_module(module)
    found[module] = sorted({HEAVY} & (set(sys.modules) - before))
print(json.dumps(found))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {module: [] for module in LIGHT}


def test_checking_data_starts_keras_without_tensorflow(tmp_path):
    """In one new process, as any other test has started a backend: `check-data` of an app, then the modules of all."""
    code = f"""
import importlib, os, sys
os.environ.pop("KERAS_BACKEND", None)
from shared import cli
words = ["check-data", "--recipe", "smoke", "--out", {str(tmp_path / "picture.png")!r}]
status = cli.main("apps.memory_probe", importlib.import_module("apps.memory_probe.options").verbs, words)
for app in {APPS}:
    importlib.import_module(f"apps.{{app}}.check_data")
print(status, "tensorflow" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 False", done.stdout + done.stderr
