"""The linear classifier of texts: what it learns, that it is kept exactly, and what it refuses."""

import numpy as np
import pytest

from shared import InputError, MissingFileError, linear

TEXTS = [f"the {thing} was {word}".split() for thing in "abcdefghij" for word in ("good", "bad", "so so")]
LABELS = np.tile([0, 1, 2], 10)


def split(*texts):
    return [text.split() for text in texts]


@pytest.mark.parametrize("kind", linear.KINDS)
def test_words_decide_about_texts_that_were_not_trained_on(kind):
    model = linear.fit(TEXTS, LABELS, 3, TEXTS, LABELS, kinds=(kind,))
    assert model.kind == kind
    asked = split("the z was good", "the z was bad", "the z was so so")
    assert model.logits(asked).argmax(axis=1).tolist() == [0, 1, 2]


@pytest.mark.parametrize("kind", linear.KINDS)
def test_pairs_of_words_decide_where_single_words_do_not(kind):
    texts = [f"{thing} {pair}".split() for thing in "abcdefgh" for pair in ("not good or bad", "good or not bad")]
    labels = np.tile([0, 1], 8)
    model = linear.fit(texts, labels, 2, texts, labels, kinds=(kind,))
    assert model.logits(split("z not good or bad", "z good or not bad")).argmax(axis=1).tolist() == [0, 1]


@pytest.mark.parametrize("kind", linear.KINDS)
def test_a_saved_model_gives_equal_logits(kind, tmp_path):
    texts = [*TEXTS, *split("\u0643\u0650\u062a\u0627\u0628 \U0001f600 was good")]
    model = linear.fit(texts, np.append(LABELS, 0), 3, TEXTS, LABELS, kinds=(kind,))
    model.save(tmp_path / "linear.npz")
    loaded = linear.load(tmp_path / "linear.npz")
    asked = [*texts, ["never", "seen"], []]
    np.testing.assert_array_equal(loaded.logits(asked), model.logits(asked))
    assert (loaded.kind, loaded.terms) == (model.kind, model.terms)


def test_tfidf_is_that_of_scikit_learn():
    from sklearn.feature_extraction.text import TfidfVectorizer

    counter = TfidfVectorizer(analyzer=linear._words_and_pairs, sublinear_tf=True, min_df=linear.RAREST)
    asked = [*split("good good bad z the was"), *TEXTS]
    expected = counter.fit(TEXTS).transform(asked).toarray()
    model = linear.fit(TEXTS, LABELS, 3, TEXTS, LABELS, kinds=("tfidf",))
    assert list(model.terms) == sorted(counter.vocabulary_)
    counts = linear._counted(asked, {term: n for n, term in enumerate(model.terms)})
    np.testing.assert_allclose(linear._features("tfidf", counts, model.scale).toarray(), expected, atol=1e-6)


def test_validation_chooses_the_kind_and_the_strength(monkeypatch):
    losses = iter((0.9, 0.8, 0.7, 0.6, 0.1, 0.5))
    monkeypatch.setattr(linear.stacking, "log_loss", lambda *_: next(losses))
    assert linear.fit(TEXTS, LABELS, 3, TEXTS, LABELS).kind == "naive_bayes"


def test_balanced_finds_a_rare_label_that_is_else_outvoted():
    """The word "so" is in 30 texts of label 0 and in all 10 of label 1."""
    texts = [["so", thing] for thing in "abcdefghij" for _ in range(4)]
    labels = np.tile([0, 0, 0, 1], 10)
    plain, balanced = (linear.fit(texts, labels, 2, texts, labels, b, kinds=("tfidf",)) for b in (False, True))
    assert plain.logits([["so"]]).argmax() == 0
    gap = [np.diff(model.logits([["so"]]))[0, 0] for model in (plain, balanced)]
    assert gap[0] == pytest.approx(-np.log(3), abs=0.1) and gap[1] == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("kind", linear.KINDS)
def test_a_label_without_a_training_text_is_never_the_answer(kind):
    model = linear.fit(TEXTS, LABELS + (LABELS == 2), 5, TEXTS, LABELS, kinds=(kind,))
    assert set(model.logits([*TEXTS, []]).argmax(axis=1)) <= {0, 1, 3}


def test_where_no_word_is_there_twice_all_are_learned():
    model = linear.fit([["up"], ["down"]], np.array([0, 1]), 2, [["up"], ["down"]], np.array([0, 1]))
    assert model.logits([["up"], ["down"]]).argmax(axis=1).tolist() == [0, 1]


def test_what_cannot_be_learned_or_loaded_is_refused(tmp_path):
    with pytest.raises(InputError, match="two or more labels"):
        linear.fit(TEXTS, np.zeros(30, int), 2, TEXTS, LABELS)
    with pytest.raises(InputError, match="with words"):
        linear.fit([[], []], np.array([0, 1]), 2, [[]], np.array([0]))
    path = tmp_path / "linear.npz"
    with pytest.raises(MissingFileError, match=r"linear\.npz is missing"):
        linear.load(path)
    linear.fit(TEXTS, LABELS, 3, TEXTS, LABELS).save(path)
    whole = path.read_bytes()
    for damaged in (b"", whole[:-100], b"text"):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"linear\.npz is damaged"):
            linear.load(path)
