"""TensorFlow Datasets by name: `tfds:NAME`, with NAME as in their catalogue, e.g. imdb_reviews or glue/cola.

The data is downloaded once to $TFDS_DATA_DIR, else ~/tensorflow_datasets.
TensorFlow Datasets is imported inside the functions, since the import takes seconds.
"""

import contextlib
import difflib
import os
import sys
from collections.abc import Iterator
from typing import Any

from shared import InputError

PREFIX = "tfds:"


def load_texts(name: str, split: str, text_key: str | None = None) -> list[str]:
    """Returns the text of all examples of a split.

    Args:
        name: the data set, with or without the prefix `tfds:`.
        split: e.g. "train" or "train[:10%]".
        text_key: the feature to read. None: the only text feature.

    Raises:
        InputError: if the data set, split or text feature is unknown, the text feature is ambiguous, the download
            fails, or the text is not UTF-8.
    """
    builder = _prepared(name)
    key = _text_key(name, builder.info.features, text_key)
    texts = []
    for number, example in enumerate(_examples(builder, name, split)):
        try:
            texts.append(example[key].decode("utf-8"))
        except UnicodeDecodeError as error:
            where = f"{PREFIX}{_bare(name)}, {split}, example {number}"
            raise InputError(f"Expected UTF-8 text. {where}: {error}") from error
    return texts


def load_examples(name: str, split: str) -> list[dict[str, Any]]:
    """Returns the examples of a split: dicts of NumPy values, text as bytes. Raises InputError like `load_texts`."""
    return list(_examples(_prepared(name), name, split))


def splits(name: str) -> list[str]:
    """Returns the names of the splits, e.g. ["test", "train"]. Raises InputError like `load_texts`."""
    return sorted(_prepared(name).info.splits)


def _bare(name: str) -> str:
    return name.removeprefix(PREFIX)


def _prepared(name: str) -> Any:
    """Returns the data set's builder, with its data downloaded and prepared."""
    builder = _builder(_bare(name))
    try:
        with _three_tries(), contextlib.redirect_stdout(sys.stderr):
            builder.download_and_prepare()
    except Exception as error:  # every data set has its own code, which may raise anything
        raise InputError(
            f"Cannot get {PREFIX}{_bare(name)}: it is not in {builder.data_dir}, and its download or "
            f"preparation failed ({_one_line(error)}). Prepare it elsewhere, set TFDS_DATA_DIR to the folder."
        ) from error
    return builder


def _builder(name: str) -> Any:
    import tensorflow_datasets as tfds

    try:
        # $TFDS_DATA_DIR is read here, since the library itself reads it only once, on import.
        return tfds.builder(name, data_dir=os.environ.get("TFDS_DATA_DIR"))
    except tfds.core.DatasetNotFoundError as error:
        near = difflib.get_close_matches(name, set(tfds.list_builders(with_community_datasets=False)))
        hint = f"Did you mean {' or '.join(near)}?" if near else "Names: tensorflow.org/datasets/catalog"
        raise InputError(f"There is no TensorFlow data set called {name!r}. {hint}") from error
    except (ValueError, AssertionError, ImportError) as error:
        raise InputError(
            f"Expected a TensorFlow data set as name, name/config or name:version. "
            f"Received: {name!r} ({_one_line(error)})"
        ) from error


@contextlib.contextmanager
def _three_tries() -> Iterator[None]:
    """Limits downloads to three tries, which fail in seconds offline; the library's ten take 3.5 minutes."""
    from tensorflow_datasets.core.download import downloader

    tries = downloader.MAX_RETRIES
    downloader.MAX_RETRIES = 3
    try:
        yield
    finally:
        downloader.MAX_RETRIES = tries


def _examples(builder: Any, name: str, split: str) -> Iterator[dict[str, Any]]:
    import tensorflow_datasets as tfds

    try:
        dataset = builder.as_dataset(split=split, shuffle_files=False)
    except (ValueError, AssertionError) as error:
        known = ", ".join(sorted(builder.info.splits))
        raise InputError(f"{PREFIX}{_bare(name)} has the splits {known}. Received: {split!r}") from error
    for example in tfds.as_numpy(dataset):
        if not isinstance(example, dict):
            kind = type(example).__name__
            raise InputError(f"Expected examples with named features in {PREFIX}{_bare(name)}. Found: {kind}")
        yield example


def _text_key(name: str, features: Any, wanted: str | None) -> str:
    """Returns the name of the feature to read as text."""
    named = dict(features.items()) if hasattr(features, "items") else {}
    texts = [key for key, feature in named.items() if _is_text(feature)]
    if wanted is None and len(texts) == 1:
        return texts[0]
    if wanted in texts:
        return str(wanted)
    asked = "exactly one text feature" if wanted is None else f"a text feature {wanted!r}"
    raise InputError(
        f"Expected {asked} in {PREFIX}{_bare(name)}. Its text features: {', '.join(texts) or 'none'}; "
        f"all features: {', '.join(named) or 'not named'}."
    )


def _is_text(feature: Any) -> bool:
    """Returns whether a feature is a single string: a Text feature, or a scalar string tensor."""
    return feature.shape == () and feature.np_dtype in (bytes, str, object)


def _one_line(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:200]
