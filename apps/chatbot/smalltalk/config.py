"""Every setting of the small talk."""

from dataclasses import dataclass

from shared import InputError
from shared.layers import SEQUENCE_ARCHITECTURES

from ..config import at_least, flag, positive, shares


@dataclass(frozen=True)
class TalkConfig:
    """From which dialogues, by which network, and how replies are chosen."""

    # dailydialog, or a text file with a dialogue on each line, its turns separated by __eou__
    data: str = "dailydialog"
    # turns that a reply answers to, the last ones
    context: int = 2
    # words read of these turns (the last ones) and written in a reply
    max_words: int = 24
    # words kept, most frequent first
    max_vocabulary: int = 6_000
    # elman, lstm, gru, peephole_lstm, layernorm_lstm, indrnn, sru, mingru, minlstm, lru, rglru, slstm, tcn, attention
    arch: str = "gru"
    # width of the writer's recurrent layer; the reader's are half as wide in each direction
    units: int = 256
    # width of the word vectors, which are also the scores of the words to write
    embedding: int = 128
    # share of features dropped after the word vectors and after each layer
    dropout: float = 0.2
    # share of the training replies that are learned without what they answer to: p(reply)
    silence: float = 0.15
    # replies sampled, of which the best is given
    candidates: int = 6
    # divides the scores of the words before sampling
    temperature: float = 1.0
    # only the fewest words that together reach this probability are sampled
    top_p: float = 0.9
    # only so many most probable words are sampled; 0 = all, which takes ten times as long: they have to be sorted
    top_k: int = 60
    # how much of log p(reply) is taken from log p(reply | message), so that what always fits does not win
    anti: float = 0.8
    # replies in a batch
    batch_size: int = 64
    # lengths that turns are padded to; each is compiled once
    buckets: int = 3
    # passes over the training replies
    epochs: int = 4
    # highest learning rate; it rises over the first 5 % of the steps and falls along a cosine to zero
    learning_rate: float = 2e-3
    # AdamW's decay of the weights, as a share of the learning rate
    weight_decay: float = 0.01
    # largest norm of the whole gradient
    clip_norm: float = 1.0
    # seed of initial weights, dropout and the order of the dialogues
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuses values that cannot work, before any work starts."""
        if self.arch not in SEQUENCE_ARCHITECTURES:
            raise InputError(f"--arch: expected one of {', '.join(SEQUENCE_ARCHITECTURES)}; received {self.arch!r}")
        at_least(self, 1, "context", "candidates", "batch_size", "buckets", "epochs", "embedding")
        at_least(self, 2, "units")
        at_least(self, 4, "max_words")
        at_least(self, 10, "max_vocabulary")
        at_least(self, 0, "top_k", "anti", "weight_decay", "seed")
        positive(self, "learning_rate", "clip_norm", "temperature")
        shares(self, "dropout", "silence")
        if not 0 < self.top_p <= 1:
            raise InputError(f"{flag('top_p')}: expected 0 < share <= 1; received {self.top_p}")


TALK = TalkConfig()


@dataclass(frozen=True)
class TrainTalk:
    """Train a network that makes small talk, say how good it is, and save it. The same command again continues."""

    config: TalkConfig = TALK
    # name of the run's folder; by default made from the settings
    run: str | None = None
    # start over where a run of that name exists
    fresh: bool = False
    # how many runs, with the seeds seed, seed + 1, ...
    seeds: int = 1
    # write the figures to the app's results.json and README
    record: bool = False


def is_talk(data: str) -> bool:
    """Whether this source holds dialogues."""
    return data == "dailydialog" or data.lower().endswith(".txt")
