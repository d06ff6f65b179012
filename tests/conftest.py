"""Runs before every test module: the backend as the apps start it, which tests share a worker, what is skipped."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from shared import cli

# Of KERAS_BACKEND too, as check-data would else start Keras on NumPy, for all later tests of the process.
for name in ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, cli.ENVIRONMENT[name])

# Most of a test's time goes into compiling programs that then run a few times. XLA optimises them as always; LLVM,
# which only makes the machine code faster, does not. New processes inherit this.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true")


def keep_what_jax_compiles() -> None:
    """Until this process ends: each test builds its layer anew, and JAX would compile the same programs for each."""
    folder = tempfile.mkdtemp(prefix="jax_programs_")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    # A folder for each worker, as JAX does not write a program at once: another could read half of it.
    os.environ["JAX_COMPILATION_CACHE_DIR"] = folder
    os.environ |= {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}


if os.environ.get("KERAS_BACKEND") == "jax":
    keep_what_jax_compiles()
    os.environ.setdefault("JAX_NUM_CPU_DEVICES", "2")  # for tests/test_devices.py; all others use the first


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items):
    """Groups what shares something that takes time to make, puts the longest first, skips what has no data."""
    for item in items:
        if group := shared_worker(item):
            item.add_marker(pytest.mark.xdist_group(group))
        if item.get_closest_marker("data") and not has_data():
            item.add_marker(pytest.mark.skip(reason="GALLERY_DATA names no folder of real data sets"))
    items.sort(key=turn)


def pytest_collection_finish(session):
    """Refuses to run where pytest-xdist does not see the groups: each worker would train every app again."""
    for item in session.items if getattr(session.config.option, "loadgroup", False) else []:
        marker = item.get_closest_marker("xdist_group")
        if marker and not item.nodeid.endswith(f"@{marker.args[0]}"):
            raise pytest.UsageError(f"This pytest hides the groups of tests from pytest-xdist: {item.nodeid}")


def shared_worker(item: pytest.Item) -> str | None:
    """The group that one worker runs: tests of an app's training, of a fixture of their file, of an architecture."""
    if hasattr(item, "callspec") and "app" in item.callspec.params and item.path.parent.name == "apps":
        return f"test_{item.callspec.params['app']}"  # as the app's own file, which looks at the same training
    if any(found[-1].scope == "module" for found in item._fixtureinfo.name2fixturedefs.values()):
        return item.path.stem
    # A layer's scans are compiled once in a process, whichever test asks first.
    arch = item.callspec.params.get("arch") if hasattr(item, "callspec") else None
    return arch if arch and item.path.parent.name == "layers" else None


def turn(item: pytest.Item) -> int:
    """Whole trainings first, then groups, then single tests, so that both workers have something to do to the end."""
    group, of_app = item.get_closest_marker("xdist_group"), item.path.parent.name == "apps"
    if group is None:
        return 0 if of_app and item.get_closest_marker("slow") else 4
    if of_app:
        return 1
    return 2 if group.args[0] == item.path.stem else 3


def has_data() -> bool:
    """Whether the real data sets are there."""
    folder = os.environ.get("GALLERY_DATA")
    return bool(folder) and Path(folder).is_dir()
