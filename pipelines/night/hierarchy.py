"""Where teams, features and costs stand in the company and its general ledger, as reference tables."""

from collections.abc import Iterator, Sequence
from datetime import date

import polars as pl
import pyarrow as pa

from contracts import contract
from models.accounts import team_account
from models.frames import frame_of
from models.validity import EVER, FOREVER
from pipelines.config.schema import Config
from pipelines.config.teams import Placement, Team
from pipelines.house import House

HIERARCHY, PRODUCTS, LEDGER_ACCOUNTS = "team_hierarchy", "feature_products", "ledger_accounts"


def hierarchy_tables(config: Config) -> dict[str, pa.Table]:
    """The reference tables of the sections `hierarchy`, `products` and `ledger_accounts`, by name."""
    placed = [row for team in config.teams for row in _places(config, team)]
    products = [
        {
            "priority": priority,
            "feature": rule.feature,
            "team_id": rule.team,
            "product": rule.product,
            "valid_from": rule.valid_from,
            "valid_to": rule.valid_to,
        }
        for priority, rule in enumerate(config.products)
    ]
    accounts = [
        {
            "priority": priority,
            "team_id": rule.team,
            "cost_kind": rule.cost_kind,
            "provider_name": rule.provider,
            "ledger_account": rule.account,
            "valid_from": rule.valid_from,
            "valid_to": rule.valid_to,
        }
        for priority, rule in enumerate(config.ledger_accounts)
    ]
    rows = {HIERARCHY: placed, PRODUCTS: products, LEDGER_ACCOUNTS: accounts}
    return {name: pa.Table.from_pylist(found, schema=contract(name).arrow_schema()) for name, found in rows.items()}


def _places(config: Config, team: Team) -> Iterator[dict[str, object]]:
    """A row for each stretch of days on which a team stands somewhere: without a gap, from ever to for ever."""
    entries = sorted((p for p in config.hierarchy if p.team == team.id), key=lambda placement: placement.valid_from)
    for start, end, entry in _stretches(entries):
        yield {
            "team_id": team.id,
            "valid_from": start,
            "valid_to": end,
            "organisation": (entry and entry.organisation) or team.organisation or config.company,
            "business_unit": (entry and entry.business_unit) or team.business_unit,
            "cost_centre": (entry and entry.cost_centre) or team.cost_centre,
        }


def _stretches(entries: Sequence[Placement]) -> Iterator[tuple[date, date, Placement | None]]:
    """All days, cut where an entry begins or ends. Entries of one team do not overlap: `farthing check` sees to it."""
    reached = EVER
    for entry in entries:
        if entry.valid_from > reached:
            yield reached, entry.valid_from, None
        yield max(entry.valid_from, reached), entry.valid_to, entry
        reached = entry.valid_to
    if reached < FOREVER:
        yield reached, FOREVER, None


def units_of_days(house: House) -> pl.DataFrame:
    """Which business unit a team stands in from which day on: account, day, business_unit; empty text where in none."""
    rows = frame_of(house.lake.read(HIERARCHY)).sort("valid_from")
    return rows.select(
        account=team_account(pl.col("team_id"), ""),
        day=pl.col("valid_from"),
        business_unit=pl.col("business_unit").fill_null(""),
    )


def with_units(rows: pl.DataFrame, units: pl.DataFrame) -> pl.DataFrame:
    """Rows of accounts and days with the `business_unit` that the account's team stood in on that day.

    Accounts that are no team's, such as residuals, are in none: their unit is empty text.
    """
    found = rows.sort("day").join_asof(units, on="day", by="account", strategy="backward", check_sortedness=False)
    return found.with_columns(pl.col("business_unit").fill_null(""))
