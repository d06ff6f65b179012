"""Commands as a user types them: in a process of their own or, where that would prove no more, in this one."""

import atexit
import contextlib
import functools
import hashlib
import io
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

import pytest

ROOT = Path(__file__).parents[1]
APPS = sorted(path.name for path in (ROOT / "apps").iterdir() if (path / "config.py").exists())
KEPT = ROOT / ".pytest_cache" / "trained"
HUNG_S = 1200  # a training of the slow tests takes minutes on a busy machine; what takes longer hangs


def run(*words: str, cwd: Path = ROOT, stdin: str = "", **environment: str) -> subprocess.CompletedProcess:
    """`python -m WORDS` in a process of its own.

    For what only a new process can show: that it needs nothing of the one that trained, another backend, a kill.
    """
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=cwd,
        env=os.environ | environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=HUNG_S,
    )


def run_here(package: str, *words: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess:
    """`python -m PACKAGE WORDS` in this process, which has started the backend already; a warning is an error here."""
    out, err, typed = io.StringIO(), io.StringIO(), io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
    with (
        mock.patch.dict(os.environ, environment),
        mock.patch.object(sys, "argv", [package, *words]),
        mock.patch.object(sys, "stdin", typed),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as end,
    ):
        runpy.run_module(package, run_name="__main__")
    code = end.value.code
    status = code if isinstance(code, int) else int(code is not None)
    return subprocess.CompletedProcess([package, *words], status, out.getvalue(), err.getvalue())


@functools.cache
def trained(app: str, *words: str) -> tuple[Path, str]:
    """The folder of all runs after a smoke training, for $GALLERY_RUNS, and what was printed.

    It is trained once for a state of the code, and each test process has a copy: `make test-all` finds what `make test`
    has trained. With words of its own it is trained once in a test process. Tests copy what they alter.
    """
    folder = Path(tempfile.mkdtemp(prefix="trained_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    kept = KEPT / app / state(app)
    if words or not kept.exists():
        done = run_here(f"apps.{app}", "train", "--recipe", "smoke", *words, GALLERY_RUNS=str(folder))
        assert done.returncode == 0, done.stderr
        if words:
            return folder, done.stdout
        keep(folder, done.stdout, kept)
    else:
        shutil.copytree(kept, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("printed.txt"))
    return folder, (kept / "printed.txt").read_text(encoding="utf-8").replace("{folder}", str(folder))


def contents(folder: Path) -> dict[str, str]:
    """A hash of every file of the runs."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def keep(folder: Path, printed: str, kept: Path) -> None:
    """Copies the runs and what was printed to the place where the next test process looks; older ones are removed."""
    shutil.rmtree(kept.parent, ignore_errors=True)
    kept.parent.mkdir(parents=True)
    new = Path(tempfile.mkdtemp(dir=kept.parent))
    shutil.copytree(folder, new, dirs_exist_ok=True)
    (new / "printed.txt").write_text(printed.replace(str(folder), "{folder}"), encoding="utf-8")
    new.rename(kept)


def state(app: str) -> str:
    """A hash of all that a smoke training of the app depends on."""
    digest = hashlib.sha256(f"{sys.version} {os.environ.get('KERAS_BACKEND')}".encode())
    code = [*(ROOT / "shared").rglob("*.py"), *(ROOT / "apps" / app).rglob("*.py")]
    for path in (ROOT / "requirements.txt", *sorted(code)):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]
