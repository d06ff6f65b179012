"""The app's settings, and the recipes measured in its README."""

from dataclasses import dataclass
from typing import Annotated

from shared import InputError, settings
from shared.layers import SEQUENCE_ARCHITECTURES
from shared.settings import Count, Fraction, NotNegative, Positive, Seed, Share, Whole, one_of

APP = str(__package__).rpartition(".")[2]  # the folder's name, so that a copied app has its own runs
LEVELS = {"char": "characters", "word": "words"}  # types of token, with their plural


@dataclass(frozen=True)
class Config:
    """Settings of the data, the network and its training."""

    # builtin, tinyshakespeare, ptb, tfds:NAME, or the path of a text file or of a folder of them
    data: str = "builtin"
    # text file or folder to validate on; by default the source's own validation part, or a share of --data
    valid: str = ""
    # text file or folder to test on; by default the source's own test part, or a share of --data
    test: str = ""
    # tokens are characters or words
    level: Annotated[str, *one_of(LEVELS)] = "char"
    # vocabulary size, most frequent tokens first; 0 = all tokens
    max_vocabulary: Whole = 0
    # share of the text held out for validation, if the source has no such part
    valid_fraction: Fraction = 0.1
    # share of the text held out for testing, if the source has no such part; 0 = no test part
    test_fraction: Share = 0.0
    # use only the first N characters (words, if --level word) of each part; 0 = all
    max_examples: Whole = 0
    # architecture of the recurrent layers
    arch: Annotated[str, *one_of(SEQUENCE_ARCHITECTURES)] = "lstm"
    # width of each recurrent layer; if --tied, the last layer is as wide as the embedding
    units: Count = 320
    # parameters of the network, embedding tables not counted, from which --units is computed; 0 = use --units
    params: Whole = 0
    # number of recurrent layers
    layers: Count = 1
    # width of the token embedding
    embedding: Count = 64
    # tie the weights of the output layer to the embedding
    tied: bool = False
    # dropout rate after the embedding, one mask per sequence
    embedding_dropout: Share = 0.0
    # dropout rate after each recurrent layer, one mask per sequence
    dropout: Share = 0.3
    # dropout rate of the recurrent weights, one mask per window (DropConnect); not every architecture supports it
    weight_dropout: Share = 0.0
    # length in tokens of truncated back-propagation; the state is carried from window to window
    window: Count = 64
    # parallel streams of text in a batch
    batch_size: Count = 32
    # passes over the training text
    epochs: Count = 7
    # peak learning rate: linear warm-up over the first 2 % of the steps, then cosine decay to zero
    learning_rate: Positive = 1e-2
    # weight decay of AdamW, multiplied by the learning rate
    weight_decay: NotNegative = 0.01
    # gradient clipping: largest global norm
    clip_norm: Positive = 1.0
    # early stopping: epochs without a better validation loss before training ends; 0 = off
    patience: Whole = 0
    # seed of initial weights, dropout and the offsets of the windows
    seed: Seed = 1

    def __post_init__(self) -> None:
        """Rejects invalid settings early."""
        settings.check(self)
        if self.valid_fraction + self.test_fraction >= 1:
            raise InputError(
                "--valid-fraction, --test-fraction: expected together less than 1; "
                f"received {self.valid_fraction} and {self.test_fraction}"
            )
        if self.params and self.tied and self.layers == 1:
            raise InputError("--params: expected --layers 2 or more with --tied, whose last layer's width is fixed")


DEFAULT = Config()
SMOKE = Config(max_examples=20_000, units=24, embedding=16, window=32, batch_size=16, epochs=1)

# `--data NAME` or `--recipe NAME` starts from the recipe of that name; other options override its settings.
RECIPES = {
    "builtin": DEFAULT,
    "smoke": SMOKE,
    # 3.5 M parameters
    "tinyshakespeare": Config(
        data="tinyshakespeare",
        units=512,
        layers=2,
        embedding=128,
        embedding_dropout=0.05,
        dropout=0.45,
        window=64,
        batch_size=64,
        epochs=13,
        learning_rate=3e-3,
        weight_decay=0.02,
    ),
    # 4.9 M parameters
    "ptb": Config(
        data="ptb",
        level="word",
        units=512,
        layers=2,
        embedding=256,
        tied=True,
        embedding_dropout=0.1,
        dropout=0.35,
        window=35,
        batch_size=32,
        epochs=10,
        learning_rate=8e-3,
        weight_decay=0.02,
    ),
}
