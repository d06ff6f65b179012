"""What a careful colleague says about a data set: findings from plain values."""

import numpy as np
import pytest

from shared.data import doctor
from shared.data.doctor import NOTE, OK, PROBLEM, WARNING, Item


def items(words):
    return [Item(word.lower(), word, f"line {number}") for number, word in enumerate(words.split(), 1)]


def test_a_duplicate_is_counted_and_named_with_its_line_and_many_are_a_problem():
    train = items("a b c")
    few = doctor.duplicates(train, items("A " + " ".join(f"x{n}" for n in range(39))), "test")
    assert few == (WARNING, "1 of 40 test texts (2.5 %) is also in the training set, e.g. line 1: 'A'")
    many = doctor.duplicates(train, items("x C B"), "test", then="cut them")
    assert many == (PROBLEM, "2 of 3 test texts (67 %) are also in the training set, e.g. line 2: 'C': cut them")
    assert doctor.duplicates(train, items("x y"), "test").level == OK
    assert doctor.duplicates(train, items("a"), "valid", level=NOTE, among="test").text.endswith(
        "test, e.g. line 1: 'a'"
    )


def test_equal_examples_with_different_labels_and_repetitions_are_found():
    found = items("a b A")
    assert doctor.contradictions(found, ["x", "y", "x"]) == []
    (wrong,) = doctor.contradictions(found, ["x", "y", "z"])
    assert "1 of 3 texts" in wrong.text and "line 3: 'A' is 'z', but 'x' in line 1" in wrong.text
    assert doctor.repeats(found).text.startswith("1 of 3 texts (33 %) is a repetition")
    assert doctor.repeats(items("a b")) == (OK, "all 2 texts differ")


def test_a_group_on_both_sides_is_leakage_and_unknown_groups_are_said_to_be_unknown():
    assert doctor.groups(["ann"], ["bob", ""], "test", "speakers").level == OK
    assert doctor.groups(["ann", "bob"], ["bob", "cid"], "test", "speakers").level == PROBLEM
    assert doctor.groups(["ann"], ["ann"], "test", "speakers", level=NOTE).level == NOTE
    unknown = doctor.groups(["", ""], [""], "test", "speakers")
    assert unknown.level == WARNING and "unknown" in unknown.text


@pytest.mark.parametrize("count, level", [(0, PROBLEM), (19, PROBLEM), (20, WARNING), (99, WARNING), (100, OK)])
def test_a_small_test_set_is_judged_by_the_interval_of_a_share(count, level):
    found = doctor.enough(count, "test", "texts")
    assert found.level == level
    half = 100 * 1.96 * np.sqrt(0.25 / max(1, count))
    assert f"± {half:.0f} points" in found.text or f"± {half:.1f} points" in found.text


def test_of_a_figure_that_is_no_share_no_interval_is_given():
    assert doctor.enough(3, "test", "pairs", share=False) == (PROBLEM, "3 test pairs are too few")


def test_one_class_only_is_a_problem_and_an_unseen_or_rare_one_is_named():
    labels = {"train": ["a"] * 9 + ["b"] * 9 + ["c"], "valid": ["a", "b"] * 9 + ["d"], "test": ["a"] * 9}
    found = doctor.balance(labels)
    assert [text for level, text in found if level == PROBLEM][-1].startswith("all 9 test examples are 'a'")
    assert any("1 of 3 labels has fewer than 5 training examples: c" in text for _, text in found)
    assert any(
        "1 of 19 valid examples (5.3 %) is of labels that no training example has: d" in text for _, text in found
    )
    assert doctor.balance({"train": ["a"], "test": []})[0].level == PROBLEM
    (_, skewed, moved) = doctor.balance({"train": ["a", "b"] * 50, "test": ["a"] * 90 + ["b"] * 10})
    assert skewed == (NOTE, "always answering 'a' is right in 90.0 % of test: compare with that")
    assert moved == (NOTE, "'a' is 50.0 % of training, but 90.0 % of test")
    assert len(doctor.balance({"train": ["a", "b"] * 5, "test": ["a"] * 6 + ["b"] * 3})) == 1  # as chance has it


