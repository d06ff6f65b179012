"""Slots and IOB tags: B-x starts a slot named x, I-x continues it, O is outside of all slots."""

from collections.abc import Sequence

from shared import InputError

OUTSIDE = "O"
Span = tuple[str, int, int]  # name, first token, token after the last


def spans(tags: Sequence[str]) -> list[Span]:
    """Returns the slots of valid IOB tags.

    >>> spans(["O", "B-city", "I-city", "B-day"])
    [('city', 1, 3), ('day', 3, 4)]
    """
    found: list[Span] = []
    for place, tag in enumerate(tags):
        if tag.startswith("B-"):
            found.append((tag[2:], place, place + 1))
        elif tag.startswith("I-"):
            name, first, _ = found[-1]
            found[-1] = (name, first, place + 1)
    return found


def tagged(length: int, slots: Sequence[Span]) -> list[str]:
    """Returns the tags of `length` tokens with these slots."""
    tags = [OUTSIDE] * length
    for name, first, last in slots:
        tags[first:last] = [f"B-{name}"] + [f"I-{name}"] * (last - first - 1)
    return tags


def check(tags: Sequence[str], tokens: Sequence[str], where: str) -> None:
    """Raises InputError unless there is one tag per token and they are valid IOB; `where` gives file and line."""
    if len(tags) != len(tokens):
        raise InputError(f"Expected a tag for each token. {where}: {len(tokens)} tokens, {len(tags)} tags.")
    before = OUTSIDE
    for place, tag in enumerate(tags, 1):
        kind, _, name = tag.partition("-")
        if tag != OUTSIDE and (kind not in ("B", "I") or not name):
            raise InputError(f"Expected tags O, B-name or I-name. {where}: tag {place} is {tag!r}.")
        if kind == "I" and before[1:] != tag[1:]:
            raise InputError(
                f"Expected IOB tags: I-{name} only after B-{name} or I-{name}. {where}: tag {place} is {tag!r} "
                f"after {before!r}."
            )
        before = tag
