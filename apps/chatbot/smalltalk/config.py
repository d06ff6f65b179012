"""The settings and recipes of the small talk."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from shared import settings
from shared.layers import SEQUENCE_ARCHITECTURES
from shared.settings import Count, NotNegative, Positive, Seed, Share, Top, Whole, one_of

from ..config import APP

TALK_APP = f"{APP}/talk"  # its runs are in a subfolder of the app's runs


@dataclass(frozen=True)
class TalkConfig:
    """Settings of the data, the network, its training, and how replies are chosen."""

    # dailydialog, or a text file with a dialogue on each line, its turns separated by __eou__
    data: str = "dailydialog"
    # use at most this many dialogues of each part of the source, spread evenly over it; 0 = all
    max_examples: Whole = 0
    # number of previous turns that a reply is conditioned on
    context: Count = 2
    # longest context (its last words) and longest reply, in words
    max_words: Annotated[int, Ge(4)] = 24
    # vocabulary size, most frequent words first
    max_vocabulary: Annotated[int, Ge(10)] = 6_000
    # architecture of encoder and decoder
    arch: Annotated[str, *one_of(SEQUENCE_ARCHITECTURES)] = "gru"
    # width of the decoder; the encoder's is half of it in each direction
    units: Annotated[int, Ge(2)] = 256
    # parameters of the network, embedding tables not counted, from which --units is computed; 0 = use --units
    params: Whole = 0
    # width of the word vectors, which are also the output weights
    embedding: Count = 128
    # dropout rate after the word vectors and after each layer
    dropout: Share = 0.2
    # share of the training replies that are learned without their context, for p(reply)
    silence: Share = 0.15
    # number of replies sampled, of which the best is returned
    candidates: Count = 6
    # sampling temperature, which divides the logits
    temperature: Positive = 1.0
    # nucleus sampling: sample from the fewest words that together have this probability
    top_p: Top = 0.9
    # sample from the K most probable words only; 0 = from all, which is ten times slower because of sorting
    top_k: Whole = 60
    # weight of log p(reply) that is subtracted from log p(reply | message) (MMI), so that generic replies do not win
    mmi_weight: NotNegative = 0.8
    # replies in a batch
    batch_size: Count = 64
    # number of lengths that turns are padded to, each compiled once
    buckets: Count = 3
    # passes over the training replies
    epochs: Count = 4
    # peak learning rate: linear warm-up over the first 5 % of the steps, then cosine decay to zero
    learning_rate: Positive = 2e-3
    # weight decay of AdamW, multiplied by the learning rate
    weight_decay: NotNegative = 0.01
    # gradient clipping: largest global norm
    clip_norm: Positive = 1.0
    # seed of initial weights, dropout and the order of the dialogues
    seed: Seed = 1

    def __post_init__(self) -> None:
        """Rejects invalid settings early."""
        settings.check(self)


TALK = TalkConfig()
TALK_RECIPES = {"dailydialog": TALK}
