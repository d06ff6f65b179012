"""Registers the layers with Keras when Keras is imported, without importing it: `--help` needs no backend."""

import importlib.abc
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


class _Then:
    """A loader that tells `after` when the execution of its module begins and when it has ended."""

    def __init__(self, loader: Any, after: "_After") -> None:
        self._loader, self._after = loader, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: Any) -> ModuleType | None:
        """Delegates to the wrapped loader."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Delegates to the wrapped loader."""
        self._after.begun += 1
        try:
            self._loader.exec_module(module)
        finally:
            self._after.begun -= 1
        self._after.executed(module.__name__)


class _After(importlib.abc.MetaPathFinder):
    """A finder that finds the module `name` and those of `package` in the usual way.

    It calls `then` once the former has been imported, but not while one of the package is half executed: it may be what
    imports `name`, and others need it complete.
    """

    def __init__(self, name: str, package: str, then: Callable[[], None]) -> None:
        self._name, self._package, self._then = name, package, then
        self._imported = False
        self.begun = 0  # modules that are being executed

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        """Returns the module's spec with a wrapped loader; None for all other modules."""
        if fullname != self._name and not fullname.startswith(f"{self._package}."):
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        spec = next(filter(None, (finder.find_spec(fullname, path, target) for finder in others)), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _Then(spec.loader, self)  # type: ignore[assignment]
        return spec

    def executed(self, fullname: str) -> None:
        """Calls `then` if nothing is left to wait for."""
        self._imported |= fullname == self._name
        if self._imported and not self.begun and self in sys.meta_path:
            sys.meta_path.remove(self)
            self._then()


def after_import(name: str, package: str, then: Callable[[], None]) -> None:
    """Calls `then` once the top-level module `name` is imported: now if it already is, else upon import.

    If a module of `package` imports it, `then` is called after that one.
    """
    module = sys.modules.get(name)
    # While a module is being imported it is in sys.modules but incomplete.
    if module is not None and not getattr(module.__spec__, "_initializing", False):
        then()
    else:
        sys.meta_path.insert(0, _After(name, package, then))
