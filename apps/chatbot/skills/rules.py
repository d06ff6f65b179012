"""Forms of requests that are understood by rule, whatever the network says: note milk, delete the milk note."""

import datetime
import re
from collections.abc import Mapping

from . import Skill
from .answers import fits, is_day
from .entries import WHICH
from .forms import END, START, form

_DELETE = r"(?:delete|remove|erase|clear|cancel|forget|drop|get rid of|stop|turn off|switch off)"
_MY = r"(?:my|the|our)"
_SEVERAL = r"(?:all|every|each|whole|entire|other|new|both|two|three)"
_STRIKE = r"(?:delete|remove|erase|clear|wipe|drop|forget|get rid of|take|cross|cross off|cross out|scratch|strike)"
_NO_NOTE = rf"(?:{_SEVERAL}|everything|it|that|this|them|these|those|(?:the )?(?:{'|'.join(WHICH)}))"
_WORDS = rf"(?!{_SEVERAL}\b)((?:(?!about\b|that\b|to\b)[^\s,.?!]+ ?){{1,4}}?)"
_LIST = rf"{_MY} (?:(?:shopping|grocery|to ?do) )?(?:notes|list)"
_FROM = r"(?:from|off|on|in|out of)"
_DAY = r"(?:on )?(?:what|which) (?:day|date|weekday)(?: of the (?:week|month|year))?"
_IS = r"(?:'?s| is| was| will be)"
_LEFT = r"(?:is it|are there|are left|are there left|left|to go|do (?:i|we) have)"
# Skill, slot or "", and the form; its only group is the slot's value.
_FORMS = (
    ("add_note", "note", r"note:? (?!that\b|to\b|down\b|about\b)(.+?)"),
    ("add_note", "note", rf"(?:add|put) (.+?) (?:to|on|onto) {_LIST}"),
    ("remove_note", "note", rf"{_DELETE} {_MY} {_WORDS}\s?note"),
    ("remove_note", "note", rf"{_DELETE} {_MY} note about (.+?)"),
    ("remove_note", "note", rf"{_STRIKE} (?:{_MY} note (?:about )?)?(?!{_NO_NOTE}\b)(.+?) {_FROM} {_LIST}"),
    ("clear_notes", "", rf"(?:{_DELETE}|{_STRIKE}) (everything) (?:from|on|off|in) {_MY} (?:\w+ )?(?:list|notes)"),
    ("cancel_last", "", rf"{_DELETE} (everything)"),
    ("cancel_reminder", "task", rf"{_DELETE} {_MY} {_WORDS}\s?reminder"),
    ("cancel_reminder", "task", rf"{_DELETE} {_MY} reminder (?:to|about) (.+?)"),
    ("cancel_alarm", "moment", rf"{_DELETE} {_MY} (.+?) alarm"),
    ("cancel_alarm", "moment", rf"{_DELETE} {_MY} alarm (?:for |at |on )?(.+?)"),
    ("set_alarm", "moment", r"set (?:an|my|the) alarm (?:for|at|to|on) (.+?)"),
    ("set_reminder", "moment", r"remind me (.+?)"),
    ("get_date", "moment", rf"{_DAY} (?:is it|is|was it|was|will it be|will) (?!today\b)(.+?)(?: be)?(?: on)?"),
    ("get_date", "moment", rf"{_DAY} (?:does|did|will) (.+?) (?:fall|land)(?: on)?(?: this year)?"),
    ("get_date", "moment", rf"what{_IS} the (?:date|day)(?: of| on| for)? (?!today\b)(.+?)"),
    ("get_date", "moment", rf"what{_IS} (tomorrow|yesterday)'?s (?:date|day)"),
    ("get_date", "moment", rf"when{_IS} (.+?)"),
    ("count_days", "moment", rf"(?:how many )?(?:more )?days (?:{_LEFT} )?(?:until|till|til|to|before) (.+?)"),
    ("count_days", "moment", r"how (?:long|far)(?: is it| to go)? (?:until|till|til) (.+?)"),
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
        if value and (slot != "moment" or _fits(skill, value, now)):
            return skill, {slot: value} if slot else {}
    exact = [name for name, each in skills.items() if form(each, message) == {}]
    return (exact[0] if len(exact) == 1 else ""), {}


def _fits(skill: str, moment: str, now: datetime.datetime) -> bool:
    if skill in ("get_date", "count_days"):
        return is_day(moment, now)
    return bool(fits("moment", moment, now)) or (skill == "cancel_alarm" and moment in WHICH)
