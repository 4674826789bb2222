"""The mean month: what an hour's cost is told as a month's by, so that no month is dearer because it has more days.

Here belongs: its length. Here does not belong: months of the calendar.
"""

MONTH_HOURS = 730  # 365 days of 24 hours in 12 months
