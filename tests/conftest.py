"""Runs before every test module: the backend as the apps start it, and reasons for what is skipped."""

import os
from pathlib import Path

import pytest

from shared import cli

for name in ("TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS"):
    os.environ.setdefault(name, cli.ENVIRONMENT[name])


def pytest_collection_modifyitems(items):
    """Tests marked `data` need the real data sets; without them they are skipped, and say so."""
    folder = os.environ.get("GALLERY_DATA")
    if folder and Path(folder).is_dir():
        return
    for item in items:
        if item.get_closest_marker("data"):
            item.add_marker(pytest.mark.skip(reason="GALLERY_DATA names no folder of real data sets"))
