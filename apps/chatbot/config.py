"""Settings and recipes of the network for intents and slots; those of small talk are in smalltalk/config.py."""

import dataclasses
from dataclasses import dataclass
from typing import Annotated

from shared import settings
from shared.layers import SEQUENCE_ARCHITECTURES
from shared.settings import Count, Fraction, NotNegative, Positive, Seed, Share, Whole, one_of

APP = str(__package__).rpartition(".")[2]  # the folder's name, so that a copied app has its own runs
TAGGERS = ("crf", "softmax")


@dataclass(frozen=True)
class Config:
    """Settings of the data, the network and its training."""

    # builtin, snips, atis, a JSONL file, or a folder with seq.in, seq.out and label
    data: str = "builtin"
    # your own requests, added to those of --data: a JSONL file, or a folder as above
    more: str = ""
    # a Python file with your own skills, whose patterns are added to the built-in ones
    skills: str = ""
    # a file or folder of the same form to validate on; by default a part of --data
    valid: str = ""
    # a file or folder of the same form to test on; by default a tenth of --data where it has no test part
    test: str = ""
    # share of the training requests held out for validation, if the source has no such part
    valid_fraction: Fraction = 0.1
    # use at most this many requests of each part of the source, spread evenly over it; 0 = all
    max_examples: Whole = 0
    # longest request in tokens; longer ones are truncated
    max_words: Count = 48
    # rarer words are represented by their letters only
    min_count: Count = 2
    # architecture of the encoder
    arch: Annotated[str, *one_of(SEQUENCE_ARCHITECTURES)] = "lstm"
    # width of each recurrent layer, in each direction
    units: Count = 64
    # parameters of the network, embedding tables not counted, from which --units is computed; 0 = use --units
    params: Whole = 0
    # number of recurrent layers
    layers: Count = 1
    # width of the word vectors
    embedding: Count = 64
    # number of character convolution filters, three letters wide; 0 = no character convolutions
    letters: Whole = 32
    # output layer for the tags: crf scores whole tag sequences, softmax each tag independently
    tags: Annotated[str, *one_of(TAGGERS)] = "crf"
    # weight of the intent loss, relative to the loss of all tags of a request
    intent_weight: Positive = 1.0
    # stack the intents with a linear model, weighted on validation; --no-skip trains the network alone
    skip: bool = True
    # share of words replaced by the unknown token in training, so that the network uses letters and context
    word_dropout: Share = 0.1
    # dropout rate after the word vectors, one mask per request
    embedding_dropout: Share = 0.2
    # dropout rate after each recurrent layer, one mask per request, and before the outputs
    dropout: Share = 0.3
    # EMA momentum; the averaged weights are evaluated, saved, and start the next epoch; lower in short epochs
    ema_momentum: Share = 0.99
    # requests in a batch
    batch_size: Count = 32
    # number of lengths that requests are padded to, each compiled once
    buckets: Count = 2
    # passes over the training requests
    epochs: Count = 7
    # peak learning rate: linear warm-up over the first 5 % of the steps, then cosine decay to zero
    learning_rate: Positive = 3e-3
    # weight decay of AdamW, multiplied by the learning rate
    weight_decay: NotNegative = 0.01
    # gradient clipping: largest global norm
    clip_norm: Positive = 1.0
    # early stopping: epochs without a better validation metric before training ends; 0 = off
    patience: Whole = 0
    # intent accuracy to reach on validation by abstaining: below that confidence the assistant is "not sure"
    target_accuracy: Fraction = 0.96
    # seed of initial weights, dropout and the order of the requests
    seed: Seed = 1

    def __post_init__(self) -> None:
        """Rejects invalid settings early."""
        settings.check(self)


DEFAULT = Config()
SMOKE = Config(max_examples=600, units=8, embedding=16, letters=8, batch_size=128, buckets=1, epochs=1)
PUBLIC = Config(
    units=128,
    embedding=128,
    letters=64,
    word_dropout=0.1,
    embedding_dropout=0.3,
    dropout=0.4,
    ema_momentum=0.995,
    buckets=3,
    epochs=10,
    target_accuracy=0.98,
)

# `--data NAME` or `--recipe NAME` starts from the recipe of that name; other options override its settings.
RECIPES = {
    "builtin": DEFAULT,
    "smoke": SMOKE,
    "snips": dataclasses.replace(PUBLIC, data="snips"),
    # a third of the requests of snips, three times its intents
    "atis": dataclasses.replace(
        PUBLIC,
        data="atis",
        intent_weight=3.0,
        embedding_dropout=0.2,
        dropout=0.3,
        ema_momentum=0.99,
        learning_rate=4e-3,
        epochs=14,
    ),
}
