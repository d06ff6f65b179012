"""Time zones by common names: UTC, GMT+2, EST, eastern time, Europe/Berlin."""

import datetime
import re
import zoneinfo

from . import CannotDo

# Minutes east of Greenwich. For ambiguous names (SEVERAL), the assistant asks which place is meant.
_FIXED = {
    "utc gmt wet z": 0,
    "bst west wat cet": 60,
    "cest eet cat sast": 120,
    "eest eat msk trt": 180,
    "pkt": 300,
    "wib ict": 420,
    "awst sgt hkt wita": 480,
    "jst kst wit": 540,
    "acst": 570,
    "aest chst": 600,
    "acdt": 630,
    "aedt": 660,
    "nzst": 720,
    "nzdt": 780,
    "brt art": -180,
    "edt": -240,
    "est cdt": -300,
    "mdt": -360,
    "mst pdt": -420,
    "pst akdt": -480,
    "akst": -540,
    "hst": -600,
}
FIXED = {name: minutes for names, minutes in _FIXED.items() for name in names.split() if name != "bst"}
SEVERAL = {
    "cst": "Chicago, Beijing or Havana",
    "ist": "Delhi, Dublin or Jerusalem",
    "bst": "London or Dhaka",
    "ast": "Halifax or Riyadh",
    "gst": "Dubai or South Georgia",
    "sst": "Singapore or Samoa",
    "amt": "Manaus or Yerevan",
}
# Names that follow the daylight saving rules of a place.
NAMED = {
    "eastern time|eastern|et": "America/New_York",
    "central time|ct": "America/Chicago",
    "mountain time|mt": "America/Denver",
    "pacific time|pt": "America/Los_Angeles",
    "alaska time": "America/Anchorage",
    "hawaii time": "Pacific/Honolulu",
    "atlantic time": "America/Halifax",
    "greenwich mean time|coordinated universal time|universal time|zulu time": "UTC",
    "central european time": "Europe/Berlin",
    "eastern european time": "Europe/Athens",
    "western european time": "Europe/Lisbon",
    "british time|uk time": "Europe/London",
    "moscow time": "Europe/Moscow",
    "japan standard time": "Asia/Tokyo",
}
ZONES = {name: zone for names, zone in NAMED.items() for name in names.split("|")}
MOST_HOURS = 14
_OFFSET = re.compile(r"(?:utc|gmt) ?([+-]) ?([0-9]{1,2})(?::?([0-9]{2}))?")


def zone(text: str) -> tuple[str, datetime.tzinfo] | None:
    """Returns the zone of this name, and the name to show; None if it is not the name of a zone.

    Raises:
        CannotDo: the abbreviation is ambiguous, or the offset does not exist.
    """
    name = text.lower().replace("\u2212", "-").replace("\u2013", "-").strip(" .,?!")
    if offset := _OFFSET.fullmatch(name):
        minutes = 60 * int(offset[2]) + int(offset[3] or 0)
        if minutes > 60 * MOST_HOURS or int(offset[3] or 0) > 59:
            raise CannotDo(f"There is no time zone {text}. In which city?", "city")
        return _shown(-minutes if offset[1] == "-" else minutes)
    if name in SEVERAL:
        raise CannotDo(f"{name.upper()} is the time of several places. Do you mean {SEVERAL[name]}?", "city")
    if name in FIXED:
        shown, found = _shown(FIXED[name])
        return name.upper() if shown == "UTC" else f"{name.upper()} ({shown})", found
    if name in ZONES:
        return name.title() if len(name) > 2 else name.upper(), zoneinfo.ZoneInfo(ZONES[name])
    if "/" in name:
        exact = {key.lower(): key for key in zoneinfo.available_timezones()}.get(name.replace(" ", "_"))
        return None if exact is None else (exact, zoneinfo.ZoneInfo(exact))
    return None


def _shown(minutes: int) -> tuple[str, datetime.tzinfo]:
    """Returns a name such as UTC+5:30, and that zone."""
    hours, rest = divmod(abs(minutes), 60)
    shown = f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "") if minutes else "UTC"
    return shown, datetime.timezone(datetime.timedelta(minutes=minutes))
