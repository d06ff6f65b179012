"""Lists all apps."""

import importlib
import pkgutil

import apps

from .options import Gallery


def gallery() -> list[tuple[str, str]]:
    """Returns (name, description) of every app found."""
    names = sorted(module.name for module in pkgutil.iter_modules(apps.__path__) if module.ispkg)
    return [(name, str(importlib.import_module(f"apps.{name}").__doc__).strip()) for name in names]


def show(options: Gallery | None = None) -> None:
    """Runs the list command."""
    for name, sentence in gallery():
        print(f"{name:24} {sentence}")
    print("\npython -m apps.NAME --help   lists the commands of an app")
    print("python -m apps --help        lists the commands for new apps, comparisons and runs")
