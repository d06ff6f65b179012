"""What a careful colleague would say about a data set before training: findings in sentences, from plain values.

A finding is "ok", a "note" (a fact worth knowing), a "warning" (it may spoil the training), or a "problem": a figure
measured on this data would mislead.
"""

from .findings import (
    LEVELS,
    NOTE,
    OK,
    PROBLEM,
    SHOWN,
    WARNING,
    Finding,
    Item,
    counted,
    example,
    having,
    named,
    percent,
    sized,
    worst_first,
)
from .labels import RARE, SKEWED, balance, contradictions, enough, giveaways, same_answers, shares
from .leakage import LEAKED, copies, duplicates, groups, leak, repeats
from .numbers import clipped, codes, far, gaps, is_constant
from .texts import characters, lengths

__all__ = [
    "Finding",
    "Item",
    "LEAKED",
    "LEVELS",
    "NOTE",
    "OK",
    "PROBLEM",
    "RARE",
    "SHOWN",
    "SKEWED",
    "WARNING",
    "balance",
    "characters",
    "clipped",
    "codes",
    "contradictions",
    "copies",
    "counted",
    "duplicates",
    "enough",
    "example",
    "far",
    "gaps",
    "giveaways",
    "groups",
    "having",
    "is_constant",
    "leak",
    "lengths",
    "named",
    "percent",
    "repeats",
    "same_answers",
    "shares",
    "sized",
    "worst_first",
]
