"""Commands as a user types them: in a process of their own or, where that would prove no more, in this one."""

import atexit
import contextlib
import functools
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

    It is trained once in a test process, so tests must not change it: they copy what they alter.
    """
    folder = Path(tempfile.mkdtemp(prefix="trained_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    done = run_here(f"apps.{app}", "train", "--recipe", "smoke", *words, GALLERY_RUNS=str(folder))
    assert done.returncode == 0, done.stderr
    return folder, done.stdout
