"""Phrases, files, tokens, splits and batches, and the baseline against its equations."""

import collections
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.translation import data, ibm1, kinds, phrases, sources, typed
from apps.translation.config import Config
from apps.translation.options import Train
from apps.translation.sources import Pair
from apps.translation.tokens import BEGIN, END, UNK, Tokenizer, clean
from shared import InputError
from shared.data.sequences import BucketBatches

SENTENCES = ["Two men, 1987 are here.", "Zwei Männer sind hier am 3. Mai.", "two men are there"] * 3


# The built-in phrases


@pytest.fixture(scope="module")
def built():
    return phrases.parts("en", "de")


def test_no_value_of_valid_or_test_is_in_train(built):
    """A date, time or number in one part is in no other, in whatever style it is written."""

    def numbers(part, kind):
        found = [source for source, _, each in built[part] if each == kind]
        written = [re.search(r"[\d.,]*\d", text)[0].replace(",", "") for text in found]
        return {float(number) for number in written}

    for kind in ("unit", "currency", "price"):
        assert not numbers("train", kind) & (numbers("test", kind) | numbers("valid", kind))
        assert not numbers("test", kind) & numbers("valid", kind)
        assert len(numbers("test", kind)) > 40
    for part in ("valid", "test"):
        held = {source for source, _, _ in built[part]}
        assert not held & {source for source, _, _ in built["train"]}


def test_a_date_held_out_in_one_style_is_held_out_in_all(built):
    """However a date is typed, its target has the day, the month and the year."""
    months = dict((other, number) for number, other in phrases.locale("de").months["format"]["wide"].items())

    def days(part):
        texts = [target for _, target, kind in built[part] if kind == "date"]
        found = [re.search(r"(\d+)\. ?(\d+|\w+)\.? ?(\d{4})$", text) for text in texts]
        return {(int(each[1]), months.get(each[2], each[2].lstrip("0")), each[3]) for each in found if each}

    assert len(days("test")) > 80
    assert not days("train") & days("test")


def test_phrases_are_those_of_babel_and_the_same_every_time(built):
    from babel.dates import parse_date

    assert built == phrases.parts("en", "de")
    always = {"name of a day or month"}  # which are all in train
    assert {kind for *_, kind in built["test"]} == set(phrases.kinds()) - always
    long = [(one, other) for one, other, _ in built["test"] if re.fullmatch(r"[A-Z][a-z]+ \d+, \d{4}", one)]
    assert long
    short = [(one, other) for one, other, _ in built["test"] if re.fullmatch(r"\d+/\d+/\d\d", one)]
    for one, other in short:
        assert parse_date(one, locale="en") == parse_date(other, locale="de")
    assert short
    names = dict((one, other) for one, other, kind in built["train"] if kind == "language and country")
    assert names["Switzerland"] == "Schweiz" and names["French"] == names["french"] == "Französisch"


def test_no_phrase_has_two_translations_between_which_one_could_only_guess(built):
    found = collections.defaultdict(set)
    for source, target, _ in built["train"] + built["valid"] + built["test"]:
        found[clean(source)].add(clean(target))
    guessed = {re.sub(r"[\d.,]", "", source).strip() for source, targets in found.items() if len(targets) > 1}
    assert guessed <= {"c", "pt"}  # cup and century, pint and point: units that English abbreviates alike


