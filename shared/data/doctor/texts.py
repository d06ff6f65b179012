"""Lengths, and characters that do not belong in a text."""

import collections
import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np

from .findings import NOTE, OK, WARNING, Finding, figure, having, percent, sized

OFTEN = 0.01  # share of values above which what is unusual is no exception: not outliers, but how the values are
# UTF-8 read as Windows-1252 or Latin-1: the first byte of a character, then its other bytes
MOJIBAKE = re.compile("[ÂÃâÅÄÐÑðï][\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]{1,3}")
LEGACY = ("cp1252", "latin-1")
INVISIBLE = re.compile("[\u200b\u2060\ufeff\u00ad]")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def lengths(found: Sequence[float], unit: str, what: str, limit: float = 0, cut: str = "") -> Finding:
    """Describes the lengths of the training examples.

    Args:
        limit: longest length that is read; 0 = none. cut: what happens to longer examples, such as "lose their middle".
    """
    middle, many, longest = (float(np.quantile(found, share, method="higher")) for share in (0.5, 0.95, 1))
    text = (
        f"{what}: half have at most {figure(middle)} {unit}, 95 % at most {figure(many)}, the longest {figure(longest)}"
    )
    over = int((np.asarray(found) > limit).sum()) if limit else 0
    if not over:
        return Finding(NOTE, text)
    text += f"; longer than {figure(limit)}, so that they {cut}: {over:,} ({percent(over / len(found))})"
    return Finding(WARNING if over > 0.1 * len(found) else NOTE, text)


def characters(texts: Iterable[tuple[str, str]]) -> list[Finding]:
    """Looks for signs of a wrong encoding in texts, each with its location: mojibake, control characters, mixed forms.

    >>> [finding.text for finding in characters([("CafÃ© noir", "line 3")])]
    ["1 of 1 text has wrongly decoded characters (UTF-8 read as Latin-1), e.g. line 3: 'Ã©' for 'é'"]
    """
    found: dict[str, list[str]] = collections.defaultdict(list)
    forms: dict[str, list[str]] = {"NFC": [], "NFD": []}
    count = 0
    for text, where in texts:
        count += 1
        if text.isascii() and not CONTROL.search(text):
            continue
        for sign, said in _signs(text).items():
            found[sign].append(f"{where}: {said}" if where else said)
        if unicodedata.normalize("NFD", text) != text:
            forms["NFC"].append(where)
        if unicodedata.normalize("NFC", text) != text:
            forms["NFD"].append(where)
    findings = []
    for sign, places in found.items():
        level = WARNING if len(places) > OFTEN * count else NOTE
        findings.append(Finding(level, f"{having(len(places), count, 'texts')} {sign}, e.g. {places[0]}"))
    if all(forms.values()):
        text = "accented letters are written in two ways, composed and decomposed (NFC and NFD)"
        findings.append(Finding(NOTE, f"{text}, e.g. {forms['NFC'][0]} and {forms['NFD'][0]}"))
    return findings or [Finding(OK, f"no wrongly decoded, control or invisible characters in {sized(count, 'texts')}")]


def _signs(text: str) -> dict[str, str]:
    """Returns sign of a wrong encoding -> the characters that show it."""
    signs = {}
    if (match := MOJIBAKE.search(text)) and (right := _decoded(match[0])):
        signs["wrongly decoded characters (UTF-8 read as Latin-1)"] = f"{match[0]!r} for {right!r}"
    if "\ufffd" in text:
        signs["replacement characters, where a character was lost"] = "U+FFFD"
    for kind, pattern in {"control": CONTROL, "invisible": INVISIBLE}.items():
        if match := pattern.search(text):
            meant = match[0].encode("latin-1", "ignore").decode("cp1252", "ignore")
            hint = f", {meant!r} in Windows-1252" if meant.isprintable() and meant else ""
            signs[f"{kind} characters"] = f"U+{ord(match[0]):04X}{hint}"
    return signs


def _decoded(garbled: str) -> str:
    """Returns what UTF-8 bytes read in a legacy encoding should have been; "" if they are no such bytes."""
    for encoding in LEGACY:
        for end in range(len(garbled), 1, -1):
            try:
                return garbled[:end].encode(encoding).decode("utf-8")
            except UnicodeError:
                continue
    return ""
