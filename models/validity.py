"""The ends of time: from when to when something holds that states no start or no end.

Here belongs: those two days. Here does not belong: any one validity.
"""

from datetime import date

EVER = date(1970, 1, 1)
"""First day of what has no stated start (UTC)."""

FOREVER = date(9999, 12, 31)
"""First day on which it no longer holds, of what has no stated end (UTC)."""