def test_every_kind_that_people_type_is_there(built):
    every = {clean(source): clean(target) for part in built.values() for source, target, _ in part}
    assert every["Monday"] == every["monday"] == "Montag" and every["Sat"] == "Sa" and every["may"] == "Mai"
    assert every["$5"] == every["5 USD"] == every["USD 5"] == "5 $" and every["€5.00"] == "5,00 €"
    assert every["5 dollars"] == every["5 US dollars"] == "5 US-Dollar" and every["5km"] == every["5 km"] == "5 km"
    forms = {  # source, target
        "time": [(r"18:\d\d", r"18:\d\d"), (r"6:\d\dpm", r"18:\d\d"), (r"\d+:\d\d:\d\d a\.m\.", r"\d\d:\d\d:\d\d")],
        "month": [(r"March \d{4}", r"März \d{4}")],
        "day": [(r"\d+ March", r"\d+\. März"), (r"Mon, Mar \d+", r"Mo., \d+\. März")],
        "date": [
            (r"March \d?\dth, \d{4}", r"\d?\d\. März \d{4}"),
            (r"\d?[23][nr]d of \w{4,} \d{4}", r"\d?[23]\. \w+ \d{4}"),
            (r"\d{4}-11-\d\d", r"\d\d\.11\.\d{4}"),
            (r"May \d+, \d{4}", r"\d+\. Mai \d{4}"),
        ],
    }
    for kind, some in forms.items():
        for source, target in some:
            pairs = [(one, other) for one, other, each in built["train"] if each == kind and re.fullmatch(source, one)]
            assert pairs and all(re.fullmatch(target, other) for _, other in pairs), source


def test_common_currencies_are_equally_frequent(built):
    targets = [clean(target) for _, target, kind in built["train"] if kind == "price"]
    counts = collections.Counter(re.sub(r"[\d.,]", "", target).strip() for target in targets)
    assert len(counts) == 21 and min(counts.values()) > 0.6 * max(counts.values()), counts


def test_an_earlier_style_takes_a_source_that_two_styles_share():
    import datetime

    locales = [phrases.locale(name) for name in ("en", "de")]
    date, day = kinds.kinds()["date"], datetime.date(2027, 5, 4)
    assert phrases._written(date, (day,), "long", locales) == ("May 4, 2027", "4. Mai 2027")
    assert phrases._written(date, (day,), "medium", locales) is None


# As people type


WAYS = {
    "date": ("March 3, 2024", ["March 3rd, 2024", "3rd of March 2024", "3 March 2024", "march 3rd 2024"]),
    "day": ("Mon, Mar 3", ["Mon, 3 March", "Mon 3rd March", "mon, march 3rd"]),
    "time": ("6:00\u202fPM", ["6pm", "6:00pm", "6 PM", "6:00 p.m."]),
    "name of a day or month": ("Monday", ["monday"]),
    "currency": ("1,200 US dollars", ["1,200 dollars", "1200 dollars", "1200 US dollars"]),
    "price": ("¥1,200", ["¥1200"]),
    "unit": ("1,500 km", ["1500 km", "1500km", "1,500km"]),
}


@pytest.mark.parametrize("kind", WAYS)
def test_a_phrase_of_cldr_is_typed_in_other_ways(kind):
    text, expected = WAYS[kind]
    found = typed.ways(kind, text, phrases.locale("en"))
    assert set(expected) <= set(found) and clean(text) not in found and len(found) == len(set(found))


def test_each_day_of_a_month_has_its_ordinal():
    said = str.split("1st 2nd 3rd 4th 9th 10th 11th 12th 13th 20th 21st 22nd 23rd 24th 30th 31st")
    assert [typed.ordinal(re.sub(r"\D", "", each)) for each in said] == said


def test_what_is_english_is_not_done_to_other_languages_and_their_separators_are_taken_out():
    assert typed.ways("price", "1.200,50\u00a0€", phrases.locale("de")) == ["1200,50 €"]
    assert typed.ways("price", "1\u202f200,50\u00a0€", phrases.locale("fr")) == ["1200,50 €"]
    assert typed.ways("date", "Mai 3, 2024", phrases.locale("de")) == ["mai 3, 2024"]
    assert typed.ways("time", "18:30", phrases.locale("de")) == []


