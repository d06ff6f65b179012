"""Every setting of the network that understands, and its recipes; smalltalk/config.py has those of the small talk."""

import dataclasses
from dataclasses import dataclass
from typing import Annotated

from shared import settings
from shared.layers import SEQUENCE_ARCHITECTURES
from shared.settings import Count, Fraction, NotNegative, Positive, Share, Whole, one_of

APP = str(__package__).rpartition(".")[2]  # the folder's name: a copy of it has runs of its own
TAGGERS = ("crf", "softmax")


@dataclass(frozen=True)
class Config:
    """Which requests are understood, by which network, and how it is trained."""

    # builtin, snips, atis, a JSONL file, or a folder with seq.in, seq.out and label
    data: str = "builtin"
    # further requests of your own, added to those of --data: a JSONL file or such a folder
    more: str = ""
    # a Python file with skills of your own, whose patterns join the built-in ones
    skills: str = ""
    # a file or folder of the same form to validate on; by default a part of --data
    valid: str = ""
    # a file or folder of the same form to test on; by default a tenth of --data where it has no test part
    test: str = ""
    # share of the training requests held out for validation, where the source has no such part
    valid_fraction: Fraction = 0.1
    # use at most so many requests of each part of the source, spread evenly over it; 0 = all
    max_examples: Whole = 0
    # tokens read of a request; the rest of a longer one is ignored
    max_words: Count = 48
    # rarer words are read by their letters alone
    min_count: Count = 2
    # architecture of the encoder
    arch: Annotated[str, *one_of(SEQUENCE_ARCHITECTURES)] = "lstm"
    # width of each recurrent layer, in each direction
    units: Count = 64
    # parameters of the whole network, for which the width is solved; 0 = as --units says
    params: Whole = 0
    # how many recurrent layers
    layers: Count = 1
    # width of the word vectors
    embedding: Count = 64
    # convolution filters over a word's letters, three letters wide; 0 = letters are not read
    letters: Whole = 32
    # how tags are chosen: crf scores whole paths, softmax each tag alone
    tags: Annotated[str, *one_of(TAGGERS)] = "crf"
    # weight of the intent in the loss, relative to the tags of the whole request
    intent_weight: Positive = 1.0
    # stack the intents with a linear model, its weight chosen on validation; --no-skip: the network alone
    skip: bool = True
    # share of words that training replaces by the unknown word, so that letters and context have to tell
    word_dropout: Share = 0.1
    # share of features dropped after the word vectors, one mask per request
    embedding_dropout: Share = 0.2
    # share of features dropped after each recurrent layer, one mask per request, and before the answers
    dropout: Share = 0.3
    # momentum of the EMA of the weights, which is evaluated and saved; less in short epochs; 0 = the last weights
    ema_momentum: Share = 0.99
    # requests in a batch
    batch_size: Count = 32
    # lengths that requests are padded to; each is compiled once
    buckets: Count = 2
    # passes over the training requests
    epochs: Count = 7
    # peak learning rate: linear warm-up over the first 5 % of the steps, then cosine decay to zero
    learning_rate: Positive = 3e-3
    # AdamW's weight decay, as a share of the learning rate
    weight_decay: NotNegative = 0.01
    # largest norm of the whole gradient
    clip_norm: Positive = 1.0
    # epochs without a better validation figure before training ends; 0 = never
    patience: Whole = 0
    # accuracy wanted of the intents: below the confidence that reaches it on validation the assistant is "not sure"
    target_accuracy: Fraction = 0.96
    # seed of initial weights, dropout and the order of the requests
    seed: Whole = 1

    def __post_init__(self) -> None:
        """Refuses values that cannot work, before any work starts."""
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

# `--data NAME` or `--recipe NAME` starts from the recipe of that name; every other option changes a setting of it.
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
