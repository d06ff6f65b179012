"""Generates replies: samples several candidates and returns the one that is most specific to the context.

Li et al. (2016), "A diversity-promoting objective function for neural conversation models", N16-1014, section 4.1, with
nucleus sampling instead of beam search: score = (log p(reply | said) - mmi_weight * log p(reply)) / words.
p(reply) comes from the same network, which is trained on some replies without their context.
"""

import secrets
from typing import Any

import numpy as np
from keras import ops

from shared import runs
from shared.data.text import Vocabulary
from shared.decoding import Decoder, score
from shared.layers import backend

from .data import BEGIN_ID, END_ID, PAD_ID, UNKNOWN_ID, message_ids, sentence, words
from .model import read, step

BANNED = (PAD_ID, UNKNOWN_ID, BEGIN_ID)
NOTHING = "..."


class Predictor:
    """A trained small-talk run, ready for inference.

    Args:
        seed: of the sampling; None: a new one each time.
    """

    def __init__(self, run: runs.Run, seed: int | None = None) -> None:
        self.run, info, self.config = run, run.info(), run.config
        self.words = Vocabulary(tuple(info["words"]))
        self.most, self.context = info["max_words"], info["context"]
        self.model = run.load_model()
        self.decoder = Decoder(step(self.model), self.model.variables, len(self.words))
        self._read = backend.compiled(read(self.model), self.model.variables)
        self._nats = backend.compiled(self._reply_nats, self.model.variables)
        self._seeds = np.random.default_rng(secrets.randbits(32) if seed is None else seed)

    def reply(self, turns: list[str]) -> str:
        """Returns the reply to the last of the turns, given the turns before it."""
        said = message_ids([words(turn) for turn in turns[-self.context :]], self.words, self.most)
        return sentence(self.replies([said])[0]) or NOTHING

    def replies(self, said: list[np.ndarray]) -> list[list[str]]:
        """Returns a reply to each of the messages (ids), as words, generated in one batch."""
        count = self.config["candidates"]
        padded = np.zeros((len(said), self.most + 1), np.int32)
        for row, message in zip(padded, said, strict=True):
            row[: len(message)] = message
        rows = np.repeat(padded, count, axis=0)  # (messages * candidates, time)
        candidates = self.sample(rows)
        scores = self.scores(rows, candidates).reshape(len(said), count)
        best = candidates.reshape(len(said), count, -1)[np.arange(len(said)), scores.argmax(axis=1)]
        return [self.words.decode(ids[: _length(ids)]) for ids in best]

    def sample(self, rows: np.ndarray) -> np.ndarray:
        """Samples a reply to each of the messages (rows, time): ids (rows, half of max_words, or all)."""
        read_states = self._read(ops.convert_to_tensor(rows))
        inner = self.model.get_layer("writer").get_initial_state(len(rows))
        logits, states = self.decoder.read(np.full((len(rows), 1), BEGIN_ID), [*read_states, *inner])
        chunks = self.decoder.sample(
            logits,
            states,
            self.most,
            temperature=self.config["temperature"],
            top_k=self.config["top_k"],
            top_p=self.config["top_p"],
            seed=int(self._seeds.integers(2**31)),
            banned=BANNED,
            chunk=-(-self.most // 2),
        )
        written: list[np.ndarray] = []
        for chunk in chunks:
            written.append(chunk)
            if all(END_ID in row for row in np.concatenate(written, axis=1)):
                break  # most replies end in the first half
        return np.concatenate(written, axis=1)

    def scores(self, rows: np.ndarray, candidates: np.ndarray) -> np.ndarray:
        """Scores how specifically each candidate (rows, words) answers its message: (rows,), higher is better."""
        lengths = np.array([_length(ids) for ids in candidates])
        known = self.nats(rows, candidates, lengths)
        silent = np.zeros_like(rows)
        silent[:, 0] = BEGIN_ID
        anywhere = self.nats(silent, candidates, lengths)
        scores = (self.config["mmi_weight"] * anywhere - known) / (lengths + 1)
        return np.where(lengths > 0, scores, -np.inf)

    def nats(self, rows: np.ndarray, candidates: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Returns -log p(candidate | message) (rows,), including the end of the reply."""
        places = np.arange(candidates.shape[1] + 1)
        targets = np.pad(candidates, ((0, 0), (0, 1)))
        targets = np.where(places < lengths[:, None], targets, np.where(places == lengths[:, None], END_ID, PAD_ID))
        return self.target_nats(rows, targets)

    def target_nats(self, rows: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Returns -log p(targets | message) (rows,): rows (rows, max_words + 1), targets (rows, words), 0-padded."""
        written = np.pad(targets[:, :-1], ((0, 0), (1, 0)), constant_values=BEGIN_ID)
        found = self._nats(*(ops.convert_to_tensor(ids.astype(np.int32)) for ids in (written, rows, targets)))
        return ops.convert_to_numpy(found)

    def _reply_nats(self, written: Any, said: Any, targets: Any) -> Any:
        logits = self.model([written, said], training=False)
        return ops.sum(ops.where(targets > 0, score(logits, targets), 0.0), axis=1)

    def warm_up(self) -> None:
        """Compiles in advance, so that the first reply is not delayed."""
        rows = np.full((self.config["candidates"], self.most + 1), BEGIN_ID, np.int32)
        self.sample(rows)
        for length in {-(-self.most // 2), self.most}:
            self.scores(rows, np.full((len(rows), length), END_ID - 1))
        self.reply(["hello"])


def _length(ids: np.ndarray) -> int:
    """Returns the number of words before the end."""
    ends = np.flatnonzero(ids == END_ID)
    return int(ends[0]) if len(ends) else len(ids)
