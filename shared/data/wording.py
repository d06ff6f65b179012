"""How numbers of things are said."""

import re

SINGULAR = re.compile(
    r"(?<!ser)(?:(?<=ch)es|(?<=\w)ies|(?<=[^\Ws])(?<!serie)s)\b(?!')"
)  # the end of a plural, but not of series


def sized(count: int, what: str) -> str:
    """Writes a number and what is counted.

    >>> sized(1, "test patients with an outcome"), sized(2, "series"), sized(1, "melodies")
    ('1 test patient with an outcome', '2 series', '1 melody')
    """
    if count == 1:
        what = SINGULAR.sub(lambda match: "y" if match[0] == "ies" else "", what, count=1)
    return f"{count:,} {what}"