def test_lengths_say_how_many_are_cut():
    assert doctor.lengths([1, 2, 4, 40], "words", "texts", 9, "lose their end") == (
        WARNING,
        "texts: half have at most 4 words, 95 % at most 40, the longest 40; "
        "longer than 9, so that they lose their end: 1 (25 %)",
    )
    assert doctor.lengths([1, 2, 3], "words", "texts", 9, "lose their end").level == NOTE


@pytest.mark.parametrize(
    "text, sign",
    [
        ("CafÃ©", "'Ã©' for 'é'"),
        ("itâ€™s", "for '’'"),
        ("lost \ufffd here", "U+FFFD"),
        ("bell \x07", "U+0007"),
        ("dash \x97 of Windows", "U+0097, '—' in Windows-1252"),
        ("zero\u200bwidth", "U+200B"),
    ],
)
def test_signs_of_a_wrong_encoding_are_named_with_their_place(text, sign):
    (found,) = doctor.characters([("fine", "line 1"), (text, "line 2")])
    assert found.level == WARNING  # half of the texts
    assert found.text.startswith("1 of 2 texts has") and "line 2: " in found.text
    assert sign in found.text


@pytest.mark.parametrize(
    "text", ["São Paulo", "ÅÄÖ", "naïve", "Â", "日本語", "Ðé", "5 º", "“quoted” – fine…", "ÉTÉ: À ¡vale!"]
)
def test_right_text_of_any_language_has_no_such_signs(text):
    assert [finding.level for finding in doctor.characters([(text, "")])] == [OK]


def test_two_forms_of_one_letter_are_noted():
    (found,) = doctor.characters([("caf\u00e9", "line 1"), ("cafe\u0301", "line 2")])
    assert found.level == NOTE and found.text.endswith("e.g. line 1 and line 2")
    assert doctor.characters([("caf\u00e9", "line 1"), ("\u00e9t\u00e9", "line 2")])[0].level == OK


def test_missing_and_constant_columns_are_named():
    columns = {"a": np.array([1.0, np.nan, 3.0, 4.0]), "b": np.ones(4), "c": np.arange(4.0)}
    assert doctor.gaps(columns) == [
        (NOTE, "1 of 3 columns has missing values: a 25 %"),
        (WARNING, "1 of 3 columns (33 %) is constant: b"),
    ]
    assert doctor.gaps({"c": np.arange(4.0)})[0].level == OK


def test_an_outlier_is_far_in_robust_deviations_and_a_heavy_tail_is_none():
    values = np.random.default_rng(0).normal(size=500)
    assert len(doctor.far(values)) == 0 and len(doctor.far(np.ones(9))) == 0
    values[[7, 9]] = 80, np.nan
    assert doctor.far(values).tolist() == [7]
    assert doctor.far(np.array([1.0, 2, 3, 2, 1, 3, 2, 90])).tolist() == [7]
    tail = np.concatenate([values, np.full(100, 90.0)])
    assert len(doctor.far(tail)) == 0


def test_the_gravest_finding_comes_first_and_equal_ones_keep_their_order():
    found = [doctor.Finding(level, str(n)) for n, level in enumerate((OK, PROBLEM, NOTE, PROBLEM, WARNING))]
    assert [finding.text for finding in doctor.worst_first(found)] == ["1", "3", "4", "2", "0"]


def test_a_share_that_is_not_all_or_none_is_never_written_as_all_or_none():
    assert [doctor.percent(share) for share in (1995 / 2000, 0.99999, 1, 0)] == ["99.8 %", "99.999 %", "100 %", "0 %"]
    assert doctor.shares({"good": 9999, "bad": 1}) == "good 99.99 %, bad 0.01 %"


