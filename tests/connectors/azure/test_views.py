"""Two views of the same charges: what is billed, what it is worth, and no charge twice."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from connectors.azure.bill import SOURCE
from connectors.base import Bytes, IncompleteDeliveryError, Page
from tests.connectors.azure.written import (
    COVERED,
    PURCHASE,
    SEPTEMBER,
    UNUSED,
    both_views,
    csv_of,
    frame,
    landed,
    line,
    manifest,
    night,
    run_of,
    settings,
    total,
)


def sums(found: pl.DataFrame) -> tuple[Decimal, Decimal]:
    return found["billed_cost"].sum(), found["effective_cost"].sum()


def test_a_reservation_is_billed_when_bought_and_worth_its_use_and_its_waste(tmp_path: Path) -> None:
    # bought for 8640 for a year of 8640 hours at 1.00: 20 of the day's 24 hours used, 4 not; 2 hours on demand at 90
    actual = [line(**PURCHASE), line(), line(**COVERED, Cost="0", EffectivePrice="0")]
    amortized = [line(), line(**COVERED, Cost="20"), line(**UNUSED, Cost="4")]
    chunks = both_views(tmp_path, actual, amortized)
    found = frame(chunks)
    assert sums(found) == (Decimal(8820), Decimal(204))
    assert found.height == 4
    assert sum(chunk.duplicate_count for chunk in chunks) == 2
    told = found.select(
        "x_charge_type", "commitment_discount_status", "billed_cost", "effective_cost", "x_commitment_cost"
    )
    assert sorted(told.rows(), key=str) == [
        ("Purchase", None, Decimal(8640), Decimal(0), None),
        ("UnusedReservation", "Unused", Decimal(0), Decimal(4), None),
        ("Usage", "Used", Decimal(0), Decimal(20), None),
        ("Usage", None, Decimal(180), Decimal(180), None),
    ]
    assert found["commitment_discount_id"].drop_nulls().unique().to_list() == ["dddddddd-0001"]
    # every hour that was used is counted once: 2 on demand and 20 covered
    assert found["consumed_quantity"].sum() == 22


@pytest.mark.parametrize(
    ("usage", "covered", "unused", "is_final"),
    [
        ("G1", "G1", "", True),  # nobody is asked to pay for what was not used: it stands on no invoice
        ("", "G1", "", False),
        ("G1", "", "", False),
        ("", "", "", False),
    ],
)
def test_an_unused_reservation_needs_no_invoice_and_all_that_is_billed_does(
    tmp_path: Path, usage: str, covered: str, unused: str, is_final: bool
) -> None:
    actual = [line(InvoiceId=usage), line(**COVERED, Cost="0", InvoiceId=covered)]
    amortized = [actual[0], line(**COVERED, Cost="20", InvoiceId=covered), line(**UNUSED, Cost="4", InvoiceId=unused)]
    assert all(chunk.is_final for chunk in both_views(tmp_path, actual, amortized)) is is_final


@pytest.mark.parametrize(("term", "states"), [("1 Month", Decimal(744)), ("1 Year", None)])
def test_a_term_within_the_month_states_what_was_bought_although_unused_lines_are_missing(
    term: str, states: Decimal | None, tmp_path: Path
) -> None:
    day = line()["Date"]
    bought = line(
        **{**PURCHASE, "Cost": "744", "Term": term, "Date": day.replace("/03/", "/01/").replace("-03", "-01")}
    )
    found = frame(both_views(tmp_path, [bought, line()], [line(), line(**COVERED, Cost="20")]))
    assert found.filter(charge_category="Purchase")["x_commitment_cost"].to_list() == [states]


ORDER = "/providers/Microsoft.Capacity/reservationOrders/ORDER-1"


@pytest.mark.parametrize(
    ("reservations", "paid_for"), [(["RES-1"], "res-1"), (["RES-1", "RES-2"], "order-1"), ([], "order-1")]
)
def test_a_monthly_payment_is_the_reservations_where_its_order_has_just_one(
    reservations: list[str], paid_for: str, tmp_path: Path
) -> None:
    bought = line(**{**PURCHASE, "Frequency": "Recurring", "Cost": "720", "benefitId": ORDER, "ReservationId": ""})
    used = [line(**{**COVERED, "benefitId": f"{ORDER}/reservations/{name}", "Cost": "20"}) for name in reservations]
    found = frame(both_views(tmp_path, [bought, line()], [line(), *used]))
    of_purchase = found.filter(charge_category="Purchase")["commitment_discount_id"].to_list()
    assert of_purchase == [paid_for]
    assert set(found["commitment_discount_id"].drop_nulls()) == {paid_for, *(name.lower() for name in reservations)}


def test_equal_lines_are_as_many_as_they_are(tmp_path: Path) -> None:
    chunks = both_views(tmp_path, [line(), line(), line()], [line(), line()])
    found = frame(chunks)
    assert found.height == 3
    assert sums(found) == (Decimal(540), Decimal(360))
    assert any("1 lines of the actual view" in notice for chunk in chunks for notice in chunk.notices)


def test_lines_that_only_one_view_has_keep_the_cost_of_that_view(tmp_path: Path) -> None:
    found = frame(both_views(tmp_path, [line(Cost="7")], [line(Cost="11", Date="09/04/2026")]))
    assert sorted(found.select("billed_cost", "effective_cost").rows()) == [(0, 11), (7, 0)]


def test_twins_are_found_whatever_the_spelling_of_days_costs_and_paths(tmp_path: Path) -> None:
    there = line(Date="2026-09-03", Cost="180.00", Quantity="2.0", ResourceId=line()["ResourceId"].upper())
    assert frame(both_views(tmp_path, [line()], [there])).height == 1


def test_a_savings_plan_is_covered_usage_too(tmp_path: Path) -> None:
    plan = {
        "PricingModel": "SavingsPlan",
        "benefitId": "/providers/Microsoft.BillingBenefits/savingsPlanOrders/o/savingsPlans/PLAN-1",
        "benefitName": "compute",
    }
    free, worth = line(**plan, Cost="0"), line(**plan, Cost="120")
    waste = line(**plan, ChargeType="UnusedSavingsPlan", Cost="5", ResourceId="")
    found = frame(both_views(tmp_path, [free], [worth, waste]))
    assert sums(found) == (Decimal(0), Decimal(125))
    assert set(found["commitment_discount_id"]) == {"plan-1"}
    assert set(found["commitment_discount_type"]) == {"SavingsPlan"}
    assert set(found["commitment_discount_category"]) == {"Spend"}
    assert set(found["x_purchase_option"]) == {"savings_plan"}


def test_views_that_agree_byte_for_byte_count_once(tmp_path: Path) -> None:
    # content lands once: the second view's file is the first one's
    chunks = both_views(tmp_path, [line(), line()], [line(), line()])
    found = frame(chunks)
    assert found.height == 2
    assert sums(found) == (Decimal(360), Decimal(360))
    assert sum(chunk.duplicate_count for chunk in chunks) == 2
    assert chunks[-1].stated_rows == 4


def test_a_file_that_a_manifest_names_and_nobody_has_is_an_incomplete_delivery() -> None:
    pages = landed([Page("actual:a/manifest.json", Bytes(manifest("ActualCost", {"a/x.csv": csv_of(line())})))])
    with pytest.raises(IncompleteDeliveryError, match=r"x\.csv"):
        list(SOURCE.parse(settings(amortized=None), SEPTEMBER, pages))


def test_one_view_without_the_other_is_an_incomplete_delivery() -> None:
    files = {"a/x.csv": csv_of(line())}
    pages = [
        Page("actual:a/x.csv", Bytes(files["a/x.csv"])),
        Page("actual:a/manifest.json", Bytes(manifest("ActualCost", files))),
    ]
    with pytest.raises(IncompleteDeliveryError, match="amortized"):
        list(SOURCE.parse(settings(), SEPTEMBER, landed(pages)))


def test_with_the_actual_view_alone_the_worth_of_commitments_is_their_bill_and_that_is_told(tmp_path: Path) -> None:
    run_of(tmp_path, "actual", "ActualCost", {"p.csv": csv_of(line(), line(**PURCHASE))})
    chunks = night(settings(location=str(tmp_path), amortized=None))
    assert sums(frame(chunks)) == (Decimal(8820), Decimal(8820))
    assert any(notice.startswith("1 lines of commitments") for chunk in chunks for notice in chunk.notices)


def test_with_the_amortized_view_alone_the_bill_of_commitments_is_their_worth_and_that_is_told(tmp_path: Path) -> None:
    lines = [line(), line(**COVERED, Cost="20"), line(**UNUSED, Cost="4")]
    run_of(tmp_path, "amortized", "AmortizedCost", {"p.csv": csv_of(*lines)})
    chunks = night(settings(location=str(tmp_path), actual=None))
    assert sums(frame(chunks)) == (Decimal(204), Decimal(204))
    assert any(notice.startswith("2 lines of commitments") for chunk in chunks for notice in chunk.notices)


KINDS: tuple[Mapping[str, str], ...] = (
    {},
    {"Tags": ""},
    COVERED,
    PURCHASE,
    UNUSED,
    {"ChargeType": "Refund"},
    {"Date": "09/07/2026"},
)


@st.composite
def views(draw: st.DrawFn) -> list[dict[str, str]]:
    chosen = draw(
        st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(["0", "1", "2.5", "-0.000000000001"])), max_size=8)
    )
    return [line(**{**kind, "Cost": cost}) for kind, cost in chosen]


@given(actual=views(), amortized=views())
@profile(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_whatever_lines_match_both_sums_are_exact(
    actual: list[dict[str, str]], amortized: list[dict[str, str]]
) -> None:
    pages = list[Page]()
    for view, kind, lines in (("actual", "ActualCost", actual), ("amortized", "AmortizedCost", amortized)):
        files = {f"{view}/{view}.csv": csv_of(*lines)} if lines else {}
        pages += [Page(f"{view}:{name}", Bytes(content)) for name, content in files.items()]
        pages.append(Page(f"{view}:{view}/manifest.json", Bytes(manifest(kind, files, len(lines)))))
    chunks = list(SOURCE.parse(settings(), SEPTEMBER, landed(pages)))
    found = frame(chunks)
    assert sums(found) == (total(actual), total(amortized))
    assert found.height + sum(chunk.duplicate_count for chunk in chunks) == len(actual) + len(amortized)


def test_of_several_files_some_may_agree_byte_for_byte(tmp_path: Path) -> None:
    same = csv_of(line(Date="09/05/2026"), line(Date="09/05/2026"))
    free, worth = line(**COVERED, Cost="0"), line(**COVERED, Cost="20")
    run_of(tmp_path, "actual", "ActualCost", {"a.csv": same, "b.csv": csv_of(line(), free)})
    run_of(tmp_path, "amortized", "AmortizedCost", {"a.csv": same, "b.csv": csv_of(worth, line())})
    chunks = night(settings(location=str(tmp_path)))
    found = frame(chunks)
    assert sums(found) == (Decimal(540), Decimal(560))
    assert found.height == 4
    assert sum(chunk.duplicate_count for chunk in chunks) == 4


def test_a_file_that_could_be_either_of_two_is_an_incomplete_delivery() -> None:
    # three files of one size, one of which did not land: nobody can tell which one it repeats
    first, second = csv_of(line(Cost="1")), csv_of(line(Cost="2"))
    pages = [Page("actual:actual/a.csv", Bytes(first)), Page("actual:actual/b.csv", Bytes(second))]
    pages.append(Page("actual:actual/manifest.json", Bytes(manifest("ActualCost", {"a.csv": first, "b.csv": second}))))
    pages.append(Page("amortized:x/manifest.json", Bytes(manifest("AmortizedCost", {"c.csv": first}))))
    with pytest.raises(IncompleteDeliveryError, match=r"c\.csv"):
        list(SOURCE.parse(settings(), SEPTEMBER, landed(pages)))
