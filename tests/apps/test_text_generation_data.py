"""Text generation's data: what is read, how it is split, what is known of it, and what is refused."""

import collections
import dataclasses
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.text_generation.config import Config
from apps.text_generation.data import check_length, cut, example, load, prompt
from shared import InputError, MissingFileError
from shared.data import fetch
from shared.data.catalogue import CATALOGUE
from shared.data.sequences import StreamBatches
from shared.data.text import Vocabulary, decode, join_words

HERE = Path(__file__).stem  # in the names of TFDS builders, so that a copy of this file registers its own
SMALL = Config(window=8, batch_size=2)


def config(**changes):
    return dataclasses.replace(SMALL, **changes)


def own(tmp_path, text, **changes):
    """A setting that reads `text` from a file."""
    path = tmp_path / "own.txt"
    path.write_text(text, encoding="utf-8")
    return config(data=str(path), **changes)


def text_of(ids, data):
    tokens = Vocabulary(tuple(data.info["vocabulary"])).decode(ids)
    return join_words(tokens) if data.info["level"] == "word" else "".join(tokens)


def test_the_built_in_text_needs_no_download_and_has_no_test_part(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("GALLERY_DATA", raising=False)
    data = load(Config())
    assert data.test is None and list(data.held_out()) == ["valid"]
    assert data.train.dtype == data.valid.dtype == np.int32
    assert len(data.train) + len(data.valid) > 400_000
    assert len(data.train) == int(0.9 * (len(data.train) + len(data.valid)))
    assert "assert" in text_of(data.train[:200], data)
    assert data.info["source"].startswith("pydoc_data.topics")
    assert list(tmp_path.iterdir()) == []


def test_every_process_reads_the_same_built_in_text_and_starts_no_backend_for_it():
    code = (
        "import hashlib, sys\n"
        "from apps.text_generation import config, data\n"
        "loaded = data.load(config.Config())\n"
        "print(hashlib.sha256(loaded.train.tobytes() + loaded.valid.tobytes()).hexdigest())\n"
        "print(*sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    digest, *modules = said.split()
    data = load(Config())
    assert digest == hashlib.sha256(data.train.tobytes() + data.valid.tobytes()).hexdigest()
    assert not {"keras", "tensorflow", "tensorflow_datasets", "jax"} & set(modules)


@settings(deadline=None)
@given(st.integers(0, 300), st.integers(0, 4), st.integers(0, 4), st.sets(st.sampled_from(["valid", "test"])))
def test_cutting_keeps_every_token_in_order_and_published_parts_untouched(n, valid, test, published):
    whole = list(range(n))
    parts = {"train": whole} | {part: ["own"] for part in published}
    cuts, said = cut(parts, valid / 10, test / 10)
    pieces = [cuts[part] for part in ("train", "valid", "test") if part in cuts and part not in published]
    assert sum(pieces, []) == whole
    for part, tenths in {"valid": valid, "test": test}.items():
        if part in published:
            assert cuts[part] == ["own"] and f"{part} as published" in said
        else:
            assert (part in cuts) == (tenths > 0)
            assert abs(len(cuts.get(part, [])) - n * tenths / 10) < 1.001


@pytest.mark.parametrize(
    ("valid", "test", "message"),
    [
        (-0.1, 0, "--valid-fraction: expected more than 0 and less than 1; received -0.1"),
        (0, 0.1, "--valid-fraction: expected more than 0 and less than 1; received 0"),
        (0.1, -1, "--test-fraction: expected at least 0 and less than 1; received -1"),
        (0.5, 0.5, "expected together less than 1; received 0.5 and 0.5"),
    ],
)
def test_fractions_that_leave_nothing_to_train_on_are_refused(valid, test, message):
    with pytest.raises(InputError, match=message):
        config(valid_fraction=valid, test_fraction=test)


def test_an_own_file_is_split_in_order_and_comes_back_from_its_ids(tmp_path):
    text = "".join(chr(97 + i % 26) for i in range(1000))
    data = load(own(tmp_path, text))
    assert text_of(data.train, data) == text[:900] and text_of(data.valid, data) == text[900:]
    assert data.info["split"] == "train 90% in order, valid 10% in order"


def test_the_line_to_try_a_network_with_is_one_that_it_can_read_and_a_command_line_too():
    lines = "cut off\n- one two three\n\nb\u00e9 or not to be\nnot\n  to   be or not to be\n"
    vocabulary = Vocabulary.fit("to be or not\n- whe")
    assert example(lines, vocabulary, "char") == "to be or not to be" and prompt("to be or not to be") == "to be or"
    assert example(lines, vocabulary, "word") == "b\u00e9 or not to be"
    assert example("cut\nnot\n", vocabulary, "char") == "not" and example("\u732b", vocabulary, "char") == ""


def test_parts_in_files_of_their_own_are_not_said_to_be_published(tmp_path):
    files = {part: tmp_path / f"{part}.txt" for part in ("valid", "test")}
    for part, path in files.items():
        path.write_text(f"{part} \u00e9" * 50)
    loaded = load(own(tmp_path, "some text valid tes " * 100, **{part: str(path) for part, path in files.items()}))
    assert loaded.info["split"] == f"train whole, valid from {files['valid']}, test from {files['test']}"
    assert "\u00e9" not in loaded.info["vocabulary"] and loaded.info["counts"]["test"]["unknown"] == 50
    alone = load(own(tmp_path, "some text valid tes " * 100, test=str(files["test"])))
    assert alone.info["split"] == f"train 90% in order, valid 10% in order, test from {files['test']}"


def test_a_test_part_is_cut_only_when_asked_for(tmp_path):
    text = "ab" * 500
    assert load(own(tmp_path, text)).test is None
    data = load(own(tmp_path, text, test_fraction=0.2))
    assert [len(part) for part in (data.train, data.valid, data.test)] == [700, 100, 200]


def test_a_folder_is_read_as_one_text(tmp_path):
    (tmp_path / "b.txt").write_text("b" * 100)
    (tmp_path / "a.txt").write_text("a" * 100)
    data = load(config(data=str(tmp_path)))
    assert text_of(np.concatenate([data.train, data.valid]), data).startswith("a" * 100 + "\n")


def test_the_vocabulary_comes_from_train_alone_and_the_unknown_are_counted(tmp_path):
    data = load(own(tmp_path, "ab" * 450 + "abé" * 30 + "abababababé"))
    assert data.info["vocabulary"] == ["<pad>", "<unk>", "<bos>", "<eos>", "a", "b"]
    counts = data.info["counts"]
    assert counts["train"]["unknown"] == 0
    assert counts["valid"]["unknown"] == int((data.valid == 1).sum()) == 31


def test_words_seen_once_are_unknown_so_that_unknown_is_trained(tmp_path):
    data = load(own(tmp_path, "often seldom often .\n" * 40 + "once often\n" + "x often .\n" * 20, level="word"))
    assert data.info["vocabulary"][4:] == ["often", ".", "seldom", "x"]
    assert data.info["counts"]["train"]["unknown"] == 1


def test_a_text_with_its_own_unk_keeps_words_seen_once(tmp_path):
    data = load(own(tmp_path, "often <unk> often\n" * 40 + "once often\n" + "often\n" * 40, level="word"))
    assert "once" in data.info["vocabulary"]


@pytest.mark.parametrize("level", ["char", "word"])
def test_the_counts_are_those_of_the_text(tmp_path, level):
    text = "one two  three\n\nfour five\n" * 60
    data = load(own(tmp_path, text, level=level))
    counts = data.info["counts"]
    for part, ids in {"train": data.train, "valid": data.valid}.items():
        assert counts[part]["tokens"] == len(ids)
    if level == "char":
        assert sum(counts[part]["characters"] for part in counts) == len(text)
    else:
        words = sum(counts[part]["words"] for part in counts)
        ends = text.count("\n")
        assert words == len(text.split())
        assert sum(counts[part]["tokens"] for part in counts) == words + ends


def test_max_vocabulary_keeps_the_most_frequent(tmp_path):
    data = load(own(tmp_path, "aaaabbbc" * 200, max_vocabulary=6))
    assert data.info["vocabulary"][4:] == ["a", "b"]
    assert data.info["counts"]["train"]["unknown"] == collections.Counter("aaaabbbc" * 180)["c"]


@pytest.mark.parametrize("level", ["char", "word"])
def test_max_examples_keeps_the_beginning_of_each_part(tmp_path, level):
    text = "".join(f"word{n % 7} \n" for n in range(600))
    whole, few = (load(own(tmp_path, text, level=level, test_fraction=0.2, max_examples=n)) for n in (0, 50))
    for part in ("train", "valid", "test"):
        assert text_of(getattr(few, part), few) == text_of(getattr(whole, part)[:50], whole)
    assert "at most the first 50" in few.info["split"] and "first" not in whole.info["split"]


def test_the_fingerprint_is_that_of_all_that_was_read_and_not_of_where_it_was_stored(tmp_path):
    found = []
    for name, last in (("a", "b"), ("b", "b"), ("c", "c")):
        (tmp_path / name).mkdir()
        found.append(load(own(tmp_path / name, "ab" * 500 + last, max_examples=100)).info)
    assert found[0]["fingerprint"] == found[1]["fingerprint"] != found[2]["fingerprint"]
    assert found[0]["vocabulary"] == found[2]["vocabulary"]


def test_info_fits_json(tmp_path):
    info = load(own(tmp_path, "ab\n" * 200)).info
    assert json.loads(json.dumps(info)) == info


# Bad input


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "empty or blank"),
        (b"x", r"at least 24 characters to train on .* has 0\. Lower --batch-size or --window"),
        (b"abc\0def" * 100, "binary"),
        ("naïve café".encode("latin-1"), "line 1: byte 0xef"),
        ("text".encode("utf-16"), "UTF-16"),
    ],
)
def test_a_file_that_is_no_text_gives_one_clear_line(tmp_path, raw, message):
    path = tmp_path / "own.txt"
    path.write_bytes(raw)
    with pytest.raises(InputError, match=message) as error:
        load(config(data=str(path)))
    assert str(path) in str(error.value) and "\n" not in str(error.value)


