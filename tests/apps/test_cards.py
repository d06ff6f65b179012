"""The commands of every model card, in its order: what they name is there, and each of them works on smoke runs."""

import dataclasses
import importlib
import pkgutil
import re
import shlex
import shutil
from pathlib import Path

import pytest

from shared import cli, runs
from tests.commands import APPS, ROOT, run_here, trained

every_app = pytest.mark.parametrize("app", APPS)
WRITTEN = ("--out", "--state", "--picture")  # options that name a file to write
TYPED = "the value\n\n"  # for what reads standard input, which then ends
# Commands that are parsed, and whose files are looked for, but that do not run here, and why.
NOT_RUN = {
    r"\| python": "another program is in front of it: a microphone's, or ffmpeg",
    r"# downloads\b": "public data",
    r" sweep ": "27 trainings",
    r" --classical\b": "fits AutoETS for minutes",
    r" train (--recipe \S+|--arch \S+|--target \S+)": "a training of minutes, on the built-in data",
}
# Trainings whose runs later commands of the card use, and what makes them small. Of the others, check-data reads the
# files, with the same options.
TINY = "--max-examples 40 --params 5000 --steps-per-epoch 1 --epochs 1"
TRAINED = {
    r"memory_probe train --data copy": TINY,
    r"memory_probe train --data sequential_digits": TINY,
    r"speech_recognition train --streaming": "--recipe smoke --max-examples 12",
    r"time_series_forecasting train .*sales.csv": "--units 4 --embedding 4 --max-examples 64 --epochs 1",
}


@dataclasses.dataclass(frozen=True)
class Command:
    """A line of a card's section "Commands": all its words, and those for the app."""

    app: str
    line: str

    @property
    def words(self):
        return shlex.split(self.line, comments=True)

    @property
    def asked(self):
        return self.words[self.words.index(f"apps.{self.app}") + 1 :]

    def files(self):
        """(those it reads, those it writes)"""
        before = dict(zip(self.words[1:], self.words, strict=False))
        named = [word for word in self.words if re.search(r"/|\.[a-z]\w+$", word) and word != f"apps.{self.app}"]
        written = [word for word in named if before[word] in WRITTEN]
        return [word for word in named if word not in written], written

    def small(self):
        """The words to run here; none if it does not run."""
        if not (found := [words for line, words in TRAINED.items() if re.search(line, self.line)]):
            known = any(re.search(line, self.line) for line in NOT_RUN)
            return [] if known else [*(["check-data"] if self.asked[0] == "train" else self.asked[:1]), *self.asked[1:]]
        return [*self.asked, *found[0].split()]


def card(app):
    return (ROOT / "apps" / app / "README.md").read_text(encoding="utf-8")


def commands(app):
    (block,) = re.findall(r"^## Commands\n+```\n(.*?)^```$", card(app), re.DOTALL | re.MULTILINE)
    return [Command(app, line) for line in block.splitlines()]


@every_app
def test_every_command_of_a_card_is_one_of_the_app_and_what_it_reads_is_there_or_was_written_before(app, monkeypatch):
    monkeypatch.chdir(ROOT)
    verbs, written = importlib.import_module(f"apps.{app}.options").verbs, set()
    for command in commands(app):
        options = cli.parse(f"apps.{app}", verbs(command.asked), command.asked)
        if not isinstance(options, runs.OfRun) and hasattr(options, "check"):
            options.check()
        reads, writes = command.files()
        assert [name for name in reads if name not in written and not (ROOT / name).exists()] == [], command.line
        written.update(writes)


def test_what_is_said_of_single_commands_is_said_of_some_in_the_cards():
    lines = "\n".join(command.line for app in APPS for command in commands(app))
    assert [said for said in (*NOT_RUN, *TRAINED) if not re.search(said, lines)] == []


@every_app
def test_a_run_that_a_card_names_is_the_one_that_the_demo_makes(app):
    named = set(re.findall(rf"runs/{app}/([\w.-]+)/", card(app)))
    config = importlib.import_module(f"apps.{app}.config").DEFAULT
    assert named <= {runs.default_name(dataclasses.asdict(config))}


def test_what_the_opening_example_of_a_card_reads_is_there_or_made_by_the_demo():
    for app in APPS:
        for line in re.findall(rf"^\$ (python -m apps\.{app} .*)", card(app), re.MULTILINE):
            reads, _ = Command(app, line).files()
            assert [name for name in reads if not name.startswith("runs/") and not (ROOT / name).exists()] == [], line


@every_app
def test_every_example_is_small_and_one_that_the_card_names(app):
    folder, text = ROOT / "apps" / app / "examples", card(app)
    found = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    for path in found:
        place = re.escape(str(path.parent.relative_to(ROOT)))
        assert path.name in text or re.search(rf"{place}/?\s", text), path
    assert sum(path.stat().st_size for path in found) < 32_000


@pytest.fixture
def smoke(app, tmp_path, monkeypatch):
    """A copy of the smoke run, in a folder with apps/; each run is loaded once, as that is most of a command's time."""
    shutil.copytree(trained(app)[0], tmp_path / "runs")
    (tmp_path / "apps").symlink_to(ROOT / "apps")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GALLERY_RUNS", "runs")
    monkeypatch.setenv("GALLERY_USER", "user")
    package = importlib.import_module(f"apps.{app}")
    names = [each.name for each in pkgutil.iter_modules(package.__path__) if each.name != "__main__"]
    modules = [importlib.import_module(f"apps.{app}.{name}") for name in names]
    predictor, kept = importlib.import_module(f"apps.{app}.predict").Predictor, {}

    class Kept:
        def __new__(cls, run):
            if not run.finished():
                return predictor(run)
            if run.path not in kept:
                kept[run.path] = predictor(run)
                kept[run.path].warm_up = lambda *search: None  # compiles for lengths that are not asked for
            return kept[run.path]

    for module in modules:
        if getattr(module, "Predictor", None) is predictor:
            monkeypatch.setattr(module, "Predictor", Kept)


@pytest.mark.slow
@every_app
def test_the_commands_of_a_card_run_from_top_to_bottom_after_the_demo(app, smoke):
    for command in commands(app):
        if words := command.small():
            done = run_here(f"apps.{app}", *words, stdin=TYPED)
            # Of a few examples check-data says that they are too few for a figure, with the status 1.
            fine = (0, 1) if command.asked[0] == "train" and words[0] == "check-data" else (0,)
            said = done.stdout + done.stderr
            assert done.returncode in fine and said.strip(), f"{command.line}\n{said}"
            assert [name for name in command.files()[1] if not Path(name).exists()] == [], command.line
