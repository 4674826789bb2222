"""The clock, read here and nowhere else.

Here belongs: what time it is. Here does not belong: logic; whatever needs the time is handed a clock.
"""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """This moment: naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None)