@settings(deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(10, 400))
def test_what_is_accepted_can_be_read_in_batches_and_what_is_not_says_how_much_it_needs(batch, window, n):
    wanted = config(batch_size=batch, window=window)
    parts, _ = cut({"train": "a" * n}, 0.1, 0)
    try:
        check_length(parts, wanted)
    except InputError as error:
        needed = {StreamBatches.shortest(batch, window), max(batch, window) + 1}
        assert any(f"at least {length} characters" in str(error) for length in needed)
        assert any(flag in str(error) for flag in ("--batch-size", "--window"))
    else:
        assert StreamBatches(np.zeros(len(parts["train"])), batch, window).steps >= 1
        assert len(parts["valid"]) > max(batch, window)


def test_a_valid_part_that_is_too_short_names_its_flag(tmp_path):
    with pytest.raises(InputError, match=r"valid part of .* It has 4\. .*--valid-fraction"):
        load(own(tmp_path, "ab" * 20))


def test_max_examples_is_named_only_where_it_makes_the_text_too_short(tmp_path):
    with pytest.raises(InputError, match="at least 24 characters to train on .* has 20.* or raise --max-examples"):
        load(own(tmp_path, "ab" * 200, max_examples=20))
    with pytest.raises(InputError, match="at least 24 characters to train on .* has 18.* or give more text"):
        load(own(tmp_path, "ab" * 10, max_examples=20))