@pytest.mark.parametrize("target", ["ja", "pt_BR", "zh-Hant"])
def test_any_locale_will_do(target, monkeypatch):
    monkeypatch.setattr(phrases, "SIZES", {part: size // 10 for part, size in phrases.SIZES.items()})
    found = phrases.parts("en", target)
    assert len(found["test"]) > 80 and all(other for _, other, _ in found["test"])


def test_an_unknown_locale_is_named():
    with pytest.raises(InputError, match="Expected a locale that babel knows.*Received: xx"):
        phrases.parts("en", "xx")


# Tokens


@pytest.mark.parametrize("level", ["subwords", "words"])
def test_what_is_cut_is_put_together_again(level):
    tokenizer = Tokenizer.fit(SENTENCES, level, 200, 1)
    for text in SENTENCES:
        encoded = tokenizer.encode(text)
        assert encoded.ids[-1] == END and len(encoded.ids) == len(encoded.pieces)
        assert tokenizer.decode(encoded.ids) == text
    again = Tokenizer(tokenizer.to_json())
    assert list(again.encode(SENTENCES[1]).ids) == list(tokenizer.encode(SENTENCES[1]).ids)


@pytest.mark.parametrize("level", ["subwords", "words"])
def test_what_is_unknown_is_copied_from_the_source(level):
    tokenizer = Tokenizer.fit(SENTENCES, level, 200, 3)
    text = "Two €5 men <eos> are \u4f60\u597d here"
    encoded = tokenizer.encode(text)
    assert UNK in encoded.ids and END not in encoded.ids[:-1]
    written = tokenizer.decode(encoded.ids, encoded.pieces)
    assert written.replace(" ", "") == text.replace(" ", "")
    assert "\u4f60" not in tokenizer.decode(encoded.ids)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_encoded_and_comes_back_if_copied(text):
    text = clean(text)
    tokenizer = KNOWING
    encoded = tokenizer.encode(text)
    assert encoded.ids.max() < len(tokenizer)
    written = tokenizer.decode(encoded.ids, encoded.pieces)
    assert "".join(written.split()) == "".join(text.split())


def test_a_time_as_it_is_typed_is_the_one_that_cldr_writes_with_a_space_that_does_not_break():
    (time, *_) = (one for one, _, kind in phrases.parts("en", "de")["train"] if kind == "time" and "\u202f" in one)
    assert clean(time) == time.replace("\u202f", " ") == clean(clean(time))
    assert clean(" e\u0301te\u0301\u00a0 ?\u3000") == "\u00e9t\u00e9 ?"


KNOWING = Tokenizer.fit(SENTENCES, "subwords", 200, 2)


@pytest.mark.parametrize("level", ["subwords", "words"])
def test_the_same_sentences_give_the_same_tokens_and_none_that_is_too_rare(level):
    """Else a training could not be continued: the learned tokens would not be those it was begun with."""
    sentences = [*["some words are frequent"] * 3, "\u00e9 \u00df \u0e3f \u00c4 zz yy xx", "zz yy xx"]
    fitted = [Tokenizer.fit(sentences, level, 40, 2).to_json() for _ in range(12)]
    assert all(each == fitted[0] for each in fitted)
    assert not set("\u00e9\u00df\u0e3f\u00c4") & set("".join(fitted[0]["model"]["vocab"]))
    cut = [Tokenizer.fit([" ".join(map(str, range(60)))] * 2, level, 30, 1).to_json() for _ in range(12)]
    assert all(each == cut[0] for each in cut)


def test_digits_stand_alone_so_that_new_numbers_can_be_read():
    tokenizer = Tokenizer.fit(["in 1987 and 1987 and 1987 0 2 3 4 5 6"] * 5, "subwords", 300, 1)
    assert tokenizer.shown(tokenizer.encode("in 4531").ids[:-1]) == ["_in", "_", "4", "5", "3", "1"]


# Reading


def config(**changes):
    return Config(**{"data": "own", "vocabulary": 200, "min_count": 1, **changes})


def write(path, rows):
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return str(path)


def test_a_tsv_and_two_files_hold_the_same_pairs(tmp_path):
    one, other = [f"one {n}" for n in range(9)], [f"eins {n}" for n in range(9)]
    tsv = write(tmp_path / "pairs.tsv", ["\t".join(pair) for pair in zip(one, other, strict=True)])
    first, second = write(tmp_path / "a.en", one), write(tmp_path / "a.de", other)
    pairs = sources.read(config(data=tsv))["train"]
    both = sources.read(config(data=first, target_file=second))["train"]
    assert [(p.source, p.target) for p in pairs] == [(p.source, p.target) for p in both]
    assert pairs[3] == Pair("one 3", "eins 3", f"{tsv}, line 4")


BAD = {
    "unequal": (["a\tb"], ["a"], "Expected a translation for each sentence. .* has 1 lines, .* has 2"),
    "no tab": (["a b c"], None, "pairs.tsv, line 1 has 1 column. Two files of sentences are named with --data"),
    "three columns": (["a\tb", "a\tb\tc"], None, "pairs.tsv, line 2 has 3 columns"),
    "an empty file": ([""], None, "pairs.tsv is empty or blank"),
    "an empty side": (["a\tb", "a\t "], None, "line 2 is empty on one side"),
    "too few": (["a\tb"] * 60, None, "Expected at least 50 pairs"),
}


@pytest.mark.parametrize("name", BAD)
def test_files_that_cannot_be_used_are_named_with_their_line(name, tmp_path):
    rows, target, message = BAD[name]
    path = write(tmp_path / "pairs.tsv", rows)
    target_file = write(tmp_path / "other", [*target, "b"]) if target else ""
    with pytest.raises(InputError, match=message):
        data.load(config(data=path, target_file=target_file))


@pytest.mark.parametrize("setting", ["data", "valid", "test", "target_file", "valid_target_file", "test_target_file"])
def test_every_file_that_is_not_there_is_refused_before_any_is_read(setting, tmp_path):
    path = write(tmp_path / "pairs.tsv", ["a\tb"])
    there = {"data": path, "valid": path, "test": path}
    with pytest.raises(InputError, match="none.tsv"):
        Train(config(**there | {setting: str(tmp_path / "none.tsv")})).check()


def test_quotation_marks_and_unusual_line_separators_stay_in_their_sentence(tmp_path):
    tsv = write(tmp_path / "pairs.tsv", ['"5 days\t5 Tage"', "one\u2028two\teins\u0085zwei", "a\tb"])
    pairs = sources.read(config(data=tsv))["train"]
    expected = [('"5 days', '5 Tage"'), ("one\u2028two", "eins\u0085zwei"), ("a", "b")]
    assert [(pair.source, pair.target) for pair in pairs] == expected


def test_two_equal_languages_are_refused():
    with pytest.raises(InputError, match="--source, --target: expected two languages"):
        config(source="de", target="DE")


# Splits and batches


def own_pairs(tmp_path, count=300):
    random = np.random.default_rng(0)
    rows = [" ".join(random.choice(list("abcdefgh"), random.integers(1, 12))) for _ in range(count)]
    return write(tmp_path / "own.tsv", [f"{row}\t{row.upper()}" for row in rows])


def test_no_source_sentence_is_in_two_parts_and_the_split_never_changes(tmp_path):
    path = own_pairs(tmp_path)
    loaded = [data.load(config(data=path, seed=seed)) for seed in (1, 2)]
    parts = [{pair.source for pair in getattr(loaded[0], part).pairs} for part in ("train", "valid", "test")]
    assert all(parts) and not parts[0] & parts[1] and not parts[0] & parts[2] and not parts[1] & parts[2]
    assert loaded[0].test.pairs == loaded[1].test.pairs


def test_the_tokens_come_from_train_alone(tmp_path):
    path = own_pairs(tmp_path)
    pairs = data.load(config(data=path)).test.pairs
    text = (tmp_path / "own.tsv").read_text()
    changed = text.replace(f"{pairs[0].source}\t", f"{pairs[0].source} zzz\t").replace("zzz", "\u00e9")
    (tmp_path / "own.tsv").write_text(changed)
    loaded = data.load(config(data=path))
    known = "\u00e9" in "".join(pair.source for pair in loaded.train.pairs)
    assert known == ("\u00e9" in str(loaded.info["tokenizer"]["model"]["vocab"].keys()))


def test_what_the_decoder_reads_is_the_target_one_step_earlier(tmp_path):
    loaded = data.load(config(data=own_pairs(tmp_path), buckets=2))
    batches = data.PairBatches(loaded.train, 16, 1, loaded.info["bucket_lengths"])
    counted = collections.Counter()
    for step in range(batches.steps):
        (source, before), target, weights = batches.batch(0, step)
        assert source.shape == before.shape == target.shape == weights.shape
        for row in range(16):
            length = int(np.flatnonzero(target[row] == END)[0]) + 1
            assert list(before[row, :length]) == [BEGIN, *target[row, : length - 1]]
            assert weights[row].sum() in (0, length) and (weights[row, length:] == 0).all()
            if weights[row].any():
                counted[tuple(target[row, :length])] += 1
    expected = collections.Counter(tuple(target) for _, target in loaded.train.ids)
    assert counted == expected


def packed(source, target):
    """(time, 3): source, target before, target, side by side, with 0 after their ends."""
    columns = np.zeros((max(len(source), len(target)), 3), np.int32)
    columns[: len(source), 0] = source
    columns[: len(target), 1] = [BEGIN, *target[:-1]]
    columns[: len(target), 2] = target
    return columns


def test_batches_are_those_of_pairs_packed_side_by_side_to_one_length():
    random = np.random.default_rng(0)
    ids = [tuple(random.integers(3, 50, length, np.int32) for length in random.integers(1, 13, 2)) for _ in range(150)]
    lengths = data.padded_lengths(data.Part([], ids), config(buckets=3, max_tokens=12))
    ours = data.PairBatches(data.Part([], ids), 16, 7, lengths)
    both = [packed(source, target) for source, target in ids]
    by_hand = BucketBatches(both, [pair[:, 2] for pair in both], 16, 7, lengths)
    assert ours.steps == by_hand.steps and len(lengths) == 3
    for epoch in (0, 3):
        for step in range(ours.steps):
            (source, before), target, weights = ours.batch(epoch, step)
            (columns, _), _, there = by_hand.batch(epoch, step)
            expected = [columns[..., 0], columns[..., 1], columns[..., 2], there * (columns[..., 2] != 0)]
            for found, wanted in zip([source, before, target, weights], expected, strict=True):
                assert found.dtype == wanted.dtype
                np.testing.assert_array_equal(found, wanted)


def test_with_one_bucket_there_is_room_for_a_validation_pair_longer_than_all_of_training():
    train = data.Part([], [(np.arange(4), np.arange(5))] * 9)
    valid = data.Part([], [(np.arange(8), np.arange(3))])
    lengths = data.padded_lengths(train, config(buckets=1, max_tokens=8))
    assert data.PairBatches(valid, 2, 1, lengths).steps == 1
    assert data.padded_lengths(train, config(buckets=4, max_tokens=8)) == [5, 8]


def test_examples_are_spread_over_each_part_and_the_fingerprint_is_of_all(tmp_path, built, monkeypatch):
    monkeypatch.setattr(phrases, "parts", lambda source, target: built)
    few = data.load(Config(max_examples=100, vocabulary=200))
    pairs = [(pair.source, pair.target) for pair in few.test.pairs]
    assert len(pairs) == 100 and {pair.kind for pair in few.test.pairs} == {kind for *_, kind in built["test"]}
    assert pairs[0] == tuple(map(clean, built["test"][0][:2])) and pairs[-1] == tuple(map(clean, built["test"][-1][:2]))
    whole = data.load(config(data=own_pairs(tmp_path), max_examples=0)).info["fingerprint"]
    some = data.load(config(data=own_pairs(tmp_path), max_examples=200)).info
    assert some["fingerprint"] == whole and some["split"].startswith("train 150, valid 22, test 21")
    moved = tmp_path / "moved.tsv"
    moved.write_bytes((tmp_path / "own.tsv").read_bytes())
    assert data.load(config(data=str(moved))).info["fingerprint"] == whole
    moved.write_text(moved.read_text().replace("a", "b", 1))
    assert data.load(config(data=str(moved))).info["fingerprint"] != whole


def test_long_pairs_are_left_out_of_training_and_counted(tmp_path):
    loaded = data.load(config(data=own_pairs(tmp_path), max_tokens=9))
    assert max(len(side) for pair in loaded.train.ids for side in pair) <= 9
    assert max(len(side) for pair in loaded.test.ids for side in pair) > 9
    assert re.search(r"\d+ longer than 9 tokens left out", loaded.info["split"])


def test_a_tensorflow_data_set_is_read_by_its_languages(monkeypatch):
    examples = {"train": [("eins", "one"), ("", "empty")], "validation": [("zwei", "two")], "test": [("drei", "three")]}
    monkeypatch.setattr(sources.tfds, "splits", lambda name: sorted(examples))
    monkeypatch.setattr(
        sources.tfds,
        "load_examples",
        lambda name, split: [{"de": a.encode(), "en": b.encode()} for a, b in examples[split]],
    )
    parts = sources.read(config(data="tfds:ted_hrlr_translate/de_to_en", source="de", target="en"))
    assert {part: [(p.source, p.target) for p in pairs] for part, pairs in parts.items()} == {
        "train": [("eins", "one")],
        "valid": [("zwei", "two")],
        "test": [("drei", "three")],
    }
    with pytest.raises(InputError, match="has de, en; not 'fr'"):
        sources.read(config(data="tfds:ted_hrlr_translate/de_to_en", source="de", target="fr"))


@pytest.mark.data
def test_multi30k_is_read_whole():
    parts = sources.multi30k("en", "fr")
    assert {part: len(pairs) for part, pairs in parts.items()} == {"train": 29_000, "valid": 1_014, "test": 1_000}
    assert parts["train"][0].source == "Two young, White males are outside near many bushes."
    with pytest.raises(InputError, match="multi30k has en, de, fr"):
        sources.multi30k("en", "it")


# IBM model 1


def plain_ibm1(pairs, rounds):
    """Brown et al. with dictionaries, in the words of the paper."""
    t = collections.defaultdict(lambda: 1.0)
    for _ in range(rounds):
        count, total = collections.Counter(), collections.Counter()
        for source, target in pairs:
            for f in target:
                norm = sum(t[f, e] for e in source)
                for e in source:
                    count[f, e] += t[f, e] / norm
                    total[e] += t[f, e] / norm
        t = collections.defaultdict(float, {(f, e): value / total[e] for (f, e), value in count.items()})
    return t


def test_ibm_model_1_is_expectation_maximisation_word_by_word():
    random = np.random.default_rng(0)
    sizes = random.integers(1, 5, 20)
    pairs = [(random.integers(0, 6, size).tolist(), random.integers(0, 7, 3).tolist()) for size in sizes]
    table = ibm1.probabilities(*map(list, zip(*pairs, strict=True)), (6, 7), 4).toarray()
    expected = plain_ibm1(pairs, 4)
    for (f, e), value in expected.items():
        np.testing.assert_allclose(table[e, f], value, atol=1e-12)
    np.testing.assert_allclose(table.sum(axis=1), 1)


def test_a_dictionary_is_found_where_there_is_one():
    words = {"one": "eins", "two": "zwei", "three": "drei", "four": "vier"}
    random = np.random.default_rng(1)
    drawn = [random.permutation(list(words))[: random.integers(1, 4)] for _ in range(60)]
    method = ibm1.fit([(" ".join(some), " ".join(words[word] for word in some)) for some in drawn])
    assert method.translate("three, five one.") == "drei, five eins."
