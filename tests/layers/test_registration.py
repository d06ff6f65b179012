"""The layers as a library: their classes by name, and known to Keras without importing it."""

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import shared.layers
from shared.layers import ARCHITECTURES, registration


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_every_class_is_imported_from_the_package_and_known_to_keras(arch):
    name = ARCHITECTURES[arch][1]
    found = getattr(shared.layers, name)
    assert found is shared.layers.layer_class(arch) and name in dir(shared.layers)
    assert keras.saving.get_registered_object(f"gallery>{name}") is found


def test_what_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'GRV'"):
        shared.layers.GRV  # noqa: B018
    with pytest.raises(ImportError):
        from shared.layers import GRV  # noqa: F401


@pytest.fixture
def module(tmp_path, monkeypatch):
    """The name of a module that has not been imported."""
    (tmp_path / "not_yet.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    yield "not_yet"
    sys.modules.pop("not_yet", None)


def test_it_is_done_once_when_the_module_has_been_imported_and_at_once_when_it_is_there(module):
    done = []
    registration.after_import(module, "shared.layers", lambda: done.append(sys.modules[module].value))
    importlib.import_module("json")
    assert not done
    importlib.import_module(module)
    assert done == [1]
    registration.after_import(module, "shared.layers", lambda: done.append(2))
    assert done == [1, 2] and len([each for each in sys.meta_path if isinstance(each, registration._After)]) == 0


def test_any_module_of_the_package_can_be_the_first_import_of_all():
    """In one new process, which forgets Keras and all of ours before each, but not what Keras is made of."""
    names = [found.name for found in pkgutil.walk_packages(shared.layers.__path__, "shared.layers.")]
    code = f"""
import importlib, sys
for name in {[each for each in names if not each.startswith("shared.layers.backend.")]}:
    for known in [each for each in sys.modules if each == "keras" or each.split(".")[0] == "shared"]:
        del sys.modules[known]
    importlib.import_module(name)
    import keras
    assert "shared.layers.conv_lstm" in sys.modules, name
print(keras.saving.get_registered_object("gallery>ConvLSTM").__name__)
"""
    root = Path(shared.layers.__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.stdout == "ConvLSTM\n", done.stderr[-2000:]
