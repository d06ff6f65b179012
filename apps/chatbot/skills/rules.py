"""Forms of requests that are understood by rule, whatever the network says: note milk, delete the milk note."""

import datetime
import re
from collections.abc import Mapping

from . import Skill
from .answers import fits
from .entries import WHICH
from .forms import END, START, form

_DELETE = r"(?:delete|remove|erase|clear|cancel|forget|drop|get rid of|stop|turn off|switch off)"
_MY = r"(?:my|the|our)"
_SEVERAL = r"(?:all|every|each|whole|entire|other|new|both|two|three)"
_WORDS = rf"(?!{_SEVERAL}\b)((?:(?!about\b|that\b|to\b)[^\s,.?!]+ ?){{1,4}}?)"
_DAY = r"(?:what|which) (?:day|date)(?: of the week)?"
# Skill, slot or "", and the form; its only group is the slot's value.
_FORMS = (
    ("add_note", "note", r"note:? (?!that\b|to\b|down\b|about\b)(.+?)"),
    ("add_note", "note", rf"(?:add|put) (.+?) (?:to|on|onto) {_MY} (?:(?:shopping|grocery|to ?do) )?(?:notes|list)"),
    ("remove_note", "note", rf"{_DELETE} {_MY} {_WORDS}\s?note"),
    ("remove_note", "note", rf"{_DELETE} {_MY} note about (.+?)"),
    ("clear_notes", "", rf"{_DELETE} (everything) (?:from|on|off|in) {_MY} (?:\w+ )?(?:list|notes)"),
    ("cancel_last", "", rf"{_DELETE} (everything)"),
    ("cancel_reminder", "task", rf"{_DELETE} {_MY} {_WORDS}\s?reminder"),
    ("cancel_reminder", "task", rf"{_DELETE} {_MY} reminder (?:to|about) (.+?)"),
    ("cancel_alarm", "moment", rf"{_DELETE} {_MY} (.+?) alarm"),
    ("cancel_alarm", "moment", rf"{_DELETE} {_MY} alarm (?:for |at |on )?(.+?)"),
    ("set_alarm", "moment", r"set (?:an|my|the) alarm (?:for|at|to|on) (.+?)"),
    ("set_reminder", "moment", r"remind me (.+?)"),
    ("get_date", "moment", rf"(?:{_DAY} (?:is it|is|will it be)|what(?:'?s| is) the date) (.+?)"),
)
RULES = [(skill, slot, re.compile(START + text + END, re.IGNORECASE)) for skill, slot, text in _FORMS]


def ruled(message: str, skills: Mapping[str, Skill], now: datetime.datetime) -> tuple[str, dict[str, str]]:
    """Returns the skill and the slot that a message names by its form; ("", {}) if no form decides.

    What is word for word a pattern without slots, and of one skill only, has such a form too.
    """
    for skill, slot, each in RULES:
        if skill not in skills:
            continue
        match = each.fullmatch(" ".join(message.split()))
        value = match[1].strip() if match else ""
        if value and (slot != "moment" or fits(slot, value, now) or (skill == "cancel_alarm" and value in WHICH)):
            return skill, {slot: value} if slot else {}
    exact = [name for name, each in skills.items() if form(each, message) == {}]
    return (exact[0] if len(exact) == 1 else ""), {}
