"""The app's settings, and the recipes measured in its README."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from shared import InputError, settings
from shared.layers import SEQUENCE_ARCHITECTURES
from shared.settings import Count, Fraction, NotNegative, Positive, Seed, Share, Whole, one_of

from .tokens import REPRESENTATIONS

APP = str(__package__).rpartition(".")[2]  # the folder's name, so that a copied app has its own runs
WRITTEN = (".mid", ".musicxml", ".wav", ".png")  # endings of the files that a piece is written to
STEPS = (1, 2, 4)


@dataclass(frozen=True)
class Config:
    """Settings of the data, the network and its training."""

    # builtin, jsb_chorales, nottingham, or the path of a folder of MIDI, MusicXML and ABC files, or of one of them
    data: str = "builtin"
    # file or folder of music to validate on; by default the source's own validation part, or a share of --data
    valid: str = ""
    # file or folder of music to test on; by default the source's own test part, or a share of --data
    test: str = ""
    # frame representation: voices (new notes, held notes and rests of four voices) or roll (the column of a piano roll)
    representation: Annotated[str, *one_of(REPRESENTATIONS)] = "voices"
    # frames per quarter note
    steps: Annotated[int, *one_of(STEPS)] = 2
    # share of the pieces held out for validation, if the source has no such part
    valid_fraction: Fraction = 0.1
    # share of the pieces held out for the test, if the source has no such part
    test_fraction: Fraction = 0.1
    # use only the first N pieces of each part of the source; 0 = all
    max_examples: Whole = 0
    # split longer pieces into parts of this many frames
    longest: Annotated[int, Ge(16)] = 160
    # transpose each training piece by a random number of semitones within the ranges of the voices
    transpose: bool = True
    # architecture of the recurrent layers
    arch: Annotated[str, *one_of(SEQUENCE_ARCHITECTURES)] = "lstm"
    # width of each recurrent layer
    units: Count = 256
    # parameters of the network, embedding tables not counted, from which --units is computed; 0 = use --units
    params: Whole = 0
    # number of recurrent layers
    layers: Count = 1
    # width of the frame embedding before the recurrent layers
    embedding: Count = 192
    # width of the head that predicts each voice
    hidden: Count = 256
    # dropout rate of the notes of the previous frame, before the recurrent layers
    input_dropout: Share = 0.1
    # dropout rate after each recurrent layer, one mask for the whole piece
    dropout: Share = 0.3
    # dropout rate in the head
    head_dropout: Share = 0.2
    # pieces in a batch
    batch_size: Count = 16
    # passes over the training pieces
    epochs: Count = 16
    # peak learning rate: linear warm-up over the first 2 % of the steps, then cosine decay to zero
    learning_rate: Positive = 4e-3
    # weight decay of AdamW, multiplied by the learning rate
    weight_decay: NotNegative = 0.05
    # gradient clipping: largest global norm
    clip_norm: Positive = 1.0
    # early stopping: epochs without a better validation loss before training ends; 0 = off
    patience: Whole = 0
    # seed of initial weights, dropout, transposition and the order of the pieces
    seed: Seed = 1

    def __post_init__(self) -> None:
        """Rejects invalid settings early."""
        settings.check(self)
        if self.valid_fraction + self.test_fraction >= 1:
            raise InputError(
                "--valid-fraction, --test-fraction: expected together less than 1; "
                f"received {self.valid_fraction} and {self.test_fraction}"
            )


DEFAULT = Config()
SMOKE = Config(max_examples=8, steps=1, units=24, embedding=24, hidden=32, batch_size=4, epochs=1)

# `--data NAME` or `--recipe NAME` starts from the recipe of that name; other options override its settings.
RECIPES = {
    "builtin": DEFAULT,
    "smoke": SMOKE,
    # the built-in chorales for half an hour
    "builtin_long": Config(units=320, layers=2, dropout=0.5, head_dropout=0.3, epochs=60, learning_rate=3e-3),
    "jsb_chorales": Config(
        data="jsb_chorales",
        representation="roll",
        steps=1,
        units=320,
        layers=2,
        embedding=256,
        hidden=320,
        dropout=0.5,
        head_dropout=0.3,
        epochs=150,
        learning_rate=3e-3,
    ),
    "nottingham": Config(data="nottingham", epochs=10),
}
