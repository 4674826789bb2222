"""What stops a night is told in the words that were written for people, without the name of our own class."""

from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from pipelines.night import run
from pipelines.night.exchange_rates import RateLockedError
from tests.pipelines.small_company import DAY


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (RateLockedError("EUR to USD for 2026-10 is locked at 1.0834"), "EUR to USD for 2026-10 is locked at 1.0834"),
        (KeyError("billed_cost"), "KeyError: 'billed_cost'"),  # not written for people: its class says what it is
    ],
)
def test_a_failure_is_told_without_our_own_class(raised: Exception, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    @dg.op
    def fx_rates() -> None:
        raise raised

    @dg.job
    def nightly() -> None:
        fx_rates()

    def defs(house: Any) -> Any:
        return SimpleNamespace(resolve_job_def=lambda name: nightly)

    monkeypatch.setattr("pipelines.definitions.build_defs", defs)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    house: Any = None
    result = run.run_night(house, DAY, DAY)
    assert result.failures == (f"fx_rates: {told}",)
