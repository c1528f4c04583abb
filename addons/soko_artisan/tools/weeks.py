"""Weeks from Monday to Sunday. Without the ORM."""

from datetime import timedelta


def week_of(day, offset=0):
    """Return (Monday, Sunday) of the week of `day`, moved by `offset` weeks.

    :param datetime.date day: any day of the week
    :param int offset: 0 is that week, 1 the next
    """
    monday = day - timedelta(days=day.weekday()) + timedelta(weeks=offset)
    return monday, monday + timedelta(days=6)


def free_capacity(capacity, booked):
    """Return what is left of a week: never less than nothing, to two digits.

    :param float capacity: pieces or hours a week
    :param float booked: of the same unit
    """
    return round(max(capacity - booked, 0.0), 2)
