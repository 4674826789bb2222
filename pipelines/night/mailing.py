"""All that a night tells people: statements, budgets, notices; what goes wrong with one silences no other.

Here belongs: running the three apart from each other. Here does not belong: what each tells, and to whom.
"""

from collections.abc import Callable
from datetime import date
from typing import TypeVar

from pipelines.house import House
from pipelines.night.budget_alerts import Alerted, deliver_alerts
from pipelines.night.delivery import Delivered, deliver
from pipelines.night.notices import Told, deliver_notices

T = TypeVar("T")


def mail_all(house: House, day: date) -> tuple[Delivered, Alerted, Told]:
    """Delivers statements by the end of `day`, thresholds and notices. One that fails is a problem line of its own."""
    return (
        _tried("statements", lambda: deliver(house, day), lambda line: Delivered(problems=(line,))),
        _tried("budgets", lambda: deliver_alerts(house), lambda line: Alerted(problems=(line,))),
        _tried("notices", lambda: deliver_notices(house), lambda line: Told(problems=(line,))),
    )


def _tried(what: str, tell: Callable[[], T], failed: Callable[[str], T]) -> T:
    try:
        return tell()
    except Exception as error:  # noqa: BLE001 - whatever it was, the others are told still; it is told as a problem
        why = f"{type(error).__name__}: {error}".rstrip(": ")
        return failed(f"{what}: telling stopped ({why}); what was sent stays sent, the next run goes on")