@pytest.mark.parametrize(
    ("name", "hint"),
    [("tinyshakespear", "mean tinyshakespeare?"), ("buildin", "mean builtin?"), ("no/where", "")],
)
def test_an_unknown_name_lists_the_known_ones(name, hint):
    with pytest.raises(MissingFileError) as error:
        load(config(data=name))
    message = str(error.value)
    assert f"received {name}." in message and hint in message
    assert all(known in message for known in ("builtin", "tinyshakespeare", "ptb", "tfds:NAME"))


# Sets of others


class GalleryProse(tfds.core.GeneratorBasedBuilder):
    """As much of tiny_shakespeare's form as is needed: one text in each split."""

    name = f"{HERE}_prose"

    VERSION = tfds.core.Version("1.0.0")
    TEXTS = {
        "train": "to be or not to be\n" * 20,
        "validation": "to see\n" * 9,
        "test": "or not to see\n" * 9,
    }

    def _info(self):
        features = tfds.features.FeaturesDict({"text": tfds.features.Text()})
        return self.dataset_info_from_configs(features=features)

    def _split_generators(self, manager):
        return {split: self._generate_examples(text) for split, text in self.TEXTS.items()}

    def _generate_examples(self, text):
        yield 0, {"text": text}


class GalleryReviews(GalleryProse):
    """Without a validation split, as imdb_reviews."""

    name = f"{HERE}_reviews"

    TEXTS = {"train": "good film\n" * 50, "test": "bad film\n" * 9}


