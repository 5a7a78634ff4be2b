"""ISO 8601 durations, e.g. `PT4M30S` and `P1D`: text to timedelta and back."""

import re
from datetime import timedelta

_COUNT = r"\d{1,15}"
_WEEKS = rf"(?P<weeks>{_COUNT})W"
_DAYS = rf"(?:(?P<days>{_COUNT})D)?"
_SECONDS = rf"(?:(?P<seconds>{_COUNT})(?:[.,](?P<fraction>\d{{1,6}})\d*)?S)?"
_TIME = rf"(?:T(?=\d)(?:(?P<hours>{_COUNT})H)?(?:(?P<minutes>{_COUNT})M)?{_SECONDS})?"
_PATTERN = re.compile(rf"(?P<sign>[+-]?)P(?:{_WEEKS}|(?=\d|T\d){_DAYS}{_TIME})", re.ASCII)


def parse_duration(text: str) -> timedelta:
    """The duration that `text` names; digits beyond the microsecond are dropped.

    Raises ValueError for anything else, for years and months too: how long they are depends on the calendar.
    """
    found = _PATTERN.fullmatch(text)
    if not found:
        raise ValueError("not an ISO 8601 duration of weeks, days, hours, minutes and seconds, e.g. PT4M30S")
    units = {unit: int(found[unit] or 0) for unit in ("weeks", "days", "hours", "minutes", "seconds")}
    try:
        duration = timedelta(**units, microseconds=int((found["fraction"] or "").ljust(6, "0")))
    except OverflowError:
        raise ValueError("a duration longer than any that can be kept") from None
    return -duration if found["sign"] == "-" else duration


def format_duration(duration: timedelta) -> str:
    """`duration` in days, hours, minutes and seconds, exact to the microsecond; `PT0S` for none."""
    sign = "-" if duration < timedelta(0) else ""
    magnitude = abs(duration)
    minutes, seconds = divmod(magnitude.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{magnitude.microseconds:06d}".rstrip("0") if magnitude.microseconds else ""
    date = f"{magnitude.days}D" if magnitude.days else ""
    time = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if seconds or fraction or not (date or time):
        time += f"{seconds}{fraction}S"
    return f"{sign}P{date}T{time}" if time else f"{sign}P{date}"
