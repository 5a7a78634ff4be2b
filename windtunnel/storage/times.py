"""Moments as the database keeps them: whole milliseconds since 1970, UTC."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def milliseconds(moment: datetime) -> int:
    """Epoch milliseconds of an aware datetime, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def moment(milliseconds: int) -> datetime:
    """The reverse of `milliseconds`."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def optional_milliseconds(moment: datetime | None) -> int | None:
    """As `milliseconds`, None for None."""
    return None if moment is None else milliseconds(moment)


def optional_moment(milliseconds: int | None) -> datetime | None:
    """As `moment`, None for None."""
    return None if milliseconds is None else moment(milliseconds)