class GalleryOdd(GalleryProse):
    """Without a train split."""

    name = f"{HERE}_odd"

    TEXTS = {"everything": "text"}


def test_a_tfds_set_keeps_its_own_splits(monkeypatch, tmp_path):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    data = load(config(data=f"tfds:{GalleryProse.name}"))
    assert text_of(data.train, data) == GalleryProse.TEXTS["train"]
    assert text_of(data.valid, data).replace("<unk>", "?") == "to ?ee\n" * 9
    assert len(data.test) == len(GalleryProse.TEXTS["test"])
    assert data.info["split"] == "train as published, valid as published, test as published"


def test_a_tfds_set_without_validation_has_it_cut_from_train(monkeypatch, tmp_path):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    data = load(config(data=f"tfds:{GalleryReviews.name}"))
    assert text_of(np.concatenate([data.train, data.valid]), data) == GalleryReviews.TEXTS["train"]
    assert data.info["split"] == "train 90% in order, valid 10% in order, test as published"


def test_a_tfds_set_without_train_says_what_it_has(monkeypatch, tmp_path):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(InputError, match=f"called train in tfds:{GalleryOdd.name}. It has: everything"):
        load(config(data=f"tfds:{GalleryOdd.name}"))


@pytest.mark.data
def test_tinyshakespeare_is_split_as_nanogpt_splits_it():
    """data[: int(n * 0.9)] and the rest: 1,003,854 and 111,540 characters."""
    (entry,) = CATALOGUE["tinyshakespeare"]
    text = decode(fetch.fetch(entry), entry.name)
    data = load(Config(data="tinyshakespeare"))
    assert (len(data.train), len(data.valid), data.test) == (1_003_854, 111_540, None)
    assert text_of(data.train, data) == text[: int(len(text) * 0.9)]
    assert text_of(data.valid, data) == text[int(len(text) * 0.9) :]
    assert len(data.info["vocabulary"]) == 65 + 4


@pytest.mark.data
def test_ptb_has_its_own_three_parts_at_word_level():
    data = load(Config(data="ptb", level="word"))
    assert [len(part) for part in (data.train, data.valid, data.test)] == [929_589, 73_760, 82_430]
    assert len(data.info["vocabulary"]) == 10_002
    assert text_of(data.train[:24], data) == (
        "aer banknote berlitz calloway centrust cluett fromstein gitano guterman hydro-quebec ipo kia "
        "memotec mlx nahb punts rake regatta rubens sim snack-food ssangyong swapo wachter"
    )


@pytest.mark.data
def test_ptb_by_character_keeps_the_three_files():
    data = load(Config(data="ptb", level="char"))
    sizes = [entry.bytes for entry in CATALOGUE["ptb"]]
    assert [len(part) for part in (data.train, data.valid, data.test)] == sizes  # it is ASCII
