"""Parses holidays: christmas, new year's eve, last halloween, easter monday 2027."""

import datetime
from dataclasses import dataclass

from .dates import Date, which_year
from .reader import Reader

FIXED = {
    "christmas": (25, 12),
    "christmas day": (25, 12),
    "christmas eve": (24, 12),
    "xmas": (25, 12),
    "xmas eve": (24, 12),
    "boxing day": (26, 12),
    "new year's eve": (31, 12),
    "new years eve": (31, 12),
    "new year's day": (1, 1),
    "new years day": (1, 1),
    "new year's": (1, 1),
    "new year": (1, 1),
    "valentine's day": (14, 2),
    "valentines day": (14, 2),
    "halloween": (31, 10),
}
AFTER_EASTER = {"good friday": -2, "easter": 0, "easter sunday": 0, "easter monday": 1}  # days
NAMES = sorted((*FIXED, *AFTER_EASTER), key=len, reverse=True)
WORDS = frozenset(str.split("christmas xmas halloween easter valentine's valentines"))  # have no other meaning
BESIDE = frozenset(word for name in NAMES for word in name.split())


@dataclass(frozen=True)
class Easter:
    """A day that is counted from Easter Sunday; `year` and `ahead` as in `Date`."""

    days: int
    year: int | None = None
    ahead: int | None = None

    def options(self, today: datetime.date, step: int = 1) -> list[datetime.date | None]:
        """Returns the possible days, as `Date.options`."""
        from dateutil.easter import easter

        years = [today.year, today.year + step] if self.ahead is None else [today.year + self.ahead]
        return [easter(year) + datetime.timedelta(self.days) for year in ([self.year] if self.year else years)]


def holiday(reader: Reader) -> dict | None:
    """Parses a holiday, of which this, next or last may be said, or a year."""
    which = reader.phrase("this coming", "the coming", "the next", "the last", "coming", "this", "next", "last", "the")
    name = reader.phrase(*NAMES)
    if not name:
        return None
    year, ahead = which_year(reader)
    found = Date(*FIXED[name], year, ahead) if name in FIXED else Easter(AFTER_EASTER[name], year, ahead)
    return {"date": found} | ({"which": "last"} if which.endswith("last") else {})
