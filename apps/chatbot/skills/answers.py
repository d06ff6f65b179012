"""What a message answers to an open question: yes, no, or a value. No network decides this: it may be mistaken."""

import datetime
import re

from . import CannotDo, durations, numerals, when

NUMBERS = ("amount", "count", "sides")
_ACT = r"(?:please|go ahead|do (?:it|that)|(?:delete|cancel|remove|clear|stop) (?:it|that|this|them|all|everything))"
_YES = re.compile(
    rf"(?:(?:yes|yeah|yep|yup|y|sure|of course|certainly|ok|okay|all? ?right)(?: (?:yes|sure|{_ACT}))*"
    r"|(?:please )?(?:do (?:it|that|so)|go ahead|confirm)(?: please)?|please do)"
)
_KEEP = r"keep (?:it|them|that|all)|leave (?:it|them)|wait|(?:maybe )?later"
_NO = re.compile(rf"(?:no|not|nope|nah|n|never ?mind|don'?t|do not|{_KEEP})(?: .*)?")
_DROP = re.compile(
    r"(?:no|nope|nothing|never ?mind|(?:cancel|forget|leave|drop|stop)(?: (?:it|that|this))?)(?: please| thanks)?"
)


def plain(message: str) -> str:
    """Returns the message in lower case and without punctuation."""
    return " ".join(re.sub(r"[^\w\s']", " ", message).lower().split())


def is_yes(message: str) -> bool:
    """Returns whether the whole message is a yes; "yes, but not the first" is none."""
    return _YES.fullmatch(plain(message)) is not None


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
