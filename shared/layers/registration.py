"""Registers the layers with Keras when Keras is imported, without importing it: `--help` needs no backend."""

import importlib.abc
import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


class _Then:
    """A loader that calls `then` after its module has been executed."""

    def __init__(self, loader: Any, then: Callable[[], None]) -> None:
        self._loader, self._then = loader, then

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: Any) -> ModuleType | None:
        """Delegates to the wrapped loader."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Delegates to the wrapped loader, then calls `then`."""
        self._loader.exec_module(module)
        self._then()


class _After(importlib.abc.MetaPathFinder):
    """A finder that finds one module in the usual way, and calls `then` once it has been imported."""

    def __init__(self, name: str, then: Callable[[], None]) -> None:
        self._name, self._then = name, then

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        """Returns the module's spec with a wrapped loader; None for all other modules."""
        if fullname != self._name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Then(spec.loader, self._then)  # type: ignore[assignment]
        return spec


def after_import(name: str, then: Callable[[], None]) -> None:
    """Calls `then` once the top-level module `name` is imported: now if it already is, else upon import."""
    module = sys.modules.get(name)
    # While a module is being imported it is in sys.modules but incomplete.
    if module is not None and not getattr(module.__spec__, "_initializing", False):
        then()
    else:
        sys.meta_path.insert(0, _After(name, then))
