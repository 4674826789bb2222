"""Usage without a cost is priced by a card with dates, exactly; without a price it is refused, never free."""

import json
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.connectors.focus.bills import Read, only
from tests.connectors.focus.mapped import read_mapped, used, with_columns, written

QUANTITIES = with_columns(billed_cost=None)
H100: Mapping[str, object] = {"match": {"Product": "H100 SXM"}, "per": "Hours", "unit_price": "2.39"}


def priced(*lines: dict[str, str], card: Sequence[Mapping[str, object]], **over: object) -> Read:
    """The lines, read with a card of unit prices."""
    return read_mapped(written(*lines), **{**QUANTITIES, "unit_prices": card, **over})


def test_a_cost_is_quantity_times_price_and_says_that_it_is_derived() -> None:
    bill = priced(used(Hours="24.5"), card=[H100])
    row = only(bill)
    assert (row["billed_cost"], row["effective_cost"]) == (Decimal("58.555"), Decimal("58.555"))
    assert json.loads(str(row["x_extra"])) == {"Amount": "57.36", "Project": "search", "cost_source": "derived"}
    assert bill.notices[-1].startswith("1 charges cost what quantity and `unit_prices` come to")
    assert "no invoice" in bill.notices[-1]


def test_the_price_is_that_of_the_day_on_which_the_charge_starts() -> None:
    card = [{**H100, "to": "2026-09-10"}, {**H100, "unit_price": "1.99", "from": "2026-09-10", "to": "2026-09-12"}]
    days = ["2026-09-09", "2026-09-10", "2026-09-11", "2026-09-12"]
    bill = priced(*(used(Day=day, Hours="1") for day in days), card=card)
    assert [row["billed_cost"] for row in bill.rows] == [Decimal("2.39"), Decimal("1.99"), Decimal("1.99")]
    assert [(r.row, r.reason, r.cost) for r in bill.rejects] == [(4, "no_price", None)]


def test_a_line_without_a_price_is_refused_with_its_payload_and_not_free() -> None:
    bill = priced(used(), used(Product="B200"), card=[H100])
    (reject,) = bill.rejects
    assert (reject.row, reject.reason, reject.column_name, reject.cost) == (2, "no_price", "Hours", None)
    assert json.loads(reject.payload)["Product"] == "B200"
    assert reject.detail == "Hours: found '24', expected a price in `unit_prices` for the line on that day"
    assert bill.total("billed_cost") == Decimal("57.36")


def test_the_first_price_that_matches_counts() -> None:
    card = [
        {**H100, "match": {"Product": "H100 SXM", "Machine": "node-7"}, "unit_price": "1"},
        H100,
        {**H100, "match": {}},
    ]
    bill = priced(used(Hours="1"), used(Hours="1", Machine="node-8"), used(Hours="1", Product="B200"), card=card)
    assert [row["billed_cost"] for row in bill.rows] == [Decimal(1), Decimal("2.39"), Decimal("2.39")]


TOKENS: Sequence[Mapping[str, object]] = [
    {"per": "Prompt", "unit_price": "0.90", "units": 1_000_000},
    {"per": "Completion", "unit_price": "2.70", "units": 1_000_000, "match": {"Product": "chat"}},
]


def test_several_quantities_of_a_line_add_up_and_one_without_a_price_leaves_it_unpriced() -> None:
    def tokens(prompt: str, completion: str, product: str = "chat") -> dict[str, str]:
        return used(Prompt=prompt, Completion=completion, Product=product)

    lines = [tokens("1250000", "210000"), tokens("10", ""), tokens("", "10"), tokens("10", "1", "embed")]
    lines += [tokens("10", "0", "embed"), tokens("", "0", "embed"), tokens("", "")]
    bill = priced(*lines, card=TOKENS)
    assert {row["x_row"]: row["billed_cost"] for row in bill.rows} == {
        1: Decimal("1.692"),
        2: Decimal("0.000009"),
        3: Decimal("0.000027"),
        5: Decimal("0.000009"),
    }
    assert {r.row: r.reason for r in bill.rejects} == {4: "no_price", 6: "no_price", 7: "missing_value"}


def test_a_price_for_many_units_is_divided_once_and_a_rounding_is_told() -> None:
    bill = priced(used(Hours="100"), used(Hours="3600"), card=[{**H100, "unit_price": "2", "units": 3600}])
    assert [row["billed_cost"] for row in bill.rows] == [Decimal("0.055555555556"), Decimal(2)]
    assert "1 numbers with more than 12 decimal places were rounded half away from zero" in bill.notices


def test_quantities_are_read_as_the_file_writes_numbers() -> None:
    row = only(priced(used(Hours="1.000,5"), card=[H100], decimal_mark=",", grouped=True))
    assert row["billed_cost"] == Decimal("2391.195")


@pytest.mark.parametrize("quantity", ["NaN", "many", "1e99", "1e25", "1e-30"])
def test_a_quantity_that_cannot_be_priced_is_refused(quantity: str) -> None:
    (reject,) = priced(used(Hours=quantity), card=[H100]).rejects
    assert (reject.reason, reject.column_name, reject.cost) == ("unreadable_number", "Hours", None)


def test_a_cost_that_is_derived_is_never_final() -> None:
    columns = {**dict(QUANTITIES["columns"]), "invoice_id": "Project"}  # type: ignore[call-overload]
    assert not any(chunk.is_final for chunk in priced(used(), card=[H100], columns=columns).chunks)


@pytest.mark.parametrize(
    "price", [{**H100, "unit_price": "-1"}, {**H100, "units": 0}, {**H100, "from": "2026-09-02", "to": "2026-09-02"}]
)
def test_a_price_that_cannot_be_meant_is_refused(price: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        priced(used(), card=[price])


@settings(max_examples=50, deadline=None)
@given(
    quantities=st.lists(st.decimals(min_value=0, max_value=10**9, places=6).map(str), min_size=1, max_size=8),
    price=st.decimals(min_value=Decimal("0.01"), max_value=100, places=4),
    units=st.sampled_from([1, 3600, 1_000_000]),
)
def test_every_derived_cost_is_the_exact_quotient_at_twelve_places(
    quantities: list[str], price: Decimal, units: int
) -> None:
    bill = priced(*(used(Hours=q) for q in quantities), card=[{**H100, "unit_price": str(price), "units": units}])
    costs = {row["x_row"]: row["billed_cost"] for row in bill.rows}
    for number, quantity in enumerate(quantities, 1):
        exact = Fraction(quantity) * Fraction(str(price)) / units
        with localcontext(prec=80):
            nearest = (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(
                Decimal("1e-12"), rounding=ROUND_HALF_UP
            )
        assert costs.get(number, nearest) == nearest
        assert number in costs or (exact and not nearest)
