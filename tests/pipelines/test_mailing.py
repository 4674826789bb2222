"""What goes wrong with one of the three that a night tells is a problem line, and silences no other."""

from collections.abc import Callable
from datetime import date
from typing import cast

import pytest

from pipelines.house import House
from pipelines.night import mailing
from pipelines.night.budget_alerts import Alerted
from pipelines.night.delivery import Delivered
from pipelines.night.mailing import mail_all
from pipelines.night.notices import Told

NOBODY = cast("House", None)  # none of the three is called for real
WELL = (Delivered(sent=2), Alerted(sent=3), Told(sent=4))
CALLS = ("deliver", "deliver_alerts", "deliver_notices")


def well(of: int) -> Callable[..., object]:
    return lambda *_: WELL[of]


@pytest.mark.parametrize("broken", range(3))
def test_whichever_of_the_three_fails_the_others_are_told(broken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> object:
        raise RuntimeError("no such font")

    for at, name in enumerate(CALLS):
        monkeypatch.setattr(mailing, name, fails if at == broken else well(at))
    found = mail_all(NOBODY, date(2026, 10, 16))
    assert [one.sent for one in found] == [0 if at == broken else at + 2 for at in range(3)]
    (problem,) = [line for one in found for line in one.problems]
    what = ("statements", "budgets", "notices")[broken]
    assert problem.startswith(f"{what}: telling stopped (RuntimeError: no such font)")
