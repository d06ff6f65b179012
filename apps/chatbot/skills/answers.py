"""What a message answers to an open question: yes, no, or a value. No network decides this: it may be mistaken."""

import datetime
import re

from ..tokens import composed
from . import CannotDo, durations, numerals, when

NUMBERS = ("amount", "count", "sides")
_ACT = r"(?:please|go ahead|do (?:it|that)|(?:delete|cancel|remove|clear|stop) (?:it|that|this|them|all|everything))"
_YES = re.compile(
    rf"(?:(?:yes|yeah|yep|yup|y|sure|of course|certainly|ok|okay|all? ?right)(?: (?:yes|sure|{_ACT}))*"
    r"|(?:please )?(?:do (?:it|that|so)|go ahead|confirm)(?: please)?|please do)"
)
_KEEP = r"keep (?:it|them|that|all)|leave (?:it|them)|wait|(?:maybe )?later"
_NO = re.compile(rf"(?:no|not|nope|nah|n|never ?mind|don'?t|do not|{_KEEP})(?: .*)?")
_BARE_NO = re.compile(r"no|nope|nah|n|not")
_DELETE = r"(?:delet|remov|eras|clear|cancel|wip|trash|drop|stop|undo)(?:e|ing)?|(?:turn|switch|shut) off|throw|get rid"
_NEGATED = re.compile(
    rf"(?:please |no |i )?(?:don'?t|do not|never)(?: (?:want|need)(?: you)?(?: to)?)?(?: (?:please|ever))? "
    rf"(?:{_DELETE})\b.*"
)
_DROP = re.compile(
    r"(?:no|nope|nothing|never ?mind|(?:cancel|forget|leave|drop|stop)(?: (?:it|that|this))?)(?: please| thanks)?"
)


def plain(message: str) -> str:
    """Returns the message in lower case and without punctuation."""
    return " ".join(re.sub(r"[^\w\s']", " ", composed(message)).lower().split())


def is_yes(message: str) -> bool:
    """Returns whether the whole message is a yes; "yes?" and "yes, but not the first" are none."""
    return "?" not in message and _YES.fullmatch(plain(message)) is not None


def is_bare(message: str) -> bool:
    """Returns whether the message is only a yes or a no, which are no free text."""
    return any(each.fullmatch(plain(message)) for each in (_YES, _BARE_NO))


def is_negated(message: str) -> bool:
    """Returns whether the message asks not to delete something."""
    return _NEGATED.fullmatch(plain(message)) is not None


def is_no(message: str) -> bool:
    """Returns whether the message is or begins with a no."""
    return _NO.fullmatch(plain(message)) is not None


def is_dropped(message: str) -> bool:
    """Returns whether the message takes back the request that an open question belongs to."""
    return _DROP.fullmatch(plain(message)) is not None


def fits(slot: str, message: str, now: datetime.datetime) -> bool | None:
    """Returns whether the whole message is a value of the slot; None for free text."""
    if slot not in ("duration", "moment", *NUMBERS):
        return None
    if slot == "duration" and durations.is_unit(message):
        return True
    try:
        if slot == "duration":
            durations.duration(message)
        elif slot == "moment":
            when.moment(message, now)
        else:
            numerals.number(message, slot)
    except CannotDo as question:  # of an ambiguous moment the next question asks what is meant
        return slot == "moment" and str(question).startswith("Do you mean")
    return True


def is_day(message: str, now: datetime.datetime) -> bool:
    """Returns whether the whole message names a day, past or not."""
    try:
        when.day(message, now)
    except CannotDo as question:
        return str(question).startswith("Do you mean")
    return True
