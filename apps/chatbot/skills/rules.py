"""Forms of requests that are understood by rule, whatever the network says: note milk, delete the milk note."""

import datetime
import re

from .answers import fits
from .entries import WHICH
from .forms import END, START

_DELETE = r"(?:delete|remove|erase|clear|cancel|forget|drop|get rid of|stop|turn off|switch off)"
_MY = r"(?:my|the|our)"
_SEVERAL = r"(?:all|every|each|whole|entire|other|new|both|two|three)"
_WORDS = rf"(?!{_SEVERAL}\b)((?:(?!about\b|that\b|to\b)[^\s,.?!]+ ?){{1,4}}?)"
_DAY = r"(?:what|which) (?:day|date)(?: of the week)?"
# Skill, slot, and the form; its only group is the slot's value.
_FORMS = (
    ("add_note", "note", r"note:? (?!that\b|to\b|down\b|about\b)(.+?)"),
    ("remove_note", "note", rf"{_DELETE} {_MY} {_WORDS}\s?note"),
    ("cancel_reminder", "task", rf"{_DELETE} {_MY} {_WORDS}\s?reminder"),
    ("cancel_alarm", "moment", rf"{_DELETE} {_MY} (.+?) alarm"),
    ("cancel_alarm", "moment", rf"{_DELETE} {_MY} alarm (?:for |at |on )?(.+?)"),
    ("set_alarm", "moment", r"set (?:an|my|the) alarm (?:for|at|to|on) (.+?)"),
    ("get_date", "moment", rf"(?:{_DAY} (?:is it|is|will it be)|what(?:'?s| is) the date) (.+?)"),
)
RULES = [(skill, slot, re.compile(START + text + END, re.IGNORECASE)) for skill, slot, text in _FORMS]


def ruled(message: str, now: datetime.datetime) -> tuple[str, dict[str, str]]:
    """Returns the skill and the slot that a message names by its form; ("", {}) if it has none of these forms."""
    for skill, slot, each in RULES:
        match = each.fullmatch(" ".join(message.split()))
        value = match[1].strip() if match else ""
        if value and (slot != "moment" or fits(slot, value, now) or (skill == "cancel_alarm" and value in WHICH)):
            return skill, {slot: value}
    return "", {}