def test_one_answer_to_all_examples_is_a_problem_and_to_many_a_warning():
    same = {"test": [("a", "x"), ("b", "x"), ("c", "x")]}
    (found,) = doctor.same_answers(same, "sentences", "translation", 0.1)
    assert found.level == PROBLEM and "all 3 different test sentences have the same translation" in found.text
    (found,) = doctor.same_answers({"test": [*same["test"], ("d", "y")]}, "sentences", "translation", 0.5)
    assert found == (WARNING, "3 of 4 different test sentences have the same translation, 'x': wrongly paired?")
    apart = [(f"{n}", f"{n}") for n in range(30)]
    assert doctor.same_answers({"test": apart + [("0", "0")] * 9}, "sentences", "translation", 0.1) == []


def test_a_test_part_that_was_copied_from_training_is_a_problem_and_a_flat_one_is_no_copy():
    values = np.random.default_rng(0).normal(size=300)
    assert doctor.copies([values[:200]], [values[200:]], "test").level == OK
    found = doctor.copies([values[:200]], [values[50:150]], "test")
    assert found.level == PROBLEM and found.text.startswith("77 of 77 test stretches of 24 values (100 %) are in")
    assert doctor.copies([values[:9]], [values[9:]], "test").level == OK  # too short for a stretch
    flat = np.ones(100)
    assert doctor.copies([flat], [flat, flat[:3]], "test").level == OK


def test_an_extreme_value_that_is_repeated_is_a_code_and_a_heavy_tail_is_none():
    random = np.random.default_rng(0)
    values = random.normal(size=500)
    values[::10] = -999
    (found,) = doctor.codes({"a": values, "b": random.normal(size=500)}, "series")
    assert found.level == WARNING and "1 of 2 series has" in found.text and "a -999 in 10 % of its values" in found.text
    counts = np.round(random.pareto(1, size=2000) * 5)
    assert doctor.codes({"tail": counts, "rare": np.repeat([0.0, 9.0], [90, 10])}) == []


def test_values_that_are_cut_off_are_found_and_a_natural_zero_is_not():
    values = 10 + np.random.default_rng(0).normal(size=500)
    (found,) = doctor.clipped({"a": np.minimum(values, 11), "b": values})
    assert found.level == WARNING and "a 11, the highest, in 1" in found.text and "b" not in found.text.split(": ")[1]
    assert doctor.clipped({"rain": np.maximum(values - 10, 0)}) == []
    assert doctor.clipped({"code": np.where(np.arange(500) % 10, values, -999)}) == []


def test_a_word_that_gives_the_label_away_is_named():
    texts = [{"the", "[src=p]" if n % 2 else "[src=n]", f"w{n % 7}"} for n in range(100)]
    (found,) = doctor.giveaways(texts, ["good" if n % 2 else "bad" for n in range(100)])
    assert found.level == WARNING and "'[src=p]' in 50 % of them, 'good' in 100 %" in found.text
    assert "'the'" not in found.text and "'w1'" not in found.text
    assert doctor.giveaways(texts, ["good" if n % 20 else "bad" for n in range(100)]) == []  # as most texts are


def test_labels_that_differ_in_case_only_are_named():
    found = doctor.balance({"train": ["POSITIVE", "positive", "bad"] * 9, "test": []})
    assert (WARNING, "labels that differ only in case or spaces: 'POSITIVE' and 'positive'") in found


def test_one_example_is_said_in_the_singular_and_long_lengths_in_full():
    assert doctor.enough(1, "test", "texts").text.startswith("1 test text is too few: a share measured on it is")
    assert doctor.sized(1, "batches") == "1 batch" and doctor.sized(1, "series") == "1 series"
    assert doctor.repeats(items("a"), "series").text == "no repetition in 1 series"
    assert "the longest 54,321" in doctor.lengths([7, 54321], "characters", "texts").text
