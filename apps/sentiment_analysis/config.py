"""The app's settings and recipes."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Lt

from shared import InputError, settings
from shared.layers import SEQUENCE_ARCHITECTURES
from shared.settings import Count, Fraction, NotNegative, Positive, Seed, Share, Whole, one_of

APP = str(__package__).rpartition(".")[2]  # the folder's name, so that a copied app has its own runs
POOLINGS = ("attention", "max", "both")
GOALS = ("accuracy", "macro_recall")
FOLDS = 10  # number of folds of data without its own test split


@dataclass(frozen=True)
class Config:
    """Settings of the data, the network and its training."""

    # builtin, grammar, tweeteval, mr_polarity, tfds:NAME, or the path of a CSV, TSV or JSONL file
    data: str = "builtin"
    # keep examples with these labels only, e.g. negative positive; by default all
    labels: tuple[str, ...] = ()
    # name of the file's text column
    text_column: str = "text"
    # name of the file's label column
    label_column: str = "label"
    # a file of the same form to validate on; by default a part of --data
    valid: str = ""
    # a file of the same form to test on; by default a tenth of --data
    test: str = ""
    # which tenth is the test part, 0 to 9, if the source has none
    fold: Annotated[int, Ge(0), Lt(FOLDS)] = 0
    # share of the training texts held out for validation, if the source has no such part
    valid_fraction: Fraction = 0.1
    # use at most this many texts of each part of the source, spread evenly over it; 0 = all
    max_examples: Whole = 0
    # number of generated everyday sentences added to the training part of builtin; 0 = none
    everyday: Whole = 4_000
    # longest text in words; the network skips the middle of longer ones; 0 = chosen by the lengths of the texts
    max_words: Whole = 0
    # vocabulary size, most frequent words first; 0 = all words
    max_vocabulary: Whole = 0
    # rarer words and character n-grams are treated as unknown
    min_count: Count = 2
    # number of character n-grams (of 3 and 4), most frequent first, which also represent unknown words; 0 = none
    pieces: Whole = 8_000
    # file of word vectors (a word and its numbers per line), or vader for that lexicon's valences; by default none
    vectors: str = ""
    # architecture of the encoder
    arch: Annotated[str, *one_of(SEQUENCE_ARCHITECTURES)] = "gru"
    # width of each recurrent layer, in each direction
    units: Count = 64
    # parameters of the network, embedding tables not counted, from which --units is computed; 0 = use --units
    params: Whole = 0
    # number of recurrent layers
    layers: Count = 1
    # width of the word vectors
    embedding: Count = 64
    # how the states of all words are pooled into one vector
    pooling: Annotated[str, *one_of(POOLINGS)] = "both"
    # share of words dropped in training
    word_dropout: Share = 0.1
    # dropout rate after the word vectors, one mask per text
    embedding_dropout: Share = 0.2
    # dropout rate after each recurrent layer, one mask per text, and after the pooling
    dropout: Share = 0.3
    # metric to optimise, select by and report first: accuracy, which weights every text equally, or macro_recall,
    # which weights every label equally
    goal: Annotated[str, *one_of(GOALS)] = "accuracy"
    # stack the network with a linear bag-of-words model; --no-skip trains the network alone
    skip: bool = True
    # momentum of the EMA of the weights, evaluated, saved, and where the next epoch starts; 0 = no EMA
    ema_momentum: Share = 0.0
    # texts in a batch; 0 = chosen by the number of training texts
    batch_size: Whole = 0
    # number of lengths that texts are padded to, each compiled once
    buckets: Count = 2
    # passes over the training texts, at most
    epochs: Count = 40
    # no epoch after the fourth starts once this many steps are done; 0 = no limit
    steps: Whole = 1_800
    # peak learning rate: linear warm-up over the first 5 % of the steps, then cosine decay to zero
    learning_rate: Positive = 3e-3
    # weight decay of AdamW, multiplied by the learning rate
    weight_decay: NotNegative = 0.01
    # gradient clipping: largest global norm
    clip_norm: Positive = 1.0
    # early stopping: epochs without a better validation metric before training ends; 0 = off
    patience: Whole = 0
    # accuracy to reach on validation by abstaining: below that confidence the model answers "not sure"
    target_accuracy: Fraction = 0.85
    # seed of initial weights, dropout and the order of the texts
    seed: Seed = 1

    def __post_init__(self) -> None:
        """Rejects invalid settings early."""
        settings.check(self)
        if len(set(self.labels)) == 1:
            raise InputError(f"--labels: expected two or more; received only {self.labels[0]}")


DEFAULT = Config()
SMOKE = Config(data="grammar", max_examples=600, units=8, embedding=16, epochs=1)

# `--data NAME` or `--recipe NAME` starts from the recipe of that name; other options override its settings.
RECIPES = {
    "builtin": DEFAULT,
    "smoke": SMOKE,
    "grammar": Config(data="grammar", steps=1_500),
    # 1.8 M parameters
    "tweeteval": Config(
        data="tweeteval",
        max_words=48,
        min_count=3,
        pieces=12_000,
        vectors="vader",
        embedding_dropout=0.3,
        dropout=0.5,
        goal="macro_recall",
        ema_momentum=0.99,
        batch_size=128,
        buckets=4,
        epochs=4,
        steps=0,
        weight_decay=0.02,
        target_accuracy=0.8,  # with 0.9, four out of five tweets would get no answer
    ),
    "mr_polarity": Config(
        data="mr_polarity",
        max_words=48,
        embedding=100,
        word_dropout=0.2,
        embedding_dropout=0.5,
        dropout=0.5,
        ema_momentum=0.99,
        batch_size=64,
        epochs=12,
        steps=0,
        patience=3,
        target_accuracy=0.9,
    ),
    # reviews are long; not measured yet
    "tfds:imdb_reviews": Config(
        data="tfds:imdb_reviews",
        max_words=256,
        max_vocabulary=30_000,
        pieces=0,
        embedding_dropout=0.3,
        dropout=0.5,
        ema_momentum=0.99,
        batch_size=64,
        buckets=3,
        epochs=14,
        steps=0,
    ),
}
