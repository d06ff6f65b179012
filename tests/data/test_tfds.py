"""TensorFlow Datasets: their official mocking, and a small set that their builder writes to disk here."""

import sys

import numpy as np
import pytest

from shared import InputError
from shared.data import tfds as ours

tfds = pytest.importorskip("tensorflow_datasets")
LINES = {"train": ["Erste Zeile.", "second line", ""], "test": ["ünïcode"]}


class GalleryLines(tfds.core.GeneratorBasedBuilder):
    """A few lines of text with their lengths."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        vector = tfds.features.Tensor(shape=(2,), dtype=np.float32)
        features = {"line": tfds.features.Text(), "length": np.int64, "vector": vector}
        return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

    def _split_generators(self, manager):
        return {split: self._generate_examples(split) for split in LINES}

    def _generate_examples(self, split):
        for number, line in enumerate(LINES[split]):
            yield number, {"line": line, "length": len(line), "vector": [number, len(line)]}


class GalleryPairs(tfds.core.GeneratorBasedBuilder):
    """Two texts in each example, one of them not UTF-8."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {"left": tfds.features.Text(), "right": tfds.features.Text()}
        return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

    def _split_generators(self, manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        yield 0, {"left": "good", "right": b"caf\xe9"}


class GalleryBroken(GalleryLines):
    """Cannot be prepared, as a set without a connection."""

    def _split_generators(self, manager):
        raise ConnectionError("no route to host\nand more lines")


@pytest.fixture(autouse=True)
def folder(tmp_path_factory, monkeypatch):
    """One $TFDS_DATA_DIR for all tests, so that a set is written once."""
    path = tmp_path_factory.getbasetemp() / "tfds"
    monkeypatch.setenv("TFDS_DATA_DIR", str(path))
    return path


@pytest.mark.parametrize("name", ["gallery_lines", "tfds:gallery_lines", "tfds:gallery_lines:1.0.0"])
def test_texts_are_read_from_a_set_on_disk(name, folder):
    assert sorted(ours.load_texts(name, "train")) == sorted(LINES["train"])
    assert ours.load_texts(name, "test", text_key="line") == LINES["test"]
    assert (folder / "gallery_lines/1.0.0").is_dir()


def test_a_slice_of_a_split_is_read():
    assert len(ours.load_texts("gallery_lines", "train[:2]")) == 2


def test_examples_are_numpy_values():
    examples = ours.load_examples("tfds:gallery_lines", "train")
    assert len(examples) == 3
    for example in examples:
        line = example["line"].decode()
        assert line in LINES["train"] and example["length"] == len(line)
        assert isinstance(example["vector"], np.ndarray) and example["vector"][1] == len(line)


def test_two_readings_give_the_same_order():
    assert ours.load_texts("gallery_lines", "train") == ours.load_texts("gallery_lines", "train")


def test_the_splits_are_those_of_the_set():
    assert ours.splits("tfds:gallery_lines") == ["test", "train"]


def test_an_unknown_set_suggests_the_nearest():
    with pytest.raises(InputError, match=r"called 'imdb_review'. Did you mean imdb_reviews"):
        ours.load_texts("tfds:imdb_review", "train")


@pytest.mark.parametrize("name", ["tfds:a b", "tfds:", "imdb_reviews/no_such_config", "imdb_reviews:9.9.9"])
def test_a_name_that_is_none_is_refused_in_one_line(name):
    with pytest.raises(InputError) as error:
        ours.load_texts(name, "train")
    assert "\n" not in str(error.value)


def test_an_unknown_split_names_the_known_ones():
    with pytest.raises(InputError, match="splits test, train. Received: 'valid'"):
        ours.load_texts("gallery_lines", "valid")


def test_a_wrong_text_key_names_the_text_features_and_all_others():
    with pytest.raises(InputError, match="feature 'text' .* text features: line; all features: .*length"):
        ours.load_texts("gallery_lines", "train", text_key="text")
    with pytest.raises(InputError, match="feature 'length'"):
        ours.load_texts("gallery_lines", "train", text_key="length")


def test_of_two_text_features_one_must_be_chosen():
    with pytest.raises(InputError, match="exactly one text feature .* left, right"):
        ours.load_texts("gallery_pairs", "train")
    assert ours.load_texts("gallery_pairs", "train", text_key="left") == ["good"]


def test_a_text_that_is_not_utf_8_names_set_split_and_example():
    with pytest.raises(InputError, match="tfds:gallery_pairs, train, example 0: .*0xe9"):
        ours.load_texts("gallery_pairs", "train", text_key="right")


def test_a_set_that_cannot_be_downloaded_says_where_it_should_be_in_one_line(folder):
    with pytest.raises(InputError, match=r"Cannot get tfds:gallery_broken.*\(no route to host\)") as error:
        ours.load_texts("gallery_broken", "train")
    assert str(folder) in str(error.value) and "TFDS_DATA_DIR" in str(error.value)
    assert "\n" not in str(error.value)


def test_preparing_prints_nothing_on_standard_output(capsys, folder, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(folder / "another"))
    ours.load_texts("gallery_lines", "test")
    assert capsys.readouterr().out == ""


def test_the_librarys_patience_is_restored():
    downloader = sys.modules["tensorflow_datasets.core.download.downloader"]
    before = downloader.MAX_RETRIES
    with pytest.raises(InputError):
        ours.load_texts("gallery_broken", "train")
    assert downloader.MAX_RETRIES == before > 3


@pytest.mark.parametrize("name", ["tiny_shakespeare", "imdb_reviews", "glue/cola", "ag_news_subset"])
def test_texts_of_mocked_public_sets_are_read(name):
    key = "description" if name == "ag_news_subset" else None  # it has a title too
    with tfds.testing.mock_data(num_examples=4):
        found = ours.load_texts(f"tfds:{name}", "train", key)
    assert len(found) == 4 and all(isinstance(text, str) and text for text in found)


def test_examples_of_a_mocked_set_with_images_are_arrays():
    with tfds.testing.mock_data(num_examples=2):
        examples = ours.load_examples("tfds:mnist", "test")
    assert [example["image"].shape for example in examples] == [(28, 28, 1)] * 2


def test_a_set_without_text_says_what_it_has():
    with (
        tfds.testing.mock_data(num_examples=1),
        pytest.raises(InputError, match="none; all features: image, label"),
    ):
        ours.load_texts("tfds:mnist", "train")
