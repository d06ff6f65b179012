"""Reading, cutting and numbering texts."""

import collections
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import InputError, MissingFileError
from shared.data import fetch
from shared.data.catalogue import CATALOGUE
from shared.data.text import (
    SPECIALS,
    Vocabulary,
    characters,
    decode,
    first_unknown,
    join_words,
    names_file,
    read_text,
    read_texts,
    words,
)

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)
tokens = st.lists(st.sampled_from(["a", "b", "c", "dd", "é", " ", "<unk>", "<eos>"]), max_size=60)


@pytest.fixture
def file(tmp_path):
    def write(raw, name="text.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
        return path

    return write


# Reading


@given(texts)
def test_a_text_comes_back_from_its_bytes_with_unix_line_ends(text):
    expected = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    assert decode(text.encode(), "a file") == expected


def test_a_byte_order_mark_is_no_character(file):
    assert read_text(file(b"\xef\xbb\xbfabc")) == "abc"


def test_windows_line_ends_become_unix_ones(file):
    assert read_text(file(b"a\r\nb\rc\n")) == "a\nb\nc\n"


def test_a_folder_is_its_text_files_in_sorted_order_joined_by_line_ends(file, tmp_path):
    file(b"second\n", "b.md")
    file(b"first", "a.txt")
    file(b"third", "c/deep.TXT")
    file(b"\0\0", "a.png")
    file(b"hidden", ".git/x.txt")
    file(b"hidden", ".x.txt")
    assert read_text(tmp_path) == "first\nsecond\nthird"


@pytest.mark.parametrize("raw", [b"", b" \n\t\n", b"\xef\xbb\xbf"])
def test_an_empty_or_blank_file_is_refused(file, raw):
    path = file(raw)
    with pytest.raises(InputError, match="empty or blank") as error:
        read_text(path)
    assert str(path) in str(error.value)


def test_a_folder_without_texts_says_what_it_looked_for(file, tmp_path):
    file(b"\0", "picture.png")
    with pytest.raises(InputError, match=r"\.txt .*There are none"):
        read_text(tmp_path)


def test_the_first_character_that_is_not_known_is_named_with_its_file_and_line(tmp_path):
    for name, content in {"a.txt": "one\ntwo\n", "b.txt": "one\ntwo, th\u00e9\n"}.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    texts = read_texts(tmp_path)
    assert "".join(texts.values()) == read_text(tmp_path)
    assert first_unknown(texts, set("onetw, h")) == ("\u00e9", f"{tmp_path / 'b.txt'}, line 2")
    assert first_unknown(texts, set("onetw, h\u00e9")) is None


def test_a_missing_file_is_an_input_error_and_a_file_not_found_error(tmp_path):
    with pytest.raises(MissingFileError, match=r"nothing at .*nowhere\.txt") as error:
        read_text(tmp_path / "nowhere.txt")
    assert isinstance(error.value, FileNotFoundError) and isinstance(error.value, InputError)


def test_an_argument_is_a_path_if_it_is_one_or_looks_like_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b").write_text("text")
    paths = {name for name in ("none.txt", "x/none.TSV", "a b", str(tmp_path / "a b")) if names_file(name)}
    assert paths == {"none.txt", "x/none.TSV", "a b", str(tmp_path / "a b")}
    texts = ("", "word", "open the none.txt", "...", "9.5", "nul\0.txt", "x" * 5000 + ".txt")
    assert not any(map(names_file, texts))
    assert names_file("none.jsonl", (".jsonl",)) and not names_file("none.txt", (".jsonl",))


def test_a_binary_file_is_refused_with_the_place_of_the_first_nul(file):
    with pytest.raises(InputError, match="binary: byte 3 is NUL"):
        read_text(file(b"abc\0def"))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_named_as_what_it_is(file, encoding):
    raw = "\ufeffabc".encode(encoding)
    with pytest.raises(InputError, match="is UTF-16"):
        read_text(file(raw))


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_wrong_encoding_names_file_line_and_byte(file, mark):
    path = file(mark + "one\ntwo\ncafé\n".encode("latin-1"))
    with pytest.raises(InputError, match="line 3: byte 0xe9") as error:
        read_text(path)
    assert str(path) in str(error.value) and "iconv" in str(error.value)


def test_a_wrong_encoding_in_a_folder_names_the_file(file, tmp_path):
    file(b"fine", "a.txt")
    path = file(b"caf\xe9", "b.txt")
    with pytest.raises(InputError) as error:
        read_text(tmp_path)
    assert f"{path}, line 1" in str(error.value)


# Tokens


@given(texts)
def test_characters_are_the_text(text):
    assert "".join(characters(text)) == text


@given(texts, texts)
def test_words_of_two_lines_are_the_words_of_each_with_an_end_between(first, second):
    assert words(first + "\n" + second) == [*words(first), "<eos>", *words(second)]


@given(texts)
def test_words_are_separated_by_white_space_and_each_line_end_is_an_eos(text):
    found = words(text)
    assert found.count("<eos>") - text.count("<eos>") <= text.count("\n")
    assert [w for w in found if w != "<eos>"] == [w for w in text.split() if w != "<eos>"]


@given(texts)
def test_words_joined_give_the_same_words_again(text):
    assert words(join_words(words(text))) == words(text)


def test_words_are_read_as_the_penn_treebank_is():
    assert words(" a b \n\n c\n") == ["a", "b", "<eos>", "<eos>", "c", "<eos>"]
    assert join_words(["a", "b", "<eos>", "<eos>", "c"]) == "a b\n\nc"


# Vocabulary


@given(tokens, st.none() | st.integers(4, 9), st.integers(1, 3))
def test_a_vocabulary_is_the_frequent_tokens_by_count_then_token(tokens, max_size, min_count):
    vocabulary = Vocabulary.fit(tokens, max_size, min_count)
    counts = collections.Counter(t for t in tokens if t not in SPECIALS)
    expected = sorted((t for t in counts if counts[t] >= min_count), key=lambda t: (-counts[t], t))
    assert vocabulary.tokens == (*SPECIALS, *expected[: None if max_size is None else max_size - 4])
    assert Vocabulary.fit(reversed(tokens), max_size, min_count) == vocabulary


@given(tokens)
def test_known_tokens_come_back_from_their_ids(tokens):
    vocabulary = Vocabulary.fit(tokens)
    ids = vocabulary.encode(tokens)
    assert ids.dtype == np.int32 and ids.shape == (len(tokens),)
    assert vocabulary.decode(ids) == tokens


@given(tokens, tokens)
def test_tokens_never_seen_become_unknown_and_only_they(train, other):
    vocabulary = Vocabulary.fit(train)
    expected = [t if t in train or t in SPECIALS else "<unk>" for t in other]
    assert vocabulary.decode(vocabulary.encode(other)) == expected


@given(st.lists(texts, max_size=20))
def test_a_vocabulary_comes_back_from_json(tokens):
    vocabulary = Vocabulary.fit(tokens)
    assert Vocabulary.from_json(vocabulary.to_json()) == vocabulary
    assert Vocabulary.from_json(json.dumps(vocabulary.tokens)).index == vocabulary.index


def test_the_special_ids_are_pad_0_unk_1_bos_2_eos_3():
    assert Vocabulary.fit([]).encode(["<pad>", "<unk>", "<bos>", "<eos>"]).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "as a JSON list"),
        ('{"a": 1}', "Received: a dict"),
        ('["a", "b"]', "beginning"),
        ('["<pad>", "<unk>", "<bos>", "<eos>", 7]', "of strings"),
        ('["<pad>", "<unk>", "<bos>", "<eos>", "a", "a"]', "'a' occurs twice"),
    ],
)
def test_a_damaged_vocabulary_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        Vocabulary.from_json(text)


