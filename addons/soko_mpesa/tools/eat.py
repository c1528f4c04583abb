"""The day in Nairobi: limits of Safaricom are per day of East Africa Time."""

from datetime import datetime, time, timedelta

# Kenya has had UTC+3 without daylight saving time since 1960.
EAT = timedelta(hours=3)
ZONE = "Africa/Nairobi"


def day_of(moment):
    """Return the date in Nairobi at `moment`.

    :param datetime moment: UTC without time zone, as Odoo stores it
    """
    return (moment + EAT).date()


def day_start(moment):
    """Return when the day in Nairobi began that `moment` is in; both are UTC without time zone."""
    return datetime.combine(day_of(moment), time.min) - EAT


def next_day(moment):
    """Return when the next day in Nairobi begins; both are UTC without time zone."""
    return day_start(moment) + timedelta(days=1)
