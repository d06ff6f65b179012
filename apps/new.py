"""Creates a new app: a copy of an existing one, with its own name, runs, results and tests."""

import contextlib
import dataclasses
import importlib
import io
import json
import keyword
import re
import shutil
import tempfile
from pathlib import Path

from shared import InputError, MissingFileError, files, tables
from shared.data.doctor import PROBLEM

from .gallery import gallery
from .options import New

ROOT = Path(__file__).parents[1]
NAME = re.compile(r"[a-z][a-z0-9_]*")
LEFT_OUT = ("__pycache__", "results.json", "*.png", "*.gif", "*.mid", "*.wav")  # results and plots of the source app
DEFAULT = re.compile(r"^DEFAULT = Config\((?=\))", re.MULTILINE)

NEXT = """
{folder} is ready. It trains, predicts and passes its tests unchanged:
  python -m apps.{name} train
  python -m pytest tests/apps -k {name}
Then edit, in this order: sources.py or data.py for your data, config.py for its size, model.py for the network."""


def new(options: New) -> None:
    """Runs the new command."""
    known = [name for name, _ in gallery()]
    if options.source not in known:
        raise InputError(f"--from: expected one of {', '.join(known)}; received {options.source!r}")
    if not NAME.fullmatch(options.name) or keyword.iskeyword(options.name):
        raise InputError(
            f"Expected a name of lower-case letters, digits and _, such as my_app, and no word of Python's own. "
            f"Received: {options.name!r}"
        )
    folder = ROOT / "apps" / options.name
    if folder.exists() or options.name in {path.stem for path in Path(__file__).parent.glob("*.py")}:
        raise InputError(f"{options.name} already exists, see {folder}: choose another name.")
    if taken := [*tests_of(options.name, ROOT), *(ROOT / "tests").glob(f"test_{options.name}.py")]:
        raise InputError(f"There are tests of that name, {taken[0].relative_to(ROOT)}: choose another name.")
    if options.data and not Path(options.data).exists():
        raise MissingFileError(f"--data: expected a file or folder. There is no {options.data}")
    if options.data:
        check_own_data(options.source, options.data, options.name)
    copy_app(options.source, options.name, options.data)
    copy_tests(options.source, options.name)
    print(NEXT.format(folder=folder.relative_to(ROOT), name=options.name).lstrip())


def check_own_data(source: str, data: str, name: str) -> None:
    """Reads a file as the source app would, and prints a hint if results on it would mislead.

    Raises:
        InputError: the app cannot be trained on it.
    """
    try:
        own = dataclasses.replace(
            importlib.import_module(f"apps.{source}.config").DEFAULT, data=str(Path(data).resolve())
        )
    except InputError as error:
        raise InputError(
            f"--data: expected without --from {source}, which takes no data of your own ({error})"
        ) from error
    look = importlib.import_module(f"apps.{source}.check_data").look
    notes = io.StringIO()  # of the reader, which the first training prints again
    try:
        with contextlib.redirect_stdout(notes), contextlib.redirect_stderr(notes):
            found = look(own)
    except InputError as error:
        raise InputError(f"--data: expected data that {source} can be trained on by default. {error}") from error
    if any(finding.level == PROBLEM for finding in found.findings):
        print(f"Results on this data would mislead: see python -m apps.{name} check-data")


def copy_app(source: str, name: str, data: str = "", root: Path | None = None) -> None:
    """Copies the folder: renamed, without plots, and with `data` as the default training data.

    The copy is created atomically.
    """
    root = root or ROOT
    ready = Path(tempfile.mkdtemp(dir=root / "apps", prefix=".new-"))
    try:
        shutil.copytree(root / "apps" / source, ready, ignore=shutil.ignore_patterns(*LEFT_OUT), dirs_exist_ok=True)
        for path in ready.rglob("*.py"):
            path.write_text(renamed(path.read_text(encoding="utf-8"), source, name), encoding="utf-8")
        card = ready / "README.md"
        card.write_text(
            marked(emptied(renamed(card.read_text(encoding="utf-8"), source, name)), source), encoding="utf-8"
        )
        tables.replace(card, f"No results yet: `python -m apps.{name} evaluate --record` fills this table.")
        files.write_json(ready / "results.json", [])
        if data:
            settings = ready / "config.py"
            text = settings.read_text(encoding="utf-8")
            settings.write_text(with_data(text, str(Path(data).resolve())), encoding="utf-8")
        ready.rename(root / "apps" / name)
    finally:
        shutil.rmtree(ready, ignore_errors=True)


def tests_of(app: str, root: Path) -> list[Path]:
    """Returns an app's own tests: test_APP.py and test_APP_*.py, but not those of an app with a longer name."""
    longer = [name for name, _ in gallery() if name.startswith(f"{app}_")]
    found = sorted((root / "tests/apps").glob(f"test_{app}*.py"))
    return [p for p in found if owned(p.stem, app) and not any(owned(p.stem, name) for name in longer)]


def owned(stem: str, app: str) -> bool:
    """Returns whether a file of tests has the name of this app's, with or without a further word."""
    return stem == f"test_{app}" or stem.startswith(f"test_{app}_")


def copy_tests(source: str, name: str, root: Path | None = None) -> None:
    """Copies the source app's own tests; generic tests find the new app by its folder."""
    root = root or ROOT
    for path in tests_of(source, root):
        target = path.with_name(path.name.replace(source, name, 1))
        files.write_text(target, renamed(path.read_text(encoding="utf-8"), source, name))


def renamed(text: str, source: str, name: str) -> str:
    """Replaces the app's name where it is used as a name: in paths, module names and quotation marks.

    >>> renamed('python -m apps.translation translate  # apps/translation, a translation', "translation", "mine")
    'python -m apps.mine translate  # apps/mine, a translation'
    >>> renamed('{"translation": text}, found[0]["translation"], APPS = ["translation"]', "translation", "mine")
    '{"translation": text}, found[0]["translation"], APPS = ["mine"]'
    """
    word = re.escape(source)
    text = re.sub(rf"\b(apps[./]|APP=|runs/){word}\b", rf"\g<1>{name}", text)
    # Keys of dicts are left as they are: {"translation": text}, answer["translation"].
    return re.sub(rf"""(?<!\w\[)(?<![)\]]\[)(["']){word}(?=["'/])(?!["']:)""", rf"\g<1>{name}", text)


def emptied(card: str) -> str:
    """Removes from a model card the plots of another app's runs."""
    return re.sub(r"^!\[[^]]*]\([^)]*\)\n\n?", "", card, flags=re.MULTILINE)


def marked(card: str, source: str) -> str:
    """Adds a note below the card's title that the figures in its text are another app's."""
    title, rest = card.split("\n", 1)
    note = (
        f"> Copied from [{source}](../{source}/README.md): figures and examples below are that app's. Write your own."
    )
    return f"{title}\n\n{note}\n{rest}"


def with_data(settings: str, data: str) -> str:
    """Returns the text of config.py with this data in its default recipe."""
    changed, count = DEFAULT.subn(lambda match: f"{match[0]}data={json.dumps(data)}", settings)
    if count != 1:
        raise InputError(
            "--data: expected one line DEFAULT = Config() in config.py of the app to copy. "
            "Leave --data out, and name your file there in the copy."
        )
    return changed
