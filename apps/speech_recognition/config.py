"""Every setting of the app, and the recipes."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from shared import InputError, settings
from shared.layers import SEQUENCE_ARCHITECTURES
from shared.settings import Count, Fraction, NotNegative, Positive, Seed, Share, Whole, one_of

APP = str(__package__).rpartition(".")[2]  # the folder's name: a copy of it has runs of its own
PUBLIC = ("fsdd", "an4")
OWN = "tfds:NAME or a folder of recordings with a CSV file of transcripts"
SPEAKERS = 6  # of fsdd: as many folds, each of which tests on one of them
FOLDED = "fsdd"

Rate = Annotated[int, Ge(4000), Le(192_000)]


@dataclass(frozen=True)
class Config:
    """What is recognised, by which network, and how it is trained."""

    # builtin, fsdd, an4, or a folder with recordings and a CSV file that has the columns path and text
    data: str = "builtin"
    # of fsdd: test on one speaker whom training has not heard, or on the official part, which has the same speakers
    split: Annotated[str, *one_of(("speaker", "official"))] = "speaker"
    # which of the speakers of fsdd is the test speaker, from 0
    fold: Whole = 0
    # of fsdd: train on the strings of the built-in data too, whose voices are those of eSpeak NG
    voices: bool = False
    # use at most so many utterances of each part, spread evenly over them; 0 = all
    max_examples: Whole = 0
    # share of your own speakers (or utterances, where they are not named) that is held out to test on
    test_fraction: Fraction = 0.1
    # the same of the others, for validation
    valid_fraction: Fraction = 0.1
    # utterances that are longer than this, in seconds, are not trained on
    longest: Positive = 20.0
    # sample rate that every recording is converted to, in Hz
    sample_rate: Rate = 8000
    # what the network reads of the sound every 10 ms: log energies of mel bands, or 13 cepstral coefficients of them
    features: Annotated[str, *one_of(("logmel", "mfcc"))] = "logmel"
    # how many mel bands
    bands: Count = 40
    # add the change over time of each feature
    deltas: bool = False
    # subtract the loudness of the utterance, one number; or give each feature mean 0 and variance 1 over the utterance
    normalisation: Annotated[str, *one_of(("loudness", "variance"))] = "loudness"
    # read forwards only and normalise by the sound so far, which `stream` needs
    streaming: bool = False
    # symbols that are recognised: whole words, characters, or words if there are at most 50 different ones
    targets: Annotated[str, *one_of(("auto", "words", "characters"))] = "auto"
    # channels of the two convolutions before the recurrent layers
    channels: Count = 64
    # frames of 10 ms to each step of the recurrent layers
    stride: Annotated[int, Ge(1), Le(8)] = 4
    # architecture of the recurrent layers
    arch: Annotated[str, *one_of(SEQUENCE_ARCHITECTURES)] = "gru"
    # width of each recurrent layer, in each direction
    units: Count = 96
    # parameters of the whole network, for which the width is solved; 0 = as --units says
    params: Whole = 0
    # how many recurrent layers
    layers: Count = 2
    # share of features dropped after the convolutions and after each recurrent layer
    dropout: Share = 0.2
    # augmentation: change of tempo, at most, as a share
    speed: Share = 0.15
    # augmentation: change of the length of the vocal tract, at most, as a share
    vocal_tract: Share = 0.12
    # augmentation: standard deviation of a random equaliser, in dB; log-mel only
    equaliser: NotNegative = 6.0
    # augmentation: signal-to-noise ratio of the loudest noise that is added, in dB; 0 = none is; log-mel only
    noise: NotNegative = 0.0
    # augmentation: share of the time, and of the features, that each of two SpecAugment masks may hide, at most
    masks: Share = 0.1
    # utterances in a batch
    batch_size: Count = 16
    # batches are padded to so many different lengths, at most
    buckets: Count = 4
    # passes over the training utterances
    epochs: Count = 20
    # epochs without a better validation loss before training ends; 0 = never
    patience: Whole = 0
    # peak learning rate, reached after a twentieth of the steps and followed by cosine decay to zero
    learning_rate: Positive = 3e-3
    # AdamW's weight decay, as a share of the learning rate
    weight_decay: NotNegative = 0.01
    # largest norm of the whole gradient
    clip_norm: Positive = 1.0
    # momentum of the EMA of the weights, which is evaluated and saved; 0 = the weights themselves are
    ema_momentum: Share = 0.98
    # width of the prefix beam search for characters; 0 = the likeliest character of each step
    beam: Whole = 24
    # length of the n-grams of the words' language model in that search; 0 = only a list of words
    ngram: Annotated[int, Ge(0), Le(5)] = 2
    # weight of the language model
    ngram_weight: NotNegative = 0.5
    # what each word adds to the score of a transcript, in nats
    word_bonus: float = 1.0
    # seed of initial weights, dropout, augmentation and the order of the utterances
    seed: Seed = 1

    def __post_init__(self) -> None:
        """Refuses values that cannot work, before any work starts."""
        settings.check(self)
        if self.streaming and (self.features, self.deltas, self.normalisation) != ("logmel", False, "loudness"):
            raise InputError("--streaming: expected with --features logmel --no-deltas --normalisation loudness only")
        if self.features == "mfcc" and self.normalisation != "variance":
            raise InputError("--features: expected mfcc with --normalisation variance only")
        if self.voices and self.data != FOLDED:
            raise InputError(f"--data: expected {FOLDED} with --voices, else give --no-voices; received {self.data}")
        if self.data == FOLDED and self.fold >= SPEAKERS:
            raise InputError(f"--fold: expected less than {SPEAKERS}, the number of speakers; received {self.fold}")

    @property
    def fold_count(self) -> int:
        """Into how many folds the data is split."""
        return SPEAKERS if self.data == FOLDED and self.split == "speaker" else 1


DEFAULT = Config()
SMOKE = Config(max_examples=24, channels=16, units=12, layers=1, batch_size=8, buckets=1, epochs=1)

# `--data NAME` or `--recipe NAME` starts from the recipe of that name; every other option changes a setting of it.
RECIPES = {
    "builtin": DEFAULT,
    "smoke": SMOKE,
    # Without noise, which harmed one unheard speaker more than it helped another: README, Method.
    "fsdd": Config(data="fsdd", voices=True, buckets=6, epochs=14),
    # 1.4 M parameters
    "an4": Config(
        data="an4",
        sample_rate=16_000,
        features="mfcc",
        deltas=True,
        normalisation="variance",
        targets="characters",
        valid_fraction=0.06,
        channels=160,
        stride=3,
        units=160,
        layers=3,
        dropout=0.3,
        masks=0.12,
        batch_size=16,
        buckets=6,
        epochs=100,
        learning_rate=2e-3,
        ema_momentum=0.99,
    ),
}
