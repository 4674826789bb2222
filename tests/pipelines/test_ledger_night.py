"""The ledger's settings through whole nights: a pool by metric, unused commitments, a re-organisation, customers."""

from decimal import Decimal
from pathlib import Path

import duckdb

from tests.pipelines.conftest import night, published
from tests.pipelines.small_company import CONFIG, DAY, line, write_bill, write_company, write_log

SETTINGS = """\
  - {id: shared-tag, tag: {key: owner, value: shared}, pool: licences}
  - {id: reserved, commitment: ri-1, team: support}
pools:
  - {id: licences, split: metric, metric: seats}
metrics:
  - {id: seats, location: seats.csv}
unused:
  - {id: others, of: commitment, team: search}
hierarchy:
  - {team: support, from: 2026-10-31, business_unit: Care, cost_centre: "4300"}
ledger_accounts:
  - {account: "6900", cost_kind: unused_commitment}
  - {account: "6400"}
"""
UNUSED = {"CommitmentDiscountStatus": "Unused", "CommitmentDiscountCategory": "Usage", "Tags": ""}
QUERY = """
    select account, cost_kind, business_unit, ledger_account, sum(effective_cost)
    from chargeback where provider_name = 'Cloud' group by all order by all
"""


def rows(database: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return database.sql(QUERY).fetchall()


MODELS = CONFIG.replace(
    "location: other}", r"location: other, models: [{column: ChargeDescription, pattern: '^(?P<model>gpt-\S+)'}]}"
)
BY_CUSTOMER = """
    select account, business_unit, naming, customer_hash <> '', sum(effective_cost)
    from chargeback_by_customer group by all order by all
"""


def test_what_nobody_measured_waits_in_the_pool_s_residual_until_somebody_did(tmp_path: Path) -> None:
    config = write_company(tmp_path)
    config.write_text(MODELS + SETTINGS, encoding="utf-8")
    write_log(tmp_path, end_user="acme")
    called = {"ProviderName": "OpenAI", "ChargeDescription": "gpt-4o", "Tags": ""}
    write_bill(tmp_path / "other", [line(**called, BilledCost="3", EffectiveCost="3")])
    bill = [
        line(Tags='{"owner": "shared"}', EffectiveCost="8", BilledCost="8"),
        line(**UNUSED, CommitmentDiscountId="ri-1", EffectiveCost="2", BilledCost="0"),
        line(**UNUSED, CommitmentDiscountId="ri-2", EffectiveCost="4", BilledCost="0"),
    ]
    fields = {name: "" for entry in bill for name in entry}
    write_bill(tmp_path / "bills", [fields | entry for entry in bill])
    weights = tmp_path / "seats.csv"
    weights.write_text("team,month,weight\nsearch,2026-09,1\nserch,2026-10,1\n", encoding="utf-8")
    first = night(config, DAY)
    assert first.result.published, first.problems
    assert f"{weights}:3: there is no team 'serch'. Did you mean 'search'?" in first.problems
    unused = [
        ("team:search", "unused_commitment", None, "6900", Decimal(4)),
        ("team:support", "unused_commitment", "Care", "6900", Decimal(2)),
    ]
    with published(tmp_path / "lake") as database:
        assert rows(database) == [("residual:pool:licences", "other", None, "6400", Decimal(8)), *unused]
    weights.write_text("team,month,weight\nsearch,2026-10,1\nsupport,2026-10,3\n", encoding="utf-8")
    second = night(config, DAY)
    assert second.result.published, second.problems
    assert "serch" not in second.problems
    with published(tmp_path / "lake") as database:
        assert rows(database) == [
            ("team:search", "other", None, "6400", Decimal(2)),
            unused[0],
            ("team:support", "other", "Care", "6400", Decimal(6)),
            unused[1],
        ]
        assert database.sql(BY_CUSTOMER).fetchall() == [
            ("team:search", None, "not_by_call", False, Decimal(6)),
            ("team:support", "Care", "customer", True, Decimal(3)),
            ("team:support", "Care", "not_by_call", False, Decimal(8)),
        ]
