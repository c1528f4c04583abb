"""On which days artisans are paid. Plain dates, no ORM."""

from calendar import monthrange
from datetime import timedelta


def last_payday(today, schedule, weekday=0, monthday=1):
    """Return the latest payday that is not after `today`.

    What fell due by then is paid now, also when nothing ran on the day itself.

    :param datetime.date today: the company's own day
    :param str schedule: "at_once", "weekly" or "monthly"
    :param int weekday: 0 is Monday
    :param int monthday: 1 to 31; a shorter month pays on its last day
    """
    if schedule == "weekly":
        return today - timedelta(days=(today.weekday() - weekday) % 7)
    if schedule == "monthly":
        payday = _in_month(today, monthday)
        if payday > today:
            payday = _in_month(today.replace(day=1) - timedelta(days=1), monthday)
        return payday
    return today


def _in_month(date, monthday):
    return date.replace(day=min(monthday, monthrange(date.year, date.month)[1]))
