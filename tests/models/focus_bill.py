"""A bill, its journal and what else FOCUS rows are made from, of the few columns that a test cares about."""

from decimal import Decimal
from typing import Any

import polars as pl

from models.focus import focus_rows
from models.frames import frame_of, schema_of
from tests.sql.golden import filled

_DAY = {"charge_period_start": "2026-10-05 00:00:00", "charge_period_end": "2026-10-06 00:00:00"}
_MONTH = {"billing_period_start": "2026-10-01 00:00:00", "billing_period_end": "2026-11-01 00:00:00"}
_LINE: dict[str, Any] = {
    **_DAY, **_MONTH, "x_slice_date": "2026-10-01", "x_source": "bill", "x_page": "page", "billing_account_id": "acc",
    "billing_currency": "USD", "charge_category": "Usage", "provider_name": "Cloud", "invoice_issuer_name": "Cloud",
    "service_name": "Service",
}  # fmt: skip
TEAMS = frame_of(
    filled(
        "teams",
        [
            {"team_id": "search", "team_name": "Search", "cost_centre": "CC-1"},
            {"team_id": "support", "team_name": "Support"},
        ],
    )
)


def bill(*lines: dict[str, Any]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Lines in the shape of `charges`, and of `charge_lines`: each with what is given, `group` is its charge group.

    A line that states no effective cost costs what it is billed.
    """
    charges: list[dict[str, Any]] = []
    grouped: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        given = {"group": str(number), **line}
        told = {"group", "provider_id", "model_id"}
        row = {**_LINE, "x_row": number, "effective_cost": given.get("billed_cost", "0")}
        charges.append({**row, **{name: value for name, value in given.items() if name not in told}})
        found = {
            "charge_group_id": given["group"], "x_source": "bill", "x_page": "page", "x_row": number,
            "provider_id": given.get("provider_id"), "model_id": given.get("model_id"),
            "token_class": given.get("x_token_class"),
        }  # fmt: skip
        grouped.append(found)
    return frame_of(filled("charges", charges)), frame_of(filled("charge_lines", grouped))


def journal(*parts: tuple[Any, ...]) -> pl.DataFrame:
    """Where money rests: (group, account, effective cost, billed cost or None for the same, other columns)."""
    rows: list[dict[str, Any]] = []
    for number, (group, account, effective, *rest) in enumerate(parts):
        billed = rest[0] if rest and rest[0] is not None else effective
        row = {
            "posting_id": str(number), "billing_period": "2026-10-01", "charge_group_id": group, "step": 2,
            "to_account": account, "effective_cost": effective, "billed_cost": billed, "is_final_account": True,
            "team_id": account.removeprefix("team:") if account.startswith("team:") else None,
            "rule_id": "rule", "rule_kind": "direct",
        }  # fmt: skip
        rows.append({**row, **(rest[1] if len(rest) > 1 else {})})
    return frame_of(filled("postings", rows))


def rows_of(
    lines: tuple[pl.DataFrame, pl.DataFrame],
    postings: pl.DataFrame,
    usage: pl.DataFrame | None = None,
    price_book: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """The FOCUS rows of a bill."""
    charges, charge_lines = lines
    return focus_rows(
        charges=charges,
        charge_lines=charge_lines,
        postings=postings,
        usage=pl.DataFrame(schema=schema_of("usage_by_team_daily")) if usage is None else usage,
        price_book=pl.DataFrame(schema=schema_of("price_book")) if price_book is None else price_book,
        teams=TEAMS,
    )


def whole(*lines: dict[str, Any]) -> pl.DataFrame:
    """The FOCUS rows of lines that team search carries, each whole."""
    billed = bill(*lines)
    groups: dict[str, list[Decimal]] = {}
    charges, charge_lines = billed
    for group, effective, cost in zip(
        charge_lines["charge_group_id"], charges["effective_cost"], charges["billed_cost"], strict=True
    ):
        found = groups.setdefault(group, [Decimal(0), Decimal(0)])
        found[0] += effective
        found[1] += cost
    return rows_of(billed, journal(*((group, "team:search", str(e), str(b)) for group, (e, b) in groups.items())))


def told(rows: pl.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    """The rows' values of those columns, decimals as short as they are written."""
    return [tuple(_short(value) for value in row) for row in rows.select(columns).iter_rows()]


def _short(value: object) -> object:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value
