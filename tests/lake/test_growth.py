"""A bill that comes back with far more or far less is not believed until people say so; smaller changes are told."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import SourceSettings, Window
from pipelines.config.schema import Restatements
from pipelines.lake import Delivery, Lake, Limits
from tests.lake.fakes import FakeSource, Place

Pull = Callable[..., Delivery]
COMMAND = "farthing run 2026-10-01 --source aws-main --confirm aws-main"


def bill(*costs: str) -> FakeSource:
    return FakeSource([("bill.json", [{"cost": cost} for cost in costs])])


def billed(lake: Lake) -> Decimal:
    return sum(lake.read("charges")["billed_cost"].to_pylist(), Decimal(0))


def test_a_bill_with_every_line_twice_is_not_believed_until_confirmed(lake: Lake, pull: Pull) -> None:
    pull(bill(*["10"] * 20))
    refused = pull(bill(*["10"] * 40))
    assert refused.status == "suspicious_growth"
    assert refused.message == (
        "40 rows came where 20 were before, USD 400.00 billed where 200.00 were: it looks as if lines came twice, what "
        f"was there stays. If it is true, or what was there was too little, confirm it: {COMMAND}"
    )
    assert billed(lake) == 200
    assert pull(bill(*["10"] * 40), confirmed=True).status == "committed"
    assert billed(lake) == 400


def test_the_right_bill_after_a_doubled_one_is_refused_in_money_and_with_what_to_type(lake: Lake, pull: Pull) -> None:
    pull(bill(*["10"] * 40))
    refused = pull(bill(*["10"] * 20))
    assert refused.status == "suspicious_shrink"
    assert "20 rows came where 40 were before (USD 200.00 billed where 400.00 were)" in (refused.message or "")
    assert COMMAND in (refused.message or "")
    assert pull(bill(*["10"] * 20), confirmed=True).status == "committed"
    assert billed(lake) == 200


def test_half_of_the_money_may_not_go_although_nearly_all_lines_are_there(lake: Lake, pull: Pull) -> None:
    pull(bill("500", *["10"] * 50))
    refused = pull(bill(*["10"] * 50))
    assert refused.status == "suspicious_shrink"
    assert "50 rows came where 51 were before, USD 500.00 billed where 1000.00 were: money is missing" in (
        refused.message or ""
    )
    assert billed(lake) == 1000


def test_money_may_not_double_on_the_same_lines(lake: Lake, pull: Pull) -> None:
    pull(bill(*["10"] * 20))
    assert pull(bill(*["20"] * 20)).status == "suspicious_growth"
    assert billed(lake) == 200


def test_a_bill_that_credits_make_nothing_is_compared_by_all_that_is_on_it(lake: Lake, pull: Pull) -> None:
    pull(bill(*["10"] * 10, *["-10"] * 10))
    assert pull(bill(*["10"] * 10, *["-9.5"] * 10)).status == "committed"
    assert billed(lake) == 5
    assert pull(bill(*["10"] * 10)).status == "suspicious_shrink"


def test_a_restatement_of_a_few_per_cent_passes_and_is_told_with_its_difference(lake: Lake, pull: Pull) -> None:
    pull(bill(*["10"] * 20))
    restated = pull(bill(*["10"] * 19, "2.5"))
    assert (restated.status, restated.currency) == ("committed", "USD")
    assert restated.message == "restated by -USD 7.50 (USD 192.50 billed where 200.00 were)"
    assert billed(lake) == Decimal("192.5")
    assert pull(bill(*["10"] * 18, "2.5", "10.0")).message is None  # the same money on other lines


def test_refused_lines_have_not_come(lake: Lake, pull: Pull) -> None:
    pull(bill(*["10"] * 20))
    lines: list[dict[str, Any]] = [{"cost": "10"}] * 10 + [{"cost": "10", "refuse": "wrong_currency"}] * 10
    refused = pull(FakeSource([("bill.json", lines)]))
    assert refused.status == "suspicious_shrink"
    assert "10 rows came and 10 were refused (the first refused row: wrong_currency" in (refused.message or "")
    assert "[bill.json])" in (refused.message or "")  # where the first of them stands
    assert billed(lake) == 200


@pytest.mark.parametrize(("most", "status"), [("1.5", "suspicious_growth"), ("2", "committed")])
def test_how_much_may_come_is_a_setting(lake: Lake, settings: SourceSettings, most: str, status: str) -> None:
    window = Window(datetime(2026, 10, 1), datetime(2026, 10, 2))
    limits = Limits(most_share=Decimal(most))
    lake.ingest(bill(*["10"] * 20), settings, window, "run", limits=limits)
    assert lake.ingest(bill(*["10"] * 40), settings, window, "run", limits=limits).status == status


class Monthly(FakeSource):
    """Each line is one day's charge: the n-th of October."""

    def parse(self, settings: Any, window: Any, pages: Any) -> Any:
        for chunk in super().parse(settings, window, pages):
            days = [datetime(2026, 10, 1) + timedelta(days=n // 8) for n in range(chunk.rows.num_rows)]
            starts = chunk.rows.column_names.index("charge_period_start")
            ends = chunk.rows.column_names.index("charge_period_end")
            rows = chunk.rows.set_column(starts, chunk.rows.schema.field(starts), [days])
            rows = rows.set_column(ends, rows.schema.field(ends), [[day + timedelta(days=1) for day in days]])
            object.__setattr__(chunk, "rows", rows)
            yield chunk


def month(place: Place, lake: Lake, settings: SourceSettings, day: int, costs: list[str]) -> Delivery:
    """The bill as it came on a morning of October, eight lines a day."""
    place.clock.now = datetime(2026, 10, day, 5)
    window = Window(datetime(2026, 10, 1), datetime(2026, 11, 1))
    return lake.ingest(Monthly([("bill.json", [{"cost": cost} for cost in costs])]), settings, window, "run")


def test_a_running_month_grows_by_its_days_and_none_that_had_settled_may_double(
    place: Place, lake: Lake, settings: SourceSettings
) -> None:
    assert month(place, lake, settings, 3, ["1"] * 16).status == "committed"
    assert month(place, lake, settings, 7, ["1"] * 48).status == "committed"
    # the first three days had settled on the 7th at five: their 24 lines came with twice the money
    refused = month(place, lake, settings, 8, ["2"] * 24 + ["1"] * 32)
    assert refused.status == "suspicious_growth"
    assert "24 rows came where 24 were before, USD 48.00 billed where 24.00 were, of the days that had settled" in (
        refused.message or ""
    )
    assert month(place, lake, settings, 8, ["1"] * 24 + ["3"] * 32).status == "committed"
    assert lake.slices("charges")[0].slice_date == date(2026, 10, 1)


def test_a_shrunk_bill_of_which_nothing_had_settled_is_refused_without_words_about_money(
    place: Place, lake: Lake, settings: SourceSettings
) -> None:
    month(place, lake, settings, 3, ["1"] * 20)
    refused = month(place, lake, settings, 3, ["1"] * 8)
    assert refused.status == "suspicious_shrink"
    assert "8 rows came where 20 were before: the delivery looks cut off" in (refused.message or "")


def test_what_may_change_unless_the_configuration_says_otherwise_is_said_in_one_place() -> None:
    limits = Limits()
    assert (limits.least_share, limits.most_share) == (Decimal("0.75"), Decimal("1.5"))
    assert Restatements().model_dump() == asdict(limits)
