"""What only the pages of a delivery together tell: how many lines, the newest export, fees against discounts."""

from dataclasses import dataclass, field
from datetime import datetime

from connectors.base import Window
from connectors.bills import Names
from connectors.bills.files import Lines
from connectors.gcp.commitments import LEGACY_CREDITS, SPEND_CREDIT, credit_sum, fee_key
from connectors.gcp.placing import discount_key
from connectors.gcp.utilisation import Discount, Fee, discount_together, fee_together


@dataclass
class Survey:
    """What the pages of one delivery say together: fees by key and commitment, discounts by key, each of all pages."""

    lines: int = 0
    newest_export: datetime | None = None
    fees: dict[tuple[str, str], Fee] = field(default_factory=dict[tuple[str, str], Fee])
    discounts: dict[str, Discount] = field(default_factory=dict[str, Discount])

    def add_fee(self, fee: Fee) -> None:
        """Takes one page's part of a fee in: its lines may stand in several."""
        key = fee.key, fee.commitment_id
        self.fees[key] = fee_together(self.fees[key], fee) if key in self.fees else fee

    def add_discount(self, found: Discount) -> None:
        """Takes one page's part of a discount in."""
        before = self.discounts.get(found.key)
        self.discounts[found.key] = found if before is None else discount_together(before, found)


def look_over(lines: Lines, window: Window, survey: Survey) -> None:
    """Takes one file's part into the survey."""
    names = lines.names
    ours = of_month(names, window)
    has_discount = " or ".join(f"{credit_sum(kind)} is not null" for kind in LEGACY_CREDITS)
    count, newest, has_fees, has_discounts = lines.connection.execute(
        f"select count(*), max({names.instant('export_time')}) filter (where {ours}), "
        f"bool_or(_is_legacy_fee), bool_or({has_discount}) from source"
    ).fetchall()[0]
    survey.lines += count
    survey.newest_export = max(filter(None, (survey.newest_export, newest)), default=None)
    if has_fees:
        for fee in _fees(lines, ours):
            survey.add_fee(fee)
    if has_discounts:
        for kind in LEGACY_CREDITS:
            for found in _discounts(lines, ours, kind):
                survey.add_discount(found)


def of_month(names: Names, window: Window) -> str:
    """SQL of whether a line is of the window's invoice month."""
    return f"{names.text('invoice.month')} = '{window.start:%Y%m}'"


def _fees(lines: Lines, ours: str) -> list[Fee]:
    names = lines.names
    quantity, price = names.decimal("usage.amount_in_pricing_units"), names.decimal("price.list_price")
    found = lines.connection.execute(
        f"select {fee_key(names)} as key, {_kinds(names)}, coalesce(_commitment_id, '') as commitment_id, "
        f"coalesce(max(_commitment_name), ''), sum(_cost), sum({quantity}), max({price}), count(*) from source "
        f"where {ours} and _is_legacy_fee and _cost is not null and period_end > period_start group by all"
    ).fetchall()
    return [
        Fee(key, service, description, region, (start, end), cost, quantity, price, commitment, name, count)
        for key, service, description, region, start, end, commitment, name, cost, quantity, price, count in found
    ]


def _discounts(lines: Lines, ours: str, kind: str) -> list[Discount]:
    names = lines.names
    credit = credit_sum(kind)
    found = lines.connection.execute(
        f"select {discount_key(names, kind)} as key, {_kinds(names)}, -sum({credit}), sum(_cost), "
        f"sum({names.decimal('usage.amount_in_pricing_units')}) from source "
        f"where {ours} and {credit} is not null and _cost is not null and period_end > period_start "
        "group by all"
    ).fetchall()
    is_spend_based = kind == SPEND_CREDIT
    return [
        Discount(is_spend_based, service, description, region, (start, end), amount, cost, quantity, key)
        for key, service, description, region, start, end, amount, cost, quantity in found
    ]


def _kinds(names: Names) -> str:
    """What fees and discounts are added up by."""
    return (
        f"coalesce({names.text('service.id')}, '') as service_id, "
        f"coalesce({names.text('sku.description')}, '') as description, "
        f"coalesce({names.text('location.region')}, '') as region, "
        f"{names.instant('usage_start_time')} as period_start, {names.instant('usage_end_time')} as period_end"
    )
