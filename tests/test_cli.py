"""The command line, tried on an app of a few lines."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from shared import InputError, cli
from shared.runs import Stopped
from tests.commands import ROOT, run_here

APP = {
    "__init__.py": '"""Words in, words out."""\n',
    "config.py": """
        import dataclasses

        @dataclasses.dataclass(frozen=True)
        class Settings:
            # width of the layer
            units: int = 8

            def __post_init__(self):
                if self.units < 1:
                    from shared import InputError
                    raise InputError(f"--units: expected at least 1; received {self.units}")

        @dataclasses.dataclass
        class Train:
            \"\"\"Trains a network.\"\"\"

            config: Settings
            # what to read: builtin or a path
            data: str = "builtin"
            # start over
            fresh: bool = False

        @dataclasses.dataclass
        class Score:
            \"\"\"Measures a text.\"\"\"

            # the text
            text: str = ""

        def verbs(words):
            return {"train": (Train(Settings()), "work:train"), "score": (Score(), "work:score", "rate")}
    """,
    "work.py": """
        import os
        import sys

        from shared import InputError, MissingFileError
        from shared.runs import Stopped

        def train(options):
            print(options, os.environ["KERAS_BACKEND"])

        def score(options):
            errors = {
                "input": InputError("Expected a text.\\nReceived: nothing"),
                "missing": MissingFileError("There is no a.txt"),
                "full": OSError(28, "No space left on device", "a/b"),
                "permission": PermissionError(13, "Permission denied", "a/b"),
                "stopped": Stopped("Stopped after epoch 1."),
                "interrupt": KeyboardInterrupt(),
                "mistake": ZeroDivisionError("division by zero"),
            }
            if options.text in errors:
                raise errors[options.text]
            if options.text == "long":
                for number in range(100_000):
                    print(number)
    """,
    "__main__.py": """
        import sys

        from shared import cli

        from .config import verbs

        if __name__ == "__main__":
            sys.exit(cli.main(__package__, verbs))
    """,
}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("apps")
    (folder / "toyapp").mkdir()
    for name, content in APP.items():
        (folder / "toyapp" / name).write_text(textwrap.dedent(content))
    return folder


@pytest.fixture
def called(app, monkeypatch):
    """called(*words): the app in this process, as a user calls it who has set nothing."""
    monkeypatch.syspath_prepend(app)
    for name in cli.ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    return lambda *words, **changes: run_here("toyapp", *words, **changes)


def environment(app: Path, changes: dict[str, str]) -> dict[str, str]:
    """That of a user who has set nothing but `changes`."""
    kept = {key: value for key, value in os.environ.items() if key not in cli.ENVIRONMENT}
    return kept | {"PYTHONPATH": f"{app}:{ROOT}"} | changes


def command(app: Path, *words: str) -> subprocess.CompletedProcess:
    """The app in a process of its own."""
    line = [sys.executable, "-W", "error", "-m", "toyapp", *words]
    return subprocess.run(line, env=environment(app, {}), capture_output=True, text=True)


def script(app: Path, target: str, **changes: str) -> subprocess.CompletedProcess:
    """The app with another function behind its first verb."""
    text = (
        "import sys; from shared import cli; from toyapp.config import verbs; known = verbs([]); "
        f"sys.exit(cli.main('toyapp', lambda _: known | {{'train': (known['train'][0], {target!r})}}, ['train']))"
    )
    return subprocess.run([sys.executable, "-c", text], env=environment(app, changes), capture_output=True, text=True)


def test_a_verb_gets_its_options_and_the_default_backend(app):
    done = command(app, "train", "--units", "3", "--data=a.txt", "--fresh")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Train(config=Settings(units=3), data='a.txt', fresh=True) tensorflow\n"


def test_the_backend_of_the_environment_is_kept(called):
    assert called("train", KERAS_BACKEND="jax").stdout.endswith(" jax\n")


def test_help_shows_verbs_their_other_names_and_the_comments_of_the_options(called):
    done = called("--help")
    assert done.returncode == 0
    for words in (
        "python -m toyapp",
        "Words in, words out.",
        "train",
        "Trains a network.",
        "score",
        "Also called rate",
    ):
        assert words in " ".join(done.stdout.split())
    verb = called("train", "--help").stdout
    for words in ("--units", "width of the layer", "(default: 8)", "--data", "what to read: builtin or a path"):
        assert words in verb


def test_a_verb_answers_to_its_other_name(called):
    assert called("rate", "--text", "input").stderr == "error: Expected a text. Received: nothing\n"


def test_help_waits_for_nothing_that_takes_long_to_import(app):
    text = (
        "import atexit, sys; from shared import cli; from toyapp.config import verbs; "
        "atexit.register(lambda: print(*{'numpy', 'keras', 'tensorflow', 'jax', 'matplotlib'} & set(sys.modules))); "
        "cli.main('toyapp', verbs, ['train', '--help'])"
    )
    done = subprocess.run([sys.executable, "-c", text], env=environment(app, {}), capture_output=True, text=True)
    assert "width of the layer" in done.stdout and done.stdout.splitlines()[-1] == ""


@pytest.mark.parametrize("words", [["train", "--unit", "3"], ["train", "--units", "x"], ["trian"], []])
def test_wrong_words_end_with_2_and_no_traceback(called, words):
    done = called(*words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr and done.stderr


@pytest.mark.parametrize(
    "words, status, line",
    [
        (["train", "--units", "0"], 2, "error: --units: expected at least 1; received 0"),
        (["score", "--text", "input"], 2, "error: Expected a text. Received: nothing"),
        (["score", "--text", "missing"], 2, "error: There is no a.txt"),
        (["score", "--text", "full"], 2, "error: a/b: No space left on device"),
        (["score", "--text", "permission"], 2, "error: a/b: Permission denied"),
        (["score", "--text", "caf\udce9"], 2, r"error: Expected arguments in UTF-8. Received: 'caf\udce9'"),
        (["score", "--text", "stopped"], 130, "Stopped after epoch 1."),
        (["score", "--text", "interrupt"], 130, cli.INTERRUPTED),
    ],
)
def test_what_the_user_can_mend_is_one_line(called, words, status, line):
    done = called(*words)
    assert (done.returncode, done.stderr, done.stdout) == (status, line + "\n", "")


def test_a_mistake_in_the_program_keeps_its_traceback(app):
    done = command(app, "score", "--text", "mistake")
    assert done.returncode == 1
    assert "Traceback" in done.stderr and "ZeroDivisionError: division by zero" in done.stderr


def test_a_reader_that_stops_reading_is_no_error(app):
    words = f"{sys.executable} -m toyapp score --text long | head -2"
    done = subprocess.run(words, shell=True, env=environment(app, {}), capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("0\n1\n", "")


@pytest.mark.parametrize("backend", ["tensorflow", pytest.param("jax", marks=pytest.mark.slow)])
def test_the_start_of_the_backend_is_silent(app, backend):
    (app / "toyapp/loud.py").write_text(
        "import keras\ndef loud(_):\n    keras.utils.set_random_seed(1)\n    print(keras.ops.ones(2).shape)\n"
    )
    done = script(app, "loud:loud", KERAS_BACKEND=backend)
    assert (done.returncode, done.stdout, done.stderr) == (0, "(2,)\n", "")


@pytest.mark.parametrize("chosen, expected", [({}, "1"), ({"TF_ENABLE_ONEDNN_OPTS": "0"}, "0")])
def test_tensorflow_multiplies_with_onednn_unless_the_user_has_chosen(app, chosen, expected):
    (app / "toyapp/early.py").write_text(
        "import os, sys\nseen = os.environ.get('TF_ENABLE_ONEDNN_OPTS'), 'tensorflow' in sys.modules\n"
        "def early(_):\n    print(*seen)\n"
    )
    done = script(app, "early:early", **chosen)
    assert done.stdout == f"{expected} False\n", done.stderr  # set before TensorFlow is imported, which reads it once


def test_what_else_is_said_while_starting_is_kept(app):
    (app / "toyapp/broken.py").write_text("import sys\nsys.stderr.write('I was here\\n')\nimport no_such_module\n")
    done = script(app, "broken:x")
    assert done.stderr.startswith("I was here\nTraceback")
    assert "No module named 'no_such_module'" in done.stderr


def test_defaults_that_are_refused_are_one_line(capfd):
    def verbs(words):
        raise InputError(f"--recipe: expected one of a, b; received {words[-1]}")

    assert cli.main("toyapp", verbs, ["train", "--recipe", "c"]) == 2
    assert capfd.readouterr().err == "error: --recipe: expected one of a, b; received c\n"


def test_two_verbs_cannot_share_a_class():
    with pytest.raises(ValueError, match="each with its own dataclass"):
        cli.parse("toyapp", {"a": (Stopped(), "x:y"), "b": (Stopped(), "x:z")}, [])


@pytest.mark.parametrize(
    "words, expected",
    [
        (["score", "--txt", "a"], "Unrecognized options: --txt, a. Perhaps you meant: --text. See {} score --help"),
        (["rate", "--txt", "a"], "Unrecognized options: --txt, a. Perhaps you meant: --text. See {} rate --help"),
        (["scroe"], "Unrecognized options: scroe. Available subcommands: train, score. See {} --help"),
        ([], "Expected one of {{train, score}}. See {} --help"),
        (["score", "--text"], "Missing value for argument '--text'. Expected 1 values. See {} score --help"),
    ],
)
def test_a_mistyped_command_is_one_line_that_names_what_is_near_and_where_help_is(called, words, expected):
    done = called(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: " + expected.format("python -m toyapp") + "\n"
