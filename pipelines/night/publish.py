"""From the lake's tables to the snapshot that finance opens, with its account of what it was made from."""

from collections.abc import Iterable
from datetime import date

import pyarrow as pa

from contracts import all_contracts, contract
from pipelines.house import House
from pipelines.lake import LakeError, Publication

_TABLE_VERSION = "table_version"
_PERIOD_STATE = ("billing_period", "provider_name", "period_state")


def published_tables() -> list[str]:
    """The tables that readers get, by name."""
    return sorted(name for name, table in all_contracts().items() if table.published)


def publish(house: House) -> Publication:
    """Publishes every published table as it stands in the lake. The caller has run the blocking checks."""
    return house.lake.publish(published_tables(), snapshot_meta(house))


def not_as_published(house: House, tables: Iterable[str]) -> list[str]:
    """Those tables that are not what the published snapshot was made from: no check need have held of them."""
    try:
        account = house.lake.published().read("meta").to_pylist()
    except LakeError:
        account = []
    shown = {row["name"]: row["value"] for row in account if row["section"] == _TABLE_VERSION}
    now = {name: str(number) for name, number in house.lake.versions().items()}
    return sorted(name for name in set(tables) if shown.get(name) != now.get(name))


def snapshot_meta(house: House) -> pa.Table:
    """What the snapshot was made from, in the schema of `meta`. Nothing in it depends on when it was published."""
    rows: list[tuple[str, str, str]] = [("configuration", "sha256", house.config_hash)]
    rows += [(_TABLE_VERSION, name, str(number)) for name, number in sorted(house.lake.versions().items())]
    rows += _watermarks(house.lake.read("freshness"))
    rows += _period_states(house.lake.dataset("chargeback").to_table(columns=list(_PERIOD_STATE)))
    content = [{"section": section, "name": name, "value": value} for section, name, value in rows]
    return pa.Table.from_pylist(content, schema=contract("meta").arrow_schema())


def _watermarks(freshness: pa.Table) -> list[tuple[str, str, str]]:
    """The newest slice of each source that is served, and whether each slice is final."""
    newest: dict[str, date] = {}
    states: list[tuple[str, str, str]] = []
    for row in freshness.to_pylist():
        name = f"{row['x_source']}/{row['x_account']}"
        if row["delivery_id"] is not None:
            day: date = row["slice_date"]
            newest[name] = max(newest.get(name, day), day)
        states.append(("day_state", f"{name} {row['slice_date']}", "final" if row["is_final"] else "provisional"))
    return sorted(("watermark", name, day.isoformat()) for name, day in newest.items()) + sorted(states)


def _period_states(chargeback: pa.Table) -> list[tuple[str, str, str]]:
    states: dict[tuple[str, str], str] = {}
    for row in chargeback.group_by(list(_PERIOD_STATE)).aggregate([]).to_pylist():
        key = (f"{row['billing_period']:%Y-%m}", row["provider_name"])
        states[key] = row["period_state"]
    return sorted(("period_state", f"{period} {provider}", state) for (period, provider), state in states.items())
