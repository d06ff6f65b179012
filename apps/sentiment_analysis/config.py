"""Every setting of the app, and the recipes."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Lt

from shared import InputError, settings
from shared.layers import SEQUENCE_ARCHITECTURES
from shared.settings import Count, Fraction, NotNegative, Positive, Share, Whole, one_of

APP = str(__package__).rpartition(".")[2]  # the folder's name: a copy of it has runs of its own
POOLINGS = ("attention", "max", "both")
GOALS = ("accuracy", "macro_recall")
FOLDS = 10  # of data without a test part of their own


@dataclass(frozen=True)
class Config:
    """What is classified, by which network, and how it is trained."""

    # builtin, grammar, tweeteval, mr_polarity, tfds:NAME, or the path of a CSV, TSV or JSONL file
    data: str = "builtin"
    # keep examples with these labels only, e.g. negative positive; by default all
    labels: tuple[str, ...] = ()
    # the file's column of texts
    text_column: str = "text"
    # the file's column of labels
    label_column: str = "label"
    # a file of the same form to validate on; by default a part of --data
    valid: str = ""
    # a file of the same form to test on; by default a tenth of --data
    test: str = ""
    # which tenth is the test part, 0 to 9, where the source has none
    fold: Annotated[int, Ge(0), Lt(FOLDS)] = 0
    # share of the training texts held out for validation, where the source has no such part
    valid_fraction: Fraction = 0.1
    # use at most so many texts of each part of the source, spread evenly over it; 0 = all
    max_examples: Whole = 0
    # of a longer text the network reads only the first and the last words, so many together; 0 = by the texts' lengths
    max_words: Whole = 0
    # vocabulary size, most frequent words first; 0 = all words
    max_vocabulary: Whole = 0
    # rarer words and character n-grams are not learned
    min_count: Count = 2
    # character n-grams (3 and 4 long), most frequent first, by which unknown words are read too; 0 = none
    pieces: Whole = 8_000
    # file of word vectors (a word and its numbers on a line), or vader for that lexicon's valences; by default none
    vectors: str = ""
    # architecture of the encoder
    arch: Annotated[str, *one_of(SEQUENCE_ARCHITECTURES)] = "gru"
    # width of each recurrent layer, in each direction
    units: Count = 64
    # parameters of the whole network, for which the width is solved; 0 = as --units says
    params: Whole = 0
    # how many recurrent layers
    layers: Count = 1
    # width of the word vectors
    embedding: Count = 64
    # how the states of all words become one vector
    pooling: Annotated[str, *one_of(POOLINGS)] = "both"
    # share of words dropped in training
    word_dropout: Share = 0.1
    # share of features dropped after the word vectors, one mask per text
    embedding_dropout: Share = 0.2
    # share of features dropped after each recurrent layer, one mask per text, and after the pooling
    dropout: Share = 0.3
    # what is trained for, chosen by and reported first: accuracy, where every text counts the same, or macro_recall,
    # where every label does
    goal: Annotated[str, *one_of(GOALS)] = "accuracy"
    # stack the network with a linear model of the counted words; --no-skip shows the network alone
    skip: bool = True
    # momentum of the EMA of the weights, which is evaluated and saved, and takes their place after each epoch; 0 = none
    ema_momentum: Share = 0.0
    # texts in a batch; 0 = by the number of training texts
    batch_size: Whole = 0
    # lengths that texts are padded to; each is compiled once
    buckets: Count = 2
    # passes over the training texts, at most
    epochs: Count = 40
    # steps of training after which no further epoch begins, but for the first four; 0 = as many as the epochs have
    steps: Whole = 1_500
    # peak learning rate: linear warm-up over the first 5 % of the steps, then cosine decay to zero
    learning_rate: Positive = 3e-3
    # AdamW's weight decay, as a share of the learning rate
    weight_decay: NotNegative = 0.01
    # largest norm of the whole gradient
    clip_norm: Positive = 1.0
    # epochs without a better validation figure before training ends; 0 = never
    patience: Whole = 0
    # accuracy wanted of the answers: below the confidence that reaches it on validation the model abstains ("not sure")
    target_accuracy: Fraction = 0.9
    # seed of initial weights, dropout and the order of the texts
    seed: Whole = 1

    def __post_init__(self) -> None:
        """Refuses values that cannot work, before any work starts."""
        settings.check(self)
        if len(set(self.labels)) == 1:
            raise InputError(f"--labels: expected two or more; received only {self.labels[0]}")


DEFAULT = Config()
SMOKE = Config(data="grammar", max_examples=600, units=8, embedding=16, epochs=1)

# `--data NAME` or `--recipe NAME` starts from the recipe of that name; every other option changes a setting of it.
RECIPES = {
    "builtin": DEFAULT,
    "smoke": SMOKE,
    "grammar": Config(data="grammar"),
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
        target_accuracy=0.8,  # nine in ten would leave four tweets of five without an answer
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
