"""The app's settings and recipes."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from shared import InputError, settings
from shared.layers import SEQUENCE_ARCHITECTURES
from shared.settings import Count, Fraction, NotNegative, Positive, Seed, Share, Whole, one_of

APP = str(__package__).rpartition(".")[2]  # the folder's name, so that a copied app has its own runs
ATTENTIONS = ("luong", "bahdanau")
LEVELS = ("subwords", "words")


@dataclass(frozen=True)
class Config:
    """Settings of the data, the network and its training."""

    # builtin, multi30k, tfds:ted_hrlr_translate/de_to_en, a TSV file of pairs, or a file of source sentences
    data: str = "builtin"
    # file of the target sentences, line by line, if --data is a file of source sentences
    target_file: str = ""
    # language to translate from, e.g. en; for builtin any locale that babel knows
    source: str = "en"
    # language to translate into
    target: str = "de"
    # TSV file of pairs (with --valid-target-file: of source sentences) to validate on; by default a share of --data
    valid: str = ""
    # file of their target sentences, line by line
    valid_target_file: str = ""
    # TSV file of pairs (with --test-target-file: of source sentences) to test on; by default a share of --data
    test: str = ""
    # file of their target sentences, line by line
    test_target_file: str = ""
    # share of the pairs held out for validation, if the source has no such part
    valid_fraction: Fraction = 0.1
    # share of the pairs held out for the test, if the source has no such part
    test_fraction: Fraction = 0.1
    # use at most this many pairs of each part of the source, spread evenly over it; 0 = all
    max_examples: Whole = 0
    # tokens are subwords (byte-pair encoding) or whole words
    level: Annotated[str, *one_of(LEVELS)] = "subwords"
    # size of the joint vocabulary of both languages, most frequent tokens first
    vocabulary: Annotated[int, Ge(100)] = 1400
    # rarer characters (with --level words: rarer words) are unknown, and copied from the source
    min_count: Count = 2
    # longest sentence in tokens: longer ones are left out of training and validation, and refused by predict
    max_tokens: Annotated[int, Ge(8)] = 64
    # architecture of the encoder
    arch: Annotated[str, *one_of(SEQUENCE_ARCHITECTURES)] = "gru"
    # width of each encoder layer, in each direction, and of the decoder
    units: Count = 128
    # parameters of the network, embedding tables not counted, from which --units is computed; 0 = use --units
    params: Whole = 0
    # number of encoder layers
    layers: Count = 1
    # width of the token embeddings, which are tied between both languages and the output
    embedding: Count = 96
    # attention score: luong (dot product) or bahdanau (additive)
    attention: Annotated[str, *one_of(ATTENTIONS)] = "luong"
    # dropout rate after the token embeddings, one mask per sentence
    embedding_dropout: Share = 0.0
    # dropout rate after each encoder layer, one mask per sentence, and before the output
    dropout: Share = 0.0
    # label smoothing: share of the target probability that is spread over all tokens
    label_smoothing: Share = 0.0
    # momentum of the EMA of the weights, evaluated, saved, and where the next epoch starts; 0 = no EMA
    ema_momentum: Share = 0.98
    # pairs in a batch
    batch_size: Count = 48
    # number of lengths that pairs are padded to, each compiled once; from 2 on, the longest 1 % have one of their own
    buckets: Count = 2
    # passes over the training pairs
    epochs: Count = 10
    # peak learning rate: linear warm-up over the first 5 % of the steps, then cosine decay to zero
    learning_rate: Positive = 4e-3
    # weight decay of AdamW, multiplied by the learning rate
    weight_decay: NotNegative = 0.0
    # gradient clipping: largest global norm
    clip_norm: Positive = 1.0
    # early stopping: epochs without a better validation BLEU before training ends; 0 = off
    patience: Whole = 0
    # seed of initial weights, dropout and the order of the pairs
    seed: Seed = 1

    def __post_init__(self) -> None:
        """Rejects invalid settings early."""
        settings.check(self)
        if self.source.lower() == self.target.lower():
            raise InputError(f"--source, --target: expected two languages; received {self.source!r} for both")
        for part in ("valid", "test"):
            if getattr(self, f"{part}_target_file") and not getattr(self, part):
                raise InputError(f"--{part}-target-file: expected with --{part}, the file of the source sentences")
        if self.valid_fraction + self.test_fraction >= 1:
            raise InputError(
                "--valid-fraction, --test-fraction: expected less than 1 together; "
                f"received {self.valid_fraction} and {self.test_fraction}"
            )


DEFAULT = Config()
SMOKE = Config(
    max_examples=400,
    vocabulary=200,
    max_tokens=32,
    units=16,
    embedding=16,
    ema_momentum=0.5,
    batch_size=8,
    buckets=1,
    epochs=1,
    learning_rate=2e-2,
)

# `--data NAME` or `--recipe NAME` starts from the recipe of that name; other options override its settings.
RECIPES = {
    "builtin": DEFAULT,
    "smoke": SMOKE,
    # 3.9 M parameters
    "multi30k": Config(
        data="multi30k",
        vocabulary=5000,
        min_count=5,
        units=320,
        embedding=256,
        embedding_dropout=0.3,
        dropout=0.4,
        label_smoothing=0.1,
        ema_momentum=0.99,
        batch_size=80,
        buckets=4,
        epochs=20,
        learning_rate=2e-3,
        weight_decay=0.02,
    ),
}
