"""The built-in data: sentences of four kinds, each with the mean sentiment rating of at least 15 people."""

import io
import tarfile

import numpy as np

from shared.data import fetch
from shared.data.catalogue import CATALOGUE

KINDS = {  # prefix of the file name -> kind
    "tweets": "tweet",
    "amazonReviewSnippets": "product",
    "movieReviewSnippets": "film",
    "nytEditorialSnippets": "news",
}
NEUTRAL = 0.5  # on a scale from -4 to 4; mean ratings closer to zero are neutral
HELD_OUT = {"test": 0.1, "valid": 0.1}  # shares of the sentences per kind
SPLIT_SEED = 0

Row = tuple[str, str, str, str]  # text, label, kind, location


def parts() -> dict[str, list[Row]]:
    """Reads the sentences by split; those of the same document are all in the same split.

    Hutto and Gilbert (2014), "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text".

    Raises:
        InputError: the archive is not available locally, and pip cannot download it.
    """
    (resource,) = CATALOGUE["vader_ratings"]
    found: dict[str, list[Row]] = {"train": [], "valid": [], "test": []}
    with tarfile.open(fileobj=io.BytesIO(fetch.fetch(resource))) as archive:
        for number, name in enumerate(KINDS):
            member = archive.extractfile(f"hutto_ICWSM_2014/{name}_GroundTruth.txt")
            assert member is not None  # its content has been verified
            for part, rows in split(member.read().decode("utf-8-sig"), name, number).items():
                found[part] += rows
    return found


def split(content: str, name: str, number: int) -> dict[str, list[Row]]:
    r"""Splits the lines "document_sentence, mean rating, text" of a file; `number` varies the seed between files."""
    documents: dict[str, list[Row]] = {}
    for line, row in enumerate(content.removesuffix("\n").split("\n"), 1):
        identity, rating, text = row.rstrip("\r").split("\t")
        if any(character.isalpha() for character in text):
            example = (text, label(float(rating)), KINDS[name], f"{name}, line {line}")
            documents.setdefault(identity.partition("_")[0], []).append(example)
    order = np.random.default_rng([SPLIT_SEED, number]).permutation(len(documents))
    found: dict[str, list[Row]] = {"train": [], "valid": [], "test": []}
    wanted = {part: share * sum(map(len, documents.values())) for part, share in HELD_OUT.items()}
    every = list(documents.values())
    for document in (every[position] for position in order):
        part = next((part for part, count in wanted.items() if len(found[part]) < count), "train")
        found[part] += document
    return found


def label(rating: float) -> str:
    """Returns the label of a mean rating from -4 to 4."""
    return "neutral" if abs(rating) < NEUTRAL else "negative" if rating < 0 else "positive"