@pytest.mark.parametrize("wrong", [-1, 5])
def test_an_id_outside_the_vocabulary_is_refused(wrong):
    with pytest.raises(InputError, match=f"from 0 to 4. Received: {wrong}"):
        Vocabulary.fit("a").decode([0, wrong])


def test_a_vocabulary_smaller_than_its_specials_is_refused():
    with pytest.raises(InputError, match="at least 4. Received: 3"):
        Vocabulary.fit("abc", max_size=3)


@pytest.mark.data
def test_tinyshakespeare_has_65_characters():
    (entry,) = CATALOGUE["tinyshakespeare"]
    text = decode(fetch.fetch(entry), entry.name)
    assert (len(text), len(set(text)), text.count("\n")) == (1_115_394, 65, 40_000)
    vocabulary = Vocabulary.fit(characters(text))
    assert "".join(vocabulary.decode(vocabulary.encode(text))) == text


@pytest.mark.data
def test_ptb_has_the_published_counts_and_one_closed_vocabulary():
    """929,589 / 73,760 / 82,430 tokens with the line ends; 10,000 different with <eos> and <unk>."""
    parts = [words(decode(fetch.fetch(entry), entry.name)) for entry in CATALOGUE["ptb"]]
    assert [len(part) for part in parts] == [929_589, 73_760, 82_430]
    assert len(set(parts[0])) == 10_000
    assert set(parts[1]) | set(parts[2]) <= set(parts[0])
    assert len(Vocabulary.fit(parts[0])) == 10_000 + 2  # <pad> and <bos> are not in the text
