"""The app's settings and recipes."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from shared import InputError, settings
from shared.layers import SEQUENCE_ARCHITECTURES
from shared.settings import Count, Fraction, NotNegative, Positive, Seed, Share, Whole, one_of

APP = str(__package__).rpartition(".")[2]  # the folder's name, so that a copied app has its own runs
PUBLIC = ("fsdd", "an4")
OWN = "tfds:NAME or a folder of recordings with a CSV file of transcripts"
SPEAKERS = 6  # speakers of fsdd; each is the test speaker of one fold
FOLDED = "fsdd"

Rate = Annotated[int, Ge(4000), Le(192_000)]


@dataclass(frozen=True)
class Config:
    """Settings of the data, the network and its training."""

    # builtin, fsdd, an4, or a folder of recordings with a CSV file that has the columns path and text
    data: str = "builtin"
    # for fsdd: test on one speaker left out of training, or on the official test set, which has the same speakers
    split: Annotated[str, *one_of(("speaker", "official"))] = "speaker"
    # for fsdd: number of the test speaker, from 0
    fold: Whole = 0
    # for fsdd: also train on the synthetic voices of the built-in data
    voices: bool = False
    # maximum number of utterances per split, sampled evenly; 0 = all
    max_examples: Whole = 0
    # own data: share of speakers held out for the test set (share of utterances if no speakers are named)
    test_fraction: Fraction = 0.1
    # own data: share of the remaining speakers held out for validation
    valid_fraction: Fraction = 0.1
    # longest training utterance in seconds; longer ones are left out
    longest: Positive = 20.0
    # sample rate that every recording is converted to, in Hz
    sample_rate: Rate = 8000
    # input features, every 10 ms: log-mel energies, or 13 mel-frequency cepstral coefficients (MFCC)
    features: Annotated[str, *one_of(("logmel", "mfcc"))] = "logmel"
    # number of mel bands
    bands: Count = 40
    # append the deltas (slopes over time) of the features
    deltas: bool = False
    # subtract the utterance's loudness, one number; or normalise each feature to mean 0 and variance 1 per utterance
    normalisation: Annotated[str, *one_of(("loudness", "variance"))] = "loudness"
    # unidirectional, normalised by the sound so far, as `stream` requires
    streaming: bool = False
    # output symbols: words, characters, or (auto) words if the transcripts have at most 50 different ones
    targets: Annotated[str, *one_of(("auto", "words", "characters"))] = "auto"
    # channels of the two convolutional layers
    channels: Count = 64
    # time stride: frames of 10 ms per step of the recurrent layers
    stride: Annotated[int, Ge(1), Le(8)] = 4
    # architecture of the recurrent layers
    arch: Annotated[str, *one_of(SEQUENCE_ARCHITECTURES)] = "gru"
    # width of each recurrent layer, in each direction
    units: Count = 96
    # parameters of the network, embedding tables not counted, from which --units is computed; 0 = use --units
    params: Whole = 0
    # number of recurrent layers
    layers: Count = 2
    # dropout after the convolutions and after each recurrent layer
    dropout: Share = 0.2
    # augmentation: largest change of tempo, as a share
    speed: Share = 0.15
    # augmentation: largest change of vocal tract length (VTLP), as a share
    vocal_tract: Share = 0.12
    # augmentation: standard deviation of a random equaliser in dB; log-mel only
    equaliser: NotNegative = 6.0
    # augmentation: lowest signal-to-noise ratio of added noise in dB; 0 = no noise; log-mel only
    noise: NotNegative = 0.0
    # augmentation: largest share of time, and of features, that each of the two SpecAugment masks hides
    masks: Share = 0.1
    # utterances per batch
    batch_size: Count = 16
    # maximum number of length buckets that batches are padded to
    buckets: Count = 4
    # number of passes over the training set
    epochs: Count = 20
    # stop after this many epochs without a better validation loss; 0 = never
    patience: Whole = 0
    # peak learning rate: warm-up over a twentieth of the steps, then cosine decay to zero
    learning_rate: Positive = 3e-3
    # weight decay of AdamW
    weight_decay: NotNegative = 0.01
    # gradients are clipped to this global norm
    clip_norm: Positive = 1.0
    # momentum of the EMA of the weights, which is evaluated and saved; 0 = no averaging
    ema_momentum: Share = 0.98
    # width of the prefix beam search for characters; 0 = greedy decoding
    beam: Whole = 24
    # order of the word n-gram language model in that search; 0 = word list only
    ngram: Annotated[int, Ge(0), Le(5)] = 2
    # weight of the language model
    ngram_weight: NotNegative = 0.5
    # word insertion bonus of a transcript, in nats
    word_bonus: float = 1.0
    # random seed of initial weights, dropout, augmentation and order of the utterances
    seed: Seed = 1

    def __post_init__(self) -> None:
        """Rejects invalid settings early."""
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
        """The number of folds of the data."""
        return SPEAKERS if self.data == FOLDED and self.split == "speaker" else 1


DEFAULT = Config()
SMOKE = Config(max_examples=24, channels=16, units=12, layers=1, batch_size=8, buckets=1, epochs=1)

# `--data NAME` or `--recipe NAME` starts from the recipe of that name; other options override its settings.
RECIPES = {
    "builtin": DEFAULT,
    "smoke": SMOKE,
    # No added noise: it hurt one held-out speaker more than it helped another (README, Method).
    "fsdd": Config(data="fsdd", voices=True, speed=0.35, buckets=6, epochs=16),
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
        epochs=70,
        learning_rate=2e-3,
        ema_momentum=0.99,
        # of the decoders tried, the one with the lowest validation WER
        ngram=3,
        ngram_weight=0.25,
        word_bonus=0.5,
    ),
}
